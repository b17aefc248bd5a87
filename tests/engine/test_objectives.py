"""What decides on a plan: cost, service, finish or a balance whose every term is shown."""

from functools import cache
from typing import Any

import numpy as np
import pytest

from advisor.engine.calibration import shipped_calibration
from advisor.engine.choice.decision import Verdict
from advisor.engine.choice.objectives import Objective, criteria_of
from advisor.questions import read_answers
from advisor.services.advice import Worked, document_of, worked
from catalog.engine.shipped import shipped_snapshot
from costing.engine.rates import shipped_rates

RICH, TIGHT = 40_000_000, 400_000


@cache
def work_of(preset: str, **answers: Any) -> Worked:
    return worked(
        read_answers({"preset": preset, "answers": answers}),
        shipped_snapshot(),
        calibration=shipped_calibration(),
        rates=shipped_rates(),
    )


def verdict(preset: str, **answers: Any) -> Verdict:
    found = work_of(preset, **answers).decisions[0].verdict
    assert found is not None
    return found


def chat(solve_for: str, budget: float = RICH, **answers: Any) -> Verdict:
    return verdict("chatbot_1m", solve_for=solve_for, budget_total=budget, **answers)


def test_the_best_service_answers_no_slower_than_the_least_cost() -> None:
    said = chat("best_for_budget")
    assert (said.recommended.value("e2e_p99_s") or np.inf) <= (
        said.least_cost.value("e2e_p99_s") or np.inf
    )


def test_the_best_service_is_the_fastest_of_all_within_the_budget() -> None:
    done = work_of("chatbot_1m", solve_for="best_for_budget", budget_total=RICH)
    fit = [
        plan.value("e2e_p99_s") or np.inf
        for plan in done.decisions[0].plans
        if plan.meets_targets
        and not plan.extra.get("not_recommended_because")
        and (plan.value("total_cost_usd") or np.inf) <= RICH
    ]
    best = done.decisions[0].recommended
    assert best is not None
    assert best.value("e2e_p99_s") == min(fit)


def test_the_plan_keeps_the_budget() -> None:
    least = chat("min_cost").recommended.value("total_cost_usd") or 0.0
    said = chat("best_for_budget", budget=1.05 * least)
    assert (said.recommended.value("total_cost_usd") or np.inf) <= 1.05 * least


def test_more_budget_never_answers_slower() -> None:
    least = chat("min_cost").recommended.value("total_cost_usd") or 0.0
    waits = [
        chat("best_for_budget", budget=more * least).recommended.value("e2e_p99_s") or np.inf
        for more in (1.01, 1.3, 2.0, 4.0)
    ]
    assert waits == sorted(waits, reverse=True)


def test_the_least_cost_is_told_beside_with_the_difference_in_money() -> None:
    said = chat("best_for_budget")
    mine, least = (
        plan.value("total_cost_usd") or 0.0 for plan in (said.recommended, said.least_cost)
    )
    assert said.more_usd == round(mine - least, 2) > 0.0
    assert f"{mine - least:,.0f} USD more" in said.sentence


def test_the_least_cost_beside_an_objective_is_what_least_cost_recommends() -> None:
    asked = chat("best_for_budget").least_cost
    plain = chat("min_cost").recommended
    assert asked.value("total_cost_usd") == plain.value("total_cost_usd")


def test_the_earliest_finish_counts_the_delivery_of_what_is_bought() -> None:
    done = work_of("pretrain_7b", solve_for="min_time", budget_total=RICH)
    found = criteria_of(done.priced[0], done.question)
    bought = np.array([
        done.priced[0].offers[int(offer)].purchase == "buy"
        for offer in done.priced[0].placements.offer
    ])  # fmt: skip
    assert bought.any()
    assert (found["finish"][bought] > found["latency"][bought]).all()


def test_the_earliest_finish_is_no_later_than_that_of_the_least_cost() -> None:
    said = verdict("pretrain_7b", solve_for="min_time", budget_total=RICH)
    assert said.objective == Objective.TIME_TO_FINISH
    assert (said.recommended.value("hours") or np.inf) <= (said.least_cost.value("hours") or 0.0)


def test_live_traffic_without_a_finish_is_told_so() -> None:
    assert "no finish" in chat("min_time").sentence


def test_the_terms_of_the_balance_add_up_and_beat_the_least_cost() -> None:
    said = chat("weighted", weight_latency=60)
    mine, least = (
        sum(term.term for term in terms) for terms in (said.terms, said.terms_of_least_cost)
    )
    assert mine <= least


def test_each_term_is_its_weight_times_the_logarithm_of_its_ratio() -> None:
    for term in chat("weighted").terms:
        if term.value is not None:
            assert term.term == pytest.approx(term.weight * np.log(term.value / term.best))


def test_a_balance_with_separate_pools_is_weighed_over_all_plans() -> None:
    done = work_of("chatbot_1m", solve_for="weighted", weight_latency=60, disagg_allowed=True)
    decision = done.decisions[0]
    fit = [plan for plan in decision.plans
           if plan.meets_targets and not plan.extra.get("not_recommended_because")]  # fmt: skip
    assert decision.verdict is not None
    best = {term.criterion: term.best for term in decision.verdict.terms}

    assert any(plan.pool_cases for plan in fit)
    assert best["cost"] == min(plan.value("total_cost_usd") or np.inf for plan in fit)
    assert best["latency"] == min(plan.value("e2e_p99_s") or np.inf for plan in fit)


def test_all_weight_on_cost_is_the_least_cost() -> None:
    weights = dict.fromkeys(
        ("weight_latency", "weight_risk", "weight_simplicity", "weight_carbon"), 0
    )
    said = chat("weighted", **weights)
    assert said.recommended.id == said.least_cost.id


def test_the_answer_says_first_what_decided() -> None:
    done = work_of("chatbot_1m", solve_for="best_for_budget", budget_total=RICH)
    document = document_of(done)
    assert document["why"][0] == document["objective"]["choices"][0]["sentence"]
    assert document["objective"]["kind"] == "best_service_for_budget"


def test_a_budget_below_everything_is_refused_with_the_least_cost() -> None:
    done = work_of("chatbot_1m", solve_for="best_for_budget", budget_total=100)
    assert done.decisions[0].recommended is None
    assert "your limit is 100 USD" in done.decisions[0].refusal


def test_a_fleet_says_that_it_is_of_least_cost_whatever_was_asked() -> None:
    document = document_of(work_of("mixed_company", solve_for="weighted"))
    note = document["objective"]["of_fleet"]
    assert ("least cost" in note, document["why"][0]) == (True, note)


def test_the_fleet_is_the_same_whatever_was_asked() -> None:
    costs = {
        document_of(work_of("mixed_company", solve_for=asked))["recommendation"]["total_cost_usd"][
            "value"
        ]
        for asked in ("min_cost", "weighted")
    }
    assert len(costs) == 1


def test_a_fleet_asked_for_at_least_cost_needs_no_such_note() -> None:
    assert document_of(work_of("mixed_company"))["objective"]["of_fleet"] == ""


def test_a_cheaper_plan_that_may_be_used_is_not_called_unusable() -> None:
    why = document_of(work_of("pretrain_7b", solve_for="min_time", budget_total=RICH))["why"]
    assert ("does not win by the earliest finish" in why[1], "breaks a limit" in why[1]) == (
        True,
        False,
    )


def test_times_are_told_in_units_people_use() -> None:
    assert "e+" not in chat("best_for_budget").sentence
