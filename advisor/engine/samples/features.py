"""What cases without tokens are compared by, where a calibration carries others' residuals."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from advisor.engine.cases import Floats, SampleCases
from advisor.engine.kriging import Component, Features
from advisor.engine.samples.work import SampleWork
from advisor.engine.training.features import generation_of
from catalog.specs import PRECISIONS

_USUAL_MONTH = 60.0  # January 2025, where the software's age is not known
COMPONENTS = (
    Component(labels=("family",), spread=0.15),
    Component(labels=("vendor", "family"), spread=0.15),
    Component(labels=("generation",), spread=0.10),
    Component(labels=("part",), spread=0.12),
    Component(labels=("kind",), spread=0.10),
    Component(labels=("model",), spread=0.30),
    Component(labels=("kind", "vendor"), spread=0.12),
    Component(labels=("kind", "generation"), spread=0.10),
    Component(labels=("kind", "part"), spread=0.08),
    Component(labels=("model", "generation"), spread=0.10),
    Component(labels=("model", "part"), spread=0.04),
    Component(labels=("precision", "generation"), spread=0.06),
    Component(labels=("precision", "model"), spread=0.08),
    Component(labels=("engine",), spread=0.10),
    Component(labels=("engine", "vendor"), spread=0.08),
    Component(labels=("scenario", "model"), spread=0.10),
    Component(labels=("scenario", "vendor"), spread=0.05),
    Component(labels=("scenario", "part"), spread=0.04),
    Component(labels=("scenario", "model", "generation"), spread=0.06),
    Component(labels=("scenario", "part"), numbers=("scale",), spread=0.04),
    Component(labels=("model",), numbers=("month",), spread=0.06),
    Component(labels=("generation",), numbers=("month",), spread=0.04),
    Component(labels=("part",), numbers=("scale",), spread=0.05),
    Component(labels=("part",), numbers=("scale", "month"), spread=0.05),
)
"""Reasons why cases err alike, widest first."""


def sample_labels(cases: SampleCases) -> Mapping[str, NDArray[np.str_]]:
    """Words of each case; numbers of the part itself are left to physics."""
    parts = cases.accelerators
    engine = cases.engine if cases.engine is not None else np.full(len(cases), "")

    def by_part(words: list[str]) -> NDArray[np.str_]:
        return np.array(words)[cases.accelerator]

    return {
        "family": by_part([part.family.value for part in parts]),
        "vendor": by_part([part.vendor for part in parts]),
        "generation": by_part([generation_of(part) for part in parts]),
        "part": by_part([part.slug for part in parts]),
        "kind": np.array([m.kind for m in cases.models])[cases.model],
        "model": np.array([m.slug or m.name for m in cases.models])[cases.model],
        "precision": np.array(PRECISIONS)[cases.precision],
        "engine": engine.astype(np.str_),
        "scenario": np.where(cases.scenario == "server", "server", "offline"),
    }


def sample_numbers(cases: SampleCases, work: SampleWork) -> Mapping[str, Floats]:
    """Size of the deployment and age of the software, in units over which cases stay alike."""
    month = np.where(np.isnan(cases.software_month), _USUAL_MONTH, cases.software_month)
    return {"scale": np.log(work.count) / np.log(3.0), "month": month / 9.0}


def sample_features(cases: SampleCases, work: SampleWork, slopes: Floats) -> Features:
    """Everything a residual is predicted from."""
    return Features(labels=sample_labels(cases), numbers=sample_numbers(cases, work), slopes=slopes)
