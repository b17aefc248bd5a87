"""What-ifs by the API: their figures, their answers, their refusals."""

import json
from functools import partial
from typing import Any

import pytest
from django.test import Client

from advisor.models import Scope
from advisor.services import accounts, assessments
from tests.answered import answered_run
from tests.api.test_simulations import made


@pytest.fixture
def program(catalogue: None) -> Client:
    _, text = accounts.create_key(accounts.local_user(), name="test", scopes=[Scope.ADMIN])
    return Client(headers={"Authorization": f"Bearer {text}"})


@pytest.fixture
def address(program: Client) -> str:
    run = answered_run(partial(made, program), "code_assistant_2k", user_regions=["DE", "FR"])
    return f"/api/v1/runs/{run.pk}/latency"


def ask(program: Client, path: str, body: dict[str, Any]) -> Any:
    return program.post(path, json.dumps(body), content_type="application/json")


def test_a_what_if_lists_its_figures_and_takes_them_back(program: Client, address: str) -> None:
    fields = program.get(f"{address}/availability").json()
    values = {field["id"]: field["value"] for field in fields}
    answer = ask(program, f"{address}/availability", {"values": values})

    assert answer.status_code == 200
    assert answer.json()["values"] == values
    assert answer.json()["tables"]


def test_the_answer_is_the_pages_own(program: Client, address: str) -> None:
    answer = ask(program, f"{address}/availability", {}).json()
    page = Client().get(address.removeprefix("/api/v1") + "/availability").content.decode()

    assert answer["findings"][0] in page


def test_figures_that_cannot_be_are_problems_by_name(program: Client, address: str) -> None:
    refused = ask(program, f"{address}/stages", {"values": {"share_pct_1": 400, "colour": "red"}})

    assert refused.status_code == 422
    assert {each["pointer"] for each in refused.json()["errors"]} == {"/share_pct_1", "/colour"}


def test_an_unknown_what_if_is_not_found(program: Client, address: str) -> None:
    assert ask(program, f"{address}/weather", {}).status_code == 404


def test_an_unknown_plan_is_refused(program: Client, address: str) -> None:
    refused = ask(program, f"{address}/pools", {"plan": "p999"})

    assert refused.status_code == 422
    assert "p999" in refused.json()["detail"]


def test_a_run_without_an_answer_yet_is_in_conflict(program: Client) -> None:
    user = accounts.local_user()
    kept = assessments.create({"preset": "code_assistant_2k", "answers": {}}, user)
    job = assessments.start_run(kept, user)

    assert ask(program, f"/api/v1/runs/{job.pk}/latency/stages", {}).status_code == 409


def test_an_unknown_parameter_is_refused(program: Client, address: str) -> None:
    assert program.get(f"{address}/availability?colour=red").status_code == 422
