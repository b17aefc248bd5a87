"""Hosted models as part of a fleet: traffic that goes to an API, paid by the token, by the hour."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from advisor.engine.cases import Floats
from advisor.engine.fleet.problem import Fleet, FleetProblem, Group
from advisor.engine.fleet.sizes import SizeClass
from advisor.engine.plan import CostLine
from advisor.engine.search.hosted import (
    hosted_cases,
    hosted_lines,
    hosted_offers,
    usd_per_month_of,
    usd_per_request,
)
from advisor.engine.search.river import Priced
from catalog.specs import OfferSpec
from catalog.units import SECONDS_PER_HOUR, SECONDS_PER_MINUTE
from costing.engine.cases import CostCases, CostRules
from costing.engine.rates import Rates
from costing.engine.tco import CostBreakdown, cost_breakdown

RATE_LIMIT = "api_requests_per_min"
PEOPLE = "people"
NO_LIMIT = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """A hosted model that may take any part of a load: nothing is held, tokens are paid."""

    offer: OfferSpec
    load: int
    usd: float  # tokens of the whole load over the horizon
    of_size: Floats  # price of a request of each size class over that of the mean request
    people_usd: float
    requests_per_s: float | None  # most that the provider is known to let through; None: unknown


def meters_of(
    priced: Sequence[Priced], classes: Sequence[Sequence[SizeClass]], *, more: float = 1.0
) -> list[Meter]:
    """Hosted offers of each workload's own model that no other beats at every size.

    They are there only where the user allows a managed API, and have passed the rules on places
    and status. `more` is how much more traffic than expected is paid for.

    Source: `search.hosted`; limits from the rates `api_requests_per_min/...`.
    """
    found: list[Meter] = []
    for load, (each, sizes) in enumerate(zip(priced, classes, strict=True)):
        mine = [_meter(offer, each, load, sizes, more) for offer in hosted_offers(each)]
        found += [meter for place, meter in enumerate(mine) if not _beaten(place, mine)]
    return found


def _meter(
    offer: OfferSpec, priced: Priced, load: int, sizes: Sequence[SizeClass], more: float
) -> Meter:
    return Meter(
        offer=offer,
        load=load,
        usd=float(tokens_cost(offer, priced).total_usd[0]) * more,
        of_size=_of_size(offer, priced, sizes),
        people_usd=float(people_cost(priced).total_usd[0]),
        requests_per_s=known_limit(offer, priced.rates),
    )


def _of_size(offer: OfferSpec, priced: Priced, sizes: Sequence[SizeClass]) -> Floats:
    if len(sizes) == 1:
        return np.ones(1)
    each = np.array([
        usd_per_request(
            offer, priced, input_tokens=size.input_tokens, output_tokens=size.output_tokens
        )
        for size in sizes
    ])  # fmt: skip
    mean = float(each @ np.array([size.share for size in sizes]))
    return np.asarray(each / mean) if mean > 0.0 else np.ones(len(sizes))


def _beaten(place: int, meters: Sequence[Meter]) -> bool:
    """Whether another meter is no dearer at any size and lets no less through."""
    mine = meters[place]
    for number, other in enumerate(meters):
        ours, theirs = mine.usd * mine.of_size, other.usd * other.of_size
        no_dearer = (theirs <= ours * (1.0 + 1e-9)).all()
        no_less = (other.requests_per_s or np.inf) >= (mine.requests_per_s or np.inf)
        same = np.allclose(ours, theirs) and other.requests_per_s == mine.requests_per_s
        if number != place and no_dearer and no_less and (not same or number < place):
            return True
    return False


def known_limit(offer: OfferSpec, rates: Rates) -> float | None:
    """Requests a second that a provider lets one account send at most; None where unknown.

    Source: rates `api_requests_per_min/...`, the providers' documentation.
    """
    rate = rates.get(f"{RATE_LIMIT}/{offer.provider}")
    return None if rate is None else rate.value / SECONDS_PER_MINUTE


def tokens_cost(offer: OfferSpec, priced: Priced) -> CostBreakdown:
    """The tokens of a whole load, with what hangs on the traffic alone; people apart.

    Source: `costing.engine.tco.cost_breakdown`.
    """
    return cost_breakdown(_token_cases(offer, priced), _without_engineering(priced.rules))


def _token_cases(offer: OfferSpec, priced: Priced) -> CostCases:
    return hosted_cases(priced, usd_per_month=usd_per_month_of(offer, priced), ops_fte=0.0)


def people_cost(priced: Priced) -> CostBreakdown:
    """The people who mind a hosted model, whatever its traffic.

    Source: as `tokens_cost`.
    """
    rules = replace(priced.rules, egress_usd_per_month=None)
    return cost_breakdown(hosted_cases(priced, usd_per_month=0.0), rules)


def _without_engineering(rules: CostRules) -> CostRules:
    return replace(rules, engineering_usd_per_run=None, engineering_usd_per_month=None)


def with_meters(problem: FleetProblem, meters: Sequence[Meter], weekly: Floats) -> FleetProblem:
    """The fleet question with an option and a pool for each meter, after those it has.

    Nothing is paid for a machine or an hour, only by the unit (`usd_per_unit`, by size): the
    tokens of the whole load over its `weekly` units, so that the same traffic costs the same
    in any hour. Where a limit is known one replica is all that may be sent and there is one;
    else one replica is the load's busiest hour. Limits count nothing of it: no machines, no
    power, no accelerator-hours.

    Source: definition of FleetProblem.
    """
    if not meters:
        return problem
    options, count = len(problem.held), len(meters)
    loads = np.array([meter.load for meter in meters], dtype=np.int64)
    rate = np.stack([_rate(problem, meter) for meter in meters], axis=1)
    price = np.stack([_price(problem, meter, weekly) for meter in meters], axis=1)
    most = [NO_LIMIT if meter.requests_per_s is None else 1.0 for meter in meters]
    none = np.zeros(count)
    wide = replace(
        problem,
        held=np.concatenate([problem.held, np.zeros(count, dtype=bool)]),
        usd=np.concatenate([problem.usd, none]),
        most=np.concatenate([problem.most, most]),
        least=np.concatenate([problem.least, none]),
        tables=(*problem.tables, *(np.zeros(0) for _ in meters)),
        pool_option=np.concatenate([problem.pool_option, options + np.arange(count)]),
        pool_load=np.concatenate([problem.pool_load, loads]),
        size=np.concatenate([problem.size, np.ones(count)]),
        spare=np.concatenate([problem.spare, none]),
        rate=np.concatenate([problem.rate, rate], axis=1),
        usd_per_unit=np.concatenate([problem.usd_per_unit, price], axis=1),
        limits=tuple(
            replace(
                limit,
                per_machine=np.concatenate([limit.per_machine, none]),
                per_hour=np.concatenate([limit.per_hour, none]),
            )
            for limit in problem.limits
        ),
    )
    people = np.concatenate([_people(problem), [meter.people_usd for meter in meters]])
    others = tuple(group for group in problem.groups if group.name != PEOPLE)
    return replace(wide, groups=(*people_groups(wide, people), *others))


def _rate(problem: FleetProblem, meter: Meter) -> Floats:
    mine = problem.bucket_load == meter.load
    windows = [job.volume / job.hours.sum() for job in problem.jobs if job.load == meter.load]
    one = max(windows) if windows else float(problem.demand[mine].sum(axis=0).max(initial=0.0))
    if meter.requests_per_s is not None:
        one = meter.requests_per_s * (SECONDS_PER_HOUR if windows else 1.0)
    return np.where(mine, max(one, 1e-12), 0.0)


def _price(problem: FleetProblem, meter: Meter, weekly: Floats) -> Floats:
    mine = problem.bucket_load == meter.load
    found = np.zeros(len(mine))
    found[mine] = meter.usd / weekly[meter.load] * meter.of_size
    return found


def _people(problem: FleetProblem) -> Floats:
    """What each pool's people cost, read back out of the steps in which they are paid."""
    found = np.zeros(len(problem.pool_option))
    for group in problem.groups:
        if group.name == PEOPLE:
            found[group.pools] += group.usd
    return found


def people_groups(problem: FleetProblem, people: Floats) -> list[Group]:
    """Each load pays for the dearest kind of place that serves it: one step for each kind.

    Source: rule stated here; `people` has an entry a pool.
    """
    found = []
    for load in range(problem.loads):
        mine = problem.pool_load == load
        paid = 0.0
        for usd in np.unique(np.round(people[mine], 2)):
            pools = np.flatnonzero(mine & (people >= usd - 0.01))
            if usd > paid:
                found.append(
                    Group(usd=float(usd - paid), pools=pools, wholes=np.zeros(0, dtype=np.int64),
                          name=PEOPLE)
                )  # fmt: skip
                paid = float(usd)
    return found


def metered_lines(
    problem: FleetProblem, fleet: Fleet, pool: int, offer: OfferSpec, priced: Priced
) -> tuple[CostLine, ...]:
    """The lines of what a fleet sends to a hosted model, to the cent.

    Source: `tokens_cost`, in proportion to what is sent.
    """
    cost = tokens_cost(offer, priced)
    share = metered_usd(problem, fleet, pool) / float(cost.total_usd[0])
    return tuple(
        replace(
            line, usd=round(line.usd * share, 2), low=round(line.low * share, 2),
            high=round(line.high * share, 2),
        )
        for line in hosted_lines(offer, priced, _token_cases(offer, priced), cost)
    )  # fmt: skip


def metered_usd(problem: FleetProblem, fleet: Fleet, pool: int) -> float:
    """USD over the horizon for what a fleet sends to one metered pool.

    Source: the problem's prices by the unit.
    """
    job = int(problem.pool_load[pool]) in problem.job_loads
    rate = problem.rate[:, pool] if job else np.ones(len(problem.rate))
    units = (fleet.served[:, pool] * rate[:, np.newaxis]) @ problem.hours
    return float(units @ problem.usd_per_unit[:, pool])


def people_lines(offer: OfferSpec, priced: Priced) -> tuple[CostLine, ...]:
    """The lines of the people who mind a hosted model.

    Source: `people_cost`.
    """
    cases = hosted_cases(priced, usd_per_month=0.0)
    return hosted_lines(offer, priced, cases, people_cost(priced))
