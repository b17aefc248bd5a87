"""Sleeping pools in the answer: the longest wake-up decides, and the traffic how often."""

from functools import cache
from typing import Any

import pytest

from advisor.engine.calibration import shipped_calibration
from advisor.questions import read_answers
from advisor.services.advice import advise_on
from catalog.engine.shipped import shipped_snapshot
from costing.engine.rates import shipped_rates


@cache
def advice(**answers: Any) -> dict[str, Any]:
    return advise_on(
        read_answers({"preset": "startup_bursty_api", "answers": answers}),
        shipped_snapshot(),
        calibration=shipped_calibration(),
        rates=shipped_rates(),
    )


def hourly(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The machines that are rented by the hour, cheapest first."""
    plans = [
        p for p in document["plans"]
        if p["purchase"] == "on_demand" and p["monthly_cost_usd"]["value"] is not None
    ]  # fmt: skip
    return sorted(plans, key=lambda p: p["monthly_cost_usd"]["value"])


def test_a_start_longer_than_the_longest_wake_up_keeps_the_pool_awake() -> None:
    assert any("kept awake" in note for note in hourly(advice(cold_start_s=20))[0]["notes"])


def test_a_start_within_the_longest_wake_up_lets_the_pool_sleep() -> None:
    rare = hourly(advice(cold_start_s=600, tokens_month_b=0.002))[0]

    assert any("It sleeps" in note for note in rare["notes"])


def test_sleeping_costs_less_than_being_kept_awake() -> None:
    asleep, awake = (
        hourly(advice(cold_start_s=limit, tokens_month_b=0.002))[0]["monthly_cost_usd"]["value"]
        for limit in (600, 20)
    )

    assert asleep < awake


def test_frequent_requests_leave_no_time_to_sleep() -> None:
    often = hourly(advice(cold_start_s=600))[0]

    assert any("hardly does" in note for note in often["notes"])


@pytest.mark.parametrize(("hours", "warned"), [(0.5, True), (24, False)])
def test_a_time_to_restore_that_a_new_start_cannot_keep_is_warned_of(
    hours: float, *, warned: bool
) -> None:
    texts = [text for text in advice(rto_h=hours)["warnings"] if "starts elsewhere" in text]

    assert bool(texts) is warned
