"""A fleet to be chosen, as plain columns: what may be bought, what must be served, and when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from advisor.engine.cases import Bools, Floats, Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Work of one load that must be through within its window; runs that differ are jobs apart."""

    load: int
    volume: float  # units of one run, in the unit of `rate` times one hour
    hours: Floats  # (H,) hours of each kind that one run's window holds
    slots: Floats | None = None  # (S, H) the same by parts of the window, in their order
    at_once: float = np.inf  # most replicas that may share one run


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """One load served entirely by a plan of its own at a known cost, nothing shared."""

    load: int
    usd: float
    name: str = ""
    tags: frozenset[str] = frozenset()  # "family:gpu", "purchase:spot", "provider:aws"
    wait_s: float = np.nan  # of an answer of mean length, of a training run; nan: unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A cost paid once as soon as any of these pools or whole plans is used."""

    usd: float
    pools: Ints
    wholes: Ints
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A sum over machines, machine-hours a week and whole plans that must not pass `most`."""

    name: str
    per_machine: Floats  # (O,) for each machine held
    per_hour: Floats  # (O,) for each machine and hour of the week in use
    per_whole: Floats  # one a whole plan
    most: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """What a live load must have outside a place, in every hour; one such rule.

    The capacity of its replicas, with what hosted models and some whole plans serve counted as
    that share of the need, must reach the need.
    """

    load: int
    name: str
    capacity: Floats  # (P,) of one replica; 0 inside the place and for other loads
    need: Floats  # (H,)
    wholes: Ints  # whole plans that satisfy it by themselves


@dataclass(frozen=True, kw_only=True)
class FleetProblem:
    """Options are bought, pools are one load's replicas on one option, hours are kinds of hours.

    Live loads have a demand in every hour; jobs have a volume and a window. A machine that is
    held is paid all week, one that is not is paid in the hours it is used. All USD are over
    the horizon.
    """

    hours: Floats  # (H,) hours of the week that each kind stands for
    # Options
    held: Bools  # (O,)
    usd: Floats  # (O,) of one machine, or of one machine in one hour of every week
    most: Floats  # (O,) machines to be had
    least: Floats  # (O,) machines held anyway
    tables: tuple[Floats, ...]  # (O) USD of 0, 1, 2, ... machines held; empty: `usd` times them
    # Pools
    pool_option: Ints  # (P,)
    pool_load: Ints  # (P,)
    size: Floats  # (P,) machines of one replica
    spare: Floats  # (P,) replicas above the need while the pool serves
    rate: Floats  # (B, P) units a second of one replica; 0 where it cannot serve
    usd_per_unit: Floats  # (B, P) of one unit a second during one hour of every week
    # Loads
    bucket_load: Ints  # (B,)
    demand: Floats  # (B, H) units a second; 0 for jobs
    jobs: tuple[Job, ...] = ()
    wholes: tuple[Whole, ...] = ()
    groups: tuple[Group, ...] = ()
    families: tuple[Group, ...] = ()  # each used one but the first costs `another_usd`
    another_usd: float = 0.0
    limits: tuple[Limit, ...] = ()
    spreads: tuple[Spread, ...] = ()

    @cached_property
    def loads(self) -> int:
        """How many workloads there are."""
        return int(max(self.bucket_load.max(initial=-1), self.pool_load.max(initial=-1))) + 1

    @cached_property
    def metered(self) -> Bools:
        """Options of which nothing is held or rented: what they serve is paid by the unit alone."""
        return np.asarray(~self.held & (self.usd == 0.0), dtype=bool)

    @cached_property
    def job_loads(self) -> frozenset[int]:
        """Loads that are jobs."""
        return frozenset(job.load for job in self.jobs)

    @cached_property
    def job_buckets(self) -> Bools:
        """Buckets of loads that are jobs; (B,)."""
        return np.isin(self.bucket_load, sorted(self.job_loads))

    @cached_property
    def units_served(self) -> Floats:
        """Units a second of each entry of `Fleet.served`: those of a replica for jobs; (B, P)."""
        return np.where(self.job_buckets[:, np.newaxis], self.rate, 1.0)

    @cached_property
    def live_pools(self) -> Bools:
        """Pools of live loads; (P,)."""
        return ~np.isin(self.pool_load, sorted(self.job_loads))


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """What is bought and who serves what: a feasible answer to a FleetProblem."""

    machines: Floats  # (O,) held
    used: Floats  # (O, H) machines in use in each kind of hour, of those paid by the hour
    replicas: Floats  # (P, H)
    served: Floats  # (B, P, H) units a second; jobs: replicas at work on average
    whole: Floats  # one a whole plan, 0 or 1
    usd: float


def options_kept(problem: FleetProblem, keep: Bools) -> FleetProblem:
    """The same question with some options alone; columns of the others are gone.

    Source: plain indexing.
    """
    place = np.cumsum(keep) - 1
    pools = np.flatnonzero(keep[problem.pool_option])
    pool_at = {int(pool): number for number, pool in enumerate(pools)}
    return replace(
        problem,
        held=problem.held[keep],
        usd=problem.usd[keep],
        most=problem.most[keep],
        least=problem.least[keep],
        tables=tuple(t for t, kept in zip(problem.tables, keep, strict=True) if kept),
        pool_option=place[problem.pool_option[pools]],
        pool_load=problem.pool_load[pools],
        size=problem.size[pools],
        spare=problem.spare[pools],
        rate=problem.rate[:, pools],
        usd_per_unit=problem.usd_per_unit[:, pools],
        groups=tuple(_with_pools(group, pool_at) for group in problem.groups),
        families=tuple(_with_pools(group, pool_at) for group in problem.families),
        limits=tuple(
            replace(limit, per_machine=limit.per_machine[keep], per_hour=limit.per_hour[keep])
            for limit in problem.limits
        ),
        spreads=tuple(
            replace(spread, capacity=spread.capacity[pools]) for spread in problem.spreads
        ),
    )


def wholes_kept(problem: FleetProblem, keep: Sequence[bool]) -> FleetProblem:
    """The same question with some of the whole plans alone.

    Source: plain indexing.
    """
    rows = np.flatnonzero(np.asarray(keep, dtype=bool))
    place = {int(row): number for number, row in enumerate(rows)}
    return replace(
        problem,
        wholes=tuple(problem.wholes[row] for row in rows),
        groups=tuple(_with_wholes(group, place) for group in problem.groups),
        families=tuple(_with_wholes(group, place) for group in problem.families),
        limits=tuple(replace(lim, per_whole=lim.per_whole[rows]) for lim in problem.limits),
        spreads=tuple(
            replace(spread, wholes=_kept(spread.wholes, place)) for spread in problem.spreads
        ),
    )


def _with_pools(group: Group, place: Mapping[int, int]) -> Group:
    kept = [place[int(pool)] for pool in group.pools if int(pool) in place]
    return replace(group, pools=np.array(kept, dtype=np.int64))


def _with_wholes(group: Group, place: Mapping[int, int]) -> Group:
    return replace(group, wholes=_kept(group.wholes, place))


def _kept(rows: Ints, place: Mapping[int, int]) -> Ints:
    return np.array([place[int(row)] for row in rows if int(row) in place], dtype=np.int64)
