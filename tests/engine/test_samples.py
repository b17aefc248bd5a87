"""Models without tokens: speeds that follow from work, and laws that hold whatever the fit."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.engine.calibration import DEFAULT_CALIBRATION, shipped_calibration
from advisor.engine.cases import SampleCases
from advisor.engine.samples.performance import SamplesPoint, samples_point
from advisor.engine.samples.published import sample_precision
from catalog.engine.shipped import shipped_snapshot
from catalog.specs import PRECISIONS, AcceleratorSpec, ModelSpec

SNAPSHOT = shipped_snapshot()
PARTS = {part.slug: part for part in SNAPSHOT.accelerators}
MODELS = {model.slug: model for model in SNAPSHOT.models}
SLUGS = ("nvidia-h100-sxm", "nvidia-l4", "nvidia-a30", "amd-mi325x", "google-tpu-v6e")
MODEL_SLUGS = ("resnet50", "bert-large", "sdxl", "dlrm-dcnv2", "whisper-large-v3", "r-gat")


def cases(
    part: AcceleratorSpec,
    model: ModelSpec,
    *,
    count: int = 1,
    precision: str = "int8",
    batch: float = np.nan,
    scenario: str = "offline",
    limit_s: float = np.inf,
    published: bool = False,
) -> SampleCases:
    return SampleCases(
        accelerators=(part,),
        models=(model,),
        accelerator=np.array([0]),
        model=np.array([0]),
        precision=np.array([PRECISIONS.index(precision)]),
        software_month=np.array([np.nan]),
        accelerator_count=np.array([count]),
        batch=np.array([batch]),
        scenario=np.array([scenario]),
        latency_limit_s=np.array([limit_s]),
        sequence=np.array([np.nan]),
        assumed=np.array([0]),
        published=np.array([published]),
    )


def predicted(given_cases: SampleCases) -> SamplesPoint:
    return samples_point(given_cases, shipped_calibration())


def speed(point: SamplesPoint) -> float:
    return float(point.samples_per_s.value[0])


def test_two_copies_serve_about_twice_the_samples_of_one() -> None:
    one, two = (
        speed(predicted(cases(PARTS["nvidia-l4"], MODELS["resnet50"], count=n))) for n in (1, 2)
    )

    assert two / one == pytest.approx(2.0, rel=0.1)


def test_a_latency_limit_costs_throughput() -> None:
    model, part = MODELS["resnet50"], PARTS["nvidia-h100-sxm"]
    free = predicted(cases(part, model))
    bound = predicted(cases(part, model, scenario="server", limit_s=0.015))

    assert speed(bound) < speed(free)


def test_a_benchmark_sample_of_270_pairs_counts_as_270() -> None:
    part, model = PARTS["nvidia-h100-sxm"], MODELS["dlrm-dcnv2"]
    pairs = speed(predicted(cases(part, model)))
    queries = speed(predicted(cases(part, model, published=True)))

    assert pairs / queries == pytest.approx(270.0)


def test_tables_larger_than_one_part_are_spread() -> None:
    point = predicted(cases(PARTS["nvidia-h100-sxm"], MODELS["dlrm-v3"], precision="fp16"))

    # 517e9 weights of two bytes over 92 % of 80 GiB each.
    assert point.shards[0] == np.ceil(
        517.1e9 * 2 / (0.92 * PARTS["nvidia-h100-sxm"].usable_memory_bytes)
    )


def test_what_must_be_spread_does_not_fit_one_part() -> None:
    point = predicted(cases(PARTS["nvidia-h100-sxm"], MODELS["dlrm-v3"], precision="fp16"))

    assert not point.fits[0]


def test_without_a_calibration_figures_are_estimates() -> None:
    point = samples_point(cases(PARTS["nvidia-l4"], MODELS["resnet50"]), DEFAULT_CALIBRATION)

    assert point.evidence[0] == "estimated"


def test_an_unnamed_format_of_a_vision_benchmark_is_eight_bits() -> None:
    assert sample_precision("", PARTS["nvidia-a30"], "vision") == "int8"


def test_speech_is_not_taken_for_eight_bits() -> None:
    assert sample_precision("", PARTS["nvidia-a30"], "speech") == "fp16"


def faster(part: AcceleratorSpec, what: str, factor: float) -> AcceleratorSpec:
    if what == "flops":
        rates = {name: rate * factor for name, rate in part.peak_flops_per_s.items()}
        return replace(part, peak_flops_per_s=rates)
    if what == "bandwidth":
        return replace(
            part, memory_bandwidth_bytes_per_s=(part.memory_bandwidth_bytes_per_s or 1.0) * factor
        )
    return replace(part, tdp_w=(part.tdp_w or 300.0) * factor)


@settings(max_examples=80, deadline=None)
@given(
    slug=st.sampled_from(SLUGS),
    model=st.sampled_from(MODEL_SLUGS),
    what=st.sampled_from(["flops", "bandwidth", "watts"]),
    factor=st.floats(1.0, 4.0),
    batch=st.sampled_from([np.nan, 1.0, 64.0]),
    limit_s=st.sampled_from([np.inf, 0.005, 0.1]),
)
def test_more_flops_bandwidth_or_power_are_never_slower(
    slug: str, model: str, what: str, factor: float, batch: float, limit_s: float
) -> None:
    scenario = "offline" if np.isinf(limit_s) else "server"
    part = replace(PARTS[slug], tdp_w=PARTS[slug].tdp_w or 300.0)
    before, after = (
        predicted(cases(p, MODELS[model], batch=batch, scenario=scenario, limit_s=limit_s))
        for p in (part, faster(part, what, factor))
    )

    assert speed(after) >= speed(before) * (1.0 - 1e-9)


@settings(max_examples=30, deadline=None)
@given(
    slug=st.sampled_from(SLUGS),
    count=st.sampled_from([8, 16, 64]),
    factor=st.floats(1.0, 8.0),
)
def test_faster_links_never_slow_tables_that_are_spread(
    slug: str, count: int, factor: float
) -> None:
    part = replace(PARTS[slug], scale_up_bytes_per_s=25e9)
    linked = replace(part, scale_up_bytes_per_s=25e9 * factor)
    slow, fast = (
        predicted(cases(p, MODELS["dlrm-v3"], count=count, precision="fp16"))
        for p in (part, linked)
    )

    assert speed(fast) >= speed(slow) * (1.0 - 1e-9)


@settings(max_examples=60, deadline=None)
@given(
    slug=st.sampled_from(SLUGS),
    model=st.sampled_from(MODEL_SLUGS),
    small=st.floats(1.0, 256.0),
    factor=st.floats(1.0, 8.0),
)
def test_a_larger_batch_never_lowers_throughput(
    slug: str, model: str, small: float, factor: float
) -> None:
    few, many = (
        predicted(cases(PARTS[slug], MODELS[model], batch=batch))
        for batch in (small, small * factor)
    )

    assert speed(many) >= speed(few) * (1.0 - 1e-9)


@settings(max_examples=60, deadline=None)
@given(slug=st.sampled_from(SLUGS), model=st.sampled_from(("resnet50", "sdxl", "retinanet")))
def test_no_speed_is_predicted_above_the_roofline(slug: str, model: str) -> None:
    part, spec = PARTS[slug], MODELS[model]
    roof = max(part.peak_flops_per_s.values()) / (spec.flops_per_sample or np.nan)

    assert predicted(cases(part, spec)).samples_per_s.high[0] <= roof
