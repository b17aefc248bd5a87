"""Pages that check a set-up somebody has in mind, and a quote somebody was sent."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from advisor.engine.answers import InvalidAnswers
from advisor.questions import PRESETS
from advisor.services.checking import check_quote, check_setup
from advisor.views.people import assessments_of
from catalog.queries import accelerator_names
from costing.queries import currencies

UNREADABLE = 422
MOST_OWN = 20


@require_http_methods(["GET", "POST"])
@never_cache
def setup(request: HttpRequest) -> HttpResponse:
    own = list(assessments_of(request)[:MOST_OWN])
    typed = {
        name: str(request.POST.get(name, default))
        for name, default in (("question", "chatbot_1m"), ("accelerator", ""), ("count", "8"))
    }
    context: dict[str, Any] = {
        "nav": "start",
        "presets": list(PRESETS.values()),
        "own": own,
        "accelerators": sorted(accelerator_names(), key=lambda each: each.name),
        "typed": typed,
    }
    if request.method != "POST":
        return render(request, "advisor/check/setup.html", context)
    stored = next((each for each in own if str(each.pk) == typed["question"]), None)
    raw = stored.raw_answers() if stored else {"preset": typed["question"], "answers": {}}
    count = int(typed["count"]) if typed["count"].isdecimal() and len(typed["count"]) < 9 else 0  # noqa: PLR2004
    try:
        found = check_setup(raw, accelerator=typed["accelerator"], count=count)
    except InvalidAnswers as refused:
        errors = {each.pointer.strip("/"): each.message for each in refused.problems}
        other = [text for place, text in errors.items() if place not in ("accelerator", "count")]
        context |= {"errors": errors, "other_errors": other}
        return render(request, "advisor/check/setup.html", context, status=UNREADABLE)
    return render(request, "advisor/check/setup.html", context | {"found": found})


@require_http_methods(["GET", "POST"])
@never_cache
def quote(request: HttpRequest) -> HttpResponse:
    text = str(request.POST.get("text", ""))
    currency = str(request.POST.get("currency", ""))
    context: dict[str, Any] = {
        "nav": "bids", "text": text, "currency": currency, "currencies": currencies().values(),
    }  # fmt: skip
    if request.method != "POST":
        return render(request, "advisor/check/quote.html", context)
    try:
        found = check_quote(text, currency=currency)
    except InvalidAnswers as refused:
        problem = refused.problems[0]
        context["currency_error" if problem.pointer == "/currency" else "error"] = problem.message
        return render(request, "advisor/check/quote.html", context, status=UNREADABLE)
    return render(request, "advisor/check/quote.html", context | {"found": found})
