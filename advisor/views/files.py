"""The files of a run: the menu, and the way to each of them."""

from itertools import groupby
from typing import Any
from uuid import UUID

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from advisor.exports.formats import Format
from advisor.exports.one_page import PDF, one_page
from advisor.exports.refusal import CannotExport
from advisor.exports.registry import UnknownFormat, file_of, menu_of
from advisor.exports.subject import NoSuchPlan, Subject, subject_of
from advisor.models import Job
from advisor.views.documents import by_workload
from advisor.views.sections import answered, page, section_context


@require_safe
@never_cache
def files(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """What can be taken away, for whom, and why the rest cannot."""
    return _menu(request, answered(request, run_id))


@require_safe
def run_export(request: HttpRequest, run_id: UUID, form: str) -> HttpResponseBase:
    """One file; a plan that the format cannot express is answered by the menu, which says why."""
    run = answered(request, run_id)
    try:
        file = file_of(_subject(request, run), form)
    except UnknownFormat as unknown:
        raise Http404 from unknown
    except CannotExport as reason:
        return _menu(request, run, refused=str(reason), status=422)
    return FileResponse(
        file.stream, as_attachment=True, filename=file.name, content_type=file.content_type
    )


@require_safe
@never_cache
def board(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """The page for the board, made for paper."""
    run = answered(request, run_id)
    subject = _subject(request, run)
    context = section_context(run, "files") | one_page(subject)
    context |= {"pdf_refused": PDF.refusal(subject), "query": _query(subject)}
    return render(request, "advisor/files/one_page.html", context)


def _query(subject: Subject) -> str:
    """What names the plan in an address; nothing for the recommended one."""
    return "" if subject.is_recommended or not subject.plan else f"?plan={subject.plan['id']}"


def _subject(request: HttpRequest, run: Job) -> Subject:
    try:
        return subject_of(run, request.GET.get("plan", ""))
    except NoSuchPlan as unknown:
        raise Http404 from unknown


def _group(audience: str, entries: list[tuple[Format, str]]) -> dict[str, Any]:
    """The formats for one audience; a reason that all of them share is told once."""
    reasons = {reason for _, reason in entries}
    return {
        "audience": audience,
        "entries": [{"format": each, "reason": reason} for each, reason in entries],
        "shared_reason": reasons.pop() if len(entries) > 1 and len(reasons) == 1 else "",
    }


def _menu(request: HttpRequest, run: Job, *, refused: str = "", status: int = 200) -> HttpResponse:
    subject = _subject(request, run)
    entries = menu_of(subject)
    groups = [
        _group(audience, list(group))
        for audience, group in groupby(entries, key=lambda entry: entry[0].audience)
    ]
    context: dict[str, Any] = {
        "groups": groups,
        "plan": subject.plan,
        "is_recommended": subject.is_recommended,
        "query": _query(subject),
        "choices": by_workload(subject.document["plans"]),
        "refused": refused,
    }
    context |= section_context(run, "files")
    return page(request, "advisor/files/files.html", context, known=("plan",), status=status)
