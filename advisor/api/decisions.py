"""Decisions on runs: recorded, signed, added to; runs worked again."""

from dataclasses import asdict
from datetime import date
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Router, Status
from ninja.errors import HttpError
from pydantic import Field

from advisor.api.access import Strict, key_for
from advisor.api.reasons import answered
from advisor.models import DecisionRecord, Scope
from advisor.services import decisions
from advisor.services.reasons.asked import NOT_KEPT
from advisor.services.replay import replayed, replayed_today

router = Router(tags=["decisions"])


class DecisionIn(Strict):
    """What was decided on a run."""

    plan: str = Field(description="id of a plan of the run, or none")
    decided_by: str
    reason: str = Field("", description="needed where it is not the recommended plan")
    conditions: str = Field("", description="one a line")


class AmendmentIn(Strict):
    """A sign-off or another addition."""

    kind: str = Field(description="note, condition, architect, buyer or withdrawn")
    name: str
    text: str = ""
    said_on: date | None = None


def _record(request: HttpRequest, record_id: UUID) -> DecisionRecord:
    try:
        return decisions.decision(key_for(request, Scope.RUN).organisation, record_id)
    except DecisionRecord.DoesNotExist as missing:
        raise HttpError(404, "there is no such decision") from missing


@router.post("/runs/{run_id}/decisions", response={201: dict[str, Any]})
def record_decision(
    request: HttpRequest, response: HttpResponse, run_id: UUID, payload: DecisionIn
) -> Status[Any]:
    """Keep a decision for good."""
    run = answered(request, run_id)
    record = decisions.record_decision(
        run, owner=key_for(request, Scope.RUN).owner, plan_id=payload.plan,
        reason=payload.reason, conditions=payload.conditions, decided_by=payload.decided_by,
    )  # fmt: skip
    response["Location"] = reverse("api:get_decision", args=[record.pk])
    return Status(201, decisions.record_document(record))


@router.get("/runs/{run_id}/decisions", response=list[dict[str, Any]])
def list_decisions(request: HttpRequest, run_id: UUID) -> Any:
    """The decisions on a run, newest first."""
    return [decisions.record_document(each) for each in decisions.decisions_of(
        answered(request, run_id)
    )]  # fmt: skip


@router.get("/decisions/{record_id}", response=dict[str, Any], url_name="get_decision")
def get_decision(request: HttpRequest, record_id: UUID) -> Any:
    """One decision with its additions, and whether it is intact."""
    return decisions.record_document(_record(request, record_id))


@router.post("/decisions/{record_id}/amendments", response={201: dict[str, Any]})
def amend(request: HttpRequest, record_id: UUID, payload: AmendmentIn) -> Status[Any]:
    """Sign a decision or add to it; nothing is ever taken away."""
    record = _record(request, record_id)
    decisions.amend(
        record, owner=key_for(request, Scope.RUN).owner, kind=payload.kind, name=payload.name,
        text=payload.text, said_on=payload.said_on,
    )  # fmt: skip
    return Status(201, decisions.record_document(record))


@router.get("/runs/{run_id}/replay", response=dict[str, Any])
def replay(request: HttpRequest, run_id: UUID, catalogue: str = "kept") -> Any:
    """Work a run again: on what it was made from (kept), or on today's catalogue (today)."""
    run = answered(request, run_id)
    if catalogue not in ("kept", "today"):
        raise HttpError(422, f"no catalogue {catalogue!r}; there are kept and today")
    try:
        if catalogue == "today":
            return replayed_today(run)
        found = replayed(run)
    except NOT_KEPT as error:
        message = "the state of the catalogue that this run was answered from was not kept"
        raise HttpError(409, message) from error
    return asdict(found) | {"same_versions": found.same_versions}
