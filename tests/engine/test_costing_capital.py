"""Money over time, against the worked examples of spreadsheets' own documentation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costing.engine.capital import (
    annuity_factor,
    book_value_usd,
    declining_balance_usd,
    internal_rate,
    lease_payment_usd,
    loan_interest_usd,
    loan_payment_usd,
    monthly_rate,
    present_value_usd,
    straight_line_usd,
)


@pytest.mark.parametrize(
    ("principal_usd", "rate", "periods", "payment_usd"),
    [
        # numpy-financial, pmt: 200,000 over 15 years at 7.5 %
        (200_000.0, 0.075 / 12, 180, 1_854.0247200054619),
        # Microsoft Excel, PMT: 10,000 over 10 months at 8 %
        (10_000.0, 0.08 / 12, 10, 1_037.0320893593),
        (1_200.0, 0.0, 12, 100.0),
    ],
)
def test_a_loan_is_paid_off_as_a_spreadsheet_says(
    principal_usd: float, rate: float, periods: int, payment_usd: float
) -> None:
    payment = loan_payment_usd(principal_usd=principal_usd, rate=rate, periods=periods)
    assert float(payment) == pytest.approx(payment_usd, rel=1e-10)


def test_interest_of_the_first_month_as_in_excel_ipmt() -> None:
    interest = loan_interest_usd(principal_usd=8_000.0, rate=0.10 / 12, periods=36)
    assert interest[0] == pytest.approx(66.67, abs=0.005)


def test_interest_of_a_year_as_in_numpy_financial_ipmt() -> None:
    interest = loan_interest_usd(principal_usd=2_500.0, rate=0.0824 / 12, periods=12)
    assert np.round([interest[0], interest[1], interest[-1], interest.sum()], 2).tolist() == [
        17.17,
        15.79,
        1.49,
        112.98,
    ]


def test_payments_in_advance_as_in_excel_pmt_of_type_one() -> None:
    payment = lease_payment_usd(price_usd=10_000.0, residual_usd=0.0, rate=0.08 / 12, periods=10)
    assert float(payment) == pytest.approx(1_030.16, abs=0.005)


def test_straight_line_depreciation_as_in_excel_sln() -> None:
    yearly = straight_line_usd(cost_usd=30_000.0, residual_usd=7_500.0, years=10)
    assert yearly.tolist() == [2_250.0] * 10


def test_double_declining_depreciation_as_in_excel_ddb() -> None:
    yearly = declining_balance_usd(cost_usd=2_400.0, residual_usd=300.0, years=10)
    assert [yearly[0], yearly[1], yearly[9]] == pytest.approx([480.0, 384.0, 22.12], abs=0.005)


def test_slower_declining_depreciation_as_in_excel_ddb() -> None:
    yearly = declining_balance_usd(cost_usd=2_400.0, residual_usd=300.0, years=10, factor=1.5)
    assert yearly[1] == pytest.approx(306.0)


def test_present_value_as_in_numpy_financial_npv() -> None:
    flows = np.array([-40_000.0, 5_000.0, 8_000.0, 12_000.0, 30_000.0])
    assert present_value_usd(flows_usd=flows, rate=0.08) == pytest.approx(3_065.22267)


@pytest.mark.parametrize(
    ("flows_usd", "rate"),
    [([-100, 39, 59, 55, 20], 0.28095), ([-100, 0, 0, 74], -0.0955)],
)
def test_internal_rate_as_in_numpy_financial_irr(flows_usd: list[float], rate: float) -> None:
    assert internal_rate(np.array(flows_usd, dtype=float)) == pytest.approx(rate, abs=5e-5)


def test_flows_that_never_pay_back_have_no_internal_rate() -> None:
    assert internal_rate(np.array([-100.0, -1.0])) is None


def test_the_monthly_rate_compounds_to_the_yearly_one() -> None:
    assert (1.0 + float(monthly_rate(0.08))) ** 12 == pytest.approx(1.08)


def test_the_books_reach_the_residual_at_the_end_of_life_and_stay() -> None:
    values = book_value_usd(
        cost_usd=100.0, residual_usd=10.0, life_years=4.0, age_years=np.array([0.0, 2.0, 4.0, 9.0])
    )
    assert values.tolist() == [100.0, 55.0, 10.0, 10.0]


flows = st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=120)


@settings(deadline=None)
@given(flows)
def test_at_rate_zero_the_present_value_is_the_sum(amounts: list[float]) -> None:
    value = present_value_usd(flows_usd=np.array(amounts), rate=0.0)
    assert float(value) == pytest.approx(sum(amounts), abs=1e-3)


@settings(deadline=None)
@given(st.floats(0.0, 0.5), st.integers(1, 120))
def test_an_annuity_is_worth_what_was_paid_for_it(rate: float, periods: int) -> None:
    payments = np.full(periods + 1, float(annuity_factor(rate=rate, periods=periods)))
    payments[0] = 0.0
    assert float(present_value_usd(flows_usd=payments, rate=rate)) == pytest.approx(1.0)


@settings(deadline=None)
@given(st.floats(1.0, 1e8), st.floats(0.0, 0.3), st.integers(1, 120))
def test_payments_repay_the_principal_and_the_interest(
    principal: float, rate: float, periods: int
) -> None:
    paid = periods * float(loan_payment_usd(principal_usd=principal, rate=rate, periods=periods))
    interest = loan_interest_usd(principal_usd=principal, rate=rate, periods=periods).sum()
    assert paid == pytest.approx(principal + interest, rel=1e-6)


@settings(deadline=None)
@given(st.floats(0.0, 1e7), st.floats(0.0, 0.9), st.integers(1, 10))
def test_either_depreciation_never_goes_below_the_residual(
    cost: float, share: float, years: int
) -> None:
    residual = cost * share
    for yearly in (
        straight_line_usd(cost_usd=cost, residual_usd=residual, years=years),
        declining_balance_usd(cost_usd=cost, residual_usd=residual, years=years),
    ):
        assert cost - yearly.sum() >= residual - 1e-6
