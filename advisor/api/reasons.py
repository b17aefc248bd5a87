"""Why a run says what it says: its explanation, and the same run with something changed."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Router, Status
from ninja.errors import HttpError
from pydantic import Field

from advisor import queries
from advisor.api.access import Strict, key_for
from advisor.api.work import RunWorkOut, accepted, polled
from advisor.engine.reasons.change import change_of
from advisor.models import Job, Kind, Scope, State
from advisor.services.reasons import asked

router = Router(tags=["reasons"])


class PriceIn(Strict):
    """All offers of a part by a provider bought one way, at a multiple of their price."""

    accelerator: str = Field(description="slug; empty for hosted tokens")
    provider: str
    purchase: str
    factor: float = Field(gt=0.0, le=1000.0)


class ChangeIn(Strict):
    """What is otherwise than in the run; what is left out stays as it was."""

    answers: dict[str, Any] = Field(default_factory=dict, description="of the assessment")
    workloads: dict[int, dict[str, Any]] = Field(
        default_factory=dict, description="answers of single workloads, by number from 0"
    )
    rates: dict[str, float] = Field(default_factory=dict, description="cost rates by id")
    prices: list[PriceIn] = Field(default_factory=list)
    quotes: dict[str, float] = Field(
        default_factory=dict, description="USD (or USD/h where rented) for systems without a price"
    )
    speeds: dict[str, float] = Field(
        default_factory=dict, description="accelerator slug: multiple of its speed"
    )
    without_vendors: list[str] = Field(default_factory=list)
    without_providers: list[str] = Field(default_factory=list)
    supported: list[tuple[str, str]] = Field(
        default_factory=list, description="vendor and software taken as working"
    )


class ReasonsOut(RunWorkOut):
    """An explanation: poll it until its state is final."""


def answered(request: HttpRequest, run_id: UUID) -> Job:
    """A run of the caller's that has an answer."""
    key = key_for(request, Scope.RUN)
    run = queries.job(key.organisation, run_id, kind=Kind.RUN)
    if run.state != State.SUCCEEDED:
        raise HttpError(409, f"the run is {run.state}; only a succeeded run can be explained")
    return run


@router.post("/runs/{run_id}/reasons", response={202: ReasonsOut})
def start_reasons(request: HttpRequest, response: HttpResponse, run_id: UUID) -> Status[Any]:
    """Have a run explained in the background; asking again gives the same explanation."""
    run = answered(request, run_id)
    job = asked.start_reasons(run, owner=key_for(request, Scope.RUN).owner, again=True)
    return accepted(response, job, at=reverse("api:get_reasons", args=[run.pk]))


@router.get("/runs/{run_id}/reasons", response=ReasonsOut, url_name="get_reasons")
def get_reasons(request: HttpRequest, response: HttpResponse, run_id: UUID) -> Any:
    """Why, why not, what would change it: state, progress and result."""
    job = asked.reasons_of(answered(request, run_id))
    if job is None:
        raise HttpError(404, "nobody has asked yet; POST to the same address")
    return polled(response, job)


@router.post("/runs/{run_id}/rerun", summary="The run once more with something changed")
def rerun(request: HttpRequest, run_id: UUID, payload: ChangeIn) -> dict[str, Any]:
    """What wins with the change made, beside the run; every `change` of an explanation fits."""
    run = answered(request, run_id)
    try:
        return asked.rerun(run, change_of(payload.model_dump()))
    except asked.NOT_KEPT as error:
        message = "the state of the catalogue that this run was answered from was not kept"
        raise HttpError(409, message) from error
