"""Measurements of one's own, added by hand or by a program."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.db import models

from catalog.models import ServingMeasurement, Source, TrainingMeasurement
from catalog.queries import find_accelerator, find_model

KINDS: Mapping[str, type[ServingMeasurement] | type[TrainingMeasurement]] = {
    "serving": ServingMeasurement,
    "training": TrainingMeasurement,
}
OWN_SOURCE = "Own measurement"
_NOT_GIVEN = frozenset({"id", "own", "source", "architecture", "changed_at", "history"})
_MEASURED = ("_per_s", "_s", "_per_s_per_accelerator")


class BadMeasurement(Exception):
    """A measurement that cannot be kept: a message a field."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        self.problems = dict(problems)
        super().__init__("; ".join(f"{name}: {text}" for name, text in self.problems.items()))


def fields_of(kind: str) -> list[str]:
    """What may be said of a measurement, `accelerator` and `model` by any spelling."""
    return [f.name for f in KINDS[kind]._meta.concrete_fields if f.name not in _NOT_GIVEN]


def add_own(kind: str, values: Mapping[str, Any]) -> ServingMeasurement | TrainingMeasurement:
    """Keep a measurement of one's own; raises BadMeasurement with every field that is wrong."""
    if kind not in KINDS:
        raise BadMeasurement({"kind": f"“{kind}” is none; there are {', '.join(KINDS)}"})
    known = fields_of(kind)
    problems = {
        name: f"is no field of a {kind} measurement; there are {', '.join(known)}"
        for name in values
        if name not in known
    }
    part = find_accelerator(str(values.get("accelerator", "")))
    if part is None:
        problems["accelerator"] = f"“{values.get('accelerator', '')}” is not in the catalogue"
    model = find_model(str(values.get("model", "")))
    if model is None:
        problems["model"] = f"“{values.get('model', '')}” is not in the catalogue"
    if not any(value and _is_result(name) for name, value in values.items()):
        problems["kind"] = "nothing was measured: give a rate or a time"
    if problems or part is None:
        raise BadMeasurement(problems)
    source, _ = Source.objects.get_or_create(title=OWN_SOURCE, url="")
    plain = {name: value for name, value in values.items() if name != "accelerator"}
    row: models.Model = KINDS[kind](
        id=f"own-{uuid4().hex[:12]}",
        own=True,
        accelerator_id=part,
        architecture_id=model,
        source=source,
        source_ref=str(values.get("source_ref") or f"added {datetime.now(UTC):%Y-%m-%d}"),
        **{name: value for name, value in plain.items() if name != "source_ref"},
    )
    if isinstance(row, ServingMeasurement) and not row.definition:
        row.definition = "throughput"
    try:
        row.full_clean()
    except ValidationError as error:
        raise BadMeasurement({k: " ".join(v) for k, v in error.message_dict.items()}) from error
    row.save()
    return row  # type: ignore[return-value]


def _is_result(name: str) -> bool:
    return name.endswith(_MEASURED) or name == "mfu"
