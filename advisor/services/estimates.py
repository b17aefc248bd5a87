"""Explicit configurations in, predictions out: behind the command, the API and the page."""

import csv
import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from advisor.engine.calibration import Calibration
from advisor.engine.cases import Band
from advisor.engine.samples.performance import samples_point
from advisor.engine.samples.published import published_samples
from advisor.engine.serving.performance import OUTPUTS
from advisor.engine.serving.predict import predict_published
from advisor.engine.serving.published import published_cases
from advisor.engine.training.performance import training_point
from advisor.engine.training.published import published_training
from advisor.services.calibrations import active_calibration
from advisor.services.case_tables import BadCases, decoded, read_cases
from advisor.services.estimate_rows import (
    BadRow,
    Known,
    Names,
    Row,
    model_of,
    names_of,
    numbers_of,
    part_of,
    serving_row,
    training_row,
)
from catalog.queries import catalogue_state
from catalog.queries import snapshot as catalogue_snapshot
from catalog.specs import (
    CatalogueSnapshot,
    ModelSpec,
    ServingMeasurement,
    TrainingMeasurement,
)
from catalog.units import SECONDS_PER_MINUTE

__all__ = ["KINDS", "BadCases", "as_csv", "columns_of", "decoded", "estimate", "read_cases"]

KINDS = ("inference", "training")
TRAINING_OUTPUTS = ("tokens_per_s_per_accelerator", "mfu", "time_to_train_min")
LANGUAGE_KINDS = ("dense_llm", "moe_llm")
_FIGURES = 6
Answer = dict[str, Any]


def columns_of(kind: str) -> list[str]:
    """Header of the answers of a kind."""
    names = OUTPUTS if kind == "inference" else TRAINING_OUTPUTS
    figures = [column for name in names for column in (name, f"{name}_low", f"{name}_high")]
    return ["id", *figures, "evidence", "problem"]


def estimate(
    rows: Sequence[Row], *, kind: str, calibration: Calibration | None = None
) -> list[Answer]:
    """Predictions of a kind, one a row and in order; a row that has none says why.

    Measured values and the id are never read: the answer is the model's.
    """
    snapshot, names = catalogue_snapshot(), names_of(catalogue_state())
    known = Known(snapshot, names)
    calibration = calibration or active_calibration()
    answers: list[Answer] = [dict.fromkeys(columns_of(kind)) for _ in rows]
    good: list[tuple[int, Any, ModelSpec]] = []
    for number, row in enumerate(rows):
        answers[number]["id"] = row.get("id", "")
        try:
            numbers = numbers_of(row, kind)
            part = part_of(row, known)
            model = model_of(row, numbers, known)
            case = (serving_row if kind == "inference" else training_row)(row, numbers, part, model)
            good.append((number, case, model))
        except BadRow as bad:
            answers[number]["problem"] = str(bad)
    if kind == "training":
        _fill_training(answers, good, snapshot, calibration)
    else:
        tokens = [case for case in good if case[2].kind in LANGUAGE_KINDS]
        samples = [case for case in good if case[2].kind not in LANGUAGE_KINDS]
        _fill_serving(answers, tokens, snapshot, names, calibration)
        _fill_samples(answers, samples, snapshot, names, calibration)
    return answers


def as_csv(answers: Sequence[Answer], *, kind: str) -> str:
    """The answers as a CSV table."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    header = columns_of(kind)
    writer.writerow(header)
    for answer in answers:
        writer.writerow([_cell(answer[name]) for name in header])
    return out.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.{_FIGURES}g}" if np.isfinite(value) else ""
    text = str(value)
    # A cell that a spreadsheet would run as a formula is shown as text.
    return f"'{text}" if text.startswith(("=", "+", "@", "\t", "\r")) else text


def _put(answers: list[Answer], numbers: Sequence[int], name: str, band: Band) -> None:
    for position, number in enumerate(numbers):
        answers[number][name] = float(band.value[position])
        answers[number][f"{name}_low"] = float(band.low[position])
        answers[number][f"{name}_high"] = float(band.high[position])


def _table(
    good: Sequence[tuple[int, Any, ModelSpec]], snapshot: CatalogueSnapshot
) -> tuple[list[ModelSpec], list[int]]:
    """The catalogue's models and those made for rows, and each row's index among them."""
    models = list(snapshot.models)
    index = {model.slug: position for position, model in enumerate(models)}
    made: dict[tuple[str, float, float], int] = {}
    chosen = []
    for _, _, model in good:
        if model.slug in index:
            chosen.append(index[model.slug])
            continue
        key = (model.name, model.total_params, model.active_params)
        if key not in made:
            made[key] = len(models)
            models.append(model)
        chosen.append(made[key])
    return models, chosen


def _fill_serving(
    answers: list[Answer],
    good: Sequence[tuple[int, ServingMeasurement, ModelSpec]],
    snapshot: CatalogueSnapshot,
    names: Names,
    calibration: Calibration,
) -> None:
    if not good:
        return
    models, chosen = _table(good, snapshot)
    published = published_cases(
        [row for _, row, _ in good],
        accelerators=snapshot.accelerators,
        models=models,
        row_models=chosen,
        limits=names.limits,
        lengths={
            slug: (float(pair[0]), float(pair[1]))
            for slug, pair in calibration.serving.get("lengths", {}).items()
        },
    )
    prediction = predict_published(published, calibration)
    numbers = [number for number, _, _ in good]
    for name in OUTPUTS:
        _put(answers, numbers, name, prediction.figures[name])
    for number, evidence in zip(numbers, prediction.evidence, strict=True):
        answers[number]["evidence"] = str(evidence)


def _fill_samples(
    answers: list[Answer],
    good: Sequence[tuple[int, ServingMeasurement, ModelSpec]],
    snapshot: CatalogueSnapshot,
    names: Names,
    calibration: Calibration,
) -> None:
    """Models without tokens one by one: requests a second are samples a second."""
    if not good:
        return
    models, chosen = _table(good, snapshot)
    cases = published_samples(
        [row for _, row, _ in good],
        accelerators=snapshot.accelerators,
        models=models,
        limits=names.limits,
        row_models=chosen,
    )
    point = samples_point(cases, calibration)
    numbers = [number for number, _, _ in good]
    _put(answers, numbers, "requests_per_s", point.samples_per_s)
    for number, evidence in zip(numbers, point.evidence, strict=True):
        answers[number]["evidence"] = str(evidence)


def _fill_training(
    answers: list[Answer],
    good: Sequence[tuple[int, TrainingMeasurement, ModelSpec]],
    snapshot: CatalogueSnapshot,
    calibration: Calibration,
) -> None:
    if not good:
        return
    published = published_training(
        [row for _, row, _ in good], accelerators=snapshot.accelerators, models=snapshot.models
    )
    point = training_point(published.cases, calibration)
    numbers = [number for number, _, _ in good]
    _put(answers, numbers, "tokens_per_s_per_accelerator", point.tokens_per_s_per_accelerator)
    _put(answers, numbers, "mfu", point.mfu)
    times = point.time_to_train_s
    _put(
        answers,
        numbers,
        "time_to_train_min",
        Band(
            value=times.value / SECONDS_PER_MINUTE,
            low=times.low / SECONDS_PER_MINUTE,
            high=times.high / SECONDS_PER_MINUTE,
        ),
    )
    for number, evidence in zip(numbers, point.evidence, strict=True):
        answers[number]["evidence"] = str(evidence)
