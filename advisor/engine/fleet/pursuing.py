"""The fleet of what was asked for: best service, earliest finish, or a weighted balance."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from advisor.engine.choice.objectives import CRITERIA, WORDS, Objective, objective_of
from advisor.engine.choice.wording import money_text
from advisor.engine.fleet import measures
from advisor.engine.fleet.aims import Aim, Aimed, finish_share, solve_aim, value_of
from advisor.engine.fleet.measures import Measure, measured
from advisor.engine.fleet.mip import Limits, Watch
from advisor.engine.fleet.problem import Fleet
from advisor.engine.fleet.setting import Setting
from advisor.engine.fleet.solving import Outcome
from advisor.engine.workload import Money, Question

TIE = 1e-3  # of the objective, for the whole budget: of two fleets as good the cheaper wins
COST, FINISH = "cost", "finish"
LABELS = CRITERIA | {
    "latency": ("Time of an answer over its target", ""),
    FINISH: ("Share of its window that a job takes", ""),
    "risk": ("From the cost to its high end", "USD"),
    "simplicity": ("Machines to run", "mean of the week"),
    "carbon": (CRITERIA["carbon"][0], "t CO2e"),
}
"""Criteria of a fleet: those of a plan, measured over all workloads and hours of the week."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One thing that the objective weighs, or is shown beside it; less is better."""

    name: str
    label: str
    unit: str
    weight: float  # fraction of all weights; 0 is only shown
    value: float
    of_least_cost: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Pursued:
    """A fleet found for an objective, beside the fleet of least cost; value less is better."""

    objective: Objective
    aimed: Aimed
    of_least_cost: float  # the least-cost fleet's value
    least_usd: float
    usd: float
    budget_usd: float | None
    least_within_budget: bool
    criteria: tuple[Criterion, ...]


def goal_of(question: Question) -> Objective:
    """What a fleet is searched for: the objective, in terms that its workloads have.

    Live traffic has no finish, so where nothing is a job the earliest finish is the best
    service; where everything is a job the best service is the earliest finish.

    Source: rule stated here.
    """
    objective = objective_of(question)
    jobs = [workload.is_job for workload in question.workloads]
    if objective == Objective.TIME_TO_FINISH and not any(jobs):
        return Objective.BEST_SERVICE
    if objective == Objective.BEST_SERVICE and all(jobs):
        return Objective.TIME_TO_FINISH
    return objective


def budget_of(money: Money, months: int) -> float | None:
    """The least of the budgets that were typed, over the horizon; None sets no limit.

    Source: the answers.
    """
    month = None if money.budget_month_usd is None else money.budget_month_usd * months
    return min((usd for usd in (money.budget_total_usd, month) if usd is not None), default=None)


def pursued(
    setting: Setting, least: Outcome, limits: Limits, *, watch: Watch | None = None
) -> Pursued | None:
    """The best fleet for what was asked, never worse in it than the least-cost fleet.

    None where the least cost was asked for, and where no fleet is known that keeps the budget.

    Source: `aims.solve_aim`.
    """
    question, goal = setting.question, goal_of(setting.question)
    if goal == Objective.LEAST_COST or least.fleet is None:
        return None
    known = _measures(setting, goal)
    budget = budget_of(question.money, question.horizon_months)
    aim, weights = _aim(setting, goal, known, least.fleet, budget)
    found = solve_aim(setting.problem, aim, least, limits, watch=watch)
    if found is None:
        return None
    return Pursued(
        objective=goal,
        aimed=found,
        of_least_cost=value_of(setting.problem, least.fleet, aim),
        least_usd=least.fleet.usd,
        usd=found.fleet.usd,
        budget_usd=budget,
        least_within_budget=budget is None or least.fleet.usd <= budget,
        criteria=_criteria(setting, known, weights, found.fleet, least.fleet),
    )


def _measures(setting: Setting, goal: Objective) -> dict[str, Measure]:
    latency = measures.latency(setting)
    found = {} if latency is None else {"latency": latency}
    if goal == Objective.WEIGHTED:
        found |= {
            "risk": measures.risk(setting),
            "simplicity": measures.machines_to_run(setting),
            "carbon": measures.carbon(setting),
        }
    return found


def _aim(
    setting: Setting,
    goal: Objective,
    known: Mapping[str, Measure],
    least: Fleet,
    budget: float | None,
) -> tuple[Aim, dict[str, float]]:
    """The aim, and the weight of each criterion as a fraction of all."""
    if goal != Objective.WEIGHTED:
        of_usd = TIE / (budget or least.usd)
        if goal == Objective.TIME_TO_FINISH:
            return Aim(of_usd=of_usd, of_finish=1.0, budget_usd=budget), {FINISH: 1.0}
        return (
            Aim(of_usd=of_usd, measures=known, weights={"latency": 1.0}, budget_usd=budget),
            {"latency": 1.0},
        )
    # Each criterion over its value in the least-cost fleet; what is nothing there has no scale.
    scale = {name: measured(setting.problem, least, known[name]) for name in known}
    wanted = setting.question.priorities
    weights = {name: wanted.get(name, 0.0) for name, at in scale.items() if at > 0.0}
    weights = {name: weight for name, weight in weights.items() if weight > 0.0}
    total = sum(weights.values()) + wanted.get(COST, 0.0)
    if total <= 0.0:  # nothing that was given a weight is there: cost decides
        return Aim(of_usd=1.0 / least.usd, budget_usd=budget), {COST: 1.0}
    weights = {name: weight / total for name, weight in weights.items()}
    of_cost = wanted.get(COST, 0.0) / total
    aim = Aim(
        of_usd=max(of_cost, TIE) / least.usd,
        measures=known,
        weights={name: weight / scale[name] for name, weight in weights.items()},
        budget_usd=budget,
    )
    return aim, {COST: of_cost} | weights


def _criteria(
    setting: Setting,
    known: Mapping[str, Measure],
    weights: Mapping[str, float],
    fleet: Fleet,
    least: Fleet,
) -> tuple[Criterion, ...]:
    problem = setting.problem
    values = {COST: (fleet.usd, least.usd)}
    values |= {
        name: (measured(problem, fleet, each), measured(problem, least, each))
        for name, each in known.items()
    }
    if FINISH in weights:
        values[FINISH] = (finish_share(problem, fleet), finish_share(problem, least))
    return tuple(
        Criterion(
            name=name, label=LABELS[name][0], unit=LABELS[name][1],
            weight=weights.get(name, 0.0), value=value, of_least_cost=other,
        )
        for name, (value, other) in values.items()
    )  # fmt: skip


def told(found: Pursued) -> list[str]:
    """What was optimised, the trade against least cost, and how far it is proven.

    Source: the figures of the two fleets.
    """
    what = {
        Objective.BEST_SERVICE: "the best service",
        Objective.TIME_TO_FINISH: "the earliest finish",
    }.get(found.objective, WORDS[found.objective])
    limit = (
        f"within {money_text(found.budget_usd)}"
        if found.budget_usd is not None
        else "with no budget typed, so that money sets no limit"
    )
    proof = f"proven within {found.aimed.gap:.1%} of the best of these candidates"
    return [f"Searched for {what} {limit}: {_trade(found)}; {proof}."]


def _trade(found: Pursued) -> str:
    by_name = {each.name: each for each in found.criteria}
    more = found.usd - found.least_usd
    share = abs(more) / found.least_usd if found.least_usd > 0.0 else 0.0
    paid = f"{money_text(abs(more))} {'more' if more > 0.0 else 'less'} ({share:.1%})"
    if found.aimed.value >= found.of_least_cost * (1.0 - 1e-6):
        return "no fleet found is better in it than the one of least cost"
    if found.objective == Objective.WEIGHTED:
        ratio = found.aimed.value / found.of_least_cost
        moved = ", ".join(_moved(by_name.values()))
        return f"the weighted sum is {ratio:.1%} of the least-cost fleet's ({moved})"
    name = FINISH if found.objective == Objective.TIME_TO_FINISH else "latency"
    mine, theirs = by_name[name].value, by_name[name].of_least_cost
    words = (
        "jobs are through after {0:.0%} of their windows on average instead of {1:.0%}"
        if name == FINISH
        else "answers take {0:.0%} of their targets on average instead of {1:.0%}"
    )
    return f"{words.format(mine, theirs)} in the fleet of least cost, for {paid}"


def _moved(criteria: Iterable[Criterion]) -> list[str]:
    found = []
    for each in criteria:
        if each.of_least_cost > 0.0:
            change = each.value / each.of_least_cost - 1.0
            if abs(change) >= 5e-4:  # noqa: PLR2004 -- shown to a tenth of a percent
                found.append(f"{each.name} {change:+.1%}")
    return found
