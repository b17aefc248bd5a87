"""How much of everything is paid for, month by month, while demand grows."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from costing.engine.cases import COMMITMENT_MONTHS, CostCases, CostRules
from costing.engine.data import Floats, egress_table_usd

_ALMOST = 1e-9  # keeps an exact multiple from rounding up


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantities:
    """Sums over months, each month times its weight: what unit prices are multiplied with.

    Each is of shape (..., cases) where the weights were of shape (..., months).
    """

    months: Floats
    volume: Floats  # months times growth of demand
    once: Floats
    held: Floats  # instance-months in use
    bought: Floats  # instances acquired
    retired: Floats  # instances given up at the end of the horizon
    left: Floats  # of those, the share of value that is left, in instances
    tail: Floats  # instance-months that a commitment runs on after the horizon
    egress_usd: Floats


def growth_path(rules: CostRules) -> Floats:
    """Demand in each month as a multiple of that at go-live; shape (months,).

    Demand grows by the same fraction every month until it stops.
    Source: compound growth.
    """
    grown = np.minimum(np.arange(rules.horizon_months), max(rules.growth_stops_month, 0))
    return np.asarray((1.0 + rules.growth_per_month) ** grown, dtype=np.float64)


def instances_at(cases: CostCases, demand: float) -> Floats:
    """Whole instances each case has when demand is `demand` times that at go-live.

    They come in steps of whole replicas; what stands by beyond the load at go-live stays
    beside it at any demand.
    Source: rounding up to whole instances.
    """
    exact = np.where(np.isnan(cases.instances_exact), cases.instances, cases.instances_exact)

    def needed(times: float) -> Floats:
        steps = np.ceil(exact * times / cases.instance_step - _ALMOST)
        return np.maximum(steps, 1.0) * cases.instance_step

    growing = cases.instances + needed(demand) - needed(1.0)
    return np.where(cases.grows, growing, cases.instances)


def quantities(cases: CostCases, rules: CostRules, *, weights: Floats) -> Quantities:
    """What is paid for, with each month counted `weights` times; weights of shape (..., months).

    All ones give the sums over the horizon, discount factors their present value, and a one
    in a single month that month alone. What is owned or committed stays when demand falls;
    what is rented by the hour follows it. A commitment is renewed in whole terms, and what
    runs on after the horizon is paid too (`tail`), due in the last month.

    Source: arithmetic; staged purchases as in any capacity plan.
    """
    demand = growth_path(rules)
    peak = np.maximum.accumulate(demand)
    keeps = cases.on_site | cases.is_bought_as(*COMMITMENT_MONTHS)
    shape = (*weights.shape[:-1], len(cases))
    held, bought, left, tail, egress = (np.zeros(shape) for _ in range(5))
    last = weights[..., -1:]
    before = np.zeros(len(cases))
    egress_at = _egress_pricer(cases, rules)
    terms = np.array([COMMITMENT_MONTHS.get(kind, 1) for kind in cases.purchases])
    for level in np.unique(np.concatenate([demand, peak])):
        now = instances_at(cases, float(level))
        in_peak = weights[..., peak == level].sum(axis=-1, keepdims=True)
        in_demand = weights[..., demand == level].sum(axis=-1, keepdims=True)
        held += now * np.where(keeps, in_peak, in_demand)
        if (demand == level).any():
            egress += in_demand * egress_at(float(level))
        if not (peak == level).any():
            continue
        month = int(np.argmax(peak == level))
        added = now - before
        before = now
        bought += weights[..., month : month + 1] * added
        remaining = rules.horizon_months - month
        left += last * added * value_left(rules, months=remaining)
        tail += last * added * (-remaining % terms)[cases.purchase]
    return Quantities(
        months=weights.sum(axis=-1, keepdims=True),
        volume=(weights @ demand)[..., np.newaxis],
        once=weights[..., :1],
        held=held,
        bought=bought,
        retired=last * before,
        left=left,
        tail=tail,
        egress_usd=egress,
    )


def discount_weights(rules: CostRules) -> Floats:
    """Present value of one USD paid at the start of each month; shape (months,).

    Source: R. Brealey, S. Myers, F. Allen, "Principles of Corporate Finance", chapter 2.
    """
    years = np.arange(rules.horizon_months) / 12.0
    return np.asarray((1.0 + rules.discount_rate) ** -years, dtype=np.float64)


def value_left(rules: CostRules, *, months: int) -> float:
    """Share of its price that something bought so many months before the end is then worth.

    In a straight line from new to the stated fraction at the age of the horizon.
    Source: straight-line depreciation.
    """
    return 1.0 - (1.0 - rules.residual_fraction) * months / rules.horizon_months


def _egress_pricer(cases: CostCases, rules: CostRules) -> Callable[[float], Floats]:
    """USD a month of egress at a demand; the few distinct volumes are looked up once."""
    if rules.egress_usd_per_month is not None:
        usd_per_month = rules.egress_usd_per_month
        return lambda demand: np.full(len(cases), usd_per_month * demand)
    if rules.egress_usd_per_byte is not None:
        usd = cases.egress_bytes_per_month * rules.egress_usd_per_byte
        return lambda demand: usd * demand
    volumes, row = np.unique(cases.egress_bytes_per_month, return_inverse=True)

    def priced(demand: float) -> Floats:
        table = egress_table_usd(cases.egress_tariffs, bytes_per_month=volumes * demand)
        return table[cases.egress_tariff, row]

    return priced
