"""The fleet page of a run: searched by itself, told with its proof, stopped where asked."""

from html import unescape

import pytest
from django.test import Client

from advisor.models import Job, Kind
from advisor.services import accounts, assessments, jobs, work
from tests.answered import answered_run
from tests.web import sample_advice
from tests.web.conftest import MakeRun
from tests.web.test_run import text_of


@pytest.fixture
def run(make_run: MakeRun) -> Job:
    return answered_run(make_run)


def solved(pages: Client, run: Job) -> str:
    pages.get(f"/runs/{run.pk}/fleet")
    for job in Job.objects.filter(kind=Kind.FLEET, state="queued"):
        work.run_job(job.pk)
    return text_of(pages.get(f"/runs/{run.pk}/fleet").content.decode())


def test_the_page_starts_the_search_and_shows_its_progress(pages: Client, run: Job) -> None:
    page = pages.get(f"/runs/{run.pk}/fleet").content.decode()

    assert ("Waiting for a free worker" in page, 'http-equiv="refresh"' in page) == (True, True)


def test_the_answer_of_several_workloads_shows_the_fleet_that_was_asked_for(
    pages: Client, catalogue: None
) -> None:
    user = accounts.local_user()
    raw = {"preset": "mixed_company", "answers": {"solve_for": "weighted"}}
    run = assessments.start_run(assessments.create(raw, user), user)
    work.run_job(run.pk)
    before = text_of(pages.get(f"/runs/{run.pk}").content.decode())
    (job,) = Job.objects.filter(kind=Kind.FLEET)
    Job.objects.filter(pk=job.pk).update(inputs=job.inputs | {"seconds": 5.0})
    work.run_job(job.pk)
    after = text_of(pages.get(f"/runs/{run.pk}/asked-fleet").content.decode())
    result = Job.objects.get(pk=job.pk).result or {}

    assert "The fleet above is the one of least cost. The one for your weights is being" in before
    assert result["sentences"][0] in unescape(after)
    assert ("What was optimised" in after, "being searched" in after) == (True, False)


def test_the_answer_of_least_cost_searches_no_other_fleet(pages: Client, run: Job) -> None:
    page = pages.get(f"/runs/{run.pk}").content.decode()

    assert 'id="asked-fleet"' not in page


def test_looking_twice_searches_once(pages: Client, run: Job) -> None:
    for _ in range(2):
        pages.get(f"/runs/{run.pk}/fleet")

    assert Job.objects.filter(kind=Kind.FLEET).count() == 1


def test_the_page_says_plainly_whether_mixing_pays(pages: Client, run: Job) -> None:
    text = solved(pages, run)

    assert "No hybrid" in text or "Mixing pays" in text or "A mix saves only" in text


def test_the_page_shows_what_was_optimised_beside_the_least_cost(
    pages: Client, catalogue: None
) -> None:
    user = accounts.local_user()
    raw = {"preset": "startup_bursty_api", "answers": {"solve_for": "weighted"}}
    run = assessments.start_run(assessments.create(raw, user), user)
    work.run_job(run.pk)
    text = solved(pages, run)
    result = Job.objects.get(kind=Kind.FLEET).result or {}

    assert [
        words in text
        for words in ("Searched for your weights", "What was optimised", "Fleet of least cost")
    ] == [True] * 3
    assert result["objective"]["value"] <= result["objective"]["value_of_least_cost"]


def test_the_page_shows_costs_machines_and_hours(pages: Client, make_run: MakeRun) -> None:
    text = solved(pages, answered_run(make_run, "nightly_batch_scoring"))

    assert [
        words in text
        for words in ("What to get", "Which traffic goes where", "hour by hour", "Greedy plan")
    ] == [True] * 4


def test_a_search_can_be_stopped(pages: Client, run: Job) -> None:
    pages.get(f"/runs/{run.pk}/fleet")
    job = Job.objects.get(kind=Kind.FLEET)
    sent = pages.post(f"/runs/{run.pk}/fleet/{job.pk}/cancel", follow=True)

    assert "This search was stopped" in text_of(sent.content.decode())


def test_a_stopped_search_reloads_the_page(pages: Client, run: Job) -> None:
    pages.get(f"/runs/{run.pk}/fleet")
    job = jobs.cancel(Job.objects.get(kind=Kind.FLEET))

    part = pages.get(f"/runs/{run.pk}/fleet/{job.pk}/part")
    assert part.headers["HX-Refresh"] == "true"


def test_a_run_without_a_recommendation_has_no_fleet(pages: Client, make_run: MakeRun) -> None:
    run = make_run(sample_advice.serving() | {"recommendation": None})
    text = text_of(pages.get(f"/runs/{run.pk}/fleet").content.decode())

    assert "no fleet to choose" in text
