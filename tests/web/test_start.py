"""The first pages: presets, the fields to confirm, earlier work."""

import re

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from advisor.models import Assessment, Job, State
from advisor.questions import PRESETS
from tests.web.conftest import MakeRun

FIELDS = re.compile(r'<(?:div|fieldset) class="field')


def test_every_preset_is_offered(pages: Client) -> None:
    page = pages.get("/").content.decode()

    assert [p for p in PRESETS if f'href="/start/{p}"' not in page] == []


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_asks_to_confirm_at_most_eight_fields(pages: Client, preset: str) -> None:
    page = pages.get(f"/start/{preset}").content.decode()

    assert 1 <= len(FIELDS.findall(page)) <= 8


def test_an_unknown_preset_is_not_found(pages: Client) -> None:
    assert pages.get("/start/nothing").status_code == 404


def test_confirming_a_preset_leads_to_its_run(pages: Client) -> None:
    answer = pages.post("/start/chatbot_1m", {"action": "run", "assessment_name": "Ours"})

    run = Job.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/runs/{run.pk}")


def test_a_changed_field_is_kept_and_the_rest_stays_the_presets(pages: Client) -> None:
    pages.post("/start/chatbot_1m", {"action": "run", "w0-users_total_k": "250"})

    [kept] = Assessment.objects.all()
    assert (kept.preset, kept.answers["workloads"]) == ("chatbot_1m", [{"users_total_k": "250"}])


def test_text_in_a_number_is_refused_and_stays_as_typed(pages: Client) -> None:
    answer = pages.post("/start/chatbot_1m", {"action": "run", "w0-users_total_k": "plenty"})

    page = answer.content.decode()
    assert (answer.status_code, 'value="plenty"' in page, 'aria-invalid="true"' in page) == (
        422,
        True,
        True,
    )


def test_a_refusal_links_to_its_field(pages: Client) -> None:
    page = pages.post("/start/chatbot_1m", {"w0-users_total_k": "-5"}).content.decode()

    assert '<a href="#w0-users_total_k">' in page


def test_an_unknown_model_is_refused_by_name(pages: Client) -> None:
    answer = pages.post("/start/chatbot_1m", {"w0-model_ref": "no-such-model"})

    assert "holds no model" in answer.content.decode()


def test_a_refused_preset_keeps_nothing(pages: Client) -> None:
    pages.post("/start/chatbot_1m", {"w0-users_total_k": "plenty"})

    assert not Assessment.objects.exists()


def test_more_questions_lead_to_the_questionnaire(pages: Client) -> None:
    answer = pages.post("/start/chatbot_1m", {"action": "questions"})

    assert answer.headers["Location"] == f"/assessments/{Assessment.objects.get().pk}"


def test_a_blank_start_leads_to_the_questionnaire(pages: Client) -> None:
    answer = pages.post("/start/blank")

    assert answer.headers["Location"] == f"/assessments/{Assessment.objects.get().pk}"


def test_a_form_without_its_token_is_refused(catalogue: None) -> None:
    strict = Client(enforce_csrf_checks=True)

    refused = strict.post("/start/chatbot_1m", {"action": "run"})

    assert (refused.status_code, Job.objects.count()) == (403, 0)


def test_htmx_may_send_the_token_of_the_page_as_a_header(catalogue: None) -> None:
    strict = Client(enforce_csrf_checks=True)
    page = strict.get("/start/chatbot_1m").content.decode()
    token = re.search(r'hx-headers=\'{"X-CSRFToken": "([^"]+)"}\'', page)

    assert token
    accepted = strict.post(
        "/start/chatbot_1m", {"action": "run"}, headers={"X-CSRFToken": token[1]}
    )
    assert accepted.status_code == 302


def test_earlier_work_can_be_picked_up(pages: Client, serving_run: Job) -> None:
    assert f'href="/runs/{serving_run.pk}"' in pages.get("/").content.decode()


def test_the_list_shows_the_state_of_the_last_run(pages: Client, make_run: MakeRun) -> None:
    run = make_run()
    Job.objects.filter(pk=run.pk).update(state=State.CANCELLED, finished_at=run.created_at)

    assert "cancelled" in pages.get("/assessments").content.decode()


def test_an_empty_list_says_where_to_start(pages: Client) -> None:
    assert "Nothing here yet" in pages.get("/assessments").content.decode()


def test_the_list_costs_the_same_queries_for_one_and_for_many(
    pages: Client, make_run: MakeRun, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(12):
        make_run()

    with django_assert_max_num_queries(8):
        pages.get("/assessments")
