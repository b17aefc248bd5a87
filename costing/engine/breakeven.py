"""Where the cheapest of several ways to get capacity turns into a dearer one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from catalog.specs import Purchase
from catalog.units import HOURS_PER_MONTH
from costing.engine.cases import Bools, CostCases, CostRules, stacked, take
from costing.engine.data import Floats, Ints
from costing.engine.tco import total_usd

LONGEST_MONTHS = 120
_POINTS = 65
_ROUNDS = 5  # each narrows a bracket to a sixty-fourth
_LEAST_SHARE = 0.01
_ALMOST = 1e-9

Totals = Callable[[Floats], Floats]
"""Cost of each way at each x, shape (x, ways)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """Ways to get the same capacity: one or more rows of cases each, whose costs add up."""

    cases: CostCases
    way: Ints  # of each row, counted from 0

    def __len__(self) -> int:
        return int(self.way.max()) + 1

    def totals_usd(self, rules: CostRules) -> Floats:
        """Cost of each way over the horizon; shape (ways,)."""
        return self.added(total_usd(self.cases, rules))

    def added(self, rows: Floats) -> Floats:
        """Figures of the rows, the last axis, added up by way."""
        member = self.way[:, np.newaxis] == np.arange(len(self))
        # A way with an unknown row is unknown; the others are not.
        sums = np.nan_to_num(rows) @ member.astype(np.float64)
        return np.where(np.isnan(rows) @ member, np.nan, sums)

    def varied(self, rules: CostRules, points: int, columns: Callable[[CostCases], Any]) -> Floats:
        """Cost of each way at each of so many points; shape (points, ways).

        `columns` makes the changed columns of the repeated cases, row after row of each point.
        """
        rows = len(self.cases)
        many = take(self.cases, np.tile(np.arange(rows), points))
        usd = total_usd(replace(many, **columns(many)), rules)
        return self.added(usd.reshape(points, rows))


def ways_of(parts: Sequence[CostCases]) -> Ways:
    """Each entry as a way of its own, however many rows it has.

    Source: plain concatenation.
    """
    sizes = [len(part) for part in parts]
    return Ways(cases=stacked(parts), way=np.repeat(np.arange(len(parts)), sizes))


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A point past which another way is the cheapest."""

    at: float
    before: int  # the cheapest way just before it
    after: int  # just past it


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """What each way costs along one axis, and where the cheapest changes."""

    x: Floats
    usd: Floats  # (x, ways)
    turns: tuple[Turn, ...]  # rising; none where one way is the cheapest all along


def turns_of(totals: Totals, *, low: float, high: float) -> tuple[Turn, ...]:
    """Every point from low to high past which another way is the cheapest.

    Whole machines make costs jump, so each turn is bracketed on a grid that is refined, with
    no slope assumed. A way that is the cheapest within one cell of the first grid only is not
    seen. Where costs are equal the first way counts as the cheapest; open prices never win.

    Source: bracketing by repeated subdivision.
    """
    found: list[Turn] = []
    grid = np.linspace(low, high, _POINTS)
    winners = _winners(totals, grid)
    for cell in np.flatnonzero(np.diff(winners)):
        left, before = float(grid[cell]), int(winners[cell])
        for _ in range(_POINTS):  # as a rule once: a third way may be the cheapest between two
            if before == winners[cell + 1]:
                break
            turn = _narrowed(totals, left, float(grid[cell + 1]), before)
            found.append(turn)
            left, before = turn.at, turn.after
    return tuple(found)


def _narrowed(totals: Totals, low: float, high: float, before: int) -> Turn:
    """The first point in a bracket past which `before` is no longer the cheapest."""
    after = before
    for _ in range(_ROUNDS):
        grid = np.linspace(low, high, _POINTS)
        winners = _winners(totals, grid)
        # The ends are known: `before` holds at the first point, and not at the last.
        first = 1 + int(np.flatnonzero(winners[1:] != before)[0])
        low, high, after = float(grid[first - 1]), float(grid[first]), int(winners[first])
    return Turn(at=high, before=before, after=after)


def _winners(totals: Totals, x: Floats) -> Ints:
    usd = totals(x)
    return np.asarray(np.argmin(np.where(np.isnan(usd), np.inf, usd), axis=1), dtype=np.int64)


def _curve(totals: Totals, *, low: float, high: float, points: int) -> Curve:
    x = np.linspace(low, high, points)
    return Curve(x=x, usd=totals(x), turns=turns_of(totals, low=low, high=high))


def by_utilisation(ways: Ways, rules: CostRules, *, now: float = 1.0, points: int = 50) -> Curve:
    """Cost by the share of the month's hours in which the machines are needed.

    `now` is the share at which the ways cost what they do; less or more work takes less or more
    hours, runs, tokens and egress of each in proportion, at the same load while it lasts. In
    the other hours rented capacity is given back where its terms allow, and what is owned or
    committed stays and draws idle power. A way too slow for the work of a share is left out.

    Source: `cost_breakdown` at each share.
    """
    tokens = ways.cases.is_bought_as(Purchase.HOSTED_TOKENS)
    hours_now = np.where(tokens, 0.0, ways.cases.hours_per_month_needed)
    scaled = (
        "hours_per_month_needed",
        "utilisation",
        "runs_per_month",
        "egress_bytes_per_month",
        "inter_region_usd_per_month",
        "tokens_usd_per_month",
    )

    def totals(shares: Floats) -> Floats:
        more = np.repeat(shares / now, len(ways.cases))

        def changed(many: CostCases) -> dict[str, Any]:
            columns = {name: getattr(many, name) * more for name in scaled}
            return columns | {"may_scale_down": np.ones(len(many), dtype=bool)}

        usd = ways.varied(rules, len(shares), changed)
        hours = np.multiply.outer(shares / now, hours_now)
        too_slow = ways.added((hours > HOURS_PER_MONTH * (1.0 + _ALMOST)).astype(np.float64))
        return np.where(too_slow > 0.0, np.nan, usd)

    return _curve(totals, low=_LEAST_SHARE, high=1.0, points=points)


def by_horizon(ways: Ways, rules: CostRules, *, longest: int = LONGEST_MONTHS) -> Curve:
    """Cost by the whole months that are compared, 1 to `longest`.

    Every horizon is a run of its own, because commitments and residual values depend on it. A
    turn stands at the first month in which the other way is the cheapest.

    Source: `cost_breakdown` at each horizon.
    """
    months = np.arange(1, longest + 1)
    usd = np.array([ways.totals_usd(replace(rules, horizon_months=int(m))) for m in months])
    winners = np.argmin(np.where(np.isnan(usd), np.inf, usd), axis=1)
    turns = tuple(
        Turn(at=float(months[at + 1]), before=int(winners[at]), after=int(winners[at + 1]))
        for at in np.flatnonzero(np.diff(winners))
    )
    return Curve(x=months.astype(np.float64), usd=usd, turns=turns)


def by_rent(
    ways: Ways, rules: CostRules, *, rows: Bools, highest_usd_per_h: float, points: int = 50
) -> Curve:
    """Cost by the rent of an accelerator-hour of some rows, the others at their prices.

    What an interrupted spot machine falls back to keeps its ratio to the rent.
    Source: `cost_breakdown` at each price.
    """

    def totals(prices: Floats) -> Floats:
        def changed(many: CostCases) -> dict[str, Floats]:
            new = np.repeat(prices, len(ways.cases)) * many.accelerators_per_instance
            mine = np.tile(rows, len(prices))
            with np.errstate(divide="ignore", invalid="ignore"):
                fallback = many.fallback_usd_per_h * new / many.usd_per_h
            return {
                "usd_per_h": np.where(mine, new, many.usd_per_h),
                "fallback_usd_per_h": np.where(mine, fallback, many.fallback_usd_per_h),
            }

        return ways.varied(rules, len(prices), changed)

    low = highest_usd_per_h * _LEAST_SHARE
    return _curve(totals, low=low, high=highest_usd_per_h, points=points)


def by_purchase_price(
    ways: Ways, rules: CostRules, *, rows: Bools, highest_usd: float, points: int = 50
) -> Curve:
    """Cost by the price of one machine of some owned rows, the others at their prices.

    Source: `cost_breakdown` at each price.
    """

    def totals(prices: Floats) -> Floats:
        def changed(many: CostCases) -> dict[str, Floats]:
            mine = np.tile(rows, len(prices))
            new = np.repeat(prices, len(ways.cases))
            return {"capex_usd_per_instance": np.where(mine, new, many.capex_usd_per_instance)}

        return ways.varied(rules, len(prices), changed)

    low = highest_usd * _LEAST_SHARE
    return _curve(totals, low=low, high=highest_usd, points=points)
