"""Rows to values: the rates and exchange rates in force, quotes and prices of one's own."""

from collections.abc import Mapping
from types import MappingProxyType

from django.db.models import QuerySet
from django.db.utils import OperationalError, ProgrammingError

from costing.engine.bids import Bid as BidValue
from costing.engine.kept import unpacked_rates
from costing.engine.own_prices import OwnPrice as OwnPriceValue
from costing.engine.rates import CurrencyRate, Rates, shipped_currencies, shipped_rates
from costing.models import Bid, Currency, KeptRates, OwnPrice, Rate


def rates() -> Rates:
    """The rates of the database over the shipped ones, by id."""
    try:
        stored = {row.pk: row.to_value() for row in Rate.objects.select_related("source")}
    except (OperationalError, ProgrammingError):
        # The engine is also used where there is no database yet.
        return shipped_rates()
    return MappingProxyType({**shipped_rates(), **stored})


def currencies() -> Mapping[str, CurrencyRate]:
    """The exchange rates of the database over the shipped ones, by code."""
    try:
        stored = {row.pk: row.to_value() for row in Currency.objects.select_related("source")}
    except (OperationalError, ProgrammingError):
        return shipped_currencies()
    return MappingProxyType({**shipped_currencies(), **stored})


def bids(organisation: str) -> QuerySet[Bid]:
    """An organisation's quotes."""
    return Bid.objects.filter(organisation=organisation)


def own_prices(organisation: str) -> QuerySet[OwnPrice]:
    """An organisation's price book."""
    return OwnPrice.objects.filter(organisation=organisation)


def bid_values(organisation: str) -> tuple[BidValue, ...]:
    """The quotes as the engine reads them, at the exchange rates in force."""
    known = currencies()
    return tuple(row.to_value(known[row.currency].usd_per_unit) for row in bids(organisation))


def own_price_values(organisation: str) -> tuple[OwnPriceValue, ...]:
    """The price book as the engine reads it, at the exchange rates in force."""
    known = currencies()
    return tuple(
        row.to_value(known[row.currency].usd_per_unit if row.currency else 1.0)
        for row in own_prices(organisation)
    )


def kept_rates(digest: str) -> tuple[Rates, Mapping[str, CurrencyRate]]:
    """The figures that a finished run was computed with; raises KeptRates.DoesNotExist."""
    return unpacked_rates(KeptRates.objects.get(digest=digest).content)
