"""Fleets of a run: start a search over the whole week, read it, stop it."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Router, Schema, Status
from pydantic import Field

from advisor import queries
from advisor.api.access import POLL_AFTER_S, Strict, key_for
from advisor.models import Job, Kind, Scope
from advisor.services import fleets, jobs

router = Router(tags=["fleets"])


class FleetIn(Strict):
    """How to look for the fleet; empty is the expected demand, stopped by nodes."""

    robust: bool = Field(
        default=False, description="against the P90 of demand and the low end of every speed"
    )
    seconds: float | None = Field(
        None, ge=fleets.SECONDS[0], le=fleets.SECONDS[1],
        description="stop by the clock; without it the search stops by nodes, alike everywhere",
    )  # fmt: skip


class FleetOut(Schema):
    """A fleet: poll it until its state is final."""

    id: UUID
    run: str
    state: str
    stage: str
    progress: float
    result: dict[str, Any] | None
    problem: dict[str, Any] | None


def _out(job: Job) -> dict[str, Any]:
    return {
        "id": job.pk,
        "run": job.inputs["run"],
        "state": job.state,
        "stage": job.stage,
        "progress": job.progress,
        "result": job.result,
        "problem": job.problem,
    }


@router.post(
    "/runs/{run_id}/fleets",
    response={202: FleetOut},
    summary="Look for the least-cost fleet of a run over the whole week, in the background",
)
def start_fleet(
    request: HttpRequest, response: HttpResponse, run_id: UUID, payload: FleetIn
) -> Status[Any]:
    key = key_for(request, Scope.RUN)
    run = queries.job(key.organisation, run_id, kind=Kind.RUN)
    if run.result is None:
        message = f"The run is {run.state}; only a succeeded run has a fleet."
        raise fleets.NoFleet(message)
    job = fleets.start_fleet(
        run,
        owner=key.owner,
        robust=payload.robust,
        seconds=payload.seconds,
        idempotency_key=request.headers.get("Idempotency-Key", "")[:200],
    )
    response["Location"] = reverse("api:get_fleet", args=[job.pk])
    response["Retry-After"] = str(POLL_AFTER_S)
    return Status(202, _out(job))


@router.get(
    "/fleets/{fleet_id}", response=FleetOut, summary="State, progress and result of a fleet"
)
def get_fleet(request: HttpRequest, response: HttpResponse, fleet_id: UUID) -> Any:
    key = key_for(request, Scope.RUN)
    job = queries.job(key.organisation, fleet_id, kind=Kind.FLEET)
    if not job.is_final:
        response["Retry-After"] = str(POLL_AFTER_S)
    return _out(job)


@router.delete("/fleets/{fleet_id}", response={202: FleetOut}, summary="Cancel a fleet's search")
def cancel_fleet(request: HttpRequest, fleet_id: UUID) -> Status[Any]:
    key = key_for(request, Scope.RUN)
    job = jobs.cancel(queries.job(key.organisation, fleet_id, kind=Kind.FLEET))
    return Status(202, _out(job))
