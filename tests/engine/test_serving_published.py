"""Published words read as configurations."""

import math

import pytest

from advisor.engine.serving.published import (
    PublishedCases,
    engine_of,
    month_of,
    precision_of,
    published_cases,
    release_month,
)
from catalog.engine.shipped import shipped_benchmark_limits, shipped_snapshot
from catalog.specs import PRECISIONS, ServingMeasurement

SNAPSHOT = shipped_snapshot()
MODELS = {model.slug: index for index, model in enumerate(SNAPSHOT.models)}


def measurement(**given: object) -> ServingMeasurement:
    words = [
        "id",
        "definition",
        "precision",
        "engine",
        "engine_version",
        "measured_month",
        "model",
        "scenario",
        "parallelism",
        "speculative",
        "source",
        "source_ref",
        "note",
    ]
    numbers = [
        "accelerator_count",
        "input_tokens",
        "output_tokens",
        "concurrency",
        "tensor_parallel",
        "pipeline_parallel",
        "attention_data_parallel",
        "expert_parallel",
        "output_tokens_per_s",
        "requests_per_s",
        "ttft_mean_s",
        "ttft_p50_s",
        "ttft_p99_s",
        "tpot_mean_s",
        "tpot_p50_s",
        "tpot_p99_s",
    ]
    values: dict[str, object] = {
        **dict.fromkeys(words, ""),
        **dict.fromkeys(numbers),
        "accelerator_slug": "nvidia-h200-sxm",
        "model_slug": "deepseek-r1",
        "input_tokens_assumed": False,
        "disaggregated": False,
        **given,
    }
    return ServingMeasurement(**values)  # type: ignore[arg-type]


def read(**given: object) -> PublishedCases:
    row = measurement(**given)
    return published_cases(
        [row],
        accelerators=SNAPSHOT.accelerators,
        models=SNAPSHOT.models,
        row_models=[MODELS[row.model_slug]],
        limits=shipped_benchmark_limits(),
        lengths={},
    )


@pytest.mark.parametrize(
    ("words", "precision"),
    [
        ("MXFP4", "fp4"),
        ("NVFP4", "fp4"),
        ("float8", "fp8"),
        ("bfloat16", "bf16"),
        ("fp16 (BF16 matmul)", "bf16"),
        ("W4A16", "int4"),
        ("8-bit", "int8"),
        ("fp8,fp16,int8", "fp8"),
        ("", None),
    ],
)
def test_published_precisions_are_understood(words: str, precision: str | None) -> None:
    assert precision_of(words) == precision


@pytest.mark.parametrize(
    ("words", "engine"),
    [("TensorRT 9.0.0", "tensorrt-llm"), ("llm-d", "vllm"), ("SGLang", "sglang"), ("x", "other")],
)
def test_published_engines_are_understood(words: str, engine: str) -> None:
    assert engine_of(words) == engine


def test_months_count_from_january_2020() -> None:
    assert month_of("2026-02") == 6 * 12 + 1


def test_a_month_that_is_not_given_is_unknown() -> None:
    assert math.isnan(month_of(""))


@pytest.mark.parametrize(
    ("engine", "version", "month"),
    [
        ("vllm", "0.12.0", "2025-12"),
        ("tensorrt-llm", "1.0.0rc3", "2025-07"),
        ("tensorrt-llm", "1.0.0", "2025-09"),
        ("sglang", "sglang:v0.5.6.post2", "2025-12"),
    ],
)
def test_a_version_tells_the_month_where_none_is_given(
    engine: str, version: str, month: str
) -> None:
    assert release_month(engine, version) == month_of(month)


def test_separate_prefill_is_read_from_free_text() -> None:
    text = "prefill TP4 EP4 x1 on 4 GPUs; decode TP8 EP8 x4 on 32 GPUs"
    cases = read(parallelism=text, accelerator_count=36, concurrency=64.0).cases
    assert cases.prefill_accelerators is not None
    assert (cases.prefill_accelerators[0], cases.tensor_parallel[0]) == (4, 8)


def test_data_parallel_attention_is_read_from_free_text() -> None:
    cases = read(parallelism="TP8 EP8 DP-attention", accelerator_count=8, concurrency=64.0).cases
    assert cases.attention_data_parallel[0] == 8


def test_ranks_multiplied_by_the_expert_degree_are_put_right() -> None:
    # An export that counts TP x EP names 64 ranks for the eight of one node.
    cases = read(accelerator_count=64, tensor_parallel=64, expert_parallel=8, concurrency=4.0).cases
    assert (cases.accelerator_count[0], cases.tensor_parallel[0]) == (8, 8)


def test_weights_published_in_four_bits_stay_there() -> None:
    cases = read(model_slug="gpt-oss-120b", precision="fp8", concurrency=4.0).cases
    assert PRECISIONS[cases.precision[0]] == "fp4"


def test_a_replica_is_grown_until_it_holds_the_weights() -> None:
    cases = read(
        model_slug="qwen3-235b-a22b", precision="fp8", tensor_parallel=1, accelerator_count=1
    ).cases
    assert cases.tensor_parallel[0] == 2


def test_lengths_named_in_whole_1024_tokens_are_drawn_below_the_named_one() -> None:
    run = read(scenario="concurrency", concurrency=4.0, input_tokens=1024.0, output_tokens=8192.0)
    assert run.cases.input_tokens[0] == pytest.approx(0.9 * 1024.0)


def test_other_lengths_of_fixed_concurrency_runs_are_what_they_say() -> None:
    cases = read(scenario="concurrency", concurrency=4.0, input_tokens=1000.0).cases
    assert cases.input_tokens[0] == pytest.approx(1000.0)


def test_every_default_is_stated() -> None:
    assert len(read(scenario="offline").notes[0]) >= 4


def test_limits_are_those_of_the_benchmark() -> None:
    published = read(model_slug="llama2-70b", scenario="interactive")
    assert (published.ttft_p99_limit_s[0], published.tpot_p99_limit_s[0]) == (0.45, 0.04)


def test_measured_values_change_nothing() -> None:
    plain, measured = (
        read(scenario="offline", output_tokens_per_s=value).cases for value in (None, 1e6)
    )
    assert plain.concurrency[0] == measured.concurrency[0] == math.inf
