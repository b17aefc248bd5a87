"""The protocol of jobs: accepted once, done exactly once, whatever dies meanwhile."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import IntegrityError, OperationalError, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from advisor.apps import wake_worker
from advisor.models import Job, Kind, State
from advisor.services import accounts, jobs, work
from advisor.services.clock import from_now

pytestmark = pytest.mark.django_db
Accept = Callable[..., Job]


@pytest.fixture
def user() -> User:
    return accounts.local_user()


@pytest.fixture
def accept(user: User) -> Accept:
    def accept_one(inputs: dict[str, Any] | None = None, **options: Any) -> Job:
        return jobs.accept(Kind.ESTIMATE, inputs or {"x": 1}, owner=user, **options)

    return accept_one


@pytest.fixture
def woken() -> Iterator[list[UUID]]:
    """The jobs that a worker was woken for."""
    ids: list[UUID] = []
    jobs.wake_with(ids.append)
    yield ids
    jobs.wake_with(wake_worker)


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> Callable[[work.Handler], None]:
    """Say what does an estimate job."""

    def put(does: work.Handler) -> None:
        monkeypatch.setitem(work.HANDLERS, Kind.ESTIMATE, does)

    return put


def held(job: Job) -> jobs.Claim:
    claimed = jobs.claim(job.pk)
    assert claimed is not None
    return claimed


def lapse(job: Job) -> None:
    """What the holder's death and some waiting do to a lease."""
    Job.objects.filter(pk=job.pk).update(lease_until=from_now(-1))


def problem_of(job: Job) -> dict[str, Any]:
    job.refresh_from_db()
    return dict(job.problem or {})


def state_of(job: Job) -> str:
    job.refresh_from_db()
    return job.state


# accepting


def test_an_accepted_job_waits_with_its_inputs_frozen(accept: Accept) -> None:
    job = accept({"x": [1, 2]})
    assert (job.state, job.inputs) == (State.QUEUED, {"x": [1, 2]})


def test_a_worker_is_woken_only_once_the_job_is_kept(
    accept: Accept,
    woken: list[UUID],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        job = accept()
        assert woken == []
    assert woken == [job.pk]


def test_a_broker_that_is_down_is_no_error_to_the_user(
    accept: Accept, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    def refuse(job_id: UUID) -> None:
        raise ConnectionRefusedError

    jobs.wake_with(refuse)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            job = accept()
    finally:
        jobs.wake_with(wake_worker)
    assert state_of(job) == State.QUEUED


def test_the_same_key_with_the_same_request_is_the_same_job(accept: Accept) -> None:
    first = accept({"x": 1}, idempotency_key="k")
    assert accept({"x": 1}, idempotency_key="k").pk == first.pk


def test_the_same_key_with_another_request_is_a_conflict(accept: Accept) -> None:
    accept({"x": 1}, idempotency_key="k")
    with pytest.raises(jobs.IdempotencyConflict):
        accept({"x": 2}, idempotency_key="k")


def test_the_order_of_keys_in_a_request_is_no_difference(accept: Accept) -> None:
    first = accept({"a": 1, "b": 2}, idempotency_key="k")
    assert accept({"b": 2, "a": 1}, idempotency_key="k").pk == first.pk


def test_two_users_may_use_the_same_key(accept: Accept) -> None:
    other = accounts.local_admin()
    first = accept(idempotency_key="k")
    second = jobs.accept(Kind.ESTIMATE, {"x": 9}, owner=other, idempotency_key="k")
    assert first.pk != second.pk


def test_jobs_without_a_key_are_different_jobs(accept: Accept) -> None:
    assert accept().pk != accept().pk


def test_nobody_may_have_more_open_jobs_than_allowed(accept: Accept, settings: Settings) -> None:
    settings.JOBS = {**settings.JOBS, "most_open_per_owner": 2}
    accept(), accept()
    with pytest.raises(jobs.TooManyJobs):
        accept()


def test_a_finished_job_makes_room_for_another(accept: Accept, settings: Settings) -> None:
    settings.JOBS = {**settings.JOBS, "most_open_per_owner": 1}
    jobs.cancel(accept())
    assert accept().state == State.QUEUED


def test_a_full_disk_refuses_before_it_promises(
    accept: Accept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "SPACE_NEEDED_BYTES", 10**18)
    with pytest.raises(jobs.NoSpace):
        accept()


# claiming, working, finishing


def test_a_waiting_job_can_be_claimed_once(accept: Accept) -> None:
    job = accept()
    held(job)
    assert jobs.claim(job.pk) is None


def test_an_unknown_job_cannot_be_claimed() -> None:
    assert jobs.claim(uuid4()) is None


def test_a_lapsed_lease_lets_another_worker_take_over_with_a_higher_token(
    accept: Accept,
) -> None:
    job = accept()
    first = held(job)
    lapse(job)
    assert held(job).token == first.token + 1


def test_progress_is_stored_and_renews_the_lease(accept: Accept) -> None:
    job = accept()
    claim = held(job)
    Job.objects.filter(pk=job.pk).update(lease_until=from_now(1))
    jobs.progress(claim, "sizing", 0.4)
    renewed = Job.objects.get(pk=job.pk, lease_until__gt=Now() + timedelta(seconds=10))
    assert (renewed.stage, renewed.progress) == ("sizing", 0.4)


@pytest.mark.parametrize(("told", "stored"), [(-0.5, 0.0), (1.7, 1.0)])
def test_progress_stays_a_fraction(accept: Accept, told: float, stored: float) -> None:
    job = accept()
    jobs.progress(held(job), "far", told)
    job.refresh_from_db()
    assert job.progress == stored


def test_a_worker_that_was_overtaken_may_not_report(accept: Accept) -> None:
    job = accept()
    zombie = held(job)
    lapse(job)
    held(job)
    with pytest.raises(jobs.Fenced):
        jobs.progress(zombie, "still here", 0.9)


def test_a_worker_that_was_overtaken_may_not_finish(accept: Accept) -> None:
    job = accept()
    zombie = held(job)
    lapse(job)
    second = held(job)
    jobs.finish(second, {"by": "second"})
    with pytest.raises(jobs.Fenced):
        jobs.finish(zombie, {"by": "zombie"})
    job.refresh_from_db()
    assert job.result == {"by": "second"}


def test_a_zombie_may_not_finish_a_job_that_waits_again(accept: Accept, woken: list[UUID]) -> None:
    job = accept()
    zombie = held(job)
    lapse(job)
    jobs.sweep()
    with pytest.raises(jobs.Fenced):
        jobs.finish(zombie, {})


def test_result_versions_and_state_are_stored_together(accept: Accept) -> None:
    job = accept()
    jobs.finish(held(job), {"a": 1}, engine_version="7", snapshot_digest="d")
    job.refresh_from_db()
    stored = (job.state, job.result, job.engine_version, job.snapshot_digest, job.progress)
    assert stored == (State.SUCCEEDED, {"a": 1}, "7", "d", 1.0)


def test_a_finished_job_never_changes(accept: Accept) -> None:
    job = accept()
    claim = held(job)
    jobs.finish(claim, {"a": 1})
    with pytest.raises(jobs.Fenced):
        jobs.fail(claim, {"title": "late"})
    assert jobs.cancel(job).state == State.SUCCEEDED


def test_the_database_refuses_a_running_job_without_a_lease(accept: Accept) -> None:
    job = accept()
    with pytest.raises(IntegrityError), transaction.atomic():
        Job.objects.filter(pk=job.pk).update(state=State.RUNNING)


# doing the work


def test_a_job_done_holds_what_its_handler_returned(
    accept: Accept, handler: Callable[[work.Handler], None]
) -> None:
    handler(lambda inputs, progress: {"twice": 2 * inputs["x"]})
    job = accept({"x": 21})
    work.run_job(job.pk)
    job.refresh_from_db()
    assert (job.state, job.result) == (State.SUCCEEDED, {"twice": 42})


def test_a_job_is_not_done_twice(accept: Accept, handler: Callable[[work.Handler], None]) -> None:
    starts: list[str] = []

    def counts(inputs: Any, progress: Any) -> dict[str, Any]:
        starts.append("started")
        return {}

    handler(counts)
    job = accept()
    assert [work.run_job(job.pk), work.run_job(job.pk), len(starts)] == [True, False, 1]


def test_invalid_answers_fail_with_pointers_to_them(user: User) -> None:
    raw = {"preset": "no_such_preset", "answers": {}}
    job = jobs.accept(Kind.RUN, {"answers": raw}, owner=user)
    work.run_job(job.pk)
    assert problem_of(job)["errors"][0]["pointer"] == "/preset"


def test_a_mistake_of_ours_shows_a_reference_and_no_trace(
    accept: Accept, handler: Callable[[work.Handler], None]
) -> None:
    def breaks(inputs: Any, progress: Any) -> dict[str, Any]:
        message = "secret detail"
        raise ZeroDivisionError(message)

    handler(breaks)
    job = accept()
    work.run_job(job.pk)
    told = problem_of(job)
    assert str(job.pk)[:8] in told["detail"]
    assert "secret detail" not in str(told)


def test_a_result_that_cannot_be_stored_fails_the_job(
    accept: Accept, handler: Callable[[work.Handler], None]
) -> None:
    handler(lambda inputs, progress: {"not json": object()})
    job = accept()
    work.run_job(job.pk)
    assert state_of(job) == State.FAILED


def test_a_job_at_the_time_limit_fails_and_says_so(
    accept: Accept, handler: Callable[[work.Handler], None]
) -> None:
    def hangs(inputs: Any, progress: Any) -> dict[str, Any]:
        raise TimeoutError

    handler(hangs)
    job = accept()
    work.run_job(job.pk, too_long=TimeoutError)
    assert problem_of(job)["title"] == "The job took too long"


def test_a_job_whose_database_went_away_is_started_again(
    accept: Accept, handler: Callable[[work.Handler], None]
) -> None:
    def loses_connection(inputs: Any, progress: Any) -> dict[str, Any]:
        raise OperationalError

    handler(loses_connection)
    job = accept()
    work.run_job(job.pk)
    assert state_of(job) == State.RUNNING
    lapse(job)
    handler(lambda inputs, progress: {"second": "try"})
    work.run_job(job.pk)
    assert state_of(job) == State.SUCCEEDED


def test_a_kind_that_nothing_does_fails_instead_of_waiting_for_ever(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = jobs.accept(Kind.RECALIBRATION, {}, owner=user)
    monkeypatch.delitem(work.HANDLERS, Kind.RECALIBRATION)
    work.run_job(job.pk)
    assert state_of(job) == State.FAILED


# cancelling


def test_a_waiting_job_is_cancelled_at_once(accept: Accept) -> None:
    assert jobs.cancel(accept()).state == State.CANCELLED


def test_a_cancelled_job_is_not_started(accept: Accept) -> None:
    job = accept()
    jobs.cancel(job)
    assert jobs.claim(job.pk) is None


def test_a_running_job_stops_at_its_next_step(
    accept: Accept, handler: Callable[[work.Handler], None]
) -> None:
    steps: list[str] = []

    def works(inputs: Any, progress: work.Progress) -> dict[str, Any]:
        for step in ("first", "second", "third"):
            progress(step, 0.5)
            steps.append(step)
            if step == "first":
                jobs.cancel(job)
        return {}

    handler(works)
    job = accept()
    work.run_job(job.pk)
    assert (state_of(job), steps) == (State.CANCELLED, ["first"])


def test_a_cancelled_job_whose_worker_died_is_cancelled_by_the_sweeper(accept: Accept) -> None:
    job = accept()
    held(job)
    jobs.cancel(job)
    lapse(job)
    jobs.sweep()
    assert state_of(job) == State.CANCELLED


# sweeping


def test_a_sweep_leaves_live_work_alone(accept: Accept, woken: list[UUID]) -> None:
    held(accept())
    accept()
    swept = jobs.sweep()
    assert (swept.freed, swept.resent, woken) == (0, 0, [])


def test_a_job_of_a_dead_worker_waits_again_and_is_sent(accept: Accept, woken: list[UUID]) -> None:
    job = accept()
    held(job)
    lapse(job)
    jobs.sweep()
    assert (state_of(job), woken) == (State.QUEUED, [job.pk])


def test_a_job_whose_message_was_lost_is_sent_again(accept: Accept, woken: list[UUID]) -> None:
    job = accept()
    Job.objects.filter(pk=job.pk).update(send_after=from_now(-1))
    jobs.sweep()
    assert woken == [job.pk]


def test_waiting_between_sends_doubles(accept: Accept, woken: list[UUID]) -> None:
    job = accept()
    waits = []
    for _ in range(3):
        Job.objects.filter(pk=job.pk).update(send_after=from_now(-1))
        jobs.sweep()
        later = Job.objects.annotate(wait=F("send_after") - Now()).get(pk=job.pk)
        waits.append(round(later.wait.total_seconds()))
    assert waits == [60, 120, 240]


def test_a_job_that_kills_its_workers_is_given_up_with_a_reason(
    accept: Accept, woken: list[UUID], settings: Settings
) -> None:
    settings.JOBS = {**settings.JOBS, "most_attempts": 2}
    job = accept()
    for _ in range(2):
        held(job)
        lapse(job)
        jobs.sweep()
    assert "started 2 times" in problem_of(job)["detail"]


def test_two_sweepers_free_a_job_once(accept: Accept, woken: list[UUID]) -> None:
    job = accept()
    held(job)
    lapse(job)
    assert [jobs.sweep().freed, jobs.sweep().freed] == [1, 0]


@pytest.mark.parametrize("jump", [timedelta(days=-1), timedelta(days=1)])
def test_a_jump_of_a_machines_clock_frees_nothing(
    accept: Accept, woken: list[UUID], jump: timedelta
) -> None:
    job = accept()
    with time_machine.travel(timezone.now() + jump):
        claim = held(job)
        jobs.progress(claim, "on", 0.5)
        swept = jobs.sweep()
    assert (swept.freed, state_of(job)) == (0, State.RUNNING)
