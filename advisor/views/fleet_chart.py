"""The week of a fleet as figures: accelerators at work by the hour, one figure a workload."""

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from advisor.charts import as_json, plain_text

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_HOURS = 24
_COLOURS = 7


def week_figures(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One figure for each workload: what serves it in each of the 168 hours, stacked."""
    found: list[dict[str, Any]] = []
    for workload in dict.fromkeys(each["workload"] for each in result["series"]):
        mine = [each for each in result["series"] if each["workload"] == workload]
        found.append({
            "id": f"week-{len(found) + 1}",
            "workload": workload,
            "figure": _figure(mine),
            "finding": _finding(mine),
            "rows": _by_hour(mine),
            "names": [each["name"] for each in mine],
        })  # fmt: skip
    return found


def _finding(series: list[Mapping[str, Any]]) -> str:
    busy = [sum(values) for values in zip(*(each["busy"] for each in series), strict=True)]
    working = [each for each in busy if each > 0.0]
    mean = sum(working) / max(len(working), 1)
    return (
        f"At work in {len(working)} of {len(busy)} hours: {mean:,.1f} accelerators in the mean of "
        f"these, {max(busy):,.1f} in the busiest."
    )


def _figure(series: list[Mapping[str, Any]]) -> dict[str, Any]:
    hours = list(range(len(series[0]["busy"])))
    traces = [
        go.Bar(
            x=hours,
            y=each["busy"],
            name=plain_text(each["name"]),
            marker={"color": f"var(--chart-{place % _COLOURS + 1})", "line": {"width": 0}},
            hovertemplate="%{y:.1f} accelerators<extra>%{fullData.name}</extra>",
        )
        for place, each in enumerate(series)
    ]
    ticks = [day * _HOURS + _HOURS // 2 for day in range(len(hours) // _HOURS)]
    return as_json(
        traces,
        barmode="stack",
        bargap=0.0,
        xaxis={"tickvals": ticks, "ticktext": list(DAYS[: len(ticks)]), "showgrid": False},
        yaxis={"title": {"text": "Accelerators at work"}, "rangemode": "tozero"},
        showlegend=True,
    )


def _by_hour(series: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The same as a table: hours with the same figures in a row stand together."""
    rows: list[dict[str, Any]] = []
    hours = len(series[0]["busy"])
    for hour in range(hours):
        values = [each["busy"][hour] for each in series]
        if rows and rows[-1]["values"] == values:
            rows[-1]["until"] = _name(hour + 1)
            continue
        rows.append({"start": _name(hour), "until": _name(hour + 1), "values": values})
    return rows


def _name(hour: int) -> str:
    return f"{DAYS[hour // _HOURS % len(DAYS)]} {hour % _HOURS:02d}:00"
