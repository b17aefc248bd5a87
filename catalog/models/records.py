"""A row as the record that the conversion into values reads."""

from typing import Any

from django.db.models import Model

from catalog.engine.tables import Record


def record_of(row: Model, **replaced: Any) -> Record:
    """A row's columns by name, with its source's title and address."""
    record: Record = {field.attname: getattr(row, field.attname) for field in row._meta.fields}
    source = getattr(row, "source", None)
    record["source_title"] = source.title if source else ""
    record["source_url"] = source.url if source else ""
    return {**record, **replaced}
