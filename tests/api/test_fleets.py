"""Fleets over the API: searched by job, refused with a reason."""

from functools import partial
from typing import Any

import pytest
from django.test import Client

from advisor.models import Scope
from advisor.services import work
from tests.answered import answered_run
from tests.api.test_api import client_with, post
from tests.api.test_simulations import made

pytestmark = pytest.mark.django_db


@pytest.fixture
def program(catalogue: None) -> Client:
    return client_with(Scope.ADMIN)


@pytest.fixture
def run_id(program: Client) -> str:
    return str(answered_run(partial(made, program)).pk)


def solved(program: Client, run_id: str, **body: Any) -> Any:
    accepted = post(program, f"/runs/{run_id}/fleets", body)
    assert accepted.status_code == 202
    work.run_job(accepted.json()["id"])
    return program.get(accepted.headers["Location"]).json()


def test_a_fleet_comes_with_its_bound_and_gap(program: Client, run_id: str) -> None:
    result = solved(program, run_id)["result"]

    assert result["bound_usd"] <= result["total_usd"]


def test_the_same_fleet_is_searched_once(program: Client, run_id: str) -> None:
    first = solved(program, run_id)
    again = post(program, f"/runs/{run_id}/fleets", {})

    assert again.json()["id"] == first["id"]


def test_too_little_time_is_refused_with_what_would_be_right(program: Client, run_id: str) -> None:
    refused = post(program, f"/runs/{run_id}/fleets", {"seconds": 0.1})

    assert (refused.status_code, refused.json()["errors"][0]["pointer"][-7:]) == (422, "seconds")


def test_a_fleet_can_be_cancelled(program: Client, run_id: str) -> None:
    job = post(program, f"/runs/{run_id}/fleets", {}).json()

    assert program.delete(f"/api/v1/fleets/{job['id']}").json()["state"] == "cancelled"


def test_a_run_says_where_a_mixed_fleet_is_searched_and_then_whether_it_pays(
    program: Client, run_id: str
) -> None:
    before = program.get(f"/api/v1/runs/{run_id}")
    told = before.json()["mixed_fleet"]
    solved(program, run_id)
    after = program.get(f"/api/v1/runs/{run_id}", headers={"If-None-Match": before["ETag"]})
    found = after.json()["mixed_fleet"]

    assert told["state"] == "not started"
    assert told["start"] == f"/api/v1/runs/{run_id}/fleets"
    assert (found["state"], found["pays"], found["plan"]["id"]) == ("succeeded", False, "mixed")
    assert found["plan"]["mip_gap"] <= 0.01
