"""A CSV text as rows by column name, whatever its delimiter, quotes and line ends."""

import csv
import io
from collections.abc import Sequence

MOST_ROWS = 200_000
SURPLUS = "surplus cells"
"""Key of a row under which cells beyond the header's are kept."""
_DELIMITERS = ",;\t|"
_PARTS = frozenset({"accelerator", "accelerator_slug", "system"})


class BadCases(Exception):
    """A file that is no table of cases; the message says where and what would help."""


def decoded(content: bytes) -> str:
    """The text of a file: UTF-8 or UTF-16 where it says so, else the Windows code page."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def read_cases(text: str) -> list[dict[str, str]]:
    """Rows of a CSV text by column name; raises BadCases where it is no table of cases.

    A short line lacks its last cells; cells beyond the header stay under SURPLUS, for the row
    to be refused alone. Of two columns with one name the first that says something counts.
    """
    table = [cells for cells in _cells(text) if any(cell.strip() for cell in cells)]
    if not table:
        message = (
            "the file is empty: a header line with at least “accelerator” and “model” is needed"
        )
        raise BadCases(message)
    header = [name.strip().lower().replace(" ", "_") for name in table[0]]
    if not _PARTS & set(header):
        message = (
            "the first line is no header: it must name the columns, among them “accelerator” "
            f"(or “accelerator_slug”) and “model”; it begins with “{table[0][0][:40]}”"
        )
        raise BadCases(message)
    if len(table) == 1:
        message = "the file has a header and no cases under it"
        raise BadCases(message)
    if len(table) > MOST_ROWS + 1:
        message = f"{len(table) - 1:,} cases; at most {MOST_ROWS:,} at once: split the file"
        raise BadCases(message)
    return [_row(header, cells) for cells in table[1:]]


def _row(header: Sequence[str], cells: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, cell in zip(header, cells, strict=False):
        found[name] = found.get(name) or cell.strip()
    surplus = [cell for cell in cells[len(header) :] if cell.strip()]
    if surplus:
        found[SURPLUS] = f"{len(cells)} cells under {len(header)} columns"
    return found


def _cells(text: str) -> list[list[str]]:
    """Cells of every line; a quote left open ends with its line."""
    text = text.removeprefix("\ufeff").replace("\0", "")
    delimiter = _delimiter(text)
    try:
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        return list(lines)
    except csv.Error:
        return [
            next(csv.reader([line.replace('"', "")], delimiter=delimiter), [])
            for line in text.splitlines()
        ]


def _delimiter(text: str) -> str:
    """The sign that parts the header's names."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(_DELIMITERS, key=first.count)
