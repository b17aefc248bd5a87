"""The catalogue's CSV tables: which columns each has, what a cell may hold, how one is read."""

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

Record = dict[str, Any]
FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
LARGEST_NUMBER = Decimal(10) ** 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A row that was not taken, where it stands and why."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.reason}"


class BadTable(Exception):
    """A file that cannot be read as the table it should be; nothing of it was taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: its name, how a filled cell is read, and what an empty one means."""

    name: str
    read: Callable[[str], Any]
    required: bool = False
    empty: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One CSV file: its columns and those that tell its rows apart (none: rows may repeat)."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    problem: Callable[[Record], str | None] | None = None

    @property
    def file(self) -> str:
        """Name of the file in the fixtures folder."""
        return f"{self.name}.csv"


def _number(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        message = f"“{text}” is not a number"
        raise ValueError(message) from None
    if not value.is_finite() or value < 0 or value > LARGEST_NUMBER:
        message = f"“{text}” is not a number from 0 to 1e15"
        raise ValueError(message)
    return value


def _signed(text: str) -> Decimal:
    return -_number(text[1:]) if text.startswith("-") else _number(text)


def _positive(text: str) -> Decimal:
    value = _number(text)
    if value == 0:
        message = "0 is not a figure: leave the cell empty where it is unknown"
        raise ValueError(message)
    return value


def _whole(text: str) -> int:
    value = _number(text)
    if value != value.to_integral_value():
        message = f"“{text}” is not a whole number"
        raise ValueError(message)
    return int(value)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        message = f"“{text}” is not a date such as 2026-11-23"
        raise ValueError(message) from None


def _flag(text: str) -> bool:
    if text not in {"0", "1"}:
        message = f"“{text}” is neither 0 nor 1"
        raise ValueError(message)
    return text == "1"


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split("|") if part.strip())


def one_of(options: Iterable[str]) -> Callable[[str], str]:
    """A reader that takes one of the options."""
    allowed = tuple(options)

    def read(text: str) -> str:
        if text not in allowed:
            message = f"“{text}” is none of {', '.join(allowed)}"
            raise ValueError(message)
        return text

    return read


def text(*names: str, required: bool = False) -> tuple[Column, ...]:
    """Columns of words; empty stays the empty string."""
    return tuple(Column(name=n, read=str, required=required, empty="") for n in names)


def number(*names: str, required: bool = False) -> tuple[Column, ...]:
    """Columns of numbers above zero; empty is unknown."""
    return tuple(Column(name=n, read=_positive, required=required) for n in names)


def amount(*names: str) -> tuple[Column, ...]:
    """Columns of numbers that may be zero; empty is unknown."""
    return tuple(Column(name=n, read=_number) for n in names)


def signed(*names: str) -> tuple[Column, ...]:
    """Columns of numbers of either sign; empty is unknown."""
    return tuple(Column(name=n, read=_signed) for n in names)


def whole(*names: str, required: bool = False) -> tuple[Column, ...]:
    """Columns of whole numbers; empty is unknown."""
    return tuple(Column(name=n, read=_whole, required=required) for n in names)


def day(*names: str, required: bool = False) -> tuple[Column, ...]:
    """Columns of days, ISO 8601."""
    return tuple(Column(name=n, read=_day, required=required) for n in names)


def flag(*names: str) -> tuple[Column, ...]:
    """Columns of 0 or 1; empty is 0."""
    return tuple(Column(name=n, read=_flag, empty=False) for n in names)


def words(*names: str) -> tuple[Column, ...]:
    """Columns of lists, parts apart by |."""
    return tuple(Column(name=n, read=_list, empty=()) for n in names)


def choice(name: str, options: Iterable[str], *, required: bool = False) -> tuple[Column, ...]:
    """A column that holds one of the options."""
    return (Column(name=name, read=one_of(options), required=required, empty=""),)


def _rows(content: str, file: str) -> list[tuple[int, list[str]]]:
    """Lines of a CSV text with their line numbers; raises BadTable where it is cut off."""
    reader = csv.reader(io.StringIO(content), strict=True)
    rows: list[tuple[int, list[str]]] = []
    try:
        start = 1
        for cells in reader:
            rows.append((start, cells))
            start = reader.line_num + 1
    except csv.Error as error:
        message = f"{file}, line {reader.line_num}: not valid CSV ({error}); is the file cut off?"
        raise BadTable(message) from None
    if not rows:
        message = f"{file}: the file is empty; it needs at least its header line"
        raise BadTable(message)
    width, (line, last) = len(rows[0][1]), rows[-1]
    if last and len(last) < width and not content.endswith("\n"):
        message = f"{file}, line {line}: the file ends in the middle of a row; is it cut off?"
        raise BadTable(message)
    return [row for row in rows if row[1]]


def _check_header(header: Sequence[str], table: Table, *, lenient: bool) -> None:
    known = {column.name for column in table.columns}
    unknown = [name for name in header if name not in known]
    needed = [column.name for column in table.columns if column.required or not lenient]
    missing = [name for name in needed if name not in header]
    twice = sorted({name for name in header if header.count(name) > 1})
    for names, words_ in ((missing, "lacks"), (unknown, "has unknown"), (twice, "repeats")):
        if names:
            message = f"{table.file}, line 1: the header {words_} {', '.join(names)}"
            raise BadTable(message)


def _record(cells: Mapping[str, str], table: Table) -> Record:
    record: Record = {}
    for column in table.columns:
        cell = cells.get(column.name, "").strip()
        if not cell:
            if column.required:
                message = f"{column.name} is missing"
                raise ValueError(message)
            record[column.name] = column.empty
            continue
        try:
            record[column.name] = column.read(cell)
        except ValueError as error:
            message = f"{column.name}: {error}"
            raise ValueError(message) from None
    return record


def read_cells(cells: Mapping[str, str], table: Table) -> tuple[Record, dict[str, str]]:
    """One row given by name, with what is wrong by column ("" for the row as a whole).

    For forms and programs, which want every problem at once; names that are no column of the
    table are problems too.
    """
    known = {column.name for column in table.columns}
    wrong = {name: "there is no such column" for name in cells if name not in known}
    record: Record = {}
    for column in table.columns:
        cell = cells.get(column.name, "").strip()
        record[column.name] = column.empty
        if not cell and column.required:
            wrong[column.name] = "is missing"
        elif cell:
            try:
                record[column.name] = column.read(cell)
            except ValueError as error:
                wrong[column.name] = str(error)
    if not wrong and table.problem and (problem := table.problem(record)):
        name, _, text_ = problem.partition(": ")
        wrong[name if name in known else ""] = text_ if name in known else problem
    return record, wrong


def read_table(
    content: str, table: Table, *, lenient: bool = False
) -> tuple[list[tuple[int, Record]], list[Refusal]]:
    """The rows of a CSV text with their line numbers, and the rows that were refused.

    With `lenient`, columns that may be empty may also be missing.
    """
    (_, header), *body = _rows(content.removeprefix("\ufeff"), table.file)
    header = [name.strip() for name in header]
    _check_header(header, table, lenient=lenient)
    taken: list[tuple[int, Record]] = []
    refused: list[Refusal] = []
    seen: dict[tuple[Any, ...], int] = {}
    for line, cells in body:
        try:
            if len(cells) != len(header):
                message = f"has {len(cells)} cells, the header has {len(header)}"
                raise ValueError(message)
            record = _record(dict(zip(header, cells, strict=True)), table)
            if table.problem and (problem := table.problem(record)):
                raise ValueError(problem)
            key = tuple(record[name] for name in table.key)
            if key and key in seen:
                message = f"repeats line {seen[key]} ({', '.join(str(k) for k in key if k)})"
                raise ValueError(message)
        except ValueError as error:
            refused.append(Refusal(file=table.file, line=line, reason=str(error)))
            continue
        seen[key] = line
        taken.append((line, record))
    return taken, refused


def read_file(folder: Path, table: Table) -> tuple[list[tuple[int, Record]], list[Refusal]]:
    """A table's file in a folder; raises BadTable where it is not there or not text."""
    path = folder / table.file
    try:
        content = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        message = f"{table.file}: there is no such file in {folder}"
        raise BadTable(message) from None
    except UnicodeDecodeError as error:
        message = f"{table.file}: not UTF-8 text (byte {error.start})"
        raise BadTable(message) from None
    return read_table(content, table)
