"""A worksheet written row by row: text stays text, numbers stay numbers, formulas are ours."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from xlsxwriter.format import Format as CellFormat
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from advisor.exports.text import visible

MOST_CELL = 32_767  # characters a cell holds


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """A formula written on purpose, with the value it had when it was written."""

    text: str
    value: float | str = 0.0


class Styles:
    """The few ways a cell looks."""

    def __init__(self, book: Workbook) -> None:
        def style(**looks: Any) -> CellFormat:
            return book.add_format({"valign": "top", "font_name": "Calibri"} | looks)

        self.title = style(bold=True, font_size=14)
        self.head = style(bold=True, bottom=1, text_wrap=True, bg_color="#EEF2F5")
        self.text = style()
        self.wrapped = style(text_wrap=True)
        self.strong = style(bold=True)
        self.muted = style(font_color="#5B6770", text_wrap=True)
        self.usd = style(num_format="#,##0.00")
        self.usd_total = style(num_format="#,##0.00", bold=True, top=1)
        self.number = style(num_format="#,##0.###")
        self.given = style(num_format="#,##0.00####", bg_color="#FFF7DC", border=1)


class Sheet:
    """Appends rows; needs no memory of the rows before."""

    def __init__(self, book: Workbook, name: str, styles: Styles, widths: Sequence[int]) -> None:
        self.styles = styles
        self.row = 0
        self._sheet: Worksheet = book.add_worksheet(name)
        for column, width in enumerate(widths):
            self._sheet.set_column(column, column, width)

    def title(self, text: str, *notes: str) -> None:
        """The name of the sheet and what to know of it."""
        self.add([text], self.styles.title)
        for note in notes:
            self.add([note], self.styles.text)
        self.skip()

    def head(self, cells: Iterable[str]) -> None:
        """The header of a table, which stays in view."""
        self.add(cells, self.styles.head)
        self._sheet.freeze_panes(self.row, 1)

    def skip(self) -> None:
        """An empty row."""
        self.row += 1

    def add(
        self, cells: Iterable[Any], style: CellFormat | Sequence[CellFormat] | None = None
    ) -> int:
        """One row of cells; the number of its row as a formula names it."""
        plain = self.styles.text
        put = self._sheet
        for column, cell in enumerate(cells):
            if cell is None or cell == "":
                continue
            look = style[min(column, len(style) - 1)] if isinstance(style, Sequence) else style
            if isinstance(cell, Formula):
                put.write_formula(self.row, column, cell.text, look or plain, cell.value)
            elif isinstance(cell, str):
                put.write_string(self.row, column, visible(cell)[:MOST_CELL], look or plain)
            elif isinstance(cell, bool):
                put.write_boolean(self.row, column, cell, look or plain)
            else:
                put.write_number(self.row, column, cell, look)
        self.row += 1
        return self.row
