"""The fleet page of a run: who serves what in every hour of the week, what mixing saves."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from advisor.charts import FAMILY_LABELS
from advisor.models import Job
from advisor.services import fleets, jobs
from advisor.templatetags.quantities import purchase
from advisor.views.fleet_chart import week_figures
from advisor.views.people import asker
from advisor.views.sections import answered, page, section_context
from catalog.units import PERCENT

SAME = 0.0005


@require_safe
@never_cache
def fleet(request: HttpRequest, run_id: UUID) -> HttpResponse:
    run = answered(request, run_id)
    robust = request.GET.get("robust") == "1"
    context = section_context(run, "fleet") | {"robust": robust}
    if run.result and run.result.get("recommendation") is None:
        return _page(request, context | {"empty": True})
    asked = request.GET.get("fleet", "")
    try:
        job = _asked(run, asked) or fleets.start_fleet(run, owner=asker(request), robust=robust)
    except (jobs.TooManyJobs, jobs.NoSpace) as error:
        return _page(request, context | {"refused": str(error)})
    return _page(request, context | _shown(job))


def _page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    return page(request, "advisor/fleet.html", context, known=("robust", "fleet"))


@require_safe
@never_cache
def fleet_part(request: HttpRequest, run_id: UUID, fleet_id: UUID) -> HttpResponse:
    """The progress alone; once the search is over the page loads itself anew."""
    run = answered(request, run_id)
    job = _fleet(run, fleet_id)
    response = render(request, "advisor/_fleet_progress.html", {"run": run, **_shown(job)})
    if job.is_final:
        response["HX-Refresh"] = "true"
    return response


@require_POST
def fleet_cancel(request: HttpRequest, run_id: UUID, fleet_id: UUID) -> HttpResponse:
    run = answered(request, run_id)
    job = jobs.cancel(_fleet(run, fleet_id))
    response = redirect("fleet", run.pk)
    response["Location"] += f"?fleet={job.pk}"
    return response


def _asked(run: Job, fleet_id: str) -> Job | None:
    try:
        return fleets.fleet_of_run(run, UUID(fleet_id)) if fleet_id else None
    except ValueError:
        return None


def _fleet(run: Job, fleet_id: UUID) -> Job:
    found = fleets.fleet_of_run(run, fleet_id)
    if found is None:
        raise Http404
    return found


def _shown(job: Job) -> dict[str, Any]:
    result = job.result
    shown: dict[str, Any] = {"fleet_job": job, "percent_done": round(job.progress / PERCENT)}
    if result:
        shown |= {
            "result": result,
            "charts": week_figures(result),
            "rows": plainer(result),
            "criteria": criteria(result),
        }
    return shown


def criteria(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What another objective than cost weighed, here and in the fleet of least cost."""
    found = (result.get("objective") or {}).get("criteria", ())
    return [
        dict(each)
        | {"is_share": not each["unit"], "against": _against(each["value"], each["of_least_cost"])}
        for each in found
    ]


def plainer(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What other fleets cost beside this one; those that are not known are left out."""
    single = result["single"]
    kind = ""
    if single:
        kind = f": {FAMILY_LABELS.get(single['family'], single['family'])}, "
        kind += purchase(single["purchase"]).lower()
    asked = result.get("objective") or {}
    known = (
        ("Fleet of least cost", asked.get("least_cost_usd")),
        (f"Best fleet of one family bought in one way{kind}", single and single["usd"]),
        ("Best fleet of one family, any contracts", result["one_family_usd"]),
        ("Greedy plan: one workload after another", result["greedy_usd"]),
        ("Each workload on machines of its own", result["separate_usd"]),
        ("Each workload's recommended plan, kept as it is", result["plans_usd"]),
        ("No fleet costs less than", result["bound_usd"]),
    )
    total = result["total_usd"]
    return [
        {"label": label, "usd": usd, "against": _against(usd, total)}
        for label, usd in known
        if usd is not None
    ]


def _against(usd: float, total: float) -> str:
    change = usd / total - 1.0 if total else 0.0
    return "the same" if abs(change) < SAME else f"{change:+.1%}"
