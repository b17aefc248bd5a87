"""The months of a cost: they add up to the cent, whatever grows and however prices move."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.specs import Purchase
from costing.engine.cases import PURCHASES, CostCases, CostRules, cost_cases
from costing.engine.statement import cash_flow
from costing.engine.tco import cost_breakdown
from tests.engine.test_costing_tco import any_cases, any_rules

BOUGHT = cost_cases(1, purchase=PURCHASES.index(Purchase.BUY), capex_usd_per_instance=100.0)


def rented(kind: Purchase) -> CostCases:
    return cost_cases(1, purchase=PURCHASES.index(kind), usd_per_h=1.0)


def cents(usd: np.ndarray) -> list[int]:
    return [round(float(each) * 100) for each in np.ravel(usd)]


@given(any_cases(), any_rules())
def test_the_months_add_up_to_the_total_to_the_cent(cases: CostCases, rules: CostRules) -> None:
    flow = cash_flow(cases, rules)
    assert sum(cents(flow.total_usd)) == cents(cost_breakdown(cases, rules).total_usd)[0]


@given(any_cases(), any_rules())
def test_the_months_of_each_line_add_up_to_it(cases: CostCases, rules: CostRules) -> None:
    flow, whole = cash_flow(cases, rules), cost_breakdown(cases, rules).lines
    assert {label: sum(cents(line)) for label, line in flow.lines.items()} == {
        label: cents(line)[0] for label, line in whole.items()
    }


@given(any_cases(), any_rules())
def test_the_lines_of_each_month_add_up_to_it(cases: CostCases, rules: CostRules) -> None:
    flow = cash_flow(cases, rules)
    assert cents(np.sum(list(flow.lines.values()), axis=0)) == cents(flow.total_usd)


@given(any_cases(), any_rules())
def test_capital_operations_and_what_is_left_are_all(cases: CostCases, rules: CostRules) -> None:
    flow = cash_flow(cases, rules)
    parts = flow.capital_usd + flow.operating_usd + flow.residual_usd
    assert cents(parts) == cents(flow.total_usd)


@given(any_cases(), any_rules())
def test_at_rate_zero_the_net_present_value_is_the_sum(cases: CostCases, rules: CostRules) -> None:
    free = replace(rules, discount_rate=0.0)
    assert cents(cash_flow(cases, free).present_usd) == cents(cost_breakdown(cases, free).total_usd)


@given(any_cases(), any_rules(), st.floats(0.0, 0.3))
def test_a_higher_rate_never_raises_the_value_of_payments(
    cases: CostCases, rules: CostRules, more: float
) -> None:
    paid = replace(rules, residual_fraction=0.0)
    dearer = replace(paid, discount_rate=paid.discount_rate + more)
    assert cash_flow(cases, dearer).present_usd[0] <= cash_flow(cases, paid).present_usd[0] + 0.01


def test_a_purchase_is_staged_as_demand_grows() -> None:
    rules = CostRules(horizon_months=4, growth_per_month=0.5)
    # 1, 1.5, 2.25 and 3.375 machines of load: one more in each month after the first
    flow = cash_flow(BOUGHT, rules)
    assert (flow.capital_usd[0].tolist(), flow.instances[0].tolist()) == (
        [100.0, 100.0, 100.0, 100.0],
        [1.0, 2.0, 3.0, 4.0],
    )


def test_what_is_bought_later_is_bought_at_the_price_of_its_month() -> None:
    rules = CostRules(horizon_months=13, growth_per_month=1.0, growth_stops_month=1)
    later = replace(rules, price_change_per_year=-0.5)
    flow = cash_flow(BOUGHT, later)
    assert flow.capital_usd[0, :2].tolist() == [100.0, round(100.0 * 0.5 ** (1 / 12), 2)]


def test_rent_by_the_hour_pays_the_price_of_each_month() -> None:
    rules = CostRules(horizon_months=13, price_change_per_year=0.2)
    flow = cash_flow(rented(Purchase.ON_DEMAND), rules)
    assert flow.total_usd[0, [0, 12]] == pytest.approx([730.0, 730.0 * 1.2], abs=0.011)


def test_a_commitment_keeps_its_price_until_it_is_renewed() -> None:
    rules = CostRules(horizon_months=24, price_change_per_year=-0.2)
    flow = cash_flow(rented(Purchase.RESERVED_1Y), rules)
    years = [730.0] * 12 + [730.0 * 0.8] * 12
    assert flow.total_usd[0] == pytest.approx(years, abs=0.011)


def test_a_liquid_spot_market_lowers_spot_prices_alone() -> None:
    rules = CostRules(horizon_months=1, spot_price_factor=0.75)
    paid = [
        float(cost_breakdown(rented(kind), rules).total_usd[0])
        for kind in (Purchase.SPOT, Purchase.ON_DEMAND)
    ]
    assert paid == [730.0 * 0.75, 730.0]


def test_an_open_price_leaves_its_months_open() -> None:
    flow = cash_flow(cost_cases(1), CostRules(horizon_months=2))
    assert np.isnan(flow.total_usd).all()
