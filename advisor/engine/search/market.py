"""The offers a workload may use, with a reason for each that it may not."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from advisor.engine.search.fits import offer_refusal, place_refusal
from advisor.engine.workload import Question, Workload
from catalog.specs import CatalogueSnapshot, OfferSpec, Purchase, SystemSpec

EXPIRED_AFTER_MONTHS = 24
_DAYS_PER_MONTH = 30.44
_RENT_ONLY = ("cloud only",)
OWN_PRICE = "your own price"  # provider of what the user's price book prices


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedOffer:
    """An offer that is out, and why."""

    offer: OfferSpec
    reason: str
    limit: str = "offer"  # "place": residency or recorded status; "distance": the way to the users


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """What may be rented or bought for a workload; hosted tokens apart."""

    offers: tuple[OfferSpec, ...]
    hosted: tuple[OfferSpec, ...]
    refused: tuple[RefusedOffer, ...]


def market(snapshot: CatalogueSnapshot, *, question: Question, workload: Workload) -> Market:
    """Sort the catalogue's offers, and quotes for systems without a price, into in and out.

    A price nobody has confirmed for 24 months is left out until somebody does.

    Source: rules of `fits`; the age limit is a stated rule of this application.
    """
    allowed: list[OfferSpec] = []
    hosted: list[OfferSpec] = []
    refused: list[RefusedOffer] = []
    known = {part.slug for part in snapshot.accelerators}
    for offer in (*snapshot.offers, *open_quotes(snapshot)):
        tokens = offer.purchase == Purchase.HOSTED_TOKENS
        if not tokens and (offer.accelerator_count < 1.0 or offer.accelerator_slug not in known):
            continue
        reason = expired(offer, snapshot.as_of) or offer_refusal(
            offer, question=question, workload=workload
        )
        misplaced = place_refusal(offer, question=question) if reason is None else None
        if reason is not None:
            refused.append(RefusedOffer(offer=offer, reason=reason))
        elif misplaced is not None:
            refused.append(RefusedOffer(offer=offer, reason=misplaced, limit="place"))
        elif tokens:
            hosted.append(offer)
        else:
            allowed.append(offer)
    return Market(offers=tuple(allowed), hosted=tuple(hosted), refused=tuple(refused))


def expired(offer: OfferSpec, as_of: date) -> str | None:
    """Why a price is too old to be used; None where it may be.

    Source: the age limit stated above; a quote's own last day.
    """
    if offer.terms is not None:
        until = offer.terms.valid_until
        if until is None or until >= as_of:
            return None
        return f"The quote ended on {until.isoformat()}: ask for a new one."
    seen = offer.observed_on
    if seen is None or offer.purchase == Purchase.QUOTE:
        return None
    months = (as_of - seen).days / _DAYS_PER_MONTH
    if months <= EXPIRED_AFTER_MONTHS:
        return None
    return f"Its price was last seen on {seen.isoformat()}, more than 24 months ago."


def open_quotes(snapshot: CatalogueSnapshot) -> list[OfferSpec]:
    """An offer with an open price for each system whose price nobody publishes.

    Systems for sale wait for a quote; those that only their maker's cloud rents are rented
    there at a price to be asked for.

    Source: the catalogue's own gap; no figure is added.
    """
    parts = {part.slug: part for part in snapshot.accelerators}
    priced = {
        offer.system_slug
        for offer in snapshot.offers
        if offer.purchase in (Purchase.BUY, Purchase.QUOTE)
    }
    rented = {offer.accelerator_slug for offer in snapshot.offers}
    found = []
    for number, system in enumerate(snapshot.systems):
        part = parts.get(system.accelerator_slug)
        if part is None or system.slug in priced:
            continue
        if _sold(system, part.form_factor):
            found.append(_quote(system, number))
        elif part.form_factor.startswith(_RENT_ONLY) and part.slug not in rented:
            quote = _quote(system, number)
            found.append(replace(quote, purchase=Purchase.ON_DEMAND, provider_kind="public_cloud"))
    return found


def _sold(system: SystemSpec, form_factor: str) -> bool:
    rented = form_factor.startswith(_RENT_ONLY) or "only)" in form_factor
    return not rented and "azure" not in system.vendor.lower()


def _quote(system: SystemSpec, number: int) -> OfferSpec:
    return OfferSpec(
        id=-1 - number,
        provider=system.vendor,
        provider_kind="vendor",
        region=None,
        instance_type=system.name,
        accelerator_slug=system.accelerator_slug,
        accelerator_count=float(system.accelerator_count),
        system_slug=system.slug,
        purchase=Purchase.QUOTE,
        usd_per_h=None,
        usd=None,
        usd_per_input_token=None,
        usd_per_output_token=None,
        usd_per_cached_input_token=None,
        model_slug="",
        observed_on=None,
        price_low_usd=None,
        price_high_usd=None,
        max_quantity=None,
        lead_time_weeks=None,
        confidence="none",
        source=system.source,
    )


def own_price(offers: Sequence[OfferSpec], usd_per_accelerator_h: float) -> OfferSpec | None:
    """The user's own price for the part of these offers, rented by the chip.

    Source: the user's price book.
    """
    if not offers:
        return None
    return replace(
        offers[0],
        id=0,
        provider=OWN_PRICE,
        provider_kind="public_cloud",
        region=None,
        instance_type="per-gpu-hour at your own price",
        note="",
        accelerator_count=1.0,
        system_slug="",
        purchase=Purchase.ON_DEMAND,
        usd_per_h=usd_per_accelerator_h,
        usd=None,
        observed_on=None,
        price_low_usd=None,
        price_high_usd=None,
        confidence="official",
        source="your answers",
    )
