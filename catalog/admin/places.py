"""Admin pages of providers, their regions and compliance."""

from django.contrib import admin

from catalog.admin.base import AgeFilter, CatalogueAdmin, SourceFilter
from catalog.models import Provider, Region, RegionCompliance


class RecordedAgeFilter(AgeFilter):
    """Statuses by the day they were recorded."""

    column = "recorded_on"


@admin.register(Provider)
class ProviderAdmin(CatalogueAdmin):
    list_display = ("name", "slug", "kind", "country", "source_link", "read_on")
    list_filter = ("kind", AgeFilter, SourceFilter)
    list_select_related = ("source",)
    search_fields = ("name", "slug", "aliases")
    autocomplete_fields = ("source",)


@admin.register(Region)
class RegionAdmin(CatalogueAdmin):
    list_display = (
        "slug",
        "provider",
        "name",
        "country",
        "grid_g_per_kwh",
        "usd_per_kwh",
        "source_link",
        "read_on",
    )
    list_filter = ("provider", ("country", admin.EmptyFieldListFilter), AgeFilter, SourceFilter)
    list_select_related = ("provider", "source")
    search_fields = ("slug", "name", "country")
    autocomplete_fields = ("provider", "source", "grid_source", "power_source")


@admin.register(RegionCompliance)
class RegionComplianceAdmin(CatalogueAdmin):
    list_display = ("programme", "provider", "region", "status", "recorded_on", "source_link")
    list_filter = ("status", "programme", "provider", RecordedAgeFilter, SourceFilter)
    list_select_related = ("provider", "region", "source")
    search_fields = ("programme", "provider__name", "region__slug")
    autocomplete_fields = ("provider", "region", "source")
