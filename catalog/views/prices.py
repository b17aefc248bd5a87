"""Price observations as lines of a table and points of a chart."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median

from catalog.models import PricePoint


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceLine:
    """One observed price, for one accelerator and an hour where it is rented."""

    point: PricePoint
    purchase: str
    provider: str
    observed: date
    usd_per_accelerator_h: float | None


def price_lines(points: Sequence[PricePoint]) -> list[PriceLine]:
    """Observations with their price per accelerator-hour, None where they are no rent."""
    return [
        PriceLine(
            point=point,
            purchase=point.offer.purchase,
            provider=point.offer.provider.name,
            observed=point.observed_last,
            usd_per_accelerator_h=_per_accelerator(point),
        )
        for point in points
    ]


def _per_accelerator(point: PricePoint) -> float | None:
    count = point.offer.accelerator_count
    if point.usd_per_h is None or not count:
        return None
    return float(point.usd_per_h) / float(count)


def price_summary(lines: Sequence[PriceLine]) -> dict[str, object] | None:
    """Lowest, median and highest on-demand rent, over how many prices and providers."""
    rents = [
        line
        for line in lines
        if line.purchase == "on_demand" and line.usd_per_accelerator_h is not None
    ]
    if not rents:
        return None
    prices = [line.usd_per_accelerator_h or 0.0 for line in rents]
    return {
        "low": min(prices),
        "median": median(prices),
        "high": max(prices),
        "prices": len(prices),
        "providers": len({line.provider for line in rents}),
    }
