"""Serving cases that several test files share."""

from dataclasses import replace

import numpy as np

from advisor.engine.cases import ENGINES, InferenceCases
from catalog.engine.shipped import shipped_snapshot
from catalog.specs import PRECISIONS, AcceleratorSpec, ModelSpec


def part(slug: str) -> AcceleratorSpec:
    return next(p for p in shipped_snapshot().accelerators if p.slug == slug)


def model(slug: str) -> ModelSpec:
    return next(m for m in shipped_snapshot().models if m.slug == slug)


def cases(
    accelerator: AcceleratorSpec,
    language_model: ModelSpec,
    *,
    rows: int = 1,
    precision: str = "fp8",
    engine: str = "vllm",
    tensor: int = 8,
    chips: int | None = None,
    expert: int = 1,
    attention_data: int = 1,
    input_tokens: float = 1000.0,
    output_tokens: float = 500.0,
    concurrency: float = 16.0,
) -> InferenceCases:
    def whole(value: int) -> np.ndarray:
        return np.full(rows, value, dtype=np.int64)

    return InferenceCases(
        accelerators=(accelerator,),
        models=(language_model,),
        accelerator=whole(0),
        model=whole(0),
        precision=whole(PRECISIONS.index(precision)),
        kv_precision=whole(PRECISIONS.index("bf16")),
        engine=whole(ENGINES.index(engine)),
        software_month=np.full(rows, 75.0),
        accelerator_count=whole(chips or tensor),
        tensor_parallel=whole(tensor),
        pipeline_parallel=whole(1),
        expert_parallel=whole(expert),
        attention_data_parallel=whole(attention_data),
        input_tokens=np.full(rows, input_tokens),
        output_tokens=np.full(rows, output_tokens),
        concurrency=np.full(rows, concurrency),
        disaggregated=np.zeros(rows, dtype=bool),
        speculative=np.zeros(rows, dtype=bool),
        assumed=whole(0),
    )


def faster(accelerator: AcceleratorSpec, *, field: str, factor: float) -> AcceleratorSpec:
    """The part with one rate multiplied."""
    if field == "flops":
        peaks = {name: rate * factor for name, rate in accelerator.peak_flops_per_s.items()}
        return replace(accelerator, peak_flops_per_s=peaks)
    return replace(accelerator, **{field: getattr(accelerator, field) * factor})
