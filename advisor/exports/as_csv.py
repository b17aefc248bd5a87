"""The plans as CSV: one row a plan, machine numbers, low and high in columns of their own."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import IO, Any

from advisor.exports.formats import Format
from advisor.exports.subject import Subject
from advisor.exports.text import visible

FIGURES = (
    "monthly_cost_usd", "total_cost_usd", "capex_usd", "usd_per_million_output_tokens",
    "ttft_p50_s", "ttft_p95_s", "ttft_p99_s", "tpot_p50_s", "tpot_p99_s", "e2e_p50_s", "e2e_p99_s",
    "output_tokens_per_s", "requests_per_s", "samples_per_s", "users_at_slo", "users_per_usd_hour",
    "users_per_kw", "hours", "mfu", "tokens_per_s_per_accelerator", "power_kw", "energy_kwh_month",
    "carbon_kg_month",
)  # fmt: skip
FIELDS = (
    "id", "name", "workload", "kind", "family", "accelerator", "accelerator_count", "system",
    "system_count", "provider", "region", "country", "purchase", "precision", "engine",
    "meets_targets", "price_open",
)  # fmt: skip
PARTS = ("value", "low", "high", "evidence")
HEADER = (
    *FIELDS,
    *(name if part == "value" else f"{name}_{part}" for name in FIGURES for part in PARTS),
)
# Spreadsheets of East Asian locales take the full-width signs for the plain ones.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_PIECE = 64_000  # characters
_NOTHING: Mapping[str, Any] = {}


def as_csv(document: Mapping[str, Any]) -> str:
    """The plans of a result document as CSV text."""
    return "".join(csv_lines(document))


def csv_lines(document: Mapping[str, Any]) -> Iterator[str]:
    """The CSV in pieces of some lines, so that a long answer needs no memory of its own."""
    buffer = io.StringIO()
    write = csv.writer(buffer).writerow
    for row in chain((HEADER,), map(plan_row, document["plans"])):
        write(row)
        if buffer.tell() > _PIECE:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def plan_row(plan: Mapping[str, Any]) -> Sequence[Any]:
    """One plan's cells in the order of HEADER."""
    row = [safe_cell(plan.get(name)) for name in FIELDS]
    for name in FIGURES:
        figure = plan.get(name) or _NOTHING
        row += [figure.get(part) for part in PARTS]
    return row


def safe_cell(value: Any) -> Any:
    """Text that no spreadsheet takes for a formula; numbers stay numbers.

    Source: OWASP, "CSV Injection".
    """
    if not isinstance(value, str):
        return value
    text = value if value.isascii() and value.isprintable() else visible(value)
    return f"'{text}" if text.lstrip(" \"'").startswith(_FORMULA_STARTS) else text


def _write(subject: Subject, stream: IO[bytes]) -> None:
    for line in csv_lines(subject.document):
        stream.write(line.encode("utf-8"))


CSV = Format(
    id="csv",
    label="CSV",
    audience="Data",
    purpose="One row a plan with machine numbers, for a spreadsheet or a notebook.",
    suffix=".csv",
    content_type="text/csv; charset=utf-8",
    write=_write,
    of_plan=False,
)
