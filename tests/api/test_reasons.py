"""Explanations, re-runs, replays and decisions by the API."""

from typing import Any

import pytest
from django.test import Client

from advisor.models import Scope
from advisor.services import work
from tests.api.test_api import ROOT, client_with, post

pytestmark = pytest.mark.django_db
PRESET = "startup_bursty_api"


@pytest.fixture
def program(catalogue: None) -> Client:
    return client_with(Scope.ADMIN)


@pytest.fixture
def run(program: Client) -> dict[str, Any]:
    answers = {"accel_families_allowed": ["tpu"]}
    kept = post(program, "/assessments", {"preset": PRESET, "answers": answers}).json()
    accepted = program.post(kept["runs"])
    work.run_job(accepted.json()["id"])
    found: dict[str, Any] = program.get(accepted.headers["Location"]).json()
    return found


def test_a_run_is_explained_in_the_background(program: Client, run: dict[str, Any]) -> None:
    accepted = program.post(f"{ROOT}/runs/{run['id']}/reasons")
    again = program.post(f"{ROOT}/runs/{run['id']}/reasons")
    found = program.get(accepted.headers["Location"]).json()

    assert (accepted.status_code, found["state"]) == (202, "queued")
    assert again.json()["id"] == accepted.json()["id"]


def test_a_rerun_shows_before_and_after(program: Client, run: dict[str, Any]) -> None:
    provider = run["result"]["recommendation"]["provider"]
    found = post(program, f"/runs/{run['id']}/rerun", {"without_providers": [provider]}).json()

    assert found["before"]["picks"][0]["provider"] == provider
    assert found["after"]["picks"][0]["provider"] != provider


def test_a_change_that_is_none_is_refused(program: Client, run: dict[str, Any]) -> None:
    for change in (
        {"answers": {"horizon_months": -3}},
        {"speeds": {"nothing": 1.0}},
        {"prices": [{"accelerator": "", "provider": "x", "purchase": "y", "factor": -1}]},
        {"no_such_field": 1},
    ):
        refused = post(program, f"/runs/{run['id']}/rerun", change)
        assert refused.status_code == 422
        assert refused.headers["Content-Type"] == "application/problem+json"


def test_a_decision_is_recorded_signed_and_never_changed(
    program: Client, run: dict[str, Any]
) -> None:
    best = run["result"]["recommendation"]["id"]
    made = post(program, f"/runs/{run['id']}/decisions", {"plan": best, "decided_by": "A"})
    address = made.headers["Location"]
    signed = post(
        program, f"{address.removeprefix(ROOT)}/amendments", {"kind": "buyer", "name": "B"}
    ).json()

    assert (made.status_code, signed["signed"]["buyer"]["name"]) == (201, "B")
    assert program.put(address).status_code == 405
    assert program.delete(address).status_code == 405
    assert program.get(address).json()["digest"] == made.json()["digest"]


def test_a_replay_is_identical(program: Client, run: dict[str, Any]) -> None:
    found = program.get(f"{ROOT}/runs/{run['id']}/replay").json()

    assert (found["identical"], found["differences"]) == (True, [])


def test_an_unknown_catalogue_is_refused(program: Client, run: dict[str, Any]) -> None:
    assert program.get(f"{ROOT}/runs/{run['id']}/replay?catalogue=mars").status_code == 422
