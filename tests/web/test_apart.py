"""A plan with prefill and decode apart, from its page to its signature."""

from typing import Any

import pytest
from django.test import Client

from advisor.exports.refusal import CannotExport
from advisor.exports.registry import file_of
from advisor.exports.subject import subject_of
from advisor.models import Job
from advisor.services import accounts, work
from advisor.services.explanation import explained_all
from advisor.services.latency import start_simulation
from tests.answered import answered_run


@pytest.fixture
def run(make_run: Any, catalogue: None) -> Job:
    return answered_run(make_run, "chatbot_1m", disagg_allowed=True)


def best_of(run: Job) -> dict[str, Any]:
    best: dict[str, Any] = run.result["recommendation"]  # type: ignore[index]
    return best


def test_two_pools_go_from_their_page_to_a_signature(pages: Client, run: Job) -> None:
    best = best_of(run)
    answer = pages.get(f"/runs/{run.pk}").content.decode()
    assert 'id="pools"' in answer
    for path in ("money", "files", "one-page", "latency", "decision", "latency/availability",
                 f"explain/{best['id']}/ttft_p99_s"):  # fmt: skip
        assert (path, pages.get(f"/runs/{run.pk}/{path}").status_code) == (path, 200)
    signed = pages.post(
        f"/runs/{run.pk}/decision", {"plan": best["id"], "decided_by": "A. Architect"}
    )
    assert best["name"] in pages.get(signed.headers["Location"]).content.decode()


def test_figures_files_and_simulations_know_both_pools(run: Job) -> None:
    best = best_of(run)
    trees = explained_all(run, best["id"])["figures"]
    assert trees["ttft_p99_s"]["term"]["value"] == pytest.approx(best["ttft_p99_s"]["value"])
    for form in ("json", "csv", "md", "xlsx"):
        with file_of(subject_of(run), form).stream as stream:
            assert stream.read(10)
    with pytest.raises(CannotExport, match="one pool that prefills"):
        file_of(subject_of(run), "triton")
    with file_of(subject_of(run), "k8s").stream as stream:
        assert stream.read().count(b"kind: StatefulSet") == len(best["pools"])

    simulated = start_simulation(run, best["id"], owner=accounts.local_user(), quick=True)
    work.run_job(simulated.pk)
    simulated.refresh_from_db()
    assert simulated.result is not None
    assert simulated.result["setup"]["plan_replicas"] == best["pools"][1]["replicas"]
