"""Evidence of the predictions: cross-validated anew by a command, read from files by pages."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from advisor.engine.calibration import FIXTURES, shipped_calibration
from advisor.engine.cases import Floats, Ints
from advisor.engine.evidence.scores import (
    SPLITS,
    Point,
    Row,
    Score,
    as_tables,
    cross_conformal,
    from_tables,
    guess_of,
    scores_by,
)
from advisor.engine.samples.fit import cross_validate_samples
from advisor.engine.samples.published import SAMPLE_KINDS
from advisor.engine.serving.evidence import Observations, observations, trust_of, typical_lengths
from advisor.engine.serving.outcomes import TARGETS
from advisor.engine.serving.validation import cross_validated, folds_of, observed_classes
from advisor.engine.training.fit import cross_validate_training
from catalog import queries
from catalog.engine.shipped import (
    shipped_serving_measurements,
    shipped_training_measurements,
)
from catalog.specs import (
    AcceleratorSpec,
    BenchmarkLimit,
    ModelSpec,
    ServingMeasurement,
    TrainingMeasurement,
)

POINTS_FILE, ROWS_FILE = "evidence.csv", "evidence_rows.csv"
FOLDS = 10
Reports = dict[tuple[str, str], tuple[float, float, float]]
"""Value, low and high by row and quantity."""
Measurement = ServingMeasurement | TrainingMeasurement


def _nothing(_: str) -> None:
    pass


def gather(
    serving: Sequence[ServingMeasurement],
    training: Sequence[TrainingMeasurement],
    *,
    accelerators: Sequence[AcceleratorSpec],
    models: Sequence[ModelSpec],
    limits: Sequence[BenchmarkLimit],
    folds: int = FOLDS,
    report: Callable[[str], None] = _nothing,
) -> tuple[Point, ...]:
    """Every measured quantity with its predictions by fits that left its group out.

    All parameters are fitted anew in each fold; no fit on all rows is looked at.
    """
    known: dict[str, Any] = {"accelerators": accelerators, "models": models}
    units = shipped_calibration().samples.get("units", {})
    found: dict[str, Reports] = {}
    for split in SPLITS:
        report(f"training, left out: {SPLITS[split]}")
        reports = _keyed(cross_validate_training(training, **known, leave_out=split, folds=folds))
        report(f"models without tokens, left out: {SPLITS[split]}")
        reports |= _keyed(
            cross_validate_samples(
                serving, **known, limits=limits, units=units, leave_out=split, folds=folds
            )
        )
        report(f"serving, left out: {SPLITS[split]}")
        reports |= serving_reports(serving, **known, limits=limits, leave_out=split, folds=folds)
        found[split] = reports
    return _points(serving, training, accelerators=accelerators, models=models, found=found)


def _keyed(reports: Sequence[Mapping[str, Any]]) -> Reports:
    return {(r["id"], r["quantity"]): (r["predicted"], r["low"], r["high"]) for r in reports}


def serving_reports(
    rows: Sequence[ServingMeasurement],
    *,
    accelerators: Sequence[AcceleratorSpec],
    models: Sequence[ModelSpec],
    limits: Sequence[BenchmarkLimit],
    leave_out: str,
    folds: int,
) -> Reports:
    """Serving figures of each row, out of group; ranges from the errors of the other folds."""
    observed = observations(
        rows,
        accelerators=accelerators,
        models=models,
        limits=limits,
        lengths=typical_lengths(rows),
    )
    groups = observed.group
    if leave_out == "accelerator":
        groups = np.array([group.split("|")[0] for group in groups])
    fold = folds_of(groups, folds)
    logs = cross_validated(observed, folds=fold)
    return _with_ranges(observed, logs, fold)


def _with_ranges(observed: Observations, logs: Floats, fold: Ints) -> Reports:
    """Predictions with ranges from the errors that the other folds show, by class of vendor."""
    classes = observed_classes(observed)
    usable = (observed.trust >= 1.0) & ~observed.published.cases.speculative
    reports: Reports = {}
    for index, name in enumerate(TARGETS):
        errors = np.log(observed.measured[name]) - logs[index]
        for each in np.unique(classes):
            mine = np.flatnonzero((classes == each) & np.isfinite(errors))
            width = cross_conformal(errors[mine], fold[mine], usable[mine])
            for row, half in zip(mine, width, strict=True):
                centre, factor = float(np.exp(logs[index][row])), float(np.exp(half))
                identity = str(observed.identity[row])
                reports[identity, name] = (centre, centre / factor, centre * factor)
    return reports


def _points(
    serving: Sequence[ServingMeasurement],
    training: Sequence[TrainingMeasurement],
    *,
    accelerators: Sequence[AcceleratorSpec],
    models: Sequence[ModelSpec],
    found: Mapping[str, Reports],
) -> tuple[Point, ...]:
    parts = {part.slug: part for part in accelerators}
    kinds = {model.slug: model.kind for model in models}
    points = []
    measurements: list[Measurement] = [*serving, *training]
    for row in measurements:
        if row.accelerator_slug in parts and trust_of(row.source) > 0.0:
            part = parts[row.accelerator_slug]
            described = described_row(row, part, kinds.get(row.model_slug, ""))
            for quantity, measured in quantities_of(row, described.model_class):
                answers = {split: found[split].get((row.id, quantity)) for split in SPLITS}
                guesses = {s: guess_of(*a) if a else None for s, a in answers.items()}
                points.append(
                    Point(row=described, quantity=quantity, measured=measured, guesses=guesses)
                )
    return tuple(points)


def quantities_of(row: Measurement, model_class: str) -> list[tuple[str, float]]:
    """What a row measured that the model should foretell, by name, in base units."""
    if isinstance(row, TrainingMeasurement):
        speed = row.tokens_per_s_per_accelerator
        return [("tokens_per_s_per_accelerator", speed)] if speed else []
    if model_class in SAMPLE_KINDS:
        return [("samples_per_s", row.requests_per_s)] if row.requests_per_s else []
    return [(name, value) for name in TARGETS if (value := getattr(row, name))]


def described_row(row: Measurement, part: AcceleratorSpec, model_class: str) -> Row:
    """What tables and charts say of a measured row."""
    setting: tuple[object, ...]
    if isinstance(row, TrainingMeasurement):
        setting = (row.precision, row.seq_len, row.accelerator_count)
        phase, speculative = row.task or "pretrain", False
    else:
        setting = (row.accelerator_count, row.input_tokens, row.output_tokens, row.concurrency)
        phase = row.scenario or ("concurrency" if row.concurrency else "offline")
        speculative = row.speculative.strip().lower() not in ("", "0", "no", "none", "false")
    return Row(
        id=row.id,
        vendor=part.vendor,
        family=part.family.value,
        accelerator=row.accelerator_slug,
        accelerator_count=str(row.accelerator_count or ""),
        model=row.model_slug or row.model,
        model_class=model_class,
        phase=phase,
        setting="/".join("" if value is None else str(value) for value in setting),
        speculative=speculative,
        source=row.source,
    )


def write_evidence(points: Sequence[Point], folder: Path = FIXTURES) -> tuple[Path, Path]:
    """Write the two files that the evidence page reads."""
    paths = folder / POINTS_FILE, folder / ROWS_FILE
    for path, table in zip(paths, as_tables(points), strict=True):
        path.write_text(table, encoding="utf-8")
    shipped_evidence.cache_clear()
    return paths


@lru_cache(maxsize=1)
def shipped_evidence() -> tuple[Point, ...]:
    """The evidence the product ships with; empty where none was written."""
    texts = [
        path.read_text(encoding="utf-8") if path.exists() else ""
        for path in (FIXTURES / POINTS_FILE, FIXTURES / ROWS_FILE)
    ]
    return from_tables(*texts)


@lru_cache(maxsize=1)
def source_references() -> Mapping[str, str]:
    """Where exactly each shipped row was read, by its id."""
    rows: list[Measurement] = [
        *shipped_serving_measurements(),
        *shipped_training_measurements(),
    ]
    return {row.id: row.source_ref for row in rows}


def gather_stored(
    *, folds: int = FOLDS, report: Callable[[str], None] = _nothing
) -> tuple[Point, ...]:
    """The evidence of the stored catalogue and measurements."""
    today = queries.snapshot()
    return gather(
        queries.serving_measurements(),
        queries.training_measurements(),
        accelerators=today.accelerators,
        models=today.models,
        limits=queries.benchmark_limits(),
        folds=folds,
        report=report,
    )


def summary(points: Sequence[Point], split: str) -> list[tuple[str, Score]]:
    """Errors by quantity and vendor, speculative decoding left out."""
    plain = [point for point in points if not point.row.speculative]
    return scores_by(plain, lambda p: f"{p.quantity}, {p.row.vendor}", split)
