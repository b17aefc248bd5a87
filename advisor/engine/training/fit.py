"""Fit of the training model to published measurements, and its check on rows it never saw."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advisor.engine.cases import Floats, Ints, TrainingCases
from advisor.engine.kriging import as_document
from advisor.engine.kriging_fit import Evidence, Prior, fit_with_scale, out_of_group
from advisor.engine.training.features import COMPONENTS, training_labels, training_numbers
from advisor.engine.training.parameters import DEFAULTS, training_parameters, training_widths
from advisor.engine.training.performance import layout_slopes, step_times
from advisor.engine.training.published import PublishedTraining, published_training
from advisor.engine.training.tables import TrainingWork, training_work
from advisor.engine.training.time_fit import fit_times, times_evidence
from catalog.specs import AcceleratorSpec, ModelSpec, TrainingMeasurement

_NORMAL_80 = 1.2816
_DERIVED_TRUST = 0.25  # a speed recomputed from published FLOP/s, whose counting is not stated
_NOISE = 0.07  # of a row, as published figures of one set-up differ


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrainingEvidence:
    """Usable measured rows as cases, with the speed each shows."""

    rows: tuple[TrainingMeasurement, ...]
    published: PublishedTraining
    work: TrainingWork
    tokens_per_s: Floats  # of one accelerator
    stated: NDArray[np.bool_]  # published as such, not derived from FLOP/s

    def group(self, index: int) -> str:
        """Accelerator and model of a row."""
        return f"{self.rows[index].accelerator_slug} {_model(self.rows[index])}"


def _model(row: TrainingMeasurement) -> str:
    return row.model_slug or row.model


def training_evidence(
    rows: Sequence[TrainingMeasurement],
    *,
    accelerators: Sequence[AcceleratorSpec],
    models: Sequence[ModelSpec],
) -> TrainingEvidence:
    """Rows of known parts that state tokens a second, or FLOP/s or MFU to derive them from.

    Source: model FLOPs as in training_tables; rows that state only times are of no use here.
    """
    known = {part.slug for part in accelerators}
    usable = tuple(
        row
        for row in rows
        if row.accelerator_slug in known
        and (row.model_slug or row.params)
        and (row.tokens_per_s_per_accelerator or row.flops_per_s_per_accelerator or row.mfu)
    )
    published = published_training(usable, accelerators=accelerators, models=models)
    work = training_work(published.cases)
    flops = work.passes * (work.linear_flops + work.expert_flops + work.attention_flops)
    speeds = [
        row.tokens_per_s_per_accelerator
        or (row.flops_per_s_per_accelerator or (row.mfu or 0.0) * work.peak[index]) / flops[index]
        for index, row in enumerate(usable)
    ]
    return TrainingEvidence(
        rows=usable,
        published=published,
        work=work,
        tokens_per_s=np.array(speeds, dtype=np.float64),
        stated=np.array([bool(row.tokens_per_s_per_accelerator) for row in usable]),
    )


def _some(value: TrainingCases | TrainingWork, rows: Ints) -> dict[str, Any]:
    return {
        f.name: column[rows] if isinstance(column := getattr(value, f.name), np.ndarray) else column
        for f in fields(value)
    }


def _evidence(
    observed: TrainingEvidence, trust: Mapping[str, float] = MappingProxyType({})
) -> Evidence:
    groups = np.array([observed.group(index) for index in range(len(observed.rows))])
    given = np.array([trust.get(row.id, 1.0) for row in observed.rows])
    return Evidence(
        measured=np.log(observed.tokens_per_s),
        labels=training_labels(observed.published.cases, observed.work),
        numbers=training_numbers(observed.work),
        groups=groups,
        trust=given * np.where(observed.stated, 1.0, _DERIVED_TRUST),
    )


def _physics(observed: TrainingEvidence, theta: Floats, rows: Ints) -> tuple[Floats, Floats]:
    parameters = {name: float(np.exp(v)) for name, v in zip(DEFAULTS, theta, strict=True)}
    cases = TrainingCases(**_some(observed.published.cases, rows))
    work = TrainingWork(**_some(observed.work, rows))
    times = step_times(cases, work, parameters)
    level = np.log(work.sequences * work.seq_len / work.chips / times.step_s)
    return np.asarray(level), layout_slopes(work, times.option, parameters)


def _prior() -> Prior:
    return Prior(
        centre=np.log(np.array(list(training_parameters({}).values()))),
        width=np.array(training_widths()),
    )


def fit_training(
    rows: Sequence[TrainingMeasurement],
    *,
    accelerators: Sequence[AcceleratorSpec],
    models: Sequence[ModelSpec],
    folds: int = 10,
    trust: Mapping[str, float] = MappingProxyType({}),
) -> dict[str, Any]:
    """The training section of a calibration, from measured rows.

    `folds` of the rows, group by group, say how wide ranges must be; `trust` by id of a row
    says how much more it counts than an ordinary one.

    Source: method in kriging_fit; priors in training_parameters.
    """
    observed = training_evidence(rows, accelerators=accelerators, models=models)

    def physics(theta: Floats, picked: Ints) -> tuple[Floats, Floats]:
        return _physics(observed, theta, picked)

    state = fit_with_scale(
        physics, _prior(), COMPONENTS, _evidence(observed, trust), noise=_NOISE, folds=folds
    )
    section: dict[str, Any] = {
        "parameters": {
            name: float(f"{np.exp(value):.5g}")
            for name, value in zip(DEFAULTS, state.theta, strict=True)
        },
        "residual": as_document(
            state.kriging,
            residuals=state.residuals,
            doubt=state.doubt,
            rows=[row.id for row in observed.rows],
        ),
    }
    if any(row.time_to_train_s for row in rows):
        timed = times_evidence(rows, accelerators=accelerators, models=models, section=section)
        section["time"] = fit_times(timed)
    return section


def cross_validate_training(
    rows: Sequence[TrainingMeasurement],
    *,
    accelerators: Sequence[AcceleratorSpec],
    models: Sequence[ModelSpec],
    leave_out: str = "group",
    folds: int = 10,
) -> list[dict[str, Any]]:
    """Each row that states a speed, predicted by a fit that never saw its group.

    `leave_out` is "group" (accelerator and model) or "accelerator". Everything is fitted anew
    in each fold.

    Source: method in kriging_fit.
    """
    observed = training_evidence(rows, accelerators=accelerators, models=models)
    parts = np.array([row.accelerator_slug for row in observed.rows])
    evidence = _evidence(observed)

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
        _report(observed, int(index), mean[index], deviation[index])
        for index in np.flatnonzero(observed.stated)
    ]


def _report(
    observed: TrainingEvidence, index: int, mean: float, deviation: float
) -> dict[str, Any]:
    row, cases = observed.rows[index], observed.published.cases
    part = cases.accelerators[cases.accelerator[index]]
    factor = float(np.exp(_NORMAL_80 * deviation))
    return {
        "id": row.id,
        "quantity": "tokens_per_s_per_accelerator",
        "accelerator": row.accelerator_slug,
        "vendor": part.vendor,
        "family": part.family.value,
        "model": _model(row),
        "model_class": cases.models[cases.model[index]].kind,
        "phase": row.task or "pretrain",
        "source": row.source,
        "source_ref": row.source_ref,
        "measured": float(observed.tokens_per_s[index]),
        "predicted": float(np.exp(mean)),
        "low": float(np.exp(mean)) / factor,
        "high": float(np.exp(mean)) * factor,
    }
