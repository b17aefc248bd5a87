"""Published results of models without tokens, in their own words, as cases."""

from collections.abc import Mapping, Sequence

import numpy as np

from advisor.engine.cases import SampleCases
from advisor.engine.serving.published import month_of, precision_of
from catalog.specs import (
    PRECISIONS,
    AcceleratorSpec,
    BenchmarkLimit,
    ModelSpec,
    ServingMeasurement,
)

SAMPLE_KINDS = ("vision", "encoder", "embedding", "diffusion", "speech", "recsys", "graph")
EIGHT_BIT = ("int8", "fp8", "fp16", "bf16")
FLOATING = ("fp8", "fp16", "bf16")
SIXTEEN_BIT = ("fp16", "bf16")
USUAL_PRECISIONS: Mapping[str, tuple[str, ...]] = {
    "diffusion": FLOATING,
    "speech": SIXTEEN_BIT,
    "graph": SIXTEEN_BIT,
}
"""Formats a kind of model is benchmarked in, where a row names none; 8 bits for all others.

Source: MLPerf Inference v2.0 to v6.0 submissions that declare theirs.
"""
_USUAL_COUNT = 8


def sample_precision(words: str, part: AcceleratorSpec, kind: str) -> str:
    """The format as published; else the fastest of those such models are benchmarked in."""
    rates = part.peak_flops_per_s
    usual = USUAL_PRECISIONS.get(kind, EIGHT_BIT)
    return precision_of(words) or max(usual, key=lambda name: rates.get(name, 0.0))


def published_samples(
    rows: Sequence[ServingMeasurement],
    *,
    accelerators: Sequence[AcceleratorSpec],
    models: Sequence[ModelSpec],
    limits: Sequence[BenchmarkLimit],
    row_models: Sequence[int] | None = None,
) -> SampleCases:
    """Columns of published rows whose part is known.

    `row_models` says by index which model each row means, where its slug does not. Reads
    configuration alone: what a row measured is never looked at.

    Source: latency limits of the benchmarks, as each names them.
    """
    part_of = {part.slug: index for index, part in enumerate(accelerators)}
    model_of = {model.slug: index for index, model in enumerate(models)}
    chosen = list(row_models or (model_of[row.model_slug] for row in rows))
    known = {(limit.model_slug, limit.scenario): limit.e2e_p99_limit_s for limit in limits}
    precisions = [
        PRECISIONS.index(
            sample_precision(
                row.precision,
                accelerators[part_of[row.accelerator_slug]],
                models[index].kind,
            )
        )
        for row, index in zip(rows, chosen, strict=True)
    ]
    return SampleCases(
        accelerators=tuple(accelerators),
        models=tuple(models),
        accelerator=np.array([part_of[row.accelerator_slug] for row in rows], dtype=np.int64),
        model=np.array(chosen, dtype=np.int64),
        precision=np.array(precisions, dtype=np.int64),
        software_month=np.array([month_of(row.measured_month) for row in rows]),
        accelerator_count=np.array(
            [row.accelerator_count or _USUAL_COUNT for row in rows], dtype=np.int64
        ),
        batch=np.array([row.concurrency or np.nan for row in rows], dtype=np.float64),
        scenario=np.array([row.scenario or "offline" for row in rows]),
        latency_limit_s=np.array(
            [
                known.get((models[index].slug, row.scenario)) or np.inf
                for row, index in zip(rows, chosen, strict=True)
            ],
            dtype=np.float64,
        ),
        sequence=np.array([row.input_tokens or np.nan for row in rows], dtype=np.float64),
        assumed=np.array([int(not row.precision) for row in rows], dtype=np.int64),
        engine=np.array([row.engine for row in rows]),
        published=np.ones(len(rows), dtype=bool),
    )
