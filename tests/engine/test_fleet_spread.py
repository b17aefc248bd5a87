"""Fleets in two zones or regions: the rules hold, cost what they must, and are told plainly."""

import itertools
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.engine.fleet.answering import FleetAnswer
from advisor.engine.fleet.checking import broken
from advisor.engine.fleet.hourly import solve_by_hours
from advisor.engine.fleet.places import spread_sentences
from advisor.engine.fleet.problem import FleetProblem, Spread
from advisor.engine.fleet.solving import solve_exactly
from advisor.engine.fleet.spread import OWN_ROOM, mix_rate, place_of
from tests.engine.test_fleet_answer import answered, fleet
from tests.engine.test_fleet_solver import one_bucket

SEEDS = st.integers(0, 10_000)
ROOM = {"deployment_allowed": ["on_prem"], "facility_exists": "own_datacentre"}
EXACT = settings(max_examples=15)


def outside_each(problem: FleetProblem) -> FleetProblem:
    """Each option a place of its own, and all the others must carry the hour."""
    rules = tuple(
        Spread(
            load=0, name=f"without {place}",
            capacity=np.where(problem.pool_option == place, 0.0, problem.rate[0]),
            need=problem.demand[0], wholes=np.zeros(0, dtype=np.int64),
        )
        for place in range(len(problem.held))
    )  # fmt: skip
    return replace(problem, spreads=rules)


def by_trying_all(problem: FleetProblem) -> float:
    """Least cost over every number of machines that keeps the rules."""
    held, hourly = np.flatnonzero(problem.held), np.flatnonzero(~problem.held)
    rate, best = problem.rate[0], np.inf
    for machines in itertools.product(range(4), repeat=len(held)):
        usd = float(problem.usd[held] @ machines)
        for hour, weight in enumerate(problem.hours):
            rents = []
            for more in itertools.product(range(4), repeat=len(hourly)):
                count = np.zeros(3)
                count[held], count[hourly] = machines, more
                carried = rate * count
                if carried.sum() - carried.max() >= problem.demand[0, hour] - 1e-9:
                    rents.append(weight * float(problem.usd[hourly] @ more))
            usd += min(rents, default=np.inf)
        best = min(best, usd)
    return best


@cache
def asked(**more: Any) -> FleetAnswer:
    return fleet(answered("chatbot_1m", **more))


@EXACT
@given(SEEDS)
def test_what_stands_outside_each_place_costs_what_trying_all_says(seed: int) -> None:
    problem = outside_each(one_bucket(seed))
    found = solve_exactly(problem).fleet
    least = by_trying_all(problem)

    assert (np.inf if found is None else found.usd) == pytest.approx(least, rel=1e-6)


@EXACT
@given(SEEDS)
def test_a_rule_never_makes_a_fleet_cheaper(seed: int) -> None:
    problem = one_bucket(seed)
    free, kept = (solve_exactly(each).fleet for each in (problem, outside_each(problem)))

    assert free is not None
    assert kept is None or kept.usd >= free.usd - 1e-6


@EXACT
@given(SEEDS)
def test_hours_solved_one_by_one_keep_the_rules_too(seed: int) -> None:
    problem = outside_each(one_bucket(seed))
    found, _ = solve_by_hours(problem)

    assert found is None or not broken(problem, found)


def test_a_fleet_without_the_rule_is_called_broken_under_it() -> None:
    problem = one_bucket(1)
    found = solve_exactly(problem).fleet

    assert found is not None
    assert any("stands elsewhere" in text for text in broken(outside_each(problem), found))


def test_in_two_regions_each_hour_is_carried_outside_every_place() -> None:
    answer = asked(redundancy="two_regions")
    problem, options = answer.setting.problem, answer.setting.options
    places = np.array([place_of(options[o].offer) for o in problem.pool_option])
    capacity = 2.0 * mix_rate(problem, 0)[:, np.newaxis] * answer.fleet.replicas
    demand = problem.demand.sum(axis=0)

    for place in np.unique(places):
        assert (capacity[places != place].sum(axis=0) >= demand * (1.0 - 1e-5)).all()


def test_two_regions_cost_more_than_two_zones_and_say_so() -> None:
    assert asked(redundancy="two_regions").bill.total_usd > asked().bill.total_usd
    assert (
        "outside any one region carry all of it"
        in spread_sentences(asked(redundancy="two_regions"))[0]
    )


def test_two_zones_are_two_replicas_in_every_hour_with_traffic() -> None:
    answer = asked()
    busy = answer.setting.problem.demand.sum(axis=0) > 0.0

    assert (answer.fleet.replicas.sum(axis=0)[busy] >= 2.0).all()


def test_places_that_publish_no_zones_are_named() -> None:
    assert "is not published" in spread_sentences(asked())[-1]


def test_one_room_alone_is_told_to_be_one_zone() -> None:
    told = spread_sentences(asked(**{key: _frozen(value) for key, value in ROOM.items()}))

    assert "Your own room is one zone and nothing elsewhere may serve it" in told[0]


def test_where_no_rule_could_be_kept_the_answer_says_so() -> None:
    answer = asked(redundancy="two_regions")
    free = replace(answer.setting, problem=replace(answer.setting.problem, spreads=()))

    assert "this is not kept" in spread_sentences(replace(answer, setting=free))[0]


def test_without_the_question_nothing_is_asked_or_said() -> None:
    answer = asked(redundancy="n_plus_1")

    assert answer.setting.problem.spreads == ()
    assert spread_sentences(answer) == []


def test_machines_bought_stand_in_the_users_room() -> None:
    bought = next(
        each.offer for each in asked().setting.options if each.offer.purchase.value == "buy"
    )

    assert place_of(bought) == OWN_ROOM


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
