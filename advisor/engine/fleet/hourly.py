"""Many hours: a bound from the whole week at once, then whole machines hour by hour."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from advisor.engine.cases import Bools, Floats
from advisor.engine.fleet.checking import broken, priced
from advisor.engine.fleet.formulation import Formulation, fleet_of, formulate
from advisor.engine.fleet.greedy import nothing
from advisor.engine.fleet.mip import Limits, Solved, Watch, solve
from advisor.engine.fleet.problem import Fleet, FleetProblem, options_kept

HOUR_GAP = 0.01  # of one hour's rent; held machines are paid already
_BATCH = 8  # hours between two looks at whether to stop
_DEARER = 0.3  # than the best at the relaxation's prices, and still tried in whole machines


def solve_by_hours(
    problem: FleetProblem, *, workers: int = 2, watch: Watch | None = None
) -> tuple[Fleet | None, float]:
    """A fleet and a bound that no fleet beats, for a week whose hours fall apart.

    The bound is the optimum of the linear relaxation of the whole problem, all hours and all
    options in it. Machines held are its values rounded; each hour is then solved in whole
    machines on what is held and on the options the relaxation rents, so the plan is valid in
    every hour. None where an hour finds no place or `watch` asks to stop.

    Source: relaxation and rounding as in any textbook, e.g. L. A. Wolsey, "Integer
    Programming", 2nd ed., Wiley 2020, sections 2.2 and 13; Melange's model as in `formulate`.
    """
    made = formulate(problem, whole_hours=False)
    relaxed = solve(made.program, Limits(), relaxed=True)
    if relaxed.values is None:
        return None, relaxed.bound
    found = fleet_of(made, problem, relaxed.values)
    worth = _worth_trying(made, problem, relaxed)
    for held in (np.round(found.machines), np.ceil(found.machines - 1e-6)):
        fleet = _completed(problem, held, worth, workers, watch, relaxed.bound)
        if fleet is not None or (watch is not None and watch(np.inf, relaxed.bound)):
            return fleet, relaxed.bound
    return None, relaxed.bound


def _worth_trying(made: Formulation, problem: FleetProblem, relaxed: Solved) -> Bools:
    """Pairs of bucket and pool in each hour that cost little more than the best one there.

    At the relaxation's prices of a replica-hour; whole machines move the prices a little, so
    what is a little dearer stays in.
    """
    hours = len(problem.hours)
    price = np.full((len(problem.pool_option), hours), np.inf)
    if relaxed.row_duals is None:
        return np.ones((*problem.rate.shape, hours), dtype=bool)
    price[made.served] = np.abs(relaxed.row_duals[made.traffic_rows])
    with np.errstate(divide="ignore", invalid="ignore"):
        cost = np.where(
            problem.rate[:, :, np.newaxis] > 0.0,
            price / problem.rate[:, :, np.newaxis]
            + problem.usd_per_unit[:, :, np.newaxis] * problem.hours,
            np.inf,
        )
    return np.asarray(cost <= (1.0 + _DEARER) * cost.min(axis=1, keepdims=True))


def _completed(
    problem: FleetProblem,
    held: Floats,
    pairs: Bools,
    workers: int,
    watch: Watch | None,
    bound: float,
) -> Fleet | None:
    """Every hour in whole machines with these held; None where an hour cannot be served."""
    fixed = replace(
        problem,
        usd=np.where(problem.held, 0.0, problem.usd),
        tables=(np.zeros(0),) * len(problem.held),
        least=np.where(problem.held, held, 0.0),
        most=np.where(problem.held, held, problem.most),
    )

    def one(hour: int) -> tuple[Bools, Fleet] | None:
        # What the relaxation finds dear is tried only where the rest cannot serve the hour.
        return _hour(fixed, hour, pairs[:, :, hour]) or _hour(fixed, hour, everything)

    everything = np.ones_like(problem.rate, dtype=bool)
    fleet = replace(nothing(problem), machines=np.where(problem.held, held, 0.0))
    with ThreadPoolExecutor(workers) as pool:
        for start in range(0, len(problem.hours), _BATCH):
            batch = range(start, min(start + _BATCH, len(problem.hours)))
            for hour, found in zip(batch, pool.map(one, batch), strict=True):
                if found is None:
                    return None
                _write(problem, fleet, hour, *found)
            if watch is not None and watch(np.inf, bound):
                return None
    return None if broken(problem, fleet) else priced(problem, fleet)


def _hour(fixed: FleetProblem, hour: int, pairs: Bools) -> tuple[Bools, Fleet] | None:
    """One hour in whole machines on these pairs, with the options kept; None where it cannot."""
    rate = np.where(pairs, fixed.rate, 0.0)
    kept = np.zeros(len(fixed.held), dtype=bool)
    kept[fixed.pool_option[(rate > 0.0).any(axis=0)]] = True
    demand = np.ascontiguousarray(fixed.demand[:, [hour]])
    spreads = tuple(replace(each, need=each.need[[hour]]) for each in fixed.spreads)
    one = replace(fixed, hours=np.ones(1), demand=demand, rate=rate, spreads=spreads)
    alone = options_kept(one, kept)
    made = formulate(alone)
    answer = solve(made.program, Limits(gap=HOUR_GAP, nodes=5_000))
    return None if answer.values is None else (kept, fleet_of(made, alone, answer.values))


def _write(problem: FleetProblem, fleet: Fleet, hour: int, kept: Bools, one: Fleet) -> None:
    """One hour's answer put into its place in the week."""
    pools = np.flatnonzero(kept[problem.pool_option])
    fleet.used[kept, hour] = one.used[:, 0]
    fleet.replicas[pools, hour] = one.replicas[:, 0]
    fleet.served[:, pools, hour] = one.served[:, :, 0]
