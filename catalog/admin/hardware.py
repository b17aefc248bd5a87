"""Admin pages of accelerators and systems."""

from django.contrib import admin

from catalog.admin.base import AgeFilter, CatalogueAdmin, SourceFilter
from catalog.models import Accelerator, System


@admin.register(Accelerator)
class AcceleratorAdmin(CatalogueAdmin):
    list_display = (
        "name",
        "vendor",
        "family",
        "year",
        "memory_gib",
        "memory_bandwidth_gb_per_s",
        "tflops_bf16",
        "tdp_w",
        "lifecycle",
        "confidence",
        "source_link",
        "read_on",
    )
    list_filter = ("family", "lifecycle", "confidence", "vendor", AgeFilter, SourceFilter)
    list_select_related = ("vendor", "source")
    search_fields = ("name", "slug", "aliases", "vendor__name")
    autocomplete_fields = ("vendor", "source")


@admin.register(System)
class SystemAdmin(CatalogueAdmin):
    list_display = (
        "name",
        "vendor",
        "accelerator",
        "accelerator_count",
        "max_power_kw",
        "rack_units",
        "cooling",
        "source_link",
        "read_on",
    )
    list_filter = ("cooling", "vendor", AgeFilter, SourceFilter)
    list_select_related = ("vendor", "accelerator", "source")
    search_fields = ("name", "slug", "accelerator__name", "vendor__name")
    autocomplete_fields = ("vendor", "accelerator", "source")
