"""The parts of a what-if's document: tables, charts and the figures it stands on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, isfinite, log10
from typing import Any

from costing.engine.rates import Rate

SMALLEST = 1e-7  # of a percent that is told from none
Document = dict[str, Any]
Cell = float | str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of a table; a None cell is unknown or does not apply, as the caption says."""

    label: str
    cells: Sequence[Cell]
    note: str = ""
    chosen: bool = False


def percent_text(share: float, digits: int = 0) -> str:
    """A share in percent."""
    return f"{share * 100.0:.{digits}f} %"


def nines_text(share: float) -> str:
    """An availability with as many digits as tell it from one."""
    short = 100.0 * (1.0 - share)
    if short <= SMALLEST:
        return "100 %"
    text = percent_text(share, max(ceil(-log10(short)) + 1, 0)).removesuffix(" %")
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} %"


def table(
    name: str,
    title: str,
    caption: str,
    first: str,
    columns: Mapping[str, str],
    rows: Sequence[Row],
) -> Document:
    """A table whose columns are labels with the unit of their cells: s, USD, fraction, text, …

    Figures that are not finite become None.
    """
    return {
        "id": name,
        "title": title,
        "caption": caption,
        "first": first,
        "columns": [{"label": label, "unit": unit} for label, unit in columns.items()],
        "rows": [
            {
                "label": row.label,
                "note": row.note,
                "chosen": row.chosen,
                "cells": [_plain(cell) for cell in row.cells],
            }
            for row in rows
        ],
    }


def chart(
    name: str,
    title: str,
    finding: str,
    *,
    x: str,
    y: str,
    series: Mapping[str, tuple[Sequence[Any], Sequence[Any]]],
    kind: str = "line",
    log: bool = False,
    rule: tuple[str, float] | None = None,
) -> Document:
    """A chart of lines or bars over a shared axis; `rule` is a level to compare with."""
    return {
        "id": name,
        "title": title,
        "finding": finding,
        "kind": kind,
        "x": x,
        "y": y,
        "log": log,
        "rule": None if rule is None else {"label": rule[0], "value": rule[1]},
        "series": [
            {"name": label, "x": [_plain(v) for v in xs], "y": [_plain(v) for v in ys]}
            for label, (xs, ys) in series.items()
        ],
    }


def basis(rate: Rate, *, used: float | None = None) -> Document:
    """A figure that a what-if stands on; what the user typed instead is marked as theirs."""
    theirs = used is not None and abs(used - rate.value) > 1e-9 * max(abs(rate.value), 1.0)
    return {
        "label": rate.label,
        "value": used if theirs else rate.value,
        "low": used if theirs else rate.low,
        "high": used if theirs else rate.high,
        "unit": rate.unit,
        "evidence": "assumed" if theirs else rate.evidence.value,
        "source": "your figure" if theirs else rate.source,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, str) or value is None:
        return value
    number = float(value)
    return number if isfinite(number) else None
