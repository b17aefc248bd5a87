"""A run answered with a log of requests: kept with it, decided on with it, simulated with it."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from advisor.engine.latency.kept import kept_log
from advisor.engine.latency.published import FOLDER
from advisor.models import Job
from advisor.services import accounts, assessments, decisions, latency, work
from advisor.services.replay import replayed

pytestmark = pytest.mark.django_db
LOG = (FOLDER / "azure2023_code.csv").read_text(encoding="utf-8")
PACKED = dict(kept_log(LOG, "code.csv"))


@pytest.fixture
def user(catalogue: None) -> User:
    return accounts.local_user()


@pytest.fixture
def run(user: User) -> Job:
    answers: dict[str, Any] = {
        "model_ref": "llama3.1-8b",
        "accel_families_allowed": ["tpu"],
        "traffic_basis": "trace_upload",
        "trace_file": {"name": "code.csv", "text": LOG},
    }
    kept = assessments.create({"answers": answers}, user)
    found = assessments.start_run(kept, user)
    work.run_job(found.pk)
    found.refresh_from_db()
    assert found.state == "succeeded", found.problem
    return found


def test_a_runs_frozen_inputs_hold_the_log(run: Job) -> None:
    assert run.inputs["answers"]["answers"]["trace_file"] == PACKED


def test_a_decision_holds_the_log_it_rests_on(run: Job, user: User) -> None:
    record = decisions.record_decision(
        run, owner=user, plan_id="none", reason="Not yet.", decided_by="A. Architect"
    )

    assert record.content["answers"]["answers"]["trace_file"] == PACKED


def test_a_run_with_a_log_is_worked_again_identically(run: Job) -> None:
    assert replayed(run).identical


def test_the_answer_says_what_the_log_does_to_its_plan(run: Job) -> None:
    assert "your log of requests was played on the recommended plan" in "\n".join(
        run.result["warnings"]  # type: ignore[index]
    )


def test_simulations_of_the_run_play_its_log(run: Job, user: User) -> None:
    job = latency.start_simulation(run, latency.plan_id_of(run, ""), owner=user, quick=True)
    work.run_job(job.pk)
    job.refresh_from_db()

    assert job.result["trace"]["sha256"] == PACKED["sha256"]  # type: ignore[index]


def test_a_simulation_of_the_run_shows_poisson_arrivals_beside_the_log(
    run: Job, user: User
) -> None:
    job = latency.start_simulation(run, latency.plan_id_of(run, ""), owner=user, quick=True)
    work.run_job(job.pk)
    job.refresh_from_db()

    result: dict[str, Any] = job.result  # type: ignore[assignment]
    assert result["poisson"]["requests_per_s"] == result["rows"][4]["requests_per_s"]
