"""A break-even point is where the winner changes, found out by costing both again."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from catalog.specs import Purchase
from costing.engine.breakeven import (
    Turn,
    Ways,
    by_horizon,
    by_purchase_price,
    by_rent,
    by_utilisation,
    turns_of,
    ways_of,
)
from costing.engine.cases import PURCHASES, CostCases, CostRules, cost_cases
from costing.engine.hybrid import hybrid
from costing.engine.quantities import instances_at
from costing.engine.tco import cost_breakdown, total_usd
from tests.engine.test_costing_tco import any_cases, any_rules

RULES = CostRules(horizon_months=36, residual_fraction=0.1, support_fraction_per_year=0.1)
GROWING = replace(RULES, growth_per_month=0.03)
A_LITTLE = 1e-6


def rented(usd_per_h: float = 30.0, hours: float = 730.0, instances: float = 1.0) -> CostCases:
    return cost_cases(
        1,
        purchase=PURCHASES.index(Purchase.ON_DEMAND),
        usd_per_h=usd_per_h,
        instances=instances,
        accelerators_per_instance=8.0,
        hours_per_month_needed=hours,
        may_scale_down=True,
    )


def reserved(usd_per_h: float = 21.0) -> CostCases:
    return cost_cases(
        1,
        purchase=PURCHASES.index(Purchase.RESERVED_1Y),
        usd_per_h=usd_per_h,
        accelerators_per_instance=8.0,
    )


def owned(hours: float = 730.0, instances: float = 1.0, capex_usd: float = 310_000.0) -> CostCases:
    return cost_cases(
        1,
        purchase=PURCHASES.index(Purchase.BUY),
        instances=instances,
        capex_usd_per_instance=capex_usd,
        power_w_per_instance=10_200.0,
        idle_power_fraction=0.3,
        utilisation=hours / 730.0,
        usd_per_kwh=0.12,
        pue=1.5,
        colocation=True,
        ops_fte=0.5,
    )


def cheapest(ways: Ways, rules: CostRules = RULES) -> int:
    return int(np.argmin(ways.totals_usd(rules)))


def at_hours(share: float) -> Ways:
    idle = replace(reserved(), may_scale_down=np.ones(1, dtype=bool))
    return ways_of([rented(hours=share * 730.0), idle, owned(hours=share * 730.0)])


def test_at_each_turn_of_utilisation_the_winner_changes() -> None:
    turns = by_utilisation(at_hours(1.0), RULES).turns
    assert [
        (cheapest(at_hours(turn.at * (1.0 - A_LITTLE))), cheapest(at_hours(turn.at)))
        for turn in turns
    ] == [(turn.before, turn.after) for turn in turns]


def test_at_the_present_share_of_hours_everything_costs_what_it_does() -> None:
    ways = at_hours(0.25)
    curve = by_utilisation(ways, RULES, now=0.25, points=100)
    assert curve.usd[np.isclose(curve.x, 0.25)] == pytest.approx(ways.totals_usd(RULES)[None, :])


def test_tokens_are_paid_for_the_work_that_is_done() -> None:
    api = cost_cases(
        1, purchase=PURCHASES.index(Purchase.HOSTED_TOKENS), tokens_usd_per_month=1_000.0
    )
    half = replace(reserved(usd_per_h=1.0), hours_per_month_needed=np.full(1, 365.0))
    [turn] = by_utilisation(ways_of([api, half]), RULES, now=0.5).turns
    # A month of the reserved machine costs 730 USD; the work of half the hours 1,000 USD.
    assert turn.at == pytest.approx(0.5 * 0.73, rel=1e-6)


def test_a_machine_too_slow_for_the_work_of_a_share_is_left_out() -> None:
    slow, quick = rented(usd_per_h=1.0, hours=200.0), rented(usd_per_h=10.0, hours=100.0)
    curve = by_utilisation(ways_of([quick, slow]), RULES, now=100.0 / 730.0)
    [turn] = curve.turns
    assert (turn.before, turn.after, round(turn.at, 6)) == (1, 0, 0.5)


def test_little_used_machines_are_rented_and_busy_ones_bought() -> None:
    turns = by_utilisation(ways_of([rented(), owned()]), RULES).turns
    assert [(turn.before, turn.after) for turn in turns] == [(0, 1)]


def test_a_third_way_may_be_the_cheapest_in_between() -> None:
    steps = turns_of(
        lambda x: np.stack([x, np.full(len(x), 0.5), 1.2 - x], axis=1), low=0.0, high=1.0
    )
    assert [(turn.before, turn.after, round(turn.at, 6)) for turn in steps] == [
        (0, 1, 0.5),
        (1, 2, 0.7),
    ]


def test_a_way_that_wins_within_one_cell_is_seen_between_its_neighbours() -> None:
    steps = turns_of(
        lambda x: np.stack([x, np.full(len(x), 0.5), 1.001 - x], axis=1), low=0.0, high=1.0
    )
    assert [turn.after for turn in steps][-1] == 2


def test_at_a_turn_of_the_rent_the_winner_changes() -> None:
    ways = ways_of([rented(), owned()])
    [turn] = by_rent(ways, RULES, rows=ways.way == 0, highest_usd_per_h=20.0).turns
    prices = (turn.at * (1.0 - A_LITTLE), turn.at)
    assert [cheapest(ways_of([rented(usd_per_h=8.0 * usd), owned()])) for usd in prices] == [0, 1]


def test_at_a_turn_of_the_purchase_price_the_winner_changes() -> None:
    ways = ways_of([rented(), owned()])
    [turn] = by_purchase_price(ways, RULES, rows=ways.way == 1, highest_usd=2e6).turns
    prices = (turn.at * (1.0 - A_LITTLE), turn.at)
    assert [cheapest(ways_of([rented(), owned(capex_usd=usd)])) for usd in prices] == [1, 0]


def test_the_price_below_which_a_quote_wins_is_known_before_it_comes() -> None:
    ways = ways_of([rented(), owned(capex_usd=np.nan)])
    [turn] = by_purchase_price(ways, RULES, rows=ways.way == 1, highest_usd=2e6).turns
    assert cheapest(ways_of([rented(), owned(capex_usd=turn.at * (1.0 - A_LITTLE))])) == 1


def test_at_each_turn_of_the_horizon_the_winner_changes() -> None:
    ways = ways_of([rented(), reserved(), owned()])
    turns = by_horizon(ways, RULES).turns
    runs = [
        [cheapest(ways, replace(RULES, horizon_months=int(turn.at) + step)) for step in (-1, 0)]
        for turn in turns
    ]
    assert runs == [[turn.before, turn.after] for turn in turns]


def test_owning_pays_only_over_a_long_horizon() -> None:
    [turn] = by_horizon(ways_of([rented(), owned()]), RULES).turns
    assert (turn.before, turn.after) == (0, 1)


def test_where_one_is_always_cheaper_nothing_turns() -> None:
    ways = ways_of([rented(usd_per_h=1_000.0), rented(usd_per_h=1.0)])
    assert by_utilisation(ways, RULES).turns == ()


def test_an_open_price_never_wins() -> None:
    ways = ways_of([rented(usd_per_h=np.nan), owned()])
    assert by_horizon(ways, RULES).turns == ()


def test_a_jump_is_a_turn_too() -> None:
    [turn] = turns_of(
        lambda x: np.stack([np.where(x < 0.3217, 0.0, 3.0), np.ones(len(x))], axis=1),
        low=0.0,
        high=1.0,
    )
    assert turn == Turn(at=turn.at, before=0, after=1)
    assert turn.at == pytest.approx(0.3217, abs=1e-9)


@settings(max_examples=40)
@given(any_cases(), any_cases(), any_rules())
def test_whatever_is_compared_the_winner_changes_at_each_turn(
    first: CostCases, second: CostCases, rules: CostRules
) -> None:
    always = [replace(each, hours_per_month_needed=np.full(1, 730.0)) for each in (first, second)]
    ways = ways_of(always)
    curve = by_utilisation(ways, rules)

    def costs(share: float) -> list[float]:
        used = replace(
            ways.cases,
            hours_per_month_needed=np.full(2, share * 730.0),
            utilisation=ways.cases.utilisation * share,
            runs_per_month=ways.cases.runs_per_month * share,
            egress_bytes_per_month=ways.cases.egress_bytes_per_month * share,
            inter_region_usd_per_month=ways.cases.inter_region_usd_per_month * share,
            tokens_usd_per_month=ways.cases.tokens_usd_per_month * share,
            may_scale_down=np.ones(2, dtype=bool),
        )
        return [float(usd) for usd in total_usd(used, rules)]

    for turn in curve.turns:
        before, after = costs(turn.at * (1.0 - A_LITTLE)), costs(turn.at)
        # Lines are rounded to cents, so two nearly equal costs may differ by a few of them.
        assert before[turn.before] <= before[turn.after] + 0.2
        assert after[turn.after] <= after[turn.before] + 0.2


@settings(max_examples=40)
@given(any_cases(), any_rules())
def test_the_total_alone_is_that_of_the_breakdown(cases: CostCases, rules: CostRules) -> None:
    whole = cost_breakdown(cases, rules).total_usd
    assert total_usd(cases, rules) == pytest.approx(whole, abs=0.02, rel=1e-12)


def parts(rules: CostRules = GROWING) -> CostCases:
    both = hybrid(owned(instances=10.0), rented(instances=10.0), rules)
    assert both is not None
    return both.cases


def test_a_hybrid_has_the_machines_of_the_load_at_any_demand() -> None:
    demand = np.array([1.0, 1.1, 1.55, 3.0])
    assert instances_at(parts(), demand).sum(axis=1).tolist() == [10.0, 11.0, 16.0, 30.0]


@pytest.mark.parametrize(("usd_per_h", "share"), [(5.0, 0.1), (60.0, 1.0)])
def test_the_dearer_the_rent_the_more_a_hybrid_owns(usd_per_h: float, share: float) -> None:
    both = hybrid(owned(instances=10.0), rented(usd_per_h=usd_per_h, instances=10.0), GROWING)
    assert both is not None
    assert both.owned_share == share


def test_a_hybrid_keeps_and_sends_the_bytes_of_the_whole_once() -> None:
    whole = replace(rented(instances=10.0), storage_bytes=np.full(1, 8e12))
    both = hybrid(replace(owned(instances=10.0), storage_bytes=np.full(1, 8e12)), whole, GROWING)
    assert both is not None
    assert both.cases.storage_bytes.sum() == 8e12


def test_without_growth_there_is_no_hybrid() -> None:
    assert hybrid(owned(), rented(), RULES) is None


def test_a_hybrid_of_an_open_price_is_not_offered() -> None:
    assert hybrid(owned(capex_usd=np.nan), rented(), GROWING) is None
