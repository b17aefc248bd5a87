"""The latency page of a run: percentiles over load, batch limits, and what-ifs."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from advisor.engine.errors import EngineRefusal
from advisor.engine.latency.traces import FORMATS, BadTrace
from advisor.models import Job
from advisor.services import jobs
from advisor.services import latency as simulations
from advisor.services.refusals import problem_of
from advisor.views import latency_page
from advisor.views.latency_form import WhatIf, changed_figures, planned_figures
from advisor.views.people import asker
from advisor.views.sections import answered, section_context, unknown_parameters
from catalog.units import PERCENT

UNREADABLE = 422
PARAMETERS = ("plan", "changed")


@require_http_methods(["GET", "POST"])
@never_cache
def latency(request: HttpRequest, run_id: UUID) -> HttpResponse:
    run = answered(request, run_id)
    plans = simulations.plans_of(run)
    if not plans:
        return render(request, "advisor/latency.html", section_context(run, "latency"))
    plan = _chosen(request, plans)
    if request.method == "POST":
        return _changed(request, run, plan)
    problems = _unreadable(request, run, plans)
    context = _context(request, run, plan) | {"problems": problems}
    return render(request, "advisor/latency.html", context, status=UNREADABLE if problems else 200)


def _unreadable(request: HttpRequest, run: Job, plans: list[dict[str, Any]]) -> list[str]:
    """What of the address means nothing here: it is said, not passed over."""
    problems = [
        f"{text} What is changed against the plan is typed in the strip below."
        for text in unknown_parameters(request, PARAMETERS)
    ]
    plan, changed = (request.GET.get(name, "") for name in PARAMETERS)
    if plan and plan not in [each["id"] for each in plans]:
        problems.append(f"“{plan[:40]}” is no plan of this run whose requests can be simulated.")
    if changed and simulations.simulation_of(run, changed) is None:
        problems.append(f"“{changed[:40]}” is no simulation of this run.")
    return problems


@require_safe
@never_cache
def latency_part(request: HttpRequest, run_id: UUID, simulation_id: UUID) -> HttpResponse:
    """Progress of the plan's own simulation; once it is over the page loads itself anew."""
    run = answered(request, run_id)
    job = _simulation(run, simulation_id)
    response = render(request, "advisor/_simulation.html", {"run": run, **_progress(job)})
    if job.is_final:
        response["HX-Refresh"] = "true"
    return response


@require_safe
@never_cache
def latency_changed(request: HttpRequest, run_id: UUID, simulation_id: UUID) -> HttpResponse:
    """A what-if beside the plan, or how far it is."""
    run = answered(request, run_id)
    job = _simulation(run, simulation_id)
    return render(request, "advisor/_what_if.html", {"run": run, **_comparison(request, run, job)})


def _chosen(request: HttpRequest, plans: list[dict[str, Any]]) -> dict[str, Any]:
    asked = request.POST.get("plan") or request.GET.get("plan")
    return next((plan for plan in plans if plan["id"] == asked), plans[0])


def _context(
    request: HttpRequest, run: Job, plan: dict[str, Any], form: WhatIf | None = None
) -> dict[str, Any]:
    context = section_context(run, "latency") | {
        "plans": simulations.plans_of(run),
        "plan": plan,
        "formats": FORMATS,
    }
    try:
        base = simulations.start_simulation(run, plan["id"], owner=asker(request))
    except (jobs.TooManyJobs, jobs.NoSpace) as error:
        return context | {"refused": str(error)}
    context |= _progress(base)
    result = base.result
    if result:
        context |= {
            "result": result,
            "findings": latency_page.findings(result),
            "table": latency_page.load_table(result),
            "charts": latency_page.charts(result),
            "poisson": latency_page.poisson_table(result),
            "batches": latency_page.batch_table(result),
            "batch_charts": latency_page.batch_charts(result),
        }
    changed = simulations.simulation_of(run, request.GET.get("changed", ""))
    if changed is not None:
        context |= _comparison(request, run, changed, base)
    return context | {"form": form or _form(plan, result, changed)}


def _progress(job: Job) -> dict[str, Any]:
    return {"simulation": job, "percent_done": round(job.progress / PERCENT)}


def _form(plan: dict[str, Any], result: Any, changed: Job | None) -> WhatIf:
    planned = planned_figures(plan, _burstiness(result))
    if changed is None:
        return WhatIf(initial=planned)
    shown = changed_figures(changed.inputs["change"], planned)
    shown["traffic"] = (changed.inputs.get("trace") or {}).get("published", "")
    return WhatIf(initial=shown)


def _burstiness(result: Any) -> float:
    return float(result["burstiness_cv"]) if result else 1.0


def _simulation(run: Job, simulation_id: UUID) -> Job:
    job = simulations.simulation_of(run, simulation_id)
    if job is None:
        raise Http404
    return job


def _comparison(
    request: HttpRequest, run: Job, job: Job, base: Job | None = None
) -> dict[str, Any]:
    """The what-if's part of the page: its progress, or its figures beside the plan's."""
    if base is None:
        base = simulations.start_simulation(run, job.inputs["plan"], owner=asker(request))
    planned = base.result or None
    trace = job.inputs.get("trace") or {}
    context = {
        "changed": job,
        "changed_percent": round(job.progress / PERCENT),
        "changed_trace": None if "published" in trace else trace.get("name"),
    }
    if job.result:
        context |= {
            "changed_result": job.result,
            "planned": planned,
            "lines": latency_page.comparison(planned, job.result),
        }
    return context


def _changed(request: HttpRequest, run: Job, plan: dict[str, Any]) -> HttpResponse:
    """Start what the strip asks for; the page then shows it beside the plan."""
    base = simulations.start_simulation(run, plan["id"], owner=asker(request))
    planned = planned_figures(plan, _burstiness(base.result))
    form = WhatIf(request.POST, request.FILES, initial=planned)
    job = _started(request, run, plan, form) if form.is_valid() else None
    if job is None:
        context = _context(request, run, plan, form)
        template = "advisor/_what_if.html" if request.htmx else "advisor/latency.html"  # type: ignore[attr-defined]
        return render(request, template, context, status=UNREADABLE)
    address = f"{reverse('latency', args=[run.pk])}?plan={plan['id']}&changed={job.pk}"
    if request.htmx:  # type: ignore[attr-defined]
        part = {"run": run, **_comparison(request, run, job, base)}
        response = render(request, "advisor/_what_if.html", part)
        response["HX-Push-Url"] = address
        return response
    return redirect(f"{address}#what-if")


def _started(request: HttpRequest, run: Job, plan: dict[str, Any], form: WhatIf) -> Job | None:
    try:
        return simulations.start_simulation(
            run,
            plan["id"],
            owner=asker(request),
            change=form.change(),
            trace=_trace(request, run, form),
            quick=True,
        )
    except EngineRefusal as error:
        told = problem_of(error) or {}
        for each in told.get("errors") or [{"detail": str(error)}]:
            form.add_error("log" if isinstance(error, BadTrace) else None, each["detail"])
    except (jobs.TooManyJobs, jobs.NoSpace) as error:
        form.add_error(None, str(error))
    return None


def _trace(request: HttpRequest, run: Job, form: WhatIf) -> dict[str, Any] | None:
    """The log sent along, or the one of the what-if shown before."""
    log = form.cleaned_data.get("log")
    if log is not None:
        return simulations.trace_document(log.read().decode("utf-8", "replace"), log.name)
    if form.cleaned_data["traffic"]:
        return simulations.published_document(form.cleaned_data["traffic"])
    earlier = simulations.simulation_of(run, request.POST.get("keep_log", ""))
    return None if earlier is None else simulations.trace_of(earlier)
