"""The time value of money: annuities, loans, leases, depreciation, present value."""

import numpy as np
from numpy.typing import ArrayLike

from catalog.units import MONTHS_PER_YEAR
from costing.engine.data import Floats

_HIGHEST_RATE = 1e3  # per period


def annuity_factor(*, rate: ArrayLike, periods: ArrayLike) -> Floats:
    """Equal payment at the end of each period that is worth 1 today; any shape.

    At rate zero it is 1 / periods.
    Source: R. Brealey, S. Myers, F. Allen, "Principles of Corporate Finance", chapter 2; the
    spreadsheet function PMT (OpenFormula, OASIS ODF 1.2 part 2, 6.12.36).
    """
    r = np.asarray(rate, dtype=np.float64)
    n = np.asarray(periods, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        growing = r / -np.expm1(-n * np.log1p(r))
    return np.where(r == 0.0, 1.0 / n, growing)


def loan_payment_usd(*, principal_usd: ArrayLike, rate: ArrayLike, periods: ArrayLike) -> Floats:
    """Payment at the end of each period that pays a loan off; any shape.

    Source: as `annuity_factor`.
    """
    return np.asarray(principal_usd, dtype=np.float64) * annuity_factor(rate=rate, periods=periods)


def loan_interest_usd(*, principal_usd: float, rate: float, periods: int) -> Floats:
    """Interest part of each payment of a loan; shape (periods,).

    Source: the spreadsheet function IPMT (OpenFormula 6.12.20).
    """
    payment = float(loan_payment_usd(principal_usd=principal_usd, rate=rate, periods=periods))
    # What is still owed is worth the payments to come.
    to_come = np.arange(periods, 0, -1)
    return np.asarray(payment * -np.expm1(-to_come * np.log1p(rate)), dtype=np.float64)


def loan_balance_usd(*, principal_usd: float, rate: float, periods: int, paid: int) -> float:
    """What is still owed of a loan after some of its payments; 0 once all are made.

    Source: what is owed is worth the payments to come; the spreadsheet function FV.
    """
    to_come = max(periods - paid, 0)
    if to_come == 0:
        return 0.0
    payment = float(loan_payment_usd(principal_usd=principal_usd, rate=rate, periods=periods))
    return payment / float(annuity_factor(rate=rate, periods=to_come))


def lease_payment_usd(
    *, price_usd: ArrayLike, residual_usd: ArrayLike, rate: ArrayLike, periods: ArrayLike
) -> Floats:
    """Payment at the start of each period of a lease that ends at a residual value.

    Source: the spreadsheet function PMT with a future value, payments in advance.
    """
    r = np.asarray(rate, dtype=np.float64)
    n = np.asarray(periods, dtype=np.float64)
    left = np.asarray(residual_usd, dtype=np.float64) * (1.0 + r) ** (-n)
    financed = np.asarray(price_usd, dtype=np.float64) - left
    return financed * annuity_factor(rate=r, periods=n) / (1.0 + r)


def straight_line_usd(*, cost_usd: float, residual_usd: float, years: int) -> Floats:
    """Depreciation of each year in equal parts; shape (years,).

    Source: the spreadsheet function SLN (OpenFormula 6.12.47); IAS 16, paragraph 62.
    """
    return np.full(years, (cost_usd - residual_usd) / years)


def declining_balance_usd(
    *, cost_usd: float, residual_usd: float, years: int, factor: float = 2.0
) -> Floats:
    """Depreciation of each year as a constant share of what is left, never below the residual.

    Source: the spreadsheet function DDB (OpenFormula 6.12.14); IAS 16, paragraph 62.
    """
    share = min(factor / years, 1.0)
    left = np.maximum(cost_usd * (1.0 - share) ** np.arange(years + 1), residual_usd)
    return np.asarray(-np.diff(left), dtype=np.float64)


def book_value_usd(
    *, cost_usd: ArrayLike, residual_usd: ArrayLike, life_years: ArrayLike, age_years: ArrayLike
) -> Floats:
    """What the books show at an age: a straight line down to the residual; any shape.

    Source: as `straight_line_usd`.
    """
    cost = np.asarray(cost_usd, dtype=np.float64)
    life = np.asarray(life_years, dtype=np.float64)
    used = np.clip(np.asarray(age_years, dtype=np.float64) / life, 0.0, 1.0)
    return cost - (cost - np.asarray(residual_usd, dtype=np.float64)) * used


def monthly_rate(yearly_rate: ArrayLike) -> Floats:
    """The rate per month that compounds to a yearly rate.

    Source: the spreadsheet function NOMINAL with twelve periods, divided by twelve.
    """
    yearly = np.log1p(np.asarray(yearly_rate, dtype=np.float64))
    return np.asarray(np.expm1(yearly / MONTHS_PER_YEAR), dtype=np.float64)


def present_value_usd(*, flows_usd: Floats, rate: ArrayLike) -> Floats:
    """Value today of flows whose last axis is the period, the first of them paid now.

    Source: Brealey, Myers, Allen, chapter 2. The spreadsheet's NPV discounts the first flow
    by a period; this one does not.
    """
    r = np.asarray(rate, dtype=np.float64)[..., np.newaxis]
    factors = (1.0 + r) ** -np.arange(flows_usd.shape[-1])
    return np.asarray((flows_usd * factors).sum(axis=-1), dtype=np.float64)


def internal_rate(flows_usd: Floats) -> float | None:
    """Rate per period at which one row of flows is worth nothing today, None where none is.

    The first flow is paid now. With several changes of sign there may be several such rates;
    this is one of them.

    Source: the spreadsheet function IRR (OpenFormula 6.12.24); root by Brent's method.
    """

    def value(rate: float) -> float:
        return float(present_value_usd(flows_usd=flows_usd, rate=rate))

    low = -0.99
    if value(low) * value(_HIGHEST_RATE) > 0.0:
        return None
    from scipy.optimize import brentq  # slow to import, and every process imports this file

    return float(brentq(value, low, _HIGHEST_RATE, xtol=1e-12))
