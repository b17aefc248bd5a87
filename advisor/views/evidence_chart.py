"""Predicted against measured as a figure, in Plotly's JSON without its default template."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from advisor.charts import FAMILY_LABELS, SYMBOLS
from advisor.engine.evidence.scores import Point


def predicted_against_measured(
    points: Sequence[Point], split: str, *, unit: str
) -> dict[str, Any] | None:
    """One mark for each point, a colour for each family, and the line where both agree."""
    known = [(p, g) for p in points if (g := p.guesses[split]) is not None]
    if not known:
        return None
    ends = [min(p.measured for p, _ in known), max(p.measured for p, _ in known)]
    traces: list[Any] = [
        go.Scatter(
            x=ends,
            y=ends,
            mode="lines",
            name="Prediction as measured",
            line={"color": "var(--chart-7)", "width": 1.5, "dash": "dot"},
            hoverinfo="skip",
        )
    ]
    for family in dict.fromkeys(p.row.family for p, _ in known):
        mine = [(p, g) for p, g in known if p.row.family == family]
        traces.append(
            go.Scatter(
                x=[p.measured for p, _ in mine],
                y=[float(f"{g.value:.4g}") for _, g in mine],
                text=[_text(p) for p, _ in mine],
                mode="markers",
                name=FAMILY_LABELS.get(family, family),
                marker={
                    "size": 7,
                    "opacity": 0.65,
                    "symbol": SYMBOLS.get(family, "circle"),
                    "color": f"var(--family-{family if family in SYMBOLS else 'hosted'})",
                },
                hovertemplate=(
                    "%{text}<br>measured %{x:,.3~s}, predicted %{y:,.3~s}<extra></extra>"
                ),
            )
        )
    figure = go.Figure(data=traces)
    axis = {"type": "log", "dtick": 1, "tickformat": "~s"}
    figure.update_layout(
        xaxis={"title": {"text": f"Measured, {unit}"}, **axis},
        yaxis={"title": {"text": f"Predicted without having seen it, {unit}"}, **axis},
        hovermode="closest",
    )
    drawn: dict[str, Any] = figure.to_plotly_json()
    drawn["layout"].pop("template", None)
    return drawn


def _text(point: Point) -> str:
    row = point.row
    count = f"{row.accelerator_count} x " if row.accelerator_count else ""
    words = f"{count}{row.accelerator}, {row.model}, {row.phase}<br>{row.source}"
    return (
        words.replace("&", "&amp;").replace("<br>", "\n").replace("<", "&lt;").replace("\n", "<br>")
    )
