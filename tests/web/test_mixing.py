"""One workload and the mixed question: weighed by itself, said on the answer, chosen and signed."""

import pytest
from django.test import Client

from advisor.engine.answers import InvalidAnswers
from advisor.models import Job, Kind
from advisor.services import accounts, assessments, decisions, jobs, mixing, work
from tests.answered import answered_run
from tests.web.conftest import MakeRun
from tests.web.test_run import text_of

HYBRID = {
    "preset": "chatbot_1m",
    "answers": {
        "users_total_k": 5000.0,
        "deployment_allowed": ["public_cloud", "neocloud", "managed_api"],
    },
}


def weighed(pages: Client, run: Job) -> str:
    """The answer's page before and after its search was done by a worker."""
    pages.get(f"/runs/{run.pk}")
    for job in Job.objects.filter(kind=Kind.FLEET, state="queued"):
        work.run_job(job.pk)
    return text_of(pages.get(f"/runs/{run.pk}").content.decode())


@pytest.fixture
def plain(make_run: MakeRun) -> Job:
    return answered_run(make_run)


@pytest.fixture
def hybrid(catalogue: None) -> Job:
    """A large consumer chat that may use a hosted model, answered by a worker."""
    user = accounts.local_user()
    run = assessments.start_run(assessments.create(HYBRID, user), user)
    work.run_job(run.pk)
    run.refresh_from_db()
    return run


def test_the_answer_says_what_is_being_weighed_and_why(pages: Client, plain: Job) -> None:
    text = text_of(pages.get(f"/runs/{plain.pk}").content.decode())

    assert "Being weighed in the background" in text
    assert "requests differ in size" in text


def test_looking_twice_weighs_once(pages: Client, plain: Job) -> None:
    for _ in range(2):
        pages.get(f"/runs/{plain.pk}")

    assert Job.objects.filter(kind=Kind.FLEET).count() == 1


def test_a_search_that_was_stopped_is_not_started_again_by_looking(
    pages: Client, plain: Job
) -> None:
    pages.get(f"/runs/{plain.pk}")
    jobs.cancel(Job.objects.get(kind=Kind.FLEET))
    text = text_of(pages.get(f"/runs/{plain.pk}").content.decode())

    assert Job.objects.filter(kind=Kind.FLEET).count() == 1
    assert "Search again" in text


def test_where_neither_pays_the_answer_says_so_and_its_plan_stays(
    pages: Client, plain: Job
) -> None:
    text = weighed(pages, plain)

    assert "No hybrid: one family bought in one way" in text
    assert "saves 3 % beyond the proven gap" in text
    assert decisions.recommended_of(plain) == (plain.result or {})["recommendation"]


def test_where_only_following_the_hours_pays_that_is_recommended(
    pages: Client, make_run: MakeRun
) -> None:
    chat = answered_run(make_run, "chatbot_1m")
    text = weighed(pages, chat)
    verdict = mixing.verdict_of(mixing.known(chat))  # type: ignore[arg-type]
    kept = (chat.result or {})["recommendation"]["total_cost_usd"]["value"]

    assert "Recommended instead: machines by the hour. No hybrid, but following the week" in text
    assert verdict["total_usd"] <= kept * (1.0 - 0.03 - verdict["gap"])
    recommended = decisions.recommended_of(chat)
    assert recommended is not None
    assert (recommended["id"], recommended["name"][:11]) == ("mixed", "By the hour")
    paper = text_of(pages.get(f"/runs/{chat.pk}/one-page").content.decode())
    assert "Recommended instead, over the hours of a week" in paper


def test_where_a_mix_pays_it_is_recommended_with_its_shares(pages: Client, hybrid: Job) -> None:
    text = weighed(pages, hybrid)
    verdict = mixing.verdict_of(mixing.known(hybrid))  # type: ignore[arg-type]

    assert "Recommended instead: a mixed fleet" in text
    assert verdict["saving"] >= 0.03 + verdict["gap"]
    assert sum(each["share"] for each in verdict["shares"]) == pytest.approx(1.0, abs=1e-3)
    part = pages.get(f"/runs/{hybrid.pk}/mix").content.decode()
    assert ("hx-get" in part, "Recommended instead" in part) == (False, True)
    assert "where its requests go" in pages.get(f"/runs/{hybrid.pk}/fleet").content.decode()

    user = accounts.local_user()
    record = decisions.record_decision(
        hybrid, owner=user, plan_id="mixed", reason="", decided_by="A. Architect"
    )
    told = decisions.record_document(record)
    assert (told["follows_recommendation"], told["intact"]) == (True, True)
    assert told["chosen"]["fleet"]
    decisions.amend(record, owner=user, kind="architect", name="A. Architect")
    assert decisions.record_document(record)["signed"]["architect"]

    other = str((hybrid.result or {})["recommendation"]["id"])
    with pytest.raises(InvalidAnswers, match="say why"):
        decisions.record_decision(
            hybrid, owner=user, plan_id=other, reason="", decided_by="A. Architect"
        )
    page = text_of(pages.get(f"/runs/{hybrid.pk}/decision").content.decode())
    assert "Mixed fleet" in page
    job = mixing.known(hybrid)
    assert job is not None
    Job.objects.filter(pk=job.pk).update(result={**(job.result or {}), "total_usd": 1.0})
    assert decisions.record_document(record)["intact"] is False


def test_a_mixed_fleet_that_was_never_searched_cannot_be_chosen(plain: Job) -> None:
    with pytest.raises(InvalidAnswers, match="choose a plan"):
        decisions.record_decision(
            plain, owner=accounts.local_user(), plan_id="mixed", reason="x", decided_by="A"
        )


def test_a_batch_by_night_has_no_hours_to_mix(pages: Client, make_run: MakeRun) -> None:
    run = answered_run(make_run, "nightly_batch_scoring")
    pages.get(f"/runs/{run.pk}")

    assert (run.result or {})["mixing"] == []
    assert not Job.objects.filter(kind=Kind.FLEET).exists()
