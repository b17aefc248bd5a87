"""Django's handle on the package."""

from django.apps import AppConfig


class CostingConfig(AppConfig):
    name = "costing"
