"""Pages of one answered run: the answer itself and what stands behind it, one address each."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from advisor.models import Job, State
from advisor.services.shown import show_in
from advisor.views.people import run_of

UNREADABLE = 422


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One page of a run: the name of its address, and its label in the row of pages."""

    url_name: str
    label: str


SECTIONS = (
    Section(url_name="run", label="Answer"),
    Section(url_name="latency", label="Latency"),
    Section(url_name="money", label="Money"),
    Section(url_name="run-bids", label="Bids"),
    Section(url_name="fleet", label="Fleet"),
    Section(url_name="why", label="Why"),
    Section(url_name="decision", label="Decision"),
    Section(url_name="files", label="Files"),
)


def answered(request: HttpRequest, run_id: UUID) -> Job:
    """A run that has an answer; Http404 for any other."""
    found = run_of(request, run_id)
    if found.state != State.SUCCEEDED or not found.result:
        raise Http404
    show_in(found.result.get("currency"))
    return found


def section_context(run: Job, url_name: str) -> dict[str, Any]:
    """What the frame of a section needs."""
    document = run.result or {}
    name = document.get("name") or (run.assessment.name if run.assessment else "Run")
    return {
        "nav": "assessments",
        "run": run,
        "document": document,
        "name": name,
        "sections": [
            {
                "label": section.label,
                "url": reverse(section.url_name, args=[run.pk]),
                "current": section.url_name == url_name,
            }
            for section in SECTIONS
        ],
    }


def unknown_parameters(request: HttpRequest, known: Collection[str]) -> list[str]:
    """What of the address means nothing on this page: it is said, not passed over."""
    there = f"there are {' and '.join(known)}" if known else "it takes none"
    return [
        f"“{name[:40]}” is no parameter of this page; {there}."
        for name in request.GET
        if name not in known
    ]


def page(
    request: HttpRequest,
    template: str,
    context: dict[str, Any],
    *,
    known: Collection[str] = (),
    status: int = 200,
) -> HttpResponse:
    """A page of a run, with what its address asks for and it does not know named above it."""
    unknown = unknown_parameters(request, known)
    context = context | {"unknown_parameters": unknown}
    return render(request, template, context, status=UNREADABLE if unknown else status)
