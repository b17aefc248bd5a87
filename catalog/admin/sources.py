"""Admin pages of sources, makers and kept snapshots."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from catalog.admin.base import AgeFilter, CatalogueAdmin, ReadOnlyAdmin, SourceFilter, linked
from catalog.models import Snapshot, Source, Vendor


@admin.register(Source)
class SourceAdmin(CatalogueAdmin):
    list_display = ("title", "original", "changed_at")
    search_fields = ("title", "url")
    list_filter = (("url", admin.EmptyFieldListFilter),)

    @admin.display(description="original")
    def original(self, row: Source) -> SafeString | str:
        """A link to the publication."""
        return linked(row) if row.url else "—"


@admin.register(Vendor)
class VendorAdmin(CatalogueAdmin):
    list_display = ("name", "slug", "country", "source_link", "read_on")
    list_filter = (SourceFilter, AgeFilter)
    list_select_related = ("source",)
    search_fields = ("name", "slug")
    autocomplete_fields = ("source",)


@admin.register(Snapshot)
class SnapshotAdmin(ReadOnlyAdmin):
    list_display = ("digest", "as_of", "recorded_at")
    search_fields = ("digest",)
    list_filter = ("as_of",)
    fields = ("digest", "as_of", "recorded_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Without the packed content, which is large and says nothing to a reader."""
        return super().get_queryset(request).defer("content")

    def has_export_permission(self, _: HttpRequest) -> bool:
        """The content is for runs, not for spreadsheets."""
        return False
