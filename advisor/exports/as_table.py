"""The first plans as aligned text: what a terminal shows."""

from collections.abc import Mapping
from typing import Any

COLUMNS = (
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
SHOWN = 20


def as_table(document: Mapping[str, Any]) -> str:
    """The recommendation and the first plans as aligned text, with ranges."""
    rows = plan_cells(document)
    header = ["", *(label for key, label in COLUMNS if key in rows[0]["keys"])] if rows else []
    lines = [document["sentence"], *document["why"], ""]
    if rows:
        body = [[row["mark"], *row["cells"]] for row in rows]
        widths = [max(len(line[i]) for line in [header, *body]) for i in range(len(header))]
        lines += [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in [header, ["-" * width for width in widths], *body]
        ]
    lines += ["", *footer(document)]
    return "\n".join(lines) + "\n"


def plan_cells(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The first plans as cells of text, without the columns that none of them has."""
    plans = document["plans"][:SHOWN]
    keys = [key for key, _ in COLUMNS if key == "name" or any(plan.get(key) for plan in plans)]
    best = document["recommendation"] or {}
    return [
        {
            "keys": keys,
            "mark": "*" if plan["id"] == best.get("id") else "",
            "cells": [figure_text(plan.get(key)) for key in keys],
        }
        for plan in plans
    ]


def figure_text(value: Any) -> str:
    """A figure as "value (low to high)"; "open" where it is not known."""
    if isinstance(value, Mapping):
        if value.get("value") is None:
            return "open"
        middle, low, high = (short(value[part]) for part in ("value", "low", "high"))
        return middle if low == high else f"{middle} ({low} to {high})"
    return "" if value is None else str(value)


def short(value: float | None) -> str:
    """Three digits, or a whole number with separators."""
    if value is None:
        return "?"
    if abs(value) >= 1000.0:  # noqa: PLR2004 -- whole numbers from here on
        return f"{value:,.0f}"
    return f"{value:.3g}"


def footer(document: Mapping[str, Any]) -> list[str]:
    """Warnings, and what the answer was made from."""
    catalogue = document["catalog_snapshot"]
    warnings = [f"Note: {warning}" for warning in document["warnings"]]
    return [
        *warnings,
        f"Catalogue of {catalogue['as_of']} ({catalogue['digest'][:12]}), engine "
        f"{document['engine_version']}, calibration {document['calibration_version']}. "
        "Ranges are 80 % intervals.",
    ]
