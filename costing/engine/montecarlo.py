"""What a plan may cost when prices, load, performance and growth turn out otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np

from catalog.units import MONTHS_PER_YEAR
from costing.engine.cases import COMMITMENT_MONTHS, CostCases, CostRules
from costing.engine.data import Floats, Ints
from costing.engine.financing import financing_flows
from costing.engine.quantities import Quantities, price_path, quantities, term_starts
from costing.engine.tco import COOLING, POWER, cost_lines

Z90 = 1.2815515655446004  # a normal variable lies within +-Z90 in 80 of 100 cases
_ALMOST = 1e-9

Spread = tuple[float, float]  # low and high end of an 80 % interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncertainty:
    """How far what is not known may lie from what was assumed: 80 % intervals.

    Factors are relative to the assumption; the two rates are absolute. Prices take their
    range from the cases. `performance` is by plan, or one for all.
    """

    load: Spread = (0.8, 1.25)
    performance: tuple[Floats | float, Floats | float] = (1.0, 1.0)
    growth_per_month: Spread | None = None  # None: as in the rules
    price_trend_per_year: Spread = (-0.2, 0.2)  # rents neither only rise nor only fall
    power_price: Spread = (0.8, 1.25)
    failures: Spread = (1.0, 1.0)  # capacity needed to make up for what is broken


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """Sampled futures: what all plans share has shape (draws,), what is theirs (draws, plans)."""

    load: Floats
    growth_per_month: Floats
    price_trend: Floats  # logarithm of the change in a year, beside that of the rules
    power_price: Floats
    failures: Floats
    performance: Floats
    price: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class _Units:
    """USD for one of each quantity, by plan, with what comes on top."""

    rented: Floats
    power: Floats
    held: Floats
    bought: Floats
    paid: Floats
    supported: Floats
    retired: Floats
    left: Floats
    financed: Floats
    tail: Floats
    tokens: Floats
    fixed: Floats
    egress: Floats


def sampled(
    cases: CostCases,
    rules: CostRules,
    known: Uncertainty,
    *,
    draws: int,
    seed: int,
    price_of: Ints | None = None,
) -> Draws:
    """Futures drawn with a seed; the same seed and sizes give the same futures.

    Each unknown is log-normal on either side of its assumption, with the interval's ends as
    its 10th and 90th percentile; the rates are normal likewise. Plans share load, growth,
    power price and trend; prices and performance are each plan's own. `price_of` names for
    each case the first one that is bought at the very same price: those err together.

    Source: two-piece normal distribution, K. F. Wallis, "The two-piece normal, binormal, or
    double Gaussian distribution", Statistical Science 29(1), 2014.
    """
    random = np.random.default_rng(seed)
    shape = (draws, len(cases))
    shared = random.standard_normal((5, draws))
    growth = known.growth_per_month or (rules.growth_per_month, rules.growth_per_month)
    performance, price = random.standard_normal(shape), random.standard_normal(shape)
    if price_of is not None:
        price = price[:, price_of]
    return Draws(
        load=_factor(shared[0], *known.load),
        growth_per_month=_rate(shared[1], rules.growth_per_month, growth),
        price_trend=np.log1p(_rate(shared[2], 0.0, known.price_trend_per_year)),
        power_price=_factor(shared[3], *known.power_price),
        failures=_factor(shared[4], *known.failures),
        performance=_factor(performance, *known.performance),
        price=_factor(price, cases.price_low_factor, cases.price_high_factor),
    )


def as_assumed(cases: CostCases, rules: CostRules) -> Draws:
    """The one future in which all is as assumed.

    Source: the assumptions.
    """
    one = np.ones(1)
    return Draws(
        load=one,
        growth_per_month=np.full(1, rules.growth_per_month),
        price_trend=np.zeros(1),
        power_price=one,
        failures=one,
        performance=np.ones((1, len(cases))),
        price=np.ones((1, len(cases))),
    )


def totals_usd(cases: CostCases, rules: CostRules, futures: Draws) -> Floats:
    """Cost of each plan over the horizon in each future; shape (draws, plans).

    As assumed, it is the total of `cost_breakdown`. Instances are counted in each month of
    each future; egress is scaled along its nominal steps.

    Source: as `cost_breakdown`; Monte Carlo as in JCGM 101:2008.
    """
    units, nominal = _unit_costs(cases, rules)
    years = np.arange(rules.horizon_months) / MONTHS_PER_YEAR
    grown = np.minimum(np.arange(rules.horizon_months), max(rules.growth_stops_month, 0))
    path = (1.0 + futures.growth_per_month[:, np.newaxis]) ** grown
    path *= (futures.load * futures.failures)[:, np.newaxis]
    peak = np.maximum.accumulate(path, axis=1)
    prices = np.exp(np.multiply.outer(futures.price_trend, years)) * price_path(rules)
    terms = {
        term: _Terms.of(prices, term)
        for kind, term in COMMITMENT_MONTHS.items()
        if cases.is_bought_as(kind).any()
    }
    lender = financing_flows(rules, bought_in=np.arange(rules.horizon_months)).sum(axis=1)
    volume = np.einsum("dm,dm->d", path, prices)
    more = path.sum(axis=1) / float(nominal.volume[0, 0])
    keeps = cases.on_site | cases.is_bought_as(*COMMITMENT_MONTHS) | (cases.minimum_months > 0.0)
    totals = np.empty(futures.price.shape)
    for plan in range(len(cases)):
        demand = peak if keeps[plan] else path
        price, speed = futures.price[:, plan], futures.performance[:, plan]
        load = demand / speed[:, np.newaxis]
        counted = _counted(cases, rules, plan, load, prices, terms, lender)
        total = sum(getattr(units, name)[plan] * counted[name] for name in _PRICED & set(counted))
        total = total * price
        total += (units.power[plan] * futures.power_price + units.held[plan]) * counted["held"]
        total += units.bought[plan] * counted["bought"]
        total += units.tokens[plan] * price * volume
        totals[:, plan] = total + units.fixed[plan] + units.egress[plan] * more
    return totals


_PRICED = {"rented", "tail", "paid", "supported", "retired", "left", "financed"}
"""Quantities that are multiplied with the price of the plan itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Terms:
    """What a commitment that starts in a month costs by future, at one a month at go-live."""

    held: Floats  # (draws, months): its months within the horizon
    tail: Floats  # (draws, months): those after it

    @classmethod
    def of(cls, prices: Floats, term: int) -> "_Terms":
        months = prices.shape[1]
        starts = term_starts(np.arange(months), months=months, term=term)
        ran = (starts[:, :, np.newaxis] == np.arange(months)).sum(axis=1, dtype=np.float64)
        over = -(months - np.arange(months)) % term
        return cls(held=prices @ ran.T, tail=prices[:, starts[:, -1]] * over)


def _counted(
    cases: CostCases,
    rules: CostRules,
    plan: int,
    demand: Floats,
    prices: Floats,
    terms: Mapping[int, _Terms],
    lender: Floats,
) -> dict[str, Floats]:
    """Quantities of one plan in each future, the priced ones at the prices of their months.

    `demand` and `prices` are of shape (draws, months); `lender` is what all flows to the lender
    add up to for what is bought in a month.
    """
    term = COMMITMENT_MONTHS.get(cases.purchases[int(cases.purchase[plan])], 1)
    least_months = float(cases.minimum_months[plan])
    grows, owned = bool(cases.grows[plan]), bool(cases.on_site[plan])
    instances = (
        _instances(cases, plan, demand)
        if grows
        else np.full(demand.shape, float(cases.instances[plan]))
    )
    found = {"held": instances.sum(axis=1), "bought": instances[:, -1]}
    if not (owned or term > 1 or least_months > 0.0):
        # The same machines are used for as many more or fewer hours as the work takes, which
        # the breakdown does not let grow either.
        used = demand[:, :1] if cases.may_scale_down[plan] and not grows else np.ones(())
        return found | {"rented": np.einsum("dm,dm->d", instances * used, prices)}
    added = np.diff(instances, axis=1, prepend=0.0)
    if term > 1 and least_months == 0.0:
        return found | {
            "rented": np.einsum("dm,dm->d", added, terms[term].held),
            "tail": np.einsum("dm,dm->d", added, terms[term].tail),
        }
    added *= prices
    remaining = (rules.horizon_months - np.arange(rules.horizon_months)).astype(np.float64)
    if not owned:
        owed = np.maximum(least_months - remaining, 0.0)
        return found | {"rented": added @ remaining, "tail": added @ owed}
    paid, supported = added.sum(axis=1), added @ remaining
    # In a straight line, what is left of the value is linear in the months in use.
    lost = (1.0 - rules.residual_fraction) / rules.horizon_months
    return found | {
        "paid": paid,
        "supported": supported,
        "retired": paid,
        "left": paid - lost * supported,
        "financed": added @ lender,
    }


def _instances(cases: CostCases, plan: int, demand: Floats) -> Floats:
    """Whole instances in each month of each future; shape of `demand`."""
    count, step = float(cases.instances[plan]), float(cases.instance_step[plan])
    exact = count if np.isnan(cases.instances_exact[plan]) else float(cases.instances_exact[plan])
    spare = count - max(np.ceil(exact / step - _ALMOST), 1.0) * step
    instances = np.ceil(demand * (exact / step) - _ALMOST)
    np.maximum(instances, 1.0, out=instances)
    instances *= step
    instances += spare
    # The rented part of a hybrid is empty while its own part bears the load.
    return np.maximum(instances, 0.0, out=instances)


def _unit_costs(cases: CostCases, rules: CostRules) -> tuple[_Units, Quantities]:
    nominal = quantities(cases, rules, weights=np.ones((1, rules.horizon_months)))
    none, ones = np.zeros((1, len(cases))), np.ones((1, len(cases)))
    zero = Quantities(
        **{
            each.name: np.zeros((1, 1)) if getattr(nominal, each.name).shape[1] == 1 else none
            for each in fields(Quantities)
        }
    )
    on_top = 1.0 + rules.tax_fraction + rules.contingency_fraction

    def usd(**one: Floats) -> Floats:
        lines = cost_lines(cases, rules, replace(zero, **one))
        return np.asarray(np.broadcast_to(sum(lines.values()), ones.shape)[0])

    running = cost_lines(cases, rules, replace(zero, held=ones))
    power = (running[POWER] + running[COOLING])[0] * on_top
    units = _Units(
        power=power,
        held=usd(held=ones) - power,
        tokens=usd(volume_paid=np.ones((1, 1))),
        fixed=usd(months=nominal.months, once=nominal.once),
        egress=usd(egress_usd=nominal.egress_usd),
        **{name: usd(**{name: ones}) for name in ("bought", *_PRICED)},
    )
    return units, nominal


def _factor(z: Floats, low: Floats | float, high: Floats | float) -> Floats:
    below, above = -np.log(low) / Z90, np.log(high) / Z90
    return np.exp(z * np.where(z < 0.0, below, above))


def _rate(z: Floats, middle: float, ends: Spread) -> Floats:
    below, above = (middle - ends[0]) / Z90, (ends[1] - middle) / Z90
    return middle + z * np.where(z < 0.0, below, above)
