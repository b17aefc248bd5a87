"""Logs of real requests: how they are read, refused, replayed, and what they need."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from advisor.engine.calibration import shipped_calibration
from advisor.engine.latency.fewest import fewest_replicas
from advisor.engine.latency.load import LoadRow, load_row, missed_targets
from advisor.engine.latency.model_steps import steps_of_cases
from advisor.engine.latency.poisson import UnderPoisson, under_poisson
from advisor.engine.latency.published import PUBLISHED, published_trace
from advisor.engine.latency.served import Served
from advisor.engine.latency.setups import Setup, outcome_of, when_full
from advisor.engine.latency.traces import BadTrace, read_trace
from advisor.engine.workload import ServingDemand, Slo
from tests.engine.serving_samples import cases, model, part

AZURE = "TIMESTAMP,ContextTokens,GeneratedTokens\n" + "\n".join(
    f"2023-11-16 18:17:{second:02d}.9799600,{4808 + second},10" for second in range(30)
)
MOONCAKE = "\n".join(
    f'{{"timestamp": {3000 * (i // 3)}, "input_length": 6758, "output_length": 5, "hash_ids": [1]}}'
    for i in range(30)
)
PLAIN = "arrival_offset_s,prompt_tokens,output_tokens\n" + "\n".join(
    f"{i}.5,{i + 1},2" for i in range(30)
)


def test_azures_format_is_read_from_zero_on() -> None:
    assert read_trace(AZURE).arrival_s[:3].tolist() == pytest.approx([0.0, 1.0, 2.0])


def test_mooncakes_requests_of_one_tick_are_spread_over_it() -> None:
    assert read_trace(MOONCAKE).arrival_s[:4].tolist() == pytest.approx([0.0, 1.0, 2.0, 3.0])


def test_plain_csv_keeps_lengths_with_their_requests() -> None:
    assert read_trace(PLAIN).prompt_tokens.tolist() == list(range(1, 31))


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("time,in,out\n1,2,3", 1, "no column arrival_offset_s"),
        (PLAIN + "\nsoon,1,2", 32, "'soon' is not a number"),
        (PLAIN + "\n40,-1,2", 32, "'-1' is not a count of tokens"),
        (PLAIN + "\n40,1.5,2", 32, "'1.5' is not a count of tokens"),
        (PLAIN + "\nnan,1,2", 32, "'nan' is not a finite number"),
        (PLAIN + "\n40,1", 32, "fewer columns"),
        (PLAIN + "\n40,0,0", 32, "without any token"),
        (MOONCAKE + "\n{", 31, "no JSON object"),
        (MOONCAKE + '\n{"timestamp": 1}', 31, "there is no input_length"),
        (AZURE.replace("18:17:05", "yesterday"), 7, "is not a time such as"),
        ("arrival_offset_s,prompt_tokens,output_tokens\n1,2,3", 0, "too few"),
        ("", 1, "no column"),
    ],
)
def test_a_bad_log_is_refused_by_line_with_the_reason(text: str, line: int, says: str) -> None:
    with pytest.raises(BadTrace) as refused:
        read_trace(text)

    assert [(each.line, says in each.message) for each in refused.value.problems] == [(line, True)]


def test_every_mistake_up_to_ten_is_told_at_once() -> None:
    with pytest.raises(BadTrace) as refused:
        read_trace(PLAIN + "\nx,1,2" * 15)

    assert len(refused.value.problems) == 10


def test_a_replay_has_the_rate_asked_for_and_the_traces_gaps() -> None:
    trace = published_trace("azure2023_code")
    played = trace.replayed(requests_per_s=20.0, count=10_000)

    gaps = np.diff(played.arrival_s[:5000])
    assert (played.requests_per_s, float(gaps.std() / gaps.mean())) == pytest.approx(
        (20.0, trace.gap_cv), rel=0.02
    )


def test_the_code_trace_is_as_bursty_as_published() -> None:
    # The whole hour has a CV of 13.2; the shipped half of it a little more.
    assert published_trace("azure2023_code").gap_cv == pytest.approx(13.7, abs=0.1)


@cache
def served(ttft_s: float, tpot_s: float) -> Served:
    """Llama 3.1 70B on four H100, targets at the 99th percentile."""
    one = cases(part("nvidia-h100-sxm"), model("llama3.1-70b"), tensor=4)
    return Served(
        steps=steps_of_cases(one, shipped_calibration(), batch_limit=64)[0],
        batch_limit=64,
        replicas=1,
        demand=replace(DEMAND, slo=Slo(percentile=0.99, ttft_s=ttft_s, tpot_s=tpot_s)),
    )


DEMAND = ServingDemand(
    model=model("llama3.1-70b"), unit="request", requests_per_s_mean=1.0, requests_per_s_peak=1.0,
    input_tokens=1000.0, output_tokens=500.0, input_tokens_p95=1000.0, output_tokens_p95=500.0,
    prefix_cached_fraction=0.0, max_context_tokens=128_000.0, samples_per_request=1.0,
    active_hours_per_month=730.0, requests_per_month=1e6, burstiness_cv=1.0,
    growth_per_month=0.0, growth_stops_month=0, slo=Slo(), is_batch=False, batch_window_s=None,
    scale_to_zero=False, cold_start_limit_s=None, availability=0.99, redundancy="none",
    headroom_fraction=0.0, precision="fp8", kv_precision="bf16",
)  # fmt: skip
TARGETS = {  # p99 seconds to the first token and for each further one
    "azure2023_conv": (1.0, 0.05),
    "azure2023_code": (1.5, 0.1),
    "mooncake_conversation": (15.0, 0.2),
    "mooncake_synthetic": (15.0, 0.3),
}
RATES = {
    "azure2023_conv": 50.0,
    "azure2023_code": 20.0,
    "mooncake_conversation": 4.0,
    "mooncake_synthetic": 4.0,
}


@cache
def sized(slug: str) -> tuple[Setup, int]:
    """A set-up that replays a published trace, and the replicas the app gives it."""
    setup = Setup(
        served=served(*TARGETS[slug]), trace=published_trace(slug), replicas=1, load=RATES[slug]
    )
    capacity = when_full(setup).requests_per_s
    found = fewest_replicas(setup, capacity_requests_per_s=capacity)
    assert found is not None
    return setup, found


def missed(setup: Setup, replicas: int) -> tuple[str, ...] | None:
    return missed_targets(outcome_of(replace(setup, replicas=replicas)), setup.served.demand.slo)


@pytest.mark.parametrize("slug", PUBLISHED)
def test_real_traffic_needs_four_replicas_or_more_here(slug: str) -> None:
    assert sized(slug)[1] >= 4


@pytest.mark.parametrize("slug", PUBLISHED)
def test_a_plan_sized_for_a_real_trace_meets_its_p99(slug: str) -> None:
    setup, replicas = sized(slug)

    assert missed(setup, replicas) == ()


@pytest.mark.parametrize("slug", PUBLISHED)
def test_one_replica_fewer_misses_it(slug: str) -> None:
    setup, replicas = sized(slug)

    assert missed(setup, replicas - 1) != ()


def test_conversations_arrive_nearly_at_random() -> None:
    setup, replicas = sized("azure2023_conv")
    even = replace(setup, trace=published_trace("azure2023_conv").at_random(seed=1))
    capacity = when_full(even).requests_per_s

    found = fewest_replicas(even, capacity_requests_per_s=capacity)
    assert found == pytest.approx(replicas, abs=1)


def compared(slug: str) -> tuple[LoadRow, UnderPoisson]:
    """A trace on the replicas it needs, and the same with Poisson arrivals."""
    setup, replicas = sized(slug)
    setup = replace(setup, replicas=replicas)
    capacity = when_full(setup).requests_per_s
    even = under_poisson(setup, capacity_requests_per_s=capacity)
    assert even is not None
    return load_row(setup, capacity=capacity), even


def test_poisson_arrivals_keep_the_rate_of_the_trace() -> None:
    own, even = compared("azure2023_code")

    assert even.row.requests_per_s == own.requests_per_s


@pytest.mark.parametrize(("figure", "times"), [("ttft_p99_s", 1.3), ("tpot_p99_s", 5.0)])
def test_poisson_arrivals_underestimate_the_p99_of_the_code_trace(
    figure: str, times: float
) -> None:
    own, even = compared("azure2023_code")

    assert own.figures[figure].value > times * even.row.figures[figure].value


def test_a_pool_sized_for_poisson_arrivals_is_too_small_for_the_code_trace() -> None:
    setup, replicas = sized("azure2023_code")
    _, even = compared("azure2023_code")

    assert even.fewest_replicas is not None
    assert missed(setup, even.fewest_replicas) != ()
    assert 2 * even.fewest_replicas < replicas


def test_bursty_arrivals_wait_longer_than_poisson_ones() -> None:
    setup = Setup(served=served(1.0, 0.05), replicas=2, load=8.0, cv=3.0)
    capacity = when_full(setup).requests_per_s
    even = under_poisson(setup, capacity_requests_per_s=capacity)

    assert even is not None
    own = load_row(setup, capacity=capacity).figures["ttft_p99_s"]
    assert own.low > even.row.figures["ttft_p99_s"].high


def test_poisson_arrivals_are_not_compared_with_themselves() -> None:
    setup = Setup(served=served(1.0, 0.05), replicas=2, load=8.0, cv=1.0)

    assert under_poisson(setup, capacity_requests_per_s=1e3) is None


def test_at_the_peak_the_traces_busiest_minute_comes_at_the_peak_rate() -> None:
    trace = published_trace("azure2023_code")
    setup = Setup(
        served=served(1.0, 0.05), trace=trace, trace_peak=trace.busiest_minute[1], load=10.0
    )

    assert setup.requests_per_s * trace.busiest_minute[1] == pytest.approx(10.0)
