"""A result document as the answer page shows it."""

from collections.abc import Mapping, Sequence
from typing import Any

from advisor import charts
from advisor.charts import FAMILY_LABELS
from advisor.services.shown import show_in, shown
from advisor.templatetags.quantities import in_currency, percent, usd
from advisor.views.comparison import comparison
from advisor.views.documents import Document, by_workload, figure_of, known, plan_by_id
from advisor.views.tradeoffs import Choice, Table, has_tree, trade_offs

PICKS = (
    ("cheapest", "Cheapest"),
    ("fastest", "Fastest for the budget"),
    ("robust", "Most robust"),
    ("greenest", "Least carbon"),
    ("simplest", "Simplest to run"),
)
FIRST_REASONS = 4
LIMIT_LABELS: Mapping[str, str] = {
    "memory": "memory",
    "weights": "closed weights",
    "residency": "place",
    "distance": "distance to the users",
    "precision": "number format",
    "software": "software",
    "lifecycle": "end of life",
    "ttft": "first-token target",
    "tpot": "token-time target",
    "e2e": "whole-answer target",
    "deadline": "deadline",
    "price": "price",
    "budget": "budget",
}


def answer_context(document: Document, query: Mapping[str, str]) -> dict[str, Any]:
    """Everything the answer's templates need, from the one result document."""
    show_in(document.get("currency"))
    choice = Choice.read(query)
    best = document.get("recommendation")
    singles = by_workload(document["plans"])
    recommended = str(best["id"]) if best else ""
    tables = [
        trade_offs(plans, choice, recommended=recommended, workload=name, number=number)
        for number, (name, plans) in enumerate(singles.items(), start=1)
    ]
    return {
        "document": document,
        "best": best,
        "reasons": [
            in_currency(text)
            for text in dict.fromkeys([*document["why"], *(best["notes"] if best else ())])
        ],
        "keys": key_figures(best) if best else [],
        "picks": picks(document),
        "tables": tables,
        "choice": choice,
        "sorted_by": sorted_by(tables),
        "links": {
            "all_plans": choice.link(plans="" if choice.all_plans else "all"),
            "all_columns": choice.link(columns="" if choice.all_columns else "all"),
            "unsorted": choice.link(sort=""),
        },
        "comparison": comparison([p for group in singles.values() for p in group], choice),
        "paretos": pareto_figures(document),
        "cost": cost_figure(best),
        "why_not": why_not(document.get("rejected", ())),
        "fleet": fleet_lines(best),
    }


def sorted_by(tables: Sequence[Table]) -> str:
    """What a screen reader says once a table is sorted."""
    found = next((c for table in tables for c in table.columns if c.sorted), None)
    return f"Sorted by {found.label}, {found.sorted}." if found else ""


def key_figures(best: Document) -> list[dict[str, Any]]:
    """The few figures of the card: money first, then how fast, then how much it serves."""
    wanted: Sequence[tuple[str, str]]
    if best.get("kind") == "training":
        wanted = (
            ("total_cost_usd", "Total cost over the horizon"),
            ("hours", "Time of one run"),
            ("mfu", "Share of peak reached (MFU)"),
            ("power_kw", "Power"),
            ("monthly_cost_usd", "Cost a month"),
        )
    else:
        wanted = (
            ("monthly_cost_usd", "Cost a month"),
            ("ttft_p99_s", "First token, p99"),
            ("e2e_p99_s", "Whole answer, p99"),
            ("network_p95_s", "Way to your users, p95"),
            ("users_at_slo", "Users within the targets"),
            ("samples_per_s", "Samples"),
            ("power_kw", "Power"),
            ("total_cost_usd", "Total cost over the horizon"),
        )
    found = [
        {
            "label": label,
            "explains": key if has_tree(best, key) else "",
            "figure": figure_of(best, key),
            "open": known(figure_of(best, key)) is None,
        }
        for key, label in wanted
        if figure_of(best, key)
    ]
    return [each for place, each in enumerate(found) if place == 0 or not each["open"]][:5]


def picks(document: Document) -> list[dict[str, Any]]:
    """The plans that are cheapest, fastest, greenest or simplest, each named once."""
    best = document.get("recommendation") or {}
    labels: dict[str, list[str]] = {}
    for key, label in PICKS:
        plan_id = str((document.get("picks") or {}).get(key) or "")
        if plan_id:
            labels.setdefault(plan_id, []).append(label)
    found = [(plan_by_id(document, plan_id), names) for plan_id, names in labels.items()]
    return [
        {
            "label": ", ".join([names[0], *(name.lower() for name in names[1:])]),
            "plan": plan,
            "recommended": plan["id"] == best.get("id"),
        }
        for plan, names in found
        if plan is not None
    ]


def pareto_figures(document: Document) -> list[dict[str, Any]]:
    """For each workload the chart of cost against waiting, its finding and its table's rows."""
    chart = document.get("pareto") or {}
    workloads = {str(plan["id"]): str(plan.get("workload", "")) for plan in document["plans"]}
    groups: dict[str, list[Document]] = {}
    for point in chart.get("points", ()):
        groups.setdefault(workloads.get(str(point["plan_id"]), ""), []).append(_in_currency(point))
    return [
        found
        for number, (workload, points) in enumerate(groups.items(), start=1)
        if (found := _pareto_of(chart, points, workload, number)) is not None
    ]


def _in_currency(point: Document) -> Document:
    """A point of the chart with its cost in the currency of the page."""
    costs = {name: point.get(name) for name in ("x", "x_low", "x_high")}
    shown_costs = {
        name: None if usd is None else shown().of_usd(usd) for name, usd in costs.items()
    }
    return {**point, **shown_costs}


def _pareto_of(
    chart: Document, points: Sequence[Document], workload: str, number: int
) -> dict[str, Any] | None:
    drawn = charts.pareto({**chart, "points": points})
    if drawn is None:
        return None
    placed = charts.drawable(points)
    return {
        "id": f"pareto-{number}",
        "figure_id": f"pareto-figure-{number}",
        "workload": workload,
        "figure": drawn,
        "x_label": in_currency(chart["x_label"]),
        "y_label": chart["y_label"],
        "finding": _pareto_finding(placed, len(points) - len(placed)),
        "points": sorted(points, key=lambda p: (p.get("x") is None, p.get("x") or 0.0)),
    }


def _pareto_finding(points: Sequence[Document], left_out: int) -> str:
    front = [p for p in points if p.get("on_front")]
    one = len(front) == 1
    text = (
        f"Of {len(points)} plans with a price, {len(front)} {'is' if one else 'are'} not beaten on "
        "both cost and time by another."
    )
    best = next((p for p in points if p.get("recommended")), None)
    faster = min(front, key=lambda p: p["y"], default=None)
    if best and faster and faster["y"] < best["y"] and best["x"] > 0.0 and faster["x"] > best["x"]:
        less, more = percent(1.0 - faster["y"] / best["y"]), percent(faster["x"] / best["x"] - 1.0)
        text += (
            f" The fastest, {faster['label']}, takes {less} less time than the recommended plan "
            f"and costs {more} more."
        )
    if left_out:
        text += f" {left_out} more cannot be drawn, for want of a price or a time."
    return text


def cost_figure(best: Document | None) -> dict[str, Any] | None:
    """The recommended plan's cost lines as chart, table and one sentence."""
    lines = list(best.get("cost_breakdown") or ()) if best else []
    if not best or not lines:
        return None
    total = sum(line["usd"] for line in lines)
    dearest = max(lines, key=lambda line: line["usd"])
    share = percent(dearest["usd"] / total) if total else ""
    return {
        "figure": charts.cost_breakdown(lines),
        "lines": sorted(lines, key=lambda line: -line["usd"]),
        "total": total,
        "low": known(figure_of(best, "total_cost_usd"), "low"),
        "high": known(figure_of(best, "total_cost_usd"), "high"),
        "finding": f"{dearest['label']} is {share} of the total of {usd(total)}.",
    }


def why_not(rejected: Sequence[Document]) -> list[dict[str, Any]]:
    """What is not in the answer, grouped by family, the most frequent limit first."""
    groups: dict[str, list[Document]] = {}
    for each in rejected:
        groups.setdefault(str(each.get("family", "")), []).append(each)
    found = []
    for family, entries in groups.items():
        ordered = sorted(entries, key=lambda each: -int(each.get("count") or 1))
        labelled = [
            dict(each) | {"limit_label": _limit_label(str(each.get("limit", "")))}
            for each in ordered
        ]
        found.append(
            {
                "family": family,
                "label": FAMILY_LABELS.get(family, family or "All families"),
                "first": labelled[:FIRST_REASONS],
                "rest": labelled[FIRST_REASONS:],
            }
        )
    return sorted(found, key=lambda group: _family_order(str(group["family"])))


def _limit_label(limit: str) -> str:
    return LIMIT_LABELS.get(limit, limit.replace("_", " "))


def _family_order(family: str) -> int:
    known_families = list(FAMILY_LABELS)
    return known_families.index(family) if family in known_families else len(known_families)


def fleet_lines(best: Document | None) -> list[Document]:
    """The lines of a fleet that is more than one kind of machine."""
    lines = list(best.get("fleet") or ()) if best else []
    return lines if len(lines) > 1 else []
