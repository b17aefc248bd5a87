"""How much of everything is paid for, month by month, while demand grows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from costing.engine.cases import COMMITMENT_MONTHS, Bools, CostCases, CostRules, take
from costing.engine.data import Floats, Ints, egress_table_usd

_ALMOST = 1e-9  # keeps an exact multiple from rounding up
_BLOCK = 8_192  # rows at a time, so that a block of all levels stays near the processor


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantities:
    """Sums over months, each month times its weight: what unit prices are multiplied with.

    Each is of shape (k, cases), or (k, 1) where all cases share it, for k rows of weights.
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


def instances_at(cases: CostCases, demand: ArrayLike) -> Floats:
    """Whole instances each case has when demand is `demand` times that at go-live.

    Shape (..., cases) for demands of shape (...). They come in steps of whole replicas; what
    stands by beyond the load at go-live stays beside it at any demand.
    Source: rounding up to whole instances.
    """
    exact = np.where(np.isnan(cases.instances_exact), cases.instances, cases.instances_exact)
    steps = exact / cases.instance_step

    def needed(times: Floats) -> Floats:
        return np.maximum(np.ceil(times[..., np.newaxis] * steps - _ALMOST), 1.0)

    more = needed(np.asarray(demand, dtype=np.float64)) - needed(np.ones(()))
    return cases.instances + np.where(cases.grows, more * cases.instance_step, 0.0)


def quantities(cases: CostCases, rules: CostRules, *, weights: Floats) -> Quantities:
    """What is paid for, with each month counted `weights` times; weights of shape (k, months).

    All ones give the sums over the horizon, discount factors their present value, and a one
    in a single month that month alone. What is owned or committed stays when demand falls;
    what is rented by the hour follows it. A commitment is renewed in whole terms, and what
    runs on after the horizon is paid too (`tail`), due in the last month.

    Source: arithmetic; staged purchases as in any capacity plan.
    """
    months = _Months.of(rules, weights)
    held, bought, retired, left, tail = (np.zeros((len(weights), len(cases))) for _ in range(5))
    for start in range(0, len(cases), _BLOCK):
        rows = slice(start, start + _BLOCK)
        block = take(cases, rows)
        instances = instances_at(block, months.levels)
        keeps = block.on_site | block.is_bought_as(*COMMITMENT_MONTHS)
        held[:, rows] = np.where(keeps, months.at_peak @ instances, months.at_demand @ instances)
        reached = instances[months.peaks]
        added = np.diff(reached, axis=0, prepend=0.0)
        bought[:, rows] = months.first @ added
        retired[:, rows] = months.last * reached[-1]
        left[:, rows] = months.last * (months.value_left @ added)
        tail[:, rows] = months.last * _tail_months(block, months, added)
    return Quantities(
        months=weights.sum(axis=1, keepdims=True),
        volume=weights @ growth_path(rules)[:, np.newaxis],
        once=weights[:, :1],
        held=held,
        bought=bought,
        retired=retired,
        left=left,
        tail=tail,
        egress_usd=_egress_usd(cases, rules, months),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Months:
    """The months of the horizon by the level of demand in them, few of them being distinct."""

    levels: Floats  # rising
    at_demand: Floats  # (k, levels): weight of the months at a level
    at_peak: Floats  # the same for the highest level so far
    peaks: Bools  # levels that are a highest one so far
    first: Floats  # (k, peaks): weight of the month in which a peak is first reached
    last: Floats  # (k, 1): weight of the last month
    remaining: Ints  # (peaks,): months from then to the end
    value_left: Floats  # (peaks,)

    @classmethod
    def of(cls, rules: CostRules, weights: Floats) -> "_Months":
        demand = growth_path(rules)
        peak = np.maximum.accumulate(demand)
        levels = np.unique(demand)  # a highest level so far is a level
        reached, month = np.unique(peak, return_index=True)
        remaining = rules.horizon_months - month
        return cls(
            levels=levels,
            at_demand=weights @ (demand[:, np.newaxis] == levels),
            at_peak=weights @ (peak[:, np.newaxis] == levels),
            peaks=np.isin(levels, reached),
            first=weights[:, month],
            last=weights[:, -1:],
            remaining=remaining,
            value_left=np.array([value_left(rules, months=int(left)) for left in remaining]),
        )


def _tail_months(cases: CostCases, months: _Months, added: Floats) -> Floats:
    tails = np.zeros(len(cases))
    for kind, term in COMMITMENT_MONTHS.items():
        rows = cases.is_bought_as(kind)
        if rows.any():
            tails[rows] = (-months.remaining % term).astype(np.float64) @ added[:, rows]
    return tails


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


def _egress_usd(cases: CostCases, rules: CostRules, months: _Months) -> Floats:
    """USD of egress, shape (k, cases); the few distinct volumes are looked up once."""
    volume = months.at_demand @ months.levels[:, np.newaxis]
    if rules.egress_usd_per_month is not None:
        return np.asarray(volume * np.full(len(cases), rules.egress_usd_per_month))
    if rules.egress_usd_per_byte is not None:
        return np.asarray(volume * cases.egress_bytes_per_month * rules.egress_usd_per_byte)
    volumes, row = np.unique(cases.egress_bytes_per_month, return_inverse=True)
    table = egress_table_usd(
        cases.egress_tariffs, bytes_per_month=np.multiply.outer(months.levels, volumes)
    )
    usd = np.einsum("kl,tlv->ktv", months.at_demand, table)
    return np.asarray(usd[:, cases.egress_tariff, row], dtype=np.float64)
