"""A fleet of another objective than least cost: a weighted sum, a budget, a proven bound."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from advisor.engine.cases import Floats, Ints
from advisor.engine.fleet.checking import broken, priced, usd_of
from advisor.engine.fleet.formulation import Formulation, fleet_of, formulate
from advisor.engine.fleet.measures import Measure, measured
from advisor.engine.fleet.mip import INF, Limits, Watch, solve
from advisor.engine.fleet.problem import Fleet, FleetProblem, Job
from advisor.engine.fleet.solving import Outcome
from catalog.units import SECONDS_PER_HOUR

_SCALE = 1e4  # of the objective in the solver, so that its tolerances are small beside it
_SLACK = 1e-6
_USED = 1e-5


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What is to be least: weights a USD and a unit of each measure, under a budget."""

    of_usd: float
    measures: Mapping[str, Measure] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)  # of each measure
    of_finish: float = 0.0  # of the mean share of its window that a job takes
    budget_usd: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Aimed:
    """The best fleet found for an aim, its value, and the value that no fleet goes below."""

    fleet: Fleet
    value: float
    bound: float
    stopped: bool

    @property
    def gap(self) -> float:
        """Proven distance from the best value, as a fraction of the value."""
        return max(self.value - self.bound, 0.0) / self.value if self.value > 0.0 else 0.0


def value_of(problem: FleetProblem, fleet: Fleet, aim: Aim) -> float:
    """What a fleet comes to under an aim; less is better.

    Source: the aim's weights; arithmetic on the fleet, without the solver.
    """
    total = aim.of_usd * usd_of(problem, fleet)
    if aim.of_finish:
        total += aim.of_finish * finish_share(problem, fleet)
    return total + sum(
        weight * measured(problem, fleet, aim.measures[name])
        for name, weight in aim.weights.items()
    )


def finish_share(problem: FleetProblem, fleet: Fleet) -> float:
    """Share of its window after which a job is through, in whole parts: a mean over workloads.

    Runs of one workload that differ count alike within it.

    A job on a plan of its own takes its run's time, or the whole window where that is unknown.

    Source: the last part of the window with work in it.
    """
    return sum(_weight(problem, job) * _share_of(problem, fleet, job) for job in problem.jobs)


def _weight(problem: FleetProblem, job: Job) -> float:
    alike = sum(1 for each in problem.jobs if each.load == job.load)
    return 1.0 / alike / len(problem.job_loads)


def _share_of(problem: FleetProblem, fleet: Fleet, job: Job) -> float:
    for whole, used in zip(problem.wholes, fleet.whole, strict=True):
        if used and whole.load == job.load:
            return _share_of_whole(job, whole.wait_s)
    if job.slots is None:
        return 1.0
    mine = problem.pool_load == job.load
    at_work = fleet.served[problem.bucket_load == job.load][:, mine].sum(axis=(0, 1))
    busy = np.flatnonzero(job.slots @ np.where(at_work > _USED, 1.0, 0.0) > 0.0)
    last = int(busy.max(initial=0))
    return float(job.slots[: last + 1].sum() / job.hours.sum())


def _share_of_whole(job: Job, wait_s: float) -> float:
    share = wait_s / (SECONDS_PER_HOUR * float(job.hours.sum()))
    return min(share, 1.0) if np.isfinite(share) else 1.0


def solve_aim(
    problem: FleetProblem,
    aim: Aim,
    least: Outcome,
    limits: Limits,
    *,
    watch: Watch | None = None,
) -> Aimed | None:
    """The best fleet for an aim by branch and bound, from the least-cost fleet on.

    Never worse than the least-cost fleet where that keeps the budget; None where no fleet is
    known that does. At a limit it is the best fleet so far, with its bound.

    Source: `formulate`; the aim's sum in place of the cost, the cost in a row of its own.
    """
    made = formulate(problem)
    _aim_at(made, problem, aim)
    found = solve(made.program, limits, watch=watch)
    known = [each for each in (least.fleet,) if each is not None]
    if found.values is not None:
        known.append(fleet_of(made, problem, found.values))
    kept = [
        fleet
        for fleet in (priced(problem, each) for each in known)
        if not broken(problem, fleet)
        and (aim.budget_usd is None or fleet.usd <= aim.budget_usd * (1.0 + _SLACK))
    ]
    if not kept:
        return None
    best = min(kept, key=lambda fleet: value_of(problem, fleet, aim))
    value = value_of(problem, best, aim)
    # A sum of costs, times and amounts is never below nothing, however early the search stops.
    bound = min(max(found.bound / _SCALE, 0.0), value)
    return Aimed(fleet=best, value=value, bound=bound, stopped=found.stopped)


def _aim_at(made: Formulation, problem: FleetProblem, aim: Aim) -> None:
    """Put the aim's sum in place of the cost, and the cost under the budget."""
    program = made.program
    usd = np.concatenate(program.cost)
    if aim.budget_usd is not None:
        (row,) = program.row_block(1, lower=-INF, upper=aim.budget_usd - program.offset)
        paid = np.flatnonzero(usd)
        program.put(row, paid, usd[paid])
    total = aim.of_usd * usd
    for name, weight in aim.weights.items():
        _add(made, problem, aim.measures[name], weight, total)
    program.cost = [total * _SCALE]
    program.offset *= aim.of_usd * _SCALE
    if not aim.of_finish:
        return
    for job in problem.jobs:
        each = aim.of_finish * _weight(problem, job) * _SCALE
        for number, whole in enumerate(problem.wholes):
            if whole.load == job.load:
                program.cost[0][made.whole[number]] += each * _share_of_whole(job, whole.wait_s)
        _finish(made, problem, job, each)


def _add(
    made: Formulation, problem: FleetProblem, measure: Measure, weight: float, total: Floats
) -> None:
    held, hourly = np.flatnonzero(problem.held), np.flatnonzero(~problem.held)
    total[made.machines] += weight * measure.per_machine[held]
    total[made.used] += weight * measure.per_hour[hourly][:, np.newaxis] * problem.hours
    total[made.whole] += weight * measure.per_whole
    buckets, pools = made.pairs
    traffic = measure.per_unit[buckets, pools][:, np.newaxis] * problem.demand[buckets]
    total[made.share] += weight * traffic * problem.hours
    for number, pool in enumerate(made.job_pools):
        bucket = _bucket_of(problem, int(problem.pool_load[pool]))
        a_unit = measure.per_unit[bucket, pool] * problem.rate[bucket, pool]
        total[made.at_work[number]] += weight * a_unit * problem.hours


def _finish(made: Formulation, problem: FleetProblem, job: Job, cost: float) -> None:
    """Columns that are one up to the last part of a job's window in which there is work."""
    slots = job.slots if job.slots is not None else job.hours[np.newaxis]
    program, lengths = made.program, slots.sum(axis=1) / job.hours.sum()
    busy = program.add(cost * lengths, upper=1.0, integer=True)
    mine = np.flatnonzero(problem.pool_load[made.job_pools] == job.load)
    rate = _rate(problem, made, job, mine)
    rows = program.row_block(len(busy), lower=0.0, upper=INF)
    program.put(rows, busy, 1.0)
    for row, hours in zip(rows, slots, strict=True):
        program.put(row, made.at_work[mine], -rate[:, np.newaxis] * hours / job.volume)
    if len(busy) > 1:
        ordered = program.row_block(len(busy) - 1, lower=0.0, upper=INF)
        program.put(ordered, busy[:-1], 1.0)
        program.put(ordered, busy[1:], -1.0)


def _rate(problem: FleetProblem, made: Formulation, job: Job, mine: Ints) -> Floats:
    return np.asarray(problem.rate[_bucket_of(problem, job.load), made.job_pools[mine]])


def _bucket_of(problem: FleetProblem, load: int) -> int:
    return int(np.flatnonzero(problem.bucket_load == load)[0])
