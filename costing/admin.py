"""Rates, rooms, terms, quotes and own prices are edited here, with sources and history."""

from django.contrib import admin

from catalog.admin.base import CatalogueAdmin, SourceFilter
from costing.models import Bid, Currency, Facility, Financing, OwnPrice, Rate


@admin.register(Rate)
class RateAdmin(CatalogueAdmin):
    list_display = ("id", "label", "value", "low", "high", "unit", "evidence", "source_link")
    list_filter = ("evidence", "unit", SourceFilter)
    search_fields = ("id", "label", "note", "source__title")
    list_select_related = ("source",)
    autocomplete_fields = ("source",)


@admin.register(Currency)
class CurrencyAdmin(CatalogueAdmin):
    list_display = ("code", "name", "usd_per_unit", "observed_on", "source_link")
    list_filter = (SourceFilter,)
    search_fields = ("code", "name")
    list_select_related = ("source",)
    autocomplete_fields = ("source",)


@admin.register(Facility)
class FacilityAdmin(CatalogueAdmin):
    list_display = ("name", "organisation", "country", "pue", "usd_per_kwh", "power_kw", "racks")
    list_filter = ("organisation", "is_colocation", "has_liquid_cooling")
    search_fields = ("name", "country", "note")
    list_select_related = ("source",)
    autocomplete_fields = ("source", "owner")


@admin.register(Financing)
class FinancingAdmin(CatalogueAdmin):
    list_display = ("name", "organisation", "discount_rate", "depreciation_years")
    list_filter = ("organisation",)
    search_fields = ("name", "note")
    list_select_related = ("source",)
    autocomplete_fields = ("source", "owner")


@admin.register(Bid)
class BidAdmin(CatalogueAdmin):
    list_display = ("name", "reference", "organisation", "purchase", "price", "currency")
    list_filter = ("organisation", "purchase")
    search_fields = ("name", "reference", "accelerator", "note")
    list_select_related = ("source",)
    autocomplete_fields = ("source", "owner")


@admin.register(OwnPrice)
class OwnPriceAdmin(CatalogueAdmin):
    list_display = ("__str__", "organisation", "what", "amount", "currency", "valid_until")
    list_filter = ("organisation", "what")
    search_fields = ("name", "provider", "accelerator", "rate", "note")
    list_select_related = ("source",)
    autocomplete_fields = ("source", "owner")
