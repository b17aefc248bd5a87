"""The fleet as a mixed-integer program: machines, hours, shares of traffic and their limits."""

from dataclasses import dataclass

import numpy as np

from advisor.engine.cases import Bools, Floats, Ints
from advisor.engine.fleet.mip import INF, Program
from advisor.engine.fleet.problem import Fleet, FleetProblem, Group

_WHOLE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Formulation:
    """A program and where the fleet's columns stand in it."""

    program: Program
    machines: Ints  # (held options,)
    used: Ints  # (hourly options, H)
    replicas: Ints  # (P, H)
    pairs: tuple[Ints, Ints]  # bucket and pool of each served pair
    share: Ints  # (pairs, H) share of the bucket's demand
    job_pools: Ints
    job_rate: Floats  # (job pools,) units that one replica does in an hour
    at_work: Ints  # (job pools, H)
    whole: Ints
    traffic_rows: Ints  # (served pools, H), of those in `served`
    served: Ints


def formulate(problem: FleetProblem, *, whole_hours: bool = True) -> Formulation:
    """Rows and columns of the least-cost fleet.

    Shares of each bucket's demand add up to one in every hour, or the load runs on a plan of
    its own. Replicas hold the traffic and their spares, machines hold the replicas; jobs are
    replica-hours within their window. With `whole_hours` false, replicas and machines of single
    hours may be fractions: a relaxation whose bound holds for the whole problem, also where
    hours are averaged, because the cost of an hour is then convex in its demand.

    Source: M. Griggs et al., "Melange", arXiv:2404.14527, section 5, for shares over size
    buckets; hours, ways to buy, jobs and limits are added here. Averaging: Jensen's inequality.
    """
    program = Program()
    hours, live = len(problem.hours), problem.live_pools
    machines, used = _machines(program, problem, whole_hours=whole_hours)
    replicas = program.add(
        0.0,
        shape=(len(problem.pool_option), hours),
        integer=(_needs_whole(problem) & whole_hours)[:, np.newaxis],
    )
    wholes = program.add(np.array([each.usd for each in problem.wholes]), upper=1.0, integer=True)
    buckets, pools = np.nonzero(
        (problem.rate > 0.0)
        & (problem.bucket_load[:, np.newaxis] == problem.pool_load)
        & live
        & (problem.demand.sum(axis=1) > 0.0)[:, np.newaxis]
    )
    demand = problem.demand[buckets]
    share = program.add(
        problem.usd_per_unit[buckets, pools][:, np.newaxis] * demand * problem.hours,
        upper=(demand > 0.0).astype(np.float64),
    )
    job_pools = np.flatnonzero(~live)
    job_bucket = np.array(
        [np.flatnonzero(problem.bucket_load == load)[0] for load in problem.pool_load[job_pools]],
        dtype=np.int64,
    )
    job_rate = problem.rate[job_bucket, job_pools]
    at_work = program.add(
        (problem.usd_per_unit[job_bucket, job_pools] * job_rate)[:, np.newaxis] * problem.hours,
        upper=_in_window(problem, job_pools, job_rate),
    )
    served = np.unique(pools)
    traffic = program.row_block(len(served) * hours, lower=0.0, upper=INF).reshape(-1, hours)
    made = Formulation(
        program=program, machines=machines, used=used, replicas=replicas, pairs=(buckets, pools),
        share=share, job_pools=job_pools, job_rate=job_rate, at_work=at_work, whole=wholes,
        traffic_rows=traffic, served=served,
    )  # fmt: skip
    _serve_all(made, problem)
    _hold_traffic(made, problem, whole_hours=whole_hours)
    _finish_jobs(made, problem)
    _share_runs(made, problem)
    _hold_replicas(made, problem, live)
    _pay_groups(made, problem)
    _keep_limits(made, problem)
    _stand_apart(made, problem)
    return made


def _needs_whole(problem: FleetProblem) -> Bools:
    """Pools whose replicas must be counted one by one: all but those that are a machine each.

    A pool alone on a held option with machines of its own size fills what is held; a job on
    machines paid by the hour is billed for the time it runs; what is paid by the unit alone has
    no machines to count.
    """
    alone = np.bincount(problem.pool_option, minlength=len(problem.held)) == 1
    held = problem.held[problem.pool_option]
    filled = alone[problem.pool_option] & held & (problem.size == 1.0) & (problem.spare == 0.0)
    filled |= problem.metered[problem.pool_option]
    return np.where(problem.live_pools, ~filled, held & (problem.size > _WHOLE))


def _machines(program: Program, problem: FleetProblem, *, whole_hours: bool) -> tuple[Ints, Ints]:
    held, hourly = np.flatnonzero(problem.held), np.flatnonzero(~problem.held)
    tabled = np.array([len(problem.tables[option]) > 0 for option in held], dtype=bool)
    machines = program.add(
        np.where(tabled, 0.0, problem.usd[held]),
        lower=problem.least[held],
        upper=problem.most[held],
        integer=True,
    )
    for number in np.flatnonzero(tabled):
        table = problem.tables[held[number]]
        steps = program.add(np.diff(table), upper=1.0, integer=True)
        program.offset += float(table[0])
        (row,) = program.row_block(1, lower=0.0, upper=0.0)
        program.put(row, machines[number], 1.0)
        program.put(row, steps, -1.0)
        if len(steps) > 1:
            ordered = program.row_block(len(steps) - 1, lower=0.0, upper=INF)
            program.put(ordered, steps[:-1], 1.0)
            program.put(ordered, steps[1:], -1.0)
    broken = (np.abs(problem.size - np.round(problem.size)) > _WHOLE) & problem.live_pools
    shared = np.zeros(len(problem.held), dtype=bool)
    np.logical_or.at(shared, problem.pool_option, broken)
    used = program.add(
        problem.usd[hourly][:, np.newaxis] * problem.hours,
        upper=problem.most[hourly][:, np.newaxis],
        integer=(shared[hourly] & whole_hours)[:, np.newaxis],
    )
    return machines, used


def _in_window(problem: FleetProblem, pools: Ints, rate: Floats) -> Floats:
    """Most replicas of a job's pool in each hour: none outside the window."""
    most = np.zeros((len(pools), len(problem.hours)))
    for job in problem.jobs:
        rows = problem.pool_load[pools] == job.load
        most[rows] = np.where(job.hours > 0.0, INF, most[rows])
    return np.where((rate > 0.0)[:, np.newaxis], most, 0.0)


def _serve_all(made: Formulation, problem: FleetProblem) -> None:
    program, (buckets, _) = made.program, made.pairs
    asked = problem.demand > 0.0
    row_of = np.full(problem.demand.shape, -1, dtype=np.int64)
    row_of[asked] = program.row_block(int(asked.sum()), lower=1.0, upper=1.0)
    rows = row_of[buckets]
    used = rows >= 0
    program.put(rows[used], made.share[used], 1.0)
    for number, whole in enumerate(problem.wholes):
        mine = row_of[problem.bucket_load == whole.load]
        mine = mine[mine >= 0]
        program.put(mine, made.whole[number], 1.0)


def _hold_traffic(made: Formulation, problem: FleetProblem, *, whole_hours: bool) -> None:
    """Replicas of a live pool carry its traffic, and its spares while it serves at all."""
    program, (buckets, pools) = made.program, made.pairs
    served, rows, hours = made.served, made.traffic_rows, len(problem.hours)
    at = np.searchsorted(served, pools)
    load = problem.demand[buckets] / problem.rate[buckets, pools][:, np.newaxis]
    program.put(rows, made.replicas[served], 1.0)
    program.put(rows[at], made.share, -load)
    spared = served[problem.spare[served] > 0.0]
    if len(spared) == 0:
        return
    on = program.add(0.0, shape=(len(spared), hours), upper=1.0, integer=whole_hours)
    program.put(rows[np.searchsorted(served, spared)], on, -problem.spare[spared][:, np.newaxis])
    pair = np.flatnonzero(np.isin(pools, spared))
    opened = program.row_block(len(pair) * hours, lower=0.0, upper=INF).reshape(-1, hours)
    program.put(opened, on[np.searchsorted(spared, pools[pair])], 1.0)
    program.put(opened, made.share[pair], -1.0)


def _share_runs(made: Formulation, problem: FleetProblem) -> None:
    """A run that cannot be parted has no more replicas at work at once than it may."""
    program, hours = made.program, len(problem.hours)
    for load in sorted({job.load for job in problem.jobs if np.isfinite(job.at_once)}):
        most = min(job.at_once for job in problem.jobs if job.load == load)
        rows = program.row_block(hours, lower=-INF, upper=most)
        program.put(rows, made.at_work[problem.pool_load[made.job_pools] == load], 1.0)


def _finish_jobs(made: Formulation, problem: FleetProblem) -> None:
    program, pools, rate = made.program, made.job_pools, made.job_rate
    for job in problem.jobs:
        mine = np.flatnonzero(problem.pool_load[pools] == job.load)
        (row,) = program.row_block(1, lower=1.0, upper=INF)
        program.put(row, made.at_work[mine], rate[mine][:, np.newaxis] * job.hours / job.volume)
        for number, whole in enumerate(problem.wholes):
            if whole.load == job.load:
                program.put(row, made.whole[number], 1.0)
    present = problem.held[problem.pool_option[pools]]
    kept = pools[present]
    hours = len(problem.hours)
    rows = program.row_block(len(kept) * hours, lower=0.0, upper=INF).reshape(-1, hours)
    program.put(rows, made.replicas[kept], 1.0)
    program.put(rows, made.at_work[present], -1.0)


def _hold_replicas(made: Formulation, problem: FleetProblem, live: Bools) -> None:
    """Machines held, or in use in the hour, have room for the replicas of all pools."""
    program, hours = made.program, len(problem.hours)
    rows = program.row_block(len(problem.held) * hours, lower=0.0, upper=INF).reshape(-1, hours)
    held, hourly = np.flatnonzero(problem.held), np.flatnonzero(~problem.held)
    program.put(rows[held], made.machines[:, np.newaxis], 1.0)
    program.put(rows[hourly], made.used, 1.0)
    counted = live | problem.held[problem.pool_option]
    pools = np.flatnonzero(counted)
    program.put(
        rows[problem.pool_option[pools]], made.replicas[pools], -problem.size[pools][:, np.newaxis]
    )
    billed = ~problem.held[problem.pool_option[made.job_pools]]
    rented = made.job_pools[billed]
    program.put(
        rows[problem.pool_option[rented]], made.at_work[billed],
        -problem.size[rented][:, np.newaxis],
    )  # fmt: skip


def _pay_groups(made: Formulation, problem: FleetProblem) -> None:
    program = made.program
    for group in problem.groups:
        _pay(made, problem, group, program.add(group.usd, shape=(1,), upper=1.0, integer=True))
    if problem.another_usd <= 0.0 or len(problem.families) < 2:  # noqa: PLR2004 -- no second one
        return
    another = program.add(problem.another_usd, shape=(1,))
    (row,) = program.row_block(1, lower=-1.0, upper=INF)
    program.put(row, another, 1.0)
    for group in problem.families:
        used = program.add(0.0, shape=(1,), upper=1.0, integer=True)
        program.put(row, used, -1.0)
        _pay(made, problem, group, used)


def _pay(made: Formulation, problem: FleetProblem, group: Group, paid: Ints) -> None:
    """A group is paid for where any of its pools or whole plans is used."""
    program, (buckets, pools) = made.program, made.pairs
    for number in group.wholes:
        (row,) = program.row_block(1, lower=0.0, upper=INF)
        program.put(row, paid, 1.0)
        program.put(row, made.whole[number], -1.0)
    mine = np.isin(pools, group.pools)
    for bucket in np.unique(buckets[mine]):
        _opened(program, paid, made.share[mine & (buckets == bucket)])
    rate = made.job_rate
    for job in problem.jobs:
        at = np.isin(made.job_pools, group.pools)
        at &= problem.pool_load[made.job_pools] == job.load
        if at.any():
            (row,) = program.row_block(1, lower=0.0, upper=INF)
            program.put(row, paid, 1.0)
            work = rate[at][:, np.newaxis] * job.hours / job.volume
            program.put(row, made.at_work[at], -work)


def _opened(program: Program, paid: Ints, shares: Ints) -> None:
    """In each hour the shares on a group's pools stay below whether the group is paid for."""
    rows = program.row_block(shares.shape[1], lower=0.0, upper=INF)
    program.put(rows, paid, 1.0)
    program.put(rows, shares, -1.0)


def _keep_limits(made: Formulation, problem: FleetProblem) -> None:
    program = made.program
    held, hourly = np.flatnonzero(problem.held), np.flatnonzero(~problem.held)
    for limit in problem.limits:
        (row,) = program.row_block(1, lower=-INF, upper=limit.most)
        program.put(row, made.machines, limit.per_machine[held])
        program.put(row, made.used, limit.per_hour[hourly][:, np.newaxis] * problem.hours)
        program.put(row, made.whole, limit.per_whole)


def _stand_apart(made: Formulation, problem: FleetProblem) -> None:
    """In every hour what a spread load has outside each place reaches its need."""
    program, (buckets, pools) = made.program, made.pairs
    for spread in problem.spreads:
        hours = np.flatnonzero(spread.need > 0.0)
        rows = program.row_block(len(hours), lower=spread.need[hours], upper=INF)
        mine = np.flatnonzero(spread.capacity > 0.0)
        program.put(rows, made.replicas[mine][:, hours], spread.capacity[mine][:, np.newaxis])
        total = problem.demand[problem.bucket_load == spread.load].sum(axis=0)[hours]
        hosted = problem.metered[problem.pool_option[pools]]
        for pair in np.flatnonzero(hosted & (problem.pool_load[pools] == spread.load)):
            part = problem.demand[buckets[pair], hours] / np.maximum(total, 1e-12)
            program.put(rows, made.share[pair, hours], spread.need[hours] * part)
        for whole in spread.wholes:
            program.put(rows, made.whole[whole], spread.need[hours])


def fleet_of(made: Formulation, problem: FleetProblem, values: Floats) -> Fleet:
    """The fleet that a solution's values stand for.

    Source: reading of the columns; nothing is computed but shares times demand.
    """
    hours = len(problem.hours)
    machines = np.zeros(len(problem.held))
    used = np.zeros((len(problem.held), hours))
    served = np.zeros((*problem.rate.shape, hours))
    machines[problem.held] = np.round(values[made.machines], 6)
    used[~problem.held] = np.round(values[made.used], 9)
    replicas = np.round(values[made.replicas], 9)
    buckets, pools = made.pairs
    served[buckets, pools] = np.maximum(values[made.share], 0.0) * problem.demand[buckets]
    for number, pool in enumerate(made.job_pools):
        bucket = np.flatnonzero(problem.bucket_load == problem.pool_load[pool])[0]
        served[bucket, pool] = np.maximum(values[made.at_work[number]], 0.0)
    _read_meters(problem, served, replicas, used)
    return Fleet(
        machines=machines,
        used=used,
        replicas=replicas,
        served=served,
        whole=np.round(values[made.whole]),
        usd=0.0,
    )


def _read_meters(problem: FleetProblem, served: Floats, replicas: Floats, used: Floats) -> None:
    """What is free by the machine may come out as any number; what is sent there says how much."""
    for pool in np.flatnonzero(problem.metered[problem.pool_option]):
        option, rate = problem.pool_option[pool], problem.rate[:, [pool]]
        job = int(problem.pool_load[pool]) in problem.job_loads
        load = served[:, pool] if job else served[:, pool] / np.where(rate > 0.0, rate, np.inf)
        replicas[pool] = load.sum(axis=0)
        used[option] = np.minimum(problem.size[pool] * replicas[pool], problem.most[option])
