"""Too close to call: how sure the cheaper plan is the cheaper one, and what would tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np

from advisor.engine.cases import Floats, Ints
from advisor.engine.money.futures import SEED, same_price, uncertainty_of
from advisor.engine.plan import Plan
from costing.engine.cases import CostRules, stacked
from costing.engine.chances import chance_cheaper
from costing.engine.montecarlo import Draws, sampled, totals_usd
from costing.engine.rates import Rates

SURE_FROM = 0.8
"""Chance from which one plan is called cheaper than another."""
DRAWS = 4_000
BINS = 20
MOST_CONTENDERS = 8
UNKNOWNS: Mapping[str, str] = {
    "load": "the load",
    "growth_per_month": "the growth of the load",
    "price_trend": "the trend of prices",
    "power_price": "the price of electricity",
    "failures": "the share of broken machines",
    "performance": "the speed of {plan}",
    "price": "the price of {plan}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """One thing that is not known yet, and what knowing it would be worth."""

    id: str  # a field of Draws
    plan: int | None  # of the contenders, where it is one plan's own
    worth_usd: float  # expected saving if it were known before the choice
    narrows: float  # share of the variance of the cost difference that it makes up


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """The recommended plan (first of the contenders) against the others, in the same futures."""

    contenders: tuple[Plan, ...]
    chance: tuple[float, ...]  # that the first is cheaper than each contender; nan for itself
    unknowns: tuple[Unknown, ...]  # by worth, then by how much they narrow
    cheapest_chance: float  # that the first is the cheapest of all


@dataclass(frozen=True, slots=True, kw_only=True)
class Futures:
    """Contenders in the same futures: what is drawn, and what each then costs."""

    contenders: tuple[Plan, ...]
    draws: Draws
    owner: tuple[int, ...]  # contender of each case that is drawn; plans of two pools have two
    price_of: Ints  # of each case the first one at the very same price
    totals: Floats  # (draws, contenders), USD


def futures_of(
    best: Plan, rivals: Sequence[Plan], rules: CostRules, rates: Rates
) -> Futures | None:
    """The recommended plan and its nearest rivals in the same futures; None where not costed.

    Source: `costing.engine.montecarlo`, from a fixed seed.
    """
    kept = [plan for plan in (best, *rivals) if plan.costed]
    if not best.costed or len(kept) == 1:
        return None
    kept = kept[:MOST_CONTENDERS]
    owner = tuple(at for at, plan in enumerate(kept) for _ in plan.costed)
    cases = stacked([case for plan in kept for case in plan.costed])
    known = uncertainty_of([kept[at].speed_range for at in owner], rules, rates)
    price_of = same_price([offer for plan in kept for offer in plan.offers])
    draws = sampled(cases, rules, known, draws=DRAWS, seed=SEED, price_of=price_of)
    firsts = [owner.index(at) for at in range(len(kept))]
    totals = np.add.reduceat(totals_usd(cases, rules, draws), firsts, axis=1)
    return Futures(
        contenders=tuple(kept), draws=draws, owner=owner, price_of=price_of, totals=totals
    )


def doubt_of(futures: Futures) -> Doubt:
    """How sure the first contender is the cheapest, and what each unknown is worth knowing.

    Source: expected value of partial perfect information, estimated by conditional means as
    in M. Strong, J. E. Oakley, A. Brennan, "Estimating multiparameter partial expected value
    of perfect information from a probabilistic sensitivity analysis sample", Medical Decision
    Making 34(3), 2014.
    """
    totals = futures.totals
    plans = range(totals.shape[1])
    unknowns = _unknowns(futures, totals, plans=tuple(plans))
    return Doubt(
        contenders=futures.contenders,
        chance=tuple(np.nan if at == 0 else chance_cheaper(totals, 0, at) for at in plans),
        unknowns=tuple(sorted(unknowns, key=lambda each: (-each.worth_usd, -each.narrows))),
        cheapest_chance=float((np.argmin(totals, axis=1) == 0).mean()),
    )


def decider(futures: Futures, rival: int) -> Unknown | None:
    """The unknown that makes up most of the difference between the first and one rival.

    Source: first-order sensitivity, A. Saltelli et al., "Global Sensitivity Analysis", Wiley
    2008, section 1.2.9.
    """
    found = _unknowns(futures, futures.totals[:, [0, rival]], plans=(0, rival))
    return max(found, key=lambda each: each.narrows, default=None)


def _unknowns(futures: Futures, totals: Floats, *, plans: Sequence[int]) -> list[Unknown]:
    found = []
    cases = [(case, at) for case, at in enumerate(futures.owner) if at in plans]
    for each in fields(Draws):
        values = getattr(futures.draws, each.name)
        own = cases if each.name != "price" else _one_a_price(cases, futures.price_of)
        columns = [(None, values)] if values.ndim == 1 else [(at, values[:, i]) for i, at in own]
        for plan, column in columns:
            if np.ptp(column) == 0.0:
                continue
            worth, narrows = _worth(totals, column)
            found.append(Unknown(id=each.name, plan=plan, worth_usd=worth, narrows=narrows))
    return found


def _one_a_price(cases: Sequence[tuple[int, int]], price_of: Ints) -> list[tuple[int, int]]:
    """The first of the cases that share a price."""
    first: dict[int, tuple[int, int]] = {}
    for case, at in cases:
        first.setdefault(int(price_of[case]), (case, at))
    return list(first.values())


def _worth(totals: Floats, known: Floats) -> tuple[float, float]:
    """Value of knowing one unknown, and its share of the variance of the nearest difference.

    Futures are sorted by it into bins; within a bin the plan that is cheapest on average is
    chosen, as somebody would who knows the bin.
    """
    order = np.argsort(known, kind="stable")
    means = np.array([totals[rows].mean(axis=0) for rows in np.array_split(order, BINS)])
    shares = np.array([len(rows) for rows in np.array_split(order, BINS)]) / len(order)
    now = float(totals.mean(axis=0).min())
    then = float(shares @ means.min(axis=1))
    rival = int(np.argsort(totals.mean(axis=0))[1])
    first = int(np.argmin(totals.mean(axis=0)))
    difference = totals[:, rival] - totals[:, first]
    explained = means[:, rival] - means[:, first]
    spread = float(difference.var())
    within = float(shares @ (explained - difference.mean()) ** 2)
    return max(now - then, 0.0), within / spread if spread > 0.0 else 0.0
