"""Rows to values: the rates and exchange rates in force."""

from collections.abc import Mapping
from types import MappingProxyType

from django.db.utils import OperationalError, ProgrammingError

from costing.engine.rates import CurrencyRate, Rates, shipped_currencies, shipped_rates
from costing.models import Currency, Rate


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
