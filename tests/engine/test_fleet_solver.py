"""The fleet solver: never worse than plain rules, equal to brute force, with a true bound."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.engine.fleet.checking import broken, usd_of
from advisor.engine.fleet.formulation import formulate
from advisor.engine.fleet.greedy import greedy_fleet, single_option_fleet
from advisor.engine.fleet.hourly import solve_by_hours
from advisor.engine.fleet.mip import Limits, solve
from advisor.engine.fleet.problem import FleetProblem, Group, Job, Limit, Whole
from advisor.engine.fleet.solving import solve_exactly, solve_quickly
from advisor.management.bench_fleet import instance

SEEDS = st.integers(0, 10_000)
SURE = 1e-6


def market(seed: int, *, loads: int = 2, jobs: int = 1, options: int = 3) -> FleetProblem:
    """A random small market with live loads, jobs, whole plans and a cost paid once."""
    chance = np.random.default_rng(seed)
    hours = chance.integers(1, 5, 3).astype(float)
    held = chance.random(options) < 0.5
    every = loads + jobs
    option, load = np.tile(np.arange(options), every), np.repeat(np.arange(every), options)
    bucket_load = np.concatenate([np.repeat(np.arange(loads), 2), loads + np.arange(jobs)])
    rate = np.where(bucket_load[:, np.newaxis] == load, chance.uniform(1, 5, (1, len(load))), 0.0)
    rate = rate * chance.uniform(0.5, 1.5, rate.shape) * (chance.random(rate.shape) > 0.1)
    demand = chance.uniform(0.0, 6.0, (len(bucket_load), 3))
    demand[loads * 2 :] = 0.0
    return FleetProblem(
        hours=hours,
        held=held,
        usd=chance.uniform(5, 15, options) * np.where(held, hours.sum() * 0.5, 1.0),
        most=np.full(options, 8.0),
        least=np.zeros(options),
        tables=(np.zeros(0),) * options,
        pool_option=option,
        pool_load=load,
        size=chance.choice([0.5, 1.0, 2.0], len(load)),
        spare=np.where(load < loads, chance.choice([0.0, 1.0], len(load)), 0.0),
        rate=rate,
        usd_per_unit=np.zeros(rate.shape),
        bucket_load=bucket_load,
        demand=demand,
        jobs=tuple(
            Job(load=loads + j, volume=float(chance.uniform(2, 10)), hours=hours * [1, 0, 1])
            for j in range(jobs)
        ),
        wholes=(Whole(load=int(chance.integers(every)), usd=float(chance.uniform(20, 200))),),
        groups=(Group(usd=20.0, pools=np.flatnonzero(option == 0), wholes=np.array([0])),),
    )


def one_bucket(seed: int) -> FleetProblem:
    """Three options, two hours, one bucket: small enough to try every number of machines."""
    chance = np.random.default_rng(seed)
    held = np.array([True, bool(chance.random() < 0.5), False])
    return FleetProblem(
        hours=np.array([3.0, 2.0]),
        held=held,
        usd=chance.uniform(4, 12, 3) * np.where(held, 2.5, 1.0),
        most=np.array([3.0, 3.0, 3.0]),
        least=np.zeros(3),
        tables=(np.zeros(0),) * 3,
        pool_option=np.arange(3),
        pool_load=np.zeros(3, dtype=int),
        size=np.ones(3),
        spare=np.zeros(3),
        rate=chance.uniform(1, 3, (1, 3)),
        usd_per_unit=np.zeros((1, 3)),
        bucket_load=np.zeros(1, dtype=int),
        demand=chance.uniform(0.5, 7.0, (1, 2)),
    )


def brute_force_usd(problem: FleetProblem) -> float:
    """Least cost over every number of machines, hour by hour."""
    counts = range(4)
    best = np.inf
    held = np.flatnonzero(problem.held)
    hourly = np.flatnonzero(~problem.held)
    for machines in itertools.product(counts, repeat=len(held)):
        usd = float(problem.usd[held] @ machines)
        base = float(problem.rate[0, held] @ machines)
        for hour, weight in enumerate(problem.hours):
            rents = [
                weight * float(problem.usd[hourly] @ more)
                for more in itertools.product(counts, repeat=len(hourly))
                if base + problem.rate[0, hourly] @ more >= problem.demand[0, hour] - 1e-9
            ]
            usd += min(rents, default=np.inf)
        best = min(best, usd)
    return best


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_the_fleet_never_costs_more_than_the_greedy_one(seed: int) -> None:
    problem = market(seed)
    greedy = greedy_fleet(problem)
    outcome = solve_exactly(problem)
    assert greedy is None or (outcome.fleet and outcome.fleet.usd <= greedy.usd + SURE)


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_the_quick_search_is_no_dearer_than_greedy_and_no_cheaper_than_its_bound(seed: int) -> None:
    problem = one_bucket(seed)
    greedy, outcome, least = greedy_fleet(problem), solve_quickly(problem), brute_force_usd(problem)
    assert outcome.bound_usd <= least + SURE
    assert greedy is None or (outcome.fleet and outcome.fleet.usd <= greedy.usd + SURE)


@settings(max_examples=15, deadline=None)
@given(SEEDS)
def test_the_fleet_never_costs_more_than_the_best_single_option(seed: int) -> None:
    problem = market(seed, jobs=0)
    single = single_option_fleet(problem)
    outcome = solve_exactly(problem)
    assert single is None or (outcome.fleet and outcome.fleet.usd <= single.usd + SURE)


@settings(max_examples=20, deadline=None)
@given(SEEDS)
def test_the_fleet_equals_brute_force_on_small_questions(seed: int) -> None:
    problem = one_bucket(seed)
    outcome = solve_exactly(problem)
    least = brute_force_usd(problem)
    assert (outcome.fleet is None and least == np.inf) or (
        outcome.fleet is not None and outcome.fleet.usd == pytest.approx(least, rel=2e-4)
    )


@settings(max_examples=20, deadline=None)
@given(SEEDS)
def test_no_fleet_costs_less_than_the_bound(seed: int) -> None:
    problem = one_bucket(seed)
    assert solve_exactly(problem).bound_usd <= brute_force_usd(problem) + SURE


@settings(max_examples=10, deadline=None)
@given(SEEDS)
def test_the_bound_of_the_week_taken_by_hours_is_below_brute_force(seed: int) -> None:
    problem = one_bucket(seed)
    assert solve_by_hours(problem)[1] <= brute_force_usd(problem) + SURE


@settings(max_examples=10, deadline=None)
@given(SEEDS)
def test_a_fleet_made_hour_by_hour_breaks_no_rule(seed: int) -> None:
    problem = replace(market(seed, jobs=0), jobs=(), wholes=(), groups=())
    fleet, _ = solve_by_hours(problem, workers=1)
    assert fleet is None or broken(problem, fleet) == []


@settings(max_examples=15, deadline=None)
@given(SEEDS)
def test_averaged_hours_never_cost_more_than_the_hours_themselves(seed: int) -> None:
    problem = replace(market(seed, jobs=0), jobs=(), wholes=(), groups=())
    weight = problem.hours / problem.hours.sum()
    merged = replace(
        problem,
        hours=problem.hours.sum(keepdims=True),
        demand=(problem.demand @ weight)[:, np.newaxis],
    )
    bound = solve(formulate(merged, whole_hours=False).program, Limits(), relaxed=True).bound
    outcome = solve_exactly(problem)
    assert outcome.fleet is None or bound <= outcome.fleet.usd * (1.0 + SURE)


@settings(max_examples=15, deadline=None)
@given(SEEDS)
def test_every_fleet_of_the_solver_breaks_no_rule(seed: int) -> None:
    problem = market(seed)
    fleet = solve_exactly(problem).fleet
    assert fleet is None or broken(problem, fleet) == []


def test_a_job_runs_in_idle_hours_of_machines_that_are_held_anyway() -> None:
    problem = FleetProblem(
        hours=np.array([12.0, 12.0]),
        held=np.array([True, False]),
        usd=np.array([100.0, 9.0]),
        most=np.array([4.0, 4.0]),
        least=np.zeros(2),
        tables=(np.zeros(0),) * 2,
        pool_option=np.array([0, 1, 0, 1]),
        pool_load=np.array([0, 0, 1, 1]),
        size=np.ones(4),
        spare=np.zeros(4),
        rate=np.array([[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]]),
        usd_per_unit=np.zeros((2, 4)),
        bucket_load=np.array([0, 1]),
        demand=np.array([[1.0, 0.0], [0.0, 0.0]]),
        jobs=(Job(load=1, volume=10.0, hours=np.array([12.0, 12.0])),),
    )
    fleet = solve_exactly(problem).fleet
    assert fleet is not None
    assert usd_of(problem, fleet) == 100.0


def test_a_limit_on_one_provider_moves_machines_to_another() -> None:
    problem = replace(
        one_bucket(1),
        held=np.array([False, False, False]),
        usd=np.array([1.0, 2.0, 9.0]),
        rate=np.ones((1, 3)),
        demand=np.array([[2.0, 2.0]]),
    )
    half = Limit(
        name="most with one provider", per_machine=np.zeros(3),
        per_hour=np.array([0.5, -0.5, -0.5]), per_whole=np.zeros(0), most=0.0,
    )  # fmt: skip
    fleet = solve_exactly(replace(problem, limits=(half,))).fleet
    assert fleet is not None
    assert fleet.used.max(axis=1).tolist() == [1.0, 1.0, 0.0]


def test_stopping_gives_the_best_fleet_so_far() -> None:
    outcome = solve_exactly(market(15), watch=lambda usd, bound: True)
    assert outcome.fleet is not None


def test_the_solver_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    solve_exactly(one_bucket(3))
    assert capfd.readouterr().out == ""


def test_a_small_instance_of_the_benchmark_is_proven_within_three_percent() -> None:
    problem = instance(0, options=12, buckets=6, hours=6)
    fleet, bound = solve_by_hours(problem, workers=1)
    assert fleet is not None
    assert fleet.usd <= bound * 1.03


SHARE = st.floats(0.3, 0.9)


def shared(problem: FleetProblem, most: float, *, sign: float) -> FleetProblem:
    """The first option has at most (1) or at least (-1) a share of all machine-hours."""
    over = sign * (np.array([1.0, 0.0, 0.0]) - most)
    limit = Limit(
        name="share", per_machine=np.where(problem.held, over * problem.hours.sum(), 0.0),
        per_hour=np.where(problem.held, 0.0, over), per_whole=np.zeros(len(problem.wholes)),
        most=0.0,
    )  # fmt: skip
    return replace(problem, limits=(limit,))


@settings(max_examples=20, deadline=None)
@given(SEEDS, SHARE, st.sampled_from([1.0, -1.0]))
def test_a_share_never_lowers_the_cost_and_is_kept(seed: int, most: float, sign: float) -> None:
    free, bound = market(seed), shared(market(seed), most, sign=sign)
    cheap, kept = solve_exactly(free), solve_exactly(bound).fleet
    assert kept is None or (broken(bound, kept) == [] and cheap.bound_usd <= kept.usd + SURE)


@settings(max_examples=10, deadline=None)
@given(SEEDS, SHARE, st.sampled_from([1.0, -1.0]))
def test_a_fleet_with_a_share_equals_brute_force(seed: int, most: float, sign: float) -> None:
    problem = replace(one_bucket(seed), held=np.zeros(3, dtype=bool), hours=np.array([3.0, 2.0]))
    problem = shared(problem, most, sign=sign)
    (limit,) = problem.limits
    counts = np.array(list(itertools.product(range(4), repeat=3)), dtype=float)
    enough = counts @ problem.rate[0] >= problem.demand[0][:, np.newaxis] - 1e-9
    least = np.inf
    for first in counts[enough[0]]:
        second = counts[enough[1]]
        used = 3.0 * first + 2.0 * second
        usd = used @ problem.usd
        least = min(least, usd[used @ limit.per_hour <= 1e-9].min(initial=np.inf))
    fleet = solve_exactly(problem).fleet
    whole = fleet is not None and np.allclose(fleet.used, np.round(fleet.used))
    assert fleet is None or fleet.usd <= least * (1.0 + 2e-4)
    assert not whole or fleet.usd == pytest.approx(least, rel=2e-4)  # type: ignore[union-attr]
