"""What the admin pages of all tables share."""

from datetime import date, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from import_export.admin import ExportMixin
from import_export.resources import ModelResource, modelresource_factory
from simple_history.admin import SimpleHistoryAdmin

from catalog.exports import SafeCsv, SafeXlsx
from catalog.models import Source

# List prices count as fresh for 90 days and are left out after 24 months.
AGE_BANDS = (
    ("fresh", "up to 90 days", 0, 90),
    ("older", "90 days to a year", 90, 365),
    ("old", "one to two years", 365, 730),
    ("expired", "older than two years", 730, None),
)


class AgeFilter(admin.SimpleListFilter):
    """Rows by how long ago their figures were read."""

    title = "age"
    parameter_name = "age"
    column = "read_on"

    def lookups(self, _: HttpRequest, __: Any) -> list[tuple[str, str]]:
        return [(key, label) for key, label, *_ in AGE_BANDS] + [("none", "no date")]

    def queryset(self, _: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "none":
            return rows.filter(**{f"{self.column}__isnull": True})
        today = timezone.now().date()
        for key, _label, newest, oldest in AGE_BANDS:
            if key == self.value():
                return rows.filter(self._between(today, newest, oldest))
        return rows

    def _between(self, today: date, newest: int, oldest: int | None) -> Q:
        wanted = Q(**{f"{self.column}__lte": today - timedelta(days=newest)})
        if oldest is not None:
            wanted &= Q(**{f"{self.column}__gt": today - timedelta(days=oldest)})
        return wanted


class ObservedAgeFilter(AgeFilter):
    """Prices by the first day they were seen."""

    column = "observed_first"


class SourceFilter(admin.SimpleListFilter):
    """Rows without a source, or whose source has no address."""

    title = "source"
    parameter_name = "source_state"

    def lookups(self, _: HttpRequest, __: Any) -> list[tuple[str, str]]:
        return [("missing", "no source"), ("offline", "source without address"), ("full", "linked")]

    def queryset(self, _: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "missing":
            return rows.filter(source__isnull=True)
        if self.value() == "offline":
            return rows.filter(source__url="")
        if self.value() == "full":
            return rows.filter(source__isnull=False).exclude(source__url="")
        return rows


class ExportAdmin(ExportMixin, admin.ModelAdmin):  # type: ignore[misc]
    """A table with search, paging and export; columns that tell where figures come from."""

    export_formats = (SafeCsv, SafeXlsx)
    list_per_page = 50
    show_full_result_count = False
    save_on_top = True

    def get_resource_classes(self, _: HttpRequest) -> list[type[ModelResource]]:
        """All columns, with references by their key."""
        return [modelresource_factory(self.model)]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """The key of a row is never renamed: others refer to it."""
        fixed = super().get_readonly_fields(request, obj)
        key = self.model._meta.pk.name
        return (*fixed, key) if obj is not None and key in {"slug", "id"} else fixed

    @admin.display(description="source", ordering="source__title")
    def source_link(self, row: Any) -> SafeString | str:
        """The source's title, leading to the original where that has an address."""
        return linked(row.source)


class CatalogueAdmin(ExportAdmin, SimpleHistoryAdmin):  # type: ignore[misc]
    """An editable table whose changes are kept."""

    history_list_display = ("history_change_reason",)


class ReadOnlyAdmin(ExportAdmin):
    """A table that is looked at, not edited."""

    def has_add_permission(self, _: HttpRequest, *__: Any) -> bool:
        return False

    def has_change_permission(self, _: HttpRequest, __: Any = None) -> bool:
        return False

    def has_delete_permission(self, _: HttpRequest, __: Any = None) -> bool:
        return False


def linked(source: Source | None) -> SafeString | str:
    """A source's title as a link to the original; only web addresses become links."""
    if source is None:
        return "—"
    if not source.url.startswith(("https://", "http://")):
        return source.title
    return format_html('<a href="{}" rel="noreferrer noopener">{}</a>', source.url, source.title)
