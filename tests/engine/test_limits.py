"""Why things are out: parts, offers, rooms and formats."""

from dataclasses import replace

import pytest

from advisor.engine.answers import Answers
from advisor.engine.demand.question import question_of
from advisor.engine.search.fits import offer_refusal, part_refusal, place_refusal, site_refusal
from advisor.engine.search.formats import quality_gate
from advisor.engine.search.market import market
from advisor.engine.workload import Question, Site
from advisor.questions import read_answers
from catalog.engine.shipped import shipped_snapshot
from catalog.specs import OfferSpec, Purchase, SystemSpec

SNAPSHOT = shipped_snapshot()
PARTS = {part.slug: part for part in SNAPSHOT.accelerators}
MODELS = {model.slug: model for model in SNAPSHOT.models}
SYSTEMS = {system.slug: system for system in SNAPSHOT.systems}
ROOM = Site(
    exists="server_room",
    country="DE",
    power_w=30_000.0,
    rack_power_w=12_000.0,
    racks=4,
    cooling=frozenset({"air"}),
    pue=1.5,
    floor_load_kg_per_m2=None,
    usd_per_kwh=0.2,
    demand_usd_per_kw_month=0.0,
    colocation_usd_per_kw_month=0.0,
    lead_time_max_weeks=26.0,
)


def asked(**answers: object) -> Question:
    read: Answers = read_answers({"preset": "chatbot_1m", "answers": answers})
    return question_of(read, MODELS)


def rented(**changes: object) -> OfferSpec:
    some = next(
        offer
        for offer in SNAPSHOT.offers
        if offer.purchase == Purchase.ON_DEMAND and offer.region and offer.accelerator_count >= 1
    )
    return replace(some, **changes)  # type: ignore[arg-type]


def refusal_of(offer: OfferSpec, question: Question) -> str:
    return offer_refusal(offer, question=question, workload=question.workloads[0]) or ""


def site_says(system: SystemSpec, *, systems: float = 1.0, power_w: float = 10_200.0) -> str:
    return (
        site_refusal(
            system.name,
            systems=systems,
            power_w=power_w,
            rack_units=system.rack_units,
            site=ROOM,
            liquid_only=system.cooling == "liquid",
        )
        or ""
    )


def test_an_announced_part_cannot_be_bought_yet() -> None:
    question = asked()
    announced = next(part for part in PARTS.values() if part.lifecycle == "announced")

    found = part_refusal(
        announced,
        question=question,
        workload=question.workloads[0],
        support=SNAPSHOT.support,
        porting_weeks=0.0,
    )

    assert found is not None
    assert found.limit == "maturity"


def test_porting_above_what_the_user_accepts_is_refused_with_both_figures() -> None:
    question = asked(custom_kernels="many", port_effort_ok_pm=1)

    found = part_refusal(
        PARTS["amd-mi300x"],
        question=question,
        workload=question.workloads[0],
        support=SNAPSHOT.support,
        porting_weeks=26.0,
    )

    assert found is not None
    assert "26 person-weeks" in found.reason


def test_who_avoids_lock_in_gets_no_part_that_one_cloud_alone_rents() -> None:
    question = asked(lockin_tolerance="avoid")

    found = part_refusal(
        PARTS["google-tpu-v6e"],
        question=question,
        workload=question.workloads[0],
        support=SNAPSHOT.support,
        porting_weeks=0.0,
    )

    assert found is not None
    assert found.limit == "lock-in"


def test_an_offer_without_a_country_is_out_where_data_must_stay() -> None:
    question = asked(residency_countries=["DE"])

    found = place_refusal(rented(region=None), question=question)

    assert "names no country" in (found or "")


def test_a_missing_fedramp_status_is_named() -> None:
    question = asked(regimes=["fedramp_high"])
    offer = rented()
    region = replace(offer.region, compliance=frozenset()) if offer.region else None

    found = place_refusal(replace(offer, region=region), question=question)

    assert "No recorded fedramp high status" in (found or "")


def test_a_commitment_longer_than_one_would_sign_is_out() -> None:
    question = asked(commitment_max_months="12")

    assert "36-month commitment" in refusal_of(rented(purchase=Purchase.RESERVED_3Y), question)


def test_spot_is_not_for_answers_in_real_time() -> None:
    assert "Interruptible" in refusal_of(rented(purchase=Purchase.SPOT), asked())


def test_a_delivery_that_comes_too_late_is_out() -> None:
    question = asked(lead_time_max_weeks=8)

    assert "delivered in 40 weeks" in refusal_of(rented(lead_time_weeks=40.0), question)


def test_a_price_nobody_confirmed_for_two_years_is_left_out() -> None:
    question = asked()
    old = replace(
        SNAPSHOT, offers=(rented(observed_on=SNAPSHOT.as_of.replace(year=2024, month=1)),)
    )

    found = market(old, question=question, workload=question.workloads[0])

    assert any("24 months" in refused.reason for refused in found.refused)


def test_an_air_cooled_room_takes_no_liquid_cooled_rack() -> None:
    assert "liquid-cooled" in site_says(SYSTEMS["gb200-nvl72"], power_w=120_000.0)


def test_a_system_above_the_rack_limit_is_refused_with_both_figures() -> None:
    assert "14.3 kW; your racks take 12 kW" in site_says(SYSTEMS["dgx-b200"], power_w=14_300.0)


def test_more_systems_than_the_supply_feeds_are_refused() -> None:
    assert "30 kW are available" in site_says(SYSTEMS["dgx-h100"], systems=3, power_w=30_600.0)


def test_one_system_within_every_limit_is_taken() -> None:
    assert site_says(SYSTEMS["dgx-h100"]) == ""


@pytest.mark.parametrize(
    ("precision", "allowed", "is_open"),
    [("bf16", "no", True), ("fp8", "no", False), ("fp8", "yes", True)],
)
def test_a_lower_format_needs_the_users_leave(precision: str, allowed: str, is_open: bool) -> None:  # noqa: FBT001
    gate = quality_gate(MODELS["llama3.1-70b"], precision, quality_loss_allowed=allowed)

    assert gate.open is is_open


def test_a_lower_format_with_a_published_result_names_its_source() -> None:
    gate = quality_gate(MODELS["llama3.1-70b"], "fp8", quality_loss_allowed="if_benchmarked")

    assert gate.open
    assert "published" in gate.reason


def test_a_lower_format_without_a_result_stays_an_alternative() -> None:
    model = replace(MODELS["llama3.1-70b"], published_precisions={})

    assert not quality_gate(model, "fp8", quality_loss_allowed="if_benchmarked").open
