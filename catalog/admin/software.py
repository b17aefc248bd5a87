"""Admin pages of models, their checked formats, and software support."""

from django.contrib import admin

from catalog.admin.base import AgeFilter, CatalogueAdmin, SourceFilter
from catalog.models import ModelArchitecture, ModelPrecision, SoftwareSupport


class PrecisionInline(admin.TabularInline):
    model = ModelPrecision
    extra = 0
    fields = ("precision", "benchmark", "score", "score_at_native", "source", "read_on")
    autocomplete_fields = ("source",)


@admin.register(ModelArchitecture)
class ModelArchitectureAdmin(CatalogueAdmin):
    list_display = (
        "name",
        "kind",
        "total_params_b",
        "active_params_b",
        "attention",
        "native_precision",
        "weights_access",
        "licence",
        "source_link",
        "read_on",
    )
    list_filter = ("kind", "weights_access", "attention", "native_precision", AgeFilter)
    list_select_related = ("source",)
    search_fields = ("name", "slug", "aliases")
    autocomplete_fields = ("source",)
    inlines = (PrecisionInline,)


@admin.register(ModelPrecision)
class ModelPrecisionAdmin(CatalogueAdmin):
    list_display = (
        "model",
        "precision",
        "benchmark",
        "score",
        "score_at_native",
        "source_link",
        "read_on",
    )
    list_filter = ("precision", AgeFilter, SourceFilter)
    list_select_related = ("model", "source")
    search_fields = ("model__name", "model__slug", "benchmark")
    autocomplete_fields = ("model", "source")


@admin.register(SoftwareSupport)
class SoftwareSupportAdmin(CatalogueAdmin):
    list_display = (
        "software",
        "vendor",
        "family",
        "status",
        "porting_weeks",
        "source_link",
        "read_on",
    )
    list_filter = ("status", "family", "vendor", AgeFilter, SourceFilter)
    list_select_related = ("vendor", "source")
    search_fields = ("software", "vendor__name")
    autocomplete_fields = ("vendor", "source")
