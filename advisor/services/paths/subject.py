"""The plan that a what-if is about, with everything the run knew when it was answered."""

from dataclasses import dataclass

import numpy as np

from advisor.engine.cases import Floats
from advisor.engine.choice.decision import Decision
from advisor.engine.choice.replicas import NotSimulated
from advisor.engine.errors import EngineRefusal
from advisor.engine.latency.day import day_profile
from advisor.engine.latency.served import Served
from advisor.engine.plan import Plan
from advisor.engine.search.river import Priced
from advisor.engine.workload import ServingDemand, Workload
from advisor.models import Job
from advisor.services.advice import Stage, Worked, plan_documents, reopened, stage_of
from advisor.services.latency import served_plan
from catalog.units import DAYS_PER_MONTH, HOURS_PER_MONTH

MOST_SIMULATED = 8  # replicas; of more, so many are simulated with their share of the load


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A live serving plan of an answered run on machines of its own."""

    worked: Worked
    workload: Workload
    demand: ServingDemand
    priced: Priced
    decision: Decision
    plan: Plan
    served: Served | None  # None where the simulator cannot run it
    countries: tuple[str, ...]  # of the users that the plan serves

    @property
    def replicas(self) -> int:
        """Copies of the model."""
        return int(self.plan.parallelism["replicas"])

    @property
    def requests_per_s_of_replica(self) -> float:
        """What one replica serves within the targets."""
        return (self.plan.value("requests_per_s") or 0.0) / self.replicas

    @property
    def accelerators_of_replica(self) -> int:
        """Accelerators that one copy of the model stands on."""
        shape = self.plan.parallelism
        return max(int(shape["tensor"]) * int(shape["pipeline"]), 1)

    @property
    def usd_per_replica_month(self) -> float | None:
        """The plan's monthly cost by replica, None where the price is open."""
        usd = self.plan.value("monthly_cost_usd")
        return None if usd is None else usd / self.replicas

    @property
    def hourly_per_s(self) -> Floats:
        """Requests per second in each hour of a day with traffic."""
        hours = self.demand.active_hours_per_month / DAYS_PER_MONTH
        return day_profile(
            mean_per_s=self.demand.requests_per_s_mean,
            peak_per_s=self.demand.requests_per_s_peak,
            active_hours=min(max(hours, 1.0), 24.0),
        )

    @property
    def hours_paid(self) -> float:
        """Hours a month in which the plan's machines are paid."""
        always = self.plan.purchase not in ("on_demand", "spot")
        return HOURS_PER_MONTH if always else self.demand.active_hours_per_month

    def needed_by_hour(self, times: float = 1.0) -> Floats:
        """Replicas that each hour's load takes, at least one."""
        rate = max(self.requests_per_s_of_replica, 1e-12)
        return np.maximum(np.ceil(self.hourly_per_s * times / rate - 1e-9), 1.0)

    @property
    def simulated(self) -> tuple[Served, int, float]:
        """The simulator's plan, how many replicas of it are run, and their share of the load."""
        if self.served is None:
            message = "Requests can be simulated for language models on machines of one's own only."
            raise EngineRefusal(message)
        count = min(self.replicas, MOST_SIMULATED)
        return self.served, count, count / self.replicas


def subject_of(run: Job, plan_id: str) -> Subject:
    """A plan of an answered run, the best live one where none is named; raises EngineRefusal."""
    return subject_in(reopened(run), plan_id)


def subject_in(worked: Worked, plan_id: str = "") -> Subject:
    """The same among values that no row stands behind."""
    stage = _first_live(worked) if not plan_id else stage_of(worked, plan_id)
    if stage is not None and _is_live(stage):
        users = [s.users for each in worked.splits.values() for s in each.sites
                 if s.plan.id == plan_id]  # fmt: skip
        return Subject(
            worked=worked,
            workload=stage.workload,
            demand=_demand(stage),
            priced=stage.priced,
            decision=stage.decision,
            plan=stage.plan,
            served=_served(worked, stage.plan),
            countries=users[0] if users else worked.question.user_countries,
        )
    message = (
        f"The run has no plan {plan_id!r} that serves live requests on machines."
        if plan_id
        else "No plan of this answer serves live requests on machines of its own."
    )
    raise EngineRefusal(message)


def _first_live(worked: Worked) -> Stage | None:
    """The best plan that serves live requests, one that may be recommended before others."""
    stages = (
        Stage(plan=plan, workload=priced.workload, priced=priced, decision=decision)
        for priced, decision in zip(worked.priced, worked.decisions, strict=True)
        for plan in sorted(decision.plans, key=_is_blocked)
    )
    return next(filter(_is_live, stages), None)


def _is_live(stage: Stage) -> bool:
    demand, plan = stage.workload.serving, stage.plan
    live = demand is not None and not demand.is_batch and plan.kind == "serving"
    return bool(live and plan.accelerator_slug and plan.parallelism)


def _demand(stage: Stage) -> ServingDemand:
    if stage.workload.serving is None:
        message = f"{stage.workload.name} serves nothing"
        raise EngineRefusal(message)
    return stage.workload.serving


def _is_blocked(plan: Plan) -> bool:
    return bool(plan.extra.get("not_recommended_because"))


def plans_with_requests(run: Job) -> list[tuple[str, str]]:
    """Plans that a what-if can be about: ids and names, best first."""
    return [
        (str(plan["id"]), str(plan["name"]))
        for plan in sorted(
            plan_documents(run.result or {}),
            key=lambda plan: bool(plan.get("not_recommended_because")),
        )
        if plan.get("kind") == "serving"
        and plan.get("accelerator_slug")
        and plan.get("parallelism")
        and not plan.get("is_batch")
    ]


def _served(worked: Worked, plan: Plan) -> Served | None:
    try:
        return served_plan(worked, plan.id)[0]
    except NotSimulated:
        return None
