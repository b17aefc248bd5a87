"""The ranking of a workload's plans: picks, what nothing beats, how stable, how sure."""

from math import isfinite
from typing import Any

from advisor.engine.choice.picks import Standing, named_picks, standings
from advisor.engine.money.futures import too_close
from advisor.engine.plan import Plan
from advisor.engine.reasons.doubt import (
    SURE_FROM,
    UNKNOWNS,
    Doubt,
    Futures,
    decider,
    doubt_of,
    futures_of,
)
from advisor.engine.reasons.outcome import Pick, pick_of, rivals
from advisor.engine.reasons.stability import stability
from advisor.services.whatif import Base


def ranking(base: Base, at: int) -> dict[str, Any]:
    """Where each plan of a workload stands, and how well the first place stands."""
    decision = base.worked.decisions[at]
    best = decision.recommended
    money = base.worked.question.money
    found = named_picks(decision.plans, money)
    named = {plan.id: plan for plan in decision.plans}
    stands = standings(decision.plans)
    stable = stability(base.worked.priced[at], base.worked.question, pick_of(best))
    return {
        "picks": {
            name: _plan(named[plan_id]) for name, plan_id in found.items() if plan_id in named
        },
        "recommended": _plan(best) if best is not None else None,
        "undominated": [_standing(each) for each in stands if each.undominated],
        "considered": len(stands),
        "stability": None
        if stable is None
        else {
            "same_choice": stable.pick,
            "same_part": stable.part,
            "runner_up": stable.runner_up,
            "draws": stable.draws,
        },
    }


def _plan(plan: Plan) -> dict[str, Any]:
    return {
        "id": plan.id,
        "name": plan.name,
        "usd": plan.value("total_cost_usd"),
        "monthly_usd": plan.value("monthly_cost_usd"),
    }


def _standing(each: Standing) -> dict[str, Any]:
    return _plan(each.plan) | {
        "family": each.plan.family,
        "wait": each.wait,
        "wait_unit": "h" if each.plan.value("hours") else "s",
        "carbon_kg_month": each.carbon_kg_month,
        "risk": each.risk,
    }


def contenders(best: Plan, decision_plans: list[Plan]) -> list[Plan]:
    """The recommended plan's rivals: the cheapest plan of every other choice."""
    cheapest: dict[Pick | None, Plan] = {}
    for plan in decision_plans:
        cheapest.setdefault(pick_of(plan), plan)
    return [plan for pick, plan in cheapest.items() if pick != pick_of(best)]


def doubts(base: Base, at: int) -> tuple[Doubt, Futures] | None:
    """The recommended plan and its nearest rivals in the same futures; None where not costed."""
    decision = base.worked.decisions[at]
    best = decision.recommended
    if best is None:
        return None
    priced = base.worked.priced[at]
    others = contenders(best, list(rivals(decision)))
    futures = futures_of(best, others, priced.rules, base.worked.rates)
    return None if futures is None else (doubt_of(futures), futures)


def calls(doubt: Doubt, futures: Futures) -> list[dict[str, Any]]:
    """Who is cheaper, how sure that is, and below four in five the unknown that would tell.

    Against the nearest other part, and the nearest other way to get the same one.
    """
    best = doubt.contenders[0]
    found = []
    for title, same_part in (("other hardware", False), ("another seller or contract", True)):
        rival = next(
            (n for n, plan in enumerate(doubt.contenders)
             if n > 0 and (plan.accelerator_slug == best.accelerator_slug) is same_part),
            None,
        )  # fmt: skip
        if rival is None:
            continue
        chance = doubt.chance[rival]
        close = isfinite(chance) and too_close(chance)
        told = decider(futures, rival)
        plan = None
        if told is not None and told.plan is not None:
            plan = doubt.contenders[told.plan]
        found.append(
            {
                "against": title,
                "plan": doubt.contenders[rival].name,
                "usd": doubt.contenders[rival].value("total_cost_usd"),
                "chance": chance,
                "sure_from": SURE_FROM,
                "too_close": close or chance < SURE_FROM,
                "decider": UNKNOWNS[told.id].format(plan=plan.name if plan else "") if told else "",
                "decider_share": told.narrows if told else None,
            }
        )
    return found
