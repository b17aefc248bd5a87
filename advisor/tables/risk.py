"""Tables of what is not sure: ranges of each way, what makes them, who is likely cheaper."""

import numpy as np
import pandas as pd

from advisor.engine.choice.assembly import PERFORMANCE_SOURCE
from advisor.engine.money.futures import DRAWS, TOO_CLOSE, too_close
from advisor.engine.plan import Plan
from advisor.services.money import Money
from advisor.tables.table import Table
from advisor.templatetags.quantities import number, percent, usd
from catalog.specs import Evidence
from costing.engine.chances import chance_cheapest, chances_cheaper, percentiles_usd

UNKNOWNS = {
    "load": "Load",
    "growth_per_month": "Growth of demand",
    "price_trend": "Prices of the market",
    "power_price": "Price of electricity",
    "failures": "Failures",
    "performance": "Speed of the machines",
    "price": "Price of this plan today",
}


def ranges(money: Money) -> Table:
    """P10, P50 and P90 of each way, and how often it is the cheapest."""
    low, middle, high = percentiles_usd(money.futures)
    known = np.flatnonzero(np.isfinite(money.futures).all(axis=0))
    best = np.full(len(money.ways), np.nan)
    if len(known):
        best[known] = chance_cheapest(money.futures[:, known])
    frame = pd.DataFrame(
        {
            "Way": [way.label for way in money.ways],
            "Plan": [way.name for way in money.ways],
            "P10, USD": low,
            "P50, USD": middle,
            "P90, USD": high,
            "Cheapest, chance": best,
        }
    )
    at = money.chosen
    return Table(
        name="ranges",
        title="How far the cost may be off",
        point="How far the cost may be off waits for a price."
        if money.is_open
        else f"In eight of ten futures {money.plan.name} costs between {usd(low[at])} and "
        f"{usd(high[at])}; the middle is {usd(middle[at])}.",
        frame=frame,
        note=f"{DRAWS:,} futures, drawn with a fixed seed and the same for all ways.",
    )


def tornado(money: Money) -> Table:
    """What one unknown at a time does to the plan's cost, and where its range comes from."""
    total = float(money.cost.total_usd[0])
    told = [_range_of(money, swing.name) for swing in money.swings]
    frame = pd.DataFrame(
        {
            "Unknown": [UNKNOWNS[swing.name] for swing in money.swings],
            "Low end": [each[0] for each in told],
            "High end": [each[1] for each in told],
            "At the low end, USD": [swing.low_usd for swing in money.swings],
            "At the high end, USD": [swing.high_usd for swing in money.swings],
            "Swing, USD": [abs(swing.high_usd - swing.low_usd) for swing in money.swings],
            "Known how": [each[2] for each in told],
            "Source": [each[3] for each in told],
        }
    )
    first = money.swings[0]
    swing = abs(first.high_usd - first.low_usd)
    share = f", {percent(swing / total)} of the total" if total else ""
    return Table(
        name="tornado",
        title="What matters most",
        point="What matters most waits for a price."
        if money.is_open
        else f"{UNKNOWNS[first.name]} matters most: between the ends of its range the cost moves "
        f"by {usd(swing)}{share}.",
        frame=frame,
    )


def _range_of(money: Money, name: str) -> tuple[str, str, str, str]:
    """The ends of an unknown's range in words, how well they are known, and who says so."""
    rates = money.rates
    if name == "price":
        return _range_of_price(money.plan)
    if name == "performance":
        return *_times(*money.plan.speed_range), Evidence.CALIBRATED.value, PERFORMANCE_SOURCE
    if name == "price_trend":
        fall, rise = rates["price_change/falling"], rates["price_change/rising"]
        ends = f"−{percent(fall.value)} a year", f"+{percent(rise.value)} a year"
        return *ends, rise.evidence.value, rise.source
    rate = rates["spread/growth" if name == "growth_per_month" else f"spread/{name}"]
    if name == "growth_per_month":
        now = money.rules.growth_per_month
        ends = f"{percent(now * rate.low)} a month", f"{percent(now * rate.high)} a month"
        return *ends, rate.evidence.value, rate.source
    return *_times(rate.low, rate.high), rate.evidence.value, rate.source


def _range_of_price(plan: Plan) -> tuple[str, str, str, str]:
    """The range of today's price, of two pools the wider one."""
    low = min(float(case.price_low_factor[0]) for case in plan.costed)
    high = max(float(case.price_high_factor[0]) for case in plan.costed)
    pools = plan.extra.get("pools")
    prices = [pool["price"] for pool in pools] if isinstance(pools, list) else [plan.price]
    evidence = ", ".join(
        dict.fromkeys(str(price.get("evidence") or Evidence.ASSUMED.value) for price in prices)
    )
    source = "; ".join(dict.fromkeys(str(price.get("source") or "unknown") for price in prices))
    return *_times(low, high), evidence, f"age and standing of the price: {source}"


def _times(low: float, high: float) -> tuple[str, str]:
    return f"× {number(low)}", f"× {number(high)}"


def chances(money: Money) -> Table:
    """How likely the way of the row costs less than that of the column."""
    found = chances_cheaper(money.futures)
    labels = [way.label for way in money.ways]
    frame = pd.DataFrame(
        {
            "Way": labels,
            **{f"Cheaper than {label}, chance": found[:, at] for at, label in enumerate(labels)},
        }
    )
    return Table(
        name="chances",
        title="Who is likely cheaper",
        point=_chances_point(found, labels, money.chosen),
        frame=frame,
        note="Share of the futures in which the way of the row costs less than that of the column. "
        f"Between {percent(TOO_CLOSE[0])} and {percent(TOO_CLOSE[1])} it is too close to call.",
    )


def _chances_point(found: np.ndarray, labels: list[str], chosen: int) -> str:
    rivals = [at for at in range(len(labels)) if at != chosen and np.isfinite(found[chosen, at])]
    if not rivals:
        return "There is no other way with a price to compare with."
    nearest = min(rivals, key=lambda at: abs(float(found[chosen, at]) - 0.5))
    chance = float(found[chosen, nearest])
    close = ": too close to call" if too_close(chance) else ""
    return (
        f"{labels[chosen]} costs less than {labels[nearest].lower()} in {percent(chance)} of the "
        f"futures{close}."
    )
