"""The fleet of an assessment: solved, compared with plain fleets, and its saving proven."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from advisor.engine.choice.decision import Decision
from advisor.engine.choice.objectives import WORDS, Objective
from advisor.engine.fleet.accounts import Bill, bill_of
from advisor.engine.fleet.checking import broken, priced
from advisor.engine.fleet.comparing import Plain, best_plain, restricted
from advisor.engine.fleet.mip import Limits, Watch
from advisor.engine.fleet.percentiles import Checked, PoolCheck
from advisor.engine.fleet.problem import Fleet
from advisor.engine.fleet.pursuing import Pursued, goal_of, pursued
from advisor.engine.fleet.setting import Setting
from advisor.engine.fleet.solving import Outcome, Search, solve_exactly, solve_quickly

FULL = Limits(gap=1e-4, nodes=20_000, looks=2_000)
AIMED_GAP = 1e-3  # at which the search for another objective than cost ends
WORTH_IT = 0.03  # saving from which a fleet is recommended over a plan, beyond the gap
_USED = 1e-6
Told = Callable[[str, float], None]
Check = Callable[[Setting, Fleet], Checked]


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetAnswer:
    """A fleet, its bill, its proof and what plain fleets would cost; USD over the horizon."""

    setting: Setting
    fleet: Fleet
    bill: Bill
    bound_usd: float
    greedy_usd: float | None
    plain: Plain | None
    plain_usd: float | None  # best fleet of one family and one contract
    family_usd: float | None  # best fleet of one family, any contracts
    separate_usd: float | None  # each load on machines of its own
    separate_plans_usd: float | None  # each load's recommended plan, kept around the clock
    stopped: bool
    checks: tuple[PoolCheck, ...] = ()
    without_owned_usd: float | None = None  # least cost without what is owned; None: nothing is
    before_check_usd: float | None = None  # cost before replicas were added; None: not checked
    pursued: Pursued | None = None  # where another objective than cost decided
    note: str = ""  # why it did not, or no longer keeps the budget

    @property
    def gap(self) -> float:
        """Proven distance from the least cost, or the best value, as a fraction of it."""
        if self.pursued is not None:
            return self.pursued.aimed.gap
        total = self.bill.total_usd
        return max(total - self.bound_usd, 0.0) / total if total > 0.0 else 0.0

    @property
    def kinds(self) -> frozenset[tuple[str, str]]:
        """Families and contracts that the fleet uses."""
        return kinds_of(self.setting, self.fleet)

    @property
    def saving(self) -> float:
        """What the fleet saves against the best of one family and one contract, a fraction."""
        if self.plain_usd is None or self.plain_usd <= 0.0:
            return 0.0
        return 1.0 - self.bill.total_usd / self.plain_usd

    @property
    def is_hybrid(self) -> bool:
        """Whether mixing pays: several families or contracts, worth it beyond the gap.

        Asked of cost alone: of a fleet for another objective it is not said.
        """
        return self.pursued is None and len(self.kinds) > 1 and self.saving >= WORTH_IT + self.gap

    @property
    def saving_by_the_hour(self) -> float:
        """What it saves against the recommended plans kept around the clock, a fraction."""
        whole = self.separate_plans_usd
        return 1.0 - self.bill.total_usd / whole if whole else 0.0

    @property
    def follows_the_hours(self) -> bool:
        """Whether fewer machines in quiet hours pay: paid by the hour, worth it beyond the gap.

        Asked of cost alone, as a hybrid is.
        """
        worth_it = self.saving_by_the_hour >= WORTH_IT + self.gap
        return self.pursued is None and self.has_machines_by_the_hour and worth_it

    @property
    def has_machines_by_the_hour(self) -> bool:
        """Whether any machine is paid in the hours it works only."""
        options = [self.setting.options[number] for number in self.bill.of_option]
        return any(not (option.held or option.metered) for option in options)


def kinds_of(setting: Setting, fleet: Fleet) -> frozenset[tuple[str, str]]:
    """Families and contracts that a fleet uses.

    Source: the fleet's columns.
    """
    options = {
        (option.family, option.offer.purchase.value)
        for number, option in enumerate(setting.options)
        if fleet.machines[number] > _USED or fleet.used[number].max() > _USED
    }
    plans = {
        (plan.family, plan.purchase)
        for plan, used in zip(setting.plans, fleet.whole, strict=True)
        if used
    }
    return frozenset(options | plans)


def quick_fleet(setting: Setting, decisions: Sequence[Decision]) -> FleetAnswer | None:
    """A fleet within about a second; None where nothing serves everything.

    Source: `solve_quickly`.
    """
    outcome = solve_quickly(setting.problem)
    if outcome.fleet is None:
        return None
    return _answered(setting, outcome, decisions, solve_quickly)


def full_fleet(
    setting: Setting,
    decisions: Sequence[Decision],
    *,
    limits: Limits = FULL,
    tell: Told | None = None,
    watch: Watch | None = None,
    check: Check | None = None,
) -> FleetAnswer | None:
    """The fleet of what was asked for, proven as far as the limits allow.

    The one of least cost is searched first, to a hundredth of a percent; where something else
    was asked for, the setting is made for it (`pursuing.goal_of`) and the search goes on from
    there. With `check` its hours are played and mended, and so are those of the plain fleet
    beside it.

    Source: `solve_exactly`.
    """
    say = tell or (lambda stage, fraction: None)
    say("Looking for the least-cost fleet", 0.2)
    outcome = solve_exactly(setting.problem, limits, watch=watch)
    if outcome.fleet is None:
        return None
    say("Comparing with plain fleets", 0.7)
    beside = partial(solve_exactly, limits=replace(limits, gap=1e-3))
    answer = _answered(setting, outcome, decisions, beside)
    say("Looking for the best fleet for what you ask", 0.75)
    answer = _of_objective(answer, outcome, replace(limits, gap=AIMED_GAP), watch)
    if check is None:
        return answer
    say("Playing every kind of hour", 0.85)
    return _mended(answer, check)


def _of_objective(
    answer: FleetAnswer, least: Outcome, limits: Limits, watch: Watch | None
) -> FleetAnswer:
    """The answer with the fleet of another objective where that was asked for and found."""
    goal = goal_of(answer.setting.question)
    found = pursued(answer.setting, replace(least, fleet=answer.fleet), limits, watch=watch)
    if found is None and goal != Objective.LEAST_COST:
        note = (
            f"You ask for {WORDS[goal]}; no fleet was found that keeps the budget, so this is the "
            "one of least cost."
        )
        return replace(answer, note=note)
    if found is None:
        return answer
    fleet = found.aimed.fleet
    stopped = answer.stopped or found.aimed.stopped
    bill = bill_of(answer.setting, fleet)
    return replace(answer, fleet=fleet, bill=bill, pursued=found, stopped=stopped)


def _mended(answer: FleetAnswer, check: Check) -> FleetAnswer:
    """The answer after the check, with the plain fleet mended by the same rule."""
    done = check(answer.setting, answer.fleet)
    bill, before = bill_of(answer.setting, done.fleet), answer.bill.total_usd
    plain_usd, family_usd = answer.plain_usd, answer.family_usd
    if bill.total_usd > before and answer.plain is not None and answer.plain.outcome.fleet:
        same = plain_usd is not None and abs(plain_usd - before) < 0.01  # noqa: PLR2004 -- a cent
        beside = check(answer.plain.setting, answer.plain.outcome.fleet)
        mended = bill_of(answer.plain.setting, beside.fleet).total_usd
        plain_usd = bill.total_usd if same else mended
        alone = family_usd is not None and abs(family_usd - before) < 0.01  # noqa: PLR2004
        family_usd = bill.total_usd if alone else family_usd
    budget = None if answer.pursued is None else answer.pursued.budget_usd
    note = answer.note
    if budget is not None and bill.total_usd > budget:
        note = (
            f"With the replicas added it costs {bill.total_usd - budget:,.0f} USD over the budget."
        )
    return replace(
        answer, fleet=done.fleet, bill=bill, checks=done.pools, before_check_usd=before,
        plain_usd=plain_usd, family_usd=family_usd, note=note,
    )  # fmt: skip


def _answered(
    setting: Setting,
    outcome: Outcome,
    decisions: Sequence[Decision],
    search: Search,
) -> FleetAnswer:
    fleet = outcome.fleet
    if fleet is None:
        message = "an outcome without a fleet has no answer"
        raise ValueError(message)
    beside = best_plain(setting, search)
    other = beside.outcome.fleet if beside is not None else None
    if beside is not None and other is not None and other.usd < fleet.usd:
        # What one family and one contract can do, the whole market can do too.
        fleet = _lifted(setting, beside) or fleet
    bill = bill_of(setting, fleet)
    own = [decision.recommended for decision in decisions]
    known = [plan.value("total_cost_usd") for plan in own if plan is not None]
    return FleetAnswer(
        setting=setting,
        fleet=fleet,
        bill=bill,
        bound_usd=min(outcome.bound_usd, bill.total_usd),
        greedy_usd=None if outcome.greedy is None else outcome.greedy.usd,
        plain=beside,
        plain_usd=None
        if beside is None or other is None
        else max(bill_of(beside.setting, other).total_usd, 0.0),
        family_usd=_one_family(setting, fleet, bill, search),
        separate_usd=_separate(setting, fleet, search),
        separate_plans_usd=sum(usd for usd in known if usd is not None)
        if len(known) == len(decisions)
        else None,
        stopped=outcome.stopped,
        without_owned_usd=_without_owned(setting, search),
    )


def _without_owned(setting: Setting, search: Search) -> float | None:
    """Least cost without the machines that are owned; None where none is, or nothing serves."""
    offered = np.array([option.owned == 0.0 for option in setting.options], dtype=bool)
    small = None if offered.all() else restricted(setting, offered, [True] * len(setting.plans))
    found = None if small is None else search(small.problem).fleet
    return None if small is None or found is None else bill_of(small, found).total_usd


def _lifted(setting: Setting, plain: Plain) -> Fleet | None:
    """A plain fleet in the columns of the whole question."""
    small, found = plain.setting, plain.outcome.fleet
    if found is None:
        return None
    options = [setting.options.index(option) for option in small.options]
    at = {(pool.load, pool.row, pool.option): n for n, pool in enumerate(setting.pools)}
    pools = [at[pool.load, pool.row, options[pool.option]] for pool in small.pools]
    wholes = [setting.plans.index(plan) for plan in small.plans]
    problem = setting.problem
    shape = len(problem.hours)
    machines, used = np.zeros(len(problem.held)), np.zeros((len(problem.held), shape))
    replicas = np.zeros((len(problem.pool_option), shape))
    served, whole = np.zeros((*problem.rate.shape, shape)), np.zeros(len(problem.wholes))
    machines[options], used[options], replicas[pools] = found.machines, found.used, found.replicas
    served[:, pools], whole[wholes] = found.served, found.whole
    fleet = Fleet(
        machines=machines, used=used, replicas=replicas, served=served, whole=whole, usd=0.0
    )
    return None if broken(problem, fleet) else priced(problem, fleet)


def _one_family(setting: Setting, fleet: Fleet, bill: Bill, search: Search) -> float | None:
    """Least cost with one family in any contracts; the fleet's own where it has just one."""
    families = {option.family for option in setting.options}
    families |= {plan.family for plan in setting.plans}
    used = {
        setting.options[number].family
        for number in range(len(setting.options))
        if fleet.machines[number] > _USED or fleet.used[number].max() > _USED
    } | {plan.family for plan, on in zip(setting.plans, fleet.whole, strict=True) if on}
    if len(used) == 1 and used != {"hosted"}:
        return bill.total_usd
    best: float | None = None
    for family in sorted(families - {"hosted"}):
        keep = np.array([option.family == family for option in setting.options], dtype=bool)
        small = restricted(setting, keep, [plan.family == family for plan in setting.plans])
        if small is None:
            continue
        found = search(small.problem).fleet
        if found is not None:
            usd = bill_of(small, found).total_usd
            best = usd if best is None else min(best, usd)
    return best


def _separate(setting: Setting, fleet: Fleet, search: Search) -> float | None:
    """Least cost with each load on machines of its own; None where nothing is shared anyway."""
    problem = setting.problem
    shared = False
    for number in np.flatnonzero((fleet.machines > _USED) & problem.held):
        pools = np.flatnonzero(problem.pool_option == number)
        working = {
            int(problem.pool_load[pool]) for pool in pools if fleet.served[:, pool].max() > _USED
        }
        shared |= len(working) > 1
    if not shared:
        return None
    total = 0.0
    for load in range(len(setting.priced)):
        alone = _of_load(setting, load)
        found = search(alone.problem).fleet
        if found is None:
            return None
        total += found.usd
    return round(total, 2)


def _of_load(setting: Setting, load: int) -> Setting:
    """The question of one load alone, on every option it can use."""
    problem = setting.problem
    keep = np.array([
        bool((problem.pool_load[problem.pool_option == number] == load).any())
        for number in range(len(setting.options))
    ], dtype=bool)  # fmt: skip
    mine = [int(number) for number in np.flatnonzero(problem.pool_load != load)]
    rate = problem.rate.copy()
    rate[:, mine] = 0.0
    demand = problem.demand.copy()
    demand[problem.bucket_load != load] = 0.0
    alone = replace(
        problem,
        rate=rate,
        demand=demand,
        jobs=tuple(job for job in problem.jobs if job.load == load),
        limits=(),
        spreads=tuple(each for each in problem.spreads if each.load == load),
    )
    small = restricted(replace(setting, problem=alone), keep, [
        whole.load == load for whole in problem.wholes
    ])  # fmt: skip
    return small if small is not None else replace(setting, problem=alone)
