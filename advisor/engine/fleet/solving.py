"""The least-cost fleet with its proof: exact where the week is short, else bound and repair."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from advisor.engine.fleet.checking import broken, priced
from advisor.engine.fleet.formulation import Formulation, fleet_of, formulate
from advisor.engine.fleet.greedy import greedy_fleet, single_option_fleet
from advisor.engine.fleet.mip import Limits, Solved, Watch, only_used, solve, without_dear
from advisor.engine.fleet.problem import Fleet, FleetProblem

QUICK = Limits(gap=5e-3, nodes=5, looks=40)
GOOD_ENOUGH = 0.03  # gap to the relaxation at which the quick search looks no further
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


class Search(Protocol):
    """A search for the least-cost fleet, as comparisons are given one."""

    def __call__(self, problem: FleetProblem, *, relaxed: Solved | None = None) -> Outcome:
        """The best fleet of the problem, its relaxation being known or not."""
        ...


def solve_quickly(problem: FleetProblem, *, relaxed: Solved | None = None) -> Outcome:
    """A fleet in about a second: the first of three searches that the relaxation proves good.

    The greedy fleet, the best of what the relaxation uses at all, then branch and bound until
    the few nodes or looks of `QUICK`. Looks are counted too, because the cuts at the root of a
    large question may take half a minute before its first node.

    Source: `greedy_fleet`, `mip.only_used`, `solve_exactly`.
    """
    greedy = greedy_fleet(problem)
    made = formulate(problem)
    relaxed = relaxed or solve(made.program, Limits(), relaxed=True)
    good_usd = relaxed.bound / (1.0 - GOOD_ENOUGH)
    if greedy is not None and greedy.usd <= good_usd:
        return Outcome(fleet=greedy, bound_usd=relaxed.bound, greedy=greedy, single=None)
    lean = _solved(made, problem, solve(only_used(made.program, relaxed), QUICK))
    if lean is not None and lean.usd <= good_usd:
        return Outcome(fleet=lean, bound_usd=relaxed.bound, greedy=greedy, single=None)
    found = solve_exactly(problem, QUICK, greedy=greedy, relaxed=relaxed)
    fleets = [each for each in (found.fleet, lean) if each is not None]
    best = min(fleets, key=lambda each: each.usd, default=None)
    usd = np.inf if best is None else best.usd
    bound = min(max(found.bound_usd, relaxed.bound), usd)
    return Outcome(fleet=best, bound_usd=bound, greedy=greedy, single=found.single)


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
    solved = _solved(made, problem, found)
    if solved is not None:
        fleets.append(solved)
    best = min(fleets, key=lambda each: each.usd, default=None)
    bound = found.bound if best is None else min(found.bound, best.usd)
    return Outcome(fleet=best, bound_usd=bound, greedy=greedy, single=single, stopped=found.stopped)


def _solved(made: Formulation, problem: FleetProblem, found: Solved) -> Fleet | None:
    """The fleet of a solution, checked without the solver; None where it has none or breaks."""
    if found.values is None:
        return None
    fleet = priced(problem, fleet_of(made, problem, found.values))
    return None if broken(problem, fleet) else fleet
