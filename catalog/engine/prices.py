"""What tells offers apart, and when two price observations say the same."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from catalog.engine.tables import Record

OFFER_KEY = (
    "provider",
    "region",
    "instance_type",
    "accelerator",
    "accelerator_count",
    "system",
    "model",
    "purchase",
)
PRICE_COLUMNS = (
    "usd_per_h",
    "usd",
    "usd_per_million_input_tokens",
    "usd_per_million_output_tokens",
    "usd_per_million_cached_input_tokens",
    "low_usd",
    "high_usd",
)
OFFER_ATTRIBUTES = (
    "vcpus",
    "host_memory_gib",
    "max_quantity",
    "lead_time_weeks",
    "available_from",
)
SMALLEST = Decimal("0.000001")


def plain_number(value: Decimal | float | None) -> str:
    """A number without padding zeros, to a millionth: 8, 8.0 and 8.000000 are one."""
    if value is None:
        return ""
    exact = value if isinstance(value, Decimal) else Decimal(str(value))
    text = f"{exact.quantize(SMALLEST):f}"
    return text.rstrip("0").rstrip(".")


def offer_key(record: Mapping[str, Any]) -> str:
    """The text that tells an offer apart from all others."""
    return "|".join(
        plain_number(record[name]) if name == "accelerator_count" else str(record[name] or "")
        for name in OFFER_KEY
    )


def amounts_text(record: Mapping[str, Any]) -> str:
    """The figures of a price observation as one text, equal where they are equal."""
    return " ".join(
        f"{name}={plain_number(record[name])}" for name in PRICE_COLUMNS if record[name] is not None
    )


def has_price(record: Mapping[str, Any]) -> bool:
    """Whether an observation says any figure."""
    return any(record[name] is not None for name in PRICE_COLUMNS)


def offer_attributes(records: Sequence[Record]) -> Record:
    """An offer's properties: of several rows about it, the last that says something counts."""
    found: Record = dict.fromkeys(OFFER_ATTRIBUTES)
    for record in records:
        found |= {n: record[n] for n in OFFER_ATTRIBUTES if record[n] is not None}
    return found
