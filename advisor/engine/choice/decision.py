"""From priced candidates to the plans that are shown, and the one that is recommended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from advisor.engine.cases import Bools, Floats, Ints
from advisor.engine.choice.assembly import plan_of
from advisor.engine.choice.eligibility import blocked_because
from advisor.engine.choice.objectives import (
    Objective,
    Term,
    criteria_of,
    keys,
    objective_of,
    terms_of,
    told,
)
from advisor.engine.choice.ranking import cheapest_of_each, pareto_front
from advisor.engine.plan import Plan, Rejection
from advisor.engine.search.hosted import hosted_plans
from advisor.engine.search.river import Priced
from advisor.engine.workload import Question

SHOWN = 60  # plans of one workload in the answer; the page shows the first few


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Which objective decided, and what the least cost would have been."""

    objective: Objective
    sentence: str
    recommended: Plan
    least_cost: Plan
    terms: tuple[Term, ...] = ()  # of the recommended plan in a weighted balance
    terms_of_least_cost: tuple[Term, ...] = ()

    @property
    def more_usd(self) -> float:
        """What the recommended plan costs above the least, over the horizon."""
        mine = self.recommended.value("total_cost_usd") or 0.0
        return round(mine - (self.least_cost.value("total_cost_usd") or 0.0), 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The answer for one workload."""

    workload: str
    recommended: Plan | None
    plans: tuple[Plan, ...]
    on_front: frozenset[str]  # plan ids
    rejected: tuple[Rejection, ...]
    warnings: tuple[str, ...]
    considered: int
    refusal: str  # why nothing is recommended, "" otherwise
    rows: Mapping[str, int] = field(default_factory=dict)
    """Row of the candidates behind a plan, by plan id; hosted plans have none."""
    verdict: Verdict | None = None  # None where nothing is recommended


def decide(priced: Priced, question: Question) -> Decision:
    """The shown plans of a workload, best first, and the recommendation among them.

    Shown are the cheapest plan of each part, way to buy and kind of place, the undominated
    ones, and the cheapest in a lower format where that needs a quality test first. Only
    plans that meet every target, have a price, pass the quality gate and will be supported
    are recommended; the user's objective picks among them.

    Source: rules stated here; dominance and scores as in `choice`.
    """
    # To the cent: equal plans keep the order of their rows, whatever the last digits of a sum.
    cost = np.round(priced.cost.total_usd, 2)
    wait = priced.wait_s
    blocked = blocked_because(priced, question)
    eligible = np.array([text == "" for text in blocked], dtype=bool)
    within, budget_note = _within_budget(priced, question, eligible)
    hosted = hosted_plans(priced, question, first=1)
    criteria = criteria_of(priced, question, hosted)
    among = np.concatenate([within, _may_be_used(hosted, question)])
    key = keys(
        objective_of(question), criteria, question.priorities, among if among.any() else None
    )
    order = _ordered(priced, within, key[: len(within)], cost)
    chosen = _shown(priced, within, cost, wait, order)
    plans = [
        plan_of(priced, row, plan_id=f"p{number + 1}", blocked=blocked[row])
        for number, row in enumerate(chosen)
    ]
    own = len(within)
    hosted = [replace(p, id=f"p{len(plans) + n}") for n, p in enumerate(hosted, start=1)]
    rows = [*chosen, *range(own, own + len(hosted))]
    fit = [(plan, row) for plan, row in zip([*plans, *hosted], rows, strict=True) if among[row]]
    best = _first(fit, key, criteria["cost"])
    everything = _best_first(best, [*plans, *hosted])
    return Decision(
        workload=priced.workload.name,
        recommended=best,
        plans=tuple(everything),
        on_front=on_front(everything),
        rejected=priced.rejected + _eol_rejections(plans),
        warnings=priced.warnings,
        considered=priced.considered,
        refusal="" if best else budget_note or _nothing(priced),
        rows={plan.id: row for plan, row in zip(plans, chosen, strict=True)},
        verdict=verdict_of(fit, key, criteria, among, question, job=priced.workload.is_job),
    )


def within_limits(priced: Priced, question: Question) -> Bools:
    """Candidates that may be recommended: every rule kept and every budget.

    Source: as `decide`.
    """
    eligible = np.array([text == "" for text in blocked_because(priced, question)], dtype=bool)
    return _within_budget(priced, question, eligible)[0]


def _within_budget(priced: Priced, question: Question, eligible: Bools) -> tuple[Bools, str]:
    money, cost = question.money, priced.cost
    within = eligible.copy()
    for limit, column, what in (
        (money.budget_total_usd, cost.total_usd, "in all"),
        (money.budget_month_usd, cost.monthly_usd, "a month"),
        (money.capex_max_usd, cost.capex_usd, "up front"),
    ):
        if limit is None:
            continue
        before = within
        within = within & (column <= limit)
        if before.any() and not within.any():
            least = float(column[before].min())
            return within, (
                f"The cheapest plan that meets the targets costs {least:,.0f} USD {what}; "
                f"your limit is {limit:,.0f} USD."
            )
    return within, ""


def _may_be_used(hosted: Sequence[Plan], question: Question) -> Bools:
    """Hosted plans that meet the targets and keep the budgets."""
    money = question.money
    limits = (
        ("total_cost_usd", money.budget_total_usd),
        ("monthly_cost_usd", money.budget_month_usd),
    )
    return np.array([
        plan.meets_targets
        and all(limit is None or (plan.value(name) or 0.0) <= limit for name, limit in limits)
        for plan in hosted
    ], dtype=bool)  # fmt: skip


def _ordered(priced: Priced, within: Bools, key: Floats, cost: Floats) -> Ints:
    """All rows, best first: recommendable ones, then those that meet targets, then the rest."""
    meets = priced.sizing.meets[priced.placements.sizing]
    return np.asarray(np.lexsort((cost, key, ~meets, ~within)), dtype=np.int64)


def _shown(priced: Priced, within: Bools, cost: Floats, wait: Floats, order: Ints) -> list[int]:
    rows = priced.placements.sizing
    meets = priced.sizing.meets[rows]
    part, precision = priced.sizing.accelerator[rows], priced.sizing.precision[rows]
    gate = np.array([priced.gates[int(p)].open for p in precision], dtype=bool)
    kinds = [priced.offers[int(offer)].purchase for offer in priced.placements.offer]
    keys = [
        (int(part[row]), kinds[row], bool(gate[row])) if meets[row] else None
        for row in range(len(rows))
    ]
    comparable = np.where(meets, np.where(np.isfinite(cost), cost, 1e30), np.inf)
    candidates = [row for row in cheapest_of_each(keys, comparable) if keys[row] is not None]
    front = np.flatnonzero(
        pareto_front(np.where(within, cost, np.nan), np.where(within, wait, np.nan))
    )
    distinct = {(cost[row], wait[row]): int(row) for row in front[::-1]}
    of_each_part = cheapest_of_each(part.tolist(), comparable)
    cheapest = [int(np.argmin(np.where(within, cost, np.inf)))] if within.any() else []
    always = dict.fromkeys([*order[:1].tolist(), *cheapest, *of_each_part])
    more = dict.fromkeys([*sorted(distinct.values())[:8], *candidates])
    rank = {int(row): position for position, row in enumerate(order)}
    kept = [row for row in always if meets[row]]
    others = sorted(
        (row for row in more if meets[row] and row not in always), key=lambda row: rank[row]
    )
    kept += others[: max(SHOWN - len(kept), 0)]
    return sorted(kept, key=lambda row: rank[row])


def _first(fit: Sequence[tuple[Plan, int]], key: Floats, cost: Floats) -> Plan | None:
    """The plan that the objective puts first; the cheaper one of two that are alike."""
    found = min(fit, key=lambda each: (key[each[1]], cost[each[1]]), default=None)
    return None if found is None else found[0]


def verdict_of(
    fit: Sequence[tuple[Plan, int]],
    key: Floats,
    criteria: Mapping[str, Floats],
    among: Bools,
    question: Question,
    *,
    job: bool,
) -> Verdict | None:
    """The objective's choice beside that of least cost; None where no plan fits.

    Each plan stands with its row of `key`, the criteria and `among`.

    Source: `objectives.keys`.
    """
    cost, objective = criteria["cost"], objective_of(question)
    best, cheapest = _first(fit, key, cost), _first(fit, cost, cost)
    if best is None or cheapest is None:
        return None
    row_of = {plan.id: row for plan, row in fit}
    weighted = objective == Objective.WEIGHTED
    terms = [
        terms_of(criteria, question.priorities, among, row_of[plan.id]) if weighted else ()
        for plan in (best, cheapest)
    ]
    return Verdict(
        objective=objective,
        sentence=told(objective, best, cheapest, job=job),
        recommended=best,
        least_cost=cheapest,
        terms=terms[0],
        terms_of_least_cost=terms[1],
    )


def on_front(plans: Sequence[Plan]) -> frozenset[str]:
    """Ids of the plans that no other beats in cost and in time at once.

    Source: `ranking.pareto_front`.
    """
    front = pareto_front(
        [_or_nan(plan.value("total_cost_usd")) for plan in plans],
        [_wait_of(plan) for plan in plans],
    )
    return frozenset(plan.id for plan, on in zip(plans, front, strict=True) if on)


def _best_first(best: Plan | None, plans: Sequence[Plan]) -> list[Plan]:
    if best is None:
        return list(plans)
    return [best, *(plan for plan in plans if plan.id != best.id)]


def _eol_rejections(plans: Sequence[Plan]) -> tuple[Rejection, ...]:
    """Parts that hold the workload and are shown, yet never recommended."""
    seen: dict[str, Rejection] = {}
    for plan in plans:
        late = next((note for note in plan.notes if "end of its life" in note), None)
        if late is not None and plan.accelerator not in seen:
            seen[plan.accelerator] = Rejection(
                family=plan.family, accelerator=plan.accelerator, limit="support",
                reason=late, workload=plan.workload,
            )  # fmt: skip
    return tuple(seen.values())


def _nothing(priced: Priced) -> str:
    closed = next((item for item in priced.rejected if item.limit == "weights"), None)
    if closed is not None:
        return f"{closed.reason} Allow a managed API to have it priced by the token."
    if len(priced.placements) == 0:
        return "No offer of the catalogue passes your limits; the list of reasons says which."
    rows = priced.placements.sizing
    if not priced.sizing.meets[rows].any():
        return "No offer that passes your limits meets the targets; the list of reasons says why."
    if priced.cost.price_open[priced.sizing.meets[rows]].all():
        return "Every plan that meets the targets waits for a price: get quotes for those listed."
    return "No plan passes every limit at once; the list of reasons names the first one broken."


def _wait_of(plan: Plan) -> float:
    hours = plan.value("hours")
    if hours is not None:
        return hours
    return _or_nan(plan.value("e2e_p99_s"))


def _or_nan(value: float | None) -> float:
    return np.nan if value is None else value


def renumbered(decision: Decision, prefix: str) -> Decision:
    """The same decision with plan ids that are unique among several workloads."""
    plans = tuple(replace(plan, id=f"{prefix}{plan.id}") for plan in decision.plans)
    best, said = decision.recommended, decision.verdict
    return replace(
        decision,
        plans=plans,
        recommended=None if best is None else replace(best, id=f"{prefix}{best.id}"),
        verdict=None
        if said is None
        else replace(
            said,
            recommended=replace(said.recommended, id=f"{prefix}{said.recommended.id}"),
            least_cost=replace(said.least_cost, id=f"{prefix}{said.least_cost.id}"),
        ),
        on_front=frozenset(f"{prefix}{name}" for name in decision.on_front),
        rows={f"{prefix}{name}": row for name, row in decision.rows.items()},
    )
