"""Django's handle on the package."""

from django.apps import AppConfig


class AdvisorConfig(AppConfig):
    name = "advisor"
