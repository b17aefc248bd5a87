"""The only writers of rates, currencies, quotes and prices of one's own."""

from costing.services.private import BID, OWN_PRICE, BadRow, Kept, as_csv, forget, keep, take_csv
from costing.services.rates import RatesReport, ensure_rates, import_rates, keep_rates

__all__ = [
    "BID",
    "OWN_PRICE",
    "BadRow",
    "Kept",
    "RatesReport",
    "as_csv",
    "ensure_rates",
    "forget",
    "import_rates",
    "keep",
    "keep_rates",
    "take_csv",
]
