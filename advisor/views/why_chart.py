"""How far each input may move before another plan wins, as a figure in Plotly's JSON."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from advisor.views.documents import Document
from catalog.units import PERCENT


def flip_chart(flips: Sequence[Document]) -> dict[str, Any] | None:
    """A bar from each input's answer to its flip point, in percent of the answer."""
    shown = [each for each in flips if each["flips_at"] is not None and each["at"]]
    if not shown:
        return None
    ordered = list(reversed(shown))
    moves = [(each["flips_at"] / each["at"] - 1.0) / PERCENT for each in ordered]
    bars = go.Bar(
        x=moves,
        y=[_short(each["label"]) for each in ordered],
        orientation="h",
        marker={"color": ["var(--chart-2)" if move < 0.0 else "var(--chart-1)" for move in moves]},
        hovertemplate="%{y}<br>%{x:+.3~g} %<extra></extra>",
    )
    figure = go.Figure(data=[bars])
    figure.update_layout(
        xaxis={
            "title": {"text": "Change of the input at which another plan wins, %"},
            "ticksuffix": " %",
            "zeroline": True,
        },
        yaxis={"ticksuffix": "  "},
        bargap=0.4,
        showlegend=False,
    )
    drawn: dict[str, Any] = figure.to_plotly_json()
    drawn["layout"].pop("template", None)
    return drawn


MOST_LETTERS = 44


def _short(label: str) -> str:
    text = label if len(label) <= MOST_LETTERS else f"{label[: MOST_LETTERS - 1]}…"
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
