"""Background work by the API: accepted with an address to poll, shown as it stands."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Schema, Status

from advisor.api.access import POLL_AFTER_S
from advisor.models import Job


class WorkOut(Schema):
    """A piece of background work: poll it until its state is final."""

    id: UUID
    state: str
    stage: str
    progress: float
    result: dict[str, Any] | None
    problem: dict[str, Any] | None


class RunWorkOut(WorkOut):
    """Background work for a run: poll it until its state is final."""

    run: str


def work_of(job: Job) -> dict[str, Any]:
    """A job as it stands, with the run and the plan it is about where it has them."""
    about = {name: job.inputs[name] for name in ("run", "plan") if name in job.inputs}
    return {
        "id": job.pk,
        "state": job.state,
        "stage": job.stage,
        "progress": job.progress,
        "result": job.result,
        "problem": job.problem,
        **about,
    }


def accepted(response: HttpResponse, job: Job, *, at: str) -> Status[Any]:
    """202 with the address to poll and how long to wait before."""
    response["Location"] = at
    response["Retry-After"] = str(POLL_AFTER_S)
    return Status(202, work_of(job))


def polled(response: HttpResponse, job: Job) -> dict[str, Any]:
    """A job that was asked for again, with how long to wait while it is not final."""
    if not job.is_final:
        response["Retry-After"] = str(POLL_AFTER_S)
    return work_of(job)


def idempotency_key(request: HttpRequest) -> str:
    """What the caller names the request by, so that a repeat starts nothing new."""
    return request.headers.get("Idempotency-Key", "")[:200]
