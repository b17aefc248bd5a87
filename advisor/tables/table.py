"""A table as page, CSV and workbook show it: one frame, a title and the point it makes."""

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Columns carry their unit: a name ends in its unit after a comma, as in "Total, USD".

    Shares and chances are fractions of one. An empty cell is unknown, and a column or the note
    says why.
    """

    name: str  # in addresses and file names
    title: str
    point: str  # one sentence
    frame: pd.DataFrame
    note: str = ""
    cents: bool = False  # amounts add up, so they are shown to the cent
