"""The fleet of the objective that was asked for, where the answer shows that of least cost."""

from django.contrib.auth.models import User

from advisor.models import Job
from advisor.services import fleets


def search(run: Job, *, owner: User) -> Job | None:
    """The search for the fleet asked for, started where the answer has another; None where not."""
    before = known(run)
    if before is not None or not _differs(run):
        return before
    return fleets.start_beside(run, owner=owner)


def known(run: Job) -> Job | None:
    """The last such search, however it ended."""
    return fleets.last_fleet(run) if _differs(run) else None


def _differs(run: Job) -> bool:
    """Whether the fleet of the answer is of least cost and something else was asked for."""
    result = run.result or {}
    told = (result.get("objective") or {}).get("of_fleet")
    return bool(told) and result.get("recommendation") is not None
