"""The catalogue's only writers: imports, prices, kept states."""

from catalog.services.catalogue import ImportReport, ensure_catalogue, import_catalogue
from catalog.services.snapshots import keep_snapshot

__all__ = [
    "ImportReport",
    "ensure_catalogue",
    "import_catalogue",
    "keep_snapshot",
]
