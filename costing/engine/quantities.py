"""How much of everything is paid for, month by month, while demand grows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from catalog.units import MONTHS_PER_YEAR
from costing.engine.cases import COMMITMENT_MONTHS, Bools, CostCases, CostRules, take
from costing.engine.data import Floats, Ints, egress_table_usd
from costing.engine.financing import financing_flows, value_left

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
    egress_usd: Floats
    # The same counted at the prices of their months, as multiples of the price at go-live
    volume_paid: Floats  # months times growth of demand
    rented: Floats  # instance-months
    paid: Floats  # instances acquired
    supported: Floats  # instance-months, at the price the instance was acquired at
    retired: Floats  # instances given up at the end of the horizon
    left: Floats  # of those, the share of value that is left
    tail: Floats  # instance-months that a commitment runs on after the horizon
    financed: Floats  # payments to a lender less what he lent, in prices of an instance


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
    stands by beyond the load at go-live stays beside it at any demand, and what somebody else
    bears of it (fewer instances than the load takes) is borne by him.
    Source: rounding up to whole instances.
    """
    exact = np.where(np.isnan(cases.instances_exact), cases.instances, cases.instances_exact)
    steps = exact / cases.instance_step

    def needed(times: Floats) -> Floats:
        return np.maximum(np.ceil(times[..., np.newaxis] * steps - _ALMOST), 1.0)

    more = needed(np.asarray(demand, dtype=np.float64)) - needed(np.ones(()))
    reached = cases.instances + np.where(cases.grows, more * cases.instance_step, 0.0)
    return np.asarray(np.maximum(reached, 0.0))


def price_path(rules: CostRules) -> Floats:
    """Prices in each month as multiples of those at go-live; shape (months,).

    They change by the same fraction every year, which may be negative or none.
    Source: compound growth.
    """
    years = np.arange(rules.horizon_months) / MONTHS_PER_YEAR
    return np.asarray((1.0 + rules.price_change_per_year) ** years, dtype=np.float64)


def quantities(cases: CostCases, rules: CostRules, *, weights: Floats) -> Quantities:
    """What is paid for, with each month counted `weights` times; weights of shape (k, months).

    All ones give the sums over the horizon, discount factors their present value, and a one
    in a single month that month alone. What is owned or committed stays when demand falls;
    what is rented by the hour follows it, and pays the price of each month. A commitment keeps
    the price of the month in which its term starts, is renewed in whole terms, and what runs
    on after the horizon is paid too (`tail`), due in the last month.

    Source: arithmetic; staged purchases as in any capacity plan.
    """
    months = _Months.of(rules, weights)
    shape = (len(weights), len(cases))
    names = ("held", "bought", "rented", "paid", "supported", "retired", "left", "tail",
             "financed")  # fmt: skip
    sums = {name: np.zeros(shape) for name in names}
    for start in range(0, len(cases), _BLOCK):
        rows = slice(start, start + _BLOCK)
        for name, part in _counted(take(cases, rows), months).items():
            sums[name][:, rows] = part
    demand = growth_path(rules)[:, np.newaxis]
    return Quantities(
        months=weights.sum(axis=1, keepdims=True),
        volume=weights @ demand,
        volume_paid=(weights * price_path(rules)) @ demand,
        once=weights[:, :1],
        egress_usd=_egress_usd(cases, rules, months),
        **sums,
    )


def _counted(cases: CostCases, months: "_Months") -> dict[str, Floats]:
    instances = instances_at(cases, months.levels)
    bound = cases.minimum_months > 0.0
    keeps = cases.on_site | cases.is_bought_as(*COMMITMENT_MONTHS) | bound
    added = np.diff(instances[months.peaks], axis=0, prepend=0.0)
    priced = added * months.price_then[:, np.newaxis]
    rented = months.at_demand_paid @ instances
    tail = np.zeros(len(cases))
    for kind, term in COMMITMENT_MONTHS.items():
        rows = cases.is_bought_as(kind)
        if rows.any():
            rented[:, rows] = months.term_weights(term) @ added[:, rows]
            tail[rows] = months.tail_weights(term) @ added[:, rows]
    if bound.any():
        # A contract with a least term keeps its price, and is paid to the end of that term.
        remaining = (len(months.path) - months.starts)[:, np.newaxis]
        owed = np.maximum(cases.minimum_months[bound] - remaining, 0.0)
        rented[:, bound] = (months.since @ priced)[:, bound]
        tail[bound] = (owed * priced[:, bound]).sum(axis=0)
    return {
        "held": np.where(keeps, months.at_peak @ instances, months.at_demand @ instances),
        "bought": months.first @ added,
        "rented": rented,
        "paid": months.first @ priced,
        "supported": months.since @ priced,
        "retired": months.last * priced.sum(axis=0),
        "left": months.last * (months.value_left @ priced),
        "tail": months.last * tail,
        "financed": months.financed @ priced,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Months:
    """The months of the horizon by the level of demand in them, few of them being distinct."""

    weights: Floats  # (k, months)
    path: Floats  # (months,): prices
    levels: Floats  # rising
    at_demand: Floats  # (k, levels): weight of the months at a level
    at_demand_paid: Floats  # the same times the price of the month
    at_peak: Floats  # the same as the first for the highest level so far
    peaks: Bools  # levels that are a highest one so far
    starts: Ints  # (peaks,): month in which each is first reached
    first: Floats  # (k, peaks): weight of that month
    since: Floats  # (k, peaks): weight of that month and all later ones
    last: Floats  # (k, 1): weight of the last month
    price_then: Floats  # (peaks,)
    value_left: Floats  # (peaks,)
    financed: Floats  # (k, peaks): weighted flows to the lender for a thing bought then

    @classmethod
    def of(cls, rules: CostRules, weights: Floats) -> "_Months":
        demand, path = growth_path(rules), price_path(rules)
        peak = np.maximum.accumulate(demand)
        levels = np.unique(demand)  # a highest level so far is a level
        reached, month = np.unique(peak, return_index=True)
        remaining = rules.horizon_months - month
        at_level = (demand[:, np.newaxis] == levels).astype(np.float64)
        return cls(
            weights=weights,
            path=path,
            levels=levels,
            at_demand=weights @ at_level,
            at_demand_paid=(weights * path) @ at_level,
            at_peak=weights @ (peak[:, np.newaxis] == levels),
            peaks=np.isin(levels, reached),
            starts=month,
            first=weights[:, month],
            since=np.cumsum(weights[:, ::-1], axis=1)[:, ::-1][:, month],
            last=weights[:, -1:],
            price_then=path[month],
            value_left=np.array([value_left(rules, months=int(left)) for left in remaining]),
            financed=weights @ financing_flows(rules, bought_in=month).T,
        )

    def term_weights(self, term: int) -> Floats:
        """(k, peaks): months from each start on, at the price at which their term started."""
        held = term_starts(self.starts, months=len(self.path), term=term)
        prices = np.where(held >= 0, self.path[held], 0.0)
        return self.weights @ prices.T

    def tail_weights(self, term: int) -> Floats:
        """(peaks,): months that the last term runs on, at its price."""
        months = len(self.path)
        over = -(months - self.starts) % term
        held = term_starts(self.starts, months=months, term=term)[:, -1]
        return np.asarray(over * self.path[held], dtype=np.float64)


def term_starts(starts: Ints, *, months: int, term: int) -> Ints:
    """For what starts in a month, the month in which its term of each month began; -1 before.

    Shape (starts, months); terms follow one another without a gap.
    Source: arithmetic.
    """
    since = np.arange(months) - starts[:, np.newaxis]
    began = starts[:, np.newaxis] + since // term * term
    return np.where(since >= 0, began, -1)


def discount_weights(rules: CostRules) -> Floats:
    """Present value of one USD paid at the start of each month; shape (months,).

    Source: R. Brealey, S. Myers, F. Allen, "Principles of Corporate Finance", chapter 2.
    """
    years = np.arange(rules.horizon_months) / MONTHS_PER_YEAR
    return np.asarray((1.0 + rules.discount_rate) ** -years, dtype=np.float64)


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
