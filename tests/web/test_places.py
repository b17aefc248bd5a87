"""A plan that serves from several places, from its page to its signature."""

from typing import Any

import pytest
from django.test import Client

from advisor.exports.refusal import CannotExport
from advisor.exports.registry import file_of
from advisor.exports.subject import subject_of
from advisor.models import Job
from advisor.services import accounts, work
from advisor.services.explanation import explained_all
from advisor.services.latency import plan_id_of, start_simulation
from advisor.services.paths.availability_split import split_failures
from tests.answered import answered_run
from tests.web.conftest import MakeRun


@pytest.fixture
def run(make_run: MakeRun) -> Job:
    """Users on three continents, whom no single place reaches in time."""
    return answered_run(make_run, "chatbot_1m", user_regions=["US", "DE", "JP"], slo_ttft_ms=300)


def best_of(run: Job) -> dict[str, Any]:
    best: dict[str, Any] = run.result["recommendation"]  # type: ignore[index]
    return best


def test_a_split_goes_from_its_page_to_a_signature(pages: Client, run: Job) -> None:
    best = best_of(run)
    assert len(best["places"]) > 1

    answer = pages.get(f"/runs/{run.pk}").content.decode()
    assert 'id="places"' in answer
    for path in ("why", "money", "files", "one-page", "latency", "decision",
                 f"explain/{best['id']}/ttft_p99_s", "latency/distance"):  # fmt: skip
        assert (path, pages.get(f"/runs/{run.pk}/{path}").status_code) == (path, 200)
    signed = pages.post(
        f"/runs/{run.pk}/decision", {"plan": best["id"], "decided_by": "A. Architect"}
    )
    assert (signed.status_code, "decisions/" in signed.headers["Location"]) == (302, True)
    assert best["name"] in pages.get(signed.headers["Location"]).content.decode()


def test_figures_files_and_simulations_reach_into_its_places(run: Job) -> None:
    best = best_of(run)
    trees = explained_all(run, best["id"])["figures"]
    for name in ("ttft_p99_s", "e2e_p99_s", "requests_per_s"):
        assert trees[name]["term"]["value"] == pytest.approx(best[name]["value"])
    for form in ("json", "csv", "md", "xlsx"):
        with file_of(subject_of(run), form).stream as stream:
            assert stream.read(10)
    with pytest.raises(CannotExport, match=f"several places.*{best['id']}-1"):
        file_of(subject_of(run), "k8s")
    with file_of(subject_of(run, f"{best['id']}-1"), "k8s").stream as stream:
        assert stream.read(10)
    assert plan_id_of(run, "") == f"{best['id']}-1"

    simulated = start_simulation(run, f"{best['id']}-2", owner=accounts.local_user(), quick=True)
    work.run_job(simulated.pk)
    simulated.refresh_from_db()
    assert simulated.result is not None
    assert simulated.result["setup"]["plan_replicas"] == best["places"][1]["replicas"]


def test_failures_open_on_the_recommended_split_place_by_place(pages: Client, run: Job) -> None:
    best = best_of(run)
    page = pages.get(f"/runs/{run.pk}/latency/availability")

    rows = page.context["result"]["tables"][0]["rows"]
    assert (page.context["plan_id"], len(rows)) == (best["id"], len(best["places"]) + 1)


def test_a_user_of_a_split_is_served_as_the_places_are_by_their_share(run: Job) -> None:
    found = split_failures(run, best_of(run)["id"])
    *places, whole = [row["cells"] for row in found["tables"][0]["rows"]]

    assert whole[1] == pytest.approx(sum(share * reached for share, reached, _ in places))
    assert sum(share for share, *_ in places) == pytest.approx(1.0)


def test_a_place_of_a_split_has_failures_of_its_own(pages: Client, run: Job) -> None:
    place = best_of(run)["places"][0]["id"]
    page = pages.get(f"/runs/{run.pk}/latency/availability?plan={place}")

    assert page.context["result"]["plan_id"] == place
