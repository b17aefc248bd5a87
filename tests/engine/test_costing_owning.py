"""Owning and renting in detail: loans, leases, terms, billing steps, storage that streams."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.specs import Purchase
from catalog.units import GIGA, TERA
from costing.engine.books import books_by_year
from costing.engine.capital import loan_balance_usd, loan_payment_usd
from costing.engine.cases import PURCHASES, CostCases, CostRules, cost_cases
from costing.engine.energy import it_kwh_per_instance_month
from costing.engine.financing import financing_flows
from costing.engine.rates import shipped_currencies, shipped_rates, streaming_storage
from costing.engine.rental import paid_hours_per_month
from costing.engine.statement import cash_flow
from costing.engine.tco import (
    CAPITAL,
    FINANCING,
    HARDWARE,
    SUPPORT,
    TAIL,
    TAX,
    cost_breakdown,
)

RATES = shipped_rates()
OWN = cost_cases(
    1, purchase=PURCHASES.index(Purchase.BUY), capex_usd_per_instance=300_000.0, grows=False
)
LOAN = CostRules(horizon_months=36, financing="loan", financing_rate=0.06, financing_months=36)
LEASE = CostRules(horizon_months=36, financing="lease", financing_rate=0.06, residual_fraction=0.1)


def total(cases: CostCases, rules: CostRules) -> float:
    return float(cost_breakdown(cases, rules).total_usd[0])


def test_a_loan_costs_its_interest_on_top_of_the_price() -> None:
    # PMT(0.5 %, 36, 300,000) = 9,126.58
    lines = cost_breakdown(OWN, LOAN).lines
    assert float(lines[FINANCING][0]) == pytest.approx(36 * 9_126.5812 - 300_000.0, abs=0.01)


def test_a_loan_is_paid_month_by_month() -> None:
    flow = cash_flow(OWN, LOAN).total_usd[0]
    assert flow == pytest.approx(np.full(36, 9_126.58), abs=0.02)


def test_a_loan_longer_than_the_horizon_is_paid_off_at_its_end() -> None:
    rules = replace(LOAN, financing_months=60)
    payment = float(loan_payment_usd(principal_usd=300_000.0, rate=0.005, periods=60))
    owed = loan_balance_usd(principal_usd=300_000.0, rate=0.005, periods=60, paid=36)
    assert cash_flow(OWN, rules).total_usd[0, -1] == pytest.approx(payment + owed, abs=0.02)


def test_a_lease_needs_no_capital_for_the_hardware() -> None:
    assert float(cost_breakdown(OWN, LEASE).capex_usd[0]) == 0.0


def test_a_lease_is_paid_in_advance_down_to_the_value_left() -> None:
    # PMT(0.5 %; 36; 300,000; -30,000; 1) = 8,322.31 in LibreOffice Calc
    assert cash_flow(OWN, LEASE).total_usd[0] == pytest.approx(np.full(36, 8_322.31), abs=0.02)


@given(st.floats(0.0, 0.3), st.integers(1, 120), st.integers(1, 120))
def test_a_lender_gets_back_what_he_lent_with_interest(
    rate: float, term: int, horizon: int
) -> None:
    rules = CostRules(
        horizon_months=horizon, financing="loan", financing_rate=rate, financing_months=term
    )
    flows = financing_flows(rules, bought_in=np.array([0]))[0]
    assert flows.sum() >= -1e-9


@given(st.sampled_from(["loan", "lease"]), st.integers(1, 120), st.floats(0.0, 0.9))
def test_without_interest_financing_changes_no_total(
    how: str, horizon: int, residual: float
) -> None:
    cash = CostRules(horizon_months=horizon, residual_fraction=residual)
    financed = replace(cash, financing=how, financing_rate=0.0)
    assert total(OWN, financed) == pytest.approx(total(OWN, cash), abs=0.01)


def test_capital_is_what_is_paid_up_front() -> None:
    cost = cost_breakdown(OWN, CostRules(installation_fraction=0.1))
    assert float(cost.capex_usd[0]) == sum(float(cost.lines[label][0]) for label in CAPITAL)


def test_tax_is_off_by_default_and_on_everything_where_asked() -> None:
    taxed = cost_breakdown(OWN, CostRules(tax_fraction=0.2)).lines[TAX]
    assert (float(cost_breakdown(OWN, CostRules()).lines[TAX][0]), float(taxed[0])) == (
        0.0,
        60_000.0,
    )


def test_what_a_price_covers_is_not_paid_twice() -> None:
    cases = replace(OWN, inclusions=(frozenset({SUPPORT}),))
    rules = CostRules(support_fraction_per_year=0.1)
    assert (total(OWN, rules), total(cases, rules)) == (390_000.0, 300_000.0)


def rented(**columns: object) -> CostCases:
    return cost_cases(
        1,
        purchase=PURCHASES.index(Purchase.ON_DEMAND),
        usd_per_h=10.0,
        **columns,  # type: ignore[arg-type]
    )


def test_a_contract_longer_than_the_horizon_is_paid_to_its_end() -> None:
    cost = cost_breakdown(rented(minimum_months=24.0), CostRules(horizon_months=18))
    assert float(cost.lines[TAIL][0]) == 6 * 730 * 10.0


def test_a_contract_shorter_than_the_horizon_owes_nothing_after_it() -> None:
    cost = cost_breakdown(rented(minimum_months=12.0), CostRules(horizon_months=18))
    assert float(cost.lines[TAIL][0]) == 0.0


def test_a_contract_pays_for_idle_hours_too() -> None:
    cases = rented(minimum_months=12.0, may_scale_down=True, hours_per_month_needed=72.0)
    assert paid_hours_per_month(cases).tolist() == [730.0]


def test_a_run_is_billed_in_whole_steps() -> None:
    cases = rented(
        may_scale_down=True, hours_per_month_needed=2 * 71.5, runs_per_month=2.0, billing_step_h=1.0
    )
    assert paid_hours_per_month(cases).tolist() == [144.0]


def test_a_run_of_seconds_is_billed_the_minimum() -> None:
    cases = rented(
        may_scale_down=True,
        hours_per_month_needed=100 / 3600,
        runs_per_month=100.0,
        minimum_billing_h=1 / 60,
    )
    assert paid_hours_per_month(cases)[0] == pytest.approx(100 / 60)


def test_fast_storage_is_ordered_larger_than_its_data() -> None:
    tier, ordered = streaming_storage(RATES, kept_bytes=10 * TERA, bytes_per_s=20 * GIGA)
    # 20 GB/s at 1,000 MB/s for each TiB are 20 TiB
    assert (tier.name, round(ordered / 2**40, 6)) == ("streaming_storage/1000", 20.0)


def test_large_storage_that_is_fast_enough_takes_the_cheapest_tier() -> None:
    tier, ordered = streaming_storage(RATES, kept_bytes=1_000 * TERA, bytes_per_s=20 * GIGA)
    assert (tier.name, ordered) == ("streaming_storage/125", 1_000 * TERA)


@given(st.floats(1e9, 1e15), st.floats(1e6, 1e12), st.floats(1.0, 10.0))
def test_faster_storage_never_costs_less(kept: float, speed: float, more: float) -> None:
    usd = [
        tier.usd_per_byte_month * ordered
        for tier, ordered in (
            streaming_storage(RATES, kept_bytes=kept, bytes_per_s=each)
            for each in (speed, speed * more)
        )
    ]
    assert usd[0] <= usd[1] * (1 + 1e-12)


def test_an_idle_machine_of_ones_own_draws_its_idle_power() -> None:
    # 10.2 kW at full load, 30 % of it idle, over 730 hours
    cases = replace(
        OWN,
        power_w_per_instance=np.array([10_200.0]),
        idle_power_fraction=np.array([0.3]),
        utilisation=np.array([0.0]),
    )
    assert it_kwh_per_instance_month(cases, CostRules())[0] == pytest.approx(2_233.8)


def test_a_currency_is_worth_the_cross_rate_of_its_source() -> None:
    # ECB, 9 July 2026: 0.9227 CHF and 1.1435 USD for a euro
    assert shipped_currencies()["CHF"].usd_per_unit == pytest.approx(1.1435 / 0.9227, rel=1e-5)


def test_hardware_is_its_price_however_it_is_paid() -> None:
    lines = [cost_breakdown(OWN, rules).lines[HARDWARE][0] for rules in (CostRules(), LOAN, LEASE)]
    assert lines == [300_000.0] * 3


def test_eight_accelerators_sold_singly_are_watched_as_one_machine() -> None:
    rules = CostRules(horizon_months=1, monitoring_usd_per_instance_month=15.0)
    singly = rented(instances=8, machines_per_instance=1 / 8)
    assert float(cost_breakdown(singly, rules).lines["Monitoring"][0]) == 15.0


@given(st.floats(1.0, 1e8), st.floats(0.0, 0.9), st.integers(1, 10))
def test_the_books_end_at_the_residual_value(price: float, residual: float, years: int) -> None:
    rules = CostRules(depreciation_years=float(years), residual_fraction=residual)
    books = books_by_year(price_usd=price, rules=rules)
    left = price - sum(year.straight_line_usd for year in books)
    assert books[-1].book_value_usd == pytest.approx(residual * price, abs=1e-6)
    assert left == pytest.approx(residual * price, abs=1e-6, rel=1e-9)


def test_the_years_of_a_loan_add_up_to_its_interest() -> None:
    books = books_by_year(price_usd=300_000.0, rules=LOAN)
    paid = float(cost_breakdown(OWN, LOAN).lines[FINANCING][0])
    assert sum(year.interest_usd for year in books) == pytest.approx(paid, abs=0.01)
