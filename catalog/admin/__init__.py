"""The catalogue is edited here: with search, sources, history, export."""

from catalog.admin import hardware, measurements, offers, places, software, sources

__all__ = ["hardware", "measurements", "offers", "places", "software", "sources"]
