"""Formula trees: the plan's figure at the root, and every formula worked out anew."""

from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest

from advisor.engine.calibration import shipped_calibration
from advisor.engine.choice.decision import decide
from advisor.engine.demand.question import question_of
from advisor.engine.errors import NotExplained
from advisor.engine.explain.plans import Explained, explain_figure
from advisor.engine.explain.reader import Reader
from advisor.engine.explain.terms import Term, Tree, usual_basis, worked_out
from advisor.engine.plan import Plan
from advisor.engine.queueing import waiting_time_quantile_s
from advisor.engine.search.river import Priced, price_workload, software_month
from advisor.questions import read_answers
from catalog.engine.shipped import shipped_snapshot
from costing.engine.rates import shipped_rates

PRESETS = {
    "serving": "chatbot_1m",
    "a mixture on many chips": "moe_frontier_serving",
    "training": "pretrain_7b",
    "vision": "vision_500_cameras",
    "recommenders": "ads_ranking_5k_rps",
}
FIGURES = {
    "serving": ("ttft_p99_s", "tpot_p99_s", "e2e_p50_s", "output_tokens_per_s", "users_at_slo"),
    "a mixture on many chips": ("tpot_p50_s", "requests_per_s"),
    "training": ("hours", "mfu", "step_time_s"),
    "vision": ("e2e_p99_s", "samples_per_s"),
    "recommenders": ("samples_per_s",),
}
CASES = [(kind, figure) for kind, figures in FIGURES.items() for figure in figures]


@cache
def best_of(kind: str) -> tuple[Plan, Priced]:
    snapshot = shipped_snapshot()
    answers = read_answers({"preset": PRESETS[kind], "answers": {}})
    question = question_of(answers, {model.slug: model for model in snapshot.models})
    priced = price_workload(
        question.workloads[0], question=question, snapshot=snapshot,
        calibration=shipped_calibration(), rates=shipped_rates(),
    )  # fmt: skip
    return decide(priced, question).plans[0], priced


@cache
def tree_of(kind: str, figure: str) -> Explained:
    snapshot = shipped_snapshot()
    plan, priced = best_of(kind)
    return explain_figure(
        plan, figure, priced, systems=snapshot.systems, calibration=shipped_calibration(),
        software_month=software_month(snapshot),
    )  # fmt: skip


def terms_of(term: Term) -> Iterator[Term]:
    yield term
    for child in term.children:
        yield from terms_of(child)


@pytest.mark.parametrize(("kind", "figure"), CASES)
def test_the_root_is_the_figure_of_the_plan(kind: str, figure: str) -> None:
    plan, _ = best_of(kind)

    # One case or many in a matrix product differ in the last bit, nothing else does.
    assert tree_of(kind, figure).term.value == pytest.approx(plan.value(figure), rel=1e-12)


@pytest.mark.parametrize(("kind", "figure"), CASES)
def test_each_term_is_its_formula_of_its_children(kind: str, figure: str) -> None:
    shown = [term for term in terms_of(tree_of(kind, figure).term) if term.formula]

    assert [
        (term.symbol, term.formula, term.value)
        for term in shown
        if not np.isclose(worked_out(term), term.value, rtol=1e-13, atol=0.0, equal_nan=True)
    ] == []


@pytest.mark.parametrize(("kind", "figure"), CASES)
def test_a_tree_goes_down_to_what_was_given(kind: str, figure: str) -> None:
    leaves = [
        term
        for term in terms_of(tree_of(kind, figure).term)
        if not term.children and not term.repeats
    ]

    assert {"calibrated", "list"} <= {leaf.evidence for leaf in leaves}


@pytest.mark.parametrize("kind", PRESETS)
def test_what_binds_takes_the_longest(kind: str) -> None:
    found = tree_of(kind, FIGURES[kind][0])

    assert found.spent_s[found.binding] == max(found.spent_s.values())


def test_a_parameter_names_the_groups_it_was_fitted_on() -> None:
    named = [
        term.source
        for term in terms_of(tree_of("serving", "tpot_p99_s").term)
        if term.symbol == "bandwidth" and term.evidence == "calibrated"
    ]

    assert named[0].startswith("planning default 0.7")


def test_a_learnt_correction_names_the_rows_most_alike() -> None:
    shift = next(t for t in terms_of(tree_of("training", "hours").term) if t.symbol == "shift")

    assert "most alike: trn-" in shift.source


def test_a_price_has_no_formula_here() -> None:
    with pytest.raises(NotExplained, match="not a figure of the performance model"):
        tree_of("serving", "power_kw")


def test_a_function_read_returns_what_it_returns_when_called() -> None:
    asked = {"quantile": 0.95, "arrivals_per_s": 9.0, "service_s": 0.1, "servers": 2.0}

    node = Reader().run(waiting_time_quantile_s, **asked)
    assert float(node.value) == float(waiting_time_quantile_s(**asked))


def test_a_term_met_again_is_not_unfolded_twice() -> None:
    node = Reader().run(
        waiting_time_quantile_s, quantile=0.95, arrivals_per_s=9.0, service_s=0.1, servers=2.0
    )

    terms = list(terms_of(Tree(usual_basis).term(node, "wait_s")))
    unfolded = [term.id for term in terms if term.children]
    assert len(unfolded) == len(set(unfolded))
