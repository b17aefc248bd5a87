"""From priced candidates to the plans that are shown, and the one that is recommended."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from advisor.engine.assembly import plan_of
from advisor.engine.cases import Bools, Floats, Ints
from advisor.engine.choice import cheapest_of_each, pareto_front, priority_score
from advisor.engine.fits import deployment_kind
from advisor.engine.hosted import hosted_plans
from advisor.engine.plan import Plan, Rejection
from advisor.engine.river import Priced
from advisor.engine.workload import Question
from catalog.units import KILO

REDUNDANCY_OVER_PLACES = frozenset({"two_zones", "two_regions", "active_active"})
SHOWN = 60  # plans of one workload in the answer; the page shows the first few


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


def decide(priced: Priced, question: Question) -> Decision:
    """The shown plans of a workload, best first, and the recommendation among them.

    Shown are the cheapest plan of each part, way to buy and kind of place, the undominated
    ones, and the cheapest in a lower format where that needs a quality test first. Only
    plans that meet every target, have a price, pass the quality gate and will be supported
    are recommended; the user's objective picks among them.

    Source: rules stated here; dominance and scores as in `choice`.
    """
    cost = priced.cost.total_usd
    wait = priced.sizing.wait_s[priced.placements.sizing]
    blocked = _blocked(priced, question)
    eligible = np.array([text == "" for text in blocked], dtype=bool)
    within, budget_note = _within_budget(priced, question, eligible)
    order = _ordered(priced, question, within, cost, wait)
    chosen = _shown(priced, within, cost, wait, order)
    plans = [
        plan_of(priced, row, plan_id=f"p{number + 1}", blocked=blocked[row])
        for number, row in enumerate(chosen)
    ]
    hosted = hosted_plans(priced, question, first=len(plans) + 1)
    best = _recommended(plans, chosen, within, hosted, question)
    everything = _best_first(best, [*plans, *hosted])
    front = pareto_front(
        [_or_nan(plan.value("total_cost_usd")) for plan in everything],
        [_wait_of(plan) for plan in everything],
    )
    return Decision(
        workload=priced.workload.name,
        recommended=best,
        plans=tuple(everything),
        on_front=frozenset(p.id for p, on in zip(everything, front, strict=True) if on),
        rejected=priced.rejected + _eol_rejections(plans),
        warnings=priced.warnings,
        considered=priced.considered,
        refusal="" if best else budget_note or _nothing(priced),
    )


def _blocked(priced: Priced, question: Question) -> list[str]:
    """For each candidate the first reason it may not be recommended, empty where it may."""
    rows = priced.placements.sizing
    given = priced.workload.given
    checks = question.solve_for == "check_given_setup" and given is not None
    exact = _exactly_given(priced) if checks else np.ones(len(rows), dtype=bool)
    texts = []
    for row, sizing_row in enumerate(rows):
        part = priced.parts[int(priced.sizing.accelerator[sizing_row])]
        gate = priced.gates[int(priced.sizing.precision[sizing_row])]
        if not priced.sizing.meets[sizing_row]:
            texts.append("it misses a target")
        elif not priced.site_ok[row]:
            texts.append("your room cannot take it")
        elif priced.cost.price_open[row]:
            texts.append("its price is open")
        elif _needs_places(priced) and not _names_a_place(priced, row):
            texts.append("the offer names no region, so separate zones cannot be promised")
        elif not exact[row]:
            texts.append("it is not the set-up you asked to check")
        elif not gate.open:
            texts.append(gate.reason)
        elif part.lifecycle == "eol" and not checks and question.support_left_min_months > 0:
            texts.append("its maker has ended it, so support may stop within your horizon")
        elif question.evidence_min != "estimated" and priced.sizing.extrapolated[sizing_row]:
            texts.append("its speed is estimated, and you ask for measured relatives")
        else:
            texts.append(_over_a_limit(priced, question, row))
    return texts


def _needs_places(priced: Priced) -> bool:
    serving = priced.workload.serving
    return serving is not None and serving.redundancy in REDUNDANCY_OVER_PLACES


def _names_a_place(priced: Priced, row: int) -> bool:
    offer = priced.offers[int(priced.placements.offer[row])]
    return offer.region is not None or deployment_kind(offer) == "on_prem"


def _over_a_limit(priced: Priced, question: Question, row: int) -> str:
    """A limit on power or carbon that a candidate breaks, in words; empty where none."""
    power_w, cap_t = priced.workload.power_limit_w, question.money.carbon_cap_tonnes
    if power_w is not None and priced.cost.peak_power_w[row] > power_w:
        return f"it draws {priced.cost.peak_power_w[row]:,.0f} W; the place has {power_w:,.0f} W"
    tonnes = _carbon_kg(priced, question)[row] / KILO
    if cap_t is not None and tonnes > cap_t:
        return f"it emits {tonnes:,.0f} t CO2e over the horizon; your cap is {cap_t:,.0f} t"
    return ""


def _carbon_kg(priced: Priced, question: Question) -> Floats:
    """Carbon over the horizon, with manufacturing where the user counts it."""
    embodied = priced.cost.embodied_carbon_kg if question.embodied_carbon else 0.0
    return np.asarray(priced.cost.carbon_kg + embodied)


def _exactly_given(priced: Priced) -> Bools:
    """Candidates that are the given part in the given number, or as near as offers come."""
    given = priced.workload.given
    if given is None:
        return np.ones(len(priced.placements), dtype=bool)
    part = priced.sizing.accelerator[priced.placements.sizing]
    mine = np.array([spec.slug == given.accelerator_slug for spec in priced.parts])[part]
    count = priced.placements.accelerators
    least = count[mine].min() if mine.any() else 0.0
    return np.asarray(mine & (count == max(least, given.accelerator_count)), dtype=bool)


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


def _ordered(priced: Priced, question: Question, within: Bools, cost: Floats, wait: Floats) -> Ints:
    """All rows, best first: recommendable ones, then those that meet targets, then the rest."""
    rows = priced.placements.sizing
    if question.solve_for in ("best_for_budget", "min_time"):
        key = wait
    elif question.solve_for == "min_cost":
        key = np.where(np.isfinite(cost), cost, np.inf)
    else:
        width = (priced.cost.high_usd - priced.cost.low_usd) / np.maximum(cost, 1e-9)
        key = priority_score(
            {
                "cost": cost,
                "latency": wait,
                "risk": 1.0 + width,
                "simplicity": priced.placements.instances + 1.0,
                "carbon": _carbon_kg(priced, question),
            },
            question.priorities,
        )
    meets = priced.sizing.meets[rows] & priced.site_ok
    return np.asarray(np.lexsort((key, ~meets, ~within)), dtype=np.int64)


def _shown(priced: Priced, within: Bools, cost: Floats, wait: Floats, order: Ints) -> list[int]:
    rows = priced.placements.sizing
    meets = priced.sizing.meets[rows] & priced.site_ok
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
    wanted = dict.fromkeys([*order[:1].tolist(), *sorted(distinct.values())[:8], *candidates])
    rank = {int(row): position for position, row in enumerate(order)}
    kept = [row for row in wanted if meets[row]]
    return sorted(kept, key=lambda row: rank[row])[:SHOWN]


def _recommended(
    plans: Sequence[Plan],
    chosen: Sequence[int],
    within: Bools,
    hosted: Sequence[Plan],
    question: Question,
) -> Plan | None:
    own = [plan for plan, row in zip(plans, chosen, strict=True) if within[row]]
    pool = [*own[:1], *(plan for plan in hosted if plan.meets_targets)]
    if question.solve_for in ("best_for_budget", "min_time"):
        return min(pool, key=_wait_of, default=None)
    return min(pool, key=lambda plan: _or_nan(plan.value("total_cost_usd")), default=None)


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
    best = decision.recommended
    return replace(
        decision,
        plans=plans,
        recommended=None if best is None else replace(best, id=f"{prefix}{best.id}"),
        on_front=frozenset(f"{prefix}{name}" for name in decision.on_front),
    )
