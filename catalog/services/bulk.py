"""Insert many plain rows at once: what a price feed needs and model instances are too slow for."""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache, partial
from typing import Any

from django.db import connections, models, router
from django.utils import timezone


def _converter(field: models.Field, ops: Any) -> Callable[[Any], Any] | None:
    """How a column's values become what the database driver takes; None: as they are."""
    if isinstance(field, models.DecimalField):
        adapt = partial(
            ops.adapt_decimalfield_value,
            max_digits=field.max_digits,
            decimal_places=field.decimal_places,
        )
        return lru_cache(maxsize=4096)(adapt)
    if isinstance(field, models.DateField) and not isinstance(field, models.DateTimeField):
        return lru_cache(maxsize=64)(ops.adapt_datefield_value)
    return None


def insert_rows(model: type[models.Model], rows: Iterable[Mapping[str, Any]]) -> int:
    """Insert rows given as column values by attribute name; the rest gets its default.

    The database's own constraints apply; `save`, signals and history do not run, so callers
    use it only for tables whose first state needs no history.
    """
    connection = connections[router.db_for_write(model)]
    fields = [f for f in model._meta.concrete_fields if not isinstance(f, models.AutoField)]
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    defaults = {
        f.attname: now
        if getattr(f, "auto_now", False) or getattr(f, "auto_now_add", False)
        else f.get_default()
        for f in fields
    }
    plan = [(f.attname, defaults[f.attname], _converter(f, connection.ops)) for f in fields]
    quote = connection.ops.quote_name
    columns = ", ".join(quote(f.column or "") for f in fields)
    marks = ", ".join(["%s"] * len(fields))
    sql = f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES ({marks})"  # noqa: S608
    values = [
        tuple(
            value if convert is None or value is None else convert(value)
            for name, default, convert in plan
            for value in (row.get(name, default),)
        )
        for row in rows
    ]
    if values:
        with connection.cursor() as cursor:
            cursor.executemany(sql, values)
    return len(values)
