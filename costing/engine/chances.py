"""How likely one plan is cheaper than another, how wide its cost is, and what makes it so."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np

from costing.engine.cases import CostCases, CostRules
from costing.engine.data import Floats
from costing.engine.montecarlo import Draws, Uncertainty, as_assumed, totals_usd


@dataclass(frozen=True, slots=True, kw_only=True)
class Swing:
    """What one unknown does to the cost of one plan when all others are as assumed."""

    name: str
    low_usd: float  # at the low end of its interval
    high_usd: float  # at the high end


def percentiles_usd(totals: Floats, *, at: tuple[float, ...] = (0.1, 0.5, 0.9)) -> Floats:
    """Cost of each plan that is not exceeded with each of these chances; shape (chances, plans).

    Source: sample quantiles, linear between order statistics.
    """
    return np.asarray(np.quantile(totals, at, axis=0), dtype=np.float64)


def chance_cheaper(totals: Floats, first: int, second: int) -> float:
    """Share of the futures in which the first plan costs less than the second.

    Both see the same future, so what they share does not blur the answer.
    Source: paired comparison of samples.
    """
    return float((totals[:, first] < totals[:, second]).mean())


def chances_cheaper(totals: Floats) -> Floats:
    """Share of the futures in which the plan of the row costs less than that of the column.

    Shape (plans, plans), nan on the diagonal and where a price is open.
    Source: as `chance_cheaper`, for every pair.
    """
    plans = totals.shape[1]
    shares = np.full((plans, plans), np.nan)
    for plan in range(plans):
        column = totals[:, plan : plan + 1]
        shares[plan] = (column < totals).mean(axis=0)
    known = np.isfinite(totals).all(axis=0)
    shares[~known] = np.nan
    shares[:, ~known] = np.nan
    np.fill_diagonal(shares, np.nan)
    return shares


def chance_cheapest(totals: Floats) -> Floats:
    """Share of the futures in which each plan is the cheapest; shape (plans,).

    Source: counting.
    """
    winners = np.bincount(np.argmin(totals, axis=1), minlength=totals.shape[1])
    return winners / len(totals)


def tornado(cases: CostCases, rules: CostRules, known: Uncertainty) -> tuple[Swing, ...]:
    """What matters most to the cost of a plan (all rows): the unknowns by the size of their swing.

    Source: one at a time sensitivity, ends of the 80 % intervals.
    """
    base = as_assumed(cases, rules)
    growth = known.growth_per_month or (rules.growth_per_month, rules.growth_per_month)
    ends: Mapping[str, tuple[Floats | float, Floats | float]] = {
        "load": known.load,
        "performance": known.performance,
        "growth_per_month": growth,
        "price_trend": tuple(np.log1p(known.price_trend_per_year)),
        "power_price": known.power_price,
        "failures": known.failures,
        "price": (cases.price_low_factor, cases.price_high_factor),
    }
    swings = []
    for each in fields(Draws):
        shape = getattr(base, each.name).shape
        low, high = (
            totals_usd(cases, rules, replace(base, **{each.name: np.broadcast_to(end, shape)}))[
                0
            ].sum()
            for end in ends[each.name]
        )
        swings.append(Swing(name=each.name, low_usd=float(low), high_usd=float(high)))
    return tuple(sorted(swings, key=lambda swing: -abs(swing.high_usd - swing.low_usd)))
