"""The money of a plan with prefill and decode apart: both pools, bought in every way."""

from functools import cache

import pytest

from advisor.engine.money.pools import ways_of_pools
from advisor.engine.plan import Plan
from advisor.services.money import Money, Wishes, money_on
from advisor.tables import money_tables
from tests.engine.test_apart import answered, is_apart


@cache
def money() -> Money:
    return money_on(answered(), Wishes(plan=plan().id))


def plan() -> Plan:
    return next(plan for plan in answered().decisions[0].plans if is_apart(plan))


def test_its_total_and_range_are_those_of_the_answer() -> None:
    cost = plan().figures["total_cost_usd"]
    found = money().cost

    assert [float(each[0]) for each in (found.total_usd, found.low_usd, found.high_usd)] == (
        pytest.approx([cost.value, cost.low, cost.high], abs=0.02)
    )


def test_its_months_add_up_to_its_total() -> None:
    found = money()

    assert found.flow.total_usd.shape == (1, found.rules.horizon_months)
    assert float(found.flow.total_usd.sum()) == pytest.approx(float(found.cost.total_usd[0]))


def test_it_is_a_way_of_its_own_beside_the_others() -> None:
    found = money()
    kinds = [way.kind for way in found.ways]

    assert (kinds.count("apart"), found.ways[found.chosen].plan.id) == (1, plan().id)
    assert {"rent", "own"} <= set(kinds)


def test_where_no_plan_has_two_pools_none_is_missed() -> None:
    assert "apart" not in money_on(answered(allowed=False), Wishes()).missing


def test_the_cheapest_way_to_buy_both_pools_is_the_plan() -> None:
    best = money().pools[0]

    assert best.total_usd == pytest.approx(plan().value("total_cost_usd"), abs=0.02)
    assert best.total_usd == min(each.total_usd for each in money().pools)


def test_both_pools_can_be_rented_committed_and_owned_at_one_place() -> None:
    bought = {(each.prefill.value, each.decode.value) for each in money().pools}
    owned = [each for each in money().pools if "buy" in (each.prefill.value, each.decode.value)]

    assert ("on_demand", "on_demand") in bought
    assert all(each.prefill == each.decode and each.place == "on_prem" for each in owned)


def test_over_a_shorter_horizon_both_pools_cost_less() -> None:
    pair = answered().pairs[plan().id]
    short = money_on(answered(), Wishes(plan=plan().id, horizon_months=6))
    again = ways_of_pools(pair, answered().question, short.rules)

    assert short.pools == again
    assert short.pools[0].total_usd < money().pools[0].total_usd


def test_the_table_of_pools_says_what_each_costs_and_both() -> None:
    table = money_tables(money())["pools"]
    first = table.frame.iloc[0]

    assert first["Prefill, USD"] + first["Decode, USD"] == pytest.approx(first["Both, USD"])
    assert "prefill" in table.point
