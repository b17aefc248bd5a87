"""Price history as a figure, in Plotly's JSON without its default template."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Protocol

import plotly.graph_objects as go

SHADES = {
    "on_demand": ("var(--chart-1)", "circle"),
    "spot": ("var(--chart-2)", "diamond"),
    "reserved_1y": ("var(--chart-3)", "square"),
    "reserved_3y": ("var(--chart-4)", "triangle-up"),
    "capacity_block": ("var(--chart-5)", "pentagon"),
}
TRACE_TYPES = frozenset({"scatter"})


class Priced(Protocol):
    """A price at a day."""

    @property
    def purchase(self) -> str: ...
    @property
    def provider(self) -> str: ...
    @property
    def observed(self) -> date: ...
    @property
    def usd_per_accelerator_h(self) -> float | None: ...


def price_history(lines: Sequence[Priced]) -> dict[str, Any] | None:
    """USD per accelerator-hour over the day it was read, one colour and mark for each purchase."""
    rents = [line for line in lines if line.usd_per_accelerator_h is not None]
    if not rents:
        return None
    figure = go.Figure()
    for purchase, (colour, symbol) in SHADES.items():
        mine = [line for line in rents if line.purchase == purchase]
        if mine:
            figure.add_trace(
                go.Scatter(
                    x=[line.observed.isoformat() for line in mine],
                    y=[line.usd_per_accelerator_h for line in mine],
                    text=[line.provider for line in mine],
                    mode="markers",
                    name=purchase.replace("_", " ").capitalize(),
                    marker={"color": colour, "symbol": symbol, "size": 9, "opacity": 0.85},
                    hovertemplate="%{text}<br>%{x|%-d %b %Y}: $%{y:.2f}<extra></extra>",
                )
            )
    figure.update_layout(
        xaxis={"title": {"text": "Day the price was read"}, "type": "date"},
        yaxis={
            "title": {"text": "USD for an accelerator-hour"},
            "rangemode": "tozero",
            "tickprefix": "$",
        },
        showlegend=True,
    )
    drawn: dict[str, Any] = figure.to_plotly_json()
    drawn["layout"].pop("template", None)
    return drawn
