"""The week of a fleet as figures: accelerators at work by the hour, one figure a workload."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from advisor.charts import as_json, plain_text

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_HOURS = 24
_COLOURS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measure:
    """What the bars of a figure count."""

    key: str  # of a series' 168 values
    axis: str
    unit: str


AT_WORK = _Measure(key="busy", axis="Accelerators at work", unit="accelerators at work")
SENT = _Measure(key="per_s", axis="Requests a second", unit="requests a second")


def week_figures(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Figures of each workload: what is at work in each of the 168 hours, stacked.

    Where a hosted model takes a part, a second one shows which requests go there.
    """
    found: list[dict[str, Any]] = []
    every = (*result["series"], *result.get("traffic", ()))
    for workload in dict.fromkeys(each["workload"] for each in every):
        mine = [each for each in result["series"] if each["workload"] == workload]
        sent = [each for each in result.get("traffic", ()) if each["workload"] == workload]
        if mine:
            found.append(_shown(mine, AT_WORK, workload, len(found)) | {"finding": _finding(mine)})
        if sent:
            title = f"{workload}: where its requests go"
            found.append(_shown(sent, SENT, title, len(found)) | {"finding": _overflow(sent)})
    return found


def _shown(
    series: Sequence[Mapping[str, Any]], measure: _Measure, title: str, place: int
) -> dict[str, Any]:
    return {
        "id": f"week-{place + 1}",
        "title": title,
        "workload": series[0]["workload"],
        "figure": _figure(series, measure),
        "rows": _by_hour(series, measure),
        "names": [each["name"] for each in series],
        "unit": measure.unit,
    }


def _finding(series: Sequence[Mapping[str, Any]]) -> str:
    busy = [sum(values) for values in zip(*(each["busy"] for each in series), strict=True)]
    working = [each for each in busy if each > 0.0]
    mean = sum(working) / max(len(working), 1)
    return (
        f"At work in {len(working)} of {len(busy)} hours: {mean:,.1f} accelerators in the mean of "
        f"these, {max(busy):,.1f} in the busiest."
    )


def _overflow(series: Sequence[Mapping[str, Any]]) -> str:
    hosted = [each["per_s"] for each in series if each["hosted"]]
    sent = [sum(values) for values in zip(*hosted, strict=True)]
    hours = sum(each > 0.0 for each in sent)
    whole = sum(sum(each["per_s"]) for each in series)
    return (
        f"{sum(sent) / max(whole, 1e-12):.0%} of the requests go to a hosted model, in {hours} of "
        f"{len(sent)} hours; {max(sent):,.1f} a second in the busiest."
    )


def _figure(series: Sequence[Mapping[str, Any]], measure: _Measure) -> dict[str, Any]:
    hours = list(range(len(series[0][measure.key])))
    traces = [
        go.Bar(
            x=hours,
            y=each[measure.key],
            name=plain_text(each["name"]),
            marker={"color": f"var(--chart-{place % _COLOURS + 1})", "line": {"width": 0}},
            hovertemplate=f"%{{y:.1f}} {measure.unit}<extra>%{{fullData.name}}</extra>",
        )
        for place, each in enumerate(series)
    ]
    ticks = [day * _HOURS + _HOURS // 2 for day in range(len(hours) // _HOURS)]
    return as_json(
        traces,
        barmode="stack",
        bargap=0.0,
        xaxis={"tickvals": ticks, "ticktext": list(DAYS[: len(ticks)]), "showgrid": False},
        yaxis={"title": {"text": measure.axis}, "rangemode": "tozero"},
        showlegend=True,
    )


def _by_hour(series: Sequence[Mapping[str, Any]], measure: _Measure) -> list[dict[str, Any]]:
    """The same as a table: hours with the same figures in a row stand together."""
    rows: list[dict[str, Any]] = []
    hours = len(series[0][measure.key])
    for hour in range(hours):
        values = [each[measure.key][hour] for each in series]
        if rows and rows[-1]["values"] == values:
            rows[-1]["until"] = _name(hour + 1)
            continue
        rows.append({"start": _name(hour), "until": _name(hour + 1), "values": values})
    return rows


def _name(hour: int) -> str:
    return f"{DAYS[hour // _HOURS % len(DAYS)]} {hour % _HOURS:02d}:00"
