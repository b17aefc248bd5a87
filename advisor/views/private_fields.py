"""The fields of a quote and of a price of one's own, as their forms ask for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from catalog.engine.tables import Table
from catalog.specs import Purchase
from costing.engine.bids import ITEMS, PRICE_PER, PURCHASES
from costing.engine.own_prices import WHAT

PURCHASE_LABELS: Mapping[str, str] = {
    "buy": "Bought",
    "on_demand": "Rented by the hour",
    "reserved_1y": "Reserved for 1 year, renewed in years",
    "reserved_3y": "Reserved for 3 years, renewed likewise",
    "capacity_block": "Capacity block, in whole days",
    "spot": "Spot, may be taken away",
    "hosted_tokens": "Hosted, by the token",
    "quote": "By quote",
}
PER_LABELS: Mapping[str, str] = {
    "system": "a system, bought",
    "system_hour": "a system and hour",
    "system_month": "a system and month",
    "accelerator_hour": "an accelerator and hour",
}
ITEM_LABELS: Mapping[str, str] = {
    "network": "Network between machines",
    "installation": "Freight, racks, installation",
    "liquid_cooling": "Liquid cooling of the room",
    "power": "Electricity",
    "cooling": "Cooling",
    "space": "Space",
    "support": "Support",
    "software": "Software licences",
    "storage": "Storage",
    "egress": "Data transfer out",
    "monitoring": "Monitoring",
    "decommissioning": "Taking out at the end",
}
WHAT_LABELS: Mapping[str, str] = {
    "accelerator_hour": "An hour of one accelerator",
    "system_hour": "An hour of a whole machine",
    "system": "A machine, bought",
    "discount": "Percent off the price",
    "input_tokens": "A million input tokens",
    "cached_input_tokens": "A million cached input tokens",
    "output_tokens": "A million output tokens",
    "rate": "A rate of the cost model",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One field: a column of the file with words for people."""

    column: str
    label: str
    help: str = ""
    unit: str = ""
    options: Sequence[tuple[str, str]] = ()
    many: bool = False
    listed: str = ""  # id of the list of suggestions
    is_date: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Fields that belong together."""

    title: str
    fields: tuple[Asked, ...]


def _options(ids: Sequence[str], labels: Mapping[str, str], *, none: str = "") -> Any:
    return (*([("", none)] if none else ()), *((each, labels[each]) for each in ids))


BID_GROUPS = (
    Group(
        title="Who offers what",
        fields=(
            Asked(column="vendor", label="Vendor"),
            Asked(column="reference", label="Quote", help="Its number or title."),
            Asked(
                column="purchase", label="How is it sold?",
                options=_options([str(p) for p in PURCHASES], PURCHASE_LABELS),
            ),
            Asked(
                column="system", label="System", listed="systems",
                help="As the catalogue calls it. Empty: name accelerator and number below.",
            ),
            Asked(column="accelerator", label="Accelerator", listed="accelerators"),
            Asked(
                column="accelerators_per_system", label="Accelerators in one system",
                help="Empty: as the catalogue says of the system.",
            ),
            Asked(
                column="quantity", label="Systems offered",
                help="The most you may take at this price. Empty: any number.",
            ),
            Asked(column="country", label="Country", help="Where rented machines stand: DE, US."),
        ),
    ),
    Group(
        title="Price and dates",
        fields=(
            Asked(column="price", label="Price"),
            Asked(column="currency", label="Currency", listed="currencies"),
            Asked(column="price_per", label="Price of", options=_options(PRICE_PER, PER_LABELS)),
            Asked(
                column="received_on", label="Received", is_date=True,
                help="Empty: today.",
            ),
            Asked(
                column="valid_until", label="Valid until", is_date=True,
                help="After this day the quote can not win.",
            ),
            Asked(column="delivery_on", label="Delivered on", is_date=True),
        ),
    ),
    Group(
        title="Terms",
        fields=(
            Asked(column="prepaid_percent", label="Paid before use", unit="%"),
            Asked(
                column="minimum_months", label="Least term", unit="months",
                help="Paid whether used or not.",
            ),
            Asked(column="minimum_quantity", label="Least quantity", unit="systems"),
            Asked(column="price_lock_months", label="Price is fixed for", unit="months"),
            Asked(
                column="sla_credit_percent", label="Credit when availability is missed",
                unit="% of the month",
            ),
            Asked(column="termination_fee", label="Fee for ending early", help="In the currency."),
            Asked(
                column="termination_percent", label="And of the payments still to come", unit="%"
            ),
            Asked(
                column="support_percent_year", label="Support", unit="% of the price a year",
                help="Empty: not stated; the rate of your answers counts.",
            ),
        ),
    ),
    Group(
        title="What the price covers",
        fields=(
            Asked(
                column="covers", label="In the price", many=True,
                help="What is not ticked is priced at the rates in force and shown as missing.",
                options=tuple((item, ITEM_LABELS[item]) for item in ITEMS),
            ),
            Asked(column="note", label="Note"),
        ),
    ),
)  # fmt: skip
PRICE_GROUPS = (
    Group(
        title="What it is a price of",
        fields=(
            Asked(column="what", label="Price of", options=_options(WHAT, WHAT_LABELS)),
            Asked(
                column="provider", label="Provider", listed="providers", help="Empty: all of them."
            ),
            Asked(
                column="accelerator", label="Accelerator", listed="accelerators",
                help="Empty: all of them.",
            ),
            Asked(
                column="machine", label="Machine", help="As the provider spells it: p5.48xlarge."
            ),
            Asked(column="region", label="Region", help="As the provider spells it."),
            Asked(
                column="purchase", label="Bought how",
                options=_options([str(p) for p in Purchase], PURCHASE_LABELS, none="In any way"),
            ),
            Asked(
                column="rate", label="Rate of the cost model", listed="rates",
                help="Only for a price of that kind, for example staff or porting/tpu.",
            ),
        ),
    ),
    Group(
        title="How much, and when",
        fields=(
            Asked(
                column="amount", label="Amount",
                help="In the currency; a discount in percent; a rate in its own unit.",
            ),
            Asked(column="currency", label="Currency", listed="currencies"),
            Asked(column="valid_from", label="Valid from", is_date=True),
            Asked(column="valid_until", label="Valid until", is_date=True),
            Asked(column="name", label="Name", help="In your words."),
            Asked(column="note", label="Note"),
        ),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A field with what stands in it, and what is wrong with that."""

    asked: Asked
    value: str
    required: bool
    problem: str = ""
    chosen: frozenset[str] = field(default_factory=frozenset)


def shown_groups(
    groups: Sequence[Group], table: Table, cells: Mapping[str, str], problems: Mapping[str, str]
) -> list[dict[str, Any]]:
    """The groups as the form's template needs them."""
    required = {column.name for column in table.columns if column.required}
    return [
        {
            "title": group.title,
            "fields": [
                Shown(
                    asked=asked,
                    value=cells.get(asked.column, ""),
                    required=asked.column in required,
                    problem=problems.get(asked.column, ""),
                    chosen=frozenset(filter(None, cells.get(asked.column, "").split("|"))),
                )
                for asked in group.fields
            ],
        }
        for group in groups
    ]
