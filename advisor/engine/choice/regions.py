"""One workload at one place or several: when it is worth splitting, and which of them wins."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from advisor.engine.choice.decision import Decision, Verdict, on_front, verdict_of
from advisor.engine.choice.eligibility import over_limits
from advisor.engine.choice.objectives import FOR_TIME, criteria_of_plans, keys, objective_of
from advisor.engine.choice.split_plan import Site, Split, split_plan
from advisor.engine.choice.user_groups import share_of_users, user_groups, with_share
from advisor.engine.plan import Plan
from advisor.engine.search.reach import LEVELS, tightest_s, way_in_target_s
from advisor.engine.search.river import Priced
from advisor.engine.workload import Money, Question, Workload

MOST_PLACES = 4  # more are run by few, and each adds its own spare machine
MOST_COMPARED = 3  # places tried where one already serves everybody
WORTH_SPLITTING = LEVELS[0]
"""Share of the tightest target that the way must take before several places are priced too."""
Answer = Callable[[Workload, Question], tuple[Priced, Decision]]


def split_over(
    workload: Workload, question: Question, answer: Answer, *, count: int, prefix: str = ""
) -> Split | None:
    """The workload at `count` places, each for its own users, as one plan; None where one fails.

    The plan's id is "split" and the count; those of its places begin with it, and with `prefix`.

    Each group of countries is answered as a workload of its own with its share of the traffic,
    so its region, count, price and spare machines follow from the same rules as any other
    answer's.

    Source: sum over the groups.
    """
    groups = user_groups(question.user_countries, count=count)
    if len(groups) < count:
        return None
    sites = []
    for number, group in enumerate(groups, start=1):
        share = share_of_users(group, question.user_countries)
        part = with_share(workload, share, name=f"{workload.name} ({', '.join(group)})")
        priced, decision = answer(
            part, replace(question, user_countries=group, money=_money_of(question, share))
        )
        if decision.recommended is None:
            return None
        decision = _named(decision, f"{prefix}split{count}-{number}")
        sites.append(
            Site(
                users=group,
                share=share,
                workload=priced.workload,
                priced=priced,
                decision=decision,
            )
        )
    one_room = bool(question.site.country)
    plan = split_plan(sites, workload, plan_id=f"split{count}", one_room=one_room)
    if plan is None:
        return None
    blocked = over_limits(plan, question)
    plan = replace(plan, extra={**plan.extra, "not_recommended_because": blocked})
    return Split(plan=plan, sites=tuple(sites))


def _money_of(question: Question, share: float) -> Money:
    """A place's part of the limits where plans spend up to them; else they hold for the sum."""
    money = question.money
    if objective_of(question) not in FOR_TIME:
        return money

    def part(limit: float | None) -> float | None:
        return None if limit is None else limit * share

    return replace(
        money,
        budget_total_usd=part(money.budget_total_usd),
        budget_month_usd=part(money.budget_month_usd),
        capex_max_usd=part(money.capex_max_usd),
    )


def _named(decision: Decision, plan_id: str) -> Decision:
    """A place's decision with its recommended plan under an id of its own."""
    best = decision.recommended
    if best is None:
        return decision
    rows = dict(decision.rows)
    if best.id in rows:
        rows[plan_id] = rows[best.id]
    return replace(decision, recommended=replace(best, id=plan_id), rows=rows)


def splits_for(
    decision: Decision, workload: Workload, question: Question, answer: Answer, *, prefix: str = ""
) -> tuple[Split, ...]:
    """The splits worth showing beside the plans at one place, by number of places.

    Where one place serves everybody, two and three are tried if the way takes more of the
    tightest target than WORTH_SPLITTING: nearer places then leave the machines more of it.
    Where none does, the fewest places that have a plan everywhere.

    Source: rule stated here.
    """
    live = workload.serving is not None and not workload.serving.is_batch
    several = min(len(set(question.user_countries)), MOST_PLACES)
    if not live or several <= 1 or not _worth_splitting(decision, workload):
        return ()
    found = []
    for count in range(2, several + 1):
        if decision.recommended is not None and count > MOST_COMPARED:
            break
        split = split_over(workload, question, answer, count=count, prefix=prefix)
        if split is not None:
            found.append(split)
        if found and decision.recommended is None:
            break
    return tuple(found)


def _worth_splitting(decision: Decision, workload: Workload) -> bool:
    best, serving = decision.recommended, workload.serving
    if best is None or serving is None:
        return True
    target_s = tightest_s(serving.slo)
    way_s = way_in_target_s(best.figures, serving.slo.percentile)
    return target_s is not None and way_s > WORTH_SPLITTING * target_s


def with_splits(
    decision: Decision, splits: tuple[Split, ...], question: Question, *, alone: bool
) -> Decision:
    """A decision with the splits among its plans; the user's objective picks among all.

    Where the workload is not `alone` its plan is part of a fleet, which is made of plans at one
    place as far as there are any.

    Source: the rules of `decision.decide`.
    """
    own, shown = decision.recommended, [split.plan for split in splits]
    found = with_plans(decision, shown, question, weighed=own is None or alone)
    best = found.recommended
    if own is not None or best is None or not shown:
        return found
    return replace(found, warnings=(*decision.warnings, _why(best)))


def with_plans(
    decision: Decision, shown: Sequence[Plan], question: Question, *, weighed: bool = True
) -> Decision:
    """A decision with more plans; where they are `weighed` the user's objective picks among all.

    Source: the rules of `decision.decide`.
    """
    if not shown:
        return decision
    verdict = decision.verdict
    fit = [plan for plan in shown if not plan.extra["not_recommended_because"]]
    if weighed and fit:
        single = [] if verdict is None else [verdict.recommended, verdict.least_cost]
        verdict = _verdict([*single, *fit], [*decision.plans, *shown], question)
    best = decision.recommended if verdict is None else verdict.recommended
    plans = [*decision.plans, *shown]
    if best is not None:
        plans = [best, *(plan for plan in plans if plan.id != best.id)]
    return replace(
        decision,
        recommended=best,
        plans=tuple(plans),
        on_front=on_front(plans),
        verdict=verdict,
        refusal="" if best is not None else _refusal(decision, list(shown)),
    )


def _verdict(
    contenders: Sequence[Plan], plans: Sequence[Plan], question: Question
) -> Verdict | None:
    """Of the contenders the one that the objective prefers, beside that of least cost.

    A balance is weighed against the best of all plans that may be recommended. One place comes
    before several.

    Source: as `decision.decide`.
    """
    criteria = criteria_of_plans(plans, question)
    among = np.array([_may_be_recommended(plan, question) for plan in plans], dtype=bool)
    key = keys(objective_of(question), criteria, question.priorities, among)
    row_of = {plan.id: row for row, plan in enumerate(plans)}
    fit = [(plan, row_of[plan.id]) for plan in {each.id: each for each in contenders}.values()]
    return verdict_of(fit, key, criteria, among, question, job=False)


def _may_be_recommended(plan: Plan, question: Question) -> bool:
    blocked = plan.extra.get("not_recommended_because") or over_limits(plan, question)
    return plan.meets_targets and not plan.price_open and not blocked


def _why(best: Plan) -> str:
    return f"No single place reaches all users within the targets. {best.notes[0]}"


def _refusal(decision: Decision, shown: list[Plan]) -> str:
    return " ".join(
        [decision.refusal, *(str(plan.extra["not_recommended_because"]) for plan in shown[:1])]
    ).strip()
