"""The rows that costs are built from: rates, rooms, terms, quotes, prices of one's own."""

from costing.models.bids import Bid
from costing.models.kept import KeptRates, RatesAreKept
from costing.models.own_prices import OwnPrice
from costing.models.owned import DEFAULT_ORGANISATION, Own
from costing.models.rates import Currency, Rate
from costing.models.sites import Facility, Financing

__all__ = [
    "DEFAULT_ORGANISATION",
    "Bid",
    "Currency",
    "Facility",
    "Financing",
    "KeptRates",
    "Own",
    "OwnPrice",
    "Rate",
    "RatesAreKept",
]
