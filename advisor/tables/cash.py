"""Tables of one plan's money: what it costs, when it is paid, what drives it."""

from collections.abc import Mapping

import pandas as pd

from advisor.services.money import Money
from advisor.tables.table import Table
from advisor.templatetags.quantities import number, percent, usd
from catalog.specs import Evidence
from catalog.units import MONTHS_PER_YEAR
from costing.engine.drivers import DRIVERS, OTHER, by_driver
from costing.engine.tco import LABELS


def summary(money: Money) -> Table:
    """The plan's totals and its cost for each unit, with ranges."""
    cost, flow, months = money.cost, money.flow, money.rules.horizon_months
    total, low, high = (float(each[0]) for each in (cost.total_usd, cost.low_usd, cost.high_usd))
    p10, p50, p90 = _percentiles(money)
    rows: list[tuple[str, float, float | None, float | None, str]] = [
        ("Total over the horizon", total, low, high, "sum of the cost lines"),
        (
            "Net present value", float(flow.present_usd[0]), None, None,
            f"discounted at {percent(money.rules.discount_rate)} a year",
        ),
        ("Mean month", total / months, low / months, high / months, "total ÷ months"),
        ("First month", float(flow.total_usd[0, 0]), None, None, "cash flow"),
        ("Last month", float(flow.total_usd[0, -1]), None, None, "cash flow"),
        ("Capital", float(flow.capital_usd.sum()), None, None, "paid to acquire things"),
        ("Operating", float(flow.operating_usd.sum()), None, None, "all other payments"),
        (
            "Worth at the end", 0.0 - float(flow.residual_usd.sum()), None, None,
            "residual value, taken off the total",
        ),
        ("Total in 10,000 futures", p50, p10, p90, "P50, with P10 and P90"),
    ]  # fmt: skip
    for unit in money.units:
        parts = unit.amount or float("nan")
        how = unit.why_unknown or f"total ÷ {number(unit.amount)}"
        rows.append((f"Cost of a {unit.label}", total / parts, low / parts, high / parts, how))
    frame = pd.DataFrame(rows, columns=["Figure", "Value, USD", "Low, USD", "High, USD", "How"])
    return Table(
        name="summary",
        title="What it costs",
        point=_summary_point(money, total),
        frame=frame,
        note="Ranges are 80 % intervals of the cost lines; those of the futures also let load, "
        "growth and market prices vary.",
    )


def _summary_point(money: Money, total: float) -> str:
    months = money.rules.horizon_months
    if money.is_open:
        return f"{money.plan.name} has no public price: {_price_to_win(money)}"
    value = float(money.flow.present_usd[0])
    span = f"{months} month{'s' if months > 1 else ''}"
    return (
        f"{money.plan.name} costs {usd(total)} over {span}, worth {usd(value)} today at "
        f"{percent(money.rules.discount_rate)} a year."
    )


def _price_to_win(money: Money) -> str:
    """Up to which price an owned plan without one would be the cheapest."""
    found = money.curves.get("purchase_price")
    mine = [t for t in found.turns if t.before == money.chosen] if found else []
    if not mine:
        return "get a quote."
    return (
        f"it would be the cheapest below {usd(mine[-1].at)} a machine, so a quote above "
        "that does not help."
    )


def _percentiles(money: Money) -> tuple[float, float, float]:
    mine = pd.Series(money.futures[:, money.chosen])
    low, middle, high = mine.quantile([0.1, 0.5, 0.9])
    return float(low), float(middle), float(high)


def cash_flow(money: Money) -> Table:
    """Each month's payments line by line, to the cent."""
    flow = money.flow
    frame = pd.DataFrame({"Month": range(1, money.rules.horizon_months + 1)})
    frame["Machines"] = flow.instances[0]
    for label in LABELS:
        line = flow.lines[label][0]
        if line.any():
            frame[f"{label}, USD"] = line
    frame["Capital, USD"] = flow.capital_usd[0]
    frame["Operating, USD"] = flow.operating_usd[0]
    frame["Worth at the end, USD"] = flow.residual_usd[0] + 0.0  # no negative zero
    frame["Total, USD"] = flow.total_usd[0]
    frame["Paid so far, USD"] = flow.cumulative_usd[0]
    frame["Value today, USD"] = flow.discounted_usd[0].round(2)
    return Table(
        name="cash-flow",
        title="Month by month",
        point=_cash_point(money),
        frame=frame,
        note="Capital, operating and worth at the end add up to the total of the month, and the "
        "months to the total over the horizon, to the cent.",
        cents=True,
    )


def _cash_point(money: Money) -> str:
    flow = money.flow
    if money.is_open:
        return "The months wait for a price; the lines whose price is known are in the table."
    machines = flow.instances[0]
    first, last = float(flow.total_usd[0, 0]), float(flow.total_usd[0, -1])
    text = f"The first month takes {usd(first)}"
    if machines[-1] > machines[0]:
        added = int((machines[1:] > machines[:-1]).sum())
        text += (
            f"; demand then adds machines {added} time{'s' if added > 1 else ''}, from "
            f"{number(machines[0])} to {number(machines[-1])}, and the last month takes {usd(last)}"
        )
    elif len(machines) > 1:
        text += f", the last {usd(last)}"
    dearest = int(flow.total_usd[0].argmax()) + 1
    if flow.total_usd[0].max() > max(first, last):
        text += f"; the dearest is month {dearest}"
    return f"{text}."


def together(money: Money) -> Table:
    """Each month of each workload's recommended plan, and all of them in one column."""
    frame = pd.DataFrame({"Month": range(1, money.rules.horizon_months + 1)})
    totals = {plan.workload: flow.total_usd[0] for plan, flow in money.together}
    for workload, months in totals.items():
        frame[f"{workload}, USD"] = months
    frame["Total, USD"] = sum(totals.values()).round(2)
    present = sum(float(flow.present_usd[0]) for _, flow in money.together)
    return Table(
        name="together",
        title="All workloads",
        point=f"The recommended plans of all {len(totals)} workloads cost "
        f"{usd(frame['Total, USD'].sum())} together, worth {usd(present)} today.",
        frame=frame,
        note="Each workload on machines of its own; what sharing them saves is on the page of the "
        "fleet.",
        cents=True,
    )


def drivers(money: Money) -> Table:
    """Cost lines from the dearest down, with the group each belongs to."""
    lines = {label: float(line[0]) for label, line in money.cost.lines.items() if line[0]}
    total = float(money.cost.total_usd[0])
    known: Mapping[str, tuple[str, str]] = {
        line.label: (line.evidence, line.source) for line in money.plan.cost_breakdown
    }
    ordered = sorted(lines, key=lambda label: -lines[label])
    frame = pd.DataFrame(
        {
            "Cost line": ordered,
            "Driver": [DRIVERS.get(label, OTHER) for label in ordered],
            "Cost, USD": [lines[label] for label in ordered],
            "Share": [lines[label] / total for label in ordered],
            "Low, USD": [float(money.cost.low_lines[label][0]) for label in ordered],
            "High, USD": [float(money.cost.high_lines[label][0]) for label in ordered],
            "Known how": [known.get(label, (Evidence.ASSUMED.value, ""))[0] for label in ordered],
            "Source": [known.get(label, ("", "typed on this page"))[1] for label in ordered],
        }
    )
    groups = by_driver(lines)
    first = next(iter(groups), "")
    rest = ", ".join(f"{name.lower()} {percent(part / total)}" for name, part in groups.items())
    return Table(
        name="drivers",
        title="What drives the cost",
        point="What drives the cost waits for a price."
        if money.is_open
        else f"{first} drives the cost. Of the total: {rest}."
        if total
        else "It costs nothing.",
        frame=frame,
        cents=True,
    )


def scenarios(money: Money) -> Table:
    """The total of every way under every path of prices."""
    frame = pd.DataFrame(
        {
            "Prices": [path.label for path in money.scenarios.values()],
            **{
                f"{way.label}, USD": [
                    float(money.by_scenario[name][at]) for name in money.scenarios
                ]
                for at, way in enumerate(money.ways)
            },
            "Known how": [path.evidence.value for path in money.scenarios.values()],
            "Source": [path.source for path in money.scenarios.values()],
        }
    )
    winners = {
        name: money.ways[int(pd.Series(totals).argmin())].label
        for name, totals in money.by_scenario.items()
        if pd.Series(totals).notna().any()
    }
    distinct = list(dict.fromkeys(winners.values()))
    if len(distinct) == 1:
        point = f"{distinct[0]} stays the cheapest on every path of prices."
    else:
        told = "; ".join(
            f"{money.scenarios[name].label.lower()}: {way}" for name, way in winners.items()
        )
        point = f"The cheapest way depends on prices. {told[:1].upper()}{told[1:]}."
    return Table(
        name="scenarios",
        title="If prices move",
        point=point,
        frame=frame,
        note="No path is a forecast. Each starts from today's prices, and machines are bought or "
        f"rented when demand needs them; {MONTHS_PER_YEAR:g} months make a year.",
    )
