"""Published training configurations, in their own words, as cases; what is missing is assumed."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from advisor.engine.cases import TrainingCases
from catalog.specs import PRECISIONS, AcceleratorSpec, ModelSpec, TrainingMeasurement

_FRAMEWORK_WORDS: tuple[tuple[str, str], ...] = (
    (r"llm-foundry|composer", "llm-foundry"),
    (r"automodel", "automodel"),
    (r"megatron-bridge", "megatron-bridge"),
    (r"neuron|nxd", "neuron"),
    (r"synapse|gaudi|habana", "synapse"),
    (r"poplar|popart|poptorch", "poplar"),
    (r"maxtext|maxdiffusion|\bjax|pathways|\btpu", "xla"),
    (r"nemo|nvidia|ngc|mxnet|hugectr|merlin|\bdgl", "nvidia-tuned"),
    (r"rocm|primus|llmboost", "rocm"),
    (r"megatron", "megatron"),
    (r"deepspeed|fsdp|torchtitan|pytorch|hai-llm", "pytorch"),
    (r"tensorflow", "tensorflow"),
)
_PRECISION_WORDS: tuple[tuple[str, str], ...] = (
    (r"nvfp4|mxfp4|fp4", "fp4"),
    (r"mxfp8|fp8|float8", "fp8"),
    (r"bf16|bfloat16", "bf16"),
    (r"fp16|float16|16\.16|mixed", "fp16"),
    (r"tf32", "tf32"),
    (r"fp32|float32", "fp32"),
)
_DATED = re.compile(r"\b(2\d)\.(0[1-9]|1[0-2])\b")  # releases named by year and month
_FIRST_YEAR = 20
_MONTHS = 12
_FOUR_BIT_SINCE = 68.0  # September 2025: the first tuned entries with 4-bit training
_NODE = 8


def framework_of(words: str) -> str:
    """The training software that published words mean; "" where they say nothing."""
    text = words.lower()
    return next((name for pattern, name in _FRAMEWORK_WORDS if re.search(pattern, text)), "")


def training_precision_of(words: str) -> str | None:
    """The compute format that published words mean, one of PRECISIONS; None where none is named."""
    text = words.lower()
    return next((name for pattern, name in _PRECISION_WORDS if re.search(pattern, text)), None)


def framework_month(words: str) -> float:
    """Months since January 2020 of a release named by year and month; nan where it is not."""
    match = _DATED.search(words)
    return (
        float("nan") if not match else (int(match[1]) - _FIRST_YEAR) * _MONTHS + int(match[2]) - 1
    )


def default_precision(part: AcceleratorSpec, framework: str, month: float) -> str:
    """The format a job most likely used where none is named.

    Tuned benchmark entries use 8 bits where the part is faster with them, and 4 since there
    is software for it; all others use 16.

    Source: MLPerf Training v4.1 and v5.1 submissions.
    """
    rates = part.peak_flops_per_s
    sixteen = "bf16" if "bf16" in rates or "fp16" not in rates else "fp16"
    tuned = framework in ("nvidia-tuned", "rocm")
    faster = rates.get("fp8", 0.0) > rates.get(sixteen, np.inf)
    if framework == "nvidia-tuned" and month >= _FOUR_BIT_SINCE and "fp4" in rates:
        return "fp4"
    return "fp8" if tuned and faster else sixteen


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedTraining:
    """Cases, and what was assumed of each row, a sentence each."""

    cases: TrainingCases
    notes: tuple[tuple[str, ...], ...]


def plain_transformer(name: str, params: float) -> ModelSpec:
    """A model of which only the size is known: a dense transformer of the usual shape.

    Source: twelve hidden sizes squared a layer and a width of 110 to 130 a layer, as in
    J. Kaplan et al., arXiv:2001.08361, and the published GPT-3, Llama and MPT shapes.
    """
    hidden = 128.0 * max(1.0, round((params * 10.0) ** (1.0 / 3.0) / 128.0))
    return ModelSpec(
        slug="",
        name=name,
        kind="dense_llm",
        total_params=params,
        active_params=params,
        layers=int(max(1.0, round(params / (12.0 * hidden**2)))),
        hidden=int(hidden),
        ffn=int(4 * hidden),
        heads=int(max(hidden // 128, 1)),
        kv_heads=int(max(hidden // 128, 1)),
        head_dim=128,
        vocab=50_000,
        attention="mha",
    )


def published_training(
    rows: Sequence[TrainingMeasurement],
    *,
    accelerators: Sequence[AcceleratorSpec],
    models: Sequence[ModelSpec],
) -> PublishedTraining:
    """Columns of published rows whose part is known; a model not known needs its size.

    Reads configuration alone: what a row measured is never looked at.

    Source: each default is named in the row's notes.
    """
    part_index = {part.slug: index for index, part in enumerate(accelerators)}
    table = list(models)
    model_index = {model.slug: index for index, model in enumerate(table)}
    indices, notes, words = [], [], []
    for row in rows:
        said: list[str] = []
        if row.model_slug in model_index:
            indices.append(model_index[row.model_slug])
        else:
            said.append("shape of a plain transformer of this size")
            indices.append(len(table))
            table.append(plain_transformer(row.model, row.params or 1e9))
        words.append(_words(row, accelerators[part_index[row.accelerator_slug]], said))
        notes.append(tuple(said))

    def texts(name: str) -> NDArray[np.str_]:
        return np.array([str(word[name]) for word in words])

    cases = TrainingCases(
        accelerators=tuple(accelerators),
        models=tuple(table),
        accelerator=np.array([part_index[row.accelerator_slug] for row in rows], dtype=np.int64),
        model=np.array(indices, dtype=np.int64),
        precision=np.array([PRECISIONS.index(str(w["precision"])) for w in words], dtype=np.int64),
        software_month=np.array([framework_month(row.framework) for row in rows]),
        accelerator_count=np.array([row.accelerator_count for row in rows], dtype=np.int64),
        system_accelerator_count=np.array([int(w["system"]) for w in words], dtype=np.int64),
        scale_out_bytes_per_s=np.full(len(rows), np.nan),
        task=texts("task"),
        seq_len=np.array([row.seq_len or np.nan for row in rows], dtype=np.float64),
        global_batch=np.array([row.global_batch or np.nan for row in rows], dtype=np.float64),
        recompute=np.full(len(rows), "auto"),
        assumed=np.array([len(said) for said in notes], dtype=np.int64),
        framework=texts("framework"),
    )
    return PublishedTraining(cases=cases, notes=tuple(notes))


def _words(
    row: TrainingMeasurement, part: AcceleratorSpec, said: list[str]
) -> dict[str, str | int]:
    framework = framework_of(row.framework)
    precision = training_precision_of(row.precision)
    if precision is None:
        precision = default_precision(part, framework, framework_month(row.framework))
        said.append(f"{precision} compute")
    if not row.seq_len:
        said.append("a usual sequence length")
    if not row.global_batch:
        said.append("a usual batch for each accelerator")
    return {
        "framework": framework,
        "precision": precision,
        "task": row.task or "pretrain",
        "system": max(part.scale_up_domain, _NODE if row.accelerator_count >= _NODE else 1),
    }
