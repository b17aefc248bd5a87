"""An organisation's own prices, which stand in place of list prices while they are valid."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from catalog.specs import Evidence, OfferSpec, Purchase
from catalog.units import MEGA
from costing.engine.rates import Rate, Rates

WHAT = ("accelerator_hour", "system_hour", "system", "discount", "input_tokens",
        "cached_input_tokens", "output_tokens", "rate")  # fmt: skip
"""What a price may be for: an hour of one accelerator or of a whole offer, a purchase, a
fraction off the list price, a million tokens, or one of the rates of the cost model."""
_TOKENS = {
    "input_tokens": "usd_per_input_token",
    "cached_input_tokens": "usd_per_cached_input_token",
    "output_tokens": "usd_per_output_token",
}
_RENTED = frozenset(Purchase) - {Purchase.BUY, Purchase.QUOTE, Purchase.HOSTED_TOKENS}


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnPrice:
    """One row of the price book; empty words match everything."""

    id: int
    what: str  # one of WHAT
    amount: float  # in USD, except a fraction for a discount and the rate's unit for a rate
    provider: str = ""
    accelerator: str = ""
    machine: str = ""  # instance type, as the offer spells it
    region: str = ""  # its code
    purchase: str = ""
    rate: str = ""
    valid_from: date | None = None
    valid_until: date | None = None
    note: str = ""

    def is_valid(self, on: date) -> bool:
        """Whether it holds on a day."""
        begun = self.valid_from is None or self.valid_from <= on
        return begun and (self.valid_until is None or self.valid_until >= on)

    @property
    def source(self) -> str:
        """What a report names as the source of a figure that it set."""
        until = f", valid until {self.valid_until.isoformat()}" if self.valid_until else ""
        return f"your price book{until}"

    def matches(self, offer: OfferSpec) -> bool:
        """Whether it is a price of this offer."""
        pairs = (
            (self.provider, offer.provider),
            (self.accelerator, offer.accelerator_slug),
            (self.machine, offer.instance_type),
            (self.region, offer.region.code if offer.region else ""),
            (self.purchase, offer.purchase.value),
        )
        return _fits(self.what, offer) and all(mine in ("", theirs) for mine, theirs in pairs)

    @property
    def narrowness(self) -> tuple[int, date, int]:
        """Orders rows that match the same offer: the narrowest wins, then the newest."""
        stated = (self.provider, self.accelerator, self.machine, self.region, self.purchase)
        return sum(bool(each) for each in stated), self.valid_from or date.min, self.id


def _fits(what: str, offer: OfferSpec) -> bool:
    if what in _TOKENS:
        return offer.purchase == Purchase.HOSTED_TOKENS
    if what == "system":
        return offer.purchase in (Purchase.BUY, Purchase.QUOTE)
    if what == "discount":
        return offer.purchase != Purchase.QUOTE
    return what != "rate" and offer.purchase in _RENTED


def with_own_prices(
    offers: Iterable[OfferSpec], book: Sequence[OwnPrice], *, on: date
) -> tuple[OfferSpec, ...]:
    """The offers at the organisation's own prices where its book has a valid one.

    Of several rows for one figure the narrowest holds, then the newest. A discount is taken
    off what is then the price. What is quoted elsewhere in the catalogue is left as it is.

    Source: the price book.
    """
    valid = sorted((row for row in book if row.is_valid(on)), key=lambda row: row.narrowness)
    valid.sort(key=lambda row: row.what == "discount")  # after the prices it is taken off
    found = []
    for offer in offers:
        mine = offer
        discounts = [row for row in valid if row.what == "discount" and row.matches(offer)]
        for row in valid:
            if row.what != "discount" and row.matches(offer):
                mine = _priced(mine, row, on)
        if discounts:
            mine = _discounted(mine, discounts[-1], on)
        found.append(mine)
    return tuple(found)


def _priced(offer: OfferSpec, row: OwnPrice, on: date) -> OfferSpec:
    fresh = replace(
        offer, observed_on=on, observed_last_on=on, price_low_usd=None, price_high_usd=None,
        confidence="official", source=row.source,
    )  # fmt: skip
    if row.what in _TOKENS:
        changes: dict[str, Any] = {_TOKENS[row.what]: row.amount / MEGA}
        return replace(fresh, **changes)
    if row.what == "system":
        return replace(fresh, usd=row.amount, purchase=Purchase.BUY)
    count = offer.accelerator_count if row.what == "accelerator_hour" else 1.0
    return replace(fresh, usd_per_h=row.amount * count)


def _discounted(offer: OfferSpec, row: OwnPrice, on: date) -> OfferSpec:
    net = 1.0 - row.amount

    def less(usd: float | None) -> float | None:
        return None if usd is None else usd * net

    return replace(
        offer,
        usd_per_h=less(offer.usd_per_h),
        usd=less(offer.usd),
        usd_per_input_token=less(offer.usd_per_input_token),
        usd_per_output_token=less(offer.usd_per_output_token),
        usd_per_cached_input_token=less(offer.usd_per_cached_input_token),
        price_low_usd=less(offer.price_low_usd),
        price_high_usd=less(offer.price_high_usd),
        source=f"{offer.source}; {row.amount:.1%} off by {row.source}",
    )


def with_own_rates(rates: Rates, book: Sequence[OwnPrice], *, on: date) -> Rates:
    """The rates with the organisation's own in place of those it states.

    Source: the price book.
    """
    own = {
        row.rate: _own_rate(rates, row) for row in book if row.what == "rate" and row.is_valid(on)
    }
    return {**rates, **own}


def _own_rate(rates: Rates, row: OwnPrice) -> Rate:
    known = rates.get(row.rate)
    common = known or rates.get(f"{row.rate.split('/')[0]}/default")
    return Rate(
        id=row.rate,
        label=known.label if known else row.rate,
        value=row.amount,
        low=row.amount,
        high=row.amount,
        unit=common.unit if common else "",
        evidence=Evidence.LIST,
        source=row.source,
        note=row.note,
    )


def unused(book: Sequence[OwnPrice], offers: Sequence[OfferSpec], *, on: date) -> list[str]:
    """A sentence for each row that changes nothing: it ended, or no offer is like it.

    Source: the rules of `with_own_prices`.
    """
    found = []
    for row in book:
        label = " ".join(filter(None, (row.what.replace("_", " "), row.provider, row.accelerator,
                                       row.machine, row.rate)))  # fmt: skip
        if row.valid_until is not None and row.valid_until < on:
            found.append(
                f"Your own price ({label}) ended on {row.valid_until.isoformat()}; "
                "list prices count again."
            )
        elif row.what != "rate" and row.is_valid(on) and not any(map(row.matches, offers)):
            found.append(f"Your own price ({label}) is like no offer of the catalogue.")
    return found
