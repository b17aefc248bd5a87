"""A break-even point is where the winner changes, found out by running both again."""

from dataclasses import replace

import numpy as np
import pytest

from catalog.specs import Purchase
from costing.engine.breakeven import (
    break_even_horizon,
    break_even_price,
    break_even_utilisation,
    crossing,
)
from costing.engine.cases import PURCHASES, CostCases, CostRules, cost_cases
from costing.engine.tco import cost_breakdown

RULES = CostRules(horizon_months=36, residual_fraction=0.1, support_fraction_per_year=0.1)


def rented(usd_per_h: float = 55.04, hours: float = 730.0) -> CostCases:
    return cost_cases(
        1,
        purchase=PURCHASES.index(Purchase.ON_DEMAND),
        usd_per_h=usd_per_h,
        hours_per_month_needed=hours,
        may_scale_down=True,
    )


def owned(hours: float = 730.0) -> CostCases:
    return cost_cases(
        1,
        purchase=PURCHASES.index(Purchase.BUY),
        capex_usd_per_instance=310_000.0,
        power_w_per_instance=10_200.0,
        idle_power_fraction=0.3,
        utilisation=hours / 730.0,
        usd_per_kwh=0.12,
        pue=1.5,
        colocation=True,
        ops_fte=0.5,
    )


def winner(first: CostCases, second: CostCases, rules: CostRules = RULES) -> str:
    totals = [cost_breakdown(case, rules).total_usd[0] for case in (first, second)]
    return "first" if totals[0] < totals[1] else "second"


def test_the_winner_changes_just_past_the_break_even_utilisation() -> None:
    found = break_even_utilisation(rented(), owned(), RULES)
    assert found is not None
    hours = [share * 730.0 for share in (found.at * 0.999, found.at * 1.001)]
    assert [winner(rented(hours=h), owned(hours=h)) for h in hours] == [
        found.cheaper_below,
        found.cheaper_above,
    ]


def test_renting_is_cheaper_below_the_break_even_utilisation() -> None:
    found = break_even_utilisation(rented(), owned(), RULES)
    assert found is not None
    assert (found.cheaper_below, found.cheaper_above) == ("first", "second")


def test_the_winner_changes_just_past_the_break_even_price() -> None:
    found = break_even_price(rented(), owned(), RULES, highest_usd_per_h=200.0)
    assert found is not None
    prices = (found.at * 0.999, found.at * 1.001)
    assert [winner(rented(usd_per_h=price), owned()) for price in prices] == ["first", "second"]


def test_the_winner_changes_at_the_break_even_horizon() -> None:
    found = break_even_horizon(rented(), owned(), RULES)
    assert found is not None
    runs = [replace(RULES, horizon_months=int(found.at) + step) for step in (-1, 0)]
    assert [winner(rented(), owned(), rules) for rules in runs] == ["first", "second"]


def test_where_one_is_always_cheaper_there_is_no_break_even() -> None:
    assert break_even_utilisation(rented(usd_per_h=1_000.0), rented(usd_per_h=1.0), RULES) is None


def test_a_jump_is_a_crossing_too() -> None:
    def steps(x: np.ndarray) -> np.ndarray:
        return np.where(x < 0.3217, -1.0, 2.0)

    assert crossing(steps, low=0.0, high=1.0) == pytest.approx((0.3217, -1.0), abs=1e-9)
