"""Several workloads on one fleet: what the peak of one leaves idle, another may use."""

from collections.abc import Sequence
from dataclasses import replace

from advisor.engine.choice.decision import Decision
from advisor.engine.plan import CostLine, Plan
from advisor.engine.workload import Workload
from catalog.specs import Evidence, Figure
from catalog.units import HOURS_PER_MONTH
from costing.engine.tco import COMPUTE

_IDLE_USABLE = 0.8  # of idle hours; the rest goes to draining, loading and checkpoints
_ASSUMED = "share of idle hours a scheduler can use: 0.8, assumed"


def greedy_fleet(
    decisions: Sequence[Decision], workloads: Sequence[Workload], *, name: str
) -> Plan | None:
    """Each workload's recommended plan, with jobs moved into idle hours where that is cheaper.

    Jobs (batches and trainings) are tried, dearest first, on machines that another workload
    keeps around the clock: on the same part, in at most 80 % of the hours it leaves idle. What
    is kept anyway costs nothing more, so the job's own compute falls away. It is a greedy
    choice: the bound is what the workloads would cost if all compute of jobs were free.
    None where a workload has no plan.

    Source: rule stated here; the optimum needs an integer program.
    """
    if any(decision.recommended is None for decision in decisions):
        return None
    own = [decision.recommended for decision in decisions if decision.recommended is not None]
    is_job = [workload.is_job for workload in workloads]
    idle_hours = {
        index: _idle_accelerator_hours(own[index]) for index in range(len(own)) if not is_job[index]
    }
    chosen = list(own)
    notes: list[str] = []
    jobs = [index for index in range(len(own)) if is_job[index]]
    for job in sorted(jobs, key=lambda index: -(own[index].value("total_cost_usd") or 0.0)):
        moved = _moved(decisions[job], own, idle_hours)
        if moved is not None:
            host, plan, hours = moved
            idle_hours[host] -= hours
            chosen[job] = plan
            notes.append(
                f"{plan.workload} runs in idle hours of {own[host].workload}'s machines: "
                f"{hours:,.0f} accelerator-hours a month."
            )
    return _fleet_plan(chosen, own, decisions, jobs, notes, name=name)


def _idle_accelerator_hours(plan: Plan) -> float:
    """Accelerator-hours a month that stand idle on machines that are paid all the time."""
    load = float(str(plan.extra.get("mean_utilisation", 1.0)))
    always_on = bool(plan.extra.get("always_on"))
    idle = plan.accelerator_count * HOURS_PER_MONTH * max(1.0 - load, 0.0)
    return idle * _IDLE_USABLE if always_on else 0.0


def _moved(
    decision: Decision, own: Sequence[Plan], idle_hours: dict[int, float]
) -> tuple[int, Plan, float] | None:
    """The job's plan without compute on the first host that has room, if it costs less."""
    best = decision.recommended
    if best is None:
        return None
    for host, hours_left in idle_hours.items():
        for plan in decision.plans:
            needed = plan.accelerator_count * float(str(plan.extra.get("hours_per_month", 1e12)))
            same = plan.accelerator_slug == own[host].accelerator_slug
            fits = plan.accelerator_count <= own[host].accelerator_count and needed <= hours_left
            if not (same and fits and plan.meets_targets):
                continue
            shared = _without_compute(plan, own[host])
            if (shared.value("total_cost_usd") or 0.0) < (best.value("total_cost_usd") or 0.0):
                return host, shared, needed
    return None


def _without_compute(plan: Plan, host: Plan) -> Plan:
    compute = next((line.usd for line in plan.cost_breakdown if line.label == COMPUTE), 0.0)
    lines = tuple(line for line in plan.cost_breakdown if line.label != COMPUTE)
    total, monthly = plan.figures["total_cost_usd"], plan.figures["monthly_cost_usd"]
    share = (total.value or 0.0) / (monthly.value or 1.0) if monthly.value else 1.0
    return replace(
        plan,
        name=f"idle hours of {host.name}",
        provider=host.provider,
        region=host.region,
        purchase=host.purchase,
        cost_breakdown=lines,
        figures={
            **plan.figures,
            "total_cost_usd": _less(total, compute),
            "monthly_cost_usd": _less(monthly, compute / share if share else 0.0),
        },
        fleet=tuple(
            replace(item, what=f"{item.what} (idle hours of {host.workload})", count=0)
            for item in plan.fleet
        ),
        notes=(*plan.notes, _ASSUMED),
        case=None,
    )


def _less(figure: Figure, usd: float) -> Figure:
    def cut(value: float | None) -> float | None:
        return None if value is None else round(max(value - usd, 0.0), 2)

    return replace(
        figure, value=cut(figure.value), low=cut(figure.low), high=cut(figure.high),
        evidence=Evidence.ASSUMED,
    )  # fmt: skip


def _fleet_plan(
    chosen: Sequence[Plan],
    own: Sequence[Plan],
    decisions: Sequence[Decision],
    jobs: Sequence[int],
    notes: Sequence[str],
    *,
    name: str,
) -> Plan:
    total = _sum([plan.figures["total_cost_usd"] for plan in chosen])
    monthly = _sum([plan.figures["monthly_cost_usd"] for plan in chosen])
    separate = sum(plan.value("total_cost_usd") or 0.0 for plan in own)
    bound = sum(
        (plan.value("total_cost_usd") or 0.0) - (_compute(plan) if index in jobs else 0.0)
        for index, plan in enumerate(own)
    )
    families = sorted({plan.family for plan in chosen})
    single = _best_single_family(decisions)
    value = total.value or 0.0
    fleet = tuple(item for plan in chosen for item in plan.fleet)
    return Plan(
        id="fleet",
        name=", ".join(dict.fromkeys(item.what for item in fleet if item.count)) or name,
        workload="all workloads",
        kind="fleet",
        family=families[0] if len(families) == 1 else "hybrid",
        accelerator=", ".join(dict.fromkeys(plan.accelerator for plan in chosen)),
        accelerator_slug=",".join(dict.fromkeys(plan.accelerator_slug for plan in chosen)),
        accelerator_count=sum(
            plan.accelerator_count for plan in chosen if any(item.count for item in plan.fleet)
        ),
        system="",
        system_count=sum(item.count for item in fleet),
        provider=", ".join(dict.fromkeys(plan.provider for plan in chosen)),
        provider_kind="",
        region=", ".join(dict.fromkeys(plan.region for plan in chosen if plan.region)),
        country=", ".join(dict.fromkeys(plan.country for plan in chosen if plan.country)),
        purchase=", ".join(dict.fromkeys(plan.purchase for plan in chosen)),
        precision=", ".join(dict.fromkeys(plan.precision for plan in chosen)),
        engine=", ".join(dict.fromkeys(plan.engine for plan in chosen)),
        parallelism={},
        meets_targets=all(plan.meets_targets for plan in chosen),
        price_open=False,
        price={},
        cost_breakdown=merged_lines(chosen),
        figures={"total_cost_usd": total, "monthly_cost_usd": monthly},
        fleet=fleet,
        quality_gate="as each workload's plan says",
        porting_weeks=None,
        notes=tuple(notes),
        extra={
            "mip_gap": round(max(value - bound, 0.0) / value, 6) if value else 0.0,
            "lower_bound_usd": round(min(bound, value, value if single is None else single), 2),
            "best_single_family_cost_usd": single,
            "separate_cost_usd": round(separate, 2),
            "own_power_kw": sum(
                plan.value("power_kw") or 0.0 for plan in chosen if plan.provider_kind == "on_prem"
            ),
        },
    )


def _compute(plan: Plan) -> float:
    return sum(line.usd for line in plan.cost_breakdown if line.label == COMPUTE)


def _sum(figures: Sequence[Figure]) -> Figure:
    def total(name: str) -> float:
        return round(sum(getattr(figure, name) or 0.0 for figure in figures), 2)

    return replace(
        figures[0], value=total("value"), low=total("low"), high=total("high"),
        source="sum of the workloads' plans",
    )  # fmt: skip


def merged_lines(plans: Sequence[Plan]) -> tuple[CostLine, ...]:
    """The plans' cost lines added up by label, in the order they come.

    Source: sums.
    """
    lines: dict[str, CostLine] = {}
    for plan in plans:
        for line in plan.cost_breakdown:
            known = lines.get(line.label)
            lines[line.label] = (
                line
                if known is None
                else replace(
                    known,
                    usd=round(known.usd + line.usd, 2),
                    low=round(known.low + line.low, 2),
                    high=round(known.high + line.high, 2),
                )
            )
    return tuple(lines.values())


def _best_single_family(decisions: Sequence[Decision]) -> float | None:
    """Least cost with all workloads on parts of one family, each on its own machines."""
    totals = []
    families = {plan.family for decision in decisions for plan in decision.plans}
    for family in families - {"hosted"}:
        costs = [
            min(
                (
                    plan.value("total_cost_usd") or float("inf")
                    for plan in decision.plans
                    if plan.family == family and not plan.extra.get("not_recommended_because")
                ),
                default=float("inf"),
            )
            for decision in decisions
        ]
        totals.append(sum(costs))
    known = [total for total in totals if total < float("inf")]
    return round(min(known), 2) if known else None
