"""Charts of money, in Plotly's JSON: cash flow, crossings, ranges, tornado, carbon."""

from typing import Any

import numpy as np
import plotly.graph_objects as go

from advisor.charts import STRAIGHT_UP_TO, as_json, cost_breakdown
from advisor.engine.money.ways import Way
from advisor.services.money import Money
from advisor.services.shown import shown
from advisor.tables.risk import UNKNOWNS
from advisor.tables.ways import AXES, UNITS, here
from catalog.units import KILO, PERCENT
from costing.engine.chances import percentiles_usd

Drawn = dict[str, Any]
_COLOURS = {
    "rent": "var(--chart-1)",
    "commit": "var(--chart-3)",
    "own": "var(--chart-2)",
    "hybrid": "var(--chart-4)",
    "apart": "var(--chart-5)",
    "hosted": "var(--chart-7)",
}
_DASHES = {
    "rent": "solid", "commit": "dash", "own": "solid", "hybrid": "dashdot", "apart": "longdash",
    "hosted": "dot",
}  # fmt: skip


def _axis(title: str, **more: Any) -> dict[str, Any]:
    """An axis of money in the currency of the page."""
    text = f"{shown().code} {title}"
    return {"title": {"text": text}, "tickprefix": shown().sign, "tickformat": "~s", **more}


def _amounts(usd: Any) -> Any:
    """USD in the currency of the page, unknown ones left out."""
    values = np.asarray(usd, dtype=np.float64) / shown().usd_per_unit
    return [None if np.isnan(value) else float(value) for value in values]


def _colour(way: Way) -> str:
    return "var(--ink)" if way.is_extra else _COLOURS[way.kind]


def months(money: Money) -> Drawn:
    """What each month takes, capital and operating apart."""
    flow = money.flow
    x = list(range(1, money.rules.horizon_months + 1))
    bars = [
        go.Bar(
            x=x, y=_amounts(values), name=name, marker={"color": colour},
            hovertemplate=f"Month %{{x}}: {shown().sign}%{{y:,.0f}}<extra>{name}</extra>",
        )
        for name, values, colour in (
            ("Operating", flow.operating_usd[0], "var(--chart-1)"),
            ("Capital", flow.capital_usd[0], "var(--chart-2)"),
            ("Worth at the end", flow.residual_usd[0], "var(--chart-7)"),
        )
        if values.any()
    ]  # fmt: skip
    return as_json(
        bars, barmode="relative", bargap=0.15,
        xaxis={"title": {"text": "Month"}},
        yaxis=_axis("in the month", rangemode="tozero"),
    )  # fmt: skip


def paid_so_far(money: Money) -> Drawn:
    """What each way has taken by the end of each month."""
    running = money.side_by_side.added(np.cumsum(money.ways_flow.total_usd, axis=1).T)
    x = list(range(1, money.rules.horizon_months + 1))
    return as_json(
        _lines(money, x, running, "Month %{x}"),
        xaxis={"title": {"text": "Month"}},
        yaxis=_axis("paid so far", range=[0, _top(running)]),
        hovermode="x",
    )


def break_even(money: Money, axis: str) -> Drawn:
    """What each way costs along an axis, every crossing of the cheapest marked."""
    curve = money.curves[axis]
    price = "USD" in UNITS[axis]
    factor = PERCENT if axis == "utilisation" else shown().usd_per_unit if price else 1.0
    unit = "%" if axis == "utilisation" else ""
    x = (curve.x / factor).tolist()
    traces = _lines(money, x, curve.usd, f"%{{x:,.4~g}}{unit}")
    now = here(money, axis)
    if now is not None:
        traces.append(
            go.Scatter(
                x=[now / factor] * 2, y=[0.0, _top(curve.usd)], mode="lines", name="As answered",
                line={"color": "var(--line-strong)", "width": 1.5, "dash": "dot"},
                hoverinfo="skip",
            )
        )  # fmt: skip
    if curve.turns:
        at = np.array([turn.at for turn in curve.turns])
        usd = [float(np.interp(turn.at, curve.x, curve.usd[:, turn.after])) for turn in curve.turns]
        traces.append(
            go.Scatter(
                x=(at / factor).tolist(), y=_amounts(usd), mode="markers", name="Crossing",
                marker={
                    "size": 12, "symbol": "circle-open", "color": "var(--ink)",
                    "line": {"width": 2.5, "color": "var(--ink)"},
                },
                hovertemplate=f"Crossing at %{{x:,.4~g}}{unit}<extra></extra>",
            )
        )  # fmt: skip
    title = "% of the month's hours" if axis == "utilisation" else shown().unit(UNITS[axis])
    return as_json(
        traces,
        xaxis={"title": {"text": f"{AXES[axis]}, {title}"}},
        yaxis=_axis("over the horizon", range=[0, _top(curve.usd)]),
    )


def _top(usd: np.ndarray) -> float:
    """Where an axis ends: a way many times dearer than the others would flatten them."""
    known = usd[:, np.isfinite(usd).any(axis=0)]
    if not known.size:
        return 1.0
    highest = np.nanmax(known, axis=0)
    usd = 1.05 * min(np.nanmax(highest), 4.0 * np.nanmin(highest))
    return float(usd / shown().usd_per_unit)


def _lines(money: Money, x: list[Any], usd: np.ndarray, hover: str) -> list[Any]:
    return [
        go.Scatter(
            x=x,
            y=_amounts(usd[:, at]),
            mode="lines",
            name=way.label,
            line={
                "color": _colour(way),
                "dash": "solid" if way.is_extra else _DASHES[way.kind],
                "width": 3 if at == money.chosen else 2,
            },
            hovertemplate=f"{hover}: {shown().sign}%{{y:,.0f}}<extra>{way.label}</extra>",
        )
        for at, way in enumerate(money.ways)
    ]


def ranges(money: Money) -> Drawn:
    """P10 to P90 of each way, with the middle."""
    low, middle, high = percentiles_usd(money.futures)
    at = [place for place in range(len(money.ways))[::-1] if np.isfinite(middle[place])]
    spread = np.nanmax(high) / np.nanmin(low) if at else 1.0
    scale = {"type": "log", "dtick": "D2"} if spread > STRAIGHT_UP_TO else {"rangemode": "tozero"}
    marks = go.Scatter(
        x=_amounts(middle[at]),
        y=[money.ways[place].label for place in at],
        mode="markers",
        marker={"size": 12, "color": [_colour(money.ways[place]) for place in at]},
        error_x={
            "type": "data", "symmetric": False, "array": _amounts((high - middle)[at]),
            "arrayminus": _amounts((middle - low)[at]), "thickness": 2.5, "width": 8,
            "color": "var(--line-strong)",
        },
        hovertemplate=f"%{{y}}: P50 {shown().sign}%{{x:,.0f}}<extra></extra>",
    )  # fmt: skip
    return as_json(
        [marks], showlegend=False,
        xaxis=_axis("over the horizon, P10 to P90", **scale),
        yaxis={"ticksuffix": "  "},
    )  # fmt: skip


def tornado(money: Money) -> Drawn | None:
    """The cost with each unknown at the ends of its range, widest first."""
    total = float(money.cost.total_usd[0])
    swings = [each for each in money.swings if abs(each.high_usd - each.low_usd) > 0.0][::-1]
    if not swings:
        return None
    bars = [
        go.Bar(
            x=_amounts([getattr(each, end) - total for each in swings]),
            y=[UNKNOWNS[each.name] for each in swings],
            base=shown().of_usd(total),
            orientation="h",
            name=name,
            marker={"color": colour},
            customdata=_amounts([getattr(each, end) for each in swings]),
            hovertemplate=f"%{{y}}: {shown().sign}%{{customdata:,.0f}}<extra>{name}</extra>",
        )
        for end, name, colour in (
            ("low_usd", "Low end", "var(--chart-3)"),
            ("high_usd", "High end", "var(--chart-2)"),
        )
    ]
    return as_json(
        bars, barmode="overlay", bargap=0.35,
        xaxis=_axis("over the horizon"),
        yaxis={"ticksuffix": "  "},
    )  # fmt: skip


def drivers(money: Money) -> Drawn | None:
    """Each cost line as a bar with its range, dearest on top."""
    lines, low, high = money.cost.lines, money.cost.low_lines, money.cost.high_lines
    return cost_breakdown(
        [
            {
                "label": label,
                "usd": float(usd[0]),
                "low": float(low[label][0]),
                "high": float(high[label][0]),
            }
            for label, usd in lines.items()
            if usd[0] and np.isfinite(usd[0])
        ]
    )


def carbon(money: Money) -> Drawn | None:
    """Tonnes of each way whose emissions are known."""
    both, cost = money.side_by_side, money.ways_cost
    used, made = (
        both.added(np.where(rows > 0.0, rows, np.nan)) / KILO
        for rows in (cost.carbon_kg, cost.embodied_carbon_kg)
    )
    known = [at for at in range(len(money.ways))[::-1] if np.isfinite(used[at])]
    if not known:
        return None
    parts = [("Power in use", used, "var(--chart-1)")]
    if money.question.embodied_carbon:
        parts.append(("Making the machines", made, "var(--chart-7)"))
    bars = [
        go.Bar(
            x=tonnes[known].tolist(), y=[money.ways[at].label for at in known], orientation="h",
            name=name, marker={"color": colour},
            hovertemplate="%{y}: %{x:,.3~g} t<extra>" + name + "</extra>",
        )
        for name, tonnes, colour in parts
    ]  # fmt: skip
    return as_json(
        bars, barmode="stack", bargap=0.35,
        xaxis={"title": {"text": "t CO2e over the horizon"}}, yaxis={"ticksuffix": "  "},
    )  # fmt: skip
