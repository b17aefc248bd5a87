"""Every line of a cost breakdown, and the laws that hold between them."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.specs import Purchase
from catalog.units import TERA
from costing.engine.cases import PURCHASES, CostCases, CostRules, cost_cases, take
from costing.engine.tco import cost_breakdown


def index(kind: Purchase) -> int:
    return PURCHASES.index(kind)


def rent(**columns: Any) -> CostCases:
    return cost_cases(1, **({"purchase": index(Purchase.ON_DEMAND), "usd_per_h": 10.0} | columns))


def own(**columns: Any) -> CostCases:
    return cost_cases(
        1, **({"purchase": index(Purchase.BUY), "capex_usd_per_instance": 300_000.0} | columns)
    )


def total(cases: CostCases, rules: CostRules) -> float:
    return float(cost_breakdown(cases, rules).total_usd[0])


def test_the_articles_job_costs_6910_usd_in_four_lines() -> None:
    cases = cost_cases(
        1,
        purchase=index(Purchase.ON_DEMAND),
        instances=1.0,
        accelerators_per_instance=4.0,
        hours_per_month_needed=72.0,
        runs_per_month=1.0,
        may_scale_down=True,
        storage_bytes=TERA,
        egress_bytes_per_month=TERA,
    )
    rules = CostRules(
        horizon_months=1,
        usd_per_accelerator_h=20.0,
        storage_usd_per_byte_month=150.0 / TERA,
        egress_usd_per_month=200.0,
        engineering_usd_per_run=800.0,
    )
    cost = cost_breakdown(cases, rules)
    lines = {label: float(line[0]) for label, line in cost.lines.items() if line[0] != 0.0}
    assert (lines, float(cost.total_usd[0])) == (
        {
            "Compute rental": 4 * 72 * 20.0,
            "Storage": 150.0,
            "Network egress": 200.0,
            "Engineering and operations": 800.0,
        },
        6_910.0,
    )


amount = st.floats(0.0, 1e6)
share = st.floats(0.0, 1.0)


@st.composite
def any_cases(draw: st.DrawFn) -> CostCases:
    instances = draw(st.integers(1, 200))
    return cost_cases(
        1,
        purchase=draw(st.integers(0, len(PURCHASES) - 1)),
        instances=instances,
        instances_exact=instances - draw(st.floats(0.0, 0.99)),
        accelerators_per_instance=draw(st.sampled_from([1, 4, 8, 72])),
        usd_per_h=draw(st.floats(0.01, 1_000.0)),
        capex_usd_per_instance=draw(amount),
        tokens_usd_per_month=draw(amount),
        hours_per_month_needed=draw(st.floats(0.0, 730.0)),
        runs_per_month=draw(st.sampled_from([0.0, 1.0, 30.0])),
        may_scale_down=draw(st.booleans()),
        utilisation=draw(share),
        colocation=draw(st.booleans()),
        is_liquid=draw(st.booleans()),
        power_w_per_instance=draw(st.floats(0.0, 150_000.0)),
        idle_power_fraction=draw(share),
        usd_per_kwh=draw(share),
        pue=1.0 + draw(share),
        grid_g_per_kwh=draw(st.floats(0.0, 900.0)),
        storage_bytes=draw(st.floats(0.0, 1e15)),
        ops_fte=draw(share),
        porting_weeks=draw(st.floats(0.0, 50.0)),
        spans_instances=draw(st.booleans()),
        grows=draw(st.booleans()),
        instance_step=draw(st.sampled_from([1.0, 2.0])),
        minimum_months=draw(st.sampled_from([0.0, 0.0, 24.0])),
        inter_region_usd_per_month=draw(st.sampled_from([0.0, 100.0])),
    )


@st.composite
def any_rules(draw: st.DrawFn) -> CostRules:
    return CostRules(
        horizon_months=draw(st.integers(1, 120)),
        growth_per_month=draw(st.floats(-0.05, 0.1)),
        growth_stops_month=draw(st.integers(0, 120)),
        discount_rate=draw(st.floats(0.0, 0.3)),
        residual_fraction=draw(share),
        support_fraction_per_year=draw(st.floats(0.0, 0.2)),
        contingency_fraction=draw(st.floats(0.0, 0.3)),
        price_change_per_year=draw(st.sampled_from([0.0, -0.2, 0.3])),
        spot_price_factor=draw(st.sampled_from([1.0, 0.75])),
        software_usd_per_accelerator_year=draw(st.floats(0.0, 5_000.0)),
        carbon_usd_per_tonne=draw(st.floats(0.0, 200.0)),
        colocation_usd_per_kw_month=draw(st.floats(0.0, 300.0)),
        installation_fraction=draw(st.floats(0.0, 0.2)),
        fabric_usd_per_accelerator=((16.0, 810.0), (1_024.0, 4_250.0)),
        storage_usd_per_byte_month=draw(st.sampled_from([None, 20.0 / TERA])),
        financing=draw(st.sampled_from(["cash", "loan", "lease"])),
        financing_rate=draw(st.floats(0.0, 0.2)),
        monitoring_usd_per_instance_month=draw(st.sampled_from([0.0, 15.0])),
    )


@settings(deadline=None)
@given(any_cases(), any_rules())
def test_the_lines_add_up_to_the_total_to_the_cent(cases: CostCases, rules: CostRules) -> None:
    cost = cost_breakdown(cases, rules)
    cents = sum(round(float(line[0]) * 100) for line in cost.lines.values())
    assert cents == round(float(cost.total_usd[0]) * 100)


@settings(deadline=None)
@given(any_cases(), any_rules())
def test_at_rate_zero_the_present_value_is_the_sum(cases: CostCases, rules: CostRules) -> None:
    free = CostRules(
        horizon_months=rules.horizon_months,
        growth_per_month=rules.growth_per_month,
        residual_fraction=rules.residual_fraction,
    )
    cost = cost_breakdown(cases, free)
    assert cost.present_usd[0] == pytest.approx(cost.total_usd[0], abs=0.2, rel=1e-12)


@settings(deadline=None)
@given(any_cases(), any_rules())
def test_doubling_a_price_never_lowers_the_cost(cases: CostCases, rules: CostRules) -> None:
    doubled = {
        "usd_per_h": cases.usd_per_h * 2,
        "capex_usd_per_instance": cases.capex_usd_per_instance * 2,
        "tokens_usd_per_month": cases.tokens_usd_per_month * 2,
        "usd_per_kwh": cases.usd_per_kwh * 2,
    }
    columns = {
        name: getattr(cases, name)
        for name in cases.__dataclass_fields__
        if isinstance(getattr(cases, name), np.ndarray)
    }
    assert total(cost_cases(1, **(columns | doubled)), rules) >= total(cases, rules)


@settings(deadline=None)
@given(st.floats(0.0, 700.0), st.floats(0.0, 30.0))
def test_more_hours_never_cost_less(hours: float, more: float) -> None:
    few = rent(hours_per_month_needed=hours, may_scale_down=True)
    many = rent(hours_per_month_needed=hours + more, may_scale_down=True)
    assert total(many, CostRules()) >= total(few, CostRules())


@settings(deadline=None)
@given(any_cases(), any_rules())
def test_the_range_holds_the_value(cases: CostCases, rules: CostRules) -> None:
    cost = cost_breakdown(cases, rules)
    assert cost.low_usd[0] <= cost.total_usd[0] <= cost.high_usd[0]


@settings(deadline=None)
@given(any_cases(), any_rules())
def test_a_row_costs_the_same_alone_and_in_a_crowd(cases: CostCases, rules: CostRules) -> None:
    crowd = take(cases, np.zeros(50, dtype=int))
    assert (cost_breakdown(crowd, rules).total_usd == total(cases, rules)).all()


def test_a_commitment_is_paid_for_idle_hours_too() -> None:
    reserved = rent(
        purchase=index(Purchase.RESERVED_1Y), hours_per_month_needed=100.0, may_scale_down=True
    )
    assert total(reserved, CostRules(horizon_months=12)) == 12 * 730 * 10.0


def test_on_demand_pays_the_hours_needed_where_it_may_be_switched_off() -> None:
    elastic = rent(hours_per_month_needed=100.0, may_scale_down=True)
    assert total(elastic, CostRules(horizon_months=12)) == 12 * 100 * 10.0


def test_on_demand_pays_all_hours_where_it_may_not_be_switched_off() -> None:
    steady = rent(hours_per_month_needed=100.0)
    assert total(steady, CostRules(horizon_months=12)) == 12 * 730 * 10.0


def test_a_term_that_outlasts_the_horizon_is_paid_to_its_end() -> None:
    cost = cost_breakdown(rent(purchase=index(Purchase.RESERVED_3Y)), CostRules(horizon_months=12))
    assert cost.lines["Commitment after the horizon"][0] == 24 * 730 * 10.0


def test_a_capacity_block_is_booked_in_whole_days() -> None:
    block = rent(
        purchase=index(Purchase.CAPACITY_BLOCK), hours_per_month_needed=73.0, runs_per_month=1.0
    )
    assert total(block, CostRules(horizon_months=1)) == 4 * 24 * 10.0


def test_spot_pays_for_repeated_work_and_for_its_fallback() -> None:
    spot = rent(
        purchase=index(Purchase.SPOT),
        usd_per_h=4.0,
        fallback_usd_per_h=10.0,
        fallback_fraction=0.1,
        overhead_fraction=0.05,
    )
    assert total(spot, CostRules(horizon_months=1)) == pytest.approx(
        730 * 1.05 * (0.9 * 4.0 + 0.1 * 10.0), abs=0.005
    )


def test_growth_adds_whole_instances_when_they_are_needed() -> None:
    growing = rent(instances=2.0, instances_exact=1.5)
    rules = CostRules(horizon_months=3, growth_per_month=0.5)
    # 1.5, 2.25 and 3.375 instances of load: 2 + 3 + 4 instance-months
    assert total(growing, rules) == (2 + 3 + 4) * 730 * 10.0


def test_what_is_bought_stays_when_demand_falls() -> None:
    rules = CostRules(horizon_months=3, growth_per_month=-0.5)
    assert total(own(instances=4.0), rules) == 4 * 300_000.0


def test_what_is_rented_by_the_hour_follows_a_falling_demand() -> None:
    rules = CostRules(horizon_months=3, growth_per_month=-0.5)
    assert total(rent(instances=4.0), rules) == (4 + 2 + 1) * 730 * 10.0


def test_owning_pays_power_cooling_and_space_at_its_load() -> None:
    cases = own(
        power_w_per_instance=10_000.0,
        idle_power_fraction=0.4,
        utilisation=0.5,
        usd_per_kwh=0.10,
        pue=1.5,
        colocation=True,
    )
    cost = cost_breakdown(cases, CostRules(horizon_months=1, colocation_usd_per_kw_month=200.0))
    it_usd = 10 * 730 * (0.5 + 0.5 * 0.4) * 0.10
    assert [
        float(cost.lines[label][0])
        for label in ("Power", "Cooling and facility (PUE)", "Colocation or space")
    ] == pytest.approx([it_usd, it_usd / 2, 2_000.0])


def test_residual_value_is_taken_off_at_the_end() -> None:
    cost = cost_breakdown(own(), CostRules(horizon_months=36, residual_fraction=0.1))
    assert cost.lines["Residual value"][0] == pytest.approx(-30_000.0)


def test_an_open_price_leaves_the_total_open_and_the_rest_known() -> None:
    cost = cost_breakdown(own(capex_usd_per_instance=np.nan, ops_fte=1.0), CostRules())
    assert (bool(cost.price_open[0]), float(cost.known_usd[0])) == (True, 450_000.0)


def test_a_rented_instance_has_no_open_purchase_price() -> None:
    assert not cost_breakdown(rent(), CostRules()).price_open[0]


def test_no_line_of_a_rented_instance_is_for_the_buyers_room() -> None:
    cases = rent(power_w_per_instance=10_000.0, usd_per_kwh=0.1, pue=1.2)
    cost = cost_breakdown(cases, CostRules(colocation_usd_per_kw_month=200.0))
    assert cost.lines["Power"][0] + cost.lines["Colocation or space"][0] == 0.0


def test_a_misspelt_column_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match="usd_per_hour"):
        cost_cases(1, usd_per_hour=1.0)


def test_what_stands_by_stays_beside_a_growing_load() -> None:
    # Three for the load and one in reserve; twice the load takes six and one.
    growing = rent(instances=4.0, instances_exact=3.0)
    rules = CostRules(horizon_months=2, growth_per_month=1.0)
    assert total(growing, rules) == (4 + 7) * 730 * 10.0


def test_replicas_of_several_instances_grow_by_whole_replicas() -> None:
    growing = rent(instances=4.0, instance_step=4.0)
    rules = CostRules(horizon_months=2, growth_per_month=0.1)
    assert total(growing, rules) == (4 + 8) * 730 * 10.0


def test_a_later_commitment_runs_on_longer_after_the_horizon() -> None:
    growing = rent(purchase=index(Purchase.RESERVED_1Y), instances=1.0)
    rules = CostRules(horizon_months=12, growth_per_month=0.1, growth_stops_month=1)
    # The second instance starts in the second month, and its year ends a month too late.
    cost = cost_breakdown(growing, rules)
    assert cost.lines["Commitment after the horizon"][0] == 1 * 730 * 10.0


def test_the_range_of_a_sum_is_narrower_than_the_sum_of_the_ranges() -> None:
    cases = own(power_w_per_instance=10_000.0, usd_per_kwh=1.0, ops_fte=1.0)
    rules = CostRules(line_ranges={"Power": (0.5, 1.5), "Engineering and operations": (0.5, 1.5)})
    cost = cost_breakdown(cases, rules)
    widest = sum(float(line[0]) for line in cost.high_lines.values())
    assert cost.total_usd[0] < cost.high_usd[0] < widest


def test_the_range_of_a_purchase_stays_within_that_of_its_price() -> None:
    cases = cost_cases(
        1,
        purchase=PURCHASES.index(Purchase.BUY),
        capex_usd_per_instance=100_000.0,
        price_low_factor=0.5,
        price_high_factor=1.5,
        grows=False,
    )
    cost = cost_breakdown(cases, CostRules(horizon_months=12, residual_fraction=0.4))

    assert (cost.low_usd[0], cost.high_usd[0]) == (0.5 * cost.total_usd[0], 1.5 * cost.total_usd[0])
