"""Time to train benchmarks whose time to a quality target has been measured elsewhere."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advisor.engine.calibration import Calibration
from advisor.engine.cases import Band, Floats, TrainingCases
from advisor.engine.kriging import Component, Features, Kriging, from_document
from advisor.engine.training.features import training_labels
from advisor.engine.training.tables import TrainingWork

COMPONENTS = (
    Component(labels=("benchmark",), spread=25.0),  # work to the target: not known beforehand
    Component(labels=("benchmark",), numbers=("scale",), spread=0.25),
    Component(labels=("any",), numbers=("scale",), spread=0.20),
    Component(labels=("vendor", "family"), spread=0.15),
    Component(labels=("generation",), spread=0.12),
    Component(labels=("part",), spread=0.15),
    Component(labels=("benchmark", "generation"), spread=0.10),
    Component(labels=("benchmark", "part"), spread=0.10),
)
"""Reasons why times differ from work over speed, beside the work itself."""
GROWTH = 0.15
"""Extra work for each e-fold of accelerators: larger batches need more samples to converge.

Source: MLPerf Training reference convergence points, samples to converge against batch.
"""
GROWTH_WIDTH = 0.10
_NORMAL_80 = 1.2816
_SCALE_STEP = 5.0  # accelerator counts this far apart, as a ratio, still behave alike


def time_labels(cases: TrainingCases, work: TrainingWork) -> Mapping[str, NDArray[np.str_]]:
    """Words of each case; a benchmark is a model with a task."""
    labels = training_labels(cases, work)
    benchmark = [
        f"{model}/{task}" for model, task in zip(labels["model"], labels["task"], strict=True)
    ]
    kept = {name: labels[name] for name in ("any", "vendor", "family", "generation", "part")}
    return {**kept, "benchmark": np.array(benchmark)}


def time_numbers(work: TrainingWork) -> Mapping[str, Floats]:
    """How large the job is."""
    return {"scale": np.log(work.chips) / np.log(_SCALE_STEP)}


def time_level(work: TrainingWork, speed: Floats, growth: float) -> tuple[Floats, Floats]:
    """Logarithm of a unit of work's time at a predicted speed, and its slope by the growth."""
    chips = np.log(work.chips)
    return growth * chips - chips - np.log(speed), chips[:, None] * GROWTH_WIDTH


@cache
def _learnt(calibration: Calibration) -> Kriging | None:
    document: Mapping[str, Any] | None = calibration.training.get("time")
    return None if document is None else from_document(document["residual"])


def time_to_train_s(
    cases: TrainingCases, work: TrainingWork, speed: Band, calibration: Calibration
) -> Band:
    """Seconds from start to target of each case; nan where no part's time is known.

    `speed` is the predicted tokens (or samples) a second of one accelerator.

    Source: MLPerf Training, time to the benchmark's quality target, evaluation included,
    initialisation left out; fitted in training_fit.
    """
    nothing = np.full(len(cases), np.nan)
    kriging = _learnt(calibration)
    if kriging is None:
        return Band(value=nothing, low=nothing, high=nothing)
    labels = time_labels(cases, work)
    known = np.isin(labels["benchmark"], kriging.known.labels["benchmark"])
    if not known.any():
        return Band(value=nothing, low=nothing, high=nothing)
    level, slopes = time_level(work, speed.value, float(calibration.training["time"]["growth"]))
    features = Features(labels=labels, numbers=time_numbers(work), slopes=slopes)
    shift, spread = kriging.predict(features)
    seconds = np.where(known, np.exp(level + shift), np.nan)
    factor = np.exp(_NORMAL_80 * spread)
    return Band(value=seconds, low=seconds / factor, high=seconds * factor)
