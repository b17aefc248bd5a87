"""What a fleet costs and which rules it breaks, told without the solver that made it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from advisor.engine.cases import Floats
from advisor.engine.fleet.problem import Fleet, FleetProblem, Group

_SLACK = 1e-5


def usd_of(problem: FleetProblem, fleet: Fleet) -> float:
    """Cost of a fleet over the horizon: machines, hours, units, plans of their own, groups.

    Source: the problem's prices; arithmetic.
    """
    total = 0.0
    for option in np.flatnonzero(problem.held & (fleet.machines > 0.0)):
        table, count = problem.tables[option], round(float(fleet.machines[option]))
        total += float(table[count] if len(table) else problem.usd[option] * count)
    hourly = ~problem.held
    total += float((problem.usd[hourly] @ fleet.used[hourly]) @ problem.hours)
    total += float(np.einsum("bph,bp,h->", units(problem, fleet), problem.usd_per_unit,
                             problem.hours))  # fmt: skip
    total += sum(
        each.usd * float(used) for each, used in zip(problem.wholes, fleet.whole, strict=True)
    )
    total += problem.another_usd * max(len(paid(problem.families, fleet)) - 1, 0)
    return total + sum(group.usd for group in paid(problem.groups, fleet))


def priced(problem: FleetProblem, fleet: Fleet) -> Fleet:
    """The fleet with its own cost written on it.

    Source: `usd_of`.
    """
    return replace(fleet, usd=usd_of(problem, fleet))


def paid(groups: Sequence[Group], fleet: Fleet) -> list[Group]:
    """The groups of which any member is used.

    Source: definition.
    """
    used = fleet.served.max(axis=(0, 2), initial=0.0) > _SLACK
    return [group for group in groups if used[group.pools].any() or fleet.whole[group.wholes].any()]


def units(problem: FleetProblem, fleet: Fleet) -> Floats:
    """Units served by bucket, pool and hour; replicas at work times their rate for jobs.

    Source: definition.
    """
    return np.asarray(fleet.served * problem.units_served[:, :, np.newaxis])


def broken(problem: FleetProblem, fleet: Fleet) -> list[str]:
    """Each rule that a fleet breaks, in words; empty where it is feasible.

    Source: the constraints of FleetProblem, computed from the fleet alone.
    """
    found = _unserved(problem, fleet) + _overfull(problem, fleet) + _thin(problem, fleet)
    found += [
        f"{limit.name}: {value:,.2f} is more than {limit.most:,.2f}"
        for limit in problem.limits
        if (value := _measured(problem, fleet, limit.per_machine, limit.per_hour, limit.per_whole))
        > limit.most + _SLACK * max(abs(limit.most), 1.0)
    ]
    hourly = ~problem.held
    if (fleet.machines[problem.held] > problem.most[problem.held] + _SLACK).any() or (
        fleet.used[hourly] > problem.most[hourly][:, np.newaxis] + _SLACK
    ).any():
        found.append("more machines than there are to be had")
    if (fleet.machines < np.where(problem.held, problem.least, 0.0) - _SLACK).any():
        found.append("fewer machines than are held anyway")
    return found


def _thin(problem: FleetProblem, fleet: Fleet) -> list[str]:
    """Loads that are served, and have too little outside a place."""
    found = []
    for spread in problem.spreads:
        mine = problem.bucket_load == spread.load
        hosted = problem.metered[problem.pool_option] & (problem.pool_load == spread.load)
        served = fleet.served[mine]
        total = np.maximum(problem.demand[mine].sum(axis=0), 1e-12)
        apart = fleet.whole[spread.wholes].sum()
        share = served[:, hosted].sum(axis=(0, 1)) / total + apart
        have = spread.capacity @ fleet.replicas + spread.need * share
        used = served.max(initial=0.0) > _SLACK or any(
            on and each.load == spread.load
            for each, on in zip(problem.wholes, fleet.whole, strict=True)
        )
        if used and (have < spread.need - _SLACK * np.maximum(spread.need, 1.0)).any():
            found.append(f"{spread.name}: too little stands elsewhere")
    return found


def _measured(
    problem: FleetProblem, fleet: Fleet, machine: Floats, hour: Floats, whole: Floats
) -> float:
    return float(
        machine @ fleet.machines + (hour @ fleet.used) @ problem.hours + whole @ fleet.whole
    )


def _unserved(problem: FleetProblem, fleet: Fleet) -> list[str]:
    found = []
    whole = np.zeros(problem.loads)
    for each, used in zip(problem.wholes, fleet.whole, strict=True):
        whole[each.load] += used
    apart = whole[problem.bucket_load]
    live = ~problem.job_buckets
    short = problem.demand * (1.0 - apart)[:, np.newaxis] - fleet.served.sum(axis=1)
    if (short[live] > _SLACK * np.maximum(problem.demand[live], 1e-9)).any():
        found.append("some traffic is served by nothing")
    done = units(problem, fleet)
    for job in problem.jobs:
        mine = problem.bucket_load == job.load
        work = float(done[mine].sum(axis=(0, 1)) @ job.hours)
        if work < job.volume * (1.0 - whole[job.load]) * (1.0 - _SLACK):
            found.append(f"job {job.load} ends with {work:,.3f} of {job.volume:,.3f} done")
        at_once = fleet.served[mine].sum(axis=(0, 1)).max(initial=0.0)
        if at_once > job.at_once + _SLACK:
            found.append(f"job {job.load} is shared by {at_once:.2f} replicas at once")
    if (fleet.served[problem.rate <= 0.0] > _SLACK).any():
        found.append("something is served where it cannot be")
    return found


def _overfull(problem: FleetProblem, fleet: Fleet) -> list[str]:
    found = []
    with np.errstate(divide="ignore", invalid="ignore"):
        per = np.where(problem.rate > 0.0, 1.0 / problem.rate, 0.0)
    per = np.where(problem.job_buckets[:, np.newaxis], 1.0, per)
    load = np.einsum("bph,bp->ph", fleet.served, per)
    live = problem.live_pools
    on_held = problem.held[problem.pool_option]
    must = live | on_held
    need = load + np.where(live, problem.spare, 0.0)[:, np.newaxis] * (load > _SLACK)
    if (need[must] > fleet.replicas[must] + _SLACK * np.maximum(need[must], 1.0)).any():
        found.append("a pool carries more than its replicas can")
    room = np.where(problem.held[:, np.newaxis], fleet.machines[:, np.newaxis], fleet.used)
    taken = np.zeros_like(room)
    present = np.where(must[:, np.newaxis], fleet.replicas, load)
    np.add.at(taken, problem.pool_option, problem.size[:, np.newaxis] * present)
    if (taken > room + _SLACK * np.maximum(room, 1.0)).any():
        found.append("machines hold more replicas than fit")
    return found
