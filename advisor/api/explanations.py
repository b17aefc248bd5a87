"""The JSON API of explanations: the formula trees behind a run's figures."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from advisor import queries
from advisor.api.access import key_for
from advisor.engine.errors import NotExplained
from advisor.models import Job, Kind, Scope
from advisor.services.explanation import as_document, explained, explained_all

router = Router()


class ExplanationOut(Schema):
    """Trees by figure; each term has its value, unit, formula, children, evidence and source."""

    plan: str
    name: str
    figures: dict[str, dict[str, Any]] = Field(description="by name of the figure")


@router.get(
    "/runs/{run_id}/plans/{plan_id}/explain",
    response=ExplanationOut,
    summary="Formula trees of a plan's performance figures",
)
def explain_plan(request: HttpRequest, run_id: UUID, plan_id: str, figure: str = "") -> Any:
    key = key_for(request, Scope.RUN)
    return explanation_of(queries.job(key.organisation, run_id, kind=Kind.RUN), plan_id, figure)


def explanation_of(run: Job, plan_id: str = "", figure: str = "") -> dict[str, Any]:
    """Trees of one figure or all, of a plan or of the recommended one."""
    recommended = (run.result or {}).get("recommendation") or {}
    chosen = plan_id or str(recommended.get("id", ""))
    if not run.result or not chosen:
        message = f"the run is {run.state} and has no recommended plan; name one with ?plan="
        raise NotExplained(message)
    if not figure:
        return explained_all(run, chosen)
    plan, found = explained(run, chosen, figure)
    return {"plan": plan.id, "name": plan.name, "figures": {figure: as_document(found)}}
