"""Flip points, dominance, stability and doubt, over the shipped catalogue and by law."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.engine.answers import InvalidAnswers
from advisor.engine.calibration import shipped_calibration
from advisor.engine.choice.picks import named_picks
from advisor.engine.choice.ranking import pareto_front, undominated
from advisor.engine.reasons.change import Change, OfferPrice, change_of
from advisor.engine.reasons.flips import nearest_flip
from advisor.engine.reasons.outcome import Outcome, pick_of
from advisor.engine.reasons.stability import stability
from advisor.engine.search.formats import serving_formats
from advisor.questions import read_answers
from advisor.services.advice import worked
from advisor.services.reasons.constraints import constraints_of, prices_of_constraints
from advisor.services.reasons.document import quick
from advisor.services.reasons.flips import flip_of
from advisor.services.reasons.inputs import Input, inputs_of
from advisor.services.reasons.ranking import calls, doubts
from advisor.services.reasons.regret import regrets
from advisor.services.reasons.signing import before_signing
from advisor.services.reasons.targets import target_prices
from advisor.services.reasons.why_not import why_not
from advisor.services.whatif import Base, based_on, changed_answers, reworked, tried
from catalog.engine.shipped import shipped_snapshot
from costing.engine.rates import shipped_rates

CHAT, BURSTY, MIXED = "chatbot_1m", "startup_bursty_api", "mixed_company"
rows = st.lists(st.tuples(*[st.floats(1.0, 1e6, allow_nan=False)] * 4), min_size=1, max_size=25)


def silent(_: str, __: float) -> None:
    """No progress wanted."""


def answered(preset: str, **answers: Any) -> Base:
    raw = {"preset": preset, "answers": answers}
    done = worked(
        read_answers(raw),
        shipped_snapshot(),
        calibration=shipped_calibration(),
        rates=shipped_rates(),
    )
    return based_on(raw, done)


@cache
def of(preset: str) -> Base:
    return answered(preset)


def entry(base: Base, name: str) -> Input:
    return next(each for each in inputs_of(base) if each.id.startswith(name))


@given(st.floats(1.0, 100.0), st.floats(0.26, 3.9))
def test_a_flip_point_brackets_the_value_at_which_the_winner_changes(
    at: float, factor: float
) -> None:
    turn = at * factor
    found = nearest_flip(
        lambda value: (value < turn) == (at < turn), at=at, low=0.0, high=1e9, whole=False
    )

    if found is not None:
        low, high = sorted((found.holds_at, found.flips_at))
        assert low <= turn <= high * (1 + 1e-9)
        assert high / low < 1.006


@given(st.integers(1, 250), st.integers(1, 500))
def test_a_flip_point_of_whole_numbers_is_exact(at: int, turn: int) -> None:
    found = nearest_flip(
        lambda value: (value < turn) == (at < turn), at=at, low=1.0, high=1e6, whole=True
    )

    assert found is None or abs(found.flips_at - found.holds_at) == 1.0


def test_an_input_that_never_matters_has_no_flip_point() -> None:
    assert nearest_flip(lambda _: True, at=3.0, low=0.0, high=1e9, whole=False) is None


@pytest.mark.parametrize("question", ["horizon_months", "w1:slo_ttft_ms"])
def test_answering_a_flip_point_changes_the_winner_and_just_before_does_not(question: str) -> None:
    base = of(CHAT)
    asked = entry(base, question)
    flip = flip_of(base, asked)
    assert flip is not None

    held = answered(CHAT, **{asked.question: flip.holds_at}).outcome.picks
    turned = answered(CHAT, **{asked.question: flip.flips_at}).outcome.picks
    assert (held == base.outcome.picks, turned == base.outcome.picks) == (True, False)


def test_paying_more_than_the_flip_point_of_the_winners_price_makes_another_win() -> None:
    base = of(CHAT)
    flip = flip_of(base, entry(base, "price:"))
    pick = base.outcome.picks[0]
    assert flip is not None
    assert pick is not None

    offers = tuple(
        replace(offer, usd_per_h=offer.usd_per_h * flip.flips_at)
        if (offer.accelerator_slug, offer.provider) == (pick.accelerator, pick.provider)
        and offer.purchase.value == pick.purchase
        and offer.usd_per_h is not None
        else offer
        for offer in base.worked.snapshot.offers
    )
    done = worked(
        base.worked.answers,
        replace(base.worked.snapshot, offers=offers),
        calibration=base.worked.calibration,
        rates=base.worked.rates,
    )
    assert Outcome(decisions=done.decisions).picks != base.outcome.picks


def test_a_change_survives_json() -> None:
    change = Change(
        answers={"horizon_months": 12},
        workloads={0: {"headroom_pct": 10.0}},
        prices=(OfferPrice(accelerator="a", provider="b", purchase="spot", factor=1.5),),
        quotes={"x": 1.0},
        speeds={"y": 0.5},
        without_vendors=frozenset({"NVIDIA"}),
        supported=frozenset({("Google", "tensorflow")}),
    )

    assert change_of(change.as_dict()) == change


def test_no_change_is_the_run_itself() -> None:
    base = of(CHAT)

    assert tried(base, Change()).usd == base.outcome.usd


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        (Change(answers={"horizon_months": 0}), "/answers/horizon_months"),
        (Change(speeds={"no-such-part": 1.0}), "/speeds/no-such-part"),
        (Change(speeds={"nvidia-h100-sxm": 0.0}), "/speeds/nvidia-h100-sxm"),
        (Change(workloads={3: {}}), "/workloads/3"),
        (Change(rates={"no/such": 1.0}), "/rates/no/such"),
    ],
)
def test_a_change_that_is_none_says_where(change: Change, pointer: str) -> None:
    with pytest.raises(InvalidAnswers) as refused:
        tried(of(CHAT), change)

    assert [each.pointer for each in refused.value.problems] == [pointer]


def test_a_change_of_one_workload_leaves_the_others_as_they_were_worked() -> None:
    base = of(MIXED)
    change = entry(base, "w2:output_tokens_mean").change(300.0)

    changed = reworked(base, change)
    anew = answered(MIXED, **changed_answers(base, change)["answers"])

    assert changed.decisions[0] is base.worked.decisions[0]
    assert changed.decisions[1] is not base.worked.decisions[1]
    assert Outcome(decisions=changed.decisions).usd == anew.outcome.usd


def test_a_change_of_the_whole_assessment_works_every_workload_anew() -> None:
    base = of(MIXED)

    changed = reworked(base, Change(answers={"horizon_months": 24}))

    kept = zip(changed.decisions, base.worked.decisions, strict=True)
    assert not any(now is before for now, before in kept)


@pytest.mark.parametrize(
    "name", ["w1:users_total_k", "w1:slo_itl_ms", "w1:output_tokens_mean", "speed:"]
)
def test_what_is_kept_between_changes_gives_the_cost_of_a_run_without_it(name: str) -> None:
    base = answered(CHAT)
    change = entry(base, name).change(entry(base, name).at * 0.8)

    tried(base, entry(base, name).change(entry(base, name).at * 1.25))

    assert tried(base, change).usd == tried(answered(CHAT), change).usd


def test_a_search_that_ends_at_another_choice_is_not_worked_again_to_be_told() -> None:
    base = answered(CHAT)
    away = Change(without_providers=frozenset({base.outcome.plans[0].provider}))  # type: ignore[union-attr]

    assert tried(base, away) is tried(base, away)


def test_a_limit_that_leaves_no_part_at_all_is_no_error() -> None:
    base = answered(BURSTY, accel_families_allowed=["tpu"])

    assert tried(base, Change(answers={"lockin_tolerance": "avoid"})).plans[0] is not None


def test_the_price_of_a_constraint_is_the_difference_of_two_runs() -> None:
    base = of(BURSTY)
    found = {each["id"]: each for each in prices_of_constraints(base, progress=silent)}
    each = found["no_single_provider"]
    other = tried(base, Change(without_providers=frozenset({base.outcome.plans[0].provider})))  # type: ignore[union-attr]
    assert each["usd"] == pytest.approx(other.usd - base.outcome.usd)  # type: ignore[operator]


def test_staying_in_europe_costs_what_two_answers_differ_by() -> None:
    base = of(CHAT)
    eu = next(each for each in constraints_of(base) if each.id == "eu_only")
    countries = list(eu.other.answers["residency_countries"])

    inside = answered(CHAT, residency_countries=countries).outcome.usd
    assert tried(base, eu.other).usd == inside


def test_lifting_the_limit_that_a_why_not_names_makes_the_part_appear() -> None:
    base = of(BURSTY)
    lines = [
        line
        for workload in why_not(base, progress=silent)
        for family in workload["families"]
        for line in family["lines"]
        if line["appears"]
    ]
    parts = {part["name"] for line in lines for part in line["parts"]}
    appeared = set()
    for line in lines:
        outcome = tried(base, change_of(line["change"]))
        names = {plan.accelerator for plan in outcome.decisions[0].plans if plan.meets_targets}
        appeared |= names & {part["name"] for part in line["parts"]}

    assert parts
    assert appeared == parts


def test_every_rejected_part_is_in_the_why_not_once() -> None:
    base = of(BURSTY)
    told = [
        part["name"]
        for workload in why_not(base, progress=silent)
        for family in workload["families"]
        for line in family["lines"]
        for part in line["parts"]
    ]
    rejected = {each.accelerator for each in base.worked.decisions[0].rejected if each.accelerator}

    assert len(told) == len(set(told))
    assert rejected <= set(told)


def test_just_below_its_target_price_a_system_is_cheaper_than_the_pick_and_above_is_not() -> None:
    base = of("nightly_batch_scoring")
    found = [each for each in target_prices(base, progress=silent) if each["is_the_pick"]]
    assert found

    for each in found:
        below = tried(base, change_of(each["change"]))
        above = tried(base, change_of(each["change_above"]))
        assert below.usd is not None
        assert base.outcome.usd is not None
        assert below.usd < base.outcome.usd
        assert above.picks == base.outcome.picks


def test_regret_is_never_negative() -> None:
    assert all(each["usd"] is None or each["usd"] >= 0.0 for each in regrets(of(CHAT)))


@given(rows)
def test_no_plan_that_none_beats_is_beaten(table: list[tuple[float, ...]]) -> None:
    columns = np.array(table).T
    front = undominated(*columns)

    for row in np.flatnonzero(front):
        at_least = (columns <= columns[:, row : row + 1]).all(axis=0)
        better = (columns < columns[:, row : row + 1]).any(axis=0)
        assert not (at_least & better).any()


@given(rows)
def test_every_beaten_plan_is_beaten_by_one_that_none_beats(
    table: list[tuple[float, ...]],
) -> None:
    columns = np.array(table).T
    front = undominated(*columns)

    for row in np.flatnonzero(~front):
        at_least = (columns[:, front] <= columns[:, row : row + 1]).all(axis=0)
        assert at_least.any()


@given(rows)
def test_in_two_respects_the_front_is_the_pareto_front(table: list[tuple[float, ...]]) -> None:
    cost, wait = np.array(table).T[:2]

    assert (undominated(cost, wait) <= pareto_front(cost, wait)).all()


def test_an_unknown_figure_keeps_a_plan_off_the_front() -> None:
    assert undominated([1.0, np.nan], [1.0, 0.5]).tolist() == [True, False]


def test_the_five_picks_are_first_in_their_respect() -> None:
    base = of(CHAT)
    decision = base.worked.decisions[0]
    plans = {plan.id: plan for plan in decision.plans}
    picks = named_picks(decision.plans, base.worked.question.money)
    cheapest = min(
        plan.value("total_cost_usd") or np.inf
        for plan in decision.plans
        if plan.meets_targets and not plan.extra["not_recommended_because"]
    )

    assert set(picks) == {"cheapest", "fastest", "robust", "greenest", "simplest"}
    assert plans[picks["cheapest"]].value("total_cost_usd") == cheapest


def test_a_choice_without_rivals_is_perfectly_stable() -> None:
    base = of("article_finetune_4xh100_72h")
    found = stability(base.worked.priced[0], base.worked.question, pick_of(base.outcome.plans[0]))

    assert found is not None
    assert (found.pick, found.part, found.runner_up) == (1.0, 1.0, "")


def test_the_same_choice_is_never_more_stable_than_the_same_part() -> None:
    base = of(CHAT)
    found = stability(base.worked.priced[0], base.worked.question, pick_of(base.outcome.plans[0]))

    assert found is not None
    assert 0.0 < found.pick <= found.part <= 1.0


def test_below_four_in_five_it_is_too_close_to_call_and_the_decider_is_named() -> None:
    found = doubts(of(CHAT), 0)
    assert found is not None

    for call in calls(*found):
        assert call["too_close"] == (call["chance"] < 0.8)
        assert call["decider"]


def test_knowing_something_never_costs() -> None:
    found = doubts(of(CHAT), 0)
    assert found is not None

    assert all(each.worth_usd >= 0.0 for each in found[0].unknowns)
    assert all(0.0 <= each.narrows <= 1.0 for each in found[0].unknowns)


def test_before_signing_names_three_things_one_of_them_a_benchmark_of_the_plan() -> None:
    base = of(CHAT)
    found = doubts(base, 0)
    assert found is not None
    asked = before_signing(base, 0, found[0])

    assert len(asked) == 3
    commands = [command for each in asked for command in each["commands"]]
    assert any("bench" in command and "--request-rate" in command for command in commands)


def test_soft_criteria_are_facts_with_a_source_and_no_score() -> None:
    base = of(CHAT)
    told = quick(base)["workloads"][0]["soft"]

    assert {part["family"] for part in told} >= {"gpu", "tpu"}
    assert all(each["source"] for part in told for each in part["findings"])
    assert "Open compiler" in {each["topic"] for each in told[0]["findings"]}


def test_porting_of_custom_kernels_is_priced_in_person_weeks() -> None:
    base = answered(CHAT, custom_kernels="many", port_effort_ok_pm=12)
    told = {part["family"]: part for part in quick(base)["workloads"][0]["soft"]}
    porting = next(e for e in told["tpu"]["findings"] if e["topic"] == "Team and porting")

    assert "person-weeks" in porting["text"]
    assert porting["usd"] > 0.0


def test_formats_of_equal_width_are_tried_in_the_same_order_in_every_process() -> None:
    workload = of(CHAT).worked.question.workloads[0]
    assert workload.serving is not None
    part = next(p for p in of(CHAT).worked.snapshot.accelerators if p.slug == "amd-mi300x")

    tried_first = serving_formats(part, workload.serving, workload)
    assert tried_first.index("fp8") < tried_first.index("int8")
