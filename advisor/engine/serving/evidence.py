"""Published serving measurements as evidence: configurations, figures and trust."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from advisor.engine.cases import Floats, Ints
from advisor.engine.serving.outcomes import TARGETS, some_cases
from advisor.engine.serving.parameters import architecture
from advisor.engine.serving.published import PublishedCases, published_cases
from catalog.specs import AcceleratorSpec, BenchmarkLimit, ModelSpec, ServingMeasurement

MOST_OF_PEAK = 0.75
# Trust by source, after how each defines and audits its numbers; zero is context only.
TRUST: tuple[tuple[str, float], ...] = (
    (r"README performance table|Groq|Cerebras|SambaNova", 0.0),
    (r"LMSYS|Gemma 4 MTP|press summary", 0.1),
    (r"MLPerf Inference v6\.1", 0.6),
    (r"Gaudi model performance|Neuron|JetStream|tpu-recipes|performance-benchmark", 0.6),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observations:
    """Measured rows as cases, what they measured, and how far they are trusted."""

    published: PublishedCases
    measured: Mapping[str, Floats]  # by target; nan where not measured
    trust: Floats
    group: NDArray[np.str_]  # accelerator x architecture: models of one stand or fall together
    source: NDArray[np.str_]
    vendor: NDArray[np.str_]
    identity: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.trust)


def trust_of(source: str) -> float:
    """Weight of a source in the fit, from zero to one."""
    return next((weight for pattern, weight in TRUST if re.search(pattern, source)), 1.0)


def above_roofline(row: ServingMeasurement, part: AcceleratorSpec, model: ModelSpec) -> bool:
    """Whether a row's prompts would take more arithmetic than its chips could do.

    Such runs served prompts from a cache or on more chips than they name, and tell nothing
    of the part. Best matrix kernels reach 0.7 to 0.8 of a peak, whole engines less.

    Source: stas00/ml-engineering, maximum achievable matmul tables.
    """
    if row.concurrency and row.tpot_mean_s and row.ttft_mean_s and row.output_tokens:
        rate = row.concurrency / (row.ttft_mean_s + row.output_tokens * row.tpot_mean_s)
    elif row.output_tokens_per_s and row.output_tokens:
        rate = row.output_tokens_per_s / row.output_tokens
    else:
        return False
    tokens = (row.input_tokens or 0.0) + (row.output_tokens or 0.0)
    peak = max(part.peak_flops_per_s.values(), default=0.0) * (row.accelerator_count or 0)
    return 2.0 * model.active_params * tokens * rate > MOST_OF_PEAK * peak > 0.0


def typical_lengths(
    rows: Iterable[ServingMeasurement],
) -> dict[str, tuple[float, float]]:
    """Median input and output tokens of benchmark entries by model, for rows that name none."""
    seen: dict[str, tuple[list[float], list[float]]] = {}
    for row in rows:
        if row.model_slug and row.scenario != "concurrency" and row.output_tokens:
            entry = seen.setdefault(row.model_slug, ([], []))
            entry[1].append(row.output_tokens)
            if row.input_tokens:
                entry[0].append(row.input_tokens)
    return {
        slug: (
            float(np.median(inputs)) if inputs else 1024.0,
            float(np.median(outputs)),
        )
        for slug, (inputs, outputs) in sorted(seen.items())
    }


def observations(
    rows: Sequence[ServingMeasurement],
    *,
    accelerators: Sequence[AcceleratorSpec],
    models: Sequence[ModelSpec],
    limits: Sequence[BenchmarkLimit],
    lengths: Mapping[str, tuple[float, float]],
) -> Observations:
    """The rows of language models that measured a rate or a latency of tokens."""
    parts = {part.slug: part for part in accelerators}
    index = {model.slug: i for i, model in enumerate(models)}
    kept = [
        row
        for row in rows
        if row.accelerator_slug in parts
        and row.model_slug in index
        and models[index[row.model_slug]].kind in ("dense_llm", "moe_llm")
        and any(getattr(row, name) for name in TARGETS)
    ]
    published = published_cases(
        kept,
        accelerators=accelerators,
        models=models,
        row_models=[index[row.model_slug] for row in kept],
        limits=limits,
        lengths=lengths,
    )
    return Observations(
        published=published,
        measured={
            name: np.array([getattr(row, name) or np.nan for row in kept], dtype=np.float64)
            for name in TARGETS
        },
        trust=np.array(
            [
                0.0
                if above_roofline(row, parts[row.accelerator_slug], models[index[row.model_slug]])
                else trust_of(row.source)
                for row in kept
            ]
        ),
        group=np.array(
            [
                f"{row.accelerator_slug}|{architecture(models[index[row.model_slug]])}"
                for row in kept
            ]
        ),
        source=np.array([row.source for row in kept]),
        vendor=np.array([parts[row.accelerator_slug].vendor for row in kept]),
        identity=np.array([row.id for row in kept]),
    )


def some_rows(observed: Observations, rows: Ints) -> Observations:
    """Some rows of observations."""
    return Observations(
        published=some_cases(observed.published, rows),
        measured={name: values[rows] for name, values in observed.measured.items()},
        trust=observed.trust[rows],
        group=observed.group[rows],
        source=observed.source[rows],
        vendor=observed.vendor[rows],
        identity=observed.identity[rows],
    )
