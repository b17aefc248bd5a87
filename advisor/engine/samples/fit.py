"""Fit of models without tokens to published measurements, and its check out of group."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any

import numpy as np

from advisor.engine.calibration import Calibration
from advisor.engine.cases import Floats, Ints, SampleCases
from advisor.engine.kriging import as_document
from advisor.engine.kriging_fit import Evidence, Prior, fit_with_scale, out_of_group
from advisor.engine.samples.features import COMPONENTS, sample_labels, sample_numbers
from advisor.engine.samples.parameters import DEFAULTS, samples_parameters, samples_widths
from advisor.engine.samples.performance import pass_slopes, samples_per_published
from advisor.engine.samples.published import SAMPLE_KINDS, published_samples
from advisor.engine.samples.work import SampleWork, pass_times, sample_work
from catalog.specs import AcceleratorSpec, BenchmarkLimit, ModelSpec, ServingMeasurement

_NORMAL_80 = 1.2816
_NOISE = 0.04  # of a row, as results of one system in one round differ

Units = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SamplesEvidence:
    """Usable measured rows as cases, with the samples a second each shows."""

    rows: tuple[ServingMeasurement, ...]
    cases: SampleCases
    work: SampleWork
    samples_per_s: Floats


def samples_evidence(
    rows: Sequence[ServingMeasurement],
    *,
    accelerators: Sequence[AcceleratorSpec],
    models: Sequence[ModelSpec],
    limits: Sequence[BenchmarkLimit],
    units: Units,
) -> SamplesEvidence:
    """Rows of known parts and models without tokens that state a throughput.

    `units` says by model how many of the catalogue's samples one published sample is.
    """
    parts = {part.slug for part in accelerators}
    kinds = {model.slug: model.kind for model in models}
    usable = tuple(
        row
        for row in rows
        if row.requests_per_s
        and row.accelerator_slug in parts
        and kinds.get(row.model_slug) in SAMPLE_KINDS
    )
    cases = published_samples(usable, accelerators=accelerators, models=models, limits=limits)
    each = samples_per_published(cases, Calibration(version="", samples={"units": units}))
    published = np.array([row.requests_per_s for row in usable], dtype=np.float64)
    return SamplesEvidence(
        rows=usable, cases=cases, work=sample_work(cases), samples_per_s=published * each
    )


def _some(work: SampleWork, rows: Ints) -> SampleWork:
    picked: dict[str, Any] = {f.name: getattr(work, f.name) for f in fields(work)}
    kind = tuple(work.kind[index] for index in rows)
    columns = {name: column[rows] for name, column in picked.items() if name != "kind"}
    return SampleWork(**columns, kind=kind)


def _physics(observed: SamplesEvidence, theta: Floats, rows: Ints) -> tuple[Floats, Floats]:
    parameters = {name: float(np.exp(v)) for name, v in zip(DEFAULTS, theta, strict=True)}
    work = _some(observed.work, rows)
    return np.log(pass_times(work, parameters).samples_per_s), pass_slopes(work, parameters)


def _prior() -> Prior:
    return Prior(
        centre=np.log(np.array(list(samples_parameters({}).values()))),
        width=np.array(samples_widths()),
    )


def _evidence(
    observed: SamplesEvidence, trust: Mapping[str, float] = MappingProxyType({})
) -> Evidence:
    groups = [f"{row.accelerator_slug} {row.model_slug}" for row in observed.rows]
    return Evidence(
        measured=np.log(observed.samples_per_s),
        labels=sample_labels(observed.cases),
        numbers=sample_numbers(observed.cases, observed.work),
        groups=np.array(groups),
        trust=np.array([trust.get(row.id, 1.0) for row in observed.rows]),
    )


def fit_samples(
    rows: Sequence[ServingMeasurement],
    *,
    accelerators: Sequence[AcceleratorSpec],
    models: Sequence[ModelSpec],
    limits: Sequence[BenchmarkLimit],
    units: Units,
    folds: int = 10,
    trust: Mapping[str, float] = MappingProxyType({}),
) -> dict[str, Any]:
    """The samples section of a calibration, from measured rows.

    `folds` of the rows, group by group, say how wide ranges must be; `trust` by id of a row
    says how much more it counts than an ordinary one.

    Source: method in kriging_fit; priors in samples_parameters.
    """
    observed = samples_evidence(
        rows, accelerators=accelerators, models=models, limits=limits, units=units
    )

    def physics(theta: Floats, picked: Ints) -> tuple[Floats, Floats]:
        return _physics(observed, theta, picked)

    state = fit_with_scale(
        physics, _prior(), COMPONENTS, _evidence(observed, trust), noise=_NOISE, folds=folds
    )
    return {
        "parameters": {
            name: float(f"{np.exp(value):.5g}")
            for name, value in zip(DEFAULTS, state.theta, strict=True)
        },
        "units": {slug: dict(unit) for slug, unit in units.items()},
        "residual": as_document(
            state.kriging,
            residuals=state.residuals,
            doubt=state.doubt,
            rows=[row.id for row in observed.rows],
        ),
    }


def cross_validate_samples(
    rows: Sequence[ServingMeasurement],
    *,
    accelerators: Sequence[AcceleratorSpec],
    models: Sequence[ModelSpec],
    limits: Sequence[BenchmarkLimit],
    units: Units,
    leave_out: str = "group",
    folds: int = 10,
) -> list[dict[str, Any]]:
    """Each row, predicted by a fit that never saw its group.

    `leave_out` is "group" (accelerator and model) or "accelerator".

    Source: method in kriging_fit.
    """
    observed = samples_evidence(
        rows, accelerators=accelerators, models=models, limits=limits, units=units
    )
    evidence = _evidence(observed)
    parts = np.array([row.accelerator_slug for row in observed.rows])

    def physics(theta: Floats, picked: Ints) -> tuple[Floats, Floats]:
        return _physics(observed, theta, picked)

    mean, deviation = out_of_group(
        physics,
        _prior(),
        COMPONENTS,
        evidence,
        evidence.groups if leave_out == "group" else parts,
        noise=_NOISE,
        folds=folds,
    )
    return [
        _report(observed, index, mean[index], deviation[index])
        for index in range(len(observed.rows))
    ]


def _report(observed: SamplesEvidence, index: int, mean: float, deviation: float) -> dict[str, Any]:
    row, cases = observed.rows[index], observed.cases
    part = cases.accelerators[cases.accelerator[index]]
    published = float(row.requests_per_s or np.nan)
    predicted = float(np.exp(mean)) * published / float(observed.samples_per_s[index])
    factor = float(np.exp(_NORMAL_80 * deviation))
    return {
        "id": row.id,
        "quantity": "samples_per_s",
        "accelerator": row.accelerator_slug,
        "vendor": part.vendor,
        "family": part.family.value,
        "model": row.model_slug,
        "model_class": cases.models[cases.model[index]].kind,
        "phase": row.scenario,
        "source": row.source,
        "source_ref": row.source_ref,
        "measured": published,
        "predicted": predicted,
        "low": predicted / factor,
        "high": predicted * factor,
    }
