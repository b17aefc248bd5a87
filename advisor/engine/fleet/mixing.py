"""One workload on several kinds of machines: whether that could pay, and whether it does."""

from dataclasses import replace

import numpy as np

from advisor.engine.choice.objectives import WORDS
from advisor.engine.fleet.answering import FleetAnswer
from advisor.engine.fleet.sizes import size_classes
from advisor.engine.fleet.telling import fleet_plan, over_budget
from advisor.engine.fleet.weeks import live_week
from advisor.engine.plan import Plan
from advisor.engine.search.hosted import hosted_offers
from advisor.engine.search.river import Priced
from advisor.engine.workload import Question

PLAN_ID = "mixed"


def reasons_to_mix(question: Question, priced: Priced) -> list[str]:
    """Why a fleet could beat the recommended plan kept as it is; empty where nothing says so.

    A cheap test before the search: live traffic that moves over the week, requests of several
    sizes, a hosted model that may take a part, machines that are owned already. Traffic that is
    the same in all hours and all requests, with one market to buy from, gains nothing.

    Source: what Mélange names as causes (arXiv:2404.14527, section 4), and ways to buy.
    """
    serving = priced.workload.serving
    if serving is None or serving.is_batch or question.solve_for == "check_given_setup":
        return []
    found = []
    week = live_week(serving)
    if week.max() > week.mean() * (1.0 + 1e-6):
        found.append(f"the busiest hour is {week.max() / np.mean(week):.1f} times the week's mean")
    if len(size_classes(priced.workload)) > 1:
        found.append("requests differ in size")
    if hosted_offers(priced):
        found.append("a hosted model may take a part")
    if question.owned:
        found.append("you own machines already")
    return found


def mixed_plan(answer: FleetAnswer, *, name: str) -> Plan:
    """A searched fleet as a plan that can be chosen and signed, its shares in its notes.

    Source: `telling.fleet_plan`.
    """
    workloads = [priced.workload.name for priced in answer.setting.priced]
    plan = fleet_plan(answer, name=name)
    kind = "Mixed fleet" if answer.is_hybrid else "By the hour"
    return replace(plan, id=PLAN_ID, name=f"{kind}: {plan.name}", workload=", ".join(workloads))


def not_recommended_because(answer: FleetAnswer) -> str:
    """Why a searched fleet is no recommendation; empty where it pays.

    It has to save 3 % beyond the proven gap, as a hybrid against one family bought in one way
    or by the hour against the recommended plan around the clock, all by the same accounting,
    keep the budget, and serve what was asked for.

    Source: rule stated here.
    """
    question = answer.setting.question
    if answer.pursued is not None:
        return (
            f"You ask for {WORDS[answer.pursued.objective]}, and the fleet is searched for that; "
            "whether mixing pays is judged by cost alone."
        )
    if not (answer.is_hybrid or answer.follows_the_hours):
        return "Neither a mix nor fewer machines in quiet hours saves 3 % beyond the proven gap."
    if answer.note:
        return answer.note
    if any(check.failing_hours for check in answer.checks):
        return "In some hours it misses a target when it is played."
    return over_budget(fleet_plan(answer, name=question.name), question.money)
