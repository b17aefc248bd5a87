"""The pages that explain an answer and keep the decision on it."""

from typing import Any

import pytest
from django.test import Client

from advisor.models import DecisionRecord, Job
from advisor.services import accounts, assessments, work
from advisor.services.reasons.asked import reasons_of, start_reasons
from tests.web.conftest import MakeRun

PRESET = "startup_bursty_api"
SMALL = {"accel_families_allowed": ["tpu"]}


@pytest.fixture
def run(catalogue: None) -> Job:
    """A real answer, quickly worked."""
    user = accounts.local_user()
    kept = assessments.create({"preset": PRESET, "answers": SMALL}, user)
    found = assessments.start_run(kept, user)
    work.run_job(found.pk)
    found.refresh_from_db()
    return found


def page(pages: Client, path: str, status: int = 200) -> str:
    answer = pages.get(path)
    assert answer.status_code == status
    return answer.content.decode()


def test_the_first_visit_has_the_run_explained(pages: Client, run: Job) -> None:
    first = page(pages, f"/runs/{run.pk}/why")
    job = reasons_of(run)

    assert job is not None
    assert f'hx-get="/runs/{run.pk}/why/part"' in first


def test_what_needs_no_rerun_is_shown_at_once(pages: Client, run: Job) -> None:
    assert "Cheapest that meets the targets" in page(pages, f"/runs/{run.pk}/why")


def test_the_finished_page_has_every_part(pages: Client, run: Job) -> None:
    work.run_job(start_reasons(run, owner=accounts.local_user()).pk)
    found = page(pages, f"/runs/{run.pk}/why")

    for anchor in ("flips", "why-not", "limits", "sign", "regret"):
        assert f'id="{anchor}"' in found
    assert pages.get(f"/runs/{run.pk}/why/part").headers["HX-Refresh"] == "true"


def test_an_answer_whose_catalogue_was_not_kept_says_so(pages: Client, serving_run: Job) -> None:
    assert "was not kept" in page(pages, f"/runs/{serving_run.pk}/why")


def test_an_unanswered_run_has_no_reasons(pages: Client, make_run: MakeRun) -> None:
    assert pages.get(f"/runs/{make_run().pk}/why").status_code == 404


def decided(pages: Client, run: Job, **changes: str) -> Any:
    best = run.result["recommendation"]["id"]  # type: ignore[index]
    return pages.post(
        f"/runs/{run.pk}/decision", {"plan": best, "decided_by": "A. Architect"} | changes
    )


def test_a_decision_is_recorded_and_shown(pages: Client, run: Job) -> None:
    kept = page(pages, decided(pages, run).headers["Location"])

    assert "A. Architect" in kept
    assert run.snapshot_digest in kept


def test_another_plan_without_a_reason_is_refused_with_what_was_typed(
    pages: Client, run: Job
) -> None:
    refused = decided(pages, run, plan="none", conditions="Power by June")

    assert refused.status_code == 422
    assert "Say why" in refused.content.decode()
    assert "Power by June" in refused.content.decode()


def test_architect_and_buyer_sign(pages: Client, run: Job) -> None:
    address = decided(pages, run).headers["Location"]
    pages.post(address, {"kind": "architect", "name": "A. Architect", "said_on": "2026-11-20"})
    pages.post(address, {"kind": "buyer", "name": "B. Buyer", "said_on": "2026-11-21"})

    assert "Signed by architect and buyer" in page(pages, address)


def test_an_addition_that_lacks_something_says_what(pages: Client, run: Job) -> None:
    address = decided(pages, run).headers["Location"]
    lacking = (
        ({"kind": "buyer", "name": "", "said_on": ""}, "Say who"),
        ({"kind": "buyer", "name": "B", "said_on": "20/11"}, "Type a date"),
        ({"kind": "buyer", "name": "B", "said_on": "2199-01-01"}, "Type today"),
        ({"kind": "note", "name": "B", "said_on": ""}, "Say what"),
        ({"kind": "king", "name": "B", "said_on": ""}, "Choose one of"),
    )

    for typed, said in lacking:
        refused = pages.post(address, typed)
        assert (refused.status_code, said in refused.content.decode()) == (422, True)


def test_a_decision_is_a_text_too(pages: Client, run: Job) -> None:
    address = decided(pages, run, conditions="# not a heading").headers["Location"]
    text = page(pages, f"{address}.md")

    assert text.startswith("# Decision: ")
    assert "\n# not" not in text


def test_hostile_names_stay_text(pages: Client, run: Job) -> None:
    shown = page(pages, decided(pages, run, decided_by="<script>x</script>").headers["Location"])

    assert "<script>x" not in shown


def test_the_replay_says_identical(pages: Client, run: Job) -> None:
    assert "Identical." in page(pages, f"/runs/{run.pk}/decision?replay=kept")


def test_todays_catalogue_says_whether_the_choice_stands(pages: Client, run: Job) -> None:
    assert "The choice stands." in page(pages, f"/runs/{run.pk}/decision?replay=today")


def test_nobody_elses_decision_is_found(pages: Client, run: Job) -> None:
    from advisor.models import Organisation

    address = decided(pages, run).headers["Location"]
    other = Organisation.objects.create(slug="other", name="Other")
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("UPDATE advisor_decisionrecord SET organisation_id = %s", [other.pk])

    assert DecisionRecord.objects.exists()
    assert pages.get(address).status_code == 404
