"""Replicas that come and go: cold starts, days, and where scaling stops paying."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.engine.latency.day import day_profile
from advisor.engine.latency.serverless import (
    Replica,
    Scaling,
    always_on_day,
    autoscaled_day,
    awake_fraction,
    cold_start,
    crossing_of,
    drawn_arrivals,
)

REPLICA = Replica(requests_per_s=2.0, ttft_s=0.2, e2e_s=5.0)
DAY = day_profile(mean_per_s=4.0, peak_per_s=12.0, active_hours=24.0)


def scaling(**changes: float) -> Scaling:
    figures = {"cold_start_s": 120.0, "minimum": 1, "most": 20, "headroom": 0.25, "idle_s": 300.0}
    return Scaling(**(figures | changes))  # type: ignore[arg-type]


def test_140_gb_at_2_gb_a_second_take_70_seconds() -> None:
    start = cold_start(
        image_bytes=0.0,
        image_bytes_per_s=1.0,
        weight_bytes=140e9,
        storage_bytes_per_s=2e9,
        warm_up_s=0.0,
        provision_s=0.0,
    )

    assert start.total_s == 70.0


def test_the_parts_of_a_cold_start_add_up() -> None:
    start = cold_start(
        image_bytes=10e9,
        image_bytes_per_s=0.5e9,
        weight_bytes=16e9,
        storage_bytes_per_s=2e9,
        warm_up_s=30.0,
        provision_s=60.0,
    )

    assert start.total_s == 20.0 + 8.0 + 30.0 + 60.0


def test_ten_requests_an_hour_keep_a_pool_awake_57_percent_of_the_time() -> None:
    assert awake_fraction(requests_per_s=10 / 3600, service_s=5.0, idle_s=300.0) == pytest.approx(
        1 - np.exp(-10 / 3600 * 305)
    )


@given(st.floats(0.0, 10.0), st.floats(0.0, 10.0))
def test_more_traffic_is_never_more_asleep(a: float, b: float) -> None:
    low, high = sorted((a, b))

    assert awake_fraction(requests_per_s=low, service_s=5.0, idle_s=60.0) <= awake_fraction(
        requests_per_s=high, service_s=5.0, idle_s=60.0
    )


@pytest.mark.parametrize("cv", [1.0, 3.0])
def test_drawn_days_have_the_mean_and_variance_of_their_traffic(cv: float) -> None:
    drawn = drawn_arrivals(np.full(24, 5.0), cv=cv, seed=1)

    assert drawn.mean() == pytest.approx(50.0, rel=0.02)
    assert drawn.var() == pytest.approx(50.0 * cv**2, rel=0.1)


def test_always_on_is_paid_the_whole_day() -> None:
    arrivals = drawn_arrivals(DAY, cv=1.0, seed=1)

    assert always_on_day(arrivals, REPLICA, replicas=8).replica_hours == pytest.approx(192.0)


def test_scaling_with_the_day_is_paid_less_than_the_peak_all_day() -> None:
    arrivals = drawn_arrivals(DAY, cv=1.0, seed=1)

    assert autoscaled_day(arrivals, REPLICA, scaling()).replica_hours < 8 * 24


def test_a_night_without_requests_costs_nothing_where_it_scales_to_zero() -> None:
    arrivals = drawn_arrivals(np.array([0.0] * 12 + [4.0] * 12), cv=1.0, seed=1)
    day = autoscaled_day(arrivals, REPLICA, scaling(minimum=0))

    assert day.paid[: 12 * 360].max() == 0.0


def test_the_first_request_after_a_night_waits_for_the_cold_start() -> None:
    arrivals = np.zeros(8640)
    arrivals[4000] = 1.0
    day = autoscaled_day(arrivals, REPLICA, scaling(minimum=0))

    assert day.wait_s[4000] == pytest.approx(120.0, abs=10.0)


@given(st.sampled_from([0.0, 60.0, 120.0, 600.0]), st.sampled_from([0.0, 60.0, 120.0, 600.0]))
def test_a_longer_cold_start_never_shortens_a_wait(a: float, b: float) -> None:
    arrivals = drawn_arrivals(DAY, cv=2.0, seed=1)
    quick, slow = (
        autoscaled_day(arrivals, REPLICA, scaling(cold_start_s=each)).wait_percentile_s(0.99)
        for each in sorted((a, b))
    )

    assert quick <= slow + 1e-9


@given(st.integers(0, 6), st.integers(0, 6))
def test_more_replicas_kept_running_never_cost_less(a: int, b: int) -> None:
    arrivals = drawn_arrivals(DAY, cv=2.0, seed=1)
    fewer, more = (
        autoscaled_day(arrivals, REPLICA, scaling(minimum=each)).replica_hours
        for each in sorted((a, b))
    )

    assert fewer <= more


def test_no_request_leaves_before_it_came() -> None:
    arrivals = drawn_arrivals(DAY, cv=3.0, seed=2)

    assert autoscaled_day(arrivals, REPLICA, scaling(minimum=0)).wait_s.min() >= 0.0


def test_every_wait_counts_below_its_own_percentile() -> None:
    arrivals = drawn_arrivals(DAY, cv=3.0, seed=2)
    day = autoscaled_day(arrivals, REPLICA, scaling())

    assert day.share_waiting_over(day.wait_percentile_s(0.95)) <= 0.05


def crossing(scaled: float, always: float) -> float | None:
    return crossing_of(
        DAY, REPLICA, scaling(minimum=0), cv=1.0,
        scaled_usd_per_h=scaled, always_usd_per_h=always, seed=1,
    ).times_traffic  # fmt: skip


def test_scaling_at_the_same_price_is_never_dearer() -> None:
    assert crossing(1.0, 1.0) is None


def test_scaling_at_twice_the_price_pays_below_a_traffic_that_is_found() -> None:
    times = crossing(2.0, 1.0)

    assert times is not None
    assert 1e-3 < times < 1.0
