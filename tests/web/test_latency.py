"""The latency page of a run: simulated by itself, changed by the strip, without scripts too."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from advisor.models import Job, Kind
from advisor.services import jobs, work
from tests.answered import answered_run
from tests.web import sample_advice
from tests.web.conftest import MakeRun
from tests.web.test_run import text_of

FORM = {
    "load": "100",
    "burstiness_cv": "3",
    "batch_limit": "128",
    "replicas": "1",
    "router": "least_loaded",
    "neighbour_load": "0",
    "neighbour_cv": "1",
}


@pytest.fixture
def run(make_run: MakeRun) -> Job:
    return answered_run(make_run)


def work_off() -> None:
    for job in Job.objects.filter(kind=Kind.SIMULATION, state="queued"):
        work.run_job(job.pk)


def simulated(pages: Client, run: Job) -> str:
    pages.get(f"/runs/{run.pk}/latency")
    work_off()
    return pages.get(f"/runs/{run.pk}/latency").content.decode()


def test_the_page_starts_the_simulation_and_shows_its_progress(pages: Client, run: Job) -> None:
    page = pages.get(f"/runs/{run.pk}/latency").content.decode()

    assert ("Waiting for a free worker" in page, 'http-equiv="refresh"' in page) == (True, True)


def test_looking_twice_simulates_once(pages: Client, run: Job) -> None:
    for _ in range(2):
        pages.get(f"/runs/{run.pk}/latency")

    assert Job.objects.filter(kind=Kind.SIMULATION).count() == 1


def test_the_page_answers_with_table_charts_and_batch_limits(pages: Client, run: Job) -> None:
    text = text_of(simulated(pages, run))

    assert [
        words in text
        for words in ("120 % of the peak", "First token over load", " at once", "the knee")
    ] == [True] * 4


def test_an_ended_simulation_reloads_the_page(pages: Client, run: Job) -> None:
    pages.get(f"/runs/{run.pk}/latency")
    job = jobs.cancel(Job.objects.get(kind=Kind.SIMULATION))

    part = pages.get(f"/runs/{run.pk}/latency/{job.pk}/part")
    assert part.headers["HX-Refresh"] == "true"


def test_a_what_if_is_shown_beside_the_plan(pages: Client, run: Job) -> None:
    simulated(pages, run)
    planned = (Job.objects.get(kind=Kind.SIMULATION).result or {})["setup"]["plan_replicas"]
    sent = pages.post(f"/runs/{run.pk}/latency", FORM | {"replicas": str(planned + 1)})
    work_off()
    page = text_of(pages.get(sent.headers["Location"]).content.decode())

    assert re.search(rf"As planned Changed .*Replicas {planned} {planned + 1} ", page)


def test_with_htmx_a_what_if_comes_as_a_fragment_that_asks_again(pages: Client, run: Job) -> None:
    part = pages.post(
        f"/runs/{run.pk}/latency", FORM | {"load": "50"}, headers={"HX-Request": "true"}
    )

    assert (
        'hx-trigger="every 500ms"' in part.content.decode(),
        "<html" in part.content.decode(),
    ) == (
        True,
        False,
    )


def test_a_log_can_be_replayed(pages: Client, run: Job) -> None:
    rows = "\n".join(f"{second * 0.1},{200},{30}" for second in range(300))
    log = SimpleUploadedFile(
        "log.csv", f"arrival_offset_s,prompt_tokens,output_tokens\n{rows}".encode()
    )
    sent = pages.post(f"/runs/{run.pk}/latency", FORM | {"log": log})
    work_off()

    page = text_of(pages.get(sent.headers["Location"]).content.decode())
    assert "replaying 300 requests of log.csv" in page


def test_a_bad_log_is_refused_by_its_line(pages: Client, run: Job) -> None:
    log = SimpleUploadedFile("log.csv", b"arrival_offset_s,prompt_tokens,output_tokens\n0,many,3\n")
    refused = pages.post(f"/runs/{run.pk}/latency", FORM | {"log": log})

    assert (refused.status_code, "Line 2" in refused.content.decode()) == (422, True)


@pytest.mark.parametrize(
    ("field", "value"), [("load", "-3"), ("replicas", "many"), ("router", "x")]
)
def test_figures_that_make_no_sense_are_refused(
    pages: Client, run: Job, field: str, value: str
) -> None:
    refused = pages.post(f"/runs/{run.pk}/latency", FORM | {field: value})

    assert (refused.status_code, "This cannot be simulated" in refused.content.decode()) == (
        422,
        True,
    )


def test_a_training_run_says_that_there_is_nothing_to_simulate(
    pages: Client, make_run: MakeRun
) -> None:
    run = make_run(sample_advice.training())

    page = pages.get(f"/runs/{run.pk}/latency").content.decode()
    assert "Training, batches and models without tokens" in page


def test_another_runs_simulation_is_not_found(pages: Client, run: Job, make_run: MakeRun) -> None:
    pages.get(f"/runs/{run.pk}/latency")
    job = Job.objects.get(kind=Kind.SIMULATION)
    other = answered_run(make_run)

    assert pages.get(f"/runs/{other.pk}/latency/{job.pk}/changed").status_code == 404


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("load=2", "“load” is no parameter"),
        ("plan=p999", "“p999” is no plan"),
        ("changed=nothing", "“nothing” is no simulation"),
    ],
)
def test_what_the_page_cannot_read_in_its_address_is_said(
    pages: Client, run: Job, query: str, says: str
) -> None:
    answer = pages.get(f"/runs/{run.pk}/latency?{query}")

    assert (answer.status_code, says in answer.content.decode()) == (422, True)
