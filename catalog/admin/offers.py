"""Admin pages of offers and their prices."""

from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path

from catalog.admin.base import (
    AgeFilter,
    CatalogueAdmin,
    ExportAdmin,
    ObservedAgeFilter,
    SourceFilter,
)
from catalog.admin.upload import upload_prices
from catalog.models import Offer, PricePoint

PRICE_FIELDS = [
    "usd_per_h",
    "usd",
    "usd_per_million_input_tokens",
    "usd_per_million_output_tokens",
    "usd_per_million_cached_input_tokens",
    "low_usd",
    "high_usd",
    "currency",
    "observed_first",
    "observed_last",
    "confidence",
    "source",
    "note",
]


class PriceInline(admin.TabularInline):
    """An offer's prices: what was read stays, a new one may be added."""

    model = PricePoint
    extra = 0
    fields = ("usd_per_h", "usd", "observed_first", "observed_last", "confidence", "source", "note")
    autocomplete_fields = ("source",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the sources, in one query."""
        return super().get_queryset(request).select_related("source")

    def has_change_permission(self, _: HttpRequest, __: Any = None) -> bool:
        return False

    def has_delete_permission(self, _: HttpRequest, __: Any = None) -> bool:
        return False


@admin.register(Offer)
class OfferAdmin(CatalogueAdmin):
    list_display = (
        "instance_type",
        "provider",
        "region",
        "accelerator",
        "accelerator_count",
        "purchase",
        "source_link",
        "read_on",
    )
    list_filter = ("purchase", "provider", AgeFilter, SourceFilter)
    list_select_related = ("provider", "region", "accelerator", "source")
    search_fields = ("instance_type", "provider__name", "accelerator__name", "region__slug")
    autocomplete_fields = ("provider", "region", "accelerator", "system", "model", "source")
    inlines = (PriceInline,)


@admin.register(PricePoint)
class PricePointAdmin(ExportAdmin):
    list_display = (
        "offer",
        "usd_per_h",
        "usd",
        "usd_per_million_output_tokens",
        "observed_first",
        "observed_last",
        "confidence",
        "source_link",
    )
    list_filter = ("confidence", "offer__purchase", ObservedAgeFilter, SourceFilter)
    list_select_related = ("offer", "source")
    search_fields = ("offer__instance_type", "offer__provider__name", "source__title")
    autocomplete_fields = ("offer", "source")
    fields = ("offer", *PRICE_FIELDS)
    import_export_change_list_template = "admin/catalog/pricepoint/change_list.html"

    def get_urls(self) -> list[URLPattern]:
        """The upload of price feeds beside the usual pages."""
        upload = path(
            "upload/",
            self.admin_site.admin_view(partial(upload_prices, self)),
            name="catalog_pricepoint_upload",
        )
        return [upload, *super().get_urls()]

    def has_change_permission(self, _: HttpRequest, __: Any = None) -> bool:
        return False

    def has_delete_permission(self, _: HttpRequest, __: Any = None) -> bool:
        return False
