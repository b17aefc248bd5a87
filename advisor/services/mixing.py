"""Whether one workload is better served by a mixed fleet: weighed in the background, then said."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User

from advisor.models import Job, State
from advisor.services import fleets

Document = Mapping[str, Any]


def weigh(run: Job, *, owner: User) -> Job | None:
    """The search for a run's mixed fleet, started if a mix could pay; None if it could not."""
    before = known(run)
    if before is not None or not (run.result or {}).get("mixing"):
        return before
    return fleets.start_beside(run, owner=owner)


def known(run: Job) -> Job | None:
    """The last search for a single workload's fleet at the expected demand, however it ended."""
    return fleets.last_fleet(run) if len((run.result or {}).get("demand", ())) == 1 else None


def mixed_plan(run: Job) -> Document | None:
    """The mixed fleet of a run as a plan to choose, once it is known."""
    job = known(run)
    result = job.result if job is not None and job.state == State.SUCCEEDED else None
    plan: Document | None = (result or {}).get("plan")
    return plan


def recommended_plan(run: Job) -> Document | None:
    """The mixed fleet where it is known to pay, so that it is what the application recommends."""
    plan: Document | None = _paying(run).get("plan")
    return plan


def instead(run: Job) -> str:
    """The sentence of the fleet that is recommended over a run's plans; empty where none is."""
    return str(_paying(run).get("sentence", ""))


def _paying(run: Job) -> Document:
    """The verdict on a run's fleet where it pays; empty where it does not, or is not known."""
    job = known(run)
    verdict = {} if job is None else verdict_of(job)
    return verdict if verdict.get("pays") else {}


def verdict_of(job: Job) -> dict[str, Any]:
    """What a search says, as page and API show it; `pays` is None while it is not known."""
    result = job.result if job.state == State.SUCCEEDED else None
    if not result or "plan" not in result:
        return {
            "fleet": str(job.pk),
            "state": job.state,
            "pays": None,
            "sentence": "",
            "plan": None,
        }
    why_not = result["not_recommended_because"]
    return {
        "fleet": str(job.pk),
        "state": job.state,
        "pays": not why_not,
        "sentence": result["sentences"][0],
        "why_not": why_not,
        "saving": result["saving"],
        "gap": result["gap"],
        "owned": result.get("owned", []),
        "total_usd": result["total_usd"],
        "single_usd": (result["single"] or {}).get("usd"),
        "recommended_usd": result["plans_usd"],
        "shares": [
            {key: route.get(key) for key in ("what", "provider", "purchase", "share", "hours")}
            for route in result["routes"]
        ],
        "plan": result["plan"],
    }
