"""Figures of the answer page, as Plotly's JSON without its default template."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from advisor.services.shown import shown

Document = Mapping[str, Any]
SYMBOLS: Mapping[str, str] = {
    "gpu": "circle",
    "tpu": "square",
    "ipu": "diamond",
    "waferscale": "star",
    "asic": "triangle-up",
    "apu": "pentagon",
    "hosted": "x",
}
FAMILY_LABELS: Mapping[str, str] = {
    "gpu": "GPU",
    "tpu": "TPU",
    "ipu": "IPU",
    "waferscale": "Wafer-scale",
    "asic": "Other accelerators",
    "apu": "APU (CPU and GPU on one die)",
    "hosted": "Hosted API",
}
TRACE_TYPES = frozenset({"scatter", "bar"})
"""Every trace type that a page draws; the vendored bundle must hold them all."""
STRAIGHT_UP_TO = 8.0


def _hidden_range() -> dict[str, Any]:
    return {"thickness": 1.2, "width": 0, "color": "var(--line-strong)"}


def as_json(traces: Sequence[Any], **layout: Any) -> dict[str, Any]:
    """Traces and layout as the page's script draws them."""
    figure = go.Figure(data=traces)
    figure.update_layout(**layout)
    drawn: dict[str, Any] = figure.to_plotly_json()
    drawn["layout"].pop("template", None)
    return drawn


def _bars(points: Sequence[Document], axis: str) -> dict[str, Any]:
    """Distances from the centre to the ends of the range; none where a range is unknown."""
    above = [(p[f"{axis}_high"] or p[axis]) - p[axis] for p in points]
    below = [p[axis] - (p[f"{axis}_low"] or p[axis]) for p in points]
    return {
        "type": "data",
        "symmetric": False,
        "array": above,
        "arrayminus": below,
        **_hidden_range(),
    }


def drawable(points: Sequence[Document]) -> list[Document]:
    """The points of a Pareto chart that have both coordinates."""
    return [p for p in points if p.get("x") is not None and p.get("y") is not None]


def pareto(chart: Document) -> dict[str, Any] | None:
    """Cost against waiting time with ranges, and the front that nothing beats on both."""
    points = drawable(chart.get("points", ()))
    if not points:
        return None
    traces: list[Any] = []
    front = sorted((p for p in points if p.get("on_front")), key=lambda p: (p["x"], -p["y"]))
    if len(front) > 1:
        traces.append(
            go.Scatter(
                x=[p["x"] for p in front],
                y=[p["y"] for p in front],
                mode="lines",
                name="Best trade-offs",
                line={"color": "var(--chart-7)", "width": 1.5, "dash": "dot", "shape": "hv"},
                hoverinfo="skip",
            )
        )
    best = [p for p in points if p.get("recommended")]
    traces.append(_ranges([p for p in points if p.get("on_front") or p.get("recommended")]))
    for family in dict.fromkeys(p["family"] for p in points):
        mine = [p for p in points if p["family"] == family]
        traces.append(_family_trace(family, mine))
    if best:
        traces.append(_halo(best))
    return as_json(
        traces,
        xaxis=_axis(chart.get("x_label", ""), [p["x"] for p in points]),
        yaxis=_axis(chart.get("y_label", ""), [p["y"] for p in points]),
        hovermode="closest",
    )


def _axis(label: str, values: Sequence[float]) -> dict[str, Any]:
    """An axis, logarithmic where its values span more than a straight one can show."""
    label_shown = shown().unit(label)
    axis: dict[str, Any] = {"title": {"text": label_shown[:1].upper() + label_shown[1:]}}
    if min(values) > 0.0 and max(values) / min(values) > STRAIGHT_UP_TO:
        axis |= {"type": "log", "dtick": "D2", "tickformat": "~s"}
    elif "USD" in label:
        axis["tickprefix"] = shown().sign
    return axis


def _ranges(points: Sequence[Document]) -> Any:
    """The ranges of the plans that matter; those of all would hide the marks."""
    return go.Scatter(
        x=[p["x"] for p in points],
        y=[p["y"] for p in points],
        error_x=_bars(points, "x"),
        error_y=_bars(points, "y"),
        mode="markers",
        marker={"size": 1, "color": "var(--line-strong)"},
        name="80 % range",
        showlegend=False,
        hoverinfo="skip",
    )


def _family_trace(family: str, points: Sequence[Document]) -> Any:
    return go.Scatter(
        x=[p["x"] for p in points],
        y=[p["y"] for p in points],
        mode="markers",
        name=FAMILY_LABELS.get(family, family),
        text=[plain_text(p["label"]) for p in points],
        marker={
            "size": [11 if p.get("on_front") or p.get("recommended") else 8 for p in points],
            "opacity": [1.0 if p.get("on_front") or p.get("recommended") else 0.6 for p in points],
            "symbol": SYMBOLS.get(family, "circle"),
            "color": f"var(--family-{family if family in SYMBOLS else 'hosted'})",
            "line": {"width": 1, "color": "var(--surface)"},
        },
        hovertemplate="%{text}<br>%{x:,.3~s} · %{y:,.3~s}<extra></extra>",
    )


def _halo(points: Sequence[Document]) -> Any:
    return go.Scatter(
        x=[p["x"] for p in points],
        y=[p["y"] for p in points],
        mode="markers+text",
        name="Recommended",
        text=["Recommended"] * len(points),
        textposition="top center",
        textfont={"color": "var(--accent)"},
        marker={
            "size": 22,
            "symbol": "circle-open",
            "color": "var(--accent)",
            "line": {"width": 2.5, "color": "var(--accent)"},
        },
        hoverinfo="skip",
    )


def cost_breakdown(lines: Sequence[Document]) -> dict[str, Any] | None:
    """Each cost line as a bar with its range, dearest first."""
    if not lines:
        return None
    ordered = sorted(lines, key=lambda each: each["usd"])
    money = shown().of_usd
    bars = go.Bar(
        x=[money(each["usd"]) for each in ordered],
        y=[plain_text(each["label"]) for each in ordered],
        orientation="h",
        marker={"color": "var(--chart-1)"},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [money(max(0.0, each["high"] - each["usd"])) for each in ordered],
            "arrayminus": [money(max(0.0, each["usd"] - each["low"])) for each in ordered],
            "thickness": 1.4,
            "width": 4,
            "color": "var(--ink)",
        },
        hovertemplate=f"%{{y}}<br>{shown().sign}%{{x:,.0f}}<extra></extra>",
    )
    return as_json(
        [bars],
        xaxis={
            "title": {"text": f"{shown().code} over the horizon"},
            "tickprefix": shown().sign,
            "rangemode": "tozero",
        },
        yaxis={"ticksuffix": "  "},
        bargap=0.35,
        showlegend=False,
    )


def plain_text(label: str) -> str:
    """A label without the few tags that the drawing library would read in it."""
    return label.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
