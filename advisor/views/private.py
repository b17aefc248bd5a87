"""Pages of an organisation's quotes and prices: the list, one row, the file."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from advisor.services.accounts import organisation_of
from advisor.views.people import asker
from advisor.views.private_fields import (
    BID_GROUPS,
    PER_LABELS,
    PRICE_GROUPS,
    PURCHASE_LABELS,
    WHAT_LABELS,
    Group,
    shown_groups,
)
from catalog.engine.tables import BadTable
from catalog.models import Accelerator, Provider, System
from costing.queries import bids, currencies, own_prices, rates
from costing.services import BID, OWN_PRICE, BadRow, as_csv, forget, keep, take_csv
from costing.services.private import Kind, Row

LARGEST_FILE_BYTES = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """What the pages of quotes and those of prices differ in."""

    kind: Kind
    rows: Callable[[str], QuerySet[Any]]
    groups: Sequence[Group]
    url: str  # name of the list's address; the others begin with it
    template: str
    one: str
    many: str
    fresh: Mapping[str, str]  # what stands in a new form


BIDS = Pages(
    kind=BID, rows=bids, groups=BID_GROUPS, url="bids", template="advisor/private/bids.html",
    one="quote", many="quotes", fresh={"currency": "USD", "purchase": "buy", "price_per": "system"},
)  # fmt: skip
PRICES = Pages(
    kind=OWN_PRICE, rows=own_prices, groups=PRICE_GROUPS, url="prices",
    template="advisor/private/prices.html", one="price", many="prices", fresh={"currency": "USD"},
)  # fmt: skip


def _organisation(request: HttpRequest) -> str:
    return str(organisation_of(asker(request)).pk)


def _listed(request: HttpRequest, pages: Pages, *, status: int = 200, **more: Any) -> HttpResponse:
    today = timezone.localdate()
    rows = [
        {"row": row, "ended": row.valid_until is not None and row.valid_until < today}
        for row in pages.rows(_organisation(request))
    ]
    context = {
        "nav": "bids",
        "pages": pages,
        "rows": rows,
        "columns": [column.name for column in pages.kind.table.columns],
        "per": PER_LABELS,
        "purchases": PURCHASE_LABELS,
        "whats": WHAT_LABELS,
        "currencies": currencies().values(),
        "rates": sorted(rates().values(), key=lambda rate: rate.id),
        **more,
    }
    return render(request, pages.template, context, status=status)


def _form(
    request: HttpRequest,
    pages: Pages,
    row: Row | None,
    cells: Mapping[str, str],
    error: BadRow | None = None,
) -> HttpResponse:
    problems = error.problems if error else {}
    context = {
        "nav": "bids",
        "pages": pages,
        "row": row,
        "groups": shown_groups(pages.groups, pages.kind.table, cells, problems),
        "problem": problems.get("", ""),
        "problems": len(problems),
        "lists": {
            "accelerators": Accelerator.objects.values_list("pk", "name"),
            "systems": System.objects.values_list("pk", "name"),
            "providers": Provider.objects.values_list("pk", "name"),
            "currencies": [(each.code, each.name) for each in currencies().values()],
            "rates": [(each.id, each.label) for each in rates().values()],
        },
    }
    return render(request, "advisor/private/form.html", context, status=422 if error else 200)


def _edited(request: HttpRequest, pages: Pages, row: Row | None) -> HttpResponse:
    if request.method != "POST":
        cells = pages.kind.cells(row) if row else dict(pages.fresh)
        return _form(request, pages, row, cells)
    names = [column.name for column in pages.kind.table.columns]
    cells = {name: "|".join(request.POST.getlist(name)) for name in names}
    try:
        kept = keep(
            pages.kind, cells, organisation=_organisation(request), owner=asker(request), row=row
        )
    except BadRow as error:
        return _form(request, pages, row, cells, error)
    messages.success(request, f"Kept: {kept}.")
    return redirect(pages.url)


def _imported(request: HttpRequest, pages: Pages) -> HttpResponse:
    file = request.FILES.get("file")
    if file is None or (file.size or 0) > LARGEST_FILE_BYTES:
        why = "Choose a CSV file." if file is None else "The file is larger than 1 MB."
        return _listed(request, pages, status=422, file_problem=why)
    try:
        report = take_csv(
            pages.kind,
            file.read().decode("utf-8", errors="replace"),
            organisation=_organisation(request),
            owner=asker(request),
        )
    except BadTable as problem:
        return _listed(request, pages, status=422, file_problem=f"{problem}. Nothing was taken.")
    messages.success(request, f"{report.added} added, {report.changed} replaced.")
    if report.refused:
        return _listed(request, pages, status=422, refused=report.refused)
    return redirect(pages.url)


def _exported(request: HttpRequest, pages: Pages) -> HttpResponse:
    return HttpResponse(
        as_csv(pages.kind, list(pages.rows(_organisation(request)))),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{pages.kind.table.file}"'},
    )


def _one(request: HttpRequest, pages: Pages, row_id: int) -> Row:
    found: Row = get_object_or_404(pages.rows(_organisation(request)), pk=row_id)
    return found


@require_safe
@never_cache
def listed(request: HttpRequest, pages: Pages) -> HttpResponse:
    return _listed(request, pages)


@require_http_methods(["GET", "POST"])
@never_cache
def new(request: HttpRequest, pages: Pages) -> HttpResponse:
    return _edited(request, pages, None)


@require_http_methods(["GET", "POST"])
@never_cache
def edited(request: HttpRequest, pages: Pages, row_id: int) -> HttpResponse:
    return _edited(request, pages, _one(request, pages, row_id))


@require_POST
def dropped(request: HttpRequest, pages: Pages, row_id: int) -> HttpResponse:
    row = _one(request, pages, row_id)
    messages.success(request, f"Dropped: {row}.")
    forget(row)
    return redirect(pages.url)


@require_POST
def imported(request: HttpRequest, pages: Pages) -> HttpResponse:
    return _imported(request, pages)


@require_safe
@never_cache
def exported(request: HttpRequest, pages: Pages) -> HttpResponse:
    return _exported(request, pages)
