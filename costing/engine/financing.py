"""What a lender or lessor is paid for things that are bought with his money."""

import numpy as np

from catalog.units import MONTHS_PER_YEAR
from costing.engine.capital import lease_payment_usd, loan_balance_usd, loan_payment_usd
from costing.engine.cases import CostRules
from costing.engine.data import Floats, Ints


def value_left(rules: CostRules, *, months: int) -> float:
    """Share of its price that something bought so many months before the end is then worth.

    In a straight line from new to the stated fraction at the age of the horizon.
    Source: straight-line depreciation.
    """
    return 1.0 - (1.0 - rules.residual_fraction) * months / rules.horizon_months


def financing_flows(rules: CostRules, *, bought_in: Ints) -> Floats:
    """What a lender is paid less what he lends for each USD of price; (purchases, months).

    A loan is paid off in equal parts at the end of its months, and what is then still owed
    falls due in the last month of the horizon. A lease runs from the purchase to the end of
    the horizon, is paid in advance, and ends with the thing given back at its value then.
    Cash has no lender.

    Source: the annuities of `capital`.
    """
    horizon, rate = rules.horizon_months, rules.financing_rate / MONTHS_PER_YEAR
    flows = np.zeros((len(bought_in), horizon))
    if rules.financing == "cash":
        return flows
    for row, start in enumerate(bought_in):
        months = horizon - int(start)
        if rules.financing == "lease":
            left = value_left(rules, months=months)
            paid, term = (
                lease_payment_usd(price_usd=1.0, residual_usd=left, rate=rate, periods=months),
                months,
            )
        else:
            term = max(rules.financing_months, 1)
            paid = loan_payment_usd(principal_usd=1.0, rate=rate, periods=term)
            left = loan_balance_usd(principal_usd=1.0, rate=rate, periods=term, paid=months)
        flows[row, start : start + min(term, months)] += float(paid)
        flows[row, start] -= 1.0
        flows[row, -1] += float(left)
    return flows
