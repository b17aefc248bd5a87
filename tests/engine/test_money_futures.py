"""Plans of one answer in the same futures: seeded, fair, and open about what is not known."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from advisor.engine.money.futures import cases_of, futures_usd, too_close
from advisor.engine.plan import Plan
from advisor.services.advice import Worked
from costing.engine.cases import stacked, take
from costing.engine.chances import chances_cheaper
from costing.engine.tco import cost_breakdown
from tests.engine.money_samples import worked_chat

DRAWS = 500


@pytest.fixture(scope="module")
def chat() -> Worked:
    return worked_chat()


def with_cases(chat: Worked) -> list[Plan]:
    """The plans of one pool: two pools together have no cost case of their own."""
    return [plan for plan in chat.decisions[0].plans if plan.case is not None]


def chances_of(chat: Worked, plans: Sequence[Plan], *, seed: int = 1) -> np.ndarray:
    speeds = [plan.speed_range for plan in plans]
    rules = chat.priced[0].rules
    return chances_cheaper(
        futures_usd(
            stacked([cases_of(plan) for plan in plans]),
            speeds,
            rules,
            chat.rates,
            draws=DRAWS,
            seed=seed,
        )
    )


def chances(chat: Worked) -> np.ndarray:
    return chances_of(chat, with_cases(chat)[:6])


def test_a_plan_costs_again_what_the_answer_says(chat: Worked) -> None:
    plans = [plan for plan in with_cases(chat) if not plan.price_open]
    again = cost_breakdown(
        stacked([cases_of(plan) for plan in plans]), chat.priced[0].rules
    ).total_usd
    assert again.tolist() == [plan.value("total_cost_usd") for plan in plans]


def test_the_same_seed_gives_the_same_chances(chat: Worked) -> None:
    np.testing.assert_array_equal(chances(chat), chances(chat))


def test_of_two_plans_one_is_cheaper(chat: Worked) -> None:
    both = chances(chat)
    assert (both + both.T)[~np.eye(len(both), dtype=bool)] == pytest.approx(1.0, abs=0.01)


def test_a_plan_at_twice_the_price_is_hardly_ever_cheaper(chat: Worked) -> None:
    best = with_cases(chat)[0]
    assert best.case is not None
    dearer = replace(best, case=replace(best.case, usd_per_h=best.case.usd_per_h * 3.0))
    found = chances_of(chat, [best, dearer])
    assert found[0, 1] > 0.9


def test_a_plan_whose_price_is_open_has_no_chance_stated(chat: Worked) -> None:
    best = with_cases(chat)[0]
    assert best.case is not None
    unpriced = replace(best, case=replace(best.case, usd_per_h=best.case.usd_per_h * np.nan))
    found = chances_of(chat, [best, unpriced])
    assert np.isnan(found).all()


def test_even_odds_are_too_close_to_call() -> None:
    assert [too_close(chance) for chance in (0.1, 0.5, 0.9)] == [False, True, False]


def test_a_fleet_has_no_case_of_its_own(chat: Worked) -> None:
    fleet = replace(chat.decisions[0].plans[0], case=None)
    with pytest.raises(ValueError, match="cannot be costed again"):
        cases_of(fleet)


def test_rows_under_one_another_cost_what_they_cost_alone(chat: Worked) -> None:
    cases, rules = chat.priced[0].cases, chat.priced[0].rules
    parts = [take(cases, [0, 5]), take(cases, [3])]
    np.testing.assert_array_equal(
        cost_breakdown(stacked(parts), rules).total_usd,
        cost_breakdown(cases, rules).total_usd[[0, 5, 3]],
    )
