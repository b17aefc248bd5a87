"""A run: its progress, its answer, its files."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from advisor.models import Job, State
from advisor.services import asked_fleets, jobs, mixing
from advisor.views.answer import answer_context
from advisor.views.fleet import criteria
from advisor.views.people import asker, run_of
from advisor.views.sections import answered, page, section_context
from advisor.views.tradeoffs import PARAMETERS
from catalog.units import PERCENT


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
        context |= _mix(mixing.weigh(found, owner=asker(request)))
        context |= _asked(asked_fleets.search(found, owner=asker(request)))
    return page(request, "advisor/run.html", context, known=PARAMETERS)


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


@require_safe
@never_cache
def run_mix(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """What the search for a mixed fleet has come to; it asks again while it is not over."""
    found = answered(request, run_id)
    context = {"run": found, "document": found.result, **_mix(mixing.known(found))}
    return render(request, "advisor/_mix.html", context)


def _mix(job: Job | None) -> dict[str, Any]:
    return {} if job is None else {"mix": mixing.verdict_of(job), "mix_job": job}


@require_safe
@never_cache
def run_asked_fleet(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """What the search for the objective asked for has come to; it asks again while it runs."""
    found = answered(request, run_id)
    context = {"run": found, "document": found.result, **_asked(asked_fleets.known(found))}
    return render(request, "advisor/_asked_fleet.html", context)


def _asked(job: Job | None) -> dict[str, Any]:
    if job is None:
        return {}
    result = job.result or {}
    return {"asked_fleet": job, "result": result, "criteria": criteria(result)}


@require_POST
def run_cancel(request: HttpRequest, run_id: UUID) -> HttpResponse:
    found = run_of(request, run_id, with_result=False)
    jobs.cancel(found)
    return redirect("run", found.pk)


def _percent(found: Job) -> int:
    return round(found.progress / PERCENT)
