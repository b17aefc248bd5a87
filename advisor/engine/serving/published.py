"""Published serving configurations, in their own words, as cases; what is missing is assumed."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advisor.engine.cases import ENGINES, Bools, Floats, InferenceCases, Ints
from advisor.engine.serving.footprint import serving_footprint
from advisor.engine.serving.parameters import USES
from catalog.specs import (
    BYTES_PER_WEIGHT,
    PRECISIONS,
    AcceleratorSpec,
    BenchmarkLimit,
    ModelSpec,
    ServingMeasurement,
)

SCENARIOS = ("offline", "server", "interactive", "concurrency")
LENGTH_OF_NOMINAL = 0.9
"""Mean of lengths drawn evenly from 80 to 100 % of what a fixed-concurrency run names.

Source: InferenceX benchmark definition (random range ratio 0.8).
"""
DEFAULT_INPUT_TOKENS = 1024.0
DEFAULT_OUTPUT_TOKENS = 512.0
DEFAULT_CHIPS = 8
DEFAULT_PREFILL_SHARE = 1.0 / 3.0
NO_LIMIT_S = np.inf
DEFAULT_LIMITS_S: Mapping[str, tuple[float, float]] = {
    "server": (2.0, 0.2),
    "interactive": (0.5, 0.04),
}
_FIRST_YEAR = 2020
_MONTHS = 12
_NODE = 8
_NOMINAL_TOKENS = 1024.0
_DOUBLINGS = 4
_PRECISION_WORDS: tuple[tuple[str, str], ...] = (
    (r"bf16 matmul|bfloat16|bf16", "bf16"),
    (r"mxfp4|nvfp4|fp4|float4|e2m1", "fp4"),
    (r"int4|w4|awq|gptq|4-bit|4bit", "int4"),
    (r"fp8|float8|e4m3|e5m2|mxfp8|mxfp6|fp6", "fp8"),
    (r"int8|w8a8|8-bit|8bit", "int8"),
    (r"tf32", "tf32"),
    (r"fp16|float16|half", "fp16"),
    (r"fp32|float32", "fp32"),
)
_ENGINE_WORDS: tuple[tuple[str, str], ...] = (
    (r"tensorrt|trt", "tensorrt-llm"),
    (r"sglang|shark", "sglang"),
    (r"vllm|llm-d|pytorch|kiss", "vllm"),
    (r"atom|gaudi|neuron|jetstream|saxml|maxtext|qualcomm|tt-metal|groq|cerebras|vendor", "vendor"),
)
# First month of a release, or of the run-up to it (third figure -1), newest last.
# Source: release pages of NVIDIA/TensorRT-LLM, vllm-project/vllm and sgl-project/sglang; from
# October 2025 on the months in which published runs first name a version.
RELEASES: Mapping[str, tuple[tuple[tuple[int, int, int], str], ...]] = {
    "tensorrt-llm": (
        ((0, 5, 0), "2023-10"),
        ((0, 6, 0), "2023-12"),
        ((0, 8, 0), "2024-02"),
        ((0, 10, 0), "2024-06"),
        ((0, 12, 0), "2024-08"),
        ((0, 14, 0), "2024-11"),
        ((0, 17, 0), "2025-02"),
        ((0, 19, 0), "2025-05"),
        ((1, 0, -1), "2025-07"),
        ((1, 0, 0), "2025-09"),
        ((1, 1, -1), "2025-11"),
        ((1, 2, -1), "2025-12"),
        ((1, 3, -1), "2026-03"),
    ),
    "vllm": (
        ((0, 2, 0), "2023-09"),
        ((0, 4, 0), "2024-04"),
        ((0, 6, 0), "2024-09"),
        ((0, 7, 0), "2025-01"),
        ((0, 8, 0), "2025-03"),
        ((0, 9, 0), "2025-05"),
        ((0, 10, 0), "2025-07"),
        ((0, 11, 0), "2025-10"),
        ((0, 12, 0), "2025-12"),
        ((0, 15, 0), "2026-02"),
        ((0, 17, 0), "2026-03"),
        ((0, 19, 0), "2026-04"),
    ),
    "sglang": (
        ((0, 3, 0), "2024-09"),
        ((0, 4, 0), "2024-12"),
        ((0, 5, 0), "2025-08"),
        ((0, 5, 6), "2025-12"),
        ((0, 5, 8), "2026-02"),
        ((0, 5, 9), "2026-03"),
        ((0, 5, 10), "2026-04"),
        ((0, 5, 12), "2026-05"),
    ),
}
_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?\s*\.?(rc|dev|a\d|b\d)?")
_NARROW = ("fp4", "fp8")
_DEGREE = re.compile(r"\b(TP|PP|EP|DP)\s*=?\s*(\d+)", re.IGNORECASE)
_ON_CHIPS = re.compile(r"x\s*(\d+)\s+on\s+(\d+)\s+\w+", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Parallel degrees of one replica, and the chips that only prefill."""

    tensor: int
    pipeline: int = 1
    expert: int = 1
    attention_data: int = 1
    prefill_chips: int = 0
    prefill_tensor: int = 0
    chips: int = 0  # of the deployment, where the text corrects the count; 0: as counted


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedCases:
    """Cases with what a benchmark adds to them; columns of one length."""

    cases: InferenceCases
    scenario: NDArray[np.str_]
    use: Ints  # index into USES
    ttft_p99_limit_s: Floats
    tpot_p99_limit_s: Floats
    layout_open: Bools  # the parallel degrees are a default that may be improved on
    notes: tuple[tuple[str, ...], ...]  # what was assumed, a sentence each


def precision_of(words: str) -> str | None:
    """The format that published words mean, one of PRECISIONS; None where there are none."""
    text = words.lower()
    return next((name for pattern, name in _PRECISION_WORDS if re.search(pattern, text)), None)


def engine_of(words: str) -> str:
    """The engine that published words mean, one of ENGINES."""
    text = words.lower()
    found = (name for pattern, name in _ENGINE_WORDS if re.search(pattern, text))
    return next(found, "other")


def month_of(words: str) -> float:
    """Months since January 2020 of a day such as 2026-04; nan where there is none."""
    match = re.match(r"(\d{4})-(\d{1,2})", words.strip())
    if not match:
        return float("nan")
    return float((int(match[1]) - _FIRST_YEAR) * _MONTHS + int(match[2]) - 1)


def release_month(engine: str, version: str) -> float:
    """Months since January 2020 at which a version of an engine came out; nan where unknown."""
    found = _VERSION.search(version)
    if found is None or engine not in RELEASES:
        return float("nan")
    patch = -1 if found[4] else int(found[3] or 0)
    number = (int(found[1]), int(found[2]), patch)
    past = [month for release, month in RELEASES[engine] if release <= number]
    return month_of(past[-1]) if past else float("nan")


def published_cases(
    rows: Sequence[ServingMeasurement],
    *,
    accelerators: Sequence[AcceleratorSpec],
    models: Sequence[ModelSpec],
    row_models: Sequence[int],
    limits: Sequence[BenchmarkLimit],
    lengths: Mapping[str, tuple[float, float]],
) -> PublishedCases:
    """Columns of published rows; `row_models` says by index which model each row means.

    Reads configuration alone: what a row measured is never looked at. `lengths` are typical
    input and output tokens by model, for rows that do not say.
    """
    part_index = {part.slug: index for index, part in enumerate(accelerators)}
    known_limits = {(limit.model_slug, limit.scenario): limit for limit in limits}
    read = [
        _read(row, accelerators[part_index[row.accelerator_slug]], models[m], known_limits, lengths)
        for row, m in zip(rows, row_models, strict=True)
    ]

    def column(name: str) -> NDArray[np.float64]:
        return np.array([r[name] for r in read], dtype=np.float64)

    def whole(name: str) -> Ints:
        return np.array([r[name] for r in read], dtype=np.int64)

    layouts = [r["layout"] for r in read]
    cases = InferenceCases(
        accelerators=tuple(accelerators),
        models=tuple(models),
        accelerator=np.array([part_index[row.accelerator_slug] for row in rows], dtype=np.int64),
        model=np.array(row_models, dtype=np.int64),
        precision=whole("precision"),
        kv_precision=whole("kv_precision"),
        engine=whole("engine"),
        software_month=column("month"),
        accelerator_count=np.array(
            [x.chips or r["chips"] for x, r in zip(layouts, read, strict=True)], dtype=np.int64
        ),
        tensor_parallel=np.array([x.tensor for x in layouts], dtype=np.int64),
        pipeline_parallel=np.array([x.pipeline for x in layouts], dtype=np.int64),
        expert_parallel=np.array([x.expert for x in layouts], dtype=np.int64),
        attention_data_parallel=np.array([x.attention_data for x in layouts], dtype=np.int64),
        input_tokens=column("input_tokens"),
        output_tokens=column("output_tokens"),
        concurrency=column("concurrency"),
        disaggregated=np.array([x.prefill_chips > 0 for x in layouts]),
        speculative=np.array([bool(r["speculative"]) for r in read]),
        assumed=np.array([len(r["notes"]) for r in read], dtype=np.int64),
        prefill_accelerators=np.array([x.prefill_chips for x in layouts], dtype=np.int64),
        prefill_tensor_parallel=np.array(
            [x.prefill_tensor or x.tensor for x in layouts], dtype=np.int64
        ),
    )
    return PublishedCases(
        cases=_grown_to_fit(cases),
        scenario=np.array([r["scenario"] for r in read]),
        use=whole("use"),
        ttft_p99_limit_s=column("ttft_limit"),
        tpot_p99_limit_s=column("tpot_limit"),
        layout_open=np.array([bool(r["layout_open"]) for r in read]),
        notes=tuple(tuple(r["notes"]) for r in read),
    )


def _grown_to_fit(cases: InferenceCases) -> InferenceCases:
    """Replicas doubled until they hold the weights: what was published did run."""
    for _ in range(_DOUBLINGS):
        small = ~serving_footprint(cases).fits
        if not small.any():
            break
        tensor = np.where(small, 2 * cases.tensor_parallel, cases.tensor_parallel)
        chips = np.maximum(cases.accelerator_count, tensor * cases.pipeline_parallel)
        cases = replace(cases, tensor_parallel=tensor, accelerator_count=chips)
    return cases


def _read(
    row: ServingMeasurement,
    part: AcceleratorSpec,
    model: ModelSpec,
    limits: Mapping[tuple[str, str], BenchmarkLimit],
    lengths: Mapping[str, tuple[float, float]],
) -> dict[str, Any]:
    notes: list[str] = []
    scenario = row.scenario if row.scenario in SCENARIOS else ""
    if not scenario:
        scenario = "concurrency" if row.concurrency else "offline"
        notes.append(f"scenario taken as {scenario}")
    given = row.input_tokens is not None and not row.input_tokens_assumed
    benchmark = scenario in ("server", "interactive") or (scenario == "offline" and not given)
    use = "benchmark" if benchmark else ("offline" if scenario == "offline" else "concurrency")
    if use == "concurrency" and not _drawn(row):
        use = "fixed"
    chips = row.accelerator_count or DEFAULT_CHIPS
    if not row.accelerator_count:
        notes.append(f"{DEFAULT_CHIPS} accelerators assumed")
    precision = _precision(row, part, model, benchmark=benchmark, notes=notes)
    engine = engine_of(row.engine)
    if engine == "other":
        notes.append("engine unknown")
    month = month_of(row.measured_month)
    if np.isnan(month):
        month = release_month(engine, row.engine_version)
    tokens_in, tokens_out = _lengths(row, model, lengths, scenario, notes)
    layout, is_open = _layout(row, part, model, chips, notes)
    ttft_limit, tpot_limit = _limits(limits.get((model.slug, scenario)), scenario, tokens_out)
    concurrency = float("inf")
    if row.concurrency:
        concurrency = row.concurrency
    elif scenario == "concurrency":
        concurrency = 64.0
        notes.append("64 requests in flight assumed")
    # Engines keep the cache at 16 bits by default; benchmark entries and TensorRT do not.
    wide_cache = BYTES_PER_WEIGHT[precision] > 1.0 or (
        engine in ("vllm", "other") and not benchmark
    )
    return {
        "scenario": scenario,
        "use": USES.index(use),
        "chips": chips,
        "precision": PRECISIONS.index(precision),
        "kv_precision": PRECISIONS.index("bf16" if wide_cache else "fp8"),
        "engine": ENGINES.index(engine),
        "month": month,
        "input_tokens": tokens_in,
        "output_tokens": tokens_out,
        "concurrency": concurrency,
        "speculative": row.speculative.strip().lower() not in ("", "0", "no", "none", "false"),
        "layout": layout,
        "layout_open": is_open,
        "ttft_limit": ttft_limit,
        "tpot_limit": tpot_limit,
        "notes": notes,
    }


def _precision(
    row: ServingMeasurement,
    part: AcceleratorSpec,
    model: ModelSpec,
    *,
    benchmark: bool,
    notes: list[str],
) -> str:
    """As published; else what benchmark entries use, the narrowest float the part computes in."""
    native = model.native_precision if model.native_precision in PRECISIONS else "bf16"
    native = "bf16" if native in ("fp32", "tf32") else native
    named = precision_of(row.precision)
    if named is None:
        narrow = next((name for name in _NARROW if name in part.peak_flops_per_s), None)
        named = narrow if benchmark and narrow else native
        notes.append(f"precision {named} assumed")
    # Weights published in fewer bits are not unpacked for storage.
    return native if BYTES_PER_WEIGHT[native] < BYTES_PER_WEIGHT[named] else named


def _lengths(
    row: ServingMeasurement,
    model: ModelSpec,
    lengths: Mapping[str, tuple[float, float]],
    scenario: str,
    notes: list[str],
) -> tuple[float, float]:
    usual = lengths.get(model.slug, (DEFAULT_INPUT_TOKENS, DEFAULT_OUTPUT_TOKENS))
    nominal = LENGTH_OF_NOMINAL if scenario == "concurrency" and _drawn(row) else 1.0
    if row.input_tokens is None:
        notes.append(f"{usual[0]:.0f} input tokens assumed")
    if row.output_tokens is None:
        notes.append(f"{usual[1]:.0f} output tokens assumed")
    tokens_in = row.input_tokens * nominal if row.input_tokens is not None else usual[0]
    tokens_out = row.output_tokens * nominal if row.output_tokens is not None else usual[1]
    return max(tokens_in, 1.0), max(tokens_out, 1.0)


def _drawn(row: ServingMeasurement) -> bool:
    """Whether lengths are drawn around the ones named: so do runs named in whole 1,024 tokens."""
    return all(
        tokens is None or tokens % _NOMINAL_TOKENS == 0.0
        for tokens in (row.input_tokens, row.output_tokens)
    )


def _limits(limit: BenchmarkLimit | None, scenario: str, tokens_out: float) -> tuple[float, float]:
    if scenario not in DEFAULT_LIMITS_S:
        return NO_LIMIT_S, NO_LIMIT_S
    if limit is None:
        return DEFAULT_LIMITS_S[scenario]
    if limit.e2e_p99_limit_s is not None:
        half = 0.5 * limit.e2e_p99_limit_s
        return half, half / tokens_out
    return limit.ttft_p99_limit_s or NO_LIMIT_S, limit.tpot_p99_limit_s or NO_LIMIT_S


def _layout(
    row: ServingMeasurement,
    part: AcceleratorSpec,
    model: ModelSpec,
    chips: int,
    notes: list[str],
) -> tuple[Layout, bool]:
    """Degrees from the columns, else from the free text, else open."""
    if row.tensor_parallel:
        return _explicit(row, part, chips), False
    text = row.parallelism
    if "decode" in text.lower() and "prefill" in text.lower() and _ON_CHIPS.search(text):
        return _separate(text, chips), False
    degrees = _degrees(text)
    dp_attention = "dp-attention" in text.lower() or "dp attention" in text.lower()
    if "tp" in degrees and degrees["tp"] <= chips:
        tensor = degrees["tp"]
        return (
            Layout(
                tensor=tensor,
                pipeline=max(1, min(degrees.get("pp", 1), chips // tensor)),
                expert=min(degrees.get("ep", 1), tensor),
                attention_data=tensor if dp_attention else 1,
            ),
            False,
        )
    if "tp" in degrees:  # counts cores of a chip: the whole deployment is one group
        return Layout(tensor=chips), False
    notes.append("parallelism chosen")
    if row.disaggregated:
        prefill = max(1, round(chips * DEFAULT_PREFILL_SHARE))
        tensor = min(_NODE, max(chips - prefill, 1))
        wide = bool(model.experts)
        return Layout(
            tensor=tensor,
            expert=tensor if wide else 1,
            attention_data=tensor if model.attention.startswith("mla") else 1,
            prefill_chips=prefill if chips > 1 else 0,
            prefill_tensor=min(_NODE, prefill),
        ), False
    return Layout(tensor=min(chips, max(part.scale_up_domain, _NODE))), True


def _explicit(row: ServingMeasurement, part: AcceleratorSpec, chips: int) -> Layout:
    tensor = row.tensor_parallel or 1
    data = row.attention_data_parallel or 1
    expert = row.expert_parallel or 1
    pipeline = row.pipeline_parallel or 1
    ranks = tensor if tensor * pipeline >= chips else tensor * data
    domain = max(part.scale_up_domain, _NODE)
    if ranks > domain and expert > 1 and ranks * pipeline == chips:
        # Such exports multiply the ranks by the expert degree; the node says how many exist.
        ranks = tensor if tensor <= domain else max(ranks // expert, 1)
        return Layout(tensor=ranks, expert=min(expert, ranks), chips=ranks)
    if ranks & (ranks - 1) and part.scale_up_domain > _NODE:
        # No power of two divides such a group: it is a rack with separate prefill.
        prefill = max(1, round(ranks * DEFAULT_PREFILL_SHARE / 4.0) * 4)
        group = min(ranks - prefill, 4 * _NODE)
        return Layout(
            tensor=group,
            expert=group,
            attention_data=group,
            prefill_chips=prefill,
            prefill_tensor=4,
        )
    return Layout(
        tensor=ranks,
        pipeline=pipeline,
        expert=min(expert, ranks),
        attention_data=data if ranks % data == 0 else 1,
    )


def _degrees(text: str) -> dict[str, int]:
    return {name.lower(): int(value) for name, value in _DEGREE.findall(text)}


def _separate(text: str, chips: int) -> Layout:
    """Text such as "prefill TP4 EP4 x1 on 4 GPUs; decode TP8 EP8 x4 on 32 GPUs"."""
    halves = re.split(r"decode", text, maxsplit=1, flags=re.IGNORECASE)
    prefill, decode = halves[0], halves[-1]
    (prefill_copies, prefill_chips), (copies, decode_chips) = (
        tuple(int(x) for x in match.groups()) if (match := _ON_CHIPS.search(half)) else (1, chips)
        for half in (prefill, decode)
    )
    group = max(decode_chips // max(copies, 1), 1)
    degrees = _degrees(decode)
    dp_attention = "dp-attention" in decode.lower()
    return Layout(
        tensor=group,
        expert=min(max(degrees.get("ep", 1), group if dp_attention else 1), group),
        attention_data=group if dp_attention else 1,
        prefill_chips=prefill_chips,
        prefill_tensor=max(prefill_chips // max(prefill_copies, 1), 1),
    )


def with_prompts(published: PublishedCases, prompt: Floats) -> PublishedCases:
    """Benchmark rows at the prompt length that a calibration found, against the assumed one."""
    benchmark = published.use == USES.index("benchmark")
    tokens = published.cases.input_tokens
    changed = np.where(benchmark, tokens * prompt, tokens)
    return replace(published, cases=replace(published.cases, input_tokens=changed))
