"""The protocol of jobs: accepted once, done exactly once, whatever dies meanwhile.

The row is the truth and a message only wakes a worker. Every change of state is one
conditional UPDATE, and leases are compared with the database's clock.
"""

import hashlib
import json
import logging
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce, Now

from advisor.models import FINAL_STATES, Assessment, Job, Kind, Organisation, State
from advisor.services.accounts import organisation_of
from advisor.services.clock import from_now
from advisor.services.refusals import Problem, given_up

log = logging.getLogger(__name__)
Wake = Callable[[UUID], None]
SPACE_NEEDED_BYTES = 20_000_000
MOST_RESENT_AT_ONCE = 200
LONGEST_BACKOFF_DOUBLINGS = 4


class IdempotencyConflict(Exception):
    """The same idempotency key came with another request."""


class TooManyJobs(Exception):
    """The owner has as many unfinished jobs as one may have."""


class NoSpace(Exception):
    """The disk is too full to promise that the job will be kept."""


class Fenced(Exception):
    """Somebody else holds the job by now; whoever notices stops at once."""


class Cancelled(Exception):
    """The user asked to stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to work on a job, good while the token is the job's last."""

    job_id: UUID
    token: int
    kind: Kind
    inputs: Mapping[str, Any]


def _asleep(job_id: UUID) -> None:
    log.warning("nobody to wake for job %s", job_id)


class _Bell:
    """How a worker is woken; the project's face to its broker puts itself here on start-up."""

    ring: Wake = staticmethod(_asleep)


def wake_with(wake: Wake) -> None:
    """Say how a worker is woken."""
    _Bell.ring = staticmethod(wake)


def send(job_id: UUID) -> bool:
    """Wake a worker; false where that failed, which is no error: the sweeper sends again."""
    try:
        _Bell.ring(job_id)
    except Exception as error:  # whatever a transport raises
        log.warning("job %s waits for the sweeper: %s", job_id, type(error).__name__)
        return False
    return True


def inputs_hash(kind: Kind, inputs: Mapping[str, Any], assessment: Assessment | None) -> str:
    """SHA-256 of what a job was asked to do."""
    asked = [kind, str(assessment.pk) if assessment else None, inputs]
    text = json.dumps(asked, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def accept(
    kind: Kind,
    inputs: Mapping[str, Any],
    *,
    owner: User,
    organisation: Organisation | None = None,
    assessment: Assessment | None = None,
    idempotency_key: str = "",
) -> Job:
    """Keep a job for ever and wake a worker once it is kept.

    The same key with the same request gives the job accepted then. Raises
    IdempotencyConflict for the same key with another request, TooManyJobs, NoSpace.
    """
    asked = inputs_hash(kind, inputs, assessment)
    if idempotency_key:
        known = Job.objects.filter(owner=owner, idempotency_key=idempotency_key).first()
        if known is not None:
            return _same(known, asked)
    _refuse_when_full(owner)
    job = Job(
        kind=kind,
        inputs=dict(inputs),
        inputs_hash=asked,
        owner=owner,
        organisation=organisation or organisation_of(owner),
        assessment=assessment,
        idempotency_key=idempotency_key,
        stage="waiting for a worker",
        sends=1,
        send_after=from_now(settings.JOBS["resend_after_s"]),
    )
    try:
        with transaction.atomic():
            job.save(force_insert=True)
            transaction.on_commit(lambda: send(job.pk))
    except IntegrityError:  # the same key was accepted in this very moment
        known = Job.objects.filter(owner=owner, idempotency_key=idempotency_key or None).first()
        if known is None:
            raise
        return _same(known, asked)
    job.refresh_from_db()
    return job


def _same(known: Job, asked: str) -> Job:
    if known.inputs_hash != asked:
        message = "this Idempotency-Key was used for another request"
        raise IdempotencyConflict(message)
    return known


def _refuse_when_full(owner: User) -> None:
    most = settings.JOBS["most_open_per_owner"]
    if Job.objects.filter(owner=owner, state__in=(State.QUEUED, State.RUNNING)).count() >= most:
        message = f"{most} jobs are unfinished; wait for one, or cancel one"
        raise TooManyJobs(message)
    if shutil.disk_usage(settings.DATA_DIR).free < SPACE_NEEDED_BYTES:
        message = "the disk is full; free some space first"
        raise NoSpace(message)


def claim(job_id: UUID) -> Claim | None:
    """Take a job that waits, or whose holder's lease has lapsed; None where there is none."""
    free = Q(state=State.QUEUED) | Q(state=State.RUNNING, lease_until__lt=Now())
    with transaction.atomic():
        taken = Job.objects.filter(
            free,
            pk=job_id,
            cancel_requested=False,
            attempts__lt=settings.JOBS["most_attempts"],
        ).update(
            state=State.RUNNING,
            token=F("token") + 1,
            attempts=F("attempts") + 1,
            lease_until=from_now(settings.JOBS["lease_s"]),
            started_at=Coalesce(F("started_at"), Now()),
            stage="started",
            progress=0.0,
        )
        if not taken:
            return None
        job = Job.objects.only("token", "kind", "inputs").get(pk=job_id)
    return Claim(job_id=job_id, token=job.token, kind=Kind(job.kind), inputs=job.inputs)


def _held(held: Claim) -> QuerySet[Job]:
    return Job.objects.filter(pk=held.job_id, token=held.token, state=State.RUNNING)


def progress(held: Claim, stage: str, fraction: float) -> None:
    """Say how far the work is, and renew the lease; raises Fenced or Cancelled."""
    renewed = (
        _held(held)
        .filter(cancel_requested=False)
        .update(
            stage=stage[:200],
            progress=min(max(fraction, 0.0), 1.0),
            lease_until=from_now(settings.JOBS["lease_s"]),
        )
    )
    if renewed:
        return
    if _held(held).filter(cancel_requested=True).exists():
        raise Cancelled
    raise Fenced


def renew(held: Claim) -> None:
    """Renew the lease of a job that is still held; nothing where it is not."""
    _held(held).update(lease_until=from_now(settings.JOBS["lease_s"]))


def finish(held: Claim, result: Mapping[str, Any], **versions: str) -> None:
    """Store the result with the final state; raises Fenced.

    `versions` may name snapshot_digest, engine_version and calibration_version.
    """
    _end(held, state=State.SUCCEEDED, result=dict(result), progress=1.0, stage="done", **versions)


def fail(held: Claim, problem: Problem) -> None:
    """Store why there will be no result; raises Fenced."""
    _end(held, state=State.FAILED, problem=problem, stage="failed")


def stop(held: Claim) -> None:
    """Put an end to a job that its user cancelled; raises Fenced."""
    _end(held, state=State.CANCELLED, stage="cancelled")


def _end(held: Claim, **columns: Any) -> None:
    with transaction.atomic():  # so that a result that cannot be stored leaves no trace
        ended = _held(held).update(finished_at=Now(), lease_until=None, **columns)
    if not ended:
        raise Fenced


def cancel(job: Job) -> Job:
    """Stop a job: at once where it waits, at its next step where it runs; ended ones stay."""
    with transaction.atomic():
        state = Job.objects.select_for_update().values_list("state", flat=True).get(pk=job.pk)
        row = Job.objects.filter(pk=job.pk)
        if state == State.QUEUED:
            row.update(
                state=State.CANCELLED,
                cancel_requested=True,
                finished_at=Now(),
                stage="cancelled",
            )
        elif state == State.RUNNING:
            row.update(cancel_requested=True, stage="stopping")
    job.refresh_from_db()
    return job


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What one sweep did."""

    resent: int
    freed: int
    given_up: int
    cancelled: int


def sweep() -> Swept:
    """Repair what the dead left behind; any number of sweepers may run at once."""
    lapsed = Job.objects.filter(state=State.RUNNING, lease_until__lt=Now())
    cancelled = lapsed.filter(cancel_requested=True).update(
        state=State.CANCELLED, finished_at=Now(), lease_until=None, stage="cancelled"
    )
    most = int(settings.JOBS["most_attempts"])
    poison = lapsed.filter(attempts__gte=most).update(
        state=State.FAILED,
        problem=given_up(most),
        finished_at=Now(),
        lease_until=None,
        stage="failed",
    )
    freed = [pk for pk, token in _some(lapsed, "token") if _free(pk, token)]
    overdue = Job.objects.filter(state=State.QUEUED, send_after__lt=Now())
    due = [pk for pk, sends in _some(overdue, "sends") if _put_off(pk, sends)]
    for job_id in (*freed, *due):
        send(job_id)
    return Swept(resent=len(due), freed=len(freed), given_up=poison, cancelled=cancelled)


def _some(rows: QuerySet[Job], column: str) -> list[tuple[UUID, int]]:
    found: list[tuple[UUID, int]] = list(
        rows.order_by("created_at").values_list("pk", column)[:MOST_RESENT_AT_ONCE]
    )
    return found


def _free(job_id: UUID, token: int) -> bool:
    """Give a job whose lease has lapsed back to the queue, unless somebody was quicker."""
    lapsed = Job.objects.filter(pk=job_id, token=token, state=State.RUNNING, lease_until__lt=Now())
    return bool(
        lapsed.update(
            state=State.QUEUED,
            lease_until=None,
            stage="waiting for another worker",
            sends=1,
            send_after=from_now(settings.JOBS["resend_after_s"]),
        )
    )


def _put_off(job_id: UUID, sends: int) -> bool:
    """Take the turn to send a job again; the next turn comes after twice the time."""
    doublings = min(sends, LONGEST_BACKOFF_DOUBLINGS)
    waits_s = settings.JOBS["resend_after_s"] * 2**doublings
    waiting = Job.objects.filter(pk=job_id, state=State.QUEUED, sends=sends)
    return bool(waiting.update(sends=sends + 1, send_after=from_now(waits_s)))


def unfinished(organisation: Organisation) -> QuerySet[Job]:
    """Jobs of an organisation that are not over yet."""
    return Job.objects.of(organisation).exclude(state__in=FINAL_STATES)
