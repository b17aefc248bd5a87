"""The catalogue for programs: pages of plain values in base units, with cursors and ETags."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass
from datetime import date
from enum import Enum
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from pydantic import Field

from catalog import queries
from catalog.models import Source

router = Router(tags=["catalogue"])
MOST = 500
USUAL = 100


class BadCursor(ValueError):
    """A cursor that this API did not give out."""


class PageQuery(Schema):
    """Which part of a list: pass `next_cursor` of the last page as `cursor`."""

    cursor: str = Field("", description="next_cursor of the previous page; empty for the first")
    limit: int = Field(USUAL, ge=1, le=MOST, description="rows on a page")
    search: str = Field("", max_length=100, description="text that slug or name contains")


class Page(Schema):
    """One page of a list."""

    items: list[dict[str, Any]]
    next_cursor: str | None
    total: int
    catalog_digest: str


def plain(value: Any) -> Any:
    """A value of the catalogue as JSON carries it."""
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, frozenset | set):
        return sorted(value)
    if isinstance(value, tuple | list):
        return [plain(each) for each in value]
    if hasattr(value, "items"):
        return {str(key): plain(each) for key, each in value.items()}
    return value


def start_of(cursor: str) -> int:
    """First row of the page that a cursor names; raises BadCursor."""
    if not cursor:
        return 0
    try:
        start = int(base64.urlsafe_b64decode(cursor.encode()).decode().removeprefix("row:"))
    except (binascii.Error, ValueError, UnicodeDecodeError) as error:
        message = "this cursor was not given out by this list; leave it empty for the first page"
        raise BadCursor(message) from error
    if start < 0:
        message = "this cursor was not given out by this list; leave it empty for the first page"
        raise BadCursor(message)
    return start


def cursor_at(row: int) -> str:
    """The cursor of the page that starts with a row."""
    return base64.urlsafe_b64encode(f"row:{row}".encode()).decode()


def paged(
    request: HttpRequest, response: HttpResponse, values: Sequence[Any], page: PageQuery
) -> Any:
    """One page of values, or 304 where the client has it already."""
    state = queries.catalogue_state()
    etag = f'"{state[:32]}"'
    if request.headers.get("If-None-Match") == etag:
        return HttpResponse(status=304, headers={"ETag": etag})
    wanted = page.search.casefold()
    found = [value for value in values if wanted in _searchable(value)] if wanted else values
    start = start_of(page.cursor)
    stop = start + page.limit
    next_cursor = cursor_at(stop) if stop < len(found) else None
    response["ETag"] = etag
    if next_cursor:
        query = request.GET.copy()
        query["cursor"] = next_cursor
        response["Link"] = f'<{request.path}?{query.urlencode()}>; rel="next"'
    return {
        "items": [plain(value) for value in found[start:stop]],
        "next_cursor": next_cursor,
        "total": len(found),
        "catalog_digest": state,
    }


def _searchable(value: Any) -> str:
    names = ("slug", "name", "accelerator_slug", "model_slug", "provider", "model", "title", "id")
    if isinstance(value, dict):
        return " ".join(str(value.get(name, "")) for name in names).casefold()
    return " ".join(str(getattr(value, name, "")) for name in names).casefold()


def _listed(name: str, summary: str, values: Callable[[], Sequence[Any]]) -> None:
    def listing(request: HttpRequest, response: HttpResponse, page: Query[PageQuery]) -> Any:
        return paged(request, response, values(), page)

    listing.__name__ = f"list_{name}"
    router.get(f"/{name}", response=Page, summary=summary, operation_id=f"list_{name}")(listing)


def _sources() -> list[dict[str, Any]]:
    return [dict(row) for row in Source.objects.order_by("id").values("id", "title", "url")]


_listed("accelerators", "Accelerators, dense peaks", lambda: queries.snapshot().accelerators)
_listed("systems", "Nodes, racks, slices and pods", lambda: queries.snapshot().systems)
_listed("models", "Model architectures", lambda: queries.snapshot().models)
_listed("offers", "Ways to rent or buy, as known today", lambda: queries.snapshot().offers)
_listed(
    "measurements",
    "Published measurements, serving first",
    lambda: (*queries.serving_measurements(), *queries.training_measurements()),
)
_listed("sources", "Where figures were read", _sources)
