"""The page that explains an answer: why, why not, and what would change it."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from advisor.models import Job
from advisor.services import jobs
from advisor.services.reasons import asked
from advisor.views.people import asker
from advisor.views.sections import answered, page, section_context
from advisor.views.why_page import explained
from catalog.units import PERCENT


@require_safe
@never_cache
def why(request: HttpRequest, run_id: UUID) -> HttpResponse:
    run = answered(request, run_id)
    context = section_context(run, "why")
    try:
        quick = asked.at_once(run)
    except asked.NOT_KEPT:
        return page(request, "advisor/why/why.html", context | {"not_kept": True})
    try:
        job = asked.start_reasons(run, owner=asker(request))
    except (jobs.TooManyJobs, jobs.NoSpace) as error:
        return page(
            request, "advisor/why/why.html", context | explained(quick) | {"refused": str(error)}
        )
    context |= explained(job.result or quick) | _progress(job)
    return page(request, "advisor/why/why.html", context)


@require_safe
@never_cache
def why_part(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """The progress alone; once the explanation is there it asks the page to load itself anew."""
    run = answered(request, run_id)
    job = asked.start_reasons(run, owner=asker(request))
    response = render(request, "advisor/why/_progress.html", {"run": run} | _progress(job))
    if job.is_final:
        response["HX-Refresh"] = "true"
    return response


@require_POST
def why_again(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Once more, after an explanation that failed."""
    run = answered(request, run_id)
    asked.start_reasons(run, owner=asker(request), again=True)
    return redirect("why", run.pk)


def _progress(job: Job) -> dict[str, Any]:
    return {"explanation": job, "percent_done": round(job.progress / PERCENT)}
