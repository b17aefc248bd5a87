"""The way between users and machines: light as the floor, published figures as the measure."""

from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.engine.calibration import shipped_calibration
from advisor.engine.choice.user_groups import share_of_users, user_groups
from advisor.engine.latency.distance import (
    fibre_floor_s,
    great_circle_m,
    round_trip_s,
    round_trips_s,
    shipped_fit,
    trip,
    weighted_quantile,
)
from advisor.engine.latency.mixture import mixture_quantile
from advisor.engine.latency.places import (
    Place,
    place_of_country,
    place_of_region,
    shipped_round_trips,
    shipped_user_places,
    users_in,
)
from advisor.engine.search.reach import way_in_target_s
from advisor.questions import read_answers
from advisor.services.advice import advise_on
from catalog.engine.shipped import shipped_snapshot
from catalog.specs import Evidence, Figure
from costing.engine.rates import shipped_rates

LONDON = Place(name="London", country="GB", latitude=51.51, longitude=-0.13)
TOKYO = Place(name="Tokyo", country="JP", latitude=35.68, longitude=139.69)
LEVELS = (0.5, 0.95, 0.99)
METRES = st.floats(min_value=0.0, max_value=2.0e7)


@cache
def advice(regions: tuple[str, ...], **answers: Any) -> dict[str, Any]:
    lists = {k: list(v) if isinstance(v, tuple) else v for k, v in answers.items()}
    raw = {"preset": "chatbot_1m", "answers": {"user_regions": list(regions), **lists}}
    return advise_on(
        read_answers(raw),
        shipped_snapshot(),
        calibration=shipped_calibration(),
        rates=shipped_rates(),
    )


def test_london_to_paris_is_344_kilometres() -> None:
    assert great_circle_m(51.51, -0.13, 48.86, 2.35) == pytest.approx(344e3, rel=0.01)


def test_light_in_a_thousand_kilometres_of_fibre_takes_9_8_ms_there_and_back() -> None:
    assert fibre_floor_s(1e6) == pytest.approx(9.79e-3, rel=1e-3)


@given(METRES, METRES)
def test_farther_is_never_faster(a: float, b: float) -> None:
    near, far = sorted((a, b))

    assert round_trip_s(near) <= round_trip_s(far)


@given(METRES)
def test_no_estimate_beats_light(metres: float) -> None:
    assert round_trip_s(metres) >= fibre_floor_s(metres)


def test_no_published_round_trip_beats_light() -> None:
    trips = shipped_round_trips()
    corners = np.array(
        [(t.start.latitude, t.start.longitude, t.end.latitude, t.end.longitude) for t in trips]
    ).T

    assert (np.array([t.seconds for t in trips]) >= fibre_floor_s(great_circle_m(*corners))).all()


def test_the_fit_misses_half_of_the_published_round_trips_by_less_than_15_percent() -> None:
    assert shipped_fit().median_error < 0.15


def test_the_range_holds_eight_published_round_trips_of_ten() -> None:
    fit = shipped_fit()
    inside = [
        fit.low <= t.seconds / float(round_trip_s(_apart_m(t.start, t.end))) <= fit.high
        for t in shipped_round_trips()
    ]

    assert np.mean(inside) == pytest.approx(0.8, abs=0.02)


def _apart_m(a: Place, b: Place) -> float:
    return float(great_circle_m(a.latitude, a.longitude, b.latitude, b.longitude))


def test_a_published_pair_is_used_as_it_stands() -> None:
    assert trip(LONDON, TOKYO).seconds == pytest.approx(0.2375, abs=0.002)  # 237 and 238 ms


def test_a_published_pair_says_who_published_it() -> None:
    assert "IBM Cloud" in trip(LONDON, TOKYO).source


def test_a_column_of_pairs_equals_each_pair_alone() -> None:
    users = users_in(["GB", "JP", "NZ"])
    assert users is not None
    sites = [LONDON, TOKYO, place_of_country("NG")]

    alone = [[trip(place, site).seconds for place in users.places] for site in sites if site]

    assert round_trips_s(users, sites) == pytest.approx(np.array(alone))


def test_a_site_without_a_place_has_no_round_trip() -> None:
    users = users_in(["GB"])
    assert users is not None

    assert np.isnan(round_trips_s(users, [None])).all()


def test_shares_of_users_follow_the_people_of_their_countries() -> None:
    assert share_of_users(["DE"], ["DE", "FR"]) == pytest.approx(82.9 / (82.9 + 67.0), abs=0.01)


def test_shares_that_are_said_replace_the_people() -> None:
    users = users_in(["DE", "FR"], shares={"DE": 1.0, "FR": 3.0})
    assert users is not None
    german = sum(
        share
        for place, share in zip(users.places, users.shares, strict=True)
        if place.country == "DE"
    )

    assert german == pytest.approx(0.25)


@given(st.lists(st.sampled_from(sorted(shipped_user_places())), min_size=1, max_size=6))
def test_shares_sum_to_one(countries: list[str]) -> None:
    users = users_in(countries)
    assert users is not None

    assert users.shares.sum() == pytest.approx(1.0)


def test_a_country_without_a_city_on_record_has_no_users() -> None:
    assert users_in(["AQ"]) is None


def test_every_region_of_the_catalogue_has_a_place() -> None:
    assert [r.slug for r in shipped_snapshot().regions if place_of_region(r) is None] == []


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=9), st.floats(0.01, 1.0))
def test_a_weighted_quantile_leaves_at_least_its_share_below(
    values: list[float], share: float
) -> None:
    column = np.array(values)
    weights = np.full(len(values), 1.0 / len(values))
    found = float(weighted_quantile(column, weights, share))

    assert weights[column <= found].sum() >= share - 1e-9


def test_neighbours_are_grouped_before_the_far_side_of_the_world() -> None:
    assert user_groups(["DE", "JP", "FR", "KR"], count=2) == [("DE", "FR"), ("JP", "KR")]


@given(st.sampled_from([1, 2, 3, 4]))
def test_a_split_keeps_every_user(count: int) -> None:
    countries = ["US", "DE", "JP", "BR"]
    groups = user_groups(countries, count=count)

    assert sum(share_of_users(group, countries) for group in groups) == pytest.approx(1.0)


def test_without_user_regions_no_way_is_counted() -> None:
    assert not any(key.startswith("network_") for key in advice(())["recommendation"])


def test_with_user_regions_the_first_token_includes_the_way() -> None:
    best = advice(("DE", "FR"))["recommendation"]

    assert best["ttft_p99_s"]["value"] > best["network_p99_s"]["value"] > 0.0


def test_tokyo_users_within_200_ms_exclude_european_regions_with_the_reason() -> None:
    reasons = [r["reason"] for r in advice(("JP",), slo_ttft_ms=200)["rejected"]]

    assert any("aws eu-central-1" in text and "light in fibre" in text for text in reasons)


def test_a_recommended_plan_keeps_its_target_with_the_way_on_top() -> None:
    best = advice(("JP",), slo_ttft_ms=200)["recommendation"]

    assert best["ttft_p95_s"]["value"] <= 0.2


def test_an_offer_without_a_place_is_not_recommended_where_the_way_counts() -> None:
    plans = advice(("US",), redundancy="none")["plans"]
    unplaced = [p for p in plans if p["provider"] == "lambda"]

    assert unplaced
    assert all("not known" in p["not_recommended_because"] for p in unplaced)


def split(**answers: Any) -> dict[str, Any]:
    found: dict[str, Any] = advice(("US", "DE", "JP"), **answers)["recommendation"]
    return found


def test_users_around_the_world_within_200_ms_get_a_place_each() -> None:
    places = split(slo_ttft_ms=200)["places"]

    assert [(place["users"], place["workload"]) for place in places] == [
        (["US"], "Chat (US)"),
        (["DE"], "Chat (DE)"),
        (["JP"], "Chat (JP)"),
    ]


def test_a_tighter_first_token_costs_more_by_steps_and_not_by_a_cliff() -> None:
    costs = [
        advice(("US",), slo_ttft_ms=target)["recommendation"]["total_cost_usd"]["value"]
        for target in (300, 275, 250, 225)
    ]

    assert costs == sorted(costs)
    assert max(np.array(costs[1:]) / np.array(costs[:-1])) < 2.5


@pytest.mark.parametrize("target_ms", [200, 300])
def test_a_split_costs_its_lines_and_its_places_to_the_cent(target_ms: int) -> None:
    plan = split(slo_ttft_ms=target_ms)
    total = plan["total_cost_usd"]["value"]

    assert round(sum(line["usd"] for line in plan["cost_breakdown"]), 2) == total
    assert round(sum(p["total_cost_usd"]["value"] for p in plan["places"]), 2) == total


@pytest.mark.parametrize("figure", ["ttft_p50_s", "ttft_p95_s", "ttft_p99_s", "e2e_p99_s"])
def test_a_split_answers_all_users_between_its_quickest_and_slowest_place(figure: str) -> None:
    plan = split(slo_ttft_ms=300)
    own = [place[figure]["value"] for place in plan["places"]]

    assert min(own) <= plan[figure]["value"] <= max(own)


def test_each_place_has_its_share_its_price_and_its_own_spare() -> None:
    places = split(slo_ttft_ms=200)["places"]

    assert sum(place["share"] for place in places) == pytest.approx(1.0)
    assert all(place["price"]["source"] for place in places)
    assert all(place["spare_replicas"] >= 1 for place in places)  # N+1 is what the preset asks
    assert all(0.0 < place["load_with_one_replica_lost"] <= 1.0 for place in places)


def test_several_places_stand_beside_one_that_the_way_weighs_on() -> None:
    found = advice(("US", "DE"), slo_ttft_ms=300)
    several = [plan for plan in found["plans"] if plan.get("places")]
    best = found["recommendation"]

    assert several
    assert best["total_cost_usd"]["value"] <= min(p["total_cost_usd"]["value"] for p in several)


def test_who_asks_for_the_fastest_within_a_budget_gets_several_places_where_they_are_it() -> None:
    found = advice(
        ("US", "DE"), slo_ttft_ms=300, solve_for="best_for_budget", budget_total=6_000_000
    )
    may = [plan for plan in found["plans"] if not plan.get("not_recommended_because")]

    assert any(plan.get("places") for plan in may)
    assert found["recommendation"]["e2e_p99_s"]["value"] <= min(
        plan["e2e_p99_s"]["value"] for plan in may if plan.get("places")
    )


def test_a_budget_holds_for_all_places_together() -> None:
    free = split(slo_ttft_ms=200)
    limit = free["monthly_cost_usd"]["value"] * 0.9
    found = advice(("US", "DE", "JP"), slo_ttft_ms=200, budget_month_max=limit)
    several = [plan for plan in found["plans"] if plan.get("places")]

    assert found["recommendation"] is None
    assert all("your limit" in plan["not_recommended_because"] for plan in several)


TIMES = st.lists(st.floats(0.01, 10.0), min_size=3, max_size=3).map(sorted)


@given(st.lists(st.tuples(TIMES, st.floats(0.05, 1.0)), min_size=1, max_size=5))
def test_a_percentile_over_all_users_is_within_those_of_their_places_and_rises(
    places: list[tuple[list[float], float]],
) -> None:
    knots, shares = np.array([times for times, _ in places]), [share for _, share in places]
    found = [mixture_quantile(knots, shares, levels=LEVELS, level=level) for level in LEVELS]

    assert (np.array(found) >= knots.min(axis=0) * (1.0 - 1e-9)).all()
    assert (np.array(found) <= knots.max(axis=0) * (1.0 + 1e-9)).all()
    assert (np.diff(found) >= -1e-9 * np.array(found[1:])).all()


def test_a_percentile_over_all_users_is_that_of_their_requests_together() -> None:
    near, far = (np.random.default_rng(n).lognormal(mean, 0.5, 300_000)
                 for n, mean in enumerate((0.0, 1.2)))  # fmt: skip
    everybody = np.concatenate([near, far[:100_000]])
    knots = np.array([np.quantile(each, LEVELS) for each in (near, far)])

    found = [mixture_quantile(knots, (3.0, 1.0), levels=LEVELS, level=level) for level in LEVELS]
    assert found == pytest.approx(np.quantile(everybody, LEVELS), rel=0.01)


def test_the_way_takes_its_part_of_a_target() -> None:
    best = advice(("DE", "FR"))["recommendation"]
    figure = Figure(**{**best["network_p95_s"], "evidence": Evidence.CALIBRATED})

    assert way_in_target_s({"network_p95_s": figure}, 0.95) == best["network_p95_s"]["value"]
    assert way_in_target_s({}, 0.95) == 0.0


def test_machines_at_the_edge_are_as_near_as_a_network_gets() -> None:
    plans = advice(("US",), deployment_allowed=("edge",))["plans"]
    own = next(p for p in plans if p["provider_kind"] == "on_prem")

    assert own["network_p99_s"]["value"] == pytest.approx(float(round_trip_s(0.0)))


def test_an_own_room_stands_where_the_data_may_be() -> None:
    plans = advice(("US",), residency_countries=("CA",))["plans"]
    own = next(p for p in plans if p["provider_kind"] == "on_prem")
    canadian = [place.name for place, _ in shipped_user_places()["CA"]]

    assert any(f"put in {name}," in own["network_p99_s"]["source"] for name in canadian)
