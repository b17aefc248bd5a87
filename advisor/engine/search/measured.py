"""Own measurements in place of predictions, where they are of the very configuration."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from advisor.engine.cases import (
    ENGINES,
    Band,
    Bools,
    Floats,
    InferenceCases,
    TrainingCases,
)
from advisor.engine.serving.performance import ServingPoint
from advisor.engine.serving.published import engine_of, precision_of
from advisor.engine.training.published import training_precision_of
from catalog.specs import (
    PRECISIONS,
    AcceleratorSpec,
    ModelSpec,
    ServingMeasurement,
    TrainingMeasurement,
)

_ALIKE = 0.01  # lengths and batches within a hundredth are the same
Ids = NDArray[np.str_]


def measured_training(
    cases: TrainingCases, rows: Sequence[TrainingMeasurement]
) -> tuple[Floats, Ids]:
    """Tokens a second of one accelerator that was measured for a case, and by which row.

    nan and "" where no row has the same part, count, model, format, task, length and batch.

    Source: the installation's own measurements, in its calibration.
    """
    speed = np.full(len(cases), np.nan)
    by = np.full(len(cases), "", dtype="U160")
    for row in rows:
        if not row.tokens_per_s_per_accelerator:
            continue
        same = _is_part(cases.accelerators, cases.accelerator, row.accelerator_slug)
        same &= _is_model(cases.models, cases.model, row.model_slug)
        same &= cases.accelerator_count == row.accelerator_count
        same &= _is_precision(cases.precision, training_precision_of(row.precision))
        same &= cases.task == (row.task or "pretrain")
        same &= _alike(cases.seq_len, row.seq_len) & _alike(cases.global_batch, row.global_batch)
        speed[same] = row.tokens_per_s_per_accelerator
        by[same] = row.id
    return speed, by


def measured_serving(
    cases: InferenceCases, point: ServingPoint, rows: Sequence[ServingMeasurement]
) -> tuple[ServingPoint, Ids]:
    """A point with what was measured at a case's own concurrency, and by which row.

    A row must have the same part, count, layout, model, format, software, lengths and
    concurrency; what it did not measure stays predicted.

    Source: the installation's own measurements, in its calibration.
    """
    by = np.full(len(cases), "", dtype="U160")
    bands: dict[str, Band] = {}
    for row in rows:
        same = _is_serving_case(cases, row)
        if not same.any():
            continue
        by[same] = row.id
        for name in (
            "output_tokens_per_s", "requests_per_s", "ttft_mean_s", "ttft_p50_s", "ttft_p99_s",
            "tpot_mean_s", "tpot_p50_s", "tpot_p99_s",
        ):  # fmt: skip
            value = getattr(row, name)
            if value is None and name == "requests_per_s" and row.output_tokens_per_s:
                value = row.output_tokens_per_s / (row.output_tokens or 1.0)
            if value:
                bands[name] = with_value(bands.get(name) or getattr(point, name), same, value)
    return (replace(point, **bands) if bands else point), by  # type: ignore[arg-type]


def with_value(band: Band, where: Bools, value: Floats | float) -> Band:
    """A band that is one known value in some rows.

    Source: a measurement has no range of the model's.
    """
    return Band(
        value=np.where(where, value, band.value),
        low=np.where(where, value, band.low),
        high=np.where(where, value, band.high),
    )


def _is_serving_case(cases: InferenceCases, row: ServingMeasurement) -> Bools:
    same = _is_part(cases.accelerators, cases.accelerator, row.accelerator_slug)
    if not same.any() or not row.concurrency:
        return np.zeros(len(cases), dtype=bool)
    same &= _is_model(cases.models, cases.model, row.model_slug)
    same &= _is_precision(cases.precision, precision_of(row.precision))
    same &= np.array([engine_of(row.engine) == name for name in ENGINES])[cases.engine]
    same &= cases.accelerator_count == (row.accelerator_count or 0)
    same &= cases.tensor_parallel == (row.tensor_parallel or row.accelerator_count or 0)
    same &= cases.pipeline_parallel == (row.pipeline_parallel or 1)
    same &= _alike(cases.input_tokens, row.input_tokens)
    same &= _alike(cases.output_tokens, row.output_tokens)
    return np.asarray(same & _alike(cases.concurrency, row.concurrency))


def _is_part(parts: Sequence[AcceleratorSpec], index: NDArray[np.int64], slug: str) -> Bools:
    return np.array([part.slug == slug for part in parts], dtype=bool)[index]


def _is_model(models: Sequence[ModelSpec], index: NDArray[np.int64], slug: str) -> Bools:
    return np.array([bool(slug) and model.slug == slug for model in models], dtype=bool)[index]


def _is_precision(index: NDArray[np.int64], name: str | None) -> Bools:
    return np.array([each == name for each in PRECISIONS])[index]


def _alike(column: Floats, value: float | None) -> Bools:
    return np.asarray(np.abs(column - (value or np.nan)) <= _ALIKE * column)
