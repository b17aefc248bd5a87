"""What decides among plans that keep every limit: cost, service, finish or a stated balance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from advisor.engine.cases import Bools, Floats
from advisor.engine.choice.eligibility import carbon_kg
from advisor.engine.choice.ranking import priority_score, priority_terms
from advisor.engine.choice.wording import money_text, seconds_text
from advisor.engine.plan import Plan
from advisor.engine.search.river import Priced
from advisor.engine.workload import Question
from catalog.specs import OfferSpec, Purchase
from catalog.units import SECONDS_PER_HOUR

_WEEK_S = 168.0 * SECONDS_PER_HOUR
OWN_LEAD_TIME = "lead_time/own"


class Objective(StrEnum):
    """What a recommendation is best in, among plans within every target, limit and budget."""

    LEAST_COST = "least_cost"
    BEST_SERVICE = "best_service_for_budget"
    TIME_TO_FINISH = "time_to_finish"
    WEIGHTED = "weighted"


OF_ANSWER = {
    "min_cost": Objective.LEAST_COST,
    "best_for_budget": Objective.BEST_SERVICE,
    "min_time": Objective.TIME_TO_FINISH,
    "weighted": Objective.WEIGHTED,
    "check_given_setup": Objective.LEAST_COST,
}
FOR_TIME = frozenset({Objective.BEST_SERVICE, Objective.TIME_TO_FINISH})
"""Objectives that take the quickest plan within the limits."""
WORDS = {
    Objective.LEAST_COST: "the least cost",
    Objective.BEST_SERVICE: "the best service within the budget",
    Objective.TIME_TO_FINISH: "the earliest finish within the budget",
    Objective.WEIGHTED: "your weights",
}
CRITERIA = {
    "cost": ("Cost over the horizon", "USD"),
    "latency": ("Time of a run, or an answer of mean length", "s"),
    "risk": ("High end of the cost over its value", ""),
    "simplicity": ("Machines to run, plus one", ""),
    "carbon": ("Carbon over the horizon", "kg CO2e"),
}
"""Criteria of the weighted balance: label and unit (none: a ratio or count); less is better."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One criterion of one plan in the weighted balance; the score is the sum of `term`."""

    criterion: str
    label: str
    unit: str
    weight: float  # fraction of all weights
    value: float | None  # None: unknown, counted as the worst known
    best: float
    term: float  # weight x ln(value / best)
    cost_per_percent: float | None  # fraction of the cost that one hundredth of it is worth


def objective_of(question: Question) -> Objective:
    """The objective that an assessment asks for; a set-up that is checked costs what it costs.

    Source: the answer to "What should we find?".
    """
    return OF_ANSWER[question.solve_for]


def criteria_of(
    priced: Priced, question: Question, others: Sequence[Plan] = ()
) -> dict[str, Floats]:
    """What candidates, then plans outside the candidates, are compared by; smaller is better.

    The five criteria of the weighted balance and "finish": the time of a job's run, after the
    delivery of its machines where that is known; the time of an answer for live traffic. An
    unknown figure is nan.

    Source: columns of the stages; lead times of offers, else the rate `lead_time/own` for what
    is bought.
    """
    cost, wait = np.round(priced.cost.total_usd, 2), priced.wait_s
    width = (priced.cost.high_usd - priced.cost.low_usd) / np.maximum(cost, 1e-9)
    lead = np.zeros(len(wait))
    if priced.workload.is_job:
        each = np.array([lead_s(priced, offer) for offer in priced.offers], dtype=np.float64)
        lead = each[priced.placements.offer] if len(each) else lead
    own = {
        "cost": cost,
        "latency": wait,
        "risk": 1.0 + width,
        "simplicity": priced.placements.instances + 1.0,
        "carbon": carbon_kg(priced, question),
        "finish": wait + lead,
    }
    more = criteria_of_plans(others, question)
    return {name: np.concatenate([column, more[name]]) for name, column in own.items()}


def criteria_of_plans(plans: Sequence[Plan], question: Question) -> dict[str, Floats]:
    """The criteria of finished plans, one row a plan; an unknown figure is nan.

    Source: figures of the plans.
    """
    rows = [_of_plan(plan, question.horizon_months) for plan in plans]
    return {
        name: np.array([row[name] for row in rows], dtype=np.float64)
        for name in (*CRITERIA, "finish")
    }


def lead_s(priced: Priced, offer: OfferSpec) -> float:
    """Seconds until an offer's machines are there; 0 where nothing is on record.

    Source: the offer; for what is bought without a stated time the rate `lead_time/own`.
    """
    if offer.lead_time_weeks is not None:
        return float(offer.lead_time_weeks) * _WEEK_S
    rate = priced.rates.get(OWN_LEAD_TIME)
    return rate.value * _WEEK_S if offer.purchase == Purchase.BUY and rate is not None else 0.0


def _of_plan(plan: Plan, months: int) -> dict[str, float]:
    def known(name: str) -> float:
        value = plan.value(name)
        return np.nan if value is None else float(value)

    total, figure = known("total_cost_usd"), plan.figures.get("total_cost_usd")
    wide = (
        0.0
        if figure is None or figure.low is None or figure.high is None
        else (figure.high - figure.low) / max(total, 1e-9)
    )
    return {
        "cost": total,
        "latency": known("e2e_p99_s"),
        "risk": 1.0 + wide,
        "simplicity": plan.system_count + 1.0,
        "carbon": known("carbon_kg_month") * months,
        "finish": known("e2e_p99_s"),
    }


def keys(
    objective: Objective,
    criteria: Mapping[str, Floats],
    weights: Mapping[str, float],
    among: Bools | None = None,
) -> Floats:
    """What plans are put in order by under an objective, smallest first; unknown comes last.

    `among` are the rows that set the best of each criterion in a weighted balance; all where
    none is given.

    Source: `ranking.priority_score` for the weighted balance; the criteria themselves else.
    """
    if objective == Objective.WEIGHTED:
        found = priority_score({name: criteria[name] for name in CRITERIA}, weights, among)
    else:
        name = {Objective.LEAST_COST: "cost", Objective.BEST_SERVICE: "latency"}
        found = criteria[name.get(objective, "finish")]
    return np.where(np.isfinite(found), found, np.inf)


def terms_of(
    criteria: Mapping[str, Floats], weights: Mapping[str, float], among: Bools, row: int
) -> tuple[Term, ...]:
    """Each term of one row's weighted balance, with what a hundredth of it is worth in cost.

    With weights w the score is the sum of w x ln(value / best), so one hundredth less of a
    criterion makes up for w / w(cost) hundredths more cost.

    Source: derivative of the score.
    """
    shown = {name: criteria[name] for name in CRITERIA}
    terms, best = priority_terms(shown, weights, among)
    of_cost = weights.get("cost", 0.0)
    return tuple(
        Term(
            criterion=name,
            label=CRITERIA[name][0],
            unit=CRITERIA[name][1],
            weight=weights[name],
            value=float(shown[name][row]) if shown[name][row] > 0.0 else None,
            best=best[name],
            term=float(column[row]),
            cost_per_percent=weights[name] / of_cost if of_cost > 0.0 else None,
        )
        for name, column in terms.items()
    )


def told(objective: Objective, best: Plan, cheapest: Plan, *, job: bool) -> str:
    """Which objective decided, what the least cost would have been, and the difference.

    Source: figures of the two plans.
    """
    mine, least = best.value("total_cost_usd") or 0.0, cheapest.value("total_cost_usd") or 0.0
    if objective == Objective.LEAST_COST:
        return f"Decided by the least cost over the horizon: {money_text(mine)}."
    text = f"Decided by {WORDS[objective]}"
    if objective == Objective.TIME_TO_FINISH and not job:
        text = "Decided by the fastest answers: live traffic has no finish"
    if best.id == cheapest.id:
        return f"{text}; it is the plan of least cost too ({money_text(mine)})."
    return (
        f"{text}. Least cost would be {cheapest.name} at {money_text(least)}"
        f"{_against(best, cheapest)}; the plan recommended costs "
        f"{money_text(mine - least)} more over the horizon."
    )


def told_of_fleet(objective: Objective) -> str:
    """That the quick fleet of an answer is of least cost whatever was asked; "" where that was.

    Source: `fleet.answering.quick_fleet`, which minimises cost alone.
    """
    if objective == Objective.LEAST_COST:
        return ""
    return (
        "The fleet for all workloads together that stands here is the one of least cost that "
        f"keeps every target and limit; the Fleet page searches for what you asked for, "
        f"{WORDS[objective]}, and shows both."
    )


def _against(best: Plan, cheapest: Plan) -> str:
    for name, scale, what in (
        ("hours", SECONDS_PER_HOUR, "a run"),
        ("e2e_p99_s", 1.0, "for 99 of 100 answers"),
    ):
        mine, theirs = best.value(name), cheapest.value(name)
        if mine is not None and theirs is not None:
            return (
                f", {seconds_text(theirs * scale)} {what} instead of {seconds_text(mine * scale)}"
            )
    return ""
