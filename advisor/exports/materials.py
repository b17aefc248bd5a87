"""The bill of materials of a plan: what to order, how much of it, at which price."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from advisor.engine.search.placement import sold_by_the_chip
from advisor.exports.cash_flow import CashFlow
from advisor.exports.subject import Chosen, Document
from catalog.specs import Purchase
from catalog.units import MEGA, MONTHS_PER_YEAR
from costing.engine import tco
from costing.engine.rates import Rate

QUOTE = "get a quote"
_RENTED = "Power, cooling, racks, network and repair are in the provider's price."
_PAID_OVER = "over the horizon"


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """One line of the bill: without a price it waits for a quote or is part of another line."""

    group: str
    item: str
    quantity: float | None
    unit: str
    usd_each: float | None = None
    price: str = ""  # what stands in place of a price
    note: str = ""
    evidence: str = ""
    source: str = ""


def materials_of(chosen: Chosen, flow: CashFlow) -> list[Material]:
    """The lines for one plan; those with a price add up to its cost lines."""
    if chosen.row is None:
        return _hosted(chosen, flow)
    if chosen.offer.purchase in (Purchase.BUY, Purchase.QUOTE):
        return [*_bought(chosen, flow), *_around(chosen, flow), *_service(chosen, flow)]
    return _rented(chosen, flow)


def fleet_materials(plan: Document) -> list[Material]:
    """What a fleet consists of; its cost lines stand with the plan."""
    return [
        Material(
            group="Systems",
            item=f"{item['what']}, {item['provider']} {item['region']}".strip(", "),
            quantity=item["count"],
            unit="machine",
            price="in the cost lines" if item["usd_per_month"] is not None else QUOTE,
            note=f"for {item['workload']}, {item['purchase']}",
        )
        for item in plan["fleet"]
    ]


def _line(chosen: Chosen, label: str) -> dict[str, Any]:
    found = [line for line in chosen.plan["cost_breakdown"] if line["label"] == label]
    return found[0] if found else {}


def _known(value: float) -> float | None:
    return value if isfinite(value) else None


def _of_line(
    chosen: Chosen, label: str, *, group: str, item: str, quantity: float, unit: str, note: str = ""
) -> list[Material]:
    """A cost line as a line of the bill; nothing where the plan has no such cost."""
    line = _line(chosen, label)
    if not line or quantity <= 0.0:
        return []
    return [
        Material(
            group=group, item=item, quantity=quantity, unit=unit, usd_each=line["usd"] / quantity,
            note=note, evidence=line["evidence"], source=line["source"],
        )
    ]  # fmt: skip


def _bought(chosen: Chosen, flow: CashFlow) -> list[Material]:
    paid = flow.per_price[tco.HARDWARE] * flow.usd_per_instance * (1.0 - flow.discount_fraction)
    offered = chosen.plan["price"]
    first, later = float(flow.bought[0]), float(flow.bought[1:].sum())
    name = chosen.system.name if chosen.system else chosen.offer.instance_type
    months = [str(month + 1) for month in range(1, flow.months) if flow.bought[month] > 0.0]

    def systems(item: str, quantity: float, usd: float, note: str) -> Material:
        each = _known(usd / quantity)
        return Material(
            group="Systems", item=item, quantity=quantity, unit="system", usd_each=each,
            price="" if each is not None else QUOTE, note=note,
            evidence=offered["evidence"] if each is not None else "", source=offered["source"],
        )  # fmt: skip

    lines = [systems(name, first, float(paid[0]), "at go-live")]
    if later > 0.0:
        note = f"as demand grows, in month {', '.join(months)}"
        lines.append(systems(name, later, float(paid[1:].sum()), note))
    lines.append(
        Material(
            group="Systems",
            item=chosen.part.name,
            quantity=chosen.plan["accelerator_count"],
            unit="accelerator",
            price="inside the systems",
            note="at go-live",
        )
    )
    return lines


def _around(chosen: Chosen, flow: CashFlow) -> list[Material]:
    """What stands around the systems: cabling, network, power, rack units, cooling."""
    count = float(flow.bought.sum())
    each = float(chosen.plan["accelerator_count"]) / max(float(chosen.plan["system_count"]), 1.0)
    system = chosen.system
    units = system.rack_units if system is not None else None
    power_kw = chosen.plan["power_kw"]["value"]
    lines = _of_line(
        chosen, tco.FABRIC, group="Network", item="Fabric: switches, cables and optics",
        quantity=each * count, unit="accelerator",
    ) or [_quoted("Network", "Switches and cables to your own network", None, "set",
                  "the plan needs no fabric between its machines")]  # fmt: skip
    lines += _of_line(
        chosen, tco.INSTALLATION, group="Cabling", quantity=count, unit="system",
        item="Cabling, optics, rack switches, freight and installation",
    )  # fmt: skip
    lines.append(
        Material(
            group="Space", item="Rack units", unit="U",
            quantity=None if units is None else units * float(chosen.plan["system_count"]),
            price="no purchase", note="at go-live" if units else "the maker publishes none: ask",
            source=system.source if system is not None and units else "",
        )
    )  # fmt: skip
    lines.append(
        Material(
            group="Power", item="Power to provide at full load", quantity=power_kw, unit="kW",
            price="no purchase", evidence=chosen.plan["power_kw"]["evidence"],
            source=chosen.plan["power_kw"]["source"],
            note="" if power_kw else "the maker publishes none: ask",
        )
    )  # fmt: skip
    lines.append(_quoted("Power", "Distribution: rack PDUs, breakers, connectors", None, "set", ""))
    months = float(flow.months)
    lines += _of_line(chosen, tco.POWER, group="Power", item="Electricity of the systems",
                      quantity=months, unit="month", note=_PAID_OVER)  # fmt: skip
    lines += _of_line(chosen, tco.COOLING, group="Power", item="Electricity of cooling and losses",
                      quantity=months, unit="month", note=_PAID_OVER)  # fmt: skip
    lines += _of_line(chosen, tco.LIQUID, group="Cooling", item="Liquid cooling of the room",
                      quantity=count, unit="system")  # fmt: skip
    return lines + _of_line(
        chosen, tco.SPACE, group="Space", item="Colocation or own space",
        quantity=months, unit="month", note=_PAID_OVER,
    )  # fmt: skip


def _service(chosen: Chosen, flow: CashFlow) -> list[Material]:
    """Spares, support and licences."""
    years = flow.months / MONTHS_PER_YEAR
    spares: Rate | None = chosen.priced.rates.get("spares")
    note = "" if spares is None else f"usual: {spares.value:.0%} of the price; {spares.note}"
    lines = [
        _quoted("Spares", "Spare parts in stock", None, "set", note,
                source="" if spares is None else spares.source)
    ]  # fmt: skip
    support = _of_line(chosen, tco.SUPPORT, group="Support", item="Hardware support contract",
                       quantity=years, unit="year")  # fmt: skip
    lines += support or [_quoted("Support", "Hardware support contract", years, "year", "")]
    for label, item in (
        (tco.SOFTWARE, "Software licences"), (tco.FINANCING, "Interest of loan or lease"),
        (tco.DECOMMISSION, "Decommissioning"),
    ):  # fmt: skip
        lines += _of_line(
            chosen, label, group="Service", item=item, quantity=years, unit="year", note=_PAID_OVER
        )
    return lines


def _quoted(
    group: str, item: str, quantity: float | None, unit: str, note: str, *, source: str = ""
) -> Material:
    return Material(
        group=group, item=item, quantity=quantity, unit=unit, price=QUOTE, note=note, source=source
    )


def _rented(chosen: Chosen, flow: CashFlow) -> list[Material]:
    offer, plan = chosen.offer, chosen.plan
    hours = float(flow.held.sum()) * flow.hours_paid
    unit = "accelerator-hour" if sold_by_the_chip(offer) else "instance-hour"
    where = f"{plan['provider']} {plan['region']}".strip()
    lines = [
        Material(
            group="Systems", item=f"{offer.instance_type}, {where}",
            quantity=plan["system_count"], unit="instance at go-live",
            price="by the hour, next line", note=plan["purchase"],
        )
    ]  # fmt: skip
    lines += _of_line(chosen, tco.COMPUTE, group="Systems", item=f"Rent of {offer.instance_type}",
                      quantity=hours, unit=unit, note=_PAID_OVER)  # fmt: skip
    if not _line(chosen, tco.COMPUTE):
        lines.append(_quoted("Systems", f"Rent of {offer.instance_type}", hours, unit, _PAID_OVER))
    lines += _of_line(chosen, tco.TAIL, group="Systems", item="Commitment beyond the horizon",
                      quantity=1.0, unit="commitment")  # fmt: skip
    lines += _of_line(chosen, tco.SOFTWARE, group="Software", item="Software licences",
                      quantity=flow.months / MONTHS_PER_YEAR, unit="year")  # fmt: skip
    none: Sequence[tuple[str, str]] = (
        ("Network", "Cabling and network"), ("Power", "Power"), ("Space", "Rack units"),
        ("Spares", "Spares"), ("Support", "Hardware support"),
    )  # fmt: skip
    return lines + [
        Material(group=group, item=item, quantity=None, unit="", price="in the rent", note=_RENTED)
        for group, item in none
    ]


def _hosted(chosen: Chosen, flow: CashFlow) -> list[Material]:
    serving = chosen.workload.serving
    price, volume = chosen.plan["price"], float(flow.volume.sum())
    requests = (serving.requests_per_month if serving else 0.0) * volume
    fed = serving.input_tokens if serving else 0.0
    made = serving.output_tokens if serving else 0.0
    lines = _of_line(chosen, tco.TOKENS, group="Tokens", item=f"{chosen.offer.instance_type} API",
                     quantity=requests, unit="request", note=_PAID_OVER)  # fmt: skip
    for item, tokens, key in (
        ("Input tokens", fed, "usd_per_million_input_tokens"),
        ("Output tokens", made, "usd_per_million_output_tokens"),
    ):
        listed = price.get(key)
        lines.append(
            Material(
                group="Tokens", item=item, quantity=requests * tokens / MEGA, unit="million tokens",
                price="in the line above",
                note=f"listed at {listed:g} USD per million" if listed is not None else "",
                evidence=price["evidence"], source=price["source"],
            )
        )  # fmt: skip
    return lines
