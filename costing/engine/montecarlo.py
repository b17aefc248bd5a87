"""What a plan may cost when prices, load, performance and growth turn out otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

import numpy as np

from costing.engine.cases import COMMITMENT_MONTHS, CostCases, CostRules
from costing.engine.data import Floats
from costing.engine.quantities import Quantities, quantities, value_left
from costing.engine.tco import COMPUTE, COOLING, POWER, TOKENS, cost_lines

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
    price_trend: Floats  # logarithm of the change in a year
    power_price: Floats
    failures: Floats
    performance: Floats
    price: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Swing:
    """What one unknown does to the cost of one plan when all others are as assumed."""

    name: str
    low_usd: float  # at the low end of its interval
    high_usd: float  # at the high end


@dataclass(frozen=True, slots=True, kw_only=True)
class _Units:
    """USD for one of each quantity, by plan, with what comes on top."""

    rent: Floats
    power: Floats
    held: Floats
    bought: Floats
    retired: Floats
    left: Floats
    tail: Floats
    tokens: Floats
    fixed: Floats = field(default_factory=lambda: np.zeros(0))
    egress: Floats = field(default_factory=lambda: np.zeros(0))


def sampled(
    cases: CostCases, rules: CostRules, known: Uncertainty, *, draws: int, seed: int
) -> Draws:
    """Futures drawn with a seed; the same seed and sizes give the same futures.

    Each unknown is log-normal on either side of its assumption, with the interval's ends as
    its 10th and 90th percentile; the rates are normal likewise. Plans share load, growth,
    power price and trend; prices and performance are each plan's own.

    Source: two-piece normal distribution, K. F. Wallis, "The two-piece normal, binormal, or
    double Gaussian distribution", Statistical Science 29(1), 2014.
    """
    random = np.random.default_rng(seed)
    shape = (draws, len(cases))
    shared = random.standard_normal((5, draws))
    growth = known.growth_per_month or (rules.growth_per_month, rules.growth_per_month)
    return Draws(
        load=_factor(shared[0], *known.load),
        growth_per_month=_rate(shared[1], rules.growth_per_month, growth),
        price_trend=np.log1p(_rate(shared[2], 0.0, known.price_trend_per_year)),
        power_price=_factor(shared[3], *known.power_price),
        failures=_factor(shared[4], *known.failures),
        performance=_factor(random.standard_normal(shape), *known.performance),
        price=_factor(
            random.standard_normal(shape), cases.price_low_factor, cases.price_high_factor
        ),
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
    months = np.arange(rules.horizon_months)
    grown = np.minimum(months, max(rules.growth_stops_month, 0))
    path = (1.0 + futures.growth_per_month[:, np.newaxis]) ** grown
    path *= (futures.load * futures.failures)[:, np.newaxis]
    peak = np.maximum.accumulate(path, axis=1)
    trend = np.exp(futures.price_trend[:, np.newaxis] * months / 12.0)
    volume = (path * trend).sum(axis=1)
    more = path.sum(axis=1) / float(nominal.volume[0, 0])
    keeps = cases.on_site | cases.is_bought_as(*COMMITMENT_MONTHS)
    totals = np.empty(futures.price.shape)
    for plan in range(len(cases)):
        demand = peak if keeps[plan] else path
        price, speed = futures.price[:, plan], futures.performance[:, plan]
        counted = _counted(cases, rules, plan, demand / speed[:, np.newaxis], trend)
        total = units.rent[plan] * price * counted.rent
        total += (units.power[plan] * futures.power_price + units.held[plan]) * counted.held
        total += price * (
            units.bought[plan] * counted.last
            + units.left[plan] * counted.left
            + units.retired[plan] * counted.last
            + units.tail[plan] * counted.tail
        )
        total += units.tokens[plan] * price * volume
        totals[:, plan] = total + units.fixed[plan] + units.egress[plan] * more
    return totals


def percentiles_usd(totals: Floats, *, at: tuple[float, ...] = (0.1, 0.5, 0.9)) -> Floats:
    """Cost of each plan that is not exceeded with each of these chances; shape (chances, plans).

    Source: sample quantiles, linear between order statistics.
    """
    return np.asarray(np.quantile(totals, at, axis=0), dtype=np.float64)


def chance_cheaper(totals: Floats, first: int, second: int) -> float:
    """Share of the futures in which the first plan costs less than the second.

    Both see the same future, so what they share does not blur the answer.
    Source: paired comparison of samples.
    """
    return float((totals[:, first] < totals[:, second]).mean())


def chance_cheapest(totals: Floats) -> Floats:
    """Share of the futures in which each plan is the cheapest; shape (plans,).

    Source: counting.
    """
    winners = np.bincount(np.argmin(totals, axis=1), minlength=totals.shape[1])
    return winners / len(totals)


def tornado(cases: CostCases, rules: CostRules, known: Uncertainty) -> tuple[Swing, ...]:
    """What matters most to the cost of a plan (one row): the unknowns by the size of their swing.

    Source: one at a time sensitivity, ends of the 80 % intervals.
    """
    base = as_assumed(cases, rules)
    growth = known.growth_per_month or (rules.growth_per_month, rules.growth_per_month)
    ends: Mapping[str, tuple[Floats | float, Floats | float]] = {
        "load": known.load,
        "performance": known.performance,
        "growth_per_month": growth,
        "price_trend": tuple(np.log1p(known.price_trend_per_year)),
        "power_price": known.power_price,
        "failures": known.failures,
        "price": (cases.price_low_factor, cases.price_high_factor),
    }
    swings = []
    for each in fields(Draws):
        shape = getattr(base, each.name).shape
        low, high = (
            totals_usd(cases, rules, replace(base, **{each.name: np.broadcast_to(end, shape)}))[
                0, 0
            ]
            for end in ends[each.name]
        )
        swings.append(Swing(name=each.name, low_usd=float(low), high_usd=float(high)))
    return tuple(sorted(swings, key=lambda swing: -abs(swing.high_usd - swing.low_usd)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counted:
    held: Floats
    rent: Floats  # instance-months weighted with the trend of rents and the hours used
    last: Floats
    left: Floats
    tail: Floats


def _counted(
    cases: CostCases, rules: CostRules, plan: int, demand: Floats, trend: Floats
) -> _Counted:
    """Instance-months of one plan in each future; `demand` of shape (draws, months)."""
    horizon = rules.horizon_months
    count = float(cases.instances[plan])
    term = COMMITMENT_MONTHS.get(cases.purchases[int(cases.purchase[plan])], 1)
    if not cases.grows[plan]:
        # The same machines, for as many more or fewer hours as the work takes.
        by_the_hour = bool(cases.may_scale_down[plan]) and term == 1
        hours = (demand * trend if by_the_hour else trend).sum(axis=1)
        ones = np.ones(len(demand))
        return _Counted(
            held=ones * count * horizon,
            rent=count * hours,
            last=ones * count,
            left=ones * count * value_left(rules, months=horizon),
            tail=ones * count * (-horizon % term),
        )
    step = float(cases.instance_step[plan])
    exact = count if np.isnan(cases.instances_exact[plan]) else float(cases.instances_exact[plan])
    spare = count - max(np.ceil(exact / step - _ALMOST), 1.0) * step
    instances = np.ceil(demand * (exact / step) - _ALMOST)
    np.maximum(instances, 1.0, out=instances)
    instances *= step
    instances += spare
    held = instances.sum(axis=1)
    last = instances[:, -1]
    tail = np.zeros(len(held))
    if term > 1:
        remaining = horizon - np.arange(horizon)
        added = np.diff(instances, axis=1, prepend=0.0)
        tail = added @ (-remaining % term).astype(np.float64)
    return _Counted(
        held=held,
        rent=np.einsum("dm,dm->d", instances, trend),
        last=last,
        # What is bought in a month loses value in a straight line, so months in use tell it.
        left=last - (1.0 - rules.residual_fraction) / horizon * held,
        tail=tail,
    )


def _unit_costs(cases: CostCases, rules: CostRules) -> tuple[_Units, Quantities]:
    nominal = quantities(cases, rules, weights=np.ones((1, rules.horizon_months)))
    none = np.zeros(len(cases))
    zero = Quantities(
        months=np.zeros((1, 1)),
        volume=np.zeros((1, 1)),
        once=np.zeros((1, 1)),
        held=none,
        bought=none,
        retired=none,
        left=none,
        tail=none,
        egress_usd=none,
    )
    ones = np.ones(len(cases))
    on_top = 1.0 + rules.tax_fraction + rules.contingency_fraction

    def usd(**one: Floats) -> Floats:
        lines = cost_lines(cases, rules, replace(zero, **one))
        return np.asarray(np.broadcast_to(sum(lines.values()), (1, len(cases)))[0])

    held = cost_lines(cases, rules, replace(zero, held=ones))
    rent = held[COMPUTE] * on_top
    power = (held[POWER] + held[COOLING]) * on_top
    tokens = cost_lines(cases, rules, replace(zero, volume=np.ones((1, 1))))[TOKENS][0] * on_top
    units = _Units(
        rent=rent,
        power=power,
        held=usd(held=ones) - rent - power,
        bought=usd(bought=ones),
        retired=usd(retired=ones),
        left=usd(left=ones),
        tail=usd(tail=ones),
        tokens=tokens,
        fixed=usd(months=nominal.months, once=nominal.once),
        egress=usd(egress_usd=nominal.egress_usd),
    )
    return units, nominal


def _factor(z: Floats, low: Floats | float, high: Floats | float) -> Floats:
    below, above = -np.log(low) / Z90, np.log(high) / Z90
    return np.exp(z * np.where(z < 0.0, below, above))


def _rate(z: Floats, middle: float, ends: Spread) -> Floats:
    below, above = (middle - ends[0]) / Z90, (ends[1] - middle) / Z90
    return middle + z * np.where(z < 0.0, below, above)
