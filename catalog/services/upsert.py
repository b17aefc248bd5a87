"""Bring a table in step with values: add what is new, change what differs, leave the rest."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from simple_history.utils import bulk_create_with_history, bulk_update_with_history

from catalog.engine.tables import Refusal

BATCH = 500
REASON = "import"


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What an import did to one table."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: list[Refusal] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """The values that a row should have, and the line they come from."""

    line: int
    values: Mapping[str, Any]


def _prepared(model: type[models.Model], values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as the columns hold them: floats for measured figures, lists for tuples."""
    prepared: dict[str, Any] = {}
    for name, value in values.items():
        column = model._meta.get_field(name.removesuffix("_id") if name.endswith("_id") else name)
        if isinstance(value, Decimal) and isinstance(column, models.FloatField):
            prepared[name] = float(value)
        else:
            prepared[name] = list(value) if isinstance(value, tuple) else value
    return prepared


def _problem(row: models.Model) -> str | None:
    """Why the columns cannot hold a row's values, None where they can."""
    skipped = [f.name for f in row._meta.fields if f.is_relation or f.name == "changed_at"]
    try:
        row.clean_fields(exclude=skipped)
    except ValidationError as error:
        return "; ".join(f"{name}: {' '.join(texts)}" for name, texts in error.message_dict.items())
    return None


def upsert(
    model: type[models.Model],
    entries: Iterable[Entry],
    *,
    file: str,
    key: Sequence[str],
    first_history: bool = True,
) -> Outcome:
    """Add or change the rows of a table; `key` names the columns that tell rows apart.

    Changes are always kept as history; `first_history` also records the first state, which
    large tables leave out because it is the row itself.
    """
    outcome = Outcome()
    manager = model._default_manager
    stored = {tuple(getattr(row, name) for name in key): row for row in manager.all()}
    new: list[models.Model] = []
    changed: list[models.Model] = []
    names: set[str] = set()
    for entry in entries:
        values = _prepared(model, entry.values)
        row = stored.get(tuple(values[name] for name in key))
        different = {
            name for name, value in values.items() if row is None or getattr(row, name) != value
        }
        if not different:
            outcome.unchanged += 1
            continue
        is_new, row = row is None, row or model()
        before = {name: getattr(row, name) for name in different}
        for name in different:
            setattr(row, name, values[name])
        if problem := _problem(row):
            for name, value in before.items():
                setattr(row, name, value)
            outcome.refused.append(Refusal(file=file, line=entry.line, reason=problem))
            continue
        (new if is_new else changed).append(row)
        names |= set() if is_new else different
    if first_history:
        bulk_create_with_history(new, model, batch_size=BATCH, default_change_reason=REASON)
    else:
        manager.bulk_create(new, batch_size=BATCH)
    if changed:
        now = timezone.now()
        for row in changed:
            row.changed_at = now  # type: ignore[attr-defined]
        bulk_update_with_history(
            changed,
            model,
            sorted({*names, "changed_at"}),
            batch_size=BATCH,
            default_change_reason=REASON,
        )
    outcome.added, outcome.changed = len(new), len(changed)
    return outcome
