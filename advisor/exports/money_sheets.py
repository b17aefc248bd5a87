"""The money of a plan as sheets of the workbook: the very tables of its page and CSV files."""

from collections.abc import Iterable
from typing import Any

import pandas as pd
from xlsxwriter.workbook import Workbook

from advisor.engine.answers import InvalidAnswers
from advisor.exports.refusal import CannotExport
from advisor.exports.sheets import Sheet, Styles
from advisor.exports.subject import Subject
from advisor.services.money import NothingToCost, Wishes, money_on
from advisor.tables import Table, money_tables

_WIDTHS = (34, 24, *([18] * 14))
_MONTHS, _CURVES = "cash-flow", "curve-"


def add_money(book: Workbook, styles: Styles, subject: Subject) -> None:
    """Three sheets: what it costs and why, month by month, and cost along each axis.

    A fleet has those of its first workload's plan, which the first sheet names.
    """
    tables, refusal = _tables(subject)
    curves = [table for table in tables if table.name.startswith(_CURVES)]
    months = [table for table in tables if table.name == _MONTHS]
    others = [table for table in tables if table not in curves and table not in months]
    for name, part in (
        ("Money", others), ("Money by month", months), ("Money by axis", curves),
    ):  # fmt: skip
        sheet = Sheet(book, name, styles, _WIDTHS)
        if refusal:
            sheet.title(name, refusal)
        for table in part:
            _add(sheet, styles, table)


def _tables(subject: Subject) -> tuple[list[Table], str]:
    plan = subject.plan
    plan_id = "" if plan is None or plan["kind"] == "fleet" else str(plan["id"])
    try:
        money = money_on(subject.worked, Wishes(plan=plan_id))
    except (CannotExport, NothingToCost, InvalidAnswers) as reason:
        return [], str(reason)
    return list(money_tables(money).values()), ""


def _add(sheet: Sheet, styles: Styles, table: Table) -> None:
    sheet.title(table.title, table.point, table.note)
    sheet.add(table.frame.columns, styles.head)
    looks = [styles.usd if name.endswith("USD") else styles.number for name in table.frame.columns]
    for row in table.frame.itertuples(index=False):
        sheet.add(_plain(row), looks)
    sheet.skip()


def _plain(row: Iterable[Any]) -> list[Any]:
    """Cells as Python values; unknown ones are empty."""
    return [
        None if pd.isna(cell) else cell.item() if hasattr(cell, "item") else cell for cell in row
    ]
