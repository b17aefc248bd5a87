"""Tables of the catalogue as files that a spreadsheet opens without running anything."""

from decimal import Decimal, InvalidOperation
from typing import Any

from import_export.formats.base_formats import CSV, XLSX
from tablib import Dataset  # type: ignore[import-untyped]

STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def safe_cell(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula; numbers stay numbers.

    Source: OWASP, "CSV Injection": a quote before the signs that start a formula.
    """
    text = str(value)
    if not text.startswith(STARTS_FORMULA):
        return value
    try:
        Decimal(text)
    except InvalidOperation:
        return f"'{text}"
    return value


def safe_dataset(dataset: Dataset) -> Dataset:
    """A table with each cell made safe."""
    rows = [[safe_cell(cell) for cell in row] for row in dataset]
    return Dataset(*rows, headers=dataset.headers)


class SafeCsv(CSV):  # type: ignore[misc]
    """CSV without formulas."""

    def export_data(self, dataset: Dataset, **options: Any) -> Any:
        return super().export_data(safe_dataset(dataset), **options)


class SafeXlsx(XLSX):  # type: ignore[misc]
    """XLSX without formulas."""

    def export_data(self, dataset: Dataset, **options: Any) -> Any:
        return super().export_data(safe_dataset(dataset), **options)
