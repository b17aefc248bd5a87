"""Documents of what-ifs as pages show them: cells as text, charts in Plotly's JSON."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from advisor.charts import STRAIGHT_UP_TO
from advisor.services.paths.documents import nines_text
from advisor.templatetags.quantities import number, percent, quantity, seconds, usd
from catalog.units import GIGA

Document = Mapping[str, Any]
MOSTLY = 0.5  # shares of the time above it are told by what they lack
_COLOURS = ("var(--chart-1)", "var(--chart-3)", "var(--chart-7)", "var(--chart-2)")
_DASHES = ("solid", "dash", "dot", "dashdot")
_OTHER = {"count": "", "text": "", "s": "", "USD": "", "fraction": "", "availability": ""}


def tables_of(document: Document) -> list[dict[str, Any]]:
    """The tables with their cells as text; an empty one is unknown."""
    return [
        dict(table)
        | {
            "columns": [
                {
                    "label": column["label"],
                    "unit": _OTHER.get(column["unit"], column["unit"]),
                    "numeric": column["unit"] != "text",
                }
                for column in table["columns"]
            ],
            "rows": [
                dict(row)
                | {
                    "cells": [
                        {
                            "text": cell_text(cell, column["unit"]),
                            "numeric": column["unit"] != "text",
                        }
                        for cell, column in zip(row["cells"], table["columns"], strict=True)
                    ]
                }
                for row in table["rows"]
            ],
        }
        for table in document["tables"]
    ]


def cell_text(cell: Any, unit: str) -> str:
    """A cell in the words of its column's unit; empty where it is unknown."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell
    if unit == "s":
        return seconds(cell)
    if unit == "USD":
        return usd(cell)
    if unit == "fraction":
        return percent(cell)
    if unit == "availability":
        return nines_text(cell) if cell > MOSTLY else percent(cell)
    return number(cell)


def basis_of(document: Document) -> list[dict[str, Any]]:
    """The figures a what-if stands on, in the units of the trade."""
    return [
        dict(each)
        | {name: _in_words(each[name], each["unit"]) for name in ("value", "low", "high")}
        for each in document["basis"]
    ]


def _in_words(value: float, unit: str) -> str:
    if unit == "fraction":
        return percent(value)
    if unit.startswith("bytes"):
        return f"{number(value / GIGA)} GB{unit.removeprefix('bytes')}"
    return quantity(value, unit)


def charts_of(document: Document) -> list[dict[str, Any]]:
    """The charts as figures."""
    return [
        {
            "id": f"path-{chart['id']}",
            "title": chart["title"],
            "finding": chart["finding"],
            "data": _figure(chart),
        }
        for chart in document["charts"]
    ]


def _figure(chart: Document) -> dict[str, Any]:
    bars = chart["kind"] in ("bar", "stack")
    traces = [
        _bars(series, place) if bars else _line(series, place)
        for place, series in enumerate(chart["series"])
    ]
    if chart["rule"] is not None and chart["series"]:
        traces.append(_rule(chart["rule"], chart["series"][0]["x"], bars=bars))
    figure = go.Figure(data=traces)
    values: dict[str, Any] = {"title": {"text": chart["y"]}}
    if _spans(chart):
        values |= {"type": "log", "dtick": "D2", "tickformat": "~s"}
    else:
        values |= {"rangemode": "tozero"}
    places: dict[str, Any] = {} if bars else {"title": {"text": chart["x"]}}
    figure.update_layout(
        xaxis=values if bars else places,
        yaxis=(places | {"autorange": "reversed", "ticksuffix": "  "}) if bars else values,
        barmode="stack" if chart["kind"] == "stack" else "group",
        hovermode="closest",
        bargap=0.3,
    )
    drawn: dict[str, Any] = figure.to_plotly_json()
    drawn["layout"].pop("template", None)
    return drawn


def _spans(chart: Document) -> bool:
    """Whether values lie too far apart for a straight axis; stacks always have one."""
    known = [v for series in chart["series"] for v in series["y"] if v is not None]
    if chart["rule"] is not None:
        known.append(chart["rule"]["value"])
    lowest = min(known, default=0.0)
    return chart["log"] and lowest > 0.0 and max(known) / lowest > STRAIGHT_UP_TO


def _line(series: Document, place: int) -> Any:
    return go.Scatter(
        x=list(series["x"]),
        y=list(series["y"]),
        mode="lines",
        name=series["name"],
        line={
            "color": _COLOURS[place % len(_COLOURS)],
            "width": 2,
            "dash": _DASHES[place % len(_DASHES)],
        },
        connectgaps=False,
        hovertemplate="%{x}<br>%{y:.3~s}<extra>%{fullData.name}</extra>",
    )


def _bars(series: Document, place: int) -> Any:
    return go.Bar(
        x=list(series["y"]),
        y=list(series["x"]),
        orientation="h",
        name=series["name"],
        marker={"color": _COLOURS[place % len(_COLOURS)]},
        hovertemplate="%{y}<br>%{x:.3~s}<extra>%{fullData.name}</extra>",
    )


def _rule(rule: Document, along: Sequence[Any], *, bars: bool) -> Any:
    ends = [along[0], along[-1]]
    level = [rule["value"]] * 2
    return go.Scatter(
        x=level if bars else ends,
        y=ends if bars else level,
        mode="lines",
        name=rule["label"],
        line={"color": "var(--bad)", "width": 1.5, "dash": "dash"},
        hoverinfo="skip",
    )
