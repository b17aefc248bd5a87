"""Simulations of latency under load: start one for a plan of a run, read it."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Router, Status
from pydantic import Field

from advisor import queries
from advisor.api.access import Strict, key_for
from advisor.api.work import RunWorkOut, accepted, idempotency_key, polled, work_of
from advisor.engine.latency.published import PUBLISHED
from advisor.models import Kind, Scope
from advisor.services import jobs, latency

router = Router(tags=["simulations"])


class SimulationIn(Strict):
    """A plan and what is changed against it; what is left out stays as the plan has it."""

    plan: str = Field("", description="id of a plan of the run; empty: the best one simulated")
    load: float = Field(1.0, description="multiple of the peak rate")
    burstiness_cv: float | None = Field(None, description="CV of the gaps; 1 is Poisson")
    batch_limit: int | None = Field(None, description="requests at once on one replica")
    replicas: int | None = None
    router: str = Field("least_loaded", description="round_robin, least_loaded or prefix_aware")
    neighbour_load: float = Field(0.0, description="others on the pool, multiple of the peak rate")
    neighbour_cv: float = Field(1.0, description="CV of the others' gaps")
    quick: bool = Field(
        default=False, description="without knee and batch limits: under two seconds"
    )
    trace: str | None = Field(None, description="text of a log: Azure, Mooncake or plain CSV")
    published_trace: str | None = Field(
        None, description="a shipped log instead: " + ", ".join(PUBLISHED)
    )
    trace_of: UUID | None = Field(None, description="a simulation whose trace to play again")

    def change(self) -> latency.Change:
        names = latency.Change.__slots__
        return latency.Change(**{name: getattr(self, name) for name in names})


class SimulationOut(RunWorkOut):
    """A simulation: poll it until its state is final."""

    plan: str


@router.post(
    "/runs/{run_id}/simulations",
    response={202: SimulationOut},
    summary="Simulate a plan of a run under load in the background",
)
def start_simulation(
    request: HttpRequest, response: HttpResponse, run_id: UUID, payload: SimulationIn
) -> Status[Any]:
    key = key_for(request, Scope.RUN)
    run = queries.job(key.organisation, run_id, kind=Kind.RUN)
    trace = None
    if payload.trace is not None:
        trace = latency.trace_document(payload.trace, "uploaded")
    elif payload.published_trace is not None:
        trace = latency.published_document(payload.published_trace)
    elif payload.trace_of is not None:
        earlier = queries.job(key.organisation, payload.trace_of, kind=Kind.SIMULATION)
        trace = latency.trace_of(earlier)
    job = latency.start_simulation(
        run,
        latency.plan_id_of(run, payload.plan),
        owner=key.owner,
        change=payload.change(),
        trace=trace,
        quick=payload.quick,
        idempotency_key=idempotency_key(request),
    )
    return accepted(response, job, at=reverse("api:get_simulation", args=[job.pk]))


@router.get(
    "/simulations/{simulation_id}",
    response=SimulationOut,
    summary="State, progress and result of a simulation",
)
def get_simulation(request: HttpRequest, response: HttpResponse, simulation_id: UUID) -> Any:
    key = key_for(request, Scope.RUN)
    job = queries.job(key.organisation, simulation_id, kind=Kind.SIMULATION)
    return polled(response, job)


@router.delete(
    "/simulations/{simulation_id}", response={202: SimulationOut}, summary="Cancel a simulation"
)
def cancel_simulation(request: HttpRequest, simulation_id: UUID) -> Status[Any]:
    key = key_for(request, Scope.RUN)
    job = jobs.cancel(queries.job(key.organisation, simulation_id, kind=Kind.SIMULATION))
    return Status(202, work_of(job))
