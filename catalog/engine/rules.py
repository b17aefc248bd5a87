"""What must hold between the cells of one row, said before the database would refuse it."""

from decimal import Decimal
from typing import Any

from catalog.engine.prices import has_price
from catalog.engine.tables import Record
from catalog.specs import Purchase

YEARS = (2000, 2100)
LATITUDE = Decimal(90)
LONGITUDE = Decimal(180)


def _above(record: Record, less: str, more: str) -> str | None:
    low, high = record[less], record[more]
    if low is not None and high is not None and low > high:
        return f"{less} {low} is above {more} {high}"
    return None


def _outside(record: Record, name: str, low: Any, high: Any) -> str | None:
    value = record[name]
    if value is not None and not low <= value <= high:
        return f"{name} {value} is not from {low} to {high}"
    return None


def accelerator_problem(record: Record) -> str | None:
    """Usable memory within the label, a sane year."""
    return _above(record, "usable_memory_gib", "memory_gib") or _outside(record, "year", *YEARS)


def model_problem(record: Record) -> str | None:
    """The active part within the whole, a share of layers between none and all."""
    return _above(record, "active_params_b", "total_params_b") or _outside(
        record, "full_attention_fraction", 0, 1
    )


def region_problem(record: Record) -> str | None:
    """A place on the globe, named after its provider."""
    if record["slug"] != f"{record['provider']}/{record['code']}":
        return f"slug must be provider/code: {record['provider']}/{record['code']}"
    return _outside(record, "latitude", -LATITUDE, LATITUDE) or _outside(
        record, "longitude", -LONGITUDE, LONGITUDE
    )


def offer_problem(record: Record) -> str | None:
    """Something is offered, at a price unless it is by quote; days and spans run forward."""
    if not (record["accelerator"] or record["system"] or record["model"]):
        return "names neither an accelerator nor a system nor a model"
    if record["accelerator"] and record["accelerator_count"] is None:
        return "accelerator_count is missing"
    by_quote = record["purchase"] == Purchase.QUOTE
    if not by_quote and not has_price(record):
        return "a price is missing (where none is public, purchase is quote)"
    if by_quote and has_price(record):
        return "has a price although purchase is quote"
    if by_quote and record["observed_first"] != record["observed_last"]:
        return "an offer by quote is seen on one day: observed_first is observed_last"
    return _above(record, "observed_first", "observed_last") or _above(
        record, "low_usd", "high_usd"
    )


def training_problem(record: Record) -> str | None:
    """A share of the peak is at most one."""
    return _outside(record, "mfu", 0, 1)
