"""Where the cheaper of two ways to get capacity turns into the dearer one."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from catalog.units import HOURS_PER_MONTH
from costing.engine.cases import CostCases, CostRules, take
from costing.engine.data import Floats
from costing.engine.tco import cost_breakdown

_POINTS = 65
_ROUNDS = 6  # each narrows the bracket to a sixty-fourth
_LONGEST_MONTHS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakEven:
    """A crossing: what is cheaper below it and above it, `first` or `second`."""

    at: float
    cheaper_below: str
    cheaper_above: str


def crossing(
    difference: Callable[[Floats], Floats], *, low: float, high: float
) -> tuple[float, float] | None:
    """Least x past which `difference` (of a column) has another sign, and the sign before it.

    None where the sign stays. Whole machines make costs jump, so the crossing is bracketed on
    a grid that is refined, with no slope assumed; two crossings within one cell of the first
    grid are not seen.

    Source: bracketing by repeated subdivision.
    """
    before = 0.0
    for _ in range(_ROUNDS):
        grid = np.linspace(low, high, _POINTS)
        signs = np.sign(difference(grid))
        # Both may cost nothing at the very start: the first real difference counts.
        before = before or float(next((sign for sign in signs if sign), 0.0))
        turned = np.flatnonzero(signs == -before)
        if before == 0.0 or not len(turned):
            return None
        low, high = float(grid[max(turned[0] - 1, 0)]), float(grid[turned[0]])
    return high, before


def break_even_utilisation(
    first: CostCases, second: CostCases, rules: CostRules
) -> BreakEven | None:
    """Share of the month's hours in use at which the cheaper of two cases changes.

    Each of `first` and `second` is one row. What may be switched off is, what is owned or
    committed stays and draws idle power.

    Source: `cost_breakdown` of both at each share.
    """

    def at(case: CostCases, shares: Floats) -> Floats:
        varied = _varied(
            case,
            len(shares),
            hours_per_month_needed=shares * HOURS_PER_MONTH,
            utilisation=shares,
            may_scale_down=np.ones(len(shares), dtype=bool),
        )
        return cost_breakdown(varied, rules).total_usd

    return _turn(lambda shares: at(first, shares) - at(second, shares), low=0.0, high=1.0)


def break_even_price(
    rented: CostCases, other: CostCases, rules: CostRules, *, highest_usd_per_h: float
) -> BreakEven | None:
    """Rent in USD per instance-hour at which a rented case costs as much as another one.

    `cheaper_below` is then "first" (the rented one). Each is one row.

    Source: `cost_breakdown` at each price.
    """
    fixed = float(cost_breakdown(other, rules).total_usd[0])

    def difference(prices: Floats) -> Floats:
        varied = _varied(rented, len(prices), usd_per_h=prices)
        return np.asarray(cost_breakdown(varied, rules).total_usd - fixed, dtype=np.float64)

    return _turn(difference, low=0.0, high=highest_usd_per_h)


def break_even_horizon(first: CostCases, second: CostCases, rules: CostRules) -> BreakEven | None:
    """Horizon in whole months from which on the cheaper of two cases is the other one.

    Every horizon is a run of its own, because commitments and residual values depend on it.
    Source: `cost_breakdown` of both at each horizon of 1 to 120 months.
    """
    months = np.arange(1, _LONGEST_MONTHS + 1)
    gap = np.array([_gap(first, second, replace(rules, horizon_months=int(m))) for m in months])
    turned = np.flatnonzero(np.sign(gap) == -np.sign(gap[0]))
    if not len(turned):
        return None
    return _named(float(months[turned[0]]), below=gap[0])


def _gap(first: CostCases, second: CostCases, rules: CostRules) -> float:
    totals = [cost_breakdown(case, rules).total_usd[0] for case in (first, second)]
    return float(totals[0] - totals[1])


def _turn(difference: Callable[[Floats], Floats], *, low: float, high: float) -> BreakEven | None:
    found = crossing(difference, low=low, high=high)
    return None if found is None else _named(found[0], below=found[1])


def _named(at: float, *, below: float) -> BreakEven:
    names = ("first", "second") if below < 0.0 else ("second", "first")
    return BreakEven(at=at, cheaper_below=names[0], cheaper_above=names[1])


def _varied(case: CostCases, rows: int, **columns: Any) -> CostCases:
    return replace(take(case, np.zeros(rows, dtype=np.int64)), **columns)
