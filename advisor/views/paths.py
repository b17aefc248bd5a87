"""Pages of what-ifs along a request's path: one address a topic, everything in the query."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from advisor.engine.answers import InvalidAnswers
from advisor.engine.errors import EngineRefusal
from advisor.models import Job
from advisor.services.paths import TOPICS, Field, Subject, Topic, subject_of
from advisor.services.paths.availability_split import (
    recommended_split,
    split_failures,
    split_plans,
)
from advisor.services.paths.subject import plans_with_requests
from advisor.views.paths_shown import basis_of, charts_of, tables_of
from advisor.views.sections import answered, section_context

UNREADABLE = 422
PLAN = "plan"


@require_safe
@never_cache
def path_topic(request: HttpRequest, run_id: UUID, topic: str) -> HttpResponse:
    """One what-if with its figures, or what is wrong with them."""
    run = answered(request, run_id)
    found = TOPICS.get(topic)
    if found is None:
        raise Http404
    given = {name: str(value) for name, value in request.GET.items() if name != PLAN}
    splits = split_plans(run) if topic == "availability" else []
    plans = [*splits, *plans_with_requests(run)]
    plan_id = request.GET.get(PLAN) or (recommended_split(run) if splits else "")
    context = section_context(run, "latency") | {
        "topic": found,
        "plans": plans,
        "plan_id": plan_id,
    }
    if plan_id in dict(splits):
        return _split(request, run, plan_id, context)
    try:
        subject = subject_of(run, plan_id)
    except EngineRefusal as refusal:
        status = UNREADABLE if plans else 200
        return render(
            request, "advisor/path.html", context | {"refused": str(refusal)}, status=status
        )
    return _answered(request, found, subject, given, context)


def _answered(
    request: HttpRequest,
    topic: Topic,
    subject: Subject,
    given: dict[str, str],
    context: dict[str, Any],
) -> HttpResponse:
    context |= {"plan_id": subject.plan.id, "plan_name": subject.plan.name}
    fields = topic.fields(subject)
    try:
        document = topic.document(subject, given)
    except InvalidAnswers as error:
        problems = {each.pointer.strip("/"): each.message for each in error.problems}
        context |= {"groups": _groups(fields, given, problems), "problems": problems.values()}
        return render(request, "advisor/path.html", context, status=UNREADABLE)
    except EngineRefusal as refusal:
        context |= {"groups": _groups(fields, given, {}), "refused": str(refusal)}
        return render(request, "advisor/path.html", context)
    context |= {
        "groups": _groups(fields, document["values"], {}),
        "result": document,
        "tables": tables_of(document),
        "charts": charts_of(document),
        "basis": basis_of(document),
        "changed": bool(given),
    }
    return render(request, "advisor/path.html", context)


def _split(request: HttpRequest, run: Job, plan_id: str, context: dict[str, Any]) -> HttpResponse:
    """Failures of a plan at several places: its figures are changed place by place."""
    document = split_failures(run, plan_id)
    context |= {
        "plan_name": dict(context["plans"])[plan_id],
        "groups": [{"label": "", "fields": [], "open": True}],
        "result": document,
        "tables": tables_of(document),
        "basis": basis_of(document),
    }
    return render(request, "advisor/path.html", context)


def _groups(
    fields: Sequence[Field], given: dict[str, Any], problems: dict[str, str]
) -> list[dict[str, Any]]:
    """The form's fields with what is typed in them, by group."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for field in fields:
        groups.setdefault(field.group, []).append(
            {
                "field": field,
                "text": _text(given.get(field.id, field.value)),
                "problem": problems.get(field.id, ""),
            }
        )
    return [
        {
            "label": label,
            "fields": found,
            "open": not label or bool(found[0]["text"]) or any(each["problem"] for each in found),
        }
        for label, found in groups.items()
    ]


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.10g}"
    return str(value)
