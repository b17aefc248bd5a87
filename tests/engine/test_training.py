"""Training: what a step takes, on which hardware it fits, and laws that hold whatever the fit."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.engine.calibration import DEFAULT_CALIBRATION, Calibration, shipped_calibration
from advisor.engine.cases import TrainingCases
from advisor.engine.training.layouts import column, layouts
from advisor.engine.training.memory import (
    activation_bytes_per_token,
    bytes_per_parameter,
    frozen_bytes_per_parameter,
    memory_refusal,
)
from advisor.engine.training.performance import TrainingPoint, training_point
from advisor.engine.training.steps import busiest_share, layout_costs
from advisor.engine.training.tables import training_work
from catalog.engine.shipped import shipped_snapshot
from catalog.specs import PRECISIONS, AcceleratorSpec, ModelSpec

SNAPSHOT = shipped_snapshot()
PARTS = {part.slug: part for part in SNAPSHOT.accelerators}
MODELS = {model.slug: model for model in SNAPSHOT.models}
SLUGS = (
    "nvidia-h100-sxm",
    "nvidia-a100-sxm-80gb",
    "nvidia-b200-sxm",
    "nvidia-gb300",
    "nvidia-l40s",
    "amd-mi300x",
    "google-tpu-v5p",
    "google-tpu-v7",
    "intel-gaudi2",
    "aws-trainium2",
)
MODEL_SLUGS = ("llama3.1-8b", "llama3.1-70b", "mixtral-8x7b", "deepseek-v3", "bert-large")


def cases(
    part: AcceleratorSpec,
    model: ModelSpec,
    *,
    count: int = 8,
    precision: str = "bf16",
    task: str = "pretrain",
    seq_len: float = 4096.0,
    batch: float = 64.0,
    recompute: str = "auto",
    scale_out: float = np.nan,
    quantised: bool = False,
) -> TrainingCases:
    return TrainingCases(
        accelerators=(part,),
        models=(model,),
        accelerator=np.array([0]),
        model=np.array([0]),
        precision=np.array([PRECISIONS.index(precision)]),
        software_month=np.array([np.nan]),
        accelerator_count=np.array([count]),
        system_accelerator_count=np.array([8]),
        scale_out_bytes_per_s=np.array([scale_out]),
        task=np.array([task]),
        seq_len=np.array([seq_len]),
        global_batch=np.array([batch]),
        recompute=np.array([recompute]),
        assumed=np.array([0]),
        quantised_base=np.array([quantised]),
    )


def speed(point: TrainingPoint) -> float:
    return float(point.tokens_per_s_per_accelerator.value[0])


def predicted(given_cases: TrainingCases) -> TrainingPoint:
    return training_point(given_cases, shipped_calibration())


def test_mixed_precision_adam_keeps_sixteen_bytes_a_parameter() -> None:
    assert bytes_per_parameter("adamw") == 2 + 2 + 12


def test_full_tuning_of_70b_on_four_h100_is_refused_with_its_arithmetic() -> None:
    assert memory_refusal(
        params=70e9, per_parameter_bytes=16, accelerators=4, memory_bytes=80 * 2**30
    ) == ("70 billion parameters x 16 bytes = 1,120 GB = 1,043 GiB, but 4 x 80 GiB = 320 GiB")


def test_what_fits_is_not_refused() -> None:
    assert not memory_refusal(
        params=7e9, per_parameter_bytes=16, accelerators=8, memory_bytes=80 * 2**30
    )


def test_a_quantised_base_takes_half_a_byte_and_its_scales() -> None:
    assert frozen_bytes_per_parameter("bf16", quantised=True) == 0.5 + 1 / 32


def test_a_layer_keeps_34_hidden_sizes_where_nothing_is_recomputed() -> None:
    # V. Korthikanti et al., arXiv:2205.05198: 34 s b h without the attention scores.
    kept = activation_bytes_per_token(
        hidden=np.array(1024.0), ffn=np.array(4096.0), recompute="none"
    )

    assert kept == 34 * 1024


def test_full_tuning_of_70b_does_not_fit_four_h100() -> None:
    point = predicted(cases(PARTS["nvidia-h100-sxm"], MODELS["llama3.1-70b"], count=4))

    assert not point.fits[0]


def test_adapters_on_a_quantised_70b_fit_four_h100() -> None:
    point = predicted(
        cases(
            PARTS["nvidia-h100-sxm"], MODELS["llama3.1-70b"],
            count=4, task="lora", batch=16.0, quantised=True,
        )
    )  # fmt: skip

    assert point.fits[0]


def test_a_dense_token_costs_six_flops_a_weight_it_meets() -> None:
    work = training_work(cases(PARTS["nvidia-h100-sxm"], MODELS["llama3.1-8b"]))
    untied = 8.03e9 - 128_256 * 4096  # without the input embedding, which is looked up

    assert float(work.passes[0] * work.linear_flops[0]) == pytest.approx(6 * untied, rel=0.01)


def test_frozen_weights_cost_four_flops_a_weight() -> None:
    work = training_work(cases(PARTS["nvidia-h100-sxm"], MODELS["llama3.1-8b"], task="lora"))

    assert float(work.passes[0]) * 2 == pytest.approx(4, rel=0.01)


def test_causal_attention_sees_half_the_sequence() -> None:
    llama = MODELS["llama3.1-8b"]
    work = training_work(cases(PARTS["nvidia-h100-sxm"], llama, seq_len=8192.0))

    assert float(work.attention_flops[0]) == pytest.approx(4 * 32 * 32 * 128 * 8192 / 2)


def test_an_h100_trains_two_to_three_and_a_half_times_as_fast_as_an_a100() -> None:
    # llm-foundry benchmark tables: 2.1 to 2.5; MLPerf BERT: 2.9 to 4.0.
    h100, a100 = (
        predicted(cases(PARTS[slug], MODELS["llama3.1-8b"], count=64, batch=512.0))
        for slug in ("nvidia-h100-sxm", "nvidia-a100-sxm-80gb")
    )

    assert 2.0 < speed(h100) / speed(a100) < 3.5


def test_a_part_with_measured_relatives_is_calibrated() -> None:
    point = predicted(cases(PARTS["nvidia-h200-sxm"], MODELS["llama3.1-8b"]))

    assert point.evidence[0] == "calibrated"


def test_without_a_calibration_figures_are_estimates() -> None:
    point = training_point(
        cases(PARTS["nvidia-h200-sxm"], MODELS["llama3.1-8b"]), DEFAULT_CALIBRATION
    )

    assert point.evidence[0] == "estimated"


def test_an_unmeasured_kind_of_part_gets_a_wider_range() -> None:
    ranges = [
        predicted(cases(PARTS[slug], MODELS["llama3.1-8b"])).tokens_per_s_per_accelerator
        for slug in ("nvidia-h100-sxm", "sambanova-sn40l")
    ]
    known, unknown = (float(band.high[0] / band.low[0]) for band in ranges)

    assert unknown > known


def test_a_job_no_benchmark_times_has_no_time_to_train() -> None:
    point = predicted(cases(PARTS["nvidia-h100-sxm"], MODELS["qwen3-32b"]))

    assert np.isnan(point.time_to_train_s.value[0])


def test_a_benchmark_with_twice_the_accelerators_takes_less_time() -> None:
    few, many = (
        predicted(
            cases(
                PARTS["nvidia-h100-sxm"], MODELS["gpt3-175b"],
                count=count, precision="fp8", seq_len=2048.0, batch=2048.0,
            )
        )
        for count in (256, 512)
    )  # fmt: skip

    assert many.time_to_train_s.value[0] < few.time_to_train_s.value[0]


def faster(part: AcceleratorSpec, what: str, factor: float) -> AcceleratorSpec:
    if what == "flops":
        rates = {name: rate * factor for name, rate in part.peak_flops_per_s.items()}
        return replace(part, peak_flops_per_s=rates)
    if what == "bandwidth":
        return replace(
            part, memory_bandwidth_bytes_per_s=(part.memory_bandwidth_bytes_per_s or 1.0) * factor
        )
    return replace(part, scale_up_bytes_per_s=(part.scale_up_bytes_per_s or 25e9) * factor)


JOBS = {
    "slug": st.sampled_from(SLUGS),
    "model": st.sampled_from(MODEL_SLUGS),
    "count": st.sampled_from([1, 8, 16, 64, 512]),
    "precision": st.sampled_from(["bf16", "fp8"]),
    "task": st.sampled_from(["pretrain", "lora"]),
    "seq_len": st.sampled_from([512.0, 4096.0, 32768.0]),
    "batch": st.sampled_from([8.0, 64.0, 2048.0]),
}


@settings(max_examples=60, deadline=None)
@given(what=st.sampled_from(["flops", "bandwidth", "links"]), factor=st.floats(1.0, 4.0), **JOBS)
def test_more_flops_bandwidth_or_links_are_never_slower(
    what: str, factor: float, slug: str, model: str, **job: object
) -> None:
    part = PARTS[slug]
    if what == "links":
        part = replace(part, scale_up_bytes_per_s=part.scale_up_bytes_per_s or 25e9)
    before = predicted(cases(part, MODELS[model], **job))  # type: ignore[arg-type]
    after = predicted(cases(faster(part, what, factor), MODELS[model], **job))  # type: ignore[arg-type]

    assert speed(after) >= speed(before) * (1.0 - 1e-9)


@settings(max_examples=40, deadline=None)
@given(factor=st.floats(1.0, 8.0), **JOBS)
def test_a_faster_network_is_never_slower(
    factor: float, slug: str, model: str, **job: object
) -> None:
    slow, fast = (
        predicted(cases(PARTS[slug], MODELS[model], scale_out=rate, **job))  # type: ignore[arg-type]
        for rate in (12.5e9, 12.5e9 * factor)
    )

    assert speed(fast) >= speed(slow) * (1.0 - 1e-9)


FIXED = Calibration(
    version="fixed", training={"parameters": shipped_calibration().training["parameters"]}
)
"""The shipped parameters alone: what measured relatives add depends on the size of the batch."""


@settings(max_examples=60, deadline=None)
@given(
    growth=st.sampled_from([1.25, 2.0, 4.0, 8.0]),
    **{**JOBS, "batch": st.sampled_from([1.0, 3.0, 8.0, 64.0, 2048.0])},
)
def test_a_larger_batch_never_lowers_throughput(
    growth: float, slug: str, model: str, **job: object
) -> None:
    few, many = (
        training_point(
            cases(PARTS[slug], MODELS[model], **{**job, "batch": float(job["batch"]) * each}),  # type: ignore
            FIXED,
        )
        for each in (1.0, growth)
    )

    assert not many.fits[0] or speed(many) >= speed(few) * (1.0 - 1e-9)


@settings(max_examples=60, deadline=None)
@given(**JOBS)
def test_no_job_is_predicted_above_its_roofline(slug: str, model: str, **job: object) -> None:
    point = predicted(cases(PARTS[slug], MODELS[model], **job))  # type: ignore[arg-type]

    assert point.mfu.high[0] <= 1.0 + 1e-9


@settings(max_examples=40, deadline=None)
@given(
    slug=st.sampled_from(SLUGS),
    model=st.sampled_from(MODEL_SLUGS),
    count=st.sampled_from([8, 16, 64, 256]),
)
def test_memory_need_falls_with_sharding(slug: str, model: str, count: int) -> None:
    few, many = (
        float(
            predicted(
                cases(PARTS[slug], MODELS[model], count=n, batch=4.0 * n, recompute="full")
            ).memory_needed_bytes[0]
        )
        for n in (count, 64 * count)
    )
    available = PARTS[slug].usable_memory_bytes

    # Where it fits already, the fastest layout may keep more on each part.
    assert many <= max(few, available)


@settings(max_examples=40, deadline=None)
@given(
    slug=st.sampled_from(SLUGS),
    model=st.sampled_from(("llama3.1-8b", "llama3.1-70b", "mixtral-8x7b")),
    count=st.sampled_from([64, 128, 512]),
)
def test_twice_the_accelerators_with_twice_the_batch_do_more_in_all(
    slug: str, model: str, count: int
) -> None:
    few, many = (
        n * speed(predicted(cases(PARTS[slug], MODELS[model], count=n, batch=8.0 * n)))
        for n in (count, 2 * count)
    )

    assert many > few


def test_a_sequence_too_long_for_one_part_is_split_along_its_length() -> None:
    point = predicted(
        cases(PARTS["nvidia-h100-sxm"], MODELS["llama3.1-8b"], seq_len=524_288.0, batch=8.0)
    )

    assert point.fits[0]


def test_the_busiest_of_eight_ranks_of_eight_experts_waits_two_deviations() -> None:
    # sqrt(2 ln 8) = 2.04 deviations above the mean, one expert a rank.
    eight = np.array(8.0)

    assert busiest_share(eight, eight, {"expert_skew": 0.1}) == pytest.approx(1.204, abs=1e-3)


def test_one_rank_that_holds_all_experts_waits_for_none() -> None:
    assert busiest_share(np.array(1.0), np.array(64.0), {"expert_skew": 0.3}) == 1.0


def linked(slug: str, *, link: str, **parameters: float) -> float:
    part = replace(PARTS[slug], scale_up_link=link)
    known = {**shipped_calibration().training["parameters"], **parameters}
    fixed = Calibration(version="fixed", training={"parameters": known})
    job = cases(part, MODELS["llama3.1-70b"], count=64, seq_len=32_768.0, batch=8.0)
    return speed(training_point(job, fixed))


def test_pairs_of_a_mesh_are_slower_than_a_switch() -> None:
    assert linked("amd-mi300x", link="xGMI") < linked("amd-mi300x", link="switch")


def test_a_switch_that_adds_up_shortens_what_tensors_exchange() -> None:
    work = column(training_work(cases(PARTS["nvidia-h100-sxm"], MODELS["llama3.1-70b"])))
    known = shipped_calibration().training["parameters"]
    slow, fast = (
        layout_costs(work, layouts(), {**known, "in_switch": gain}).seconds["link"]
        for gain in (1.0, 1.5)
    )

    assert np.all(fast <= slow)
    assert np.any(fast < slow)


def test_a_lower_power_limit_trains_slower() -> None:
    h100, model = PARTS["nvidia-h100-sxm"], MODELS["llama3.1-8b"]
    capped = replace(h100, tdp_w=350.0)

    assert speed(predicted(cases(capped, model))) < speed(predicted(cases(h100, model)))


def test_columns_predict_what_each_row_predicts_alone() -> None:
    part, model = PARTS["nvidia-h100-sxm"], MODELS["llama3.1-8b"]
    one = cases(part, model, count=8)
    both = replace(
        one,
        accelerator=np.array([0, 0]), model=np.array([0, 0]),
        precision=np.repeat(one.precision, 2), software_month=np.repeat(one.software_month, 2),
        accelerator_count=np.array([64, 8]), system_accelerator_count=np.array([8, 8]),
        scale_out_bytes_per_s=np.array([np.nan, np.nan]), task=np.repeat(one.task, 2),
        seq_len=np.repeat(one.seq_len, 2), global_batch=np.repeat(one.global_batch, 2),
        recompute=np.repeat(one.recompute, 2), assumed=np.array([0, 0]),
        quantised_base=np.array([False, False]),
    )  # fmt: skip

    assert predicted(both).tokens_per_s_per_accelerator.value[1] == pytest.approx(
        speed(predicted(one))
    )
