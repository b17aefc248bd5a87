"""Simulations over the API: a plan of an answered run under load, by job."""

import json
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from advisor.models import Job, Scope
from advisor.services import jobs, work
from tests.answered import answered_run
from tests.api.test_api import ROOT, client_with, post
from tests.web import sample_advice

pytestmark = pytest.mark.django_db


@pytest.fixture
def program(catalogue: None) -> Client:
    return client_with(Scope.ADMIN)


def made(
    program: Client,
    document: dict[str, Any] | None,
    preset: str,
    answers: dict[str, Any] | None = None,
) -> Job:
    """A run of a preset that has this document as its answer."""
    asked = {"preset": preset, "answers": answers or {}}
    assessment = post(program, "/assessments", asked).json()
    run = Job.objects.get(pk=program.post(assessment["runs"]).json()["id"])
    held = jobs.claim(run.pk)
    assert held is not None
    jobs.finish(held, document or {})
    return run


@pytest.fixture
def run_id(program: Client) -> str:
    return str(answered_run(partial(made, program)).pk)


def simulated(program: Client, run_id: str, **body: Any) -> Any:
    accepted = post(program, f"/runs/{run_id}/simulations", {"quick": True, **body})
    assert accepted.status_code == 202
    work.run_job(accepted.json()["id"])
    return program.get(accepted.headers["Location"]).json()


def test_a_plan_is_simulated_at_the_loads_around_its_peak(program: Client, run_id: str) -> None:
    done = simulated(program, run_id)

    assert [row["load"] for row in done["result"]["rows"]] == [0.25, 0.5, 0.75, 0.9, 1.0, 1.2]


def test_the_same_question_is_computed_once(program: Client, run_id: str) -> None:
    first = simulated(program, run_id)
    again = post(program, f"/runs/{run_id}/simulations", {"quick": True})

    assert again.json()["id"] == first["id"]


def test_a_replica_more_answers_the_peak_sooner(program: Client, run_id: str) -> None:
    planned = simulated(program, run_id)
    replicas = planned["result"]["setup"]["plan_replicas"] + 1
    more = simulated(program, run_id, replicas=replicas)

    assert (
        more["result"]["rows"][4]["ttft_p99_s"]["value"]
        < planned["result"]["rows"][4]["ttft_p99_s"]["value"]
    )


def test_a_log_of_requests_is_replayed(program: Client, run_id: str) -> None:
    lines = ["arrival_offset_s,prompt_tokens,output_tokens"]
    lines += [f"{second * 0.5},{100 + second},{20 + second % 7}" for second in range(400)]
    done = simulated(program, run_id, trace="\n".join(lines))

    assert done["result"]["trace"]["requests"] == 400


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"load": 1000.0}, "load is 1000; it must be from 0.05 to 20"),
    ({"router": "random"}, "there is no router 'random'"),
    ({"plan": "nonsense"}, "The run has no plan 'nonsense'."),
    ({"trace": "a,b\n1,2"}, "Line 1: no column arrival_offset_s"),
    ({"trace": "arrival_offset_s,prompt_tokens,output_tokens\n0,x,1"}, "Line 2: 'x' is not"),
]


def test_what_cannot_be_simulated_is_refused_with_a_reason(program: Client, run_id: str) -> None:
    told = [post(program, f"/runs/{run_id}/simulations", body) for body, _ in REFUSED]

    assert [
        (each.status_code, says in json.dumps(each.json()))
        for each, (_, says) in zip(told, REFUSED, strict=True)
    ] == [(422, True)] * len(REFUSED)


def test_a_run_of_nobody_is_not_found(program: Client) -> None:
    assert post(program, f"/runs/{uuid4()}/simulations", {}).status_code == 404


def test_a_training_run_has_nothing_to_simulate(program: Client) -> None:
    training = made(program, sample_advice.training(), "pretrain_7b")
    refused = post(program, f"/runs/{training.pk}/simulations", {})

    assert (refused.status_code, "language model" in refused.json()["detail"]) == (422, True)


def test_another_organisation_sees_no_simulation(program: Client, run_id: str) -> None:
    mine = post(program, f"/runs/{run_id}/simulations", {"quick": True}).json()["id"]

    other = client_with(Scope.ADMIN, name="eve")
    assert other.get(f"{ROOT}/simulations/{mine}").status_code == 404


def test_a_waiting_simulation_is_cancelled(program: Client, run_id: str) -> None:
    mine = post(program, f"/runs/{run_id}/simulations", {}).json()["id"]

    assert program.delete(f"{ROOT}/simulations/{mine}").json()["state"] == "cancelled"


def test_a_large_upload_is_refused_not_broken(program: Client, run_id: str) -> None:
    row = "0.5,100,20\n"
    text = "arrival_offset_s,prompt_tokens,output_tokens\n" + row * (6_000_000 // len(row))

    assert 400 <= post(program, f"/runs/{run_id}/simulations", {"trace": text}).status_code < 500


def test_the_shipped_formats_are_named_in_the_documentation() -> None:
    page = Path("templates/docs/latency.md").read_text(encoding="utf-8")

    assert ("ContextTokens" in page, "input_length" in page, "arrival_offset_s" in page) == (
        True,
        True,
        True,
    )
