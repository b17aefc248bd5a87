"""The fleet explained: each figure against a fleet solved from outside."""

from functools import cache
from typing import Any

import pytest

from advisor.engine.fleet.accounts import bill_of
from advisor.engine.fleet.setting import setting_of
from advisor.engine.fleet.solving import solve_quickly
from advisor.engine.reasons.change import Change, OfferPrice
from advisor.engine.reasons.fleets import (
    FleetOutcome,
    chance_cheaper,
    kept_at,
    of_family,
    still_wins,
    without_pick,
)
from advisor.services.reasons.constraints import constraints_of
from advisor.services.reasons.fleet import FleetTrials, lifted_limits
from advisor.services.whatif import based_on
from tests.engine.test_fleet_answer import MIXED, answered, work_of


@cache
def trials() -> FleetTrials:
    return FleetTrials(base=based_on({"preset": MIXED, "answers": {}}, work_of(MIXED)))


def found(change: Change) -> FleetOutcome:
    outcome = trials().of(change)
    assert outcome is not None
    return outcome


def own() -> FleetOutcome:
    return found(Change())


def usd_from_outside(**answers: Any) -> float:
    done = answered(MIXED, **answers)
    setting = setting_of(done.question, done.priced, done.decisions)
    assert setting is not None
    fleet = solve_quickly(setting.problem).fleet
    assert fleet is not None
    return bill_of(setting, fleet).total_usd


def test_the_price_of_a_constraint_is_the_difference_of_two_runs() -> None:
    wanted = {each.id: each for each in constraints_of(trials().base, list(own().sold))}
    eu = wanted["eu_only"]
    inside = usd_from_outside(residency_countries=list(eu.other.answers["residency_countries"]))

    assert found(eu.other).usd - own().usd == pytest.approx(inside - usd_from_outside(), abs=1.0)


def test_the_price_of_a_most_share_is_the_difference_of_two_runs() -> None:
    wanted = {each.id: each for each in constraints_of(trials().base, list(own().sold))}
    half = wanted["most_provider"]
    inside = usd_from_outside(single_provider_max_pct=50)

    assert half.label == "At most 50 % of accelerator-hours with one seller"
    assert found(half.other).usd - own().usd == pytest.approx(inside - usd_from_outside(), abs=1.0)


def test_a_least_share_that_is_asked_for_is_priced_by_leaving_it_out() -> None:
    least = [{"provider": "aws", "percent": 20}]
    done = answered(MIXED, provider_least_shares=least)
    raw = {"preset": MIXED, "answers": {"provider_least_shares": least}}
    limited = FleetTrials(base=based_on(raw, done))
    wanted = {each.id: each for each in constraints_of(limited.base, [])}
    free, kept = limited.of(wanted["least_provider"].other), limited.of(Change())

    assert wanted["least_provider"].holds
    assert free is not None
    assert kept is not None
    assert free.usd == pytest.approx(own().usd, abs=1.0)
    assert kept.usd >= free.bound_usd


def test_a_plan_alone_is_asked_for_no_share() -> None:
    assert not [e.id for e in constraints_of(trials().base) if e.id.startswith(("most_", "least_"))]


def test_no_family_alone_beats_what_is_proven() -> None:
    families = {option.family for option in own().setting.options}
    alone = [of_family(own().setting, family) for family in families]

    assert any(alone)
    assert all(each.usd >= own().bound_usd - 0.01 for each in alone if each is not None)


def test_a_fleet_without_its_leading_part_holds_none_of_it() -> None:
    first = next(iter(own().sold)).accelerator
    rival = without_pick(own().setting, first)

    assert rival is not None
    assert first not in {pick.accelerator for pick in rival.sold}


def test_a_fleet_against_itself_is_a_toss_up_and_against_a_dearer_one_is_not() -> None:
    rival = without_pick(own().setting, next(iter(own().sold)).accelerator)
    assert rival is not None

    assert chance_cheaper(own(), own()) == 0.5
    assert chance_cheaper(own(), rival) == pytest.approx(1.0 - chance_cheaper(rival, own()))


def test_other_kinds_win_once_every_offer_of_todays_contracts_costs_a_hundredfold() -> None:
    contracts = {contract for _, contract in own().kinds}
    sold = {
        (offer.accelerator_slug, offer.provider, offer.purchase.value)
        for offer in trials().base.worked.snapshot.offers
        if offer.purchase.value in contracts
    }
    prices = tuple(
        OfferPrice(accelerator=part, provider=seller, purchase=way, factor=100.0)
        for part, seller, way in sorted(sold)
    )

    assert still_wins(own(), own().kinds)
    assert not still_wins(found(Change(prices=prices)), own().kinds)


def test_a_fleet_kept_at_the_same_demand_costs_the_same() -> None:
    kept = kept_at(own(), own().setting)

    assert kept is not None
    assert own().bound_usd - 0.01 <= kept.usd <= own().usd * 1.005


def test_a_lifted_limit_is_solved_for_the_fleet_and_priced_against_todays() -> None:
    change = Change(answers={"single_provider_max_pct": 100.0})
    line = {
        "family": "tpu", "limit": "one provider", "liftings": ["one provider may have all"],
        "parts": [{"name": "TPU v6e"}], "change": change.as_dict(), "appears": True,
    }  # fmt: skip
    silent = {**line, "appears": False, "limit": "another"}
    said = [{"workload": "Chat", "families": [{"lines": [line, silent]}]}]
    (lifted,) = lifted_limits(trials(), said, progress=lambda *_: None)
    assert lifted["limit"] == "one provider"
    assert lifted["saves_usd"] == pytest.approx(own().usd - found(change).usd)
