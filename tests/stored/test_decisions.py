"""Decisions are written once and added to; a run can be worked again as it was."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User

from advisor.engine.answers import InvalidAnswers
from advisor.models import Amendment, DecisionRecord, DecisionsAreKept, Job, Kind
from advisor.services import accounts, assessments, decisions, work
from advisor.services.replay import differences, replayed, replayed_today
from catalog.models import PricePoint
from costing.models import Rate

pytestmark = pytest.mark.django_db
Answer = Callable[..., Job]
SMALL = {"accel_families_allowed": ["tpu"]}


@pytest.fixture
def user(catalogue: None) -> User:
    return accounts.local_user()


@pytest.fixture
def answer(user: User) -> Answer:
    """A run of a preset, answered by a worker."""

    def made(preset: str = "startup_bursty_api", **answers: Any) -> Job:
        given = answers or ({} if preset == "chatbot_1m" else SMALL)
        kept = assessments.create({"preset": preset, "answers": given}, user)
        run = assessments.start_run(kept, user)
        work.run_job(run.pk)
        run.refresh_from_db()
        assert run.state == "succeeded", run.problem
        return run

    return made


def recorded(run: Job, user: User, **changes: Any) -> DecisionRecord:
    told: dict[str, Any] = {
        "plan_id": run.result["recommendation"]["id"],  # type: ignore[index]
        "reason": "",
        "decided_by": "A. Architect",
        "conditions": "Quote confirmed\nSpares on site",
    }
    return decisions.record_decision(run, owner=user, **(told | changes))


@pytest.mark.parametrize("preset", ["startup_bursty_api", "chatbot_1m"])
def test_a_replay_on_the_same_catalogue_is_identical(answer: Answer, preset: str) -> None:
    found = replayed(answer(preset))

    assert (found.identical, found.differences, found.same_versions) == (True, (), True)


def test_a_replay_does_not_see_rates_and_prices_that_changed_since(answer: Answer) -> None:
    run = answer()
    Rate.objects.filter(pk="ops_fte/managed_api").update(value=0.01, low=0.01, high=0.5)

    assert replayed(run).identical


def test_a_replay_today_says_what_moved_and_whether_the_choice_stands(
    answer: Answer, user: User
) -> None:
    run = answer()
    best = run.result["recommendation"]  # type: ignore[index]
    hosted = PricePoint.objects.filter(
        offer__provider_id=best["provider"], offer__purchase="hosted_tokens"
    )
    for point in hosted:
        point.pk, point.observed_first, point.observed_last = None, "2026-11-24", "2026-11-24"
        point.usd_per_million_output_tokens = 90
        point.usd_per_million_input_tokens = 90
        point._state.adding = True
        point.save()
    found = replayed_today(run)

    assert found["moved"]["offers"]["moved"] >= 1
    assert found["stands"] is False
    assert found["workloads"][0]["then"]["name"] == best["name"]


def test_with_nothing_changed_the_choice_stands_today(answer: Answer) -> None:
    found = replayed_today(answer())

    assert (found["stands"], found["moved"]["offers"]["moved"]) == (True, 0)


def test_differences_are_named_by_pointer() -> None:
    before, after = {"a": [1, {"b": 2}], "c": 1}, {"a": [1, {"b": 3}], "d": 1}

    assert list(differences(before, after)) == ["/a/1/b", "/c", "/d"]


def test_a_decision_keeps_what_it_rests_on(answer: Answer, user: User) -> None:
    run = answer()
    basis = recorded(run, user).content["basis"]

    assert basis["catalog_digest"] == run.snapshot_digest
    assert basis["rates_digest"] == run.result["rates_digest"]  # type: ignore[index]
    assert basis["engine_version"] == run.engine_version
    assert basis["calibration_version"] == run.calibration_version


def test_a_decision_is_never_changed(answer: Answer, user: User) -> None:
    record = recorded(answer(), user)
    record.content["reason"] = "another"

    with pytest.raises(DecisionsAreKept):
        record.save()


@pytest.mark.parametrize("many", [False, True])
def test_a_decision_is_never_deleted(answer: Answer, user: User, many: bool) -> None:  # noqa: FBT001
    record = recorded(answer(), user)

    with pytest.raises(DecisionsAreKept):
        (DecisionRecord.objects.filter(pk=record.pk) if many else record).delete()


def test_many_decisions_at_once_are_not_changed_either(answer: Answer, user: User) -> None:
    recorded(answer(), user)

    with pytest.raises(DecisionsAreKept):
        DecisionRecord.objects.all().update(digest="")


def test_both_sign_with_dates_and_the_chain_holds(answer: Answer, user: User) -> None:
    record = recorded(answer(), user)
    decisions.amend(record, owner=user, kind="architect", name="A. Architect")
    decisions.amend(record, owner=user, kind="buyer", name="B. Buyer", text="under frame contract")
    document = decisions.record_document(record)

    assert [document["signed"][role]["name"] for role in ("architect", "buyer")] == [
        "A. Architect",
        "B. Buyer",
    ]
    assert document["intact"]


def test_nobody_signs_twice_in_one_role(answer: Answer, user: User) -> None:
    record = recorded(answer(), user)
    decisions.amend(record, owner=user, kind="buyer", name="B. Buyer")

    with pytest.raises(decisions.AlreadySigned):
        decisions.amend(record, owner=user, kind="buyer", name="C. Buyer")


def test_nothing_is_added_to_a_withdrawn_decision(answer: Answer, user: User) -> None:
    record = recorded(answer(), user)
    decisions.amend(record, owner=user, kind="withdrawn", name="B. Buyer", text="budget cut")

    with pytest.raises(decisions.Withdrawn):
        decisions.amend(record, owner=user, kind="note", name="B. Buyer", text="or not")


def test_a_row_changed_behind_our_back_breaks_the_chain(answer: Answer, user: User) -> None:
    record = recorded(answer(), user)
    row = decisions.amend(record, owner=user, kind="note", name="B. Buyer", text="cheap")
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("UPDATE advisor_amendment SET text = 'dear' WHERE id = %s", [row.pk])

    assert Amendment.objects.get(pk=row.pk).text == "dear"
    assert not decisions.is_intact(record)


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"plan_id": "p999"}, "/plan"),
        ({"plan_id": "none"}, "/reason"),
        ({"decided_by": " "}, "/decided_by"),
        ({"reason": "x" * 6000}, "/reason"),
    ],
)
def test_a_decision_that_lacks_something_says_what(
    answer: Answer, user: User, changes: dict[str, Any], pointer: str
) -> None:
    with pytest.raises(InvalidAnswers) as refused:
        recorded(answer(), user, **changes)

    assert [each.pointer for each in refused.value.problems] == [pointer]


def test_another_organisations_decision_is_not_found(answer: Answer, user: User) -> None:
    from advisor.models import Organisation

    record = recorded(answer(), user)
    other = Organisation.objects.create(slug="other", name="Other")

    with pytest.raises(DecisionRecord.DoesNotExist):
        decisions.decision(other, record.pk)


def test_the_reasons_of_a_run_are_made_once(answer: Answer, user: User) -> None:
    from advisor.services.reasons.asked import start_reasons

    run = answer()
    first, second = start_reasons(run, owner=user), start_reasons(run, owner=user)

    assert (first.pk, first.kind) == (second.pk, Kind.REASONS)
