"""The first pages: choose a preset, confirm a few fields, or pick up earlier work."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import OuterRef, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from advisor.forms import field_of, kinds_of_preset, references, unplaced_problems
from advisor.models import Assessment, Job, Kind
from advisor.questions import PRESETS, draft, first_page, with_form
from advisor.services import assessments, jobs
from advisor.services.accounts import organisation_of
from advisor.views.people import asker, assessments_of

RECENT = 3
PER_PAGE = 25


@require_safe
@never_cache
def start(request: HttpRequest) -> HttpResponse:
    cards = [{"preset": p, "kinds": dict.fromkeys(kinds_of_preset(p.id))} for p in PRESETS.values()]
    recent = with_last_run(request)[:RECENT]
    return render(request, "advisor/start.html", {"nav": "start", "cards": cards, "recent": recent})


@require_safe
@never_cache
def index(request: HttpRequest) -> HttpResponse:
    page = Paginator(with_last_run(request), PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "advisor/assessments.html", {"nav": "assessments", "page": page})


def with_last_run(request: HttpRequest) -> list[Assessment]:
    """The asker's assessments with id and state of their last run, newest first."""
    last = Job.objects.filter(assessment=OuterRef("pk"), kind=Kind.RUN).order_by("-created_at")
    rows = assessments_of(request).annotate(
        last_run=Subquery(last.values("pk")[:1]),
        last_state=Subquery(last.values("state")[:1]),
    )
    return rows.order_by("-changed_at")  # type: ignore[return-value]


@require_http_methods(["GET", "POST"])
@never_cache
def preset(request: HttpRequest, preset_id: str) -> HttpResponse:
    if preset_id not in PRESETS:
        raise Http404
    raw: dict[str, object] = {"preset": preset_id, "answers": {}}
    if request.method == "POST":
        raw = with_form(raw, dict(request.POST.lists()))
        if request.POST.get("action") == "questions":
            kept = assessments.create(raw, asker(request), checked=False)
            return redirect("questionnaire", kept.pk)
    drafted = draft(raw, names=assessments.names_for(organisation_of(asker(request))))
    if request.method == "POST" and not drafted.problems:
        return run_new(request, raw)
    fields = [field_of(each, raw) for each in first_page(drafted)]
    context = {
        "nav": "start",
        "preset": PRESETS[preset_id],
        "fields": fields,
        "several": len(drafted.answers.workloads) > 1,
        "references": references(fields),
        "problems": [field for field in fields if field.asked.problems],
        "other_problems": unplaced_problems(drafted, fields),
        "posted": request.method == "POST",
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "advisor/preset.html", context, status=status)


def run_new(request: HttpRequest, raw: dict[str, object]) -> HttpResponse:
    """Keep the answers, start their run, and show it."""
    kept = assessments.create(raw, asker(request))
    return run_kept(request, kept)


def run_kept(request: HttpRequest, kept: Assessment) -> HttpResponse:
    """Start a run of kept answers and show it; say why where none can be started now."""
    try:
        run = assessments.start_run(kept, asker(request))
    except (jobs.TooManyJobs, jobs.NoSpace) as refusal:
        messages.error(request, f"No run was started: {refusal}.")
        return redirect("questionnaire", kept.pk)
    return redirect("run", run.pk)


@require_POST
def blank(request: HttpRequest) -> HttpResponse:
    kept = assessments.create({"answers": {}}, asker(request), checked=False)
    return redirect("questionnaire", kept.pk)
