"""The fleet of the objective that was asked for, where the answer shows that of least cost."""

from django.contrib.auth.models import User

from advisor.models import Job, Kind
from advisor.services import fleets, jobs


def search(run: Job, *, owner: User) -> Job | None:
    """The search for the fleet asked for, started where the answer has another; None where not.

    Nothing is started either where the owner has too many jobs or the disk is full: the Fleet
    page says so.
    """
    before = known(run)
    if before is not None or not _differs(run):
        return before
    try:
        return fleets.start_fleet(run, owner=owner)
    except (jobs.TooManyJobs, jobs.NoSpace):
        return None


def known(run: Job) -> Job | None:
    """The last such search, however it ended."""
    if not _differs(run):
        return None
    asked = jobs.inputs_hash(Kind.FLEET, fleets.asked_of(run), run.assessment)
    same = Job.objects.of(run.organisation).filter(kind=Kind.FLEET, inputs_hash=asked)
    return same.order_by("-created_at").first()


def _differs(run: Job) -> bool:
    """Whether the fleet of the answer is of least cost and something else was asked for."""
    result = run.result or {}
    told = (result.get("objective") or {}).get("of_fleet")
    return bool(told) and result.get("recommendation") is not None
