"""Whether a plan with prefill and decode apart may be recommended to who did not ask for one."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from advisor.engine.money.futures import TOO_CLOSE, cases_of, futures_usd, same_price
from advisor.engine.plan import Plan
from catalog.units import PERCENT
from costing.engine.breakeven import ways_of
from costing.engine.cases import CostRules
from costing.engine.chances import chance_cheaper
from costing.engine.rates import Rates

DRAWS = 2_000
YES = 'answer yes to "May reading and writing use separate machines?" to have it weighed on cost'


def unless_clear(
    plans: Sequence[Plan], together: Plan | None, rules: CostRules, rates: Rates
) -> tuple[Plan, ...]:
    """The plans with separate pools, each with why it may not be recommended unasked.

    It may be where it is cheaper than `together`, the plan of least cost else, in at least four
    of five futures, or where there is no such plan: the rule by which any two plans are too
    close to call. The ranges of separate pools are wider, and the hand-over of the cache is one
    thing more to run.

    Source: `money.futures.TOO_CLOSE`; `costing.engine.montecarlo`.
    """
    if together is None or not plans:
        return tuple(plans)
    chances = _chances(plans, together, rules, rates)
    return tuple(
        plan if plan.extra["not_recommended_because"] else _judged(plan, together, chance)
        for plan, chance in zip(plans, chances, strict=True)
    )


def _judged(plan: Plan, together: Plan, chance: float) -> Plan:
    if chance >= TOO_CLOSE[1]:
        return plan
    known = "its cost cannot be compared"
    if np.isfinite(chance):
        known = (
            f"it costs less than {together.name} in {chance / PERCENT:.0f} % of the futures, under "
            f"{TOO_CLOSE[1] / PERCENT:.0f} %"
        )
    return replace(plan, extra={**plan.extra, "not_recommended_because": f"{known}: {YES}"})


def _chances(plans: Sequence[Plan], together: Plan, rules: CostRules, rates: Rates) -> list[float]:
    """How often each plan costs less than the other one; nan where that has no cost case."""
    if not together.costed:
        return [np.nan] * len(plans)
    each = [together, *plans]
    ways = ways_of([cases_of(plan) for plan in each])
    usd = futures_usd(
        ways.cases,
        [plan.speed_range for plan in each for _ in plan.costed],
        rules,
        rates,
        price_of=same_price([offer for plan in each for offer in plan.offers]),
        draws=DRAWS,
    )
    totals = ways.added(usd)
    return [chance_cheaper(totals, at, 0) for at in range(1, len(each))]
