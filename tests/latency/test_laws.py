"""What must hold of any load: more of it never helps, fewer replicas never help."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.engine.calibration import shipped_calibration
from advisor.engine.cases import Floats
from advisor.engine.latency.load import LOADS, load_table
from advisor.engine.latency.outcome import Interval, Outcome, percentile, percentile_interval
from advisor.engine.latency.pool import ROUTERS, Pool
from advisor.engine.latency.served import Served
from advisor.engine.latency.setups import Setup, at_load, outcome_of, when_full, without_one
from advisor.engine.latency.simulator import simulate
from advisor.engine.latency.step_times import StepTimes, steady_steps
from advisor.engine.latency.traffic import Arrivals, Lengths, at_rate, drawn_requests, merged
from advisor.engine.queueing import waiting_time_quantile_s
from advisor.engine.serving.performance import serving_point
from tests.engine.serving_samples import cases, model, part
from tests.latency.test_simulator import requests_at, steps_for
from tests.latency.test_traces import DEMAND

FEW = settings(max_examples=12)
STEPS = steps_for(batch=24, kv_capacity_tokens=20_000.0)


def outcome(rate: float, replicas: int, *, cv: float, seed: int) -> Outcome:
    requests = drawn_requests(
        Arrivals(requests_per_s=rate, cv=cv),
        Lengths(mean_tokens=300.0, p95_tokens=900.0, most_tokens=4000.0),
        Lengths(mean_tokens=60.0, p95_tokens=200.0, most_tokens=900.0),
        count=2_000,
        seed=seed,
    )
    return simulate(requests, Pool(steps=STEPS, replicas=replicas)).settled()


def not_below(more: Interval, less: Interval) -> bool:
    """Whether an estimate is at least another, within what chance explains."""
    return more.value >= less.value - (more.half_width + less.half_width)


def tails(done: Outcome) -> list[Interval]:
    times: list[Floats] = [done.ttft_s, done.tpot_s, done.e2e_s]
    return [percentile_interval(each, share) for each in times for share in (0.5, 0.95, 0.99)]


@FEW
@given(
    rate=st.floats(2.0, 18.0),
    more=st.floats(1.1, 1.8),
    cv=st.floats(0.5, 3.0),
    seed=st.integers(0, 99),
)
def test_percentiles_rise_with_load(rate: float, more: float, cv: float, seed: int) -> None:
    light, heavy = (outcome(each, 2, cv=cv, seed=seed) for each in (rate, rate * more))

    assert all(map(not_below, tails(heavy), tails(light)))


@FEW
@given(rate=st.floats(2.0, 30.0), replicas=st.integers(2, 5), seed=st.integers(0, 99))
def test_losing_a_replica_never_helps(rate: float, replicas: int, seed: int) -> None:
    whole, less = (outcome(rate, count, cv=1.5, seed=seed) for count in (replicas, replicas - 1))

    assert all(map(not_below, tails(less), tails(whole)))


@FEW
@given(peak=st.floats(2.0, 16.0), cv=st.floats(0.5, 3.0), seed=st.integers(0, 99))
def test_nobody_is_served_sooner_at_120_percent_of_the_peak(
    peak: float, cv: float, seed: int
) -> None:
    setup = Setup(served=table_of(STEPS, peak), cv=cv, seed=seed, most_requests=10_000)
    at_peak, beyond = (tails(outcome_of(at_load(setup, load))) for load in (1.0, 1.2))

    assert all(map(not_below, beyond, at_peak))


@FEW
@given(peak=st.floats(2.0, 16.0), cv=st.floats(0.5, 3.0), seed=st.integers(0, 99))
def test_the_peak_with_a_replica_lost_is_never_served_sooner(
    peak: float, cv: float, seed: int
) -> None:
    setup = Setup(served=table_of(STEPS, peak), cv=cv, seed=seed, most_requests=10_000)
    whole, less = (tails(outcome_of(each)) for each in (setup, without_one(setup)))

    assert all(map(not_below, less, whole))


@FEW
@given(limit=st.integers(1, 12), seed=st.integers(0, 99))
def test_a_larger_batch_limit_never_serves_fewer_and_never_quicker_when_full(
    limit: int, seed: int
) -> None:
    setup = Setup(served=table_of(STEPS, 4.0), seed=seed, most_requests=10_000)
    small, large = (when_full(replace(setup, batch_limit=each)) for each in (limit, 2 * limit))

    assert large.requests_per_s >= small.requests_per_s * 0.99
    assert np.nanmean(large.outcome.tpot_s) >= np.nanmean(small.outcome.tpot_s) * 0.99


@FEW
@given(
    limit=st.integers(1, 12),
    load=st.floats(0.2, 0.9),
    cv=st.floats(0.5, 3.0),
    seed=st.integers(0, 99),
)
def test_a_larger_batch_limit_never_waits_longer_for_the_first_token(
    limit: int, load: float, cv: float, seed: int
) -> None:
    few = replace(Setup(served=table_of(STEPS, 1.0), cv=cv, seed=seed), most_requests=10_000)
    few = replace(few, batch_limit=limit)
    few = at_load(few, load * when_full(few).requests_per_s)
    small, large = (
        percentile_interval(outcome_of(each).ttft_s, 0.99)
        for each in (few, replace(few, batch_limit=2 * limit))
    )

    assert not_below(small, large)


@given(
    load=st.floats(0.01, 0.9),
    more=st.floats(1.0, 1.1),
    servers=st.integers(1, 200),
    share=st.sampled_from([0.5, 0.95, 0.99]),
)
def test_the_closed_forms_wait_rises_with_load_exactly(
    load: float, more: float, servers: int, share: float
) -> None:
    light, heavy = waiting_time_quantile_s(
        quantile=share,
        arrivals_per_s=np.array([load, load * more]) * servers,
        service_s=1.0,
        servers=servers,
    )

    assert light <= heavy


@given(
    arrivals=st.floats(0.1, 50.0),
    servers=st.integers(2, 100),
    share=st.sampled_from([0.5, 0.95, 0.99]),
)
def test_the_closed_forms_wait_is_never_shorter_with_a_server_less(
    arrivals: float, servers: int, share: float
) -> None:
    fewer, all_of_them = waiting_time_quantile_s(
        quantile=share,
        arrivals_per_s=arrivals,
        service_s=1.0,
        servers=np.array([servers - 1.0, servers]),
    )

    assert fewer >= all_of_them


@pytest.mark.parametrize("figure", ["ttft_p50_s", "ttft_p99_s", "tpot_p50_s", "tpot_p99_s"])
@pytest.mark.parametrize("slug", ["llama3.1-70b", "deepseek-r1"])
def test_the_closed_forms_percentiles_rise_with_requests_in_flight(figure: str, slug: str) -> None:
    chip = part("nvidia-b200-sxm")
    several = replace(cases(chip, model(slug), rows=60), concurrency=np.geomspace(1.0, 2000.0, 60))

    values = getattr(serving_point(several, shipped_calibration()), figure).value
    assert (np.diff(values) >= 0.0).all()


@pytest.mark.parametrize("router", ROUTERS)
def test_the_same_input_gives_the_same_output(router: str) -> None:
    pool = Pool(steps=STEPS, replicas=3, router=router)
    first, again = (simulate(requests_at(8.0, seed=4), pool) for _ in range(2))

    assert np.array_equal(first.end_s, again.end_s)


def test_a_least_loaded_router_waits_less_than_taking_turns_in_a_burst() -> None:
    requests = requests_at(30.0, seed=5, count=3_000)
    turns, least = (
        simulate(requests, Pool(steps=STEPS, replicas=4, router=router)).settled()
        for router in ("round_robin", "least_loaded")
    )

    assert least.e2e_s.mean() < turns.e2e_s.mean()


def test_a_cached_prefix_shortens_the_first_token() -> None:
    requests = requests_at(8.0, seed=6)
    cold, warm = (
        simulate(requests, Pool(steps=STEPS, replicas=2, prefix_share=share))
        for share in (0.0, 0.6)
    )

    assert warm.ttft_s.mean() < cold.ttft_s.mean()


def test_sessions_find_their_prefix_more_often_when_sent_to_it() -> None:
    requests = drawn_requests(
        Arrivals(requests_per_s=8.0),
        Lengths(mean_tokens=2000.0),
        Lengths(mean_tokens=50.0),
        count=1_000,
        seed=7,
        session_requests=4.0,
    )
    spread, kept = (
        simulate(requests, Pool(steps=STEPS, replicas=8, router=router, prefix_share=0.9))
        for router in ("least_loaded", "prefix_aware")
    )

    assert kept.ttft_s.mean() < 0.8 * spread.ttft_s.mean()


def test_separate_prefill_leaves_decoding_undisturbed() -> None:
    steps = steady_steps(step_s=0.01, max_batch=64, prefill_s=1e-4)
    requests = requests_at(6.0, seed=8)
    together = simulate(requests, Pool(steps=steps, replicas=2)).settled()
    apart = simulate(requests, Pool(steps=steps, prefill=Pool(steps=steps))).settled()

    assert percentile(apart.tpot_s, 0.95) < percentile(together.tpot_s, 0.95)


def test_requests_no_replica_can_hold_are_refused() -> None:
    steps = replace(STEPS, kv_capacity_tokens=1_000.0)
    requests = requests_at(2.0, seed=9)
    done = simulate(requests, Pool(steps=steps))

    too_long = requests.prompt_tokens + requests.output_tokens > 1_000
    assert np.array_equal(done.refused, too_long)


def test_a_busy_hour_of_the_day_gets_its_share_of_arrivals() -> None:
    hourly = (1.0,) * 12 + (3.0,) * 12
    at = Arrivals(requests_per_s=0.05, hourly=hourly).draw(40_000, np.random.default_rng(1))
    whole_days = at[at < 86_400 * (at[-1] // 86_400)]

    afternoon = float(((whole_days % 86_400) >= 43_200).mean())
    assert afternoon == pytest.approx(0.75, abs=0.01)


def test_gamma_gaps_have_the_burstiness_asked_for() -> None:
    at = Arrivals(requests_per_s=4.0, cv=3.0).draw(50_000, np.random.default_rng(2))
    gaps = np.diff(at)

    assert (gaps.mean(), gaps.std() / gaps.mean()) == pytest.approx((0.25, 3.0), rel=0.05)


def test_lengths_have_the_mean_and_the_95th_percentile_asked_for() -> None:
    drawn = Lengths(mean_tokens=800.0, p95_tokens=2000.0).draw(50_000, np.random.default_rng(3))

    assert (drawn.mean(), np.quantile(drawn, 0.95)) == pytest.approx((800.0, 2000.0), rel=0.02)


def test_streams_merge_in_the_order_of_arrival() -> None:
    both, stream = merged([requests_at(3.0, seed=1), at_rate(requests_at(3.0, seed=2), 2.0)])

    assert (bool((np.diff(both.arrival_s) >= 0.0).all()), np.bincount(stream).tolist()) == (
        True,
        [300, 300],
    )


def table_of(steps: StepTimes, rate: float) -> Served:
    demand = replace(
        DEMAND,
        requests_per_s_peak=rate,
        input_tokens=300.0,
        output_tokens=60.0,
        slo=replace(DEMAND.slo, percentile=0.95, ttft_s=0.5),
    )
    return Served(steps=steps, batch_limit=steps.max_batch, replicas=2, demand=demand)


def test_the_load_table_finds_where_the_targets_stop_to_hold() -> None:
    table = load_table(Setup(served=table_of(STEPS, 20.0), most_requests=10_000))

    kept = [row.load for row in table.curve if row.meets]
    lost = [row.load for row in table.curve if not row.meets]
    assert (len(table.rows), max(kept), min(lost) > max(kept)) == (len(LOADS), table.goodput, True)


def test_above_its_capacity_a_load_does_not_settle() -> None:
    table = load_table(Setup(served=table_of(STEPS, 500.0)), with_knee=False)

    assert [row.settles for row in table.rows[-2:]] == [False, False]
