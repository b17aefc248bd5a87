"""The money page of a run: cash flow, ways side by side, crossings, ranges, carbon; its files."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from advisor.engine.answers import InvalidAnswers
from advisor.exports.as_csv import safe_cell
from advisor.services import money as service
from advisor.services.money import LIMITS, Money, NothingToCost, Wishes, read_wishes
from advisor.tables import Table, money_tables
from advisor.tables.ways import AXES
from advisor.views import money_chart
from advisor.views.frames import shown
from advisor.views.sections import answered, section_context
from catalog.units import PERCENT

LABELS: Mapping[str, str] = {
    "horizon_months": "Horizon",
    "growth_month_pct": "Growth of demand",
    "discount_rate_pct": "Discount rate",
    "carbon_price": "Carbon price",
    "price_change_pct": "Change of prices",
}
UNREADABLE = 422
ACROSS = frozenset({"ways", "carbon"})  # few rows, of which much is told


@require_safe
@never_cache
def money(request: HttpRequest, run_id: UUID) -> HttpResponse:
    run = answered(request, run_id)
    context = section_context(run, "money")
    typed = request.GET.dict()
    try:
        found = service.money_of(run, read_wishes(typed))
    except NothingToCost as refusal:
        return render(request, "advisor/money.html", context | {"refusal": str(refusal)})
    except InvalidAnswers as invalid:
        context |= {"problems": [_named(each.pointer, each.message) for each in invalid.problems]}
        try:
            found = service.money_of(run, Wishes())
        except NothingToCost as refusal:
            context["refusal"] = str(refusal)
            return render(request, "advisor/money.html", context, status=UNREADABLE)
        context |= _context(found, run.pk, typed)
        return render(request, "advisor/money.html", context, status=UNREADABLE)
    return render(request, "advisor/money.html", context | _context(found, run.pk, typed))


@require_safe
def money_csv(request: HttpRequest, run_id: UUID, table: str) -> HttpResponse:
    run = answered(request, run_id)
    try:
        found = service.money_of(run, read_wishes(request.GET.dict()))
    except (NothingToCost, InvalidAnswers) as refusal:
        text = f"{refusal}\n"
        return HttpResponse(text, content_type="text/plain; charset=utf-8", status=UNREADABLE)
    wanted = money_tables(found).get(table)
    if wanted is None:
        raise Http404
    name = f"money-{str(run.pk)[:8]}-{table}.csv"
    return HttpResponse(
        csv_of(wanted),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def csv_of(table: Table) -> str:
    """The table as CSV: machine numbers, unknown cells empty, no text a spreadsheet would run."""
    text: str = table.frame.map(safe_cell).to_csv(index=False, lineterminator="\r\n")
    return text


def _named(pointer: str, message: str) -> str:
    name = pointer.removeprefix("/")
    return f"{LABELS.get(name, name.capitalize())}: {message}"


def _context(found: Money, run_id: UUID, typed: Mapping[str, str]) -> dict[str, Any]:
    made = money_tables(found)
    tables = {name: shown(table, across=name in ACROSS) for name, table in made.items()}
    parts = _parts(found, tables)
    kept = {name: value for name, value in typed.items() if value}
    query = f"?{urlencode(kept)}" if kept else ""
    return {
        "money": found,
        "tables": tables,
        "summary": tables["summary"],
        "files": {name: reverse("money-csv", args=[run_id, name]) + query for name in tables},
        "fields": _fields(found, typed),
        "keys": _keys(found, made["summary"]),
        "changed": bool(kept),
        "parts": parts,
        "told": {tables["summary"].point, *(c["point"] for part in parts for c in part["charts"])},
    }


def _fields(found: Money, typed: Mapping[str, str]) -> list[dict[str, Any]]:
    """The what-if fields, each filled with what was typed, else with what was answered."""
    rules = found.rules
    now: Mapping[str, float | None] = {
        "horizon_months": rules.horizon_months,
        "growth_month_pct": rules.growth_per_month / PERCENT,
        "discount_rate_pct": rules.discount_rate / PERCENT,
        "carbon_price": rules.carbon_usd_per_tonne,
        "price_change_pct": found.wishes.price_change_pct,
    }
    return [
        {
            "name": name,
            "label": label,
            "unit": LIMITS[name][2],
            "value": typed.get(name) or ("" if now[name] is None else f"{now[name]:g}"),
        }
        for name, label in LABELS.items()
    ]


def _keys(found: Money, summary: Table) -> list[dict[str, Any]]:
    """The few figures that come first, as the table has them."""
    frame = summary.frame.set_index("Figure")
    wanted = [
        "Total over the horizon", "Net present value", "Mean month", "Total in 10,000 futures",
        *(f"Cost of a {unit.label}" for unit in found.units if unit.amount),
    ]  # fmt: skip
    rows = [(name, frame.loc[name]) for name in wanted if name in frame.index]
    return [
        {
            "label": "Middle of 10,000 futures" if "futures" in name else name,
            "usd": row["Value, USD"],
            "low": None if row.isna()["Low, USD"] else row["Low, USD"],
            "high": None if row.isna()["High, USD"] else row["High, USD"],
        }
        for name, row in rows[:7]
    ]


def _parts(found: Money, tables: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The page's parts in order: each with its charts and its tables."""
    axes = list(found.curves)
    return [
        _part("months", "Month by month", [
            tables[name] for name in ("cash-flow", "together") if name in tables
        ], [
            _chart("months-chart", "Each month", tables["cash-flow"].point,
                   money_chart.months(found)),
            _chart("paid-chart", "Paid so far", tables["ways"].point,
                   money_chart.paid_so_far(found)),
        ]),
        _part("drivers", "What drives the cost", [tables["drivers"]], [
            _chart("drivers-chart", "", tables["drivers"].point, money_chart.drivers(found),
                   bars=len(tables["drivers"].rows)),
        ]),
        _part("ways", "Cloud, own machines or a mix", [
            tables[name] for name in ("ways", "pools", "in-general") if name in tables
        ], []),
        _part("break-even", "Where the answer turns", [
            tables["break-even"], *(tables[f"curve-{axis.replace('_', '-')}"] for axis in axes)
        ], [
            _chart(f"chart-{axis}", AXES[axis], tables[f"curve-{axis.replace('_', '-')}"].point,
                   money_chart.break_even(found, axis))
            for axis in axes if len(found.ways) > 1
        ]),
        _part("scenarios", "If prices move", [tables["scenarios"]], []),
        _part("uncertainty", "How sure the cost is", [
            tables["ranges"], tables["tornado"], tables["chances"]
        ], [
            _chart("ranges-chart", "Ranges", tables["ranges"].point, money_chart.ranges(found),
                   bars=len(found.ways)),
            _chart("tornado-chart", "What matters most", tables["tornado"].point,
                   money_chart.tornado(found), bars=len(tables["tornado"].rows)),
        ]),
        _part("carbon", "Energy and carbon", [tables["carbon"]], [
            _chart("carbon-chart", "", tables["carbon"].point, money_chart.carbon(found),
                   bars=len(found.ways)),
        ]),
    ]  # fmt: skip


def _part(name: str, title: str, tables: list[Any], charts: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": name,
        "title": title,
        "tables": tables,
        "charts": [chart for chart in charts if chart["figure"]],
    }


def _chart(
    name: str, title: str, point: str, figure: dict[str, Any] | None, *, bars: int = 0
) -> dict[str, Any]:
    return {"id": name, "title": title, "point": point, "figure": figure, "bars": bars}
