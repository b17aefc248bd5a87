"""Explanations as jobs: one for each run, made in the background and kept."""

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib.auth.models import User

from advisor.engine.reasons.change import Change
from advisor.engine.reasons.outcome import Outcome
from advisor.models import Job, Kind, State
from advisor.services import jobs
from advisor.services.reasons.document import explain, quick
from advisor.services.whatif import Base, base_of, tried
from catalog.models import Snapshot
from costing.models import KeptRates

Progress = Callable[[str, float], None]
NOT_KEPT = (Snapshot.DoesNotExist, KeptRates.DoesNotExist)
"""What `opened` may raise: the state of the catalogue or of the rates is not there any more."""


def start_reasons(run: Job, *, owner: User, again: bool = False) -> Job:
    """The run's explanation, accepted on first asking; a failed one is made anew where asked."""
    known = reasons_of(run)
    if known is not None and not (again and known.state in (State.FAILED, State.CANCELLED)):
        return known
    attempt = Job.objects.filter(kind=Kind.REASONS, inputs__run=str(run.pk)).count()
    return jobs.accept(
        Kind.REASONS,
        {"run": str(run.pk)},
        owner=owner,
        organisation=run.organisation,
        assessment=run.assessment,
        idempotency_key=f"reasons:{run.pk}:{attempt}",
    )


def reasons_of(run: Job) -> Job | None:
    """The newest explanation of a run, None where nobody has asked yet."""
    found = Job.objects.of(run.organisation).filter(kind=Kind.REASONS, inputs__run=str(run.pk))
    return found.order_by("-created_at").first()


def reasons_result(inputs: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """What a worker does for an explanation."""
    progress("Opening the run", 0.0)
    return explain(opened(Job.objects.get(pk=inputs["run"])), progress=progress)


def opened(run: Job) -> Base:
    """A finished run to try changes on; raises one of NOT_KEPT."""
    return base_of(run)


def at_once(run: Job) -> dict[str, Any]:
    """What of an explanation needs no re-run; raises one of NOT_KEPT."""
    return quick(opened(run))


def rerun(run: Job, change: Change) -> dict[str, Any]:
    """A run worked once more with a change: what wins, what it costs, what the run itself said.

    Raises InvalidAnswers where the change is none, and one of NOT_KEPT.
    """
    base = opened(run)
    return {
        "change": change.as_dict(),
        "before": outcome_document(base.outcome),
        "after": outcome_document(tried(base, change)),
    }


def outcome_document(outcome: Outcome) -> dict[str, Any]:
    """What a run of the river came to, in short."""
    return {
        "usd": outcome.usd,
        "refusal": outcome.refusal,
        "picks": [
            {
                "workload": decision.workload,
                "plan": plan.name if plan else None,
                "accelerator": plan.accelerator if plan else None,
                "accelerator_slug": plan.accelerator_slug if plan else None,
                "accelerator_count": plan.accelerator_count if plan else None,
                "provider": plan.provider if plan else None,
                "region": plan.region if plan else None,
                "purchase": plan.purchase if plan else None,
                "usd": plan.value("total_cost_usd") if plan else None,
                "available": sorted(
                    {each.accelerator for each in decision.plans if each.meets_targets}
                ),
            }
            for decision, plan in zip(outcome.decisions, outcome.plans, strict=True)
        ],
    }
