"""What several cases cost together: a record of columns as one row."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, TypeVar

import numpy as np

from costing.engine.statement import CashFlow
from costing.engine.tco import CostBreakdown

Record = TypeVar("Record", CostBreakdown, CashFlow)


def added_up(found: Record) -> Record:
    """The cases as one: every column added up over them; a price open in one is open.

    Source: sums; ends of ranges add up too, as for costs that go together.
    """
    rows = len(found.total_usd)

    def whole(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: whole(line) for name, line in value.items()}
        column = np.broadcast_to(value, (rows, *np.shape(value)[1:]))
        if column.dtype == bool:
            return column.any(axis=0, keepdims=True)
        return column.sum(axis=0, keepdims=True)

    return replace(found, **{each.name: whole(getattr(found, each.name)) for each in fields(found)})
