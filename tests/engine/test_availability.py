"""How often enough is up: against arithmetic, against months played through, and by law."""

from dataclasses import replace
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.engine.calibration import shipped_calibration
from advisor.engine.latency.availability import (
    Failures,
    Layout,
    Standby,
    availability,
    by_cause,
    shares_of_time,
    smallest_layout,
    unit_failures,
    up_distribution,
)
from advisor.engine.latency.day import day_profile
from advisor.engine.latency.operations import notice_s, shipped_operations, zones_of
from advisor.engine.latency.outages import monthly_down_h, share_of_months
from advisor.questions import read_answers
from advisor.services.advice import advise_on
from catalog.engine.shipped import shipped_snapshot
from costing.engine.rates import shipped_rates

UNITS = st.integers(min_value=1, max_value=12)
ZONES = st.integers(min_value=1, max_value=4)


def failing(*, zone_down: float = 0.001, region_down: float = 0.0, **changes: float) -> Failures:
    figures = {"accelerators": 8, "accelerator_mtbf_h": 50_700.0, "repair_h": 1.0} | changes
    return unit_failures(
        zone_down=zone_down,
        zone_outage_h=4.0,
        region_down=region_down,
        region_outage_h=4.0,
        **figures,  # type: ignore[arg-type]
    )


def test_llama_3s_cluster_failed_about_every_three_hours() -> None:
    mtbf = shipped_operations()["accelerator_mtbf"].value

    assert failing(accelerators=16_384, accelerator_mtbf_h=mtbf).unit_mtbf_h == pytest.approx(
        3.1, abs=0.1
    )


def test_one_zone_is_the_binomial_law() -> None:
    failures = failing(zone_down=0.0)
    up = failures.unit_up
    by_hand = [comb(4, k) * up**k * (1 - up) ** (4 - k) for k in range(5)]

    assert up_distribution(Layout(units=4, zones=1), failures) == pytest.approx(by_hand)


def test_two_zones_without_a_spare_are_out_whenever_one_of_them_is() -> None:
    failures = failing(zone_down=0.01, repair_h=0.0)

    assert availability(Layout(units=2, zones=2), failures, [2]) == pytest.approx(0.99**2)


def test_a_copy_in_each_of_two_zones_is_out_only_when_both_are() -> None:
    failures = failing(zone_down=0.01, repair_h=0.0)

    assert availability(Layout(units=2, zones=2), failures, [1]) == pytest.approx(1 - 0.01**2)


@given(UNITS, ZONES, st.floats(0.0, 0.3), st.floats(0.0, 0.1))
def test_chances_of_units_sum_to_one(
    units: int, zones: int, zone_down: float, region_down: float
) -> None:
    failures = failing(zone_down=zone_down, region_down=region_down)

    assert up_distribution(Layout(units=units, zones=zones), failures).sum() == pytest.approx(1.0)


@given(UNITS, ZONES, UNITS, st.floats(0.0, 0.3), st.floats(0.1, 500.0))
def test_more_replicas_are_never_less_available(
    units: int, zones: int, needed: int, zone_down: float, repair_h: float
) -> None:
    failures = failing(zone_down=zone_down, repair_h=repair_h)
    fewer = availability(Layout(units=units, zones=zones), failures, [needed])
    more = availability(Layout(units=units + 1, zones=zones), failures, [needed])

    assert more >= fewer - 1e-12


@given(UNITS, ZONES, UNITS, UNITS)
def test_needing_less_is_never_less_available(units: int, zones: int, a: int, b: int) -> None:
    layout, failures = Layout(units=units, zones=zones), failing()
    low, high = sorted((a, b))

    assert availability(layout, failures, [low]) >= availability(layout, failures, [high])


@given(UNITS, ZONES)
def test_units_are_spread_evenly(units: int, zones: int) -> None:
    of_zones = Layout(units=units, zones=zones).of_zones

    assert sum(of_zones) == units
    assert max(of_zones) - min(of_zones) <= 1


def test_what_meets_three_nines_is_the_first_count_that_does() -> None:
    failures = failing()
    found = smallest_layout(failures, needed=[4], target=0.999, most_zones=3)
    assert found is not None
    fewer = [
        availability(Layout(units=found.layout.units - 1, zones=zones), failures, [4])
        for zones in (1, 2, 3)
    ]

    assert found.availability >= 0.999 > max(fewer)


def test_one_zone_that_is_out_two_thousandths_of_the_time_never_meets_three_nines() -> None:
    assert smallest_layout(failing(zone_down=0.002), needed=[4], target=0.999, most_zones=1) is None


def test_nights_that_need_less_count() -> None:
    layout, failures = Layout(units=4, zones=1), failing(repair_h=100.0)
    day = [4] * 12 + [1] * 12

    assert availability(layout, failures, day) > availability(layout, failures, [4])


@given(UNITS, ZONES, st.booleans(), st.floats(0.0, 3600.0))
def test_full_degraded_and_down_are_the_whole_time(
    units: int,
    zones: int,
    full: bool,  # noqa: FBT001 -- drawn
    takes_over_s: float,
) -> None:
    shares = shares_of_time(
        Layout(units=units, zones=zones),
        failing(),
        needed=[units],
        degraded_needed=[max(units - 1, 1)],
        standby=Standby(up=0.999, takes_over_s=takes_over_s, full=full),
    )

    assert shares.full + shares.degraded + shares.down == pytest.approx(1.0)
    assert min(shares.full, shares.degraded, shares.down) >= -1e-12


def test_a_standby_pool_turns_outages_into_slower_service() -> None:
    layout, failures = Layout(units=4, zones=1), failing()
    alone = shares_of_time(layout, failures, needed=[4], degraded_needed=[3])
    backed = shares_of_time(
        layout, failures, needed=[4], degraded_needed=[3],
        standby=Standby(up=0.999, takes_over_s=60.0, full=False),
    )  # fmt: skip

    assert backed.down < 0.1 * alone.down
    assert backed.full == alone.full


def test_a_standby_that_carries_everything_keeps_the_targets_too() -> None:
    layout, failures = Layout(units=4, zones=1), failing()
    half, whole = (
        shares_of_time(
            layout, failures, needed=[4], degraded_needed=[3],
            standby=Standby(up=0.999, takes_over_s=60.0, full=full),
        )
        for full in (False, True)
    )  # fmt: skip

    assert whole.full > half.full
    assert whole.down == half.down


def test_spot_interruptions_are_failures_of_their_own() -> None:
    spot = failing(interrupted_per_h=0.175 / 730.0, restart_h=1.0)

    assert 1 / spot.unit_mtbf_h == pytest.approx(8 / 50_700 + 0.175 / 730.0)


def test_months_played_through_agree_with_the_formula() -> None:
    layout, failures = Layout(units=5, zones=2), failing(repair_h=24.0, zone_down=0.01)
    down = monthly_down_h(layout, failures, needed=np.array([4.0]), months=2000, seed=3)

    assert down.mean() / 730.0 == pytest.approx(1 - availability(layout, failures, [4]), rel=0.05)


def test_months_played_through_know_the_hours_of_the_day() -> None:
    layout, failures = Layout(units=4, zones=1), failing(repair_h=24.0)
    day = np.array([4.0] * 12 + [1.0] * 12)
    down = monthly_down_h(layout, failures, needed=day, months=500, seed=3)
    always = monthly_down_h(layout, failures, needed=np.array([4.0]), months=500, seed=3)

    assert (down <= always + 1e-9).all()


def test_a_month_within_the_target_is_counted() -> None:
    assert share_of_months(np.array([0.0, 0.5, 0.73, 2.0]), target=0.999) == 0.75


def test_the_same_seed_plays_the_same_months() -> None:
    first, again = (
        monthly_down_h(
            Layout(units=3, zones=2), failing(), needed=np.array([2.0]), months=50, seed=9
        )
        for _ in range(2)
    )

    assert (first == again).all()


@pytest.mark.parametrize(
    ("accelerator", "region", "zones"),
    [
        ("google-tpu-v6e", "us-east5", 2),
        ("google-tpu-v5p", "us-east5", 1),
        ("nvidia-l4", "us-east5", 3),
    ],
)
def test_tpus_stand_in_the_zones_that_google_lists(
    accelerator: str, region: str, zones: int
) -> None:
    found = zones_of(provider="gcp", region=region, accelerator=accelerator, purchase="on_demand")

    assert found.count == zones


def test_a_tpu_rented_in_one_zone_is_not_recommended_where_two_are_asked_for() -> None:
    document = advise_on(
        read_answers(
            {"preset": "chatbot_1m", "answers": {"accel_families_allowed": ["tpu"],
                                                 "redundancy": "two_zones"}}
        ),
        shipped_snapshot(),
        calibration=shipped_calibration(),
        rates=shipped_rates(),
    )  # fmt: skip
    blocked = {
        (plan["accelerator_slug"], plan["region"]): plan["not_recommended_because"]
        for plan in document["plans"]
    }

    assert any("rented in one zone" in text for text in blocked.values())
    assert "rented in one zone" not in blocked.get(("google-tpu-v6e", "us-east5"), "")


def test_a_room_of_ones_own_is_one_zone() -> None:
    assert zones_of(provider="x", region="", accelerator="nvidia-l4", purchase="buy").count == 1


def test_a_provider_without_a_stated_notice_gives_none() -> None:
    assert (notice_s("aws").value, notice_s("elsewhere").value) == (120.0, 0.0)


@given(st.floats(0.1, 50.0), st.floats(1.0, 8.0), st.integers(4, 24))
def test_a_day_keeps_its_mean_and_never_exceeds_its_peak(
    mean: float, ratio: float, hours: int
) -> None:
    profile = day_profile(mean_per_s=mean, peak_per_s=mean * ratio, active_hours=hours)
    held = min(ratio, hours)  # the sharpest hump has one hour at the peak

    assert profile.max() <= mean * ratio * (1 + 1e-9)
    assert profile.sum() / hours == pytest.approx(mean * ratio / held, rel=0.02)


SHARE = st.floats(min_value=0.0, max_value=0.5)


@given(units=UNITS, zones=ZONES, common=SHARE, push=SHARE, needed=UNITS)
def test_no_common_cause_ever_helps_where_all_units_are_needed(
    units: int, zones: int, common: float, push: float, needed: int
) -> None:
    layout = Layout(units=units, zones=min(zones, units))
    apart = failing(zone_down=0.0)
    pushed = replace(apart, push_down=push, push_outage_h=2.0)

    assert availability(layout, pushed, [needed]) <= availability(layout, apart, [needed])
    spread = replace(apart, common_share=common)
    assert availability(layout, spread, [1]) <= availability(layout, apart, [1]) + 1e-12


def test_common_failures_take_back_what_a_spare_gives() -> None:
    layout = Layout(units=3, zones=1)
    apart, together = (
        1.0 - availability(layout, failing(zone_down=0.0, repair_h=24.0, common_share=share), [1])
        for share in (0.0, 0.05)
    )
    # Alone all three must be down at once; together 5 % of one unit's downtime is everybody's.
    one = 1.0 - failing(zone_down=0.0, repair_h=24.0).unit_up

    assert apart == pytest.approx(one**3, rel=1e-6)
    assert together == pytest.approx(0.05 * one, rel=0.02)


def test_months_played_through_agree_with_common_causes() -> None:
    failures = replace(
        failing(zone_down=0.0, repair_h=24.0, common_share=0.3),
        push_down=0.01,
        push_outage_h=3.0,
    )
    layout = Layout(units=4, zones=2)
    down_h = monthly_down_h(layout, failures, needed=np.array([3]), months=6_000, seed=3)

    short = 1.0 - availability(layout, failures, [3])
    assert float(down_h.mean()) / 730.0 == pytest.approx(short, rel=0.05)


def test_no_number_of_spares_outdoes_a_shared_push() -> None:
    pushed = replace(failing(), push_down=0.002, push_outage_h=3.0)

    assert smallest_layout(failing(), needed=[2], target=0.999, most_zones=3) is not None
    assert smallest_layout(pushed, needed=[2], target=0.999, most_zones=3) is None


def test_causes_add_up_to_what_is_reached() -> None:
    failures = replace(
        failing(region_down=1e-4), common_share=0.02, push_down=5e-4, push_outage_h=2.8
    )
    layout = Layout(units=5, zones=2)
    causes = by_cause(layout, failures, [4])

    assert [each.name for each in causes] == ["alone", "common", "zone", "region", "push"]
    assert causes[-1].availability == availability(layout, failures, [4])
    assert 1.0 - sum(each.short for each in causes) == pytest.approx(causes[-1].availability)
