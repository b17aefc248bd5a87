"""Published serving configurations predicted: physics, residual and the range around them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from advisor.engine.calibration import Calibration
from advisor.engine.cases import Band, Bools, Floats
from advisor.engine.serving.layouts import best_layouts
from advisor.engine.serving.outcomes import is_limited, predicted
from advisor.engine.serving.parameters import generation, parameter_columns
from advisor.engine.serving.performance import OUTPUTS, Z80, serving_parameters, sigma_of
from advisor.engine.serving.published import PublishedCases
from catalog.specs import Evidence

WIDER_PER_ASSUMPTION = 0.10
WIDER_UNKNOWN_PART = 1.5
WIDER_UNKNOWN_MODEL = 1.2


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingPrediction:
    """Bands by name of the figure, and how each row is known."""

    figures: Mapping[str, Band]
    evidence: NDArray[np.str_]
    published: PublishedCases


def predict_published(published: PublishedCases, calibration: Calibration) -> ServingPrediction:
    """Every figure of published cases; open layouts are chosen, limits searched for.

    Ranges are those that held out-of-group residuals ask for, wider for parts and models
    that nobody measured and for every default taken.

    Source: advisor.engine.serving.performance; split conformal ranges after V. Vovk et al.,
    "Algorithmic Learning in a Random World", 2005.
    """
    parameters = serving_parameters(calibration)
    chosen = best_layouts(published, parameters)
    figures = predicted(chosen, parameter_columns(chosen.cases, parameters, chosen.use))
    known, widen = _evidence(chosen, calibration)
    bands = {}
    for name in OUTPUTS:
        sigma = sigma_of(calibration, name, chosen.cases, is_limited(chosen))
        spread = np.exp(Z80 * sigma * widen)
        value = figures[name]
        bands[name] = Band(value=value, low=value / spread, high=value * spread)
    return ServingPrediction(
        figures=bands,
        evidence=np.where(known, Evidence.CALIBRATED.value, Evidence.ESTIMATED.value),
        published=chosen,
    )


def _evidence(published: PublishedCases, calibration: Calibration) -> tuple[Bools, Floats]:
    """Whether rows of the same generation were fitted, and how much wider the range is."""
    cases = published.cases
    fitted = cast("Mapping[str, list[str]]", calibration.serving.get("evidence", {}))
    parts, models = frozenset(fitted.get("parts", ())), frozenset(fitted.get("models", ()))
    generations = {generation(part) for part in cases.accelerators if part.slug in parts}
    known_generation = np.array([generation(part) in generations for part in cases.accelerators])
    known_part = np.array([part.slug in parts for part in cases.accelerators])
    known_model = np.array([model.slug in models for model in cases.models])
    widen = 1.0 + WIDER_PER_ASSUMPTION * cases.assumed
    widen = widen * np.where(known_part[cases.accelerator], 1.0, WIDER_UNKNOWN_PART)
    widen = widen * np.where(known_model[cases.model], 1.0, WIDER_UNKNOWN_MODEL)
    return known_generation[cases.accelerator], np.asarray(widen)
