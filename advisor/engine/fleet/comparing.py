"""The plain fleets a hybrid is measured against: one family, one contract, or no sharing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from advisor.engine.cases import Bools
from advisor.engine.fleet.formulation import formulate
from advisor.engine.fleet.mip import Limits, solve
from advisor.engine.fleet.problem import Fleet, FleetProblem, options_kept, wholes_kept
from advisor.engine.fleet.setting import Setting
from advisor.engine.fleet.solving import Outcome, Search


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """The best fleet of one family bought in one way."""

    family: str
    purchase: str
    outcome: Outcome
    setting: Setting


def restricted(setting: Setting, options: Bools, plans: Sequence[bool]) -> Setting | None:
    """The same question with some options and whole plans alone; None where a load has none.

    Source: plain indexing.
    """
    place = np.cumsum(options) - 1
    problem = wholes_kept(options_kept(setting.problem, options), plans)
    pools = tuple(
        replace(pool, option=int(place[pool.option]))
        for pool in setting.pools
        if options[pool.option]
    )
    if not _complete(problem):
        return None
    return replace(
        setting,
        problem=problem,
        options=tuple(o for o, kept in zip(setting.options, options, strict=True) if kept),
        pools=pools,
        plans=tuple(p for p, kept in zip(setting.plans, plans, strict=True) if kept),
    )


def _complete(problem: FleetProblem) -> bool:
    loads = set(problem.bucket_load.tolist())
    return loads == {*problem.pool_load.tolist(), *(each.load for each in problem.wholes)}


def best_plain(setting: Setting, search: Search) -> Plain | None:
    """The cheapest fleet of a single family and a single kind of contract, by the same search.

    A hosted API paid by the token counts as a family of its own. The fleet may follow the hours
    and share machines just as the hybrid may; every family and contract is tried whose linear
    relaxation could still be cheaper.

    Source: definition; the order by relaxations only saves time.
    """
    tried = []
    family = np.array([option.family for option in setting.options])
    purchase = np.array([option.offer.purchase.value for option in setting.options])
    pairs = {(plan.family, plan.purchase) for plan in setting.plans}
    pairs |= set(zip(family.tolist(), purchase.tolist(), strict=True))
    for name, way in sorted(pairs):
        mine = np.asarray((family == name) & (purchase == way), dtype=bool)
        plans = [plan.family == name and plan.purchase == way for plan in setting.plans]
        small = restricted(setting, mine, plans)
        if small is not None:
            relaxed = solve(formulate(small.problem).program, Limits(), relaxed=True)
            tried.append((relaxed, name, way, small))
    best: Plain | None = None
    for relaxed, name, way, small in sorted(tried, key=lambda each: (each[0].usd, *each[1:3])):
        known: Fleet | None = None if best is None else best.outcome.fleet
        if not np.isfinite(relaxed.usd) or (known is not None and relaxed.usd >= known.usd):
            continue
        outcome = search(small.problem, relaxed=relaxed)
        if outcome.fleet is not None and (known is None or outcome.fleet.usd < known.usd):
            best = Plain(family=name, purchase=way, outcome=outcome, setting=small)
    return best
