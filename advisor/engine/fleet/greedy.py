"""Fleets made by plain rules, to compare with: one option for a load, and one load at a time."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from advisor.engine.cases import Bools, Floats
from advisor.engine.fleet.checking import broken, priced
from advisor.engine.fleet.problem import Fleet, FleetProblem, Job

_TINY = 1e-9


def nothing(problem: FleetProblem) -> Fleet:
    """The fleet that only holds what is held anyway."""
    options, pools, hours = len(problem.held), len(problem.pool_option), len(problem.hours)
    return Fleet(
        machines=np.where(problem.held, problem.least, 0.0),
        used=np.zeros((options, hours)),
        replicas=np.zeros((pools, hours)),
        served=np.zeros((len(problem.bucket_load), pools, hours)),
        whole=np.zeros(len(problem.wholes)),
        usd=0.0,
    )


def greedy_fleet(problem: FleetProblem) -> Fleet | None:
    """Load by load the cheapest single way: a plan of its own, one pool, or idle machines.

    Live loads come first, then jobs, each on whatever costs least beside what is already
    there; nothing is taken back. None where a load finds no place.

    Source: rule stated here; it is what the optimum is compared with.
    """
    live = [load for load in range(problem.loads) if load not in problem.job_loads]
    fleet = nothing(problem)
    for load in (*live, *sorted(problem.job_loads)):
        ways = [priced(problem, each) for each in _ways(problem, fleet, load)]
        ways.sort(key=lambda each: each.usd)
        found = next((each for each in ways if not _over(problem, each)), None)
        if found is None:
            return None
        fleet = found
    return None if broken(problem, fleet) else fleet


def single_option_fleet(problem: FleetProblem) -> Fleet | None:
    """The cheapest fleet with every load on pools of one and the same option.

    Source: rule stated here.
    """
    found = []
    for option in range(len(problem.held)):
        fleet: Fleet | None = nothing(problem)
        for load in range(problem.loads):
            mine = (problem.pool_option == option) & (problem.pool_load == load)
            ways = [_on_pool(problem, fleet, int(p)) for p in np.flatnonzero(mine)] if fleet else []
            known = [priced(problem, way) for way in ways if way is not None]
            fleet = min(known, key=lambda each: each.usd, default=None)
            if fleet is None:
                break
        if fleet is not None and not broken(problem, fleet):
            found.append(fleet)
    return min(found, key=lambda each: each.usd, default=None)


def _over(problem: FleetProblem, fleet: Fleet) -> bool:
    """Whether a half-built fleet already breaks a rule that more loads cannot mend."""
    return any(
        not ("served by nothing" in text or text.startswith("job"))
        for text in broken(problem, fleet)
    )


def _ways(problem: FleetProblem, fleet: Fleet, load: int) -> list[Fleet]:
    found: list[Fleet | None] = []
    for pool in np.flatnonzero(problem.pool_load == load):
        found.append(_on_pool(problem, fleet, int(pool)))
        if load in problem.job_loads:
            found.append(_in_idle_hours(problem, fleet, int(pool)))
    for number, whole in enumerate(problem.wholes):
        if whole.load == load:
            marked = fleet.whole.copy()
            marked[number] = 1.0
            found.append(replace(fleet, whole=marked))
    return [each for each in found if each is not None]


def _on_pool(problem: FleetProblem, fleet: Fleet, pool: int) -> Fleet | None:
    """The fleet with a pool of its own for a load, beside what is there."""
    need = _needed(problem, pool)
    if need is None:
        return None
    served, work, replicas = need
    option = int(problem.pool_option[pool])
    everything = fleet.served.copy()
    everything[:, pool] += served
    counted = fleet.replicas.copy()
    job = int(problem.pool_load[pool]) in problem.job_loads
    billed = work if job and not problem.held[option] else replicas
    counted[pool] += replicas
    machines, used = fleet.machines.copy(), fleet.used.copy()
    if problem.held[option]:
        machines[option] += np.ceil(problem.size[pool] * replicas.max(initial=0.0) - _TINY)
        machines[option] = min(machines[option], problem.most[option])
    else:
        alone = problem.size[pool] * billed
        used[option] += alone if job else np.ceil(alone - _TINY)
    return replace(fleet, served=everything, replicas=counted, machines=machines, used=used)


def _needed(problem: FleetProblem, pool: int) -> tuple[Floats, Floats, Floats] | None:
    """What a pool serves alone, its load in replicas, and whole replicas; None where it cannot."""
    load = int(problem.pool_load[pool])
    mine = problem.bucket_load == load
    rate = problem.rate[:, pool]
    served = np.zeros(problem.demand.shape)
    jobs = [each for each in problem.jobs if each.load == load]
    if jobs:
        (bucket,) = np.flatnonzero(mine)[:1]
        if rate[bucket] <= 0.0:
            return None
        level = max(job.volume / (rate[bucket] * job.hours.sum()) for job in jobs)
        work = np.where(_windows(jobs), level, 0.0)
        served[bucket] = work
        return served, work, np.ceil(work - _TINY)
    asked = mine & (problem.demand.sum(axis=1) > 0.0)
    if (rate[asked] <= 0.0).any():
        return None
    served[asked] = problem.demand[asked]
    work = (served[asked] / rate[asked, np.newaxis]).sum(axis=0)
    return served, work, np.where(work > 0.0, np.ceil(work - _TINY) + problem.spare[pool], 0.0)


def _in_idle_hours(problem: FleetProblem, fleet: Fleet, pool: int) -> Fleet | None:
    """The fleet with a job on machines that it holds and leaves idle; None where too few are."""
    option = int(problem.pool_option[pool])
    load = int(problem.pool_load[pool])
    jobs = [each for each in problem.jobs if each.load == load]
    (bucket,) = np.flatnonzero(problem.bucket_load == load)[:1]
    rate = problem.rate[bucket, pool]
    if not problem.held[option] or rate <= 0.0:
        return None
    mine = problem.pool_option == option
    taken = problem.size[mine] @ fleet.replicas[mine]
    free = np.floor((fleet.machines[option] - taken) / problem.size[pool] + _TINY)
    free = np.where(_windows(jobs), np.maximum(free, 0.0), 0.0)
    could = np.array([float(free @ job.hours) * rate for job in jobs])
    asked = np.array([job.volume for job in jobs])
    if (could < asked).any():
        return None
    served, replicas = fleet.served.copy(), fleet.replicas.copy()
    served[bucket, pool] += float((asked / could).max()) * free
    replicas[pool] += free
    return replace(fleet, served=served, replicas=replicas)


def _windows(jobs: Sequence[Job]) -> Bools:
    """Kinds of hours in which any run of a load may work."""
    return np.asarray(np.sum([job.hours for job in jobs], axis=0) > 0.0)
