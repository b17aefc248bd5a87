"""The money of worked answers: the same totals as the answer, real turns, tables that add up."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

from advisor.engine.answers import InvalidAnswers
from advisor.engine.money.ways import KINDS, joined
from advisor.services.money import Money, NothingToCost, Wishes, money_on, read_wishes
from advisor.tables import Table, money_tables
from costing.engine.breakeven import Ways
from costing.engine.drivers import DRIVERS, OTHER
from costing.engine.tco import CARBON, CONTINGENCY, LABELS, TAX
from tests.engine.money_samples import worked_preset

CHAT, MOE, TUNING, ARTICLE = (
    "chatbot_1m",
    "moe_frontier_serving",
    "finetune_70b_4xh100_72h",
    "article_finetune_4xh100_72h",
)
A_LITTLE = 1e-6


@cache
def money(preset: str = CHAT, **wishes: object) -> Money:
    return money_on(worked_preset(preset), Wishes(**wishes))  # type: ignore[arg-type]


def tables(found: Money) -> dict[str, Table]:
    return dict(money_tables(found))


def cents(frame: pd.DataFrame, column: str) -> int:
    return int((frame[column] * 100).round().sum())


def winner(ways: Ways, found: Money) -> str:
    totals = ways.totals_usd(found.rules)
    return found.ways[int(np.nanargmin(totals))].kind


@pytest.mark.parametrize("preset", [CHAT, TUNING, ARTICLE, "startup_bursty_api"])
def test_without_wishes_the_total_is_that_of_the_answer(preset: str) -> None:
    found = money(preset)
    assert found.cost.total_usd[0] == found.plan.value("total_cost_usd")


@pytest.mark.parametrize(
    "wishes",
    [
        {},
        {"scenario": "rising"},
        {"scenario": "own", "price_change_pct": -35.0},
        {"horizon_months": 120.0, "growth_month_pct": 6.0},
        {"horizon_months": 1.0},
        {"growth_month_pct": -5.0, "scenario": "falling"},
        {"plan": "p2", "growth_month_pct": 8.0, "scenario": "falling"},
    ],
)
def test_the_months_add_up_to_the_total_to_the_cent(wishes: dict[str, object]) -> None:
    found = money(**wishes)
    frame = tables(found)["cash-flow"].frame
    assert cents(frame, "Total, USD") == round(float(found.cost.total_usd[0]) * 100)


def test_the_lines_of_a_month_add_up_to_it() -> None:
    frame = tables(money(plan="p2"))["cash-flow"].frame
    lines = [f"{label}, USD" for label in LABELS if f"{label}, USD" in frame]
    assert (frame[lines].sum(axis=1).round(2) == frame["Total, USD"]).all()


def test_at_rate_zero_the_present_value_is_the_total() -> None:
    found = money(discount_rate_pct=0.0)
    assert found.flow.present_usd[0] == found.cost.total_usd[0]


def test_the_articles_job_costs_what_it_says_for_a_training_run() -> None:
    frame = tables(money(ARTICLE))["summary"].frame.set_index("Figure")
    assert frame.loc["Cost of a training run", "Value, USD"] == 6_910.0


def test_the_cost_of_a_million_tokens_is_that_of_the_answer() -> None:
    found = money()
    frame = tables(found)["summary"].frame.set_index("Figure")
    told = found.plan.value("usd_per_million_output_tokens")
    assert frame.loc["Cost of a million output tokens", "Value, USD"] == pytest.approx(told)


def test_users_nobody_named_are_unknown_with_the_reason() -> None:
    frame = tables(money("startup_bursty_api"))["summary"].frame.set_index("Figure")
    row = frame.loc["Cost of a user a month"]
    assert (bool(pd.isna(row["Value, USD"])), row["How"]) == (
        True,
        "the answers name no number of users",
    )


def test_every_part_of_a_workload_has_its_money() -> None:
    done = worked_preset("eu_rag_onprem")
    plans = [decision.plans[0] for decision in done.decisions]
    told = [money("eu_rag_onprem", plan=plan.id).plan.id for plan in plans]
    assert told == [plan.id for plan in plans]


def test_a_plan_without_a_price_names_the_price_at_which_it_would_win() -> None:
    found = money("eu_rag_onprem", plan=open_plan("eu_rag_onprem"))
    turns = [turn for turn in found.curves["purchase_price"].turns if turn.before == found.chosen]
    assert (found.is_open, "below $" in tables(found)["summary"].point) == (True, bool(turns))


def open_plan(preset: str) -> str:
    plans = worked_preset(preset).decisions[0].plans
    return next(plan.id for plan in plans if plan.price_open and plan.meets_targets)


def test_several_workloads_add_up_month_by_month() -> None:
    frame = tables(money("mixed_company"))["together"].frame
    recommended = [each.recommended for each in worked_preset("mixed_company").decisions]
    told = sum(plan.value("total_cost_usd") or 0.0 for plan in recommended if plan is not None)
    assert cents(frame, "Total, USD") == round(told * 100)


def test_drivers_add_up_to_the_total() -> None:
    found = money()
    frame = tables(found)["drivers"].frame
    assert cents(frame, "Cost, USD") == round(float(found.cost.total_usd[0]) * 100)


def test_every_cost_line_has_its_driver() -> None:
    assert {label for label in LABELS if DRIVERS.get(label, OTHER) == OTHER} == {
        CARBON, TAX, CONTINGENCY,
    }  # fmt: skip


@pytest.mark.parametrize("preset", [CHAT, MOE, "fedramp_summarisation"])
def test_past_each_break_even_of_utilisation_another_way_wins(preset: str) -> None:
    found = money(preset)
    for turn in found.curves["utilisation"].turns:
        sides = [at_share(found, turn.at * (1.0 - A_LITTLE)), at_share(found, turn.at)]
        assert [winner(ways, found) for ways in sides] == [
            found.ways[turn.before].kind,
            found.ways[turn.after].kind,
        ]


def at_share(found: Money, share: float) -> Ways:
    """The ways with their machines needed in another share of the hours, costed from scratch."""
    more, cases = share / found.used, found.side_by_side.cases
    used = replace(
        cases,
        hours_per_month_needed=cases.hours_per_month_needed * more,
        utilisation=cases.utilisation * more,
        runs_per_month=cases.runs_per_month * more,
        egress_bytes_per_month=cases.egress_bytes_per_month * more,
        inter_region_usd_per_month=cases.inter_region_usd_per_month * more,
        tokens_usd_per_month=cases.tokens_usd_per_month * more,
        may_scale_down=np.ones(len(cases), dtype=bool),
    )
    return replace(found.side_by_side, cases=used)


@pytest.mark.parametrize("preset", [CHAT, MOE, "fedramp_summarisation"])
def test_past_each_break_even_horizon_another_way_wins(preset: str) -> None:
    found = money(preset)
    for turn in found.curves["horizon"].turns:
        months = (int(turn.at) - 1, int(turn.at))
        totals = [
            found.side_by_side.totals_usd(replace(found.rules, horizon_months=each))
            for each in months
        ]
        assert [int(np.nanargmin(each)) for each in totals] == [turn.before, turn.after]


@pytest.mark.parametrize("preset", [CHAT, MOE, "fedramp_summarisation"])
def test_past_each_break_even_rent_another_way_wins(preset: str) -> None:
    found = money(preset)
    rented = next(way for way in found.ways if way.kind == "rent")
    for turn in found.curves["rent_price"].turns:
        sides = []
        for usd in (turn.at * (1.0 - A_LITTLE), turn.at):
            ways = [
                replace(
                    way,
                    cases=replace(
                        way.cases,
                        usd_per_h=np.array(
                            [
                                usd * each if plan.id == rented.plan.id else now
                                for plan, now, each in zip(
                                    way.row_plans,
                                    way.cases.usd_per_h,
                                    way.cases.accelerators_per_instance,
                                    strict=True,
                                )
                            ]
                        ),
                    ),
                )
                for way in found.ways
            ]
            sides.append(winner(joined(ways), found))
        assert sides == [found.ways[turn.before].kind, found.ways[turn.after].kind]


def test_the_present_share_of_hours_costs_what_the_answer_says() -> None:
    found = money(TUNING)
    same = at_share(found, found.used).totals_usd(found.rules)
    assert same == pytest.approx(found.side_by_side.totals_usd(found.rules), nan_ok=True)


def test_where_nothing_turns_the_table_says_so() -> None:
    frame = tables(money("nightly_batch_scoring"))["break-even"].frame.set_index("Axis")
    assert frame.loc["Horizon", "Cheapest after"] == "no turn"


def test_a_missing_way_has_its_reason() -> None:
    found = money(TUNING)
    assert set(found.missing) == set(KINDS) - {way.kind for way in found.ways} - {"apart"}


def test_a_price_on_carbon_raises_the_cost_by_it() -> None:
    dear, free = money(carbon_price=100.0), money()
    tonnes = free.cost.carbon_kg[0] / 1_000.0
    on_top = 1.0 + free.rules.contingency_fraction
    more = dear.cost.total_usd[0] - free.cost.total_usd[0]
    assert more == pytest.approx(100.0 * tonnes * on_top, abs=0.02)


def test_a_way_with_an_unknown_part_has_unknown_emissions() -> None:
    frame = tables(money())["carbon"].frame.set_index("Way")
    mixed = frame.loc[[KINDS["own"], KINDS["hybrid"]], "Counted, kg CO2e"]
    assert mixed.isna().tolist() == [True, True]


def test_falling_prices_help_the_rented_way_more_than_the_bought_one() -> None:
    frame = tables(money())["scenarios"].frame
    rent, own = f"{KINDS['rent']}, USD", f"{KINDS['own']}, USD"
    assert frame[rent][1] / frame[rent][0] < frame[own][1] / frame[own][0] < 1.0


def test_the_middle_of_the_futures_lies_between_their_ends() -> None:
    frame = tables(money())["ranges"].frame
    assert ((frame["P10, USD"] < frame["P50, USD"]) & (frame["P50, USD"] < frame["P90, USD"])).all()


@pytest.mark.parametrize(
    ("typed", "pointer"),
    [
        ({"horizon_months": "0"}, "/horizon_months"),
        ({"horizon_months": "12.5"}, "/horizon_months"),
        ({"growth_month_pct": "lots"}, "/growth_month_pct"),
        ({"discount_rate_pct": "nan"}, "/discount_rate_pct"),
        ({"carbon_price": "-1"}, "/carbon_price"),
        ({"scenario": "boom"}, "/scenario"),
        ({"scenario": "own"}, "/price_change_pct"),
    ],
)
def test_a_wish_that_does_not_do_is_named(typed: dict[str, str], pointer: str) -> None:
    with pytest.raises(InvalidAnswers) as refused:
        read_wishes(typed)
    assert [each.pointer for each in refused.value.problems] == [pointer]


def test_a_plan_that_is_not_there_is_refused() -> None:
    with pytest.raises(InvalidAnswers, match="no plan 'p999'"):
        money(plan="p999")


def test_an_answer_without_plans_has_no_money() -> None:
    done = worked_preset(CHAT)
    with pytest.raises(NothingToCost):
        money_on(replace(done, decisions=(replace(done.decisions[0], plans=()),)), Wishes())
