"""The files that quotes and prices of one's own are typed or sent as, checked cell by cell."""

from catalog.engine.tables import (
    Record,
    Table,
    amount,
    choice,
    day,
    number,
    text,
    whole,
    words,
)
from catalog.specs import Purchase
from costing.engine.bids import ITEMS, PRICE_PER, PURCHASES
from costing.engine.own_prices import WHAT

_WHOLE = 100
PERCENTS = {
    "prepaid_percent": "prepaid_fraction",
    "sla_credit_percent": "sla_credit_fraction",
    "termination_percent": "termination_fraction",
    "support_percent_year": "support_fraction_per_year",
}
"""Columns in percent, with the fraction each is kept as."""


def _bid_problem(record: Record) -> str | None:
    for name in PERCENTS:
        if record[name] is not None and record[name] > _WHOLE:
            return f"{name}: {record[name]} is more than 100 percent"
    if not record["accelerator"] and not record["system"]:
        return "accelerator: name the accelerator or the system"
    if (record["purchase"] == Purchase.BUY) != (record["price_per"] == "system"):
        return "price_per: a purchase is priced by the system, rent by the hour or month"
    begun, ended = record["received_on"], record["valid_until"]
    if begun and ended and ended < begun:
        return f"valid_until: {ended} is before the quote was received on {begun}"
    unknown = [item for item in record["covers"] if item not in ITEMS]
    if unknown:
        return f"covers: {', '.join(unknown)} is none of {', '.join(ITEMS)}"
    least, most = record["minimum_quantity"], record["quantity"]
    if least is not None and most is not None and least > most:
        return f"minimum_quantity: {least} are more than the {most} offered"
    return None


BIDS = Table(
    name="bids",
    columns=(
        *text("vendor", required=True),
        *text("reference"),
        *choice("purchase", [str(kind) for kind in PURCHASES], required=True),
        *text("accelerator", "system"),
        *number("accelerators_per_system"),
        *whole("quantity"),
        *number("price", required=True),
        *choice("price_per", PRICE_PER, required=True),
        *text("currency", required=True),
        *day("received_on", "valid_until", "delivery_on"),
        *text("country"),
        *amount("prepaid_percent", "minimum_months"),
        *whole("minimum_quantity"),
        *amount("price_lock_months", "sla_credit_percent", "termination_fee"),
        *amount("termination_percent", "support_percent_year"),
        *words("covers"),
        *text("note"),
    ),
    key=("vendor", "reference"),
    problem=_bid_problem,
)


def _price_problem(record: Record) -> str | None:
    if record["amount"] is None:
        return "amount: is missing"
    if record["what"] == "rate" and not record["rate"]:
        return "rate: name the rate of the cost model that this replaces"
    if record["what"] != "rate" and record["rate"]:
        return "rate: only a price of the kind “rate” replaces a rate"
    if record["what"] == "discount" and record["amount"] > _WHOLE:
        return f"amount: a discount of {record['amount']} percent is more than all"
    if record["what"] not in ("rate", "discount") and not record["currency"]:
        return "currency: is missing"
    begun, ended = record["valid_from"], record["valid_until"]
    if begun and ended and ended < begun:
        return f"valid_until: {ended} is before {begun}"
    return None


OWN_PRICES = Table(
    name="own_prices",
    columns=(
        *choice("what", WHAT, required=True),
        *text("provider", "accelerator", "machine", "region"),
        *choice("purchase", [str(kind) for kind in Purchase]),
        *text("rate"),
        *amount("amount"),
        *text("currency"),
        *day("valid_from", "valid_until"),
        *text("name", "note"),
    ),
    key=("what", "provider", "accelerator", "machine", "region", "purchase", "rate",
         "valid_from"),
    problem=_price_problem,
)  # fmt: skip
"""Discounts are in percent; rates in the unit of the rate; all else in the currency."""
