"""The ways to get capacity that are compared: rent, commit, own, mix, or pay by the token."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from advisor.engine.money.futures import cases_of
from advisor.engine.plan import Plan
from catalog.specs import Purchase
from catalog.units import PERCENT
from costing.engine.breakeven import Ways, ways_of
from costing.engine.cases import CostCases, CostRules
from costing.engine.hybrid import hybrid
from costing.engine.montecarlo import Spread

KINDS: Mapping[str, str] = {
    "rent": "Cloud, by the hour",
    "commit": "Cloud, committed",
    "own": "Own machines",
    "hybrid": "Own base, cloud for growth",
    "apart": "Prefill and decode apart",
    "hosted": "Hosted API, by the token",
}
"""Ways to get capacity, by id, in the order of a table."""
KIND_OF: Mapping[Purchase, str] = {
    Purchase.ON_DEMAND: "rent",
    Purchase.SPOT: "rent",
    Purchase.CAPACITY_BLOCK: "rent",
    Purchase.RESERVED_1Y: "commit",
    Purchase.RESERVED_3Y: "commit",
    Purchase.BUY: "own",
    Purchase.QUOTE: "own",
    Purchase.HOSTED_TOKENS: "hosted",
}
"""The way that an offer is, by its purchase."""
OWN = frozenset({Purchase.BUY, Purchase.QUOTE})
NO_GROWTH = "Demand does not grow, so there is nothing to rent beside own machines."
NOTHING_PRICED = "It needs an own and a rented plan with a price; one of them is missing."


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to get the capacity, with the plan that does it cheapest."""

    kind: str  # one of KINDS
    plan: Plan  # of a hybrid, the own part
    cases: CostCases
    speeds: tuple[Spread, ...]  # of each case
    is_extra: bool = False  # the chosen plan beside a cheaper one of its kind
    rented: Plan | None = None  # the rented part of a hybrid
    owned_share: float | None = None

    @property
    def row_plans(self) -> tuple[Plan, ...]:
        """The plan of each case."""
        own = (self.plan,) * len(self.plan.costed)
        return own if self.rented is None else (*own, self.rented)

    @property
    def offers(self) -> tuple[tuple[str, ...], ...]:
        """What is bought of whom, by case."""
        return self.plan.offers + (() if self.rented is None else self.rented.offers)

    @property
    def label(self) -> str:
        """The way in words; of two of one kind the chosen plan's says so."""
        return f"{KINDS[self.kind]} (this plan)" if self.is_extra else KINDS[self.kind]

    @property
    def name(self) -> str:
        """What is got, in one line."""
        if self.rented is None:
            return self.plan.name
        share = (self.owned_share or 0.0) / PERCENT
        return (
            f"{share:.0f} % of the start on {self.plan.name}; the rest and all growth on "
            f"{self.rented.name}"
        )


def kind_of(plan: Plan) -> str:
    """The way to get capacity that a plan takes."""
    return "apart" if plan.pool_cases else KIND_OF[Purchase(plan.purchase)]


def purchases(plan: Plan) -> list[str]:
    """How a plan's machines are bought; two ways where its pools differ.

    Source: the plan.
    """
    return plan.purchase.split(", ")


def costed(plans: Sequence[Plan]) -> list[Plan]:
    """Plans that meet the targets and can be costed again."""
    return [plan for plan in plans if plan.costed and plan.meets_targets]


def compared(
    plans: Sequence[Plan], chosen: Plan, rules: CostRules
) -> tuple[list[Way], dict[str, str]]:
    """The chosen plan, the cheapest plan of every other way, and why a way is missing.

    Plans that may be recommended come before those that may not, and among those of one kind
    the total over the horizon decides. Of own machines without a price one is kept, so that
    the price at which it would win can be found.

    Source: the rule stated here; costs as `costing.engine.tco`.
    """
    pool = costed(plans)
    each = ways_of([cases_of(plan) for plan in pool])
    totals = dict(zip((plan.id for plan in pool), each.totals_usd(rules), strict=True))
    best: dict[str, Plan] = {}
    for plan in sorted(pool, key=lambda each: _order(each, totals[each.id])):
        best.setdefault(kind_of(plan), plan)
    mixed, why = _mixed(pool, totals, rules)
    ways = {kind: _alone(kind, plan) for kind, plan in best.items()}
    if mixed is not None:
        ways["hybrid"] = mixed
    missing = {
        kind: why if kind == "hybrid" else "No plan of this kind meets your targets and limits."
        for kind in KINDS
        if kind not in ways and kind != "apart"
    }
    ordered = [ways[kind] for kind in KINDS if kind in ways]
    if best[kind_of(chosen)].id != chosen.id:
        ordered.insert(0, replace(_alone(kind_of(chosen), chosen), is_extra=True))
    return ordered, missing


def _order(plan: Plan, usd: float) -> tuple[bool, bool, float]:
    unpriced = not np.isfinite(usd)
    return unpriced, bool(plan.extra.get("not_recommended_because")), 0.0 if unpriced else usd


def _alone(kind: str, plan: Plan) -> Way:
    cases = cases_of(plan)
    return Way(kind=kind, plan=plan, cases=cases, speeds=(plan.speed_range,) * len(cases))


def _mixed(
    pool: Sequence[Plan], totals: Mapping[str, float], rules: CostRules
) -> tuple[Way | None, str]:
    """Own machines for a base, and machines by the hour for the rest."""

    def cheapest(*kinds: Purchase) -> Plan | None:
        mine = [
            p for p in pool
            if p.purchase in kinds and np.isfinite(totals[p.id]) and not p.pool_cases
        ]  # fmt: skip
        return min(mine, key=lambda plan: _order(plan, totals[plan.id]), default=None)

    own, rented = cheapest(Purchase.BUY), cheapest(Purchase.ON_DEMAND)
    if own is None or rented is None:
        return None, NOTHING_PRICED
    both = hybrid(cases_of(own), cases_of(rented), rules)
    if both is None:
        return None, NO_GROWTH
    way = Way(
        kind="hybrid",
        plan=own,
        cases=both.cases,
        speeds=(own.speed_range, rented.speed_range),
        rented=rented,
        owned_share=both.owned_share,
    )
    return way, ""


def joined(ways: Sequence[Way]) -> Ways:
    """The ways as rows of cases, for costs side by side."""
    return ways_of([way.cases for way in ways])


def elasticity(way: Way, *, interrupted_per_month: float) -> str:
    """How fast the capacity grows and shrinks, in words.

    Source: the terms of each way to buy; the rate of interruptions where it is spot.
    """
    taken = interrupted_per_month / PERCENT
    texts: Mapping[str, str] = {
        "on_demand": "up and down by the hour, where machines are free",
        "spot": f"by the hour, and taken away at short notice: {taken:.0f} % in a month",
        "capacity_block": "fixed days, booked ahead; neither up nor down meanwhile",
        "reserved_1y": "up at any time, down only after 12 months",
        "reserved_3y": "up at any time, down only after 36 months",
        "buy": "up by whole machines once delivered; what is bought stays",
        "quote": "up by whole machines once delivered; what is bought stays",
        "hosted_tokens": "by the token, within the provider's limits",
    }
    if way.rented:
        return "the base stays, the rest by the hour"
    return "; ".join(texts[each] for each in purchases(way.plan))


def weeks_to_capacity(way: Way, *, own: Spread, block_weeks: float) -> tuple[float, float, str]:
    """Weeks until the capacity is there, from and to, and what the figures are.

    Source: the offer where it states a time; else the rates `lead_time/...`.
    """
    stated = way.plan.extra.get("lead_time_weeks")
    if isinstance(stated, int | float):
        return float(stated), float(stated), "as the offer states"
    if way.rented or OWN & set(purchases(way.plan)):
        return own[0], own[1], "reported for accelerator servers; the offer states none"
    if Purchase.CAPACITY_BLOCK in purchases(way.plan):
        return 0.0, block_weeks, "booked ahead by at most this"
    return 0.0, 0.0, "at once where machines are free; the offer promises none"
