"""Percentiles over load or over the batch limit as a figure, in Plotly's JSON."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from advisor.charts import STRAIGHT_UP_TO
from catalog.units import PERCENT

Document = Mapping[str, Any]
_LINES = (("p99", "99 of 100", "solid"), ("p95", "95 of 100", "dash"), ("p50", "half", "dot"))
_COLOURS = {"p99": "var(--chart-1)", "p95": "var(--chart-3)", "p50": "var(--chart-7)"}


def over_load(
    rows: Sequence[Document], figure: str, *, target_s: float | None, knee: float | None
) -> dict[str, Any]:
    """Percentiles of one figure over load, with its target and the knee."""
    x = [row["load"] / PERCENT for row in rows]
    traces = _percentiles(rows, figure, x, "%{x:.0f} % of the peak")
    if knee is not None:
        ends = _ends(rows, figure, target_s)
        traces.append(_rule([knee / PERCENT] * 2, ends, "Knee", "dashdot"))
    if target_s is not None:
        traces.append(_rule([min(x), max(x)], [target_s] * 2, "Target", "dash", "var(--bad)"))
    return _figure(traces, "Load, % of the peak", figure, {"rangemode": "tozero"})


def first_token_over_batch(
    rows: Sequence[Document], *, target_s: float | None, own: int
) -> dict[str, Any]:
    """Percentiles of the first token over the limit on requests at once."""
    traces = _percentiles(rows, "ttft", _limits(rows), "%{x} requests at once")
    traces += _marks(rows, _ends(rows, "ttft", target_s), target_s=target_s, own=own)
    return _figure(traces, _BATCH_TITLE, "ttft", _batch_axis(rows))


def full_over_batch(
    rows: Sequence[Document], *, target_s: float | None, own: int
) -> dict[str, Any]:
    """Time per output token at the load and when every place is taken, over the limit."""
    at_load, full = (
        [row[name]["value"] for row in rows] for name in ("tpot_p99_s", "full_tpot_p99_s")
    )
    known = [value for value in [*at_load, *full, target_s] if value is not None]
    traces = [
        _line(
            _limits(rows), full, "When full", "var(--chart-1)", "solid", "%{x} at once, all taken"
        ),
        _line(_limits(rows), at_load, "At the peak", "var(--chart-3)", "dash", "%{x} at most"),
    ]
    ends = [min(known, default=0.0), max(known, default=1.0)]
    traces += _marks(rows, ends, target_s=target_s, own=own)
    return _figure(traces, _BATCH_TITLE, "tpot", _batch_axis(rows))


_BATCH_TITLE = "Requests at once on one replica"


def _limits(rows: Sequence[Document]) -> list[int]:
    return [row["batch_limit"] for row in rows]


def _batch_axis(rows: Sequence[Document]) -> dict[str, Any]:
    limits = _limits(rows)
    texts = [str(limit) for limit in limits]
    return {"type": "log", "tickmode": "array", "tickvals": limits, "ticktext": texts}


def _marks(
    rows: Sequence[Document], ends: Sequence[float], *, target_s: float | None, own: int
) -> list[Any]:
    limits = _limits(rows)
    found = [_rule([own, own], ends, "As planned", "dashdot")] if own in limits else []
    if target_s is not None:
        ends_x = [min(limits), max(limits)]
        found.append(_rule(ends_x, [target_s] * 2, "Target", "dash", "var(--bad)"))
    return found


def _line(
    x: Sequence[float], y: Sequence[Any], name: str, colour: str, dash: str, where: str
) -> Any:
    return go.Scatter(
        x=list(x),
        y=list(y),
        mode="lines+markers",
        name=name,
        line={"color": colour, "width": 2, "dash": dash},
        marker={"size": 6, "color": colour},
        connectgaps=False,
        hovertemplate=f"{where}<br>%{{y:.3~s}}s<extra></extra>",
    )


def _percentiles(
    rows: Sequence[Document], figure: str, x: Sequence[float], where: str
) -> list[Any]:
    return [
        _line(
            x,
            [row[f"{figure}_{name}_s"]["value"] for row in rows],
            words[:1].upper() + words[1:],
            _COLOURS[name],
            dash,
            f"{where}<br>{words} within",
        )
        for name, words, dash in _LINES
    ]


def _ends(rows: Sequence[Document], figure: str, target_s: float | None) -> list[float]:
    values = [
        value
        for row in rows
        for name, _, _ in _LINES
        if (value := row[f"{figure}_{name}_s"]["value"]) is not None
    ]
    if target_s is not None:
        values.append(target_s)
    return [min(values, default=0.0), max(values, default=1.0)]


def _rule(
    x: Sequence[float], y: Sequence[float], name: str, dash: str, colour: str = "var(--chart-2)"
) -> Any:
    return go.Scatter(
        x=list(x),
        y=list(y),
        mode="lines",
        name=name,
        line={"color": colour, "width": 1.5, "dash": dash},
        hoverinfo="skip",
    )


_TITLES = {
    "ttft": "First token, s",
    "tpot": "Time per output token, s",
    "e2e": "Whole answer, s",
}


def _figure(
    traces: Sequence[Any], title: str, figure: str, axis: Mapping[str, Any]
) -> dict[str, Any]:
    drawn = go.Figure(data=list(traces))
    drawn.update_layout(
        xaxis={"title": {"text": title}, **axis},
        yaxis={"title": {"text": _TITLES[figure]}, **_scale(traces)},
        hovermode="closest",
    )
    found: dict[str, Any] = drawn.to_plotly_json()
    found["layout"].pop("template", None)
    return found


def _scale(traces: Sequence[Any]) -> dict[str, Any]:
    """A logarithmic axis where values span more than a straight one can show."""
    values = [value for trace in traces for value in trace.y if value]
    if values and max(values) / min(values) > STRAIGHT_UP_TO:
        return {"type": "log", "dtick": "D2", "tickformat": "~s"}
    return {"rangemode": "tozero", "tickformat": "~s"}
