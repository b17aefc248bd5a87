"""What a what-if changes, as plain data that can be kept, shown and tried again."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from catalog.specs import (
    AcceleratorSpec,
    CatalogueSnapshot,
    OfferSpec,
    Purchase,
    SupportSpec,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferPrice:
    """All offers of one part by one provider bought one way, at a multiple of their price."""

    accelerator: str  # slug; "" for hosted tokens
    provider: str
    purchase: str
    factor: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Everything in which a re-run differs from the run; what is empty stays as it was.

    `answers` are of the assessment, `workloads` of single workloads by their number from 0,
    both in the unit of their question. `rates` are by id in their own unit. `quotes` are prices
    in USD for systems (by slug) that have none: to buy, or by the hour where only rented.
    `speeds` scale a part's compute, memory and links.
    """

    answers: Mapping[str, Any] = field(default_factory=dict)
    workloads: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    rates: Mapping[str, float] = field(default_factory=dict)
    prices: tuple[OfferPrice, ...] = ()
    quotes: Mapping[str, float] = field(default_factory=dict)
    speeds: Mapping[str, float] = field(default_factory=dict)
    without_vendors: frozenset[str] = frozenset()
    without_providers: frozenset[str] = frozenset()
    supported: frozenset[tuple[str, str]] = frozenset()  # vendor and software taken as working

    def and_also(self, other: "Change") -> "Change":
        """Both changes; where both set one thing, the other's holds."""
        workloads = {
            index: {**self.workloads.get(index, {}), **other.workloads.get(index, {})}
            for index in {*self.workloads, *other.workloads}
        }
        return Change(
            answers={**self.answers, **other.answers},
            workloads=workloads,
            rates={**self.rates, **other.rates},
            prices=(*self.prices, *other.prices),
            quotes={**self.quotes, **other.quotes},
            speeds={**self.speeds, **other.speeds},
            without_vendors=self.without_vendors | other.without_vendors,
            without_providers=self.without_providers | other.without_providers,
            supported=self.supported | other.supported,
        )

    def as_dict(self) -> dict[str, Any]:
        """The change as JSON carries it: only what differs."""
        plain: dict[str, Any] = {
            "answers": dict(self.answers),
            "workloads": {str(at): dict(each) for at, each in self.workloads.items()},
            "rates": dict(self.rates),
            "prices": [
                {each.name: getattr(price, each.name) for each in fields(OfferPrice)}
                for price in self.prices
            ],
            "quotes": dict(self.quotes),
            "speeds": dict(self.speeds),
            "without_vendors": sorted(self.without_vendors),
            "without_providers": sorted(self.without_providers),
            "supported": [list(each) for each in sorted(self.supported)],
        }
        return {name: value for name, value in plain.items() if value}


def change_of(document: Mapping[str, Any]) -> Change:
    """The change that `Change.as_dict` wrote.

    Source: the document.
    """
    return Change(
        answers=dict(document.get("answers", {})),
        workloads={int(at): dict(each) for at, each in document.get("workloads", {}).items()},
        rates={key: float(value) for key, value in document.get("rates", {}).items()},
        prices=tuple(OfferPrice(**each) for each in document.get("prices", ())),
        quotes={key: float(value) for key, value in document.get("quotes", {}).items()},
        speeds={key: float(value) for key, value in document.get("speeds", {}).items()},
        without_vendors=frozenset(document.get("without_vendors", ())),
        without_providers=frozenset(document.get("without_providers", ())),
        supported=frozenset((str(a), str(b)) for a, b in document.get("supported", ())),
    )


def changed_snapshot(
    snapshot: CatalogueSnapshot, change: Change, *, quotes: Mapping[str, OfferSpec]
) -> CatalogueSnapshot:
    """The catalogue with a change's prices, speeds and absences; the same object where none.

    `quotes` are the offers without a price, by system. Tables that a change leaves alone stay
    the same objects, so that a sizing made from them can be used again.

    Source: the change.
    """
    found = snapshot
    if change.prices or change.quotes or change.without_providers or change.without_vendors:
        found = replace(found, offers=_offers(found, change, quotes))
    if change.speeds or change.without_vendors:
        found = replace(found, accelerators=_parts(found.accelerators, change))
    if change.supported:
        found = replace(found, support=tuple(_working(row, change) for row in found.support))
    return found


def _offers(
    snapshot: CatalogueSnapshot, change: Change, quotes: Mapping[str, OfferSpec]
) -> tuple[OfferSpec, ...]:
    named = [
        _quoted(quotes[system], usd) for system, usd in change.quotes.items() if system in quotes
    ]
    offers = [
        offer
        for offer in (*snapshot.offers, *named)
        if offer.provider not in change.without_providers
    ]
    for price in change.prices:
        offers = [_priced(offer, price) for offer in offers]
    return tuple(offers)


def _quoted(offer: OfferSpec, usd: float) -> OfferSpec:
    """An open offer with a price: to buy where it is sold, by the hour where it is rented."""
    if offer.purchase == Purchase.QUOTE:
        return replace(offer, purchase=Purchase.BUY, usd=usd, confidence="official")
    return replace(offer, usd_per_h=usd, confidence="official")


def _priced(offer: OfferSpec, price: OfferPrice) -> OfferSpec:
    named = (offer.accelerator_slug, offer.provider, offer.purchase.value)
    if named != (price.accelerator, price.provider, price.purchase):
        return offer
    columns = (
        "usd_per_h", "usd", "price_low_usd", "price_high_usd",
        "usd_per_input_token", "usd_per_output_token", "usd_per_cached_input_token",
    )  # fmt: skip
    found = {name: getattr(offer, name) for name in columns}
    return replace(
        offer,
        **{name: value * price.factor for name, value in found.items() if value is not None},
    )


def _parts(parts: tuple[AcceleratorSpec, ...], change: Change) -> tuple[AcceleratorSpec, ...]:
    return tuple(
        _scaled(part, change.speeds[part.slug]) if part.slug in change.speeds else part
        for part in parts
        if part.vendor not in change.without_vendors
    )


def _scaled(part: AcceleratorSpec, factor: float) -> AcceleratorSpec:
    def scaled(rate: float | None) -> float | None:
        return None if rate is None else rate * factor

    return replace(
        part,
        peak_flops_per_s={name: rate * factor for name, rate in part.peak_flops_per_s.items()},
        memory_bandwidth_bytes_per_s=scaled(part.memory_bandwidth_bytes_per_s),
        scale_up_bytes_per_s=scaled(part.scale_up_bytes_per_s),
        host_link_bytes_per_s=scaled(part.host_link_bytes_per_s),
        streaming_bytes_per_s=part.streaming_bytes_per_s * factor,
    )


def _working(row: SupportSpec, change: Change) -> SupportSpec:
    taken = (row.vendor, row.software) in change.supported
    return replace(row, status="supported") if taken else row
