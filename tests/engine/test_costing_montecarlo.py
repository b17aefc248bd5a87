"""Costs under uncertainty: seeded, in step with the breakdown, wide where little is known."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.specs import Purchase
from costing.engine.cases import PURCHASES, CostCases, CostRules, cost_cases
from costing.engine.chances import (
    chance_cheaper,
    chance_cheapest,
    percentiles_usd,
    tornado,
)
from costing.engine.montecarlo import Uncertainty, as_assumed, sampled, totals_usd
from costing.engine.tco import cost_breakdown
from tests.engine.test_costing_tco import any_cases, any_rules

KINDS = [Purchase.ON_DEMAND, Purchase.RESERVED_1Y, Purchase.BUY, Purchase.HOSTED_TOKENS]
PLANS = cost_cases(
    4,
    purchase=[PURCHASES.index(kind) for kind in KINDS],
    instances=4,
    instances_exact=3.4,
    usd_per_h=[55.0, 35.0, np.nan, np.nan],
    capex_usd_per_instance=[np.nan, np.nan, 310_000.0, np.nan],
    tokens_usd_per_month=[0.0, 0.0, 0.0, 90_000.0],
    power_w_per_instance=10_200.0,
    idle_power_fraction=0.3,
    utilisation=0.5,
    usd_per_kwh=0.12,
    pue=1.5,
    ops_fte=0.5,
    price_low_factor=0.8,
    price_high_factor=1.3,
)
RULES = CostRules(
    horizon_months=36,
    growth_per_month=0.02,
    residual_fraction=0.1,
    support_fraction_per_year=0.1,
    contingency_fraction=0.1,
)
CERTAIN = Uncertainty(load=(1.0, 1.0), price_trend_per_year=(0.0, 0.0), power_price=(1.0, 1.0))


def totals(known: Uncertainty, seed: int = 1, draws: int = 4_000) -> np.ndarray:
    return totals_usd(PLANS, RULES, sampled(PLANS, RULES, known, draws=draws, seed=seed))


@settings(deadline=None)
@given(any_cases(), any_rules())
def test_as_assumed_it_is_the_breakdowns_total(cases: CostCases, rules: CostRules) -> None:
    total = totals_usd(cases, rules, as_assumed(cases, rules))[0, 0]
    assert total == pytest.approx(cost_breakdown(cases, rules).total_usd[0], abs=0.2, rel=1e-9)


def test_the_same_seed_gives_the_same_futures() -> None:
    assert (totals(Uncertainty(), seed=7) == totals(Uncertainty(), seed=7)).all()


def test_another_seed_gives_other_futures() -> None:
    assert (totals(Uncertainty(), seed=7) != totals(Uncertainty(), seed=8)).any()


def test_a_price_range_is_hit_in_eighty_of_a_hundred_futures() -> None:
    usd = cost_breakdown(PLANS, replace(RULES, contingency_fraction=0.0)).lines["Hosted tokens"][3]
    plain = replace(RULES, contingency_fraction=0.0, staff_usd_per_year=0.0)
    drawn = totals_usd(PLANS, plain, sampled(PLANS, plain, CERTAIN, draws=20_000, seed=3))[:, 3]
    inside = ((drawn > 0.8 * usd) & (drawn < 1.3 * usd)).mean()
    assert inside == pytest.approx(0.8, abs=0.01)


def test_the_median_is_near_the_breakdowns_total() -> None:
    middle = percentiles_usd(totals(Uncertainty(), draws=20_000))[1]
    assert middle == pytest.approx(cost_breakdown(PLANS, RULES).total_usd, rel=0.05)


def test_knowing_less_widens_the_range() -> None:
    narrow, wide = (
        percentiles_usd(totals(Uncertainty(load=(1.0 / spread, spread)))) for spread in (1.05, 2.0)
    )
    assert ((wide[2] - wide[0]) > (narrow[2] - narrow[0])).all()


def test_more_performance_never_costs_more() -> None:
    slow, fast = (
        totals(replace(CERTAIN, performance=(factor, factor + 1e-9)), draws=1)
        for factor in (0.999, 1.0)
    )
    assert (fast <= slow + 1.0).all()


def test_chances_of_being_the_cheapest_add_up_to_one() -> None:
    assert chance_cheapest(totals(Uncertainty())).sum() == pytest.approx(1.0)


def test_one_of_two_plans_is_cheaper() -> None:
    drawn = totals(Uncertainty())
    assert chance_cheaper(drawn, 0, 1) + chance_cheaper(drawn, 1, 0) == pytest.approx(1.0)


def test_the_tornado_starts_with_the_widest_swing() -> None:
    first = cost_cases(
        1,
        purchase=PURCHASES.index(Purchase.ON_DEMAND),
        instances=4,
        usd_per_h=55.0,
        price_low_factor=0.5,
        price_high_factor=2.0,
    )
    swings = tornado(first, RULES, Uncertainty(load=(0.9, 1.1)))
    ratio = swings[0].high_usd / swings[0].low_usd
    assert (swings[0].name, round(ratio, 9)) == ("price", 4.0)


def test_growth_in_doubt_is_a_risk_of_its_own() -> None:
    known = replace(CERTAIN, growth_per_month=(0.0, 0.06))
    low, _, high = percentiles_usd(totals(known))[:, 3]
    assert high - low > 0.2 * low


@settings(deadline=None)
@given(st.integers(0, 3), st.floats(0.5, 2.0))
def test_a_dearer_future_never_costs_less(plan: int, factor: float) -> None:
    base = as_assumed(PLANS, RULES)
    price = np.ones((1, 4))
    price[0, plan] = factor
    change = totals_usd(PLANS, RULES, replace(base, price=price)) - totals_usd(PLANS, RULES, base)
    assert change[0, plan] * (factor - 1.0) >= -1e-6
