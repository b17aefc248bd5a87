"""How far a price may have moved since it was read, by the kind of price."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from catalog.specs import Purchase
from costing.engine.cases import Bools
from costing.engine.data import Floats, Ints
from costing.engine.rates import CurrencyRate

Band = tuple[float, float, float]  # up to so many days; low factor; high factor

FRESH_DAYS = 90
EXPIRES_AFTER_DAYS = 730.0
"""Older than 24 months: left out until somebody confirms it."""

_LIST: tuple[Band, ...] = ((90, 1.0, 1.0), (180, 0.90, 1.15), (365, 0.75, 1.30), (730, 0.56, 1.45))
_SPOT: tuple[Band, ...] = ((7, 1.0, 1.0), (90, 0.70, 1.40), (365, 0.45, 1.80), (730, 0.30, 2.50))
_BLOCK: tuple[Band, ...] = ((30, 1.0, 1.0), (180, 0.85, 1.20), (365, 0.70, 1.40), (730, 0.60, 1.65))
_BUY: tuple[Band, ...] = ((90, 1.0, 1.0), (365, 0.85, 1.15), (730, 0.70, 1.30))
_TOKENS: tuple[Band, ...] = ((90, 1.0, 1.0), (365, 0.60, 1.10), (730, 0.30, 1.20))
BANDS: Mapping[Purchase, tuple[Band, ...]] = {
    Purchase.ON_DEMAND: _LIST,
    Purchase.SPOT: _SPOT,
    Purchase.RESERVED_1Y: _LIST,
    Purchase.RESERVED_3Y: _LIST,
    Purchase.CAPACITY_BLOCK: _BLOCK,
    Purchase.HOSTED_TOKENS: _TOKENS,
    Purchase.BUY: _BUY,
    Purchase.QUOTE: _BUY,
}
"""Widths that hold the moves seen between 2022 and 2026: list prices of AWS fell by 25 to 44 %
at one blow (p4d, p5; karpenter-provider-aws price files, April to June 2025) and those of GPU
clouds rose by 12 to 30 % in 70 days (gpu-price-feed, July to October 2026); capacity blocks for
H100 rose by 15 % at one blow (AWS, 7 October 2026) and by 38 % over the year before."""

CONFIDENCE_SPREAD: Mapping[str, float] = {
    "official": 0.0,
    "reported": 0.10,
    "estimate": 0.30,  # authors of such estimates give 20 to 40 %
    "low": 0.50,
    "none": 0.50,
}
"""Half-width by how well a price is known, as a fraction of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRange:
    """What a price may be today, as factors of the price read; one row a price."""

    low_factor: Floats
    high_factor: Floats
    usable: Bools


def price_range(
    *,
    purchases: Sequence[Purchase],
    purchase: Ints,
    age_days: Floats,
    confidence: Sequence[str] = (),
) -> PriceRange:
    """Range of each price by its kind, age in days and confidence; `purchase` are indices.

    A fresh official price has no range. An unknown (nan) age counts as a year, the middle of
    what is still used. Past EXPIRES_AFTER_DAYS a price keeps its last band and is not usable.

    Source: the notes at BANDS and CONFIDENCE_SPREAD.
    """
    age = np.where(np.isnan(age_days), 365.0, age_days)
    low, high = np.ones(len(age)), np.ones(len(age))
    for index, kind in enumerate(purchases):
        ends, lows, highs = np.array(BANDS[kind]).T
        rows = purchase == index
        band = np.minimum(np.searchsorted(ends, age[rows]), len(ends) - 1)
        low[rows], high[rows] = lows[band], highs[band]
    if len(confidence):
        names, row = np.unique(np.asarray(confidence), return_inverse=True)
        spread = np.array([CONFIDENCE_SPREAD[str(name)] for name in names])[row]
        low, high = low * (1.0 - spread), high * (1.0 + spread)
    return PriceRange(low_factor=low, high_factor=high, usable=age <= EXPIRES_AFTER_DAYS)


def old_rate(currency: CurrencyRate, *, on: date) -> list[str]:
    """A warning where amounts are converted at an exchange rate that is not fresh.

    Source: the band of list prices, FRESH_DAYS.
    """
    days = (on - date.fromisoformat(currency.observed_on)).days
    if currency.usd_per_unit == 1.0 or days <= FRESH_DAYS:
        return []
    return [
        f"The exchange rate of {currency.code} is of {currency.observed_on}, {days} days before "
        "the prices: enter today's in the admin."
    ]
