"""Live loads that must not stand in one zone or region: what each needs outside every place."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from advisor.engine.cases import Bools, Floats, Ints
from advisor.engine.fleet.problem import FleetProblem, Spread
from advisor.engine.latency.operations import Zones, zones_of
from advisor.engine.plan import Plan
from advisor.engine.search.fits import deployment_kind
from advisor.engine.search.river import Priced
from advisor.engine.search.sizing import REDUNDANCY_FACTOR
from catalog.specs import OfferSpec

LEAST_REPLICAS = 2  # of a load that asks for two zones, in every hour with traffic
OWN_ROOM = "your own room"
_MANY = 1e6


def place_of(offer: OfferSpec) -> str:
    """Where an offer's machines stand, as failures see it: a region, or the user's room.

    Source: the offer.
    """
    if deployment_kind(offer) == "on_prem":
        return OWN_ROOM
    return offer.provider if offer.region is None else offer.region.slug


def zones_at(offer: OfferSpec) -> Zones:
    """Zones in which an offer's part is rented at its place.

    Source: `latency.operations.zones_of`.
    """
    return zones_of(
        provider=offer.provider,
        region="" if offer.region is None else offer.region.code,
        accelerator=offer.accelerator_slug,
        purchase=offer.purchase.value,
    )


def spreads_of(
    problem: FleetProblem,
    priced: Sequence[Priced],
    offers: Sequence[OfferSpec],
    plans: Sequence[Plan],
) -> tuple[Spread, ...]:
    """The rules of all loads that ask for a second zone or region and can have one.

    Two zones: at least two replicas in every hour with traffic, and outside a room of one's own,
    which is one zone, at least one. Two regions: outside each region as much capacity as the
    hour needs, so that the others carry it alone. Hosted models answer for the share they
    serve. A load for which nothing is to be had at a second place has no rule; the answer says
    so. `offers` are those of the options before the hosted models.

    Source: rules stated here; redundancy as in `search.sizing`.
    """
    found: list[Spread] = []
    for load, each in enumerate(priced):
        serving = each.workload.serving
        if serving is None or serving.is_batch:
            continue
        mine = np.flatnonzero(problem.pool_load == load)
        machines = mine[problem.pool_option[mine] < len(offers)]
        choices = _Choices(
            problem=problem,
            load=load,
            machines=machines,
            places=np.array([place_of(offers[problem.pool_option[pool]]) for pool in machines]),
            plans=plans,
            whole=[n for n, plan in enumerate(plans) if plan.workload == each.workload.name],
        )
        if serving.redundancy == "two_zones":
            found += _zones(choices)
        elif serving.redundancy in REDUNDANCY_FACTOR:
            found += _regions(choices, REDUNDANCY_FACTOR[serving.redundancy])
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Choices:
    """Where one load may be served: pools of machines with their places, and whole plans."""

    problem: FleetProblem
    load: int
    machines: Ints
    places: np.ndarray
    plans: Sequence[Plan]
    whole: Sequence[int]

    @property
    def metered(self) -> bool:
        """Whether a hosted model may serve the load too."""
        mine = self.problem.pool_load == self.load
        return bool((self.problem.metered[self.problem.pool_option] & mine).any())


def _zones(of: _Choices) -> list[Spread]:
    """Two replicas in all, and one outside a room of one's own where there is an outside."""
    problem, load = of.problem, of.load
    busy = (problem.demand[problem.bucket_load == load].sum(axis=0) > 0.0).astype(np.float64)
    elsewhere = [n for n in of.whole if of.plans[n].provider_kind != "on_prem"]
    outside = of.machines[of.places != OWN_ROOM]
    rules = [
        Spread(
            load=load, name="two replicas", capacity=_column(problem, of.machines, 1.0),
            need=busy * LEAST_REPLICAS, wholes=np.array(of.whole, dtype=np.int64),
        )
    ]  # fmt: skip
    if (of.places == OWN_ROOM).any() and (len(outside) or elsewhere or of.metered):
        rules.append(
            Spread(
                load=load, name="two zones", capacity=_column(problem, outside, 1.0), need=busy,
                wholes=np.array(elsewhere, dtype=np.int64),
            )
        )  # fmt: skip
    return rules


def _regions(of: _Choices, factor: float) -> list[Spread]:
    """Outside each place capacity for the hour; nothing where no second place could carry it."""
    problem, load = of.problem, of.load
    need = problem.demand[problem.bucket_load == load].sum(axis=0)
    speed = factor * mix_rate(problem, load)
    several = np.array([n for n in of.whole if of.plans[n].extra.get("places")], dtype=np.int64)
    most = np.minimum(problem.most[problem.pool_option], _MANY) / problem.size
    rules = []
    for place in np.unique(of.places):
        outside = of.machines[of.places != place]
        could = float((speed * most)[outside].sum())
        if not of.metered and not len(several) and could < need.max(initial=0.0):
            return []
        rules.append(
            Spread(
                load=load, name=f"without {place}", capacity=_column(problem, outside, speed),
                need=need, wholes=several,
            )
        )  # fmt: skip
    return rules


def mix_rate(problem: FleetProblem, load: int) -> Floats:
    """Units a second of one replica of each pool at the load's mix of sizes; 0 for other loads.

    Source: the harmonic mean over the sizes that the pool serves.
    """
    mine = (problem.bucket_load == load)[:, np.newaxis] & (problem.rate > 0.0)
    weight = problem.demand.sum(axis=1)[:, np.newaxis] * mine
    with np.errstate(divide="ignore", invalid="ignore"):
        time = np.where(mine, weight / np.where(mine, problem.rate, 1.0), 0.0).sum(axis=0)
        rate = np.where(time > 0.0, weight.sum(axis=0) / time, 0.0)
    return np.asarray(np.where(problem.pool_load == load, rate, 0.0))


def _column(problem: FleetProblem, pools: Ints, value: Floats | float) -> Floats:
    """A column over all pools with a value at some of them."""
    inside: Bools = np.isin(np.arange(len(problem.pool_option)), pools)
    return np.where(inside, value, 0.0)
