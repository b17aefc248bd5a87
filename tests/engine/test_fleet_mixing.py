"""Parts of the traffic where they cost least: hosted models by the hour, parts by request size."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.engine.fleet.answering import FleetAnswer, quick_fleet
from advisor.engine.fleet.checking import broken, usd_of
from advisor.engine.fleet.formulation import formulate
from advisor.engine.fleet.greedy import greedy_fleet, single_option_fleet
from advisor.engine.fleet.metered import Meter, known_limit, meters_of, with_meters
from advisor.engine.fleet.mip import Limits, solve
from advisor.engine.fleet.percentiles import checked
from advisor.engine.fleet.problem import FleetProblem
from advisor.engine.fleet.setting import setting_of
from advisor.engine.fleet.sizes import size_classes, size_classes_of_one
from advisor.engine.fleet.solving import solve_exactly
from advisor.engine.fleet.telling import fleet_document, fleet_items
from advisor.engine.search.hosted import hosted_offers
from advisor.engine.search.river import software_month
from advisor.services.advice import Worked
from catalog.specs import OfferSpec
from tests.engine.test_fleet_answer import answered, speeds
from tests.engine.test_fleet_solver import market, one_bucket

SEEDS = st.integers(0, 10_000)
SURE = 1e-6
EVERYWHERE = ["public_cloud", "neocloud", "managed_api"]


@cache
def chat() -> Worked:
    return answered("chatbot_1m", users_total_k=5000.0, deployment_allowed=EVERYWHERE)


@cache
def an_offer() -> OfferSpec:
    return hosted_offers(chat().priced[0])[0]


def meter(load: int, usd: float, *, limit: float | None = None, sizes: int = 1) -> Meter:
    return Meter(
        offer=an_offer(), load=load, usd=usd, of_size=np.ones(sizes), people_usd=0.0,
        requests_per_s=limit,
    )  # fmt: skip


def weekly(problem: FleetProblem) -> Any:
    units = np.zeros(problem.loads)
    np.add.at(units, problem.bucket_load, problem.demand @ problem.hours)
    for job in problem.jobs:
        units[job.load] += job.volume
    return units


def with_api(
    problem: FleetProblem, seed: int, *, limit: float | None = None, sizes: int = 2
) -> FleetProblem:
    """The same question where each load may go to an API at a price drawn from the market's."""
    chance = np.random.default_rng(seed + 1)
    meters = [
        meter(load, float(chance.uniform(10, 120)), limit=limit,
              sizes=int((problem.bucket_load == load).sum()))
        for load in range(problem.loads)
    ]  # fmt: skip
    return with_meters(problem, meters, weekly(problem))


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, limit=st.sampled_from([None, 1.0, 4.0]))
def test_a_hosted_model_never_makes_a_fleet_dearer(seed: int, limit: float | None) -> None:
    plain = solve_exactly(market(seed), Limits(gap=SURE)).fleet
    mixed = solve_exactly(with_api(market(seed), seed, limit=limit), Limits(gap=SURE)).fleet

    assert mixed is None or plain is None or mixed.usd <= plain.usd * (1.0 + 1e-4)
    assert (mixed is None) <= (plain is None)


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, limit=st.sampled_from([None, 1.0, 4.0]))
def test_a_mixed_fleet_is_never_worse_than_plain_rules_and_breaks_none(
    seed: int, limit: float | None
) -> None:
    problem = with_api(market(seed), seed, limit=limit)
    outcome = solve_exactly(problem, Limits(gap=SURE))
    others = [greedy_fleet(problem), single_option_fleet(problem)]

    if outcome.fleet is None:
        assert others == [None, None]
        return
    assert broken(problem, outcome.fleet) == []
    assert outcome.bound_usd <= outcome.fleet.usd * (1.0 + SURE)
    assert all(each is None or outcome.fleet.usd <= each.usd + SURE for each in others)
    assert usd_of(problem, outcome.fleet) == pytest.approx(outcome.fleet.usd)


def brute_force_with_api(problem: FleetProblem, per_unit: float, limit: float) -> float:
    """Least cost over every number of machines, the API taking what they cannot, to its limit."""
    counts = np.stack(np.meshgrid(*[np.arange(4)] * 3), axis=-1).reshape(-1, 3)
    best = np.inf
    for held in np.unique(counts * problem.held, axis=0):
        usd = float(problem.usd @ held)
        for hour, weight in enumerate(problem.hours):
            rent = counts[((counts * problem.held) == 0).all(axis=1)]
            left = np.maximum(problem.demand[0, hour] - (rent + held) @ problem.rate[0], 0.0)
            cost = weight * (rent @ problem.usd + left * per_unit)
            usd += float(np.where(left <= limit + 1e-9, cost, np.inf).min())
        best = min(best, usd)
    return best


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, usd=st.floats(5.0, 60.0), limit=st.sampled_from([None, 1.0, 3.0]))
def test_machines_and_an_api_together_equal_brute_force(
    seed: int, usd: float, limit: float | None
) -> None:
    alone = one_bucket(seed)
    problem = with_meters(alone, [meter(0, usd, limit=limit)], weekly(alone))
    found = solve_exactly(problem, Limits(gap=SURE)).fleet
    per_unit = usd / float(weekly(alone)[0])
    best = brute_force_with_api(alone, per_unit, np.inf if limit is None else limit)

    assert (np.inf if found is None else found.usd) == pytest.approx(best, rel=1e-4)


@settings(max_examples=15, deadline=None)
@given(seed=SEEDS)
def test_the_relaxation_with_an_api_is_a_true_bound(seed: int) -> None:
    problem = with_api(market(seed), seed)
    relaxed = solve(formulate(problem).program, Limits(), relaxed=True)
    found = solve_exactly(problem, Limits(gap=SURE)).fleet

    assert found is None or relaxed.bound <= found.usd * (1.0 + SURE)


def peaked(limit: float | None) -> FleetProblem:
    """A cheap machine that is held and a dear API, with one hour in ten far above the rest."""
    alone = replace(
        one_bucket(1),
        hours=np.array([150.0, 18.0]),
        held=np.array([True, False, False]),
        usd=np.array([100.0, 9.0, 9.0]),
        most=np.array([10.0, 0.0, 0.0]),
        rate=np.array([[1.0, 1.0, 1.0]]),
        demand=np.array([[2.0, 5.0]]),
    )
    per_unit = 1.0
    return with_meters(
        alone, [meter(0, per_unit * float(weekly(alone)[0]), limit=limit)], weekly(alone)
    )


def test_the_peak_overflows_to_the_api_and_the_base_stays_on_what_is_held() -> None:
    found = solve_exactly(peaked(None), Limits(gap=SURE)).fleet
    assert found is not None
    assert found.machines[0] == 2
    assert found.served[0, -1].tolist() == pytest.approx([0.0, 3.0])


def test_a_known_rate_limit_holds_in_the_busiest_hour() -> None:
    found = solve_exactly(peaked(1.0), Limits(gap=SURE)).fleet
    assert found is not None
    assert found.machines[0] == 4
    assert found.served[0, -1].max() == pytest.approx(1.0)


def small_and_large(demand: tuple[float, float]) -> FleetProblem:
    """Two parts with figures like those that Mélange reports for A10G and A100 80 GB.

    Per dollar the small part leads by 2.6 at short requests and trails by 1.5 at long ones:
    M. Griggs et al., arXiv:2404.14527, on request size.
    """
    usd = np.array([1.01, 3.67])
    large = np.array([8.0, 1.0])  # requests a second of the large part: short, long
    per_usd = np.stack([large / usd[1] * [2.6, 1.0 / 1.5], large / usd[1]], axis=1)
    return FleetProblem(
        hours=np.array([168.0]),
        held=np.zeros(2, dtype=bool),
        usd=usd,
        most=np.full(2, 1000.0),
        least=np.zeros(2),
        tables=(np.zeros(0),) * 2,
        pool_option=np.arange(2),
        pool_load=np.zeros(2, dtype=np.int64),
        size=np.ones(2),
        spare=np.zeros(2),
        rate=per_usd * usd,
        usd_per_unit=np.zeros((2, 2)),
        bucket_load=np.zeros(2, dtype=np.int64),
        demand=np.array(demand)[:, np.newaxis],
    )


def test_a_cheap_small_part_takes_short_requests_and_a_large_one_long_ones() -> None:
    problem = small_and_large((400.0, 40.0))
    found = solve_exactly(problem, Limits(gap=SURE)).fleet
    single = single_option_fleet(problem)
    assert found is not None
    assert single is not None
    share = found.served[:, :, 0] / problem.demand
    assert share[0, 0] > 0.95
    assert share[1, 1] > 0.95
    assert found.usd < 0.8 * single.usd


def test_parts_are_fast_at_different_sizes_so_different_ones_may_win() -> None:
    done = chat()
    asked = setting_of(done.question, done.priced, done.decisions, speeds=speeds(done))
    assert asked is not None
    own = [number for number, pool in enumerate(asked.pools) if pool.row >= 0]
    rate = asked.problem.rate[:, own]
    whole = rate[:, (rate > 0.0).all(axis=0)]
    lean = whole[0] / whole[-1]
    assert lean.max() / lean.min() > 1.2


@cache
def mixed_chat() -> FleetAnswer:
    done = chat()
    asked = setting_of(done.question, done.priced, done.decisions, speeds=speeds(done))
    assert asked is not None
    found = quick_fleet(asked, done.decisions)
    assert found is not None
    return found


def test_a_large_consumer_chat_that_may_use_an_api_is_cheapest_as_a_mix() -> None:
    assert mixed_chat().is_hybrid
    assert ("hosted", "hosted_tokens") in mixed_chat().kinds


def test_the_bill_of_a_mix_agrees_with_the_solver_and_adds_up() -> None:
    answer = mixed_chat()
    assert broken(answer.setting.problem, answer.fleet) == []
    assert answer.bill.total_usd == pytest.approx(answer.fleet.usd, rel=0.005)
    lines: Any = fleet_document(answer)["lines"]
    assert round(sum(line["usd"] for line in lines), 2) == answer.bill.total_usd


def test_an_api_for_the_whole_load_costs_what_its_own_plan_costs() -> None:
    done = answered("startup_bursty_api")
    asked = setting_of(done.question, done.priced, done.decisions)
    assert asked is not None
    found = quick_fleet(asked, done.decisions)
    plan = done.decisions[0].recommended
    assert found is not None
    assert plan is not None
    assert plan.purchase == "hosted_tokens"
    assert found.bill.total_usd == pytest.approx(plan.value("total_cost_usd"), abs=0.05)


def test_what_goes_to_the_api_is_shown_by_the_hour_and_has_no_machines() -> None:
    document: Any = fleet_document(mixed_chat())
    hosted = [series for series in document["traffic"] if series["hosted"]]
    assert max(hosted[0]["per_s"]) > 0.0
    assert len(hosted[0]["per_s"]) == 168
    items = [item for item in fleet_items(mixed_chat()) if item.purchase == "hosted_tokens"]
    assert [item.count for item in items] == [0] * len(items)


def test_the_traffic_shown_is_all_that_is_asked_in_every_hour() -> None:
    answer = mixed_chat()
    document: Any = fleet_document(answer)
    serving = answer.setting.priced[0].workload.serving
    assert serving is not None
    sent = np.sum([series["per_s"] for series in document["traffic"]], axis=0)
    asked = answer.setting.problem.demand.sum(axis=0)[answer.setting.kind_of_hour]
    assert sent == pytest.approx(asked / (1.0 + serving.headroom_fraction), rel=1e-3)


def test_the_latency_of_a_hosted_part_stays_unknown_and_is_said() -> None:
    done, answer = chat(), mixed_chat()
    found = checked(
        answer.setting, answer.fleet, calibration=done.calibration,
        software_month=software_month(done.snapshot),
    )  # fmt: skip
    hosted = [check for check in found.pools if check.note]
    assert [(check.ttft_s, "unverified" in check.note) for check in hosted] == [(None, True)]


def test_without_leave_for_an_api_no_traffic_goes_there() -> None:
    done = answered("chatbot_1m")
    assert meters_of(done.priced, [size_classes_of_one()]) == []


def test_long_requests_cost_more_by_the_token_and_the_mix_costs_the_same() -> None:
    done = chat()
    sizes = size_classes(done.priced[0].workload)
    for each in meters_of(done.priced, [sizes]):
        share = np.array([size.share for size in sizes])
        assert float(each.of_size @ share) == pytest.approx(1.0)
        assert each.of_size[-1] > each.of_size[0]


def test_only_a_published_limit_is_known() -> None:
    rates = chat().rates
    limits = {o.provider: known_limit(o, rates) for o in hosted_offers(chat().priced[0])}
    assert limits["fireworks"] == pytest.approx(100.0)
    assert limits["together"] is None
