"""Pages of the catalogue: what exists, what it costs, and where each figure was read."""

from catalog.views.evidence import measurements, sources, training_measurements
from catalog.views.hardware import accelerator, accelerators, systems
from catalog.views.offers import offers
from catalog.views.overview import index
from catalog.views.software import model, models

__all__ = [
    "accelerator",
    "accelerators",
    "index",
    "measurements",
    "model",
    "models",
    "offers",
    "sources",
    "systems",
    "training_measurements",
]
