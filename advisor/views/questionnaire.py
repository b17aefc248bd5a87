"""The whole questionnaire of an assessment: kept at every step, run when it is right."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from advisor.engine.latency.traces import LARGEST_BYTES
from advisor.forms import (
    all_fields,
    parts_of,
    references,
    unplaced_problems,
    with_workload,
    without_workload,
)
from advisor.models import Assessment
from advisor.questions import draft, with_form
from advisor.questions.logs import too_large
from advisor.services import assessments
from advisor.views.people import assessment_of
from advisor.views.start import run_kept

TIERS = ((1, "Essential"), (2, "Standard"), (3, "Everything"))


@require_http_methods(["GET", "POST"])
@never_cache
def questionnaire(request: HttpRequest, assessment_id: UUID) -> HttpResponse:
    kept = assessment_of(request, assessment_id)
    if request.method == "POST":
        return _posted(request, kept)
    return _page(request, kept, kept.raw_answers())


def _posted(request: HttpRequest, kept: Assessment) -> HttpResponse:
    action = request.POST.get("action", "save")
    raw = with_form(kept.raw_answers(), dict(request.POST.lists()), logs_sent(request))
    count = len(draft(raw).answers.workloads)
    if action == "add":
        raw = with_workload(raw, count)
    elif action.startswith("remove-") and action.removeprefix("remove-").isdecimal():
        index = int(action.removeprefix("remove-"))
        raw = without_workload(raw, index, count) if index < count else raw
    try:
        assessments.update(kept, raw, revision=_revision(request), checked=False)
    except assessments.StaleRevision:
        return _page(request, kept, raw, status=409)
    if action == "run":
        return _run(request, kept, raw)
    if request.htmx:  # type: ignore[attr-defined]
        return _page(request, kept, raw)
    if action == "save":
        messages.success(request, "Saved.")
    anchor = f"#workload-{count + 1}" if action == "add" else ""
    return redirect(f"{reverse('questionnaire', args=[kept.pk])}?tier={_tier(request)}{anchor}")


def logs_sent(request: HttpRequest) -> dict[str, object]:
    """The files of a posted form by field name, as answers take them."""
    found: dict[str, object] = {}
    for name, file in request.FILES.items():
        named = str(file.name)  # type: ignore[union-attr]
        if (file.size or 0) > LARGEST_BYTES:  # type: ignore[union-attr]
            found[name] = too_large(named)
        else:
            text = file.read().decode("utf-8", "replace")  # type: ignore[union-attr]
            found[name] = {"name": named, "text": text}
    return found


def _run(request: HttpRequest, kept: Assessment, raw: dict[str, Any]) -> HttpResponse:
    checked = draft(raw, names=assessments.names_for(kept.organisation))
    if checked.problems:
        return _page(request, kept, raw, status=422)
    return run_kept(request, kept)


def _page(
    request: HttpRequest, kept: Assessment, raw: dict[str, Any], status: int = 200
) -> HttpResponse:
    drafted = draft(raw, names=assessments.names_for(kept.organisation))
    tier = _tier(request)
    parts = parts_of(drafted, raw, tier=tier)
    fields = all_fields(parts)
    context = {
        "nav": "assessments",
        "assessment": kept,
        "parts": parts,
        "tier": tier,
        "tiers": TIERS,
        "several": len(drafted.answers.workloads) > 1,
        "references": references(fields),
        "problems": [field for field in fields if field.asked.problems],
        "other_problems": unplaced_problems(drafted, fields),
        "show_problems": status == 422,  # noqa: PLR2004
        "conflict": status == 409,  # noqa: PLR2004
        "warnings": drafted.answers.warnings,
        "set_aside": drafted.answers.set_aside,
    }
    return render(request, "advisor/questionnaire.html", context, status=status)


def _tier(request: HttpRequest) -> int:
    text = request.POST.get("tier") or request.GET.get("tier") or ""
    return int(text) if text in {str(number) for number, _ in TIERS} else 1


def _revision(request: HttpRequest) -> int | None:
    text = request.POST.get("revision", "")
    return int(text) if text.isdecimal() else None


@require_POST
def run_again(request: HttpRequest, assessment_id: UUID) -> HttpResponse:
    kept = assessment_of(request, assessment_id)
    raw = kept.raw_answers()
    if draft(raw, names=assessments.names_for(kept.organisation)).problems:
        return redirect("questionnaire", kept.pk)
    return run_kept(request, kept)
