"""A run: its progress, its answer, its files."""

import csv
import io
import json
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from advisor.models import Job, State
from advisor.services import jobs
from advisor.views.answer import answer_context
from advisor.views.people import run_of
from catalog.units import PERCENT


@require_GET
@never_cache
def run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    found = run_of(request, run_id)
    context: dict[str, Any] = {
        "nav": "assessments",
        "run": found,
        "name": found.assessment.name if found.assessment else "Run",
        "percent_done": _percent(found),
    }
    if found.state == State.SUCCEEDED and found.result:
        context |= answer_context(found.result, request.GET.dict())
        context["name"] = found.result.get("name") or context["name"]
    return render(request, "advisor/run.html", context)


@require_GET
@never_cache
def run_part(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """The progress alone; once the run is over it asks the page to load itself anew."""
    found = run_of(request, run_id)
    part = {"run": found, "percent_done": _percent(found)}
    response = render(request, "advisor/_progress.html", part)
    if found.is_final:
        response["HX-Refresh"] = "true"
    return response


@require_POST
def run_cancel(request: HttpRequest, run_id: UUID) -> HttpResponse:
    found = run_of(request, run_id)
    jobs.cancel(found)
    return redirect("run", found.pk)


@require_GET
def run_export(request: HttpRequest, run_id: UUID, form: str) -> HttpResponse:
    found = run_of(request, run_id)
    if found.state != State.SUCCEEDED or not found.result or form not in ("json", "csv"):
        raise Http404
    name = f"advice-{str(found.pk)[:8]}.{form}"
    if form == "json":
        text = json.dumps(found.result, indent=2, ensure_ascii=False)
        kind = "application/json"
    else:
        text, kind = _as_csv(found.result), "text/csv; charset=utf-8"
    return HttpResponse(
        text,
        content_type=kind,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _percent(found: Job) -> int:
    return round(found.progress / PERCENT)


PLAIN = (
    "id",
    "name",
    "workload",
    "family",
    "accelerator",
    "accelerator_count",
    "system",
    "system_count",
    "provider",
    "region",
    "country",
    "purchase",
    "precision",
    "engine",
    "meets_targets",
    "price_open",
)
DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


def _as_csv(document: dict[str, Any]) -> str:
    """Every plan as a row; each figure as value, low, high and unit; no formulas."""
    plans = document["plans"]
    figures = list(
        dict.fromkeys(
            key
            for plan in plans
            for key, value in plan.items()
            if isinstance(value, dict) and "evidence" in value and "value" in value
        )
    )
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    parts = ("value", "low", "high", "unit", "evidence")
    writer.writerow([*PLAIN, *(f"{key}_{part}" for key in figures for part in parts)])
    for plan in plans:
        row = [plan.get(name) for name in PLAIN]
        row += [(plan.get(key) or {}).get(part) for key in figures for part in parts]
        writer.writerow([_safe(value) for value in row])
    return out.getvalue()


def _safe(value: Any) -> Any:
    """Text that a spreadsheet would run as a formula gets a quote before it."""
    if isinstance(value, str) and value.lstrip(" '\"").startswith(DANGEROUS):
        return f"'{value}"
    return "" if value is None else value
