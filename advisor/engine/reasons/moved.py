"""What changed between two states of the catalogue, in numbers and by name."""

from collections.abc import Sequence
from typing import Any

from catalog.specs import AcceleratorSpec, OfferSpec
from costing.engine.rates import Rates

NAMED = 20  # of each kind; the rest is a number


def moved_offers(before: Sequence[OfferSpec], after: Sequence[OfferSpec]) -> dict[str, Any]:
    """Offers that came and went, and those whose price moved, the largest move first.

    Source: comparison by provider, place, instance and way to buy.
    """
    old, new = {_key(each): each for each in before}, {_key(each): each for each in after}
    moves = [
        {"offer": _name(new[key]), "then": was, "now": now, "share": now / was - 1.0}
        for key in old.keys() & new.keys()
        if (was := _price(old[key])) and (now := _price(new[key])) and was != now
    ]
    moves.sort(key=lambda move: (-abs(float(str(move["share"]))), str(move["offer"])))
    return {
        "new": len(new.keys() - old.keys()),
        "gone": len(old.keys() - new.keys()),
        "moved": len(moves),
        "largest": moves[:NAMED],
    }


def moved_parts(
    before: Sequence[AcceleratorSpec], after: Sequence[AcceleratorSpec]
) -> dict[str, Any]:
    """Accelerators that came, went, or are described otherwise.

    Source: comparison by slug.
    """
    old, new = {each.slug: each for each in before}, {each.slug: each for each in after}
    return {
        "new": [new[slug].name for slug in sorted(new.keys() - old.keys())],
        "gone": [old[slug].name for slug in sorted(old.keys() - new.keys())],
        "changed": [
            new[slug].name for slug in sorted(old.keys() & new.keys()) if old[slug] != new[slug]
        ],
    }


def moved_rates(before: Rates, after: Rates) -> list[dict[str, Any]]:
    """Rates of the cost model whose value is another.

    Source: comparison by id.
    """
    return [
        {"rate": after[key].label, "unit": after[key].unit, "then": before[key].value,
         "now": after[key].value}
        for key in sorted(before.keys() & after.keys())
        if before[key].value != after[key].value
    ]  # fmt: skip


def _key(offer: OfferSpec) -> tuple[str, ...]:
    region = offer.region.slug if offer.region else ""
    return (
        offer.provider, region, offer.instance_type, offer.accelerator_slug, offer.model_slug,
        offer.purchase.value,
    )  # fmt: skip


def _name(offer: OfferSpec) -> str:
    where = f" {offer.region.code}" if offer.region else ""
    return f"{offer.provider}{where}, {offer.instance_type}, {offer.purchase.value}"


def _price(offer: OfferSpec) -> float | None:
    for price in (offer.usd_per_h, offer.usd, offer.usd_per_output_token):
        if price is not None:
            return price
    return None
