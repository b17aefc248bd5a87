"""The catalogue's only writers: imports, prices, kept states."""

from catalog.services.catalogue import ImportReport, ensure_catalogue, import_catalogue
from catalog.services.prices import (
    FORMATS,
    PriceFile,
    PriceReport,
    import_prices,
    read_price_file,
    uploaded_price_file,
)
from catalog.services.snapshots import keep_snapshot

__all__ = [
    "FORMATS",
    "ImportReport",
    "PriceFile",
    "PriceReport",
    "ensure_catalogue",
    "import_catalogue",
    "import_prices",
    "keep_snapshot",
    "read_price_file",
    "uploaded_price_file",
]
