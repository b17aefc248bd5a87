"""Prices that an answer itself states for all offers alike, in place of computed ones."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from catalog.units import GIGA, TERA
from costing.engine.cases import CostRules
from costing.engine.tco import EGRESS, MONITORING, PEOPLE, STORAGE

ACCELERATOR_HOUR = "usd_per_accelerator_h"
_RULES: Mapping[str, tuple[str, str, Callable[[float], float]]] = {
    "storage_usd_per_tb_month": ("storage_usd_per_byte_month", STORAGE, lambda usd: usd / TERA),
    "egress_usd_per_gb": ("egress_usd_per_byte", EGRESS, lambda usd: usd / GIGA),
    "egress_usd_per_month": ("egress_usd_per_month", EGRESS, lambda usd: usd),
    "engineering_usd_per_month": ("engineering_usd_per_month", PEOPLE, lambda usd: usd),
    "engineering_usd_per_run": ("engineering_usd_per_run", PEOPLE, lambda usd: usd),
}
KEYS = (ACCELERATOR_HOUR, *_RULES)
"""Keys a price book may have."""


class UnknownPriceKey(ValueError):
    """A price book has a key that no stage reads; the message lists those there are."""


def with_price_book(rules: CostRules, book: Mapping[str, float]) -> CostRules:
    """Rules in which the book's figures replace the computed ones, without a range of their own.

    Prices of single offers, accelerators or providers are `own_prices`.
    Source: the user's figures, in the units that the keys name.
    """
    changes: dict[str, float] = {}
    settled = set()
    for key, figure in book.items():
        if key in _RULES:
            field, line, convert = _RULES[key]
            changes[field] = convert(figure)
            settled.add(line)
        elif key == ACCELERATOR_HOUR:
            changes[key] = figure
        else:
            message = f"the price book has no key {key!r}; it knows {', '.join(KEYS)}"
            raise UnknownPriceKey(message)
    if PEOPLE in settled:
        # What the user states of engineering has its tools in it.
        changes["monitoring_usd_per_instance_month"] = 0.0
        settled.add(MONITORING)
    ranges = {label: span for label, span in rules.line_ranges.items() if label not in settled}
    return replace(rules, line_ranges=ranges, **changes)  # type: ignore[arg-type]
