"""What training jobs are compared by, where a calibration carries what others' rows showed."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from advisor.engine.cases import TrainingCases
from advisor.engine.kriging import Component, Features
from advisor.engine.training.tables import FRAMEWORK_STYLES, TrainingWork, frameworks_of
from catalog.specs import PRECISIONS, AcceleratorSpec

_FORMATS = ("fp4", "fp8", "int8", "bf16")
_RACK = 8  # accelerators one node joins; a wider fabric makes a rack
_JOB = ("size", "seq", "load", "scale")
COMPONENTS = (
    Component(labels=("family",), spread=0.05),
    Component(labels=("vendor", "family"), spread=0.05),
    Component(labels=("generation",), spread=0.05),
    Component(labels=("part",), spread=0.05),
    Component(labels=("framework",), spread=0.07),
    Component(labels=("style",), spread=0.05),
    Component(labels=("framework", "generation"), spread=0.11),
    Component(labels=("framework", "part"), spread=0.09),
    Component(labels=("mixture",), spread=0.05),
    Component(labels=("mixture", "framework"), spread=0.08),
    Component(labels=("mixture", "fabric", "framework"), spread=0.15),
    Component(labels=("mixture", "framework", "part"), spread=0.08),
    Component(labels=("mixture", "generation"), spread=0.04),
    Component(labels=("model",), spread=0.10),
    Component(labels=("model", "framework"), spread=0.05),
    Component(labels=("task",), spread=0.05),
    Component(labels=("task", "framework"), spread=0.05),
    Component(labels=("precision", "framework"), spread=0.045),
    Component(labels=("precision", "generation"), spread=0.04),
    Component(labels=("precision", "framework", "generation"), spread=0.05),
    Component(labels=("any",), numbers=_JOB, spread=0.10),
    Component(labels=("framework",), numbers=_JOB, spread=0.03),
    Component(labels=("framework", "part"), numbers=_JOB, spread=0.05),
    Component(labels=("model", "framework"), numbers=_JOB, spread=0.03),
    Component(labels=("any",), numbers=("seq",), spread=0.12),
    Component(labels=("framework",), numbers=("seq",), spread=0.08),
    Component(labels=("framework",), numbers=("load", "scale"), spread=0.03),
    Component(labels=("task", "framework"), numbers=("load", "scale"), spread=0.03),
)
"""Reasons why jobs err alike, widest first; a fit finds how much each explains."""


def generation_of(part: AcceleratorSpec) -> str:
    """Silicon generation: vendor, family, the narrowest fast format and the kind of memory.

    Told from names alone, so that a faster part is not taken for another one.
    """
    narrowest = next((name for name in _FORMATS if name in part.peak_flops_per_s), "fp16")
    memory = "hbm" if part.memory_type.upper().startswith("HBM") else "other"
    return f"{part.vendor}/{part.family.value}/{narrowest}/{memory}"


def training_labels(cases: TrainingCases, work: TrainingWork) -> Mapping[str, NDArray[np.str_]]:
    """Words of each case; numbers of the part itself are left to physics."""
    parts, models = cases.accelerators, [cases.models[index] for index in cases.model]
    frameworks = frameworks_of(cases)

    def by_part(words: list[str]) -> NDArray[np.str_]:
        return np.array(words)[cases.accelerator]

    mixture = np.array(["mixture" if model.experts else "dense" for model in models])
    return {
        "any": np.full(len(cases), "any"),
        "family": by_part([part.family.value for part in parts]),
        "vendor": by_part([part.vendor for part in parts]),
        "generation": by_part([generation_of(part) for part in parts]),
        "part": by_part([part.slug for part in parts]),
        "framework": frameworks,
        "style": np.array([FRAMEWORK_STYLES.get(str(name), "") for name in frameworks]),
        "model": np.array([model.slug or model.name for model in models]),
        "mixture": mixture,
        "task": cases.task.astype(np.str_),
        "precision": np.array(PRECISIONS)[cases.precision],
        "fabric": np.where(work.domain > _RACK, "rack", "node"),
    }


def training_numbers(work: TrainingWork) -> Mapping[str, NDArray[np.float64]]:
    """Logarithms of the job's sizes, in units over which jobs stay alike."""
    return {
        "size": np.log(work.total_params) / np.log(6.0),
        "seq": np.log(work.seq_len) / np.log(4.0),
        "load": np.log(work.sequences * work.seq_len / work.chips) / np.log(8.0),
        "scale": np.log(work.chips) / np.log(8.0),
    }


def training_features(
    cases: TrainingCases, work: TrainingWork, slopes: NDArray[np.float64]
) -> Features:
    """Everything a residual is predicted from."""
    return Features(
        labels=training_labels(cases, work), numbers=training_numbers(work), slopes=slopes
    )
