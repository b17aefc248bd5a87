"""The parts of a cost: rent, energy, data, people, tokens, the age of a price, a price book."""

from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.specs import Purchase
from catalog.units import TERA
from costing.engine.age import BANDS, price_range
from costing.engine.cases import PURCHASES, CostRules, cost_cases
from costing.engine.data import EgressTariff, tariff_usd
from costing.engine.energy import carbon_kg, mean_power_w
from costing.engine.evidence import line_evidence
from costing.engine.people import DEPLOYMENTS, operations_fte
from costing.engine.pricebook import (
    UnknownPriceKey,
    with_price_book,
)
from costing.engine.rates import (
    egress_tariff,
    power_usd_per_kwh,
    rules_from_rates,
    shipped_currencies,
    shipped_rates,
    storage_tariff,
    tariffs_of,
)
from costing.engine.rental import (
    billed_hours,
    spot_latency_factor,
    spot_overhead_fraction,
    spot_usd_per_useful_h,
)
from costing.engine.tco import LABELS
from costing.engine.tokens import tokens_usd_per_month, usd_per_million

RATES = shipped_rates()
volume = st.floats(0.0, 1e15)


def test_a_short_use_pays_the_billing_minimum() -> None:
    assert billed_hours(hours=0.2, minimum_h=1.0) == 1.0


def test_a_begun_day_is_paid_whole() -> None:
    assert billed_hours(hours=72.5, increment_h=24.0) == 96.0


def test_spot_with_a_fallback_is_their_blend_with_repeated_work() -> None:
    blended = spot_usd_per_useful_h(
        spot_usd_per_h=18.7, fallback_usd_per_h=55.04, fallback_fraction=0.1, overhead_fraction=0.02
    )
    assert float(blended) == pytest.approx(1.02 * (0.9 * 18.7 + 0.1 * 55.04))


def test_an_unknown_fallback_price_does_not_matter_where_there_is_no_fallback() -> None:
    blended = spot_usd_per_useful_h(
        spot_usd_per_h=18.7, fallback_usd_per_h=np.nan, fallback_fraction=0.0, overhead_fraction=0.0
    )
    assert float(blended) == 18.7


def test_each_interruption_costs_half_a_checkpoint_interval_and_a_restart() -> None:
    overhead = spot_overhead_fraction(interrupted_per_month=7.3, lost_work_h=0.5, restart_h=1.0)
    assert float(overhead) == pytest.approx(0.01 * 1.5)


def test_a_fallback_twice_as_slow_for_a_tenth_of_the_time_costs_a_tenth() -> None:
    assert float(
        spot_latency_factor(fallback_fraction=0.1, fallback_latency_factor=2.0)
    ) == pytest.approx(1.1)


@settings(deadline=None)
@given(st.floats(0.0, 1e5), st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_power_lies_between_idle_and_full_load(
    full_w: float, idle: float, load: float, more: float
) -> None:
    drawn = mean_power_w(full_load_w=full_w, idle_fraction=idle, utilisation=[load, load + more])
    assert full_w * idle - 1e-6 <= drawn[0] <= drawn[1] + 1e-6


def test_a_kilowatt_for_a_month_on_the_french_grid() -> None:
    assert float(carbon_kg(kwh=730.0, grid_g_per_kwh=56.0)) == pytest.approx(40.88)


def test_egress_steps_are_marginal() -> None:
    # AWS, 100 TB: the first 100 GB are free, then to 10 TB, to 50 TB, the rest
    usd = tariff_usd(egress_tariff(RATES, "aws"), bytes_per_month=100 * TERA)
    assert float(usd) == pytest.approx(9_900 * 0.09 + 40_000 * 0.085 + 50_000 * 0.07)


def test_ten_terabytes_leave_oracle_for_nothing() -> None:
    assert tariff_usd(egress_tariff(RATES, "oci"), bytes_per_month=10 * TERA) == 0.0


@settings(deadline=None)
@given(st.sampled_from(["aws", "azure", "gcp", "oci", "somebody"]), volume, volume)
def test_more_egress_never_costs_less(provider: str, some: float, more: float) -> None:
    usd = tariff_usd(egress_tariff(RATES, provider), bytes_per_month=[some, some + more])
    assert usd[0] <= usd[1]


def test_a_tariff_without_a_last_step_is_refused() -> None:
    with pytest.raises(ValueError, match="no upper end"):
        EgressTariff(name="broken", free_bytes=0.0, steps=((1e12, 1e-10),))


def test_tariffs_come_in_the_order_of_the_providers() -> None:
    egress, storage = tariffs_of(RATES, ["gcp", "lambda"])
    assert [t.name for t in egress] + [t.name for t in storage] == [
        "gcp",
        "default",
        "fast_storage/gcp",
        "fast_storage/default",
    ]


def test_object_storage_of_aws_is_23_dollars_a_terabyte() -> None:
    tariff = storage_tariff(RATES, "aws", kind="object_storage")
    assert tariff.usd_per_byte_month * TERA == pytest.approx(23.0)


def test_power_in_euros_is_converted_at_the_dated_rate() -> None:
    price = power_usd_per_kwh(RATES, shipped_currencies(), country="FR")
    assert price.value == pytest.approx(0.171 * 1.1699)


def test_power_of_an_unknown_country_has_the_wide_default() -> None:
    price = power_usd_per_kwh(RATES, shipped_currencies(), country="XX")
    assert (price.low, price.value, price.high) == (0.075, 0.12, 0.234)


def test_every_shipped_rate_lies_in_its_range_and_names_its_source() -> None:
    assert all(r.low <= r.value <= r.high and r.source and r.unit for r in RATES.values())


def test_rules_take_the_assessments_answers_over_the_rates() -> None:
    rules = rules_from_rates(RATES, staff_usd_per_year=150_000.0)
    assert (rules.staff_usd_per_year, rules.support_fraction_per_year) == (150_000.0, 0.10)


def test_running_ones_own_machines_takes_more_people_than_renting() -> None:
    base, each = operations_fte(RATES, deployment=np.arange(len(DEPLOYMENTS)))
    assert (np.diff(base + 100 * each)[[1, 3]] < 0).all()


def test_cached_input_is_billed_at_its_own_price() -> None:
    usd = tokens_usd_per_month(
        input_tokens=1e9,
        output_tokens=1e8,
        usd_per_input_token=2e-6,
        usd_per_output_token=8e-6,
        cached_fraction=0.5,
        usd_per_cached_input_token=0.5e-6,
    )
    assert float(usd) == pytest.approx(0.5e9 * 2e-6 + 0.5e9 * 0.5e-6 + 1e8 * 8e-6)


def test_without_a_cache_price_cached_input_costs_the_full_price() -> None:
    usd = tokens_usd_per_month(
        input_tokens=1e6,
        output_tokens=0.0,
        usd_per_input_token=2e-6,
        usd_per_output_token=8e-6,
        cached_fraction=0.9,
    )
    assert float(usd) == pytest.approx(2.0)


def test_tokens_that_may_wait_cost_half_where_the_provider_says_so() -> None:
    usd = tokens_usd_per_month(
        input_tokens=1e6,
        output_tokens=1e6,
        usd_per_input_token=1e-6,
        usd_per_output_token=3e-6,
        batch_discount_fraction=0.5,
    )
    assert float(usd) == pytest.approx(2.0)


def test_nothing_has_no_price_per_million() -> None:
    assert np.isnan(usd_per_million(total_usd=5.0, amount=0.0))


ON_DEMAND = np.array([PURCHASES.index(Purchase.ON_DEMAND)])


@settings(deadline=None)
@given(st.floats(0.0, 90.0))
def test_a_fresh_official_list_price_has_no_range(age_days: float) -> None:
    found = price_range(
        purchases=PURCHASES,
        purchase=ON_DEMAND,
        age_days=np.array([age_days]),
        confidence=["official"],
    )
    assert (found.low_factor[0], found.high_factor[0]) == (1.0, 1.0)


@settings(deadline=None)
@given(
    st.sampled_from(range(len(PURCHASES))),
    st.floats(0.0, 2_000.0),
    st.floats(0.0, 2_000.0),
    st.sampled_from(["official", "reported", "estimate", "low"]),
)
def test_an_older_price_is_never_surer(kind: int, age: float, more: float, how: str) -> None:
    found = price_range(
        purchases=PURCHASES,
        purchase=np.array([kind, kind]),
        age_days=np.array([age, age + more]),
        confidence=[how, how],
    )
    assert found.low_factor[1] <= found.low_factor[0] <= 1.0 <= found.high_factor[0]


def test_a_price_older_than_two_years_waits_for_confirmation() -> None:
    found = price_range(
        purchases=PURCHASES,
        purchase=np.repeat(ON_DEMAND, 2),
        age_days=np.array([730.0, 731.0]),
    )
    assert found.usable.tolist() == [True, False]


def test_a_price_without_a_date_counts_as_a_year_old() -> None:
    undated, dated = (
        price_range(purchases=PURCHASES, purchase=ON_DEMAND, age_days=np.array([age]))
        for age in (np.nan, 365.0)
    )
    assert undated == dated


def test_the_bands_hold_the_greatest_moves_seen() -> None:
    # AWS p5, 98.32 to 55.04 within two years; DigitalOcean H100, 3.39 to 4.41 within 70 days
    two_years, half_a_year = BANDS[Purchase.ON_DEMAND][-1], BANDS[Purchase.ON_DEMAND][2]
    assert (two_years[1] <= 55.04 / 98.32 + 0.001, half_a_year[2] >= 4.41 / 3.39 - 0.001) == (
        True,
        True,
    )


def test_a_price_book_replaces_what_would_be_computed() -> None:
    rules = with_price_book(
        rules_from_rates(RATES),
        {
            "storage_usd_per_tb_month": 150.0,
            "egress_usd_per_month": 200.0,
            "engineering_usd_per_run": 800.0,
            "usd_per_accelerator_h": 20.0,
        },
    )
    assert (
        rules.storage_usd_per_byte_month,
        rules.egress_usd_per_month,
        rules.engineering_usd_per_run,
        rules.usd_per_accelerator_h,
        sorted(rules.line_ranges),
    ) == (150.0 / TERA, 200.0, 800.0, 20.0, ["Colocation or space", "Decommissioning", "Power"])


def test_an_unknown_price_book_key_is_refused_with_those_there_are() -> None:
    with pytest.raises(UnknownPriceKey, match="storage_usd_per_tb_month"):
        with_price_book(CostRules(), {"storage_usd": 150.0})


def test_the_last_step_of_every_tariff_has_no_end() -> None:
    assert all(egress_tariff(RATES, p).steps[-1][0] == inf for p in ("aws", "azure", "on_site"))


def test_every_line_but_the_offers_own_names_its_source() -> None:
    known = line_evidence(RATES, cost_cases(1), 0, provider="aws", deployment="public_cloud")
    offers = {"Compute rental", "Commitment after the horizon", "Hosted tokens", "Hardware"}
    assert set(LABELS) - set(known) == offers


def test_a_price_of_the_users_own_is_named_as_such() -> None:
    known = line_evidence(
        RATES, cost_cases(1), 0, provider="aws", deployment="on_site", own_prices=["Storage"]
    )
    assert known["Storage"][1] == "the user's own price"
