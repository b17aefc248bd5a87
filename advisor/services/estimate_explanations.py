"""Estimates explained: the formula tree of each figure of a configuration."""

from collections.abc import Iterator, Sequence
from typing import Any

from advisor.engine.calibration import Calibration
from advisor.engine.explain.nodes import Node, scalar
from advisor.engine.explain.plans import (
    one_layout_step,
    samples_bases,
    serving_bases,
    training_bases,
)
from advisor.engine.explain.reader import Reader
from advisor.engine.explain.terms import Bases, Tree
from advisor.engine.samples.performance import samples_point
from advisor.engine.samples.published import published_samples
from advisor.engine.serving.performance import OUTPUTS
from advisor.engine.serving.predict import predict_published
from advisor.engine.serving.published import published_cases
from advisor.engine.training.performance import step_times, training_point
from advisor.engine.training.published import published_training
from advisor.services.calibrations import active_calibration
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
from advisor.services.estimates import LANGUAGE_KINDS
from catalog.queries import catalogue_state, snapshot
from catalog.specs import AcceleratorSpec, ModelSpec

MOST_EXPLAINED = 20
_TRAINING = ("tokens_per_s_per_accelerator", "mfu", "step_time_s")
Figures = Iterator[tuple[str, Node]]


def explained_estimates(rows: Sequence[Row], *, kind: str) -> list[dict[str, Any] | None]:
    """Trees by figure of each row, as JSON carries them; None for a row that has no estimate.

    The part and model stand alone in their tables, which changes no figure.
    """
    names = names_of(catalogue_state())
    known, calibration = Known(snapshot(), names), active_calibration()
    return [_explained(row, kind, known, names, calibration) for row in rows[:MOST_EXPLAINED]]


def _explained(
    row: Row, kind: str, known: Known, names: Names, calibration: Calibration
) -> dict[str, Any] | None:
    try:
        numbers = numbers_of(row, kind)
        part = part_of(row, known)
        model = model_of(row, numbers, known)
    except BadRow:
        return None
    if kind == "training":
        subject, (figures, bases) = "training", _training(row, numbers, part, model, calibration)
    elif model.kind in LANGUAGE_KINDS:
        subject = "serving"
        figures, bases = _serving(row, numbers, part, model, names, calibration)
    else:
        subject = "samples"
        figures, bases = _samples(row, numbers, part, model, names, calibration)
    return {
        name: Tree(bases, subject=subject).term(node, name).as_dict()
        for name, node in figures
        if scalar(node.value) is not None
    }


def _training(
    row: Row, numbers: Any, part: AcceleratorSpec, model: ModelSpec, calibration: Calibration
) -> tuple[Figures, Bases]:
    case = training_row(row, numbers, part, model)
    cases = published_training([case], accelerators=(part,), models=(model,)).cases
    point = Reader({step_times: one_layout_step}).run(
        training_point, cases=cases, calibration=calibration
    )
    return _bands(point, _TRAINING), training_bases(calibration)


def _serving(
    row: Row,
    numbers: Any,
    part: AcceleratorSpec,
    model: ModelSpec,
    names: Names,
    calibration: Calibration,
) -> tuple[Figures, Bases]:
    published = published_cases(
        [serving_row(row, numbers, part, model)],
        accelerators=(part,),
        models=(model,),
        row_models=[0],
        limits=names.limits,
        lengths={
            slug: (float(pair[0]), float(pair[1]))
            for slug, pair in calibration.serving.get("lengths", {}).items()
        },
    )
    prediction = Reader().run(predict_published, published=published, calibration=calibration)
    figures = prediction.fields.get("figures") or prediction
    return _bands(figures, OUTPUTS), serving_bases(published.cases, calibration)


def _samples(
    row: Row,
    numbers: Any,
    part: AcceleratorSpec,
    model: ModelSpec,
    names: Names,
    calibration: Calibration,
) -> tuple[Figures, Bases]:
    cases = published_samples(
        [serving_row(row, numbers, part, model)],
        accelerators=(part,),
        models=(model,),
        limits=names.limits,
        row_models=[0],
    )
    point = Reader().run(samples_point, cases=cases, calibration=calibration)
    return _bands(point, ("samples_per_s", "latency_s")), samples_bases(calibration)


def _bands(record: Node, names: Sequence[str]) -> Figures:
    for name in names:
        band = record.fields.get(name)
        if band is not None and "value" in band.fields:
            yield name, band.fields["value"]
