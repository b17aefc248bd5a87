"""A table's frame as a page shows it: headings with units, cells as text, unknown said so."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from advisor.services.shown import shown as currency
from advisor.tables import Table
from advisor.templatetags.quantities import UNKNOWN, number, percent, usd, usd_cents

_RANGE = ("Low", "High")
MOST_ROWS = 15  # more than a screen takes in


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One heading: what stands in the column, and in which unit."""

    label: str
    unit: str
    is_number: bool
    is_small: bool = False  # where something was read
    is_money: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell; `open` where it says why there is no figure."""

    text: str
    is_number: bool
    is_open: bool = False
    is_small: bool = False
    unit: str = ""  # of a row's heading


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A table for the page; the first cell of a row is its heading."""

    name: str
    title: str
    point: str
    note: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    is_long: bool


def shown(table: Table, *, across: bool = False) -> Shown:
    """The table with its headings split into words and unit, and its figures rounded.

    With `across`, what the frame has in rows stands side by side: better for a few things of
    which much is told.
    """
    frame = _in_currency(table.frame)
    columns = tuple(_column(name, frame[name]) for name in frame.columns)
    cells = [
        tuple(_cell(value, column, table) for value in frame[name])
        for name, column in zip(frame.columns, columns, strict=True)
    ]
    if across:
        heads = tuple(
            Cell(text=column.label, is_number=False, unit=column.unit) for column in columns[1:]
        )
        rows = tuple((head, *line) for head, line in zip(heads, cells[1:], strict=True))
        columns = (
            columns[0], *(Column(label=cell.text, unit="", is_number=False) for cell in cells[0])
        )  # fmt: skip
    else:
        rows = tuple(zip(*cells, strict=True))
    return Shown(
        name=table.name,
        title=table.title,
        point=table.point,
        note=table.note,
        columns=columns,
        rows=rows,
        is_long=len(rows) > MOST_ROWS,
    )


def _in_currency(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows that name a unit of money themselves, in the currency of the page."""
    if "Unit" not in frame:
        return frame
    told, money = frame.copy(), frame["Unit"].str.contains("USD")
    for name in told.columns[[pd.api.types.is_numeric_dtype(told[name]) for name in told]]:
        told.loc[money, name] = told.loc[money, name] / currency().usd_per_unit
    told["Unit"] = told["Unit"].map(currency().unit)
    return told


def _column(name: str, values: pd.Series) -> Column:
    is_number = bool(pd.api.types.is_numeric_dtype(values) or values.isna().all())
    label, comma, unit = name.rpartition(", ")
    if not comma:
        unit = "%" if name == "Share" else ""
        return Column(label=name, unit=unit, is_number=is_number, is_small=name == "Source")
    if unit == "chance":
        unit = "%"
    return Column(
        label=label, unit=currency().unit(unit), is_number=is_number, is_money=unit == "USD"
    )


def _cell(value: Any, column: Column, table: Table) -> Cell:
    if not column.is_number:
        text = "" if pd.isna(value) else str(value)
        return Cell(text=text, is_number=False, is_small=column.is_small)
    if pd.isna(value):
        # No range, or a way against itself, is not a gap in what is known.
        blank = column.label in _RANGE or column.unit == "%"
        text = "" if blank else "price open" if column.is_money else UNKNOWN
        if column.label == "Turns at":
            text = "nowhere"
        return Cell(text=text, is_number=True, is_open=True)
    write: Callable[[Any], str] = number
    if column.is_money:
        write = usd_cents if table.cents else usd
    elif column.unit == "%":
        write = percent
    return Cell(text=write(value), is_number=True)
