"""Fleets of another objective than least cost: never worse in it, equal to brute force, proven."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.engine.fleet.aims import Aim, finish_share, solve_aim, value_of
from advisor.engine.fleet.checking import broken, priced
from advisor.engine.fleet.measures import Measure, measured
from advisor.engine.fleet.mip import Limits
from advisor.engine.fleet.problem import Fleet, FleetProblem, Job
from advisor.engine.fleet.solving import solve_exactly
from tests.engine.test_fleet_solver import SEEDS, SURE, market, one_bucket

MORE = st.floats(1.0, 2.0)
PROOF = Limits(gap=1e-6)


def slowness(problem: FleetProblem, seed: int) -> Measure:
    """A time of its own for each pool and plan, a mean over all traffic."""
    chance = np.random.default_rng(seed + 1)
    live = ~np.isin(problem.pool_load, sorted(problem.job_loads))
    weekly = max(float((problem.demand @ problem.hours).sum()), 1e-9)
    each = np.where(live, chance.uniform(0.2, 1.0, len(live)), 0.0)
    none = np.zeros(len(problem.held))
    return Measure(
        per_machine=none, per_hour=none,
        per_unit=np.broadcast_to(each / weekly, problem.rate.shape),
        per_whole=chance.uniform(0.2, 1.0, len(problem.wholes)),
    )  # fmt: skip


def service(problem: FleetProblem, seed: int, budget: float | None) -> Aim:
    measure = slowness(problem, seed)
    return Aim(
        of_usd=1e-6, measures={"latency": measure}, weights={"latency": 1.0}, budget_usd=budget
    )


@settings(max_examples=10, deadline=None)
@given(SEEDS, MORE)
def test_the_fleet_is_never_worse_in_its_objective_than_the_one_of_least_cost(
    seed: int, more: float
) -> None:
    problem = market(seed)
    least = solve_exactly(problem)
    if least.fleet is None:
        return
    aim = service(problem, seed, least.fleet.usd * more)
    found = solve_aim(problem, aim, least, Limits())

    assert found is not None
    assert found.value <= value_of(problem, least.fleet, aim) + SURE


@settings(max_examples=10, deadline=None)
@given(SEEDS, MORE)
def test_the_fleet_keeps_the_budget_and_every_rule(seed: int, more: float) -> None:
    problem = market(seed)
    least = solve_exactly(problem)
    if least.fleet is None:
        return
    found = solve_aim(problem, service(problem, seed, least.fleet.usd * more), least, Limits())

    assert found is not None
    assert broken(problem, found.fleet) == []
    assert found.fleet.usd <= least.fleet.usd * more + 1e-3


def test_a_search_stopped_before_its_first_bound_still_has_one() -> None:
    problem = market(1)
    least = solve_exactly(problem)
    assert least.fleet is not None
    aim = service(problem, 1, least.fleet.usd * 2.0)
    found = solve_aim(problem, aim, least, Limits(seconds=1e-9))

    assert found is not None
    assert 0.0 <= found.bound <= found.value
    assert 0.0 <= found.gap <= 1.0


def every_fleet(problem: FleetProblem) -> list[Fleet]:
    """Each fleet of `one_bucket` that rents, with traffic on the quickest machines it has."""
    counts = np.array(list(itertools.product(range(4), repeat=3)), dtype=float)
    enough = [
        counts[counts @ problem.rate[0] >= need - 1e-9] for need in problem.demand[0]
    ]  # fmt: skip
    return [
        _filled(problem, np.stack([first, second], axis=1))
        for first in enough[0]
        for second in enough[1]
    ]


def _filled(problem: FleetProblem, used: np.ndarray) -> Fleet:
    served = np.zeros((1, 3, 2))
    for hour in range(2):
        left = float(problem.demand[0, hour])
        for pool in range(3):  # in order of slowness
            served[0, pool, hour] = min(left, used[pool, hour] * problem.rate[0, pool])
            left -= served[0, pool, hour]
    fleet = Fleet(
        machines=np.zeros(3), used=used, replicas=used, served=served, whole=np.zeros(0), usd=0.0
    )
    return priced(problem, fleet)


def rented(seed: int) -> tuple[FleetProblem, Measure]:
    problem = replace(one_bucket(seed), held=np.zeros(3, dtype=bool))
    measure = slowness(problem, seed)
    ordered = np.sort(measure.per_unit[0])
    return problem, replace(measure, per_unit=ordered[np.newaxis])


@settings(max_examples=8, deadline=None)
@given(SEEDS, MORE)
def test_the_best_service_equals_brute_force_on_small_questions(seed: int, more: float) -> None:
    problem, measure = rented(seed)
    least = solve_exactly(problem, PROOF)
    if least.fleet is None:
        return
    budget = least.fleet.usd * more
    aim = Aim(of_usd=0.0, measures={"l": measure}, weights={"l": 1.0}, budget_usd=budget)
    found = solve_aim(problem, aim, least, PROOF)
    best = min(
        value_of(problem, fleet, aim) for fleet in every_fleet(problem) if fleet.usd <= budget
    )

    assert found is not None
    assert found.value == pytest.approx(best, rel=1e-4)


@settings(max_examples=8, deadline=None)
@given(SEEDS, MORE, st.floats(0.1, 0.9))
def test_no_fleet_of_all_is_better_than_the_bound(seed: int, more: float, of_cost: float) -> None:
    problem, measure = rented(seed)
    least = solve_exactly(problem, PROOF)
    if least.fleet is None:
        return
    budget = least.fleet.usd * more
    aim = Aim(
        of_usd=of_cost / least.fleet.usd, measures={"l": measure}, weights={"l": 1.0 - of_cost},
        budget_usd=budget,
    )  # fmt: skip
    found = solve_aim(problem, aim, least, Limits(nodes=1))
    best = min(
        value_of(problem, fleet, aim) for fleet in every_fleet(problem) if fleet.usd <= budget
    )

    assert found is not None
    assert found.bound <= best + SURE


def test_a_budget_that_nothing_keeps_finds_no_fleet() -> None:
    problem = one_bucket(3)
    least = solve_exactly(problem)
    assert least.fleet is not None
    aim = service(problem, 3, least.bound_usd * 0.5)

    assert solve_aim(problem, aim, least, Limits()) is None


def job_in_four_parts() -> FleetProblem:
    """A job of 8 replica-hours in 8 hours: one cheap machine all along, or dear ones at once."""
    hours = np.full(4, 2.0)
    return FleetProblem(
        hours=hours,
        held=np.zeros(2, dtype=bool),
        usd=np.array([1.0, 3.0]),
        most=np.array([1.0, 3.0]),
        least=np.zeros(2),
        tables=(np.zeros(0),) * 2,
        pool_option=np.arange(2),
        pool_load=np.zeros(2, dtype=int),
        size=np.ones(2),
        spare=np.zeros(2),
        rate=np.ones((1, 2)),
        usd_per_unit=np.zeros((1, 2)),
        bucket_load=np.zeros(1, dtype=int),
        demand=np.zeros((1, 4)),
        jobs=(Job(load=0, volume=8.0, hours=hours, slots=np.diag(hours)),),
    )


@pytest.mark.parametrize(
    ("budget", "share"), [(None, 0.25), (24.0, 0.25), (20.0, 0.25), (12.0, 0.75), (8.0, 1.0)]
)
def test_the_earliest_finish_is_what_the_budget_buys(budget: float | None, share: float) -> None:
    """In the first part 1 + 3 machines do all 8 hours for 2 x 1 + 6 x 3 = 20 USD.

    For 12 USD the dear ones may do 2 of them, and the cheap one 6 in three parts.
    """
    problem = job_in_four_parts()
    least = solve_exactly(problem)
    aim = Aim(of_usd=1e-6, of_finish=1.0, budget_usd=budget)
    found = solve_aim(problem, aim, least, PROOF)

    assert found is not None
    assert finish_share(problem, found.fleet) == pytest.approx(share)


def test_a_run_that_cannot_be_parted_keeps_to_one_replica() -> None:
    problem = job_in_four_parts()
    (job,) = problem.jobs
    alone = replace(problem, jobs=(replace(job, at_once=1.0),))
    found = solve_aim(alone, Aim(of_usd=1e-6, of_finish=1.0), solve_exactly(alone), PROOF)

    assert found is not None
    assert finish_share(alone, found.fleet) == 1.0


def test_a_measure_is_the_sum_over_its_parts() -> None:
    problem = one_bucket(2)
    fleet = solve_exactly(problem).fleet
    assert fleet is not None
    machine_hours = Measure(
        per_machine=np.full(3, problem.hours.sum()), per_hour=np.ones(3),
        per_unit=np.zeros((1, 3)), per_whole=np.zeros(0),
    )  # fmt: skip
    by_hand = fleet.machines.sum() * problem.hours.sum() + (fleet.used @ problem.hours).sum()

    assert measured(problem, fleet, machine_hours) == pytest.approx(by_hand)
