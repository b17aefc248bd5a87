"""A list that is searched, filtered and paged by its address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest

PER_PAGE = 50
LONGEST_SEARCH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """One choice above a list."""

    name: str
    label: str
    column: str
    options: Sequence[tuple[str, str]]
    chosen: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a list page shows."""

    page: Page[Any]
    filters: tuple[Filter, ...]
    search: str
    query: str  # the address without the page

    @property
    def is_filtered(self) -> bool:
        """Whether anything is left out."""
        return bool(self.query)


def listing(
    request: HttpRequest,
    rows: QuerySet[Any],
    *,
    search: Sequence[str],
    filters: Sequence[Filter] = (),
    per_page: int = PER_PAGE,
) -> Listing:
    """The rows that the address asks for; values it does not know are ignored."""
    text = request.GET.get("q", "").strip()[:LONGEST_SEARCH].replace("\x00", "")
    if text:
        wanted = Q()
        for column in search:
            wanted |= Q(**{f"{column}__icontains": text})
        rows = rows.filter(wanted)
    chosen = []
    for each in filters:
        value = request.GET.get(each.name, "")
        known = value in dict(each.options)
        if known and value:
            rows = rows.filter(**{each.column: value})
        chosen.append(
            Filter(
                name=each.name,
                label=each.label,
                column=each.column,
                options=each.options,
                chosen=value if known else "",
            )
        )
    return Listing(
        page=Paginator(rows, per_page).get_page(request.GET.get("page")),
        filters=tuple(chosen),
        search=text,
        query=_query(request, chosen, text),
    )


def _query(request: HttpRequest, filters: Sequence[Filter], search: str) -> str:
    kept = request.GET.copy()
    names = {each.name for each in filters if each.chosen} | ({"q"} if search else set())
    for name in list(kept):
        if name not in names:
            del kept[name]
    return kept.urlencode()


def choices(
    values: Sequence[str], labels: Mapping[str, str] | None = None
) -> list[tuple[str, str]]:
    """Options of a filter from ids."""
    return [(value, (labels or {}).get(value, value.replace("_", " "))) for value in values]
