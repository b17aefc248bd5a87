"""Quotes and prices of one's own for programs, and the comparison of quotes for a run."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from ninja import Router, Schema, Status
from ninja.errors import HttpError
from pydantic import Field, create_model

from advisor import queries
from advisor.api.access import Strict, key_for
from advisor.models import Kind as JobKind
from advisor.models import Scope
from advisor.services.bids import compared
from catalog.models import Snapshot
from costing.queries import bids, own_prices
from costing.services import BID, OWN_PRICE, as_csv, forget, keep, take_csv
from costing.services.private import Kind, Row

router = Router(tags=["own prices"])
LARGEST_FILE_BYTES = 1_000_000
CSV = "text/csv; charset=utf-8"
Cell = str | float | int | list[str] | None


def _row_in(name: str, kind: Kind) -> type[Strict]:
    """The columns of the file as fields; numbers may be numbers, lists may be lists."""
    fields: dict[str, Any] = {
        column.name: (
            Cell,
            Field(... if column.required else None, description=column.name.replace("_", " ")),
        )
        for column in kind.table.columns
    }
    return create_model(name, __base__=Strict, **fields)


BidIn = _row_in("BidIn", BID)
OwnPriceIn = _row_in("OwnPriceIn", OWN_PRICE)


class RowOut(Schema):
    """A row as its file has it; empty is not stated."""

    id: int
    cells: dict[str, str]


class RowsOut(Schema):
    """All rows of the key's organisation."""

    items: list[RowOut]


class ImportOut(Schema):
    """What a file did."""

    added: int
    changed: int
    refused: list[str] = Field(description="each with its line and reason")


class ComparisonOut(Schema):
    """Quotes compared like for like, one entry a workload; amounts in USD."""

    workloads: list[dict[str, Any]]


def _cells(payload: Strict) -> dict[str, str]:
    return {name: _cell(value) for name, value in payload.model_dump().items()}


def _cell(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return "|".join(value)
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _out(kind: Kind, row: Row) -> dict[str, Any]:
    return {"id": row.pk, "cells": kind.cells(row)}


def _one(rows: QuerySet[Any], row_id: int) -> Row:
    found: Row | None = rows.filter(pk=row_id).first()
    if found is None:
        raise Http404
    return found


def _offer_routes(path: str, kind: Kind, schema: type[Strict], rows: Any, noun: str) -> None:
    """The same addresses for both kinds of rows."""
    name = path.strip("/").replace("-", "_")

    @router.get(path, response=RowsOut, summary=f"All {noun}", url_name=f"list_{name}")
    def listed(request: HttpRequest) -> dict[str, Any]:
        key = key_for(request, Scope.RUN)
        return {"items": [_out(kind, row) for row in rows(key.organisation.pk)]}

    @router.post(path, response={201: RowOut}, summary=f"Keep one of the {noun}")
    def kept(request: HttpRequest, payload: schema) -> Status[Any]:  # type: ignore[valid-type]
        key = key_for(request, Scope.RUN)
        row = keep(kind, _cells(payload), organisation=key.organisation.pk, owner=key.owner)
        return Status(201, _out(kind, row))

    @router.put(f"{path}/{{row_id}}", response=RowOut, summary=f"Change one of the {noun}")
    def changed(request: HttpRequest, row_id: int, payload: schema) -> dict[str, Any]:  # type: ignore[valid-type]
        key = key_for(request, Scope.RUN)
        row = _one(rows(key.organisation.pk), row_id)
        return _out(kind, keep(kind, _cells(payload), organisation=key.organisation.pk, row=row))

    @router.delete(f"{path}/{{row_id}}", response={204: None}, summary=f"Drop one of the {noun}")
    def dropped(request: HttpRequest, row_id: int) -> Status[Any]:
        key = key_for(request, Scope.RUN)
        forget(_one(rows(key.organisation.pk), row_id))
        return Status(204, None)

    @router.get(f"{path}.csv", summary=f"The {noun} as a CSV file")
    def exported(request: HttpRequest) -> HttpResponse:
        key = key_for(request, Scope.EXPORT)
        content = as_csv(kind, list(rows(key.organisation.pk)))
        return HttpResponse(content, content_type=CSV)

    @router.post(
        f"{path}.csv", response=ImportOut, summary=f"Add or replace {noun} from a CSV text"
    )
    def imported(request: HttpRequest) -> dict[str, Any]:
        key = key_for(request, Scope.RUN)
        if len(request.body) > LARGEST_FILE_BYTES:
            raise HttpError(413, "the file is larger than 1 MB: send it in parts")
        content = request.body.decode("utf-8", errors="replace")
        report = take_csv(kind, content, organisation=key.organisation.pk, owner=key.owner)
        return {
            "added": report.added,
            "changed": report.changed,
            "refused": [str(refusal) for refusal in report.refused],
        }


_offer_routes("/bids", BID, BidIn, bids, "quotes")
_offer_routes("/own-prices", OWN_PRICE, OwnPriceIn, own_prices, "prices of your own")


@router.get(
    "/runs/{run_id}/bids",
    response=ComparisonOut,
    summary="The quotes, compared like for like for the workloads of a run",
)
def run_bids(request: HttpRequest, run_id: UUID) -> dict[str, Any]:
    key = key_for(request, Scope.RUN)
    job = queries.job(key.organisation, run_id, kind=JobKind.RUN)
    if job.result is None:
        raise Http404
    try:
        return {"workloads": compared(job)}
    except Snapshot.DoesNotExist:
        raise Http404 from None
