"""The least-cost fleet with its proof: exact where the week is short, else bound and repair."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from advisor.engine.fleet.checking import broken, priced
from advisor.engine.fleet.formulation import fleet_of, formulate
from advisor.engine.fleet.greedy import greedy_fleet, single_option_fleet
from advisor.engine.fleet.mip import Limits, Solved, Watch, solve, without_dear
from advisor.engine.fleet.problem import Fleet, FleetProblem

Told = Callable[[str, float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The best fleet found, what it is proven against, and the plain rules' fleets."""

    fleet: Fleet | None
    bound_usd: float  # no fleet costs less
    greedy: Fleet | None
    single: Fleet | None  # all loads on one option
    stopped: bool = False  # somebody asked to stop

    @property
    def gap(self) -> float:
        """Proven distance of the fleet's cost from the least, as a fraction of its cost."""
        if self.fleet is None or self.fleet.usd <= 0.0:
            return 0.0
        return max(self.fleet.usd - self.bound_usd, 0.0) / self.fleet.usd


def solve_exactly(
    problem: FleetProblem,
    limits: Limits | None = None,
    *,
    watch: Watch | None = None,
    greedy: Fleet | None = None,
    relaxed: Solved | None = None,
) -> Outcome:
    """The least-cost fleet by branch and bound over every kind of hour at once.

    Never worse than the greedy fleet or the best single option, because both are tried; at a
    limit it is the best fleet so far. A greedy fleet and the linear relaxation that are known
    need not be made again. Each fleet is checked without the solver before it counts.

    Source: `formulate`, `mip.solve`.
    """
    greedy = greedy or greedy_fleet(problem)
    single = single_option_fleet(problem)
    fleets = [each for each in (greedy, single) if each is not None]
    made = formulate(problem)
    relaxed = relaxed or solve(made.program, Limits(), relaxed=True)
    known_usd = min((each.usd for each in fleets), default=np.inf)
    program = without_dear(made.program, relaxed, known_usd=known_usd)
    found = solve(program, limits or Limits(), watch=watch)
    if found.values is not None:
        fleet = priced(problem, fleet_of(made, problem, found.values))
        if not broken(problem, fleet):
            fleets.append(fleet)
    best = min(fleets, key=lambda each: each.usd, default=None)
    bound = found.bound if best is None else min(found.bound, best.usd)
    return Outcome(fleet=best, bound_usd=bound, greedy=greedy, single=single, stopped=found.stopped)
