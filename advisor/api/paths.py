"""What-ifs along a request's path: distance, stages, sharing, scaling and failures of a plan."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest
from ninja import Router, Schema
from ninja.errors import HttpError
from pydantic import Field

from advisor import queries
from advisor.api.access import Strict, key_for
from advisor.engine.answers import InvalidAnswers, Problem
from advisor.models import Kind, Scope, State
from advisor.services.paths import TOPICS, Topic, subject_of
from advisor.services.paths.availability_split import split_failures, split_plans

router = Router(tags=["what-ifs"])


class PathIn(Strict):
    """A plan and the figures to change; what is left out stays as the plan has it."""

    plan: str = Field("", description="id of a plan of the run; empty: the best live one")
    values: dict[str, float | str] = Field(
        default_factory=dict, description="figures by id, see GET of the same address"
    )


class FieldOut(Schema):
    """A figure that may be changed."""

    id: str
    label: str
    help: str
    value: float | str
    low: float | None
    high: float | None
    options: list[str]


@router.get(
    "/runs/{run_id}/latency/{topic}",
    response=list[FieldOut],
    summary="Figures of a what-if (distance, stages, pools, serverless, availability)",
)
def path_fields(request: HttpRequest, run_id: UUID, topic: str, plan: str = "") -> Any:
    unknown = [name for name in request.GET if name != "plan"]
    if unknown:
        there = "there is no such parameter here; there is plan"
        raise InvalidAnswers([Problem(pointer=f"/{name}", message=there) for name in unknown])
    found, subject = _asked(request, run_id, topic, plan)
    return [
        {
            "id": field.id,
            "label": field.label,
            "help": field.help,
            "value": field.value,
            "low": field.low if field.is_number else None,
            "high": field.high if field.is_number else None,
            "options": [option for option, _ in field.options],
        }
        for field in found.fields(subject)
    ]


@router.post(
    "/runs/{run_id}/latency/{topic}",
    response=dict[str, Any],
    summary="Answer a what-if: findings, tables, charts' series and what they stand on",
)
def path_answer(request: HttpRequest, run_id: UUID, topic: str, payload: PathIn) -> Any:
    run = queries.job(key_for(request, Scope.RUN).organisation, run_id, kind=Kind.RUN)
    if topic == "availability" and payload.plan in dict(split_plans(run)):
        if payload.values:
            there = "a plan at several places has no figures of its own; name one of its places"
            raise InvalidAnswers([Problem(pointer="/values", message=there)])
        return split_failures(run, payload.plan)
    found, subject = _asked(request, run_id, topic, payload.plan)
    return found.document(subject, payload.values)


def _asked(request: HttpRequest, run_id: UUID, topic: str, plan: str) -> tuple[Topic, Any]:
    key = key_for(request, Scope.RUN)
    run = queries.job(key.organisation, run_id, kind=Kind.RUN)
    found = TOPICS.get(topic)
    if found is None:
        raise Http404
    if run.state != State.SUCCEEDED:
        raise HttpError(409, f"the run is {run.state}; only a succeeded run can be asked further")
    return found, subject_of(run, plan)
