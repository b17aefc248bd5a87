"""Serving points: what holds whatever the parameters are."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.engine.calibration import DEFAULT_CALIBRATION, shipped_calibration
from advisor.engine.cases import Bools, Floats, InferenceCases
from advisor.engine.serving.parameters import AMOUNTS, NO_OFFSETS, USES, parameter_columns
from advisor.engine.serving.performance import (
    SteadyState,
    highest_concurrency,
    serving_parameters,
    serving_point,
    steady_state,
    with_concurrency,
)
from catalog.specs import PRECISIONS, AcceleratorSpec, ModelSpec
from tests.engine.serving_samples import cases, faster, model, part

CALIBRATIONS = {"defaults": DEFAULT_CALIBRATION, "shipped": shipped_calibration()}
PARTS = [
    part(slug)
    for slug in ("nvidia-h100-sxm", "nvidia-l40s", "amd-mi300x", "intel-gaudi3", "google-tpu-v5e")
]
MODELS = [model(slug) for slug in ("llama3.1-8b", "llama3.1-70b", "mixtral-8x7b", "deepseek-r1")]
RATES = ("flops", "memory_bandwidth_bytes_per_s", "scale_up_bytes_per_s", "usable_memory_bytes")
TOLERANCE = 1.0 + 1e-9

settings.register_profile("serving", max_examples=60, deadline=None)
settings.load_profile("serving")


@given(
    accelerator=st.sampled_from(PARTS),
    language_model=st.sampled_from(MODELS),
    field=st.sampled_from(RATES),
    factor=st.floats(1.0, 8.0),
    tensor=st.sampled_from((1, 2, 4, 8)),
    concurrency=st.floats(1.0, 512.0),
    tokens=st.floats(16.0, 16_000.0),
    calibration=st.sampled_from(sorted(CALIBRATIONS)),
)
def test_more_of_any_resource_is_never_slower(
    accelerator: AcceleratorSpec,
    language_model: ModelSpec,
    field: str,
    factor: float,
    tensor: int,
    concurrency: float,
    tokens: float,
    calibration: str,
) -> None:
    if getattr(accelerator, field, 1.0) is None:
        return
    better = faster(accelerator, field=field, factor=factor)
    first, second = (
        serving_point(
            cases(p, language_model, tensor=tensor, concurrency=concurrency, input_tokens=tokens),
            CALIBRATIONS[calibration],
        )
        for p in (accelerator, better)
    )
    rates = (p.output_tokens_per_s.value[0] for p in (second, first))
    assert next(rates) * TOLERANCE >= next(rates)


@given(
    accelerator=st.sampled_from(PARTS),
    language_model=st.sampled_from(MODELS),
    tensor=st.sampled_from((1, 2, 4, 8)),
    input_tokens=st.floats(16.0, 16_000.0),
    output_tokens=st.floats(1.0, 4_000.0),
    calibration=st.sampled_from(sorted(CALIBRATIONS)),
)
def test_more_requests_in_flight_never_lower_throughput(
    accelerator: AcceleratorSpec,
    language_model: ModelSpec,
    tensor: int,
    input_tokens: float,
    output_tokens: float,
    calibration: str,
) -> None:
    column = cases(
        accelerator,
        language_model,
        rows=24,
        tensor=tensor,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
    )
    point = serving_point(
        with_concurrency(column, np.geomspace(1.0, 4096.0, 24)), CALIBRATIONS[calibration]
    )
    rate = point.output_tokens_per_s.value
    assert np.all(rate[1:] * TOLERANCE >= rate[:-1])


@given(
    accelerator=st.sampled_from(PARTS),
    language_model=st.sampled_from(MODELS),
    tensor=st.sampled_from((1, 2, 4, 8)),
    concurrency=st.floats(1.0, 4096.0),
    input_tokens=st.floats(16.0, 16_000.0),
    output_tokens=st.floats(1.0, 4_000.0),
    calibration=st.sampled_from(sorted(CALIBRATIONS)),
)
def test_throughput_stays_under_the_roofline(
    accelerator: AcceleratorSpec,
    language_model: ModelSpec,
    tensor: int,
    concurrency: float,
    input_tokens: float,
    output_tokens: float,
    calibration: str,
) -> None:
    column = cases(
        accelerator,
        language_model,
        tensor=tensor,
        concurrency=concurrency,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
    )
    point = serving_point(column, CALIBRATIONS[calibration])
    peak = max(accelerator.peak_flops_per_s.values()) * tensor
    # Input embeddings are looked up, at most a tenth of these models' weights.
    flops = 2.0 * 0.9 * language_model.active_params * (input_tokens + output_tokens)
    assert point.requests_per_s.value[0] <= peak / flops


def test_throughput_is_concurrency_over_time() -> None:
    point = serving_point(
        cases(part("nvidia-h100-sxm"), model("llama3.1-8b"), tensor=1, concurrency=8.0),
        shipped_calibration(),
    )
    time_s = point.ttft_mean_s.value + 500.0 * point.tpot_mean_s.value
    assert point.requests_per_s.value[0] == pytest.approx(8.0 / time_s[0], rel=0.1)


def test_a_case_that_does_not_fit_serves_nothing() -> None:
    point = serving_point(
        cases(part("nvidia-l40s"), model("llama3.1-70b"), precision="bf16", tensor=1),
        shipped_calibration(),
    )
    assert point.output_tokens_per_s.value[0] == 0.0


def test_requests_beyond_the_memory_wait_for_their_first_token() -> None:
    column = cases(part("nvidia-h100-sxm"), model("llama3.1-70b"), rows=2, tensor=2)
    point = serving_point(with_concurrency(column, np.array([8.0, 4096.0])), shipped_calibration())
    assert point.ttft_mean_s.value[1] > 10 * point.ttft_mean_s.value[0]


def test_a_format_the_part_lacks_is_no_slower_than_the_wider_one() -> None:
    column = cases(part("nvidia-a100-sxm-80gb"), model("llama3.1-70b"), rows=2, tensor=4)
    precision = np.array([PRECISIONS.index("fp8"), PRECISIONS.index("bf16")])
    point = serving_point(replace(column, precision=precision), DEFAULT_CALIBRATION)
    assert point.output_tokens_per_s.value[0] >= point.output_tokens_per_s.value[1]


def limited(
    column: InferenceCases, *, ttft_s: float, tpot_s: Floats | float
) -> tuple[SteadyState, Bools]:
    """Each case at the most concurrency within limits of its p99 times, and where there is one."""
    columns = parameter_columns(column, serving_parameters(shipped_calibration()))
    rows = len(column)
    found, meets = highest_concurrency(
        column,
        columns,
        ttft_p99_limit_s=np.full(rows, ttft_s),
        tpot_p99_limit_s=np.broadcast_to(np.asarray(tpot_s, dtype=np.float64), rows),
    )
    return steady_state(with_concurrency(column, found), columns, open_loop=True), meets


def test_a_limited_rate_meets_its_limits() -> None:
    column = cases(part("nvidia-h200-sxm"), model("llama3.1-70b"), tensor=8)
    state, meets = limited(column, ttft_s=2.0, tpot_s=0.05)
    assert meets[0]
    assert state.tpot_p99_s[0] <= 0.05 * 1.001


def test_tighter_limits_never_allow_a_higher_rate() -> None:
    column = cases(part("nvidia-h200-sxm"), model("llama3.1-70b"), rows=8, tensor=8)
    rate = limited(column, ttft_s=2.0, tpot_s=np.geomspace(0.01, 0.2, 8))[0].output_tokens_per_s
    assert np.all(rate[1:] * 1.001 >= rate[:-1])


def test_a_limit_no_single_request_meets_is_marked() -> None:
    column = cases(part("nvidia-h200-sxm"), model("llama3.1-405b"), tensor=8)
    assert not limited(column, ttft_s=2.0, tpot_s=1e-4)[1][0]


def test_cards_without_a_fabric_gain_little_beyond_four() -> None:
    eight, four = (
        serving_point(
            cases(part("nvidia-l40s"), model("mixtral-8x7b"), tensor=n, concurrency=256.0),
            shipped_calibration(),
        ).output_tokens_per_s.value[0]
        for n in (8, 4)
    )
    assert eight < 1.6 * four


def test_a_chunk_more_changes_nothing() -> None:
    column = cases(part("nvidia-h100-sxm"), model("llama3.1-8b"), rows=20_000, tensor=1)
    point = serving_point(column, DEFAULT_CALIBRATION)
    assert np.unique(point.output_tokens_per_s.value).size == 1


def test_assumptions_widen_the_range() -> None:
    column = cases(part("nvidia-h100-sxm"), model("llama3.1-8b"), rows=2, tensor=1)
    point = serving_point(replace(column, assumed=np.array([0, 4])), shipped_calibration())
    width = point.tpot_p50_s.high / point.tpot_p50_s.low
    assert width[1] > width[0]


def test_a_step_takes_longer_for_each_request_the_engine_handles() -> None:
    few, many = (
        serving_point(
            cases(PARTS[0], MODELS[0], concurrency=running, input_tokens=1.0, output_tokens=1.0),
            DEFAULT_CALIBRATION,
        ).decode_step_s[0]
        for running in (1.0, 201.0)
    )
    assert many - few >= 200.0 * AMOUNTS["sequence_s"]


def cold_and_warm(figure: str) -> tuple[float, float]:
    """A benchmark's figure at the defaults, which start cold, and that of a deployment."""
    column = cases(PARTS[0], MODELS[0], concurrency=8.0)
    use = np.array([USES.index("concurrency")])
    benchmark, own = (
        getattr(steady_state(column, parameter_columns(column, NO_OFFSETS, each)), figure)[0]
        for each in (use, None)
    )
    return benchmark, own


def test_one_request_in_ten_of_a_benchmark_waits_for_a_cold_engine() -> None:
    benchmark, own = cold_and_warm("ttft_mean_s")
    assert benchmark - own == pytest.approx(0.1 * AMOUNTS["cold_s"])


def test_the_tail_of_a_benchmark_is_its_cold_start() -> None:
    benchmark, own = cold_and_warm("ttft_p99_s")
    assert benchmark - own == pytest.approx(AMOUNTS["cold_s"])


def test_a_cold_start_moves_no_median() -> None:
    benchmark, own = cold_and_warm("ttft_p50_s")
    assert benchmark == own
