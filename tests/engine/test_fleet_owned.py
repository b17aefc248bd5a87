"""Machines owned already: their end, their resale value, and whether to keep them."""

from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.engine.answers import InvalidAnswers
from advisor.engine.fleet.answering import FleetAnswer
from advisor.engine.fleet.keeping import kept_sentences
from advisor.engine.fleet.owned import EXTENSION, FOREGONE, Keeping, keeping_of
from advisor.engine.workload import Owned
from advisor.questions import read_answers
from tests.engine.test_fleet_answer import MIXED, answered, fleet

ROW = {"accel_ref": "nvidia-h100-sxm", "count": 8, "age_months": 12}
SITE = {
    "deployment_allowed": ["on_prem"], "facility_exists": "own_datacentre",
    "budget_total": 9_000_000,
}  # fmt: skip
OWNED = Owned(accelerator_slug="x", count=8, age_months=12.0, free_fraction=1.0)
MONEY = replace(
    answered("startup_bursty_api").question.money, depreciation_years=5.0, residual_fraction=0.1
)


@cache
def with_row(**more: Any) -> FleetAnswer:
    return fleet(answered(MIXED, owned_inventory=[ROW | more], **SITE))


def keeping(**said: Any) -> Keeping:
    return keeping_of(
        replace(OWNED, **said), accelerators=8.0, price_usd=300_000.0,
        support_fraction_per_year=0.1, money=MONEY, horizon_months=36,
    )  # fmt: skip


def refused(**cells: Any) -> str:
    with pytest.raises(InvalidAnswers) as caught:
        read_answers(
            {"preset": "chatbot_1m", "answers": {"owned_inventory": [ROW | cells]}},
            today=date(2026, 11, 25),
        )
    (problem,) = caught.value.problems
    assert problem.pointer == "/answers/owned_inventory"
    return problem.message


def test_nothing_said_nothing_more_is_paid() -> None:
    assert keeping().usd == 0.0


def test_support_past_its_end_costs_its_share_of_the_price() -> None:
    assert keeping(months_left=24.0).extension_usd == pytest.approx(300_000.0 * 0.1)


def test_an_end_after_the_horizon_costs_nothing() -> None:
    assert keeping(months_left=36.0).extension_usd == 0.0


def test_resale_falls_as_the_books_do() -> None:
    # Books: 82 % of the price at 12 months, 28 % at 48.
    found = keeping(resale_usd=8_200.0)

    assert found.foregone_usd == pytest.approx(65_600.0 - 22_400.0)


@given(st.floats(0.0, 60.0), st.floats(0.0, 60.0))
def test_a_later_end_is_never_dearer(first: float, second: float) -> None:
    sooner, later = sorted((first, second))

    assert keeping(months_left=later).usd <= keeping(months_left=sooner).usd


@given(st.floats(0.0, 240.0), st.floats(0.0, 1e6))
def test_nothing_gains_by_growing_old(age: float, resale: float) -> None:
    found = keeping(age_months=age, resale_usd=resale)

    assert 0.0 <= found.foregone_usd <= 8.0 * resale


def test_a_day_that_is_none_is_refused_with_how_to_type_it() -> None:
    assert "type it as 2028-03-31" in refused(ends_on="soon")


def test_a_day_that_has_passed_is_refused_with_its_row() -> None:
    assert refused(ends_on="2026-01-31").startswith("row 1: nvidia-h100-sxm ended on 2026-01-31")


def test_a_resale_value_below_zero_is_refused() -> None:
    assert "resale_each" in refused(resale_each=-1)


def test_machines_without_an_end_are_kept() -> None:
    assert kept_sentences(with_row())[0].startswith("Keep: 1 of 1 machine of 8 x NVIDIA H100")


def test_an_end_within_the_horizon_is_extended_at_its_cost() -> None:
    found = with_row(ends_on="2028-03-31")
    line = next(line for line in found.bill.lines if line.label == EXTENSION)

    assert line.usd > 0.0
    assert kept_sentences(found)[0].startswith("Extend: ")
    assert f"{line.usd:,.0f} USD of it" in kept_sentences(found)[0]


def test_what_is_extended_or_lost_is_searched_at_the_price_it_is_billed() -> None:
    found = with_row(ends_on="2028-03-31", resale_each=9_000)

    assert FOREGONE in {line.label for line in found.bill.lines}
    assert found.bill.total_usd == pytest.approx(found.fleet.usd, abs=0.05)


def test_what_sells_dearly_is_replaced() -> None:
    assert kept_sentences(with_row(resale_each=300_000))[0].startswith("Replace: ")


def test_keeping_saves_what_the_fleet_without_them_costs_more() -> None:
    found = with_row()

    assert found.without_owned_usd is not None
    assert f"{found.without_owned_usd:,.0f} USD" in kept_sentences(found)[1]


def test_what_no_offer_prices_is_named() -> None:
    rows = [ROW, {"accel_ref": "nvidia-v100-sxm2-32gb", "count": 4}]
    found = fleet(answered(MIXED, owned_inventory=rows, **SITE))

    assert "4 x NVIDIA V100 SXM2 32GB are left out" in kept_sentences(found)[-1]
