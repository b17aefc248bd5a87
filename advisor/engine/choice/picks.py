"""Five plans by name, each first in one respect, and the plans that nothing beats in all."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from advisor.engine.choice.ranking import undominated
from advisor.engine.plan import Plan
from advisor.engine.workload import Money

PRICE_OF_SPEED = 2.0
"""Without a budget the fastest plan is sought up to this multiple of the least cost (assumed)."""
INTERRUPTIBLE = frozenset({"spot"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One plan in the four respects that plans are ranked by; None where unknown."""

    plan: Plan
    usd: float | None
    wait: float | None  # hours of a run, or seconds to the end of an answer at the 99th percentile
    carbon_kg_month: float | None
    risk: float | None  # high end of the cost's 80 % range over its value
    undominated: bool


def named_picks(plans: Sequence[Plan], money: Money) -> dict[str, str]:
    """Plan ids: cheapest, fastest for the budget, most robust, greenest, simplest to run.

    Among plans of single workloads, at one place or several, that may be recommended. Most
    robust is the one that costs least at the high end of its range, not counting machines that
    may be taken away; simplest the one with the fewest machines, a hosted API having none, and
    less porting before more.

    Source: rules stated here.
    """
    fit = [
        plan
        for plan in plans
        if plan.meets_targets
        and (plan.kind != "fleet" or plan.extra.get("places") or plan.extra.get("pools"))
        and not plan.extra.get("not_recommended_because")
        and plan.value("total_cost_usd") is not None
    ]
    respects: Mapping[str, tuple[Sequence[Plan], Callable[[Plan], tuple[float, ...] | None]]] = {
        "cheapest": (fit, lambda plan: _known(plan.value("total_cost_usd"))),
        "fastest": (_affordable(fit, money), lambda plan: _known(_wait(plan))),
        "robust": (
            [plan for plan in fit if not INTERRUPTIBLE & set(plan.purchase.split(", "))],
            lambda plan: _known(plan.figures["total_cost_usd"].high),
        ),
        "greenest": (fit, lambda plan: _known(plan.value("carbon_kg_month"))),
        "simplest": (fit, _effort),
    }
    found = {}
    for name, (among, measure) in respects.items():
        known = [(value, plan.id) for plan in among if (value := measure(plan)) is not None]
        if known:
            found[name] = min(known)[1]
    return found


def standings(plans: Sequence[Plan]) -> list[Standing]:
    """Plans that may be recommended in all four respects, cheapest first.

    Source: figures of the plans; dominance as in `ranking`.
    """
    fit = [
        plan
        for plan in plans
        if plan.meets_targets and not plan.extra.get("not_recommended_because")
    ]
    columns = [
        (plan.value("total_cost_usd"), _wait(plan), plan.value("carbon_kg_month"), _risk(plan))
        for plan in fit
    ]
    table = np.array(
        [[np.nan if value is None else value for value in row] for row in columns]
    ).reshape(-1, 4)
    front = undominated(*table.T) if len(fit) else np.zeros(0, dtype=bool)
    found = [
        Standing(
            plan=plan, usd=row[0], wait=row[1], carbon_kg_month=row[2], risk=row[3],
            undominated=bool(on),
        )
        for plan, row, on in zip(fit, columns, front, strict=True)
    ]  # fmt: skip
    return sorted(found, key=lambda each: np.inf if each.usd is None else each.usd)


def _affordable(plans: Sequence[Plan], money: Money) -> list[Plan]:
    limits = (
        ("total_cost_usd", money.budget_total_usd),
        ("monthly_cost_usd", money.budget_month_usd),
        ("capex_usd", money.capex_max_usd),
    )
    stated = [(name, limit) for name, limit in limits if limit is not None]
    if not stated and plans:
        least = min(plan.value("total_cost_usd") or np.inf for plan in plans)
        stated = [("total_cost_usd", PRICE_OF_SPEED * least)]
    return [
        plan for plan in plans if all((plan.value(name) or 0.0) <= limit for name, limit in stated)
    ]


def _known(value: float | None) -> tuple[float, ...] | None:
    return None if value is None else (value,)


def _wait(plan: Plan) -> float | None:
    return plan.value("hours") or plan.value("e2e_p99_s")


def _risk(plan: Plan) -> float | None:
    total = plan.figures.get("total_cost_usd")
    if total is None or not total.value or total.high is None:
        return None
    return total.high / total.value


def _effort(plan: Plan) -> tuple[float, ...]:
    return (
        float(plan.system_count),
        plan.porting_weeks or 0.0,
        plan.value("total_cost_usd") or 0.0,
    )
