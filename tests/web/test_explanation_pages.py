"""The page and the API of a figure's formula tree, on a run that was really answered."""

import pytest
from django.test import Client

from advisor.models import Job, Scope, State
from advisor.services import accounts
from advisor.services.work import run_job
from tests.web.conftest import MakeRun


@pytest.fixture
def answered(make_run: MakeRun) -> Job:
    run = make_run(preset="vision_500_cameras")
    run_job(run.pk)
    run.refresh_from_db()
    assert run.state == State.SUCCEEDED
    return run


def test_a_figure_links_to_its_tree_and_the_tree_unfolds(pages: Client, answered: Job) -> None:
    best = (answered.result or {})["recommendation"]["id"]
    address = f"/runs/{answered.pk}/explain/{best}/e2e_p99_s"
    answer = pages.get(f"/runs/{answered.pk}").content.decode()
    tree = pages.get(address).content.decode()

    assert (address in answer, "binds" in tree, tree.count("<details") > 20) == (True,) * 3


def test_a_price_says_why_it_has_no_tree(pages: Client, answered: Job) -> None:
    answer = pages.get(f"/runs/{answered.pk}/explain/p999/e2e_p99_s")

    assert (answer.status_code, "has no plan" in answer.content.decode()) == (404, True)


def test_a_figure_that_nobody_computes_is_not_found(pages: Client, answered: Job) -> None:
    assert pages.get(f"/runs/{answered.pk}/explain/p1/total_cost_usd").status_code == 404


def test_the_api_gives_the_same_trees(client: Client, answered: Job) -> None:
    _, text = accounts.create_key(accounts.local_user(), name="test", scopes=(Scope.RUN,))
    plans = f"/api/v1/runs/{answered.pk}/plans/p1/explain?figure=samples_per_s"
    headers = {"Authorization": f"Bearer {text}"}
    one = client.get(plans, headers=headers).json()["figures"]["samples_per_s"]
    run = client.get(f"/api/v1/runs/{answered.pk}?explain=1&plan=p1", headers=headers).json()

    assert run["explanation"]["figures"]["samples_per_s"] == one


def test_the_api_says_why_there_is_no_tree(client: Client, answered: Job) -> None:
    _, text = accounts.create_key(accounts.local_user(), name="test", scopes=(Scope.RUN,))
    headers = {"Authorization": f"Bearer {text}"}
    answer = client.get(f"/api/v1/runs/{answered.pk}/plans/p999/explain", headers=headers)

    assert (answer.status_code, answer.json()["type"]) == (404, "/docs/problems#not-explained")
