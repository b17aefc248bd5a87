"""Speed of models that make no tokens one by one: images, queries, audio, embeddings, graphs."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from advisor.engine.calibration import DEFAULT_CALIBRATION, Calibration
from advisor.engine.cases import Band, Bools, Floats, SampleCases
from advisor.engine.kriging import Kriging, from_document
from advisor.engine.samples.features import sample_features
from advisor.engine.samples.parameters import samples_parameters, samples_widths
from advisor.engine.samples.work import TERMS, SampleWork, pass_times, sample_work
from catalog.specs import Evidence

_DEFAULT_SPREAD = 0.45  # standard deviation of the logarithm where nothing was measured
_ASSUMED_SPREAD = 0.02  # more for each field that was assumed
_NORMAL_80 = 1.2816
_STEP = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplesPoint:
    """Predictions, one a case."""

    samples_per_s: Band  # whole deployment; in the benchmark's own samples where published
    latency_s: Band  # one pass of one accelerator
    fits: Bools
    shards: Floats  # accelerators one copy of the model is spread over
    binding: NDArray[np.str_]  # compute, memory, link, overhead
    evidence: NDArray[np.str_]


def samples_point(
    cases: SampleCases, calibration: Calibration = DEFAULT_CALIBRATION
) -> SamplesPoint:
    """Predict each case: columns as long as the cases.

    A pass computes its samples' FLOPs, reads the weights once and each sample's own bytes,
    and pays a fixed time. Tables larger than one accelerator are spread, and looked-up rows
    travel. A calibration shifts the logarithm of speed by what measured rows of the same
    part, model and kind show.

    Source: terms in samples_work; residuals in kriging.
    """
    work = sample_work(cases)
    parameters = samples_parameters(calibration.samples)
    times = pass_times(work, parameters)
    shift, spread, known = _residual(cases, work, parameters, calibration)
    factor = np.exp(_NORMAL_80 * np.hypot(spread, _ASSUMED_SPREAD * cases.assumed))
    roof = work.count * work.peak / work.flops
    speed = np.minimum(times.samples_per_s * np.exp(shift), roof)
    unit = samples_per_published(cases, calibration)
    high = np.minimum(speed * factor, roof)
    pass_s = np.maximum(times.pass_s * np.exp(-shift), times.batch * work.flops / work.peak)
    terms = np.stack([times.seconds[term] for term in TERMS])
    return SamplesPoint(
        samples_per_s=Band(value=speed / unit, low=speed / factor / unit, high=high / unit),
        latency_s=Band(value=pass_s, low=pass_s / factor, high=pass_s * factor),
        fits=work.shards <= work.count,
        shards=work.shards,
        binding=np.array(TERMS)[np.argmax(terms, axis=0)],
        evidence=np.where(known, Evidence.CALIBRATED.value, Evidence.ESTIMATED.value),
    )


def samples_per_published(cases: SampleCases, calibration: Calibration) -> Floats:
    """Samples of the catalogue in one that the model's benchmark counts; 1 elsewhere.

    Source: the `units` of the calibration's samples section, each with its own source.
    """
    if cases.published is None:
        return np.ones(len(cases))
    units = calibration.samples.get("units", {})
    each = np.array([float(units.get(m.slug, {}).get("samples", 1.0)) for m in cases.models])
    return np.where(cases.published, each[cases.model], 1.0)


@cache
def _learnt(calibration: Calibration) -> Kriging | None:
    document = calibration.samples.get("residual")
    return None if document is None else from_document(document)


def _residual(
    cases: SampleCases,
    work: SampleWork,
    parameters: Mapping[str, float],
    calibration: Calibration,
) -> tuple[Floats, Floats, Bools]:
    kriging = _learnt(calibration)
    if kriging is None:
        nothing = np.zeros(len(cases))
        return nothing, nothing + _DEFAULT_SPREAD, np.zeros(len(cases), dtype=bool)
    features = sample_features(cases, work, pass_slopes(work, parameters))
    shift, spread = kriging.predict(features)
    known = kriging.known.labels
    alike = np.isin(features.labels["generation"], known["generation"])
    return shift, spread, alike & np.isin(features.labels["kind"], known["kind"])


def pass_slopes(work: SampleWork, parameters: Mapping[str, float]) -> Floats:
    """Derivatives of the logarithm of speed by those of the parameters, times prior widths."""
    columns = []
    for name, width in zip(parameters, samples_widths(), strict=True):
        up = {**parameters, name: parameters[name] * float(np.exp(_STEP))}
        down = {**parameters, name: parameters[name] * float(np.exp(-_STEP))}
        rise = pass_times(work, up).samples_per_s / pass_times(work, down).samples_per_s
        columns.append(np.log(rise) / (2.0 * _STEP) * width)
    return np.stack(columns, axis=1)
