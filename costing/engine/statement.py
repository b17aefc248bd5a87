"""What leaves the company in each month, line by line, to the cent of the total."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from costing.engine.cases import CostCases, CostRules
from costing.engine.data import Floats
from costing.engine.quantities import discount_weights, quantities
from costing.engine.tco import RESIDUAL, cost_breakdown, cost_lines, paid_up_front

_CENTS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class CashFlow:
    """Payments of each case month by month in USD; arrays of shape (cases, months)."""

    lines: Mapping[str, Floats]  # in cents; each adds up to its line of the breakdown
    total_usd: Floats
    capital_usd: Floats  # paid to acquire things
    residual_usd: Floats  # what they are worth at the end, negative
    operating_usd: Floats  # all the rest
    cumulative_usd: Floats
    discounted_usd: Floats  # the total at its value of the first month
    present_usd: Floats  # (cases,): their sum, the net present value
    instances: Floats  # in use


def cash_flow(cases: CostCases, rules: CostRules) -> CashFlow:
    """The months of a breakdown, each line adding up to the breakdown's to the cent.

    A breakdown is linear in the months it counts, so a month is a breakdown of that month.
    Cents are carried along: a month shows the change of the rounded running sum. Payments fall
    at the start of their month, the last one's with what hardware is then worth.

    Source: as `cost_breakdown`; R. Brealey, S. Myers, F. Allen, "Principles of Corporate
    Finance", chapter 2 (present value).
    """
    sums = quantities(cases, rules, weights=np.eye(rules.horizon_months))
    whole = cost_breakdown(cases, rules).lines
    shape = (rules.horizon_months, len(cases))
    lines = {
        label: _in_cents(np.broadcast_to(line, shape).T, total=whole[label])
        for label, line in cost_lines(cases, rules, sums).items()
    }
    total = _sum_of(list(lines.values()))
    capital = _sum_of([lines[label] for label in paid_up_front(rules)])
    discounted = total * discount_weights(rules)
    return CashFlow(
        lines=lines,
        total_usd=total,
        capital_usd=capital,
        residual_usd=lines[RESIDUAL],
        operating_usd=_sum_of([total, -capital, -lines[RESIDUAL]]),
        cumulative_usd=np.cumsum(total, axis=1).round(_CENTS),
        discounted_usd=discounted,
        present_usd=discounted.sum(axis=1).round(_CENTS),
        instances=sums.held.T,
    )


def _in_cents(months: Floats, *, total: Floats) -> Floats:
    running = np.round(np.cumsum(months, axis=-1), _CENTS)
    running[:, -1] = total  # which may have been rounded from the other side of half a cent
    return np.asarray(np.diff(running, axis=-1, prepend=0.0).round(_CENTS))


def _sum_of(lines: list[Floats]) -> Floats:
    return np.asarray(np.sum(lines, axis=0).round(_CENTS))
