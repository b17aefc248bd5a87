"""How one figure of a plan comes about: its formula tree on a page."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from advisor.engine.errors import NotExplained
from advisor.engine.explain.plans import Explained
from advisor.engine.plan import Plan
from advisor.models import Job
from advisor.services.explanation import EXPLAINED, explained
from advisor.templatetags.quantities import percent, seconds
from advisor.views.sections import answered, section_context

FIGURE_LABELS: Mapping[str, str] = {
    "ttft_p50_s": "First token, median",
    "ttft_p95_s": "First token, p95",
    "ttft_p99_s": "First token, p99",
    "tpot_p50_s": "Time per output token, median",
    "tpot_p95_s": "Time per output token, p95",
    "tpot_p99_s": "Time per output token, p99",
    "e2e_p50_s": "Whole answer, median",
    "e2e_p95_s": "Whole answer, p95",
    "e2e_p99_s": "Whole answer, p99",
    "output_tokens_per_s": "Output tokens",
    "requests_per_s": "Requests",
    "samples_per_s": "Samples",
    "users_at_slo": "Users within the targets",
    "hours": "Time of one run",
    "step_time_s": "Time of a step",
    "tokens_per_s_per_accelerator": "Tokens on each accelerator",
    "mfu": "Share of peak reached (MFU)",
}
BINDS: Mapping[str, str] = {
    "compute": "arithmetic",
    "memory": "memory traffic",
    "link": "exchange between accelerators",
    "overhead": "fixed times: launches, scheduling, waits",
}


@require_safe
@never_cache
def explanation(request: HttpRequest, run_id: UUID, plan_id: str, figure: str) -> HttpResponse:
    run = answered(request, run_id)
    if figure not in EXPLAINED:
        raise Http404
    context = section_context(run, "run") | {"label": FIGURE_LABELS[figure], "plan_id": plan_id}
    try:
        plan, found = explained(run, plan_id, figure)
    except NotExplained as reason:
        context["refusal"] = str(reason)
        return render(request, "advisor/explanation.html", context, status=404)
    context |= {
        "plan": plan,
        "figure": plan.figures[figure].as_dict(),
        "term": found.term,
        "finding": finding_of(found),
        "spent": spent_lines(found),
        "others": others_of(run, plan, figure),
    }
    return render(request, "advisor/explanation.html", context)


def finding_of(found: Explained) -> str:
    """What binds, in one sentence; empty where no times are known."""
    total = sum(found.spent_s.values())
    if total <= 0.0 or found.binding not in found.spent_s:
        return ""
    share = percent(found.spent_s[found.binding] / total)
    return (
        f"{BINDS[found.binding].capitalize()} binds: {share} of the {seconds(total)} that "
        f"{found.spent_on} would take if nothing overlapped."
    )


def spent_lines(found: Explained) -> list[dict[str, Any]]:
    """Where the time goes, longest first."""
    total = sum(found.spent_s.values())
    return [
        {"label": BINDS[limit], "seconds": spent, "share": spent / total if total else 0.0,
         "binds": limit == found.binding}
        for limit, spent in sorted(found.spent_s.items(), key=lambda item: -item[1])
    ]  # fmt: skip


def others_of(run: Job, plan: Plan, figure: str) -> list[dict[str, str]]:
    """The plan's other figures that have a tree."""
    return [
        {"label": FIGURE_LABELS[name], "url": reverse("explain", args=[run.pk, plan.id, name])}
        for name in EXPLAINED
        if name != figure and plan.value(name) is not None
    ]
