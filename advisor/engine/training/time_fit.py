"""Fit of benchmarks' time to train, on top of the speed a calibration predicts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from advisor.engine.calibration import Calibration
from advisor.engine.cases import Floats, Ints
from advisor.engine.kriging import as_document
from advisor.engine.kriging_fit import Evidence, Prior, fit_with_scale
from advisor.engine.training.performance import training_point
from advisor.engine.training.published import published_training
from advisor.engine.training.tables import training_work
from advisor.engine.training.time import (
    COMPONENTS,
    GROWTH,
    GROWTH_WIDTH,
    time_labels,
    time_level,
    time_numbers,
)
from catalog.specs import AcceleratorSpec, ModelSpec, TrainingMeasurement

_NOISE = 0.08  # of a time, as submissions of one system in one round differ
_PRIOR = Prior(centre=np.array([GROWTH]), width=np.array([GROWTH_WIDTH]))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TimesEvidence:
    """Measured times to train, and what the physical model says of each."""

    rows: tuple[TrainingMeasurement, ...]
    evidence: Evidence
    level: Floats  # logarithm of a unit of work's time without growth
    chips: Floats  # logarithm

    def physics(self, theta: Floats, rows: Ints) -> tuple[Floats, Floats]:
        """Logarithm of time and its slope."""
        chips = self.chips[rows]
        return self.level[rows] + theta[0] * chips, chips[:, None] * GROWTH_WIDTH


def times_evidence(
    rows: Sequence[TrainingMeasurement],
    *,
    accelerators: Sequence[AcceleratorSpec],
    models: Sequence[ModelSpec],
    section: Mapping[str, Any],
) -> TimesEvidence:
    """Rows of known parts with a time to train; `section` predicts their speed.

    Source: MLPerf Training results, olympic means.
    """
    parts, known = {part.slug for part in accelerators}, {model.slug for model in models}
    timed = tuple(
        row
        for row in rows
        if row.time_to_train_s
        and row.accelerator_slug in parts
        and (row.model_slug in known or row.params)
    )
    cases = published_training(timed, accelerators=accelerators, models=models).cases
    work = training_work(cases)
    plain = {name: value for name, value in section.items() if name != "time"}
    point = training_point(cases, Calibration(version="", training=plain))
    level, _ = time_level(work, point.tokens_per_s_per_accelerator.value, 0.0)
    groups = [f"{row.accelerator_slug} {row.model_slug or row.model}" for row in timed]
    return TimesEvidence(
        rows=timed,
        evidence=Evidence(
            measured=np.log(np.array([row.time_to_train_s for row in timed], dtype=np.float64)),
            labels=time_labels(cases, work),
            numbers=time_numbers(work),
            groups=np.array(groups),
            trust=np.ones(len(timed)),
        ),
        level=level,
        chips=np.log(work.chips),
    )


def fit_times(timed: TimesEvidence) -> dict[str, Any]:
    """The times part of a calibration's training section."""
    state = fit_with_scale(timed.physics, _PRIOR, COMPONENTS, timed.evidence, noise=_NOISE)
    return {
        "growth": round(float(state.theta[0]), 4),
        "residual": as_document(
            state.kriging,
            residuals=state.residuals,
            doubt=state.doubt,
            rows=[row.id for row in timed.rows],
        ),
    }
