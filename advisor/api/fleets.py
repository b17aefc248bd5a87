"""Fleets of a run: start a search over the whole week, read it, stop it."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Router, Status
from pydantic import Field

from advisor import queries
from advisor.api.access import Strict, key_for
from advisor.api.work import RunWorkOut, accepted, idempotency_key, polled, work_of
from advisor.models import Kind, Scope
from advisor.services import fleets, jobs

router = Router(tags=["fleets"])


class FleetIn(Strict):
    """How to look for the fleet; empty is the expected demand, without a clock."""

    robust: bool = Field(
        default=False, description="against the P90 of demand and the low end of every speed"
    )
    seconds: float | None = Field(
        None, ge=fleets.SECONDS[0], le=fleets.SECONDS[1],
        description="stop by the clock; without it at fixed points of the work, alike everywhere",
    )  # fmt: skip


class FleetOut(RunWorkOut):
    """A fleet: poll it until its state is final."""


@router.post(
    "/runs/{run_id}/fleets",
    response={202: FleetOut},
    summary="Look for a run's fleet by its objective over the whole week, in the background",
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
        idempotency_key=idempotency_key(request),
    )
    return accepted(response, job, at=reverse("api:get_fleet", args=[job.pk]))


@router.get(
    "/fleets/{fleet_id}", response=FleetOut, summary="State, progress and result of a fleet"
)
def get_fleet(request: HttpRequest, response: HttpResponse, fleet_id: UUID) -> Any:
    key = key_for(request, Scope.RUN)
    job = queries.job(key.organisation, fleet_id, kind=Kind.FLEET)
    return polled(response, job)


@router.delete("/fleets/{fleet_id}", response={202: FleetOut}, summary="Cancel a fleet's search")
def cancel_fleet(request: HttpRequest, fleet_id: UUID) -> Status[Any]:
    key = key_for(request, Scope.RUN)
    job = jobs.cancel(queries.job(key.organisation, fleet_id, kind=Kind.FLEET))
    return Status(202, work_of(job))
