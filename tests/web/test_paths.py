"""Pages of what-ifs along a request's path, on real runs."""

from collections.abc import Callable

import pytest
from django.test import Client

from advisor.models import Job
from advisor.services import accounts, assessments, work
from advisor.services.paths import TOPICS

Answered = Callable[..., Job]


@pytest.fixture
def answered(catalogue: None) -> Answered:
    def run(preset: str = "code_assistant_2k") -> Job:
        user = accounts.local_user()
        kept = assessments.create({"preset": preset, "answers": {}}, user)
        job = assessments.start_run(kept, user)
        work.run_job(job.pk)
        job.refresh_from_db()
        return job

    return run


def test_a_page_shows_the_answer_its_tables_and_what_they_stand_on(
    pages: Client, answered: Answered
) -> None:
    html = pages.get(f"/runs/{answered().pk}/latency/availability").content.decode()

    assert "As planned" in html
    assert "Spares and zones" in html
    assert "arXiv:2407.21783" in html


def test_pages_of_latency_lead_to_every_what_if(pages: Client, answered: Answered) -> None:
    run = answered()
    html = pages.get(f"/runs/{run.pk}/latency/distance").content.decode()

    assert all(f"/runs/{run.pk}/latency/{topic}" in html for topic in TOPICS)


def test_figures_out_of_range_are_refused_with_what_would_be_right(
    pages: Client, answered: Answered
) -> None:
    response = pages.get(
        f"/runs/{answered().pk}/latency/availability", {"target_pct": "200", "zones": "1.5"}
    )
    html = response.content.decode()

    assert response.status_code == 422
    assert "type a number from 50 to 99.9999" in html
    assert "type a whole number from 1 to 6" in html


def test_an_unknown_what_if_or_plan_is_no_error_of_ours(pages: Client, answered: Answered) -> None:
    run = answered()

    assert pages.get(f"/runs/{run.pk}/latency/weather").status_code == 404
    assert pages.get(f"/runs/{run.pk}/latency/stages", {"plan": "p999"}).status_code == 422


def test_training_has_no_requests_to_ask_about(pages: Client, answered: Answered) -> None:
    run = answered("article_finetune_4xh100_72h")
    html = pages.get(f"/runs/{run.pk}/latency/availability").content.decode()

    assert "No plan of this answer serves live requests" in html
