"""Admin pages of published measurements and benchmark limits."""

from django.contrib import admin

from catalog.admin.base import CatalogueAdmin, SourceFilter
from catalog.models import BenchmarkLimit, ServingMeasurement, TrainingMeasurement


@admin.register(ServingMeasurement)
class ServingMeasurementAdmin(CatalogueAdmin):
    list_display = (
        "id",
        "accelerator",
        "accelerator_count",
        "model",
        "precision",
        "engine",
        "scenario",
        "output_tokens_per_s",
        "requests_per_s",
        "measured_month",
        "source_link",
    )
    list_filter = ("own", "definition", "scenario", "engine", "accelerator", SourceFilter)
    list_select_related = ("accelerator", "source")
    search_fields = ("id", "model", "accelerator__name", "engine", "source__title")
    autocomplete_fields = ("accelerator", "architecture", "source")


@admin.register(TrainingMeasurement)
class TrainingMeasurementAdmin(CatalogueAdmin):
    list_display = (
        "id",
        "accelerator",
        "accelerator_count",
        "model",
        "task",
        "precision",
        "tokens_per_s_per_accelerator",
        "mfu",
        "time_to_train_min",
        "source_link",
    )
    list_filter = ("own", "task", "accelerator", SourceFilter)
    list_select_related = ("accelerator", "source")
    search_fields = ("id", "model", "accelerator__name", "framework", "source__title")
    autocomplete_fields = ("accelerator", "architecture", "source")


@admin.register(BenchmarkLimit)
class BenchmarkLimitAdmin(CatalogueAdmin):
    list_display = (
        "model",
        "scenario",
        "ttft_p99_limit_s",
        "tpot_p99_limit_s",
        "e2e_p99_limit_s",
        "source_link",
    )
    list_filter = ("scenario", SourceFilter)
    list_select_related = ("source",)
    search_fields = ("model",)
    autocomplete_fields = ("source",)
