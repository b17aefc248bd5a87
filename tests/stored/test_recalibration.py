"""Own measurements, a refit in the background, and which parameters runs use."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.test import Client

from advisor.engine.calibration import shipped_calibration
from advisor.engine.search.measured import measured_training
from advisor.engine.training.performance import training_point
from advisor.engine.training.published import published_training
from advisor.models import Calibration, CalibrationChoice, Job, Scope, State
from advisor.services import accounts, calibrations, recalibrating
from advisor.services.advice import advise
from advisor.services.work import run_job
from catalog import queries
from catalog.models import TrainingMeasurement
from catalog.services.measurements import BadMeasurement, add_own

pytestmark = pytest.mark.usefixtures("catalogue")

OWN: dict[str, Any] = {
    "accelerator": "nvidia-a100-sxm-80gb",
    "accelerator_count": 8,
    "model": "Llama-3.1-8B",
    "precision": "bf16",
    "framework": "llm-foundry",
    "task": "finetune",
    "seq_len": 4096,
    "global_batch": 64,
    "tokens_per_s_per_accelerator": 1234.0,
}


@pytest.fixture
def few_rows(catalogue: None) -> None:
    """A catalogue with two dozen training measurements, so that a fit takes a moment."""
    kept = TrainingMeasurement.objects.filter(tokens_per_s_per_accelerator__isnull=False)
    TrainingMeasurement.objects.exclude(
        pk__in=list(kept.values_list("pk", flat=True)[:24])
    ).delete()


def refitted() -> Job:
    job = recalibrating.start(["training"], owner=accounts.local_user())
    run_job(job.pk)
    job.refresh_from_db()
    assert job.state == State.SUCCEEDED, job.problem
    return job


def test_an_own_measurement_is_kept_with_its_part_and_model() -> None:
    row = add_own("training", OWN)

    assert (row.own, row.accelerator_id, row.architecture_id) == (
        True,
        "nvidia-a100-sxm-80gb",
        "llama3.1-8b",
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [("accelerator", "Abacus"), ("model", "Frobnicator"), ("colour", "red"), ("mfu", 3.0)],
)
def test_a_measurement_that_cannot_be_names_its_field(field: str, value: Any) -> None:
    with pytest.raises(BadMeasurement) as refused:
        add_own("training", {**OWN, field: value})
    assert refused.value.problems


@pytest.mark.usefixtures("few_rows")
def test_a_refit_keeps_the_rows_it_used_and_is_used_from_then_on() -> None:
    own = add_own("training", OWN)
    job = refitted()
    kept = Calibration.objects.get(subject="training", version__contains="-own-")

    assert (own.pk in kept.measurements, [row["id"] for row in kept.own]) == (True, [own.pk])
    active = calibrations.active_calibration()
    assert (active.version, active.training) == (job.calibration_version, kept.parameters)


@pytest.mark.usefixtures("few_rows")
def test_an_own_measurement_outweighs_strangers() -> None:
    row = next(r for r in queries.training_measurements() if r.tokens_per_s_per_accelerator)
    tripled = 3.0 * float(row.tokens_per_s_per_accelerator or 0.0)
    add_own(
        "training",
        {
            "accelerator": row.accelerator_slug, "accelerator_count": row.accelerator_count,
            "model": row.model_slug or row.model, "precision": row.precision,
            "framework": row.framework, "task": row.task, "seq_len": row.seq_len,
            "global_batch": row.global_batch, "tokens_per_s_per_accelerator": tripled,
        },
    )  # fmt: skip
    refitted()
    today = queries.snapshot()
    cases = published_training(
        [replace(row, id="")], accelerators=today.accelerators, models=today.models
    ).cases
    predicted = training_point(cases, calibrations.active_calibration())

    # Nearer to one's own figure than to the published one, on the logarithm.
    assert predicted.tokens_per_s_per_accelerator.value[0] > tripled / np.sqrt(3.0)


def test_back_to_shipped_leaves_the_history() -> None:
    made = Calibration.objects.create(version="training-own-1", subject="training", parameters={})
    calibrations.choose([made], by=None)
    calibrations.back_to_shipped(by=None)

    assert calibrations.active_calibration() is shipped_calibration()
    assert CalibrationChoice.objects.count() == 2


def test_a_finished_run_is_reopened_with_its_own_parameters() -> None:
    made = Calibration.objects.create(version="training-own-1", subject="training", parameters={})
    version = calibrations.choose([made], by=None).version
    calibrations.back_to_shipped(by=None)

    assert calibrations.calibration_of(version).training == {}


def test_measured_configurations_answer_with_what_was_measured() -> None:
    add_own("training", {**OWN, "accelerator": "nvidia-h100-sxm"})
    (row,) = [r for r in queries.training_measurements() if r.id.startswith("own-")]
    today = queries.snapshot()
    cases = published_training([row], accelerators=today.accelerators, models=today.models).cases
    others = replace(cases, accelerator_count=cases.accelerator_count * 2)

    assert measured_training(cases, [row])[0].tolist() == [1234.0]
    assert np.isnan(measured_training(others, [row])[0]).all()


def test_advice_shows_the_measured_speed_and_whose_it_is() -> None:
    preset = {"preset": "finetune_70b_4xh100_72h", "answers": {"model_ref": "llama3.1-70b"}}
    plan = advise(preset)["recommendation"]
    found = _measured_like(preset, plan)
    made = Calibration.objects.create(
        version="training-own-9", subject="training",
        parameters=dict(shipped_calibration().training), own=[found],
    )  # fmt: skip
    calibrations.choose([made], by=None)
    speeds = [
        each["tokens_per_s_per_accelerator"]
        for each in advise(preset)["plans"]
        if all(each[name] == plan[name] for name in SAME)
    ]

    assert {(speed["value"], speed["evidence"]) for speed in speeds} == {(7777.0, "measured")}
    assert "own-1" in speeds[0]["source"]


SAME = ("accelerator_slug", "accelerator_count", "precision")


def _measured_like(preset: dict[str, Any], plan: dict[str, Any]) -> dict[str, Any]:
    """A row of the very configuration of a plan, as a calibration keeps it."""
    from advisor.services.advice import worked_from

    training = worked_from(preset).question.workloads[0].training
    assert training is not None
    return {
        "id": "own-1", "system": "", "accelerator_slug": plan["accelerator_slug"],
        "framework": "", "model": training.model.name, "model_slug": training.model.slug,
        "params": None, "task": training.task, "seq_len": training.seq_len,
        "global_batch": training.global_batch_tokens / training.seq_len,
        "tokens_per_s_per_accelerator": 7777.0, "flops_per_s_per_accelerator": None, "mfu": None,
        "time_to_train_s": None, "source": "Own measurement", "source_ref": "", "note": "",
        "accelerator_count": plan["accelerator_count"], "precision": plan["precision"],
    }  # fmt: skip


@pytest.fixture
def program() -> Client:
    user = User.objects.create(username="ann")
    _, text = accounts.create_key(user, name="test", scopes=(Scope.ADMIN,))
    return Client(headers={"Authorization": f"Bearer {text}"})


def sent(program: Client, method: str, path: str, body: Any) -> Any:
    call = getattr(program, method)
    return call(f"/api/v1{path}", json.dumps(body), content_type="application/json")


def test_the_api_takes_a_measurement_and_starts_a_refit(program: Client) -> None:
    made = sent(program, "post", "/measurements", {"kind": "training", "values": OWN})
    accepted = sent(program, "post", "/recalibrations", {"subjects": ["training"]})

    assert (made.status_code, accepted.status_code) == (201, 202)
    polled = program.get(accepted.headers["Location"])
    assert (polled.json()["state"], int(polled.headers["Retry-After"]) > 0) == ("queued", True)


def test_the_api_names_what_is_wrong_with_a_measurement(program: Client) -> None:
    bad = {**OWN, "accelerator": "Abacus 3000"}
    refused = sent(program, "post", "/measurements", {"kind": "training", "values": bad})

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/values/accelerator"


def test_the_api_refuses_to_fit_what_there_is_not(program: Client) -> None:
    assert sent(program, "post", "/recalibrations", {"subjects": ["weather"]}).status_code == 422


def test_the_api_goes_back_to_shipped(program: Client) -> None:
    made = Calibration.objects.create(version="training-own-1", subject="training", parameters={})
    chosen = sent(program, "put", "/calibrations/active", {"versions": [made.version]}).json()
    back = sent(program, "put", "/calibrations/active", {"versions": []}).json()

    assert (chosen["in_use"] != back["in_use"], back["in_use"]) == (
        True,
        shipped_calibration().version,
    )


def test_the_admin_recalibrates_and_goes_back(admin_client: Client) -> None:
    page = admin_client.get("/admin/advisor/calibration/")
    started = admin_client.post("/admin/advisor/calibration/recalibrate/")
    back = admin_client.post("/admin/advisor/calibration/shipped/")

    assert b"shipped calibration" in page.content
    assert (
        started.status_code,
        back.status_code,
        Job.objects.filter(kind="recalibration").count(),
    ) == (302, 302, 1)
