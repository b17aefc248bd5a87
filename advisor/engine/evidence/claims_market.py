"""Rents of the catalogue as claims need them: medians, and spot against on demand."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from advisor.engine.cases import Floats
from catalog.specs import CatalogueSnapshot, OfferSpec, Purchase


@dataclass(frozen=True, slots=True, kw_only=True)
class SpotMarket:
    """Spot price over on-demand price of the same instance, region and reading."""

    ratios: Mapping[str, Floats]  # by slug of the accelerator

    def ratios_of(self, word: str) -> Floats:
        """Ratios of all accelerators with a word in their slug."""
        found = [values for slug, values in self.ratios.items() if word in slug]
        return np.concatenate(found) if found else np.zeros(0)

    @property
    def all_ratios(self) -> Floats:
        """Ratios of all accelerators."""
        return self.ratios_of("")


def rent_usd_per_h(
    snapshot: CatalogueSnapshot, slug: str, *, provider: str = "", quantile: float = 0.5
) -> float:
    """On-demand USD for one accelerator-hour, median over all offers; nan where there is none.

    Source: the catalogue's offers.
    """
    rents = [
        offer.usd_per_h / offer.accelerator_count
        for offer in snapshot.offers
        if offer.accelerator_slug == slug
        and offer.purchase is Purchase.ON_DEMAND
        and offer.usd_per_h
        and offer.accelerator_count
        and provider in ("", offer.provider)
    ]
    return float(np.quantile(rents, quantile)) if rents else float("nan")


def spot_market(snapshot: CatalogueSnapshot) -> SpotMarket:
    """Every spot price that has an on-demand price of the same instance, region and reading.

    Where a reading has several prices of one instance, their mean counts.

    Source: the catalogue's offers.
    """
    prices: dict[tuple[object, ...], dict[Purchase, list[float]]] = {}
    for offer in snapshot.offers:
        if offer.accelerator_slug and offer.usd_per_h:
            prices.setdefault(_instance(offer), {}).setdefault(offer.purchase, []).append(
                offer.usd_per_h
            )
    ratios: dict[str, list[float]] = {}
    for key, by_purchase in prices.items():
        if Purchase.SPOT in by_purchase and Purchase.ON_DEMAND in by_purchase:
            spot = float(np.mean(by_purchase[Purchase.SPOT]))
            ratio = spot / float(np.mean(by_purchase[Purchase.ON_DEMAND]))
            ratios.setdefault(str(key[0]), []).append(ratio)
    return SpotMarket(ratios={slug: np.array(values) for slug, values in ratios.items()})


def _instance(offer: OfferSpec) -> tuple[object, ...]:
    region = offer.region.slug if offer.region else ""
    return (
        offer.accelerator_slug,
        offer.provider,
        region,
        offer.instance_type,
        offer.accelerator_count,
        offer.observed_on,
    )
