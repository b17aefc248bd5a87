"""A run: its progress, its answer, its files."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from advisor.exports import as_csv, as_json, as_markdown
from advisor.models import Job, State
from advisor.services import jobs
from advisor.views.answer import answer_context
from advisor.views.people import run_of
from advisor.views.sections import section_context
from catalog.units import PERCENT

FORMS = {
    "json": ("application/json", as_json),
    "csv": ("text/csv; charset=utf-8", as_csv),
    "md": ("text/markdown; charset=utf-8", as_markdown),
}


@require_safe
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
        context |= answer_context(found.result, request.GET.dict()) | section_context(found, "run")
    return render(request, "advisor/run.html", context)


@require_safe
@never_cache
def run_part(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """The progress alone; once the run is over it asks the page to load itself anew."""
    found = run_of(request, run_id, with_result=False)
    part = {"run": found, "percent_done": _percent(found)}
    response = render(request, "advisor/_progress.html", part)
    if found.is_final:
        response["HX-Refresh"] = "true"
    return response


@require_POST
def run_cancel(request: HttpRequest, run_id: UUID) -> HttpResponse:
    found = run_of(request, run_id, with_result=False)
    jobs.cancel(found)
    return redirect("run", found.pk)


@require_safe
def run_export(request: HttpRequest, run_id: UUID, form: str) -> HttpResponse:
    found = run_of(request, run_id)
    if found.state != State.SUCCEEDED or not found.result or form not in FORMS:
        raise Http404
    content_type, text = FORMS[form]
    name = f"advice-{str(found.pk)[:8]}.{form}"
    return HttpResponse(
        text(found.result),
        content_type=content_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _percent(found: Job) -> int:
    return round(found.progress / PERCENT)
