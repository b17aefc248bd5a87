"""The money of a run for programs: the tables of the page, refusals as problem details."""

from functools import partial
from typing import Any

import pytest
from django.test import Client

from advisor.models import Job, Scope
from tests.answered import answered_run
from tests.api.test_api import ROOT, client_with, post
from tests.api.test_simulations import made

pytestmark = pytest.mark.django_db


@pytest.fixture
def program(catalogue: None) -> Client:
    return client_with(Scope.ADMIN)


@pytest.fixture
def run(program: Client) -> Job:
    return answered_run(partial(made, program), "chatbot_1m")


def money(program: Client, run: Job, query: str = "", status: int = 200) -> Any:
    answer = program.get(f"{ROOT}/runs/{run.pk}/money{query}")
    assert answer.status_code == status
    return answer.json()


def test_the_total_is_that_of_the_answer(program: Client, run: Job) -> None:
    assert run.result is not None
    told = run.result["recommendation"]
    found = money(program, run)
    assert (found["plan"], found["total_usd"]) == (told["id"], told["total_cost_usd"]["value"])


def test_the_months_add_up_to_the_total(program: Client, run: Job) -> None:
    found = money(program, run, "?plan=p2&scenario=falling&horizon_months=60")
    months = found["tables"]["cash-flow"]["rows"]
    assert (len(months), round(sum(row["Total, USD"] for row in months), 2)) == (
        60,
        found["total_usd"],
    )


def test_at_rate_zero_the_present_value_is_the_total(program: Client, run: Job) -> None:
    found = money(program, run, "?discount_rate_pct=0")
    assert found["present_usd"] == found["total_usd"]


def test_what_is_unknown_is_null(program: Client, run: Job) -> None:
    rows = money(program, run)["tables"]["chances"]["rows"]
    first = rows[0]
    assert first[f"Cheaper than {first['Way']}, chance"] is None


def test_terms_that_do_not_do_are_named_with_their_place(program: Client, run: Job) -> None:
    refused = money(program, run, "?horizon_months=500&growth_month_pct=much", status=422)
    assert [each["pointer"] for each in refused["errors"]] == [
        "/horizon_months",
        "/growth_month_pct",
    ]


def test_a_term_that_does_not_exist_is_refused(program: Client, run: Job) -> None:
    money(program, run, "?horizon=12", status=422)


def test_an_unfinished_run_has_no_money_yet(program: Client) -> None:
    assessment = post(program, "/assessments", {"preset": "chatbot_1m"}).json()
    run = Job.objects.get(pk=program.post(assessment["runs"]).json()["id"])
    assert "queued" in money(program, run, status=409)["detail"]


def test_a_key_that_may_not_run_may_not_read_it(run: Job) -> None:
    money(client_with(Scope.READ_CATALOGUE), run, status=403)
