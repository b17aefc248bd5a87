"""The decision on a run: recorded, signed, printed, and worked again."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from advisor.engine.answers import InvalidAnswers
from advisor.engine.errors import EngineRefusal
from advisor.models import AmendmentKind, DecisionRecord, Job
from advisor.services import decisions
from advisor.services.accounts import organisation_of
from advisor.services.reasons.asked import NOT_KEPT
from advisor.services.replay import replayed, replayed_today
from advisor.views.people import asker
from advisor.views.sections import answered, page, section_context

UNREADABLE = 422
FIELDS = ("plan", "reason", "conditions", "decided_by")
ADDED = ("kind", "name", "text", "said_on")


@require_http_methods(["GET", "POST"])
@never_cache
def decision(request: HttpRequest, run_id: UUID) -> HttpResponse:
    run = answered(request, run_id)
    if request.method == "POST":
        return _recorded(request, run)
    context = _context(run, request.GET)
    return page(request, "advisor/decision/decision.html", context, known=("replay",))


def _context(
    run: Job, query: Mapping[str, str], typed: Mapping[str, str] | None = None
) -> dict[str, Any]:
    recommended = decisions.recommended_of(run) or {}
    given = dict(typed or {"plan": str(recommended.get("id", "")), "decided_by": ""})
    return section_context(run, "decision") | {
        "records": [decisions.record_document(each) for each in decisions.decisions_of(run)],
        "plans": _plans(decisions.choices(run), str(recommended.get("id", ""))),
        "recommended_id": str(recommended.get("id", "")),
        "typed": given,
        **_replays(run, query.get("replay", "")),
    }


MOST_PLANS = 20


def _plans(plans: list[Mapping[str, Any]], recommended: str) -> list[Mapping[str, Any]]:
    """Plans to choose from: the recommended one, fleets, those that may be recommended, others."""

    def place(plan: Mapping[str, Any]) -> tuple[bool, bool, bool]:
        blocked = bool(plan.get("not_recommended_because"))
        return (str(plan["id"]) != recommended, plan.get("kind") != "fleet", blocked)

    return sorted(plans, key=place)[:MOST_PLANS]


def _replays(run: Job, which: str) -> dict[str, Any]:
    """The run worked again, where that was asked for."""
    if which not in ("kept", "today"):
        return {}
    try:
        if which == "kept":
            return {"replay": replayed(run)}
        return {"today": replayed_today(run)}
    except NOT_KEPT:
        return {"not_kept": True}


def _recorded(request: HttpRequest, run: Job) -> HttpResponse:
    typed = {name: str(request.POST.get(name, "")) for name in FIELDS}
    try:
        record = decisions.record_decision(
            run, owner=asker(request), plan_id=typed["plan"], reason=typed["reason"],
            conditions=typed["conditions"], decided_by=typed["decided_by"],
        )  # fmt: skip
    except InvalidAnswers as refused:
        context = _context(run, {}, typed) | {"errors": _errors(refused)}
        return render(request, "advisor/decision/decision.html", context, status=UNREADABLE)
    return redirect("decision-record", record.pk)


def _errors(refused: InvalidAnswers) -> dict[str, str]:
    return {each.pointer.strip("/"): each.message for each in refused.problems}


@require_http_methods(["GET", "POST"])
@never_cache
def decision_record(request: HttpRequest, record_id: UUID) -> HttpResponse:
    """One decision, ready to be printed, with a form to sign it or add to it."""
    record = _found(request, record_id)
    if request.method == "POST":
        return _amended(request, record)
    return render(request, "advisor/decision/record.html", _record_context(record))


@require_safe
def decision_markdown(request: HttpRequest, record_id: UUID) -> HttpResponse:
    """The decision as a text for a log of decisions."""
    record = _found(request, record_id)
    text = decisions.as_markdown(decisions.record_document(record))
    name = f"decision-{str(record.pk)[:8]}.md"
    return HttpResponse(
        text,
        content_type="text/markdown; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _found(request: HttpRequest, record_id: UUID) -> DecisionRecord:
    try:
        return decisions.decision(organisation_of(asker(request)), record_id)
    except DecisionRecord.DoesNotExist as missing:
        raise Http404 from missing


def _record_context(record: DecisionRecord) -> dict[str, Any]:
    document = decisions.record_document(record)
    signed = document["signed"]
    return {
        "nav": "assessments",
        "record": document,
        "run": record.run,
        "kinds": [
            {"id": kind.value, "label": kind.label}
            for kind in AmendmentKind
            if not signed.get(kind.value)
        ],
        "today": timezone.now().date().isoformat(),
    }


def _amended(request: HttpRequest, record: DecisionRecord) -> HttpResponse:
    typed = {name: str(request.POST.get(name, "")) for name in ADDED}
    try:
        said_on = date.fromisoformat(typed["said_on"]) if typed["said_on"] else None
    except ValueError:
        return _refused(request, record, typed, {"said_on": "type a date such as 2026-11-25"})
    try:
        decisions.amend(
            record, owner=asker(request), kind=typed["kind"], name=typed["name"],
            text=typed["text"], said_on=said_on,
        )  # fmt: skip
    except InvalidAnswers as refused:
        return _refused(request, record, typed, _errors(refused))
    except EngineRefusal as refused:
        return _refused(request, record, typed, {"kind": str(refused)})
    return redirect("decision-record", record.pk)


def _refused(
    request: HttpRequest, record: DecisionRecord, typed: dict[str, str], errors: dict[str, str]
) -> HttpResponse:
    context = _record_context(record) | {"typed": typed, "errors": errors}
    return render(request, "advisor/decision/record.html", context, status=UNREADABLE)
