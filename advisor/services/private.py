"""What an organisation has of its own, quotes and prices, as a run freezes and applies it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

from catalog.specs import CatalogueSnapshot, Purchase
from costing.engine.bids import Bid, offer_of
from costing.engine.own_prices import OwnPrice, unused, with_own_prices, with_own_rates
from costing.engine.rates import Rates
from costing.queries import bid_values, own_price_values

_DAYS = {"valid_from", "valid_until", "received_on", "delivery_on"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Private:
    """Quotes and price book of one organisation on a day."""

    prices: tuple[OwnPrice, ...] = ()
    bids: tuple[Bid, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.prices or self.bids)

    def snapshot(self, public: CatalogueSnapshot, *, horizon_months: int) -> CatalogueSnapshot:
        """The catalogue at the organisation's prices, with its quotes beside the offers."""
        if not self:
            return public
        quoted = tuple(
            offer_of(bid, as_of=public.as_of, horizon_months=horizon_months) for bid in self.bids
        )
        own = with_own_prices(public.offers, self.prices, on=public.as_of)
        return replace(public, offers=own + quoted)

    def rates(self, public: Rates, *, on: date) -> Rates:
        """The rates, with the organisation's own in place of those it states."""
        return with_own_rates(public, self.prices, on=on) if self.prices else public

    def warnings(self, public: CatalogueSnapshot) -> list[str]:
        """Rows of the price book that change nothing, and quotes that have ended."""
        ended = [
            f"The quote of {bid.name} ended on {bid.valid_until}: it can not win."
            for bid in self.bids
            if bid.is_expired(public.as_of)
        ]
        return unused(self.prices, public.offers, on=public.as_of) + ended


def private_of(organisation: str) -> Private:
    """What an organisation has now."""
    return Private(prices=own_price_values(organisation), bids=bid_values(organisation))


def frozen(private: Private) -> dict[str, Any]:
    """As JSON, to be kept with a run."""
    return {
        "prices": [_plain(asdict(price)) for price in private.prices],
        "bids": [_plain(asdict(bid)) for bid in private.bids],
    }


def thawed(kept: Mapping[str, Any] | None) -> Private:
    """What `frozen` kept; nothing where a run was accepted without."""
    if not kept:
        return Private()
    return Private(
        prices=tuple(OwnPrice(**_with_days(row)) for row in kept["prices"]),
        bids=tuple(
            Bid(
                **_with_days(row)
                | {"purchase": Purchase(row["purchase"]), "covers": frozenset(row["covers"])}
            )
            for row in kept["bids"]
        ),
    )


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat()
        if isinstance(value, date)
        else sorted(value)
        if isinstance(value, frozenset)
        else value
        for name, value in row.items()
    }


def _with_days(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: date.fromisoformat(value) if name in _DAYS and value else value
        for name, value in row.items()
    }
