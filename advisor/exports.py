"""A result document as text that leaves the app: JSON, plain table, Markdown, CSV."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

COLUMNS: Sequence[tuple[str, str]] = (
    ("name", "plan"),
    ("precision", "format"),
    ("monthly_cost_usd", "USD/month"),
    ("total_cost_usd", "USD in all"),
    ("ttft_p95_s", "TTFT p95 (s)"),
    ("e2e_p99_s", "E2E p99 (s)"),
    ("hours", "hours"),
    ("users_per_usd_hour", "users per USD/h"),
    ("users_per_kw", "users/kW"),
)
CSV_FIGURES = (
    "monthly_cost_usd", "total_cost_usd", "capex_usd", "usd_per_million_output_tokens",
    "ttft_p50_s", "ttft_p95_s", "ttft_p99_s", "tpot_p50_s", "tpot_p99_s", "e2e_p50_s", "e2e_p99_s",
    "output_tokens_per_s", "requests_per_s", "samples_per_s", "users_at_slo", "users_per_usd_hour",
    "users_per_kw", "hours", "mfu", "tokens_per_s_per_accelerator", "power_kw", "energy_kwh_month",
    "carbon_kg_month",
)  # fmt: skip
CSV_FIELDS = (
    "id", "name", "workload", "kind", "family", "accelerator", "accelerator_count", "system",
    "system_count", "provider", "region", "country", "purchase", "precision", "engine",
    "meets_targets", "price_open",
)  # fmt: skip
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_SHOWN = 20


def as_json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def as_table(document: Mapping[str, Any]) -> str:
    """The recommendation and the first plans as aligned text, with ranges."""
    rows = _cells(document)
    header = ["", *(label for key, label in COLUMNS if key in rows[0]["keys"])] if rows else []
    lines = [document["sentence"], *document["why"], ""]
    if rows:
        body = [[row["mark"], *row["cells"]] for row in rows]
        widths = [max(len(line[i]) for line in [header, *body]) for i in range(len(header))]
        lines += [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in [header, ["-" * width for width in widths], *body]
        ]
    lines += ["", *_footer(document)]
    return "\n".join(lines) + "\n"


def as_markdown(document: Mapping[str, Any]) -> str:
    """The answer as Markdown: recommendation, trade-offs, why not, assumptions."""
    rows = _cells(document)
    lines = [f"# {_md(document['name'])}", "", _md(document["sentence"]), ""]
    lines += [f"- {_md(reason)}" for reason in document["why"]]
    if rows:
        header = [label for key, label in COLUMNS if key in rows[0]["keys"]]
        lines += ["", "## Plans", "", "| " + " | ".join(header) + " |", "|---" * len(header) + "|"]
        lines += ["| " + " | ".join(_md(cell) for cell in row["cells"]) + " |" for row in rows]
    best = document["recommendation"]
    if best is not None:
        lines += ["", "## Cost over the horizon", "", "| line | USD |", "|---|---:|"]
        lines += [
            f"| {_md(line['label'])} | {line['usd']:,.2f} |" for line in best["cost_breakdown"]
        ]
    lines += ["", "## Why not", ""]
    lines += [
        f"- **{_md(item['accelerator'] or item['family'])}** ({item['family']}): "
        f"{_md(item['reason'])}"
        for item in document["rejected"]
    ]
    lines += ["", "## Assumptions", ""]
    lines += [
        f"- {_md(item['label'])}: {_md(item['value'])} ({_md(item['basis'])})"
        for item in document["assumptions"]
    ]
    return "\n".join([*lines, "", *_footer(document)]) + "\n"


def as_csv(document: Mapping[str, Any]) -> str:
    """One row a plan, machine numbers, low and high in columns of their own."""
    stream = io.StringIO()
    stream.writelines(csv_lines(document))
    return stream.getvalue()


def csv_lines(document: Mapping[str, Any]) -> Iterable[str]:
    """The CSV line by line, so that a long answer needs no memory of its own."""
    header = list(CSV_FIELDS)
    for name in CSV_FIGURES:
        header += [name, f"{name}_low", f"{name}_high", f"{name}_evidence"]
    yield _csv_line(header)
    for plan in document["plans"]:
        row = [safe_cell(plan.get(name)) for name in CSV_FIELDS]
        for name in CSV_FIGURES:
            figure = plan.get(name) or {}
            row += [figure.get(part) for part in ("value", "low", "high", "evidence")]
        yield _csv_line(row)


def safe_cell(value: Any) -> Any:
    """Text that no spreadsheet takes for a formula; numbers stay numbers."""
    if isinstance(value, str) and value.lstrip(" \"'").startswith(_FORMULA_STARTS):
        return f"'{value}"
    return value


def _csv_line(row: Sequence[Any]) -> str:
    stream = io.StringIO()
    csv.writer(stream).writerow(row)
    return stream.getvalue()


def _cells(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    plans = document["plans"][:_SHOWN]
    keys = [key for key, _ in COLUMNS if key == "name" or any(plan.get(key) for plan in plans)]
    best = document["recommendation"] or {}
    return [
        {
            "keys": keys,
            "mark": "*" if plan["id"] == best.get("id") else "",
            "cells": [_text(plan.get(key)) for key in keys],
        }
        for plan in plans
    ]


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        if value.get("value") is None:
            return "open"
        middle, low, high = (_short(value[part]) for part in ("value", "low", "high"))
        return middle if low == high else f"{middle} ({low} to {high})"
    return "" if value is None else str(value)


def _short(value: float | None) -> str:
    if value is None:
        return "?"
    if abs(value) >= 1000.0:  # noqa: PLR2004 -- whole numbers from here on
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _md(text: object) -> str:
    plain = str(text).replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")
    return plain.replace("](", "]\\(")  # a name cannot become a link


def _footer(document: Mapping[str, Any]) -> list[str]:
    catalogue = document["catalog_snapshot"]
    warnings = [f"Note: {warning}" for warning in document["warnings"]]
    return [
        *warnings,
        f"Catalogue of {catalogue['as_of']} ({catalogue['digest'][:12]}), engine "
        f"{document['engine_version']}, calibration {document['calibration_version']}. "
        "Ranges are 80 % intervals.",
    ]
