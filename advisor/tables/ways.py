"""Tables of ways side by side: cloud, own machines, a mix; where the cheapest turns; carbon."""

import numpy as np
import pandas as pd

from advisor.engine.money.ways import (
    KINDS,
    OWN,
    Way,
    elasticity,
    purchases,
    weeks_to_capacity,
)
from advisor.services.money import Money
from advisor.tables.table import Table
from advisor.templatetags.quantities import number, percent, purchase, usd
from catalog.units import KILO, MEGA
from costing.engine.breakeven import Curve
from costing.engine.quantities import growth_path

UNITS = {
    "horizon": "months",
    "utilisation": "share of hours",
    "rent_price": "USD per accelerator-hour",
    "commit_price": "USD per accelerator-hour",
    "purchase_price": "USD per machine",
}
AXES = {
    "horizon": "Horizon",
    "utilisation": "Utilisation",
    "rent_price": "Rent by the hour",
    "commit_price": "Committed rent",
    "purchase_price": "Purchase price",
}


def side_by_side(money: Money) -> Table:
    """Each way with its plan: cost, elasticity, time to capacity, law, latency, kinds of money."""
    both, flow = money.side_by_side, money.ways_flow
    totals = both.added(money.ways_cost.total_usd)
    capital = both.added(flow.capital_usd.sum(axis=1))
    operating = both.added(flow.operating_usd.sum(axis=1))
    present = both.added(flow.present_usd)
    interrupted = money.rates["spot/interrupted_per_month"].value
    own, block = money.rates["lead_time/own"], money.rates["lead_time/capacity_block"]
    weeks = [
        weeks_to_capacity(way, own=(own.low, own.high), block_weeks=block.value)
        for way in money.ways
    ]
    frame = pd.DataFrame(
        {
            "Way": [way.label for way in money.ways],
            "Plan": [way.name for way in money.ways],
            "Total, USD": totals,
            "Value today, USD": present,
            "Capital, USD": capital,
            "Operating, USD": operating,
            "Elasticity": [
                elasticity(way, interrupted_per_month=interrupted) for way in money.ways
            ],
            "Time to capacity from, weeks": [low for low, _, _ in weeks],
            "Time to capacity to, weeks": [high for _, high, _ in weeks],
            "Time to capacity known how": [text for _, _, text in weeks],
            "Where data are": [_where(way, money) for way in money.ways],
            "Recorded programmes": [_programmes(way) for way in money.ways],
            "First token p99, s": [_seconds(way, "ttft_p99_s") for way in money.ways],
            "Whole answer p99, s": [_seconds(way, "e2e_p99_s") for way in money.ways],
            "May be recommended": [_blocked(way) or "yes" for way in money.ways],
        }
    )
    return Table(
        name="ways",
        title="Cloud, own machines or a mix",
        point=_cheapest_point(money, totals),
        frame=frame,
        note=" ".join(
            [
                f"You can wait {number(money.question.site.lead_time_max_weeks)} weeks.",
                *(f"{KINDS[kind]}: {why}" for kind, why in money.missing.items()),
            ]
        ),
    )


def of_pools(money: Money) -> Table:
    """The two pools of the plan, each rented by the hour, committed or owned, at one place."""
    months = money.rules.horizon_months
    frame = pd.DataFrame(
        {
            "Prefill pool": [purchase(each.prefill.value) for each in money.pools],
            "Decode pool": [purchase(each.decode.value) for each in money.pools],
            "Seller": [each.seller for each in money.pools],
            "Place": ["your site" if each.place == "on_prem" else each.place.split("/")[-1]
                      for each in money.pools],
            "Prefill, USD": [each.prefill_usd for each in money.pools],
            "Decode, USD": [each.decode_usd for each in money.pools],
            "Both, USD": [each.total_usd for each in money.pools],
            "Both, USD a month": [each.total_usd / months for each in money.pools],
        }
    )  # fmt: skip
    return Table(
        name="pools",
        title="Ways to buy the two pools",
        point=_pools_point(money),
        frame=frame,
        note="The same machines and replicas bought otherwise, each two ways at the place where "
        "they are cheapest together. Both pools stand at one place, since the cache goes between "
        "them; storage, people and traffic out are paid by the decode pool.",
    )


def _pools_point(money: Money) -> str:
    if not money.pools:
        return "No price of both pools at one place is known."
    best = money.pools[0]
    text = (
        f"Cheapest over {money.rules.horizon_months} months: prefill "
        f"{purchase(best.prefill.value)}, decode {purchase(best.decode.value)}, "
        f"{usd(best.prefill_usd)} + {usd(best.decode_usd)} = {usd(best.total_usd)}"
    )
    if len(money.pools) > 1:
        second = money.pools[1]
        ways = (purchase(second.prefill.value), purchase(second.decode.value))
        more = percent(second.total_usd / best.total_usd - 1.0)
        text += f"; prefill {ways[0]} and decode {ways[1]} costs {more} more"
    return f"{text}."


def _cheapest_point(money: Money, totals: np.ndarray) -> str:
    known = np.flatnonzero(np.isfinite(totals))
    if not len(known):
        return "No way has a price yet: get quotes."
    order = known[np.argsort(totals[known])]
    best = money.ways[int(order[0])]
    text = f"Cheapest over {money.rules.horizon_months} months: {best.label.lower()}, "
    text += f"{usd(totals[order[0]])}"
    if len(order) > 1:
        second = money.ways[int(order[1])]
        more = totals[order[1]] / totals[order[0]] - 1.0
        text += f"; {second.label.lower()} costs {percent(more)} more"
    return f"{text}."


def _where(way: Way, money: Money) -> str:
    places = [
        (money.question.site.country and f"your site, {money.question.site.country}")
        or "your site or colocation"
        if set(purchases(plan)) <= OWN
        else ", ".join(filter(None, (plan.provider, plan.region, plan.country)))
        for plan in way.row_plans
    ]
    return "; ".join(dict.fromkeys(places))


def _programmes(way: Way) -> str:
    named = []
    for plan in way.row_plans:
        if set(purchases(plan)) <= OWN:
            named.append("your own duty")
        else:
            recorded = plan.extra.get("compliance")
            names = ", ".join(recorded) if isinstance(recorded, list) else ""
            named.append(names or "none recorded")
    return "; ".join(dict.fromkeys(named))


def _seconds(way: Way, figure: str) -> float | None:
    known = [plan.value(figure) for plan in way.row_plans]
    return None if None in known else max(value for value in known if value is not None)


def _blocked(way: Way) -> str:
    reasons = [str(plan.extra.get("not_recommended_because") or "") for plan in way.row_plans]
    return next((reason for reason in reasons if reason), "")


def in_general() -> Table:
    """What speaks for which way, whatever the workload."""
    rows = [
        (
            "Cost", "as much as is used; dear when used all day", "cheap when used all day; paid "
            "for idle hours too", "the steady part cheap, the rest as it comes",
        ),
        (
            "Elasticity", "by the hour, where machines are free", "by whole machines, up only",
            "the base fixed, the rest by the hour",
        ),
        (
            "Time to capacity", "minutes to weeks", "weeks to a year, with room, power and cooling",
            "cloud first, own machines when they come",
        ),
        (
            "Compliance and residency", "the provider's programmes, in its regions",
            "full control of data and place", "sensitive data at home, the rest where it is cheap",
        ),
        (
            "Latency", "the internet's way to the region", "the own network, at or below a "
            "millisecond", "by where each request goes",
        ),
        (
            "Kind of money", "operating", "capital, then operating", "both",
        ),
        (
            "New hardware", "early, for rent", "at the next purchase", "early in the cloud part",
        ),
    ]  # fmt: skip
    return Table(
        name="in-general",
        title="In general",
        point="Cloud buys freedom, own machines buy price at high use, a mix keeps data at home "
        "and rents the growth.",
        frame=pd.DataFrame(rows, columns=["", "Cloud", "Own machines", "Mix"]),
        note="After “AI Infrastructure 2026: Machine Learning Servers Powering the AI Revolution” "
        "(AI 4U); delivery times as in the rates of the catalogue.",
    )


def break_even(money: Money) -> Table:
    """Every point along each axis past which another way is the cheapest."""
    rows: list[tuple[str, float | None, str, str, str, float | None, float, float]] = []
    for axis, curve in money.curves.items():
        names = [way.label for way in money.ways]
        now = here(money, axis)
        ends = float(curve.x[0]), float(curve.x[-1])
        rows += [
            (AXES[axis], turn.at, UNITS[axis], names[turn.before], names[turn.after], now, *ends)
            for turn in curve.turns
        ]
        if not curve.turns:
            rows.append((AXES[axis], None, UNITS[axis], _only(curve, names), "no turn", now, *ends))
    frame = pd.DataFrame(
        rows,
        columns=[
            "Axis", "Turns at", "Unit", "Cheapest before", "Cheapest after", "You are at",
            "Looked at from", "Looked at to",
        ],
    )  # fmt: skip
    turned = [AXES[axis].lower() for axis, curve in money.curves.items() if curve.turns]
    still = [AXES[axis].lower() for axis, curve in money.curves.items() if not curve.turns]
    parts = []
    if turned:
        parts.append(f"The cheapest way turns along: {', '.join(turned)}")
    if still:
        parts.append(f"it does not turn along: {', '.join(still)}")
    text = "; ".join(parts)
    return Table(
        name="break-even",
        title="Where the answer turns",
        point=f"{text[:1].upper()}{text[1:]}, in the ranges looked at.",
        frame=frame,
    )


def _only(curve: Curve, names: list[str]) -> str:
    known = np.where(np.isnan(curve.usd), np.inf, curve.usd)
    return names[int(np.argmin(known[0]))] if len(names) > 1 else f"{names[0]}, alone"


def here(money: Money, axis: str) -> float | None:
    """Where the plans as answered stand on an axis."""
    if axis == "horizon":
        return float(money.rules.horizon_months)
    if axis == "utilisation":
        return money.used
    way = money.way_of("own" if axis == "purchase_price" else axis.removesuffix("_price"))
    price = (
        way.cases.capex_usd_per_instance[0]
        if axis == "purchase_price"
        else way.cases.usd_per_h[0] / way.cases.accelerators_per_instance[0]
    )
    return float(price) if np.isfinite(price) else None


def _at(axis: str, x: float) -> str:
    if axis == "horizon":
        return f"{x:.0f} months" if x != 1.0 else "1 month"
    if axis == "utilisation":
        return f"{percent(x)} of the hours"
    return usd(x)


def turn_point(money: Money, axis: str) -> str:
    """One sentence on where the cheapest way turns along an axis, or that it does not."""
    curve = money.curves[axis]
    names = [way.label.lower() for way in money.ways]
    ends = f"from {_at(axis, float(curve.x[0]))} to {_at(axis, float(curve.x[-1]))}"
    if not curve.turns:
        who = _only(curve, names)
        return f"{who[:1].upper()}{who[1:]} is the cheapest all along, {ends}: no crossing."
    first = curve.turns[0]
    text = (
        f"Up to {_at(axis, first.at)} {names[first.before]} is the cheapest, past it "
        f"{names[first.after]}"
    )
    if axis == "horizon":
        text = (
            f"Below {_at(axis, first.at)} {names[first.before]} is the cheapest, from then on "
            f"{names[first.after]}"
        )
    if len(curve.turns) > 1:
        others = ", ".join(_at(axis, turn.at) for turn in curve.turns[1:6])
        more = len(curve.turns) - 6
        text += f"; it turns again at {others}{f' and {more} more times' if more > 0 else ''}"
    return f"{text}."


def curve(money: Money, axis: str) -> Table:
    """What each way costs along one axis: the figures of its chart."""
    found = money.curves[axis]
    frame = pd.DataFrame({f"{AXES[axis]}, {UNITS[axis]}": found.x})
    for at, way in enumerate(money.ways):
        frame[f"{way.label}, USD"] = found.usd[:, at]
    return Table(
        name=f"curve-{axis.replace('_', '-')}",
        title=f"Cost by {AXES[axis].lower()}",
        point=turn_point(money, axis),
        frame=frame,
    )


def carbon(money: Money) -> Table:
    """Energy and emissions of each way, in all, by month and by unit, with the price on them."""
    both, cost, months = money.side_by_side, money.ways_cost, money.rules.horizon_months
    # A way of which one part is unknown is unknown.
    kwh, used_kg, made_kg = (
        both.added(np.where(rows > 0.0, rows, np.nan))
        for rows in (cost.energy_kwh, cost.carbon_kg, cost.embodied_carbon_kg)
    )
    counted = used_kg + made_kg if money.question.embodied_carbon else used_kg
    tokens = _million_tokens(money)
    cap_t = money.question.money.carbon_cap_tonnes
    price = money.rules.carbon_usd_per_tonne
    frame = pd.DataFrame(
        {
            "Way": [way.label for way in money.ways],
            "Energy, kWh a month": kwh / months,
            "Energy, kWh": kwh,
            "Power in use, kg CO2e": used_kg,
            "Making the machines, kg CO2e": made_kg,
            "Counted, kg CO2e": counted,
            "Counted, kg CO2e a month": counted / months,
            "Energy, kWh per million tokens": kwh / tokens,
            "Counted, kg CO2e per million tokens": counted / tokens,
            "Carbon price paid, USD": used_kg * price / KILO,
        }
    )
    if cap_t is not None:
        frame["Cap"] = [
            "unknown"
            if np.isnan(kg)
            else f"within {number(cap_t)} t"
            if kg <= cap_t * KILO
            else f"above {number(cap_t)} t"
            for kg in counted
        ]
    return Table(
        name="carbon",
        title="Energy and carbon",
        point=_carbon_point(money, counted),
        frame=frame,
        note="Location-based: energy with cooling × the grid's mean. Making the machines: "
        f"{money.rates['embodied'].value:g} kg CO2e for each accelerator with its share of the "
        f"server ({money.rates['embodied'].source}), "
        + ("counted" if money.question.embodied_carbon else "not counted, as you answered")
        + ". Unknown where the maker publishes no power, the region no grid figure, or a provider "
        "no energy of its API. The carbon price is on the power in use.",
    )


def _million_tokens(money: Money) -> float:
    serving, training = money.workload.serving, money.workload.training
    if training is not None:
        return training.runs_per_month * money.rules.horizon_months * training.tokens / MEGA
    if serving is None or serving.output_tokens <= 0.0:
        return float("nan")
    grown = float(growth_path(money.rules).sum())
    return serving.requests_per_month * grown * serving.output_tokens / MEGA


def _carbon_point(money: Money, counted: np.ndarray) -> str:
    known = np.flatnonzero(np.isfinite(counted))
    if not len(known):
        return "No emissions are known: power or grid is unpublished."
    least = int(known[np.argmin(counted[known])])
    most = int(known[np.argmax(counted[known])])
    text = f"{money.ways[least].label} emits {number(counted[least] / KILO)} t CO2e"
    if most != least:
        text += (
            f", {money.ways[most].label.lower()} {number(counted[most] / counted[least])} times "
            "that"
        )
    return f"{text}."
