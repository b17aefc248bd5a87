"""Which objective decided, each term of it, and the least cost beside it, as JSON carries them."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from advisor.engine.choice.decision import Decision, Verdict
from advisor.engine.choice.objectives import WORDS, Term, objective_of, told_of_fleet
from advisor.engine.plan import Plan
from advisor.engine.workload import Question


def objective_document(question: Question, decisions: Sequence[Decision]) -> dict[str, Any]:
    """The objective of an assessment and what it chose for each workload that has a plan."""
    objective = objective_of(question)
    return {
        "kind": objective.value,
        "words": WORDS[objective],
        "budget_usd": question.money.budget_total_usd,
        "budget_month_usd": question.money.budget_month_usd,
        "of_fleet": told_of_fleet(objective) if len(decisions) > 1 else "",
        "choices": [
            _choice(decision.workload, decision.verdict)
            for decision in decisions
            if decision.verdict is not None
            and decision.recommended is not None
            and decision.recommended.id == decision.verdict.recommended.id
        ],
    }


def _choice(workload: str, said: Verdict) -> dict[str, Any]:
    return {
        "workload": workload,
        "sentence": said.sentence,
        "recommended": _weighed(said.recommended, said.terms),
        "least_cost": _weighed(said.least_cost, said.terms_of_least_cost),
        "more_usd": said.more_usd,
    }


def _weighed(plan: Plan, terms: Sequence[Term]) -> dict[str, Any]:
    return {
        "plan": plan.id,
        "name": plan.name,
        "total_cost_usd": plan.value("total_cost_usd"),
        "hours": plan.value("hours"),
        "e2e_p99_s": plan.value("e2e_p99_s"),
        "score": round(sum(term.term for term in terms), 6) if terms else None,
        "terms": [asdict(term) for term in terms],
    }
