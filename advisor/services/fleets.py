"""The whole week's fleet of an answered run: solved in the background, kept by what was asked."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import QuerySet

from advisor.engine.errors import EngineRefusal
from advisor.engine.fleet.answering import FULL, full_fleet
from advisor.engine.fleet.mip import Limits
from advisor.engine.fleet.mixing import mixed_plan, not_recommended_because
from advisor.engine.fleet.percentiles import checked
from advisor.engine.fleet.pursuing import goal_of
from advisor.engine.fleet.setting import setting_of
from advisor.engine.fleet.sizes import Speeds
from advisor.engine.fleet.spot import spot_plans
from advisor.engine.fleet.telling import fleet_document
from advisor.engine.search.river import software_month
from advisor.engine.version import ENGINE_VERSION
from advisor.models import Job, Kind, State
from advisor.services import jobs
from advisor.services.advice import Worked, reopened

Progress = Callable[[str, float], None]
SCHEMA = "fleet/1"
SECONDS = (1.0, 600.0)
"""Least and most seconds a fleet may be searched for."""


class NoFleet(EngineRefusal):
    """The run's workloads cannot be put on a fleet, or something asked for makes no sense."""


def start_fleet(
    run: Job,
    *,
    owner: User,
    robust: bool = False,
    seconds: float | None = None,
    idempotency_key: str = "",
) -> Job:
    """A job that solves a run's fleet; one asked the same before is answered by that one.

    Without seconds it stops at fixed points of its work, which are the same on every machine,
    so that it can be replayed. Raises NoFleet and what `jobs.accept` raises.
    """
    if seconds is not None and not SECONDS[0] <= seconds <= SECONDS[1]:
        message = f"seconds is {seconds:g}; it must be from {SECONDS[0]:g} to {SECONDS[1]:g}"
        raise NoFleet(message)
    inputs = asked_of(run, robust=robust, seconds=seconds)
    known = known_fleet(run, inputs)
    if known is not None and not idempotency_key:
        return known
    return jobs.accept(
        Kind.FLEET,
        inputs,
        owner=owner,
        organisation=run.organisation,
        assessment=run.assessment,
        idempotency_key=idempotency_key,
    )


def asked_of(
    run: Job, *, robust: bool = False, seconds: float | None = None
) -> dict[str, str | bool | float | None]:
    """The inputs of a fleet's job, by which one asked the same before is found."""
    return {
        "run": str(run.pk), "robust": robust, "seconds": seconds, "engine_version": ENGINE_VERSION,
    }  # fmt: skip


def start_beside(run: Job, *, owner: User) -> Job | None:
    """A run's fleet, started for a page that shows something else; None where it cannot be now.

    The owner may have too many jobs, or the disk be full: the Fleet page says so.
    """
    try:
        return start_fleet(run, owner=owner)
    except (jobs.TooManyJobs, jobs.NoSpace):
        return None


def last_fleet(run: Job) -> Job | None:
    """The last job for a run's fleet at the expected demand, however it ended."""
    return _asked_before(run, asked_of(run)).order_by("-created_at").first()


def known_fleet(run: Job, inputs: Mapping[str, Any]) -> Job | None:
    """The job that was asked the same of this run and was neither cancelled nor failed."""
    alive = (State.QUEUED, State.RUNNING, State.SUCCEEDED)
    return _asked_before(run, inputs).filter(state__in=alive).first()


def _asked_before(run: Job, inputs: Mapping[str, Any]) -> QuerySet[Job]:
    asked = jobs.inputs_hash(Kind.FLEET, inputs, run.assessment)
    return Job.objects.of(run.organisation).filter(kind=Kind.FLEET, inputs_hash=asked)


def fleet_of_run(run: Job, fleet_id: UUID) -> Job | None:
    """A fleet of a run by its id; None where the run has no such one."""
    found = Job.objects.of(run.organisation).filter(kind=Kind.FLEET, pk=fleet_id).first()
    return found if found is not None and found.inputs.get("run") == str(run.pk) else None


def fleet_result(inputs: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Do a fleet job: everything its page shows."""
    progress("Reading the run", 0.02)
    run = Job.objects.get(pk=UUID(inputs["run"]))
    worked = reopened(run)
    if worked.question.solve_for == "check_given_setup":
        message = "This run checks a set-up you have in mind; there is no fleet to choose."
        raise NoFleet(message)
    progress("Collecting every way to serve each workload", 0.1)
    robust = bool(inputs["robust"])
    month = software_month(worked.snapshot)
    setting = setting_of(
        worked.question,
        worked.priced,
        worked.decisions,
        robust=robust,
        speeds=Speeds(calibration=worked.calibration, software_month=month),
        objective=goal_of(worked.question),
    )
    if setting is None:
        message = "A workload has no plan at all, so there is no fleet; the answer says why."
        raise NoFleet(message)
    seconds = inputs.get("seconds")
    limits = FULL if seconds is None else Limits(gap=FULL.gap, nodes=1_000_000, seconds=seconds)
    answer = full_fleet(
        setting,
        worked.decisions,
        limits=limits,
        tell=progress,
        watch=_watch(progress),
        check=lambda asked, fleet: checked(
            asked,
            fleet,
            calibration=worked.calibration,
            software_month=month,
            tell=lambda stage, fraction: progress(stage, 0.85 + 0.1 * fraction),
        ),
    )
    if answer is None:
        message = "Nothing serves every workload within your limits together."
        raise NoFleet(message)
    return {
        "schema": SCHEMA,
        "run": str(run.pk),
        "name": worked.question.name,
        "engine_version": ENGINE_VERSION,
        **fleet_document(answer),
        "plan": mixed_plan(answer, name=worked.question.name).as_dict(),
        "not_recommended_because": not_recommended_because(answer),
        "spot": _spot(worked, month, progress),
    }


def _spot(worked: Worked, month: float, progress: Progress) -> list[dict[str, Any]]:
    progress("Weighing spot with a fallback", 0.96)
    found = spot_plans(
        worked.question, worked.priced, calibration=worked.calibration, software_month=month
    )
    return [asdict(each) for each in found]


def _watch(progress: Progress) -> Callable[[float, float], bool]:
    """Progress from within the solver; a cancelled job raises there, which stops the solver."""

    def look(usd: float, bound: float) -> bool:
        known = 0.0 < bound <= usd < 1e29  # noqa: PLR2004 -- the solver's infinity
        stage = f"Searching, proven within {1.0 - bound / usd:.1%}" if known else "Searching"
        try:
            progress(stage, 0.4)
        except jobs.Cancelled:
            return True
        return False

    return look
