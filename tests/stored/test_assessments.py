"""Answers are kept as given, checked at the door, and frozen in the runs they led to."""

import pytest
from django.contrib.auth.models import User

from advisor import queries
from advisor.engine.answers import InvalidAnswers
from advisor.models import Assessment, Job, Organisation
from advisor.services import accounts, assessments, jobs

pytestmark = pytest.mark.django_db
CHATBOT = {"preset": "chatbot_1m", "answers": {}}


@pytest.fixture
def user() -> User:
    return accounts.local_user()


@pytest.fixture
def stranger() -> User:
    user = User.objects.create(username="stranger")
    user.memberships.create(organisation=Organisation.objects.create(slug="acme", name="Acme"))
    return user


def test_an_assessment_keeps_preset_and_answers(user: User) -> None:
    kept = assessments.create(CHATBOT, user)
    assert Assessment.objects.get(pk=kept.pk).raw_answers() == CHATBOT


def test_the_name_is_the_given_one(user: User) -> None:
    raw = {"preset": "chatbot_1m", "answers": {"assessment_name": "Spring launch"}}
    assert assessments.create(raw, user).name == "Spring launch"


def test_without_a_name_it_is_called_like_its_preset(user: User) -> None:
    from advisor.questions import PRESETS

    assert assessments.create(CHATBOT, user).name == PRESETS["chatbot_1m"].name


def test_answers_that_cannot_be_used_are_not_kept(user: User) -> None:
    with pytest.raises(InvalidAnswers):
        assessments.create({"preset": "no_such_preset"}, user)
    assert not Assessment.objects.exists()


def test_half_finished_answers_are_kept_when_a_page_says_so(user: User) -> None:
    kept = assessments.create({"answers": {"nonsense": 1}}, user, checked=False)
    assert kept.answers == {"nonsense": 1}


def test_a_change_counts_the_revision_up(user: User) -> None:
    kept = assessments.create(CHATBOT, user)
    assert assessments.update(kept, CHATBOT, revision=1).revision == 2


def test_a_second_editor_notices_the_first(user: User) -> None:
    kept = assessments.create(CHATBOT, user)
    assessments.update(kept, CHATBOT, revision=1)
    with pytest.raises(assessments.StaleRevision):
        assessments.update(kept, CHATBOT, revision=1)


def test_a_run_keeps_the_answers_it_was_started_with(user: User) -> None:
    kept = assessments.create(CHATBOT, user)
    run = assessments.start_run(kept)
    assessments.update(kept, {"preset": "pretrain_7b", "answers": {}})
    assert Job.objects.get(pk=run.pk).inputs["answers"] == CHATBOT


def test_the_runs_of_an_assessment_are_listed(user: User) -> None:
    kept = assessments.create(CHATBOT, user)
    run = assessments.start_run(kept)
    assert [found.pk for found in queries.runs_of(kept)] == [run.pk]


def test_starting_twice_with_one_key_is_one_run(user: User) -> None:
    kept = assessments.create(CHATBOT, user)
    first = assessments.start_run(kept, idempotency_key="k")
    assert assessments.start_run(kept, idempotency_key="k").pk == first.pk


def test_changed_answers_under_the_same_key_are_a_conflict(user: User) -> None:
    kept = assessments.create(CHATBOT, user)
    assessments.start_run(kept, idempotency_key="k")
    assessments.update(kept, {"preset": "pretrain_7b", "answers": {}})
    with pytest.raises(jobs.IdempotencyConflict):
        assessments.start_run(kept, idempotency_key="k")


def test_another_organisations_assessment_does_not_exist(user: User, stranger: User) -> None:
    kept = assessments.create(CHATBOT, user)
    with pytest.raises(Assessment.DoesNotExist):
        queries.assessment(accounts.organisation_of(stranger), kept.pk)


def test_another_organisations_job_does_not_exist(user: User, stranger: User) -> None:
    run = assessments.start_run(assessments.create(CHATBOT, user))
    with pytest.raises(Job.DoesNotExist):
        queries.job(accounts.organisation_of(stranger), run.pk)


def test_lists_show_the_own_organisation_only(user: User, stranger: User) -> None:
    assessments.start_run(assessments.create(CHATBOT, user))
    theirs = accounts.organisation_of(stranger)
    assert (list(queries.assessments(theirs)), list(queries.jobs(theirs))) == ([], [])


def test_polling_reads_neither_inputs_nor_result(user: User) -> None:
    run = assessments.start_run(assessments.create(CHATBOT, user))
    polled = queries.progress_of(accounts.organisation_of(user), run.pk)
    assert polled.get_deferred_fields() == {"inputs", "result"}
