"""Django's handle on the package."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "catalog"
