"""What the books show, year by year, of hardware that is bought."""

from dataclasses import dataclass

from catalog.units import MONTHS_PER_YEAR
from costing.engine.capital import (
    book_value_usd,
    declining_balance_usd,
    loan_interest_usd,
    straight_line_usd,
)
from costing.engine.cases import CostRules


@dataclass(frozen=True, slots=True, kw_only=True)
class BookYear:
    """One year of the useful life; amounts in USD."""

    year: int
    straight_line_usd: float
    declining_usd: float
    book_value_usd: float  # at the end of the year, in a straight line
    interest_usd: float  # of a loan


def books_by_year(*, price_usd: float, rules: CostRules) -> tuple[BookYear, ...]:
    """Depreciation of a purchase down to its residual value, and the interest of its loan.

    The useful life is taken in whole years. Declining balance takes twice the straight share
    of what is left.

    Source: IAS 16, paragraph 62; the functions of `capital`.
    """
    years = max(round(rules.depreciation_years), 1)
    residual = rules.residual_fraction * price_usd
    straight = straight_line_usd(cost_usd=price_usd, residual_usd=residual, years=years)
    declining = declining_balance_usd(cost_usd=price_usd, residual_usd=residual, years=years)
    return tuple(
        BookYear(
            year=index + 1,
            straight_line_usd=float(straight[index]),
            declining_usd=float(declining[index]),
            book_value_usd=float(
                book_value_usd(
                    cost_usd=price_usd,
                    residual_usd=residual,
                    life_years=years,
                    age_years=index + 1,
                )
            ),
            interest_usd=_interest_usd(price_usd, rules, year=index),
        )
        for index in range(years)
    )


def _interest_usd(price_usd: float, rules: CostRules, *, year: int) -> float:
    if rules.financing != "loan":
        return 0.0
    months = loan_interest_usd(
        principal_usd=price_usd,
        rate=rules.financing_rate / MONTHS_PER_YEAR,
        periods=rules.financing_months,
    )
    start = year * MONTHS_PER_YEAR
    return float(months[int(start) : int(start + MONTHS_PER_YEAR)].sum())
