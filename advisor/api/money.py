"""The money of a run: cash flow, ways, crossings, ranges and carbon as rows of tables."""

import json
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router, Schema
from ninja.errors import HttpError
from pydantic import Field

from advisor import queries
from advisor.api.access import key_for
from advisor.models import Kind, Scope
from advisor.services.money import NothingToCost, money_of, read_wishes
from advisor.tables import Table, money_tables

router = Router(tags=["money"])


class MoneyQuery(Schema):
    """What-if terms; what is left out stays as answered."""

    plan: str = Field("", description="id of a plan of the run; empty: the recommended one")
    scenario: str = Field("flat", description="flat, falling, rising, spot or own")
    horizon_months: str = Field("", description="1 to 120")
    growth_month_pct: str = Field("", description="growth of demand, % a month")
    discount_rate_pct: str = Field("", description="% a year")
    carbon_price: str = Field("", description="USD per tonne of CO2e")
    price_change_pct: str = Field("", description="for the scenario own, % a year")


class TableOut(Schema):
    """One table: its point in a sentence, and its rows by column; null is unknown."""

    title: str
    point: str
    note: str
    columns: list[str]
    rows: list[dict[str, Any]]


class MoneyOut(Schema):
    """A plan's money under the terms asked for."""

    plan: str
    plan_name: str
    workload: str
    scenario: str
    horizon_months: int
    growth_per_month: float
    discount_rate: float
    carbon_usd_per_tonne: float
    total_usd: float | None
    present_usd: float | None
    tables: dict[str, TableOut]


@router.get("/runs/{run_id}/money", response=MoneyOut, summary="What a plan costs over time")
def get_money(request: HttpRequest, run_id: UUID, terms: Query[MoneyQuery]) -> dict[str, Any]:
    key = key_for(request, Scope.RUN)
    run = queries.job(key.organisation, run_id, kind=Kind.RUN)
    if run.result is None:
        raise HttpError(409, f"the run is {run.state}; only a succeeded run has its money")
    try:
        found = money_of(run, read_wishes({**terms.dict(), **request.GET.dict()}))
    except NothingToCost as refusal:
        raise HttpError(409, str(refusal)) from refusal
    rules = found.rules
    total, present = float(found.cost.total_usd[0]), float(found.flow.present_usd[0])
    return {
        "plan": found.plan.id,
        "plan_name": found.plan.name,
        "workload": found.workload.name,
        "scenario": found.scenario.id,
        "horizon_months": rules.horizon_months,
        "growth_per_month": rules.growth_per_month,
        "discount_rate": rules.discount_rate,
        "carbon_usd_per_tonne": rules.carbon_usd_per_tonne,
        "total_usd": total if total == total else None,
        "present_usd": present if present == present else None,
        "tables": {name: _table_out(table) for name, table in money_tables(found).items()},
    }


def _table_out(table: Table) -> dict[str, Any]:
    return {
        "title": table.title,
        "point": table.point,
        "note": table.note,
        "columns": list(table.frame.columns),
        "rows": json.loads(table.frame.to_json(orient="records", double_precision=10)),
    }
