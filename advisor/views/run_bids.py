"""The quotes of an organisation beside the answer of a run."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from advisor.services.bids import compared
from advisor.templatetags.quantities import percent
from advisor.views.private_fields import ITEM_LABELS, PER_LABELS
from advisor.views.sections import answered, page, section_context
from catalog.models import Snapshot


@require_safe
@never_cache
def run_bids(request: HttpRequest, run_id: UUID) -> HttpResponse:
    run = answered(request, run_id)
    context: dict[str, Any] = section_context(run, "run-bids")
    try:
        context["comparisons"] = [_with_words(each) for each in compared(run)]
    except Snapshot.DoesNotExist:
        context["gone"] = True
    return page(request, "advisor/private/comparison.html", context)


def _with_words(comparison: dict[str, Any]) -> dict[str, Any]:
    for bid in comparison["bids"]:
        bid["per"] = PER_LABELS[bid["price_per"]]
    valid = [bid for bid in comparison["bids"] if bid["status"] == "valid"]
    return comparison | {
        "finding": _finding(comparison, valid),
        "things": _items(comparison),
        "terms": _terms(comparison),
    }


TERMS: tuple[tuple[str, str, Callable[[Any], str]], ...] = (
    ("valid_until", "Valid until", str),
    ("delivery_on", "Delivered on", str),
    ("quantity", "Systems offered", lambda value: f"up to {value}"),
    ("minimum_quantity", "Least quantity", lambda value: f"{value} systems" if value else "none"),
    ("minimum_months", "Least term", lambda value: f"{value:g} months" if value else "none"),
    ("prepaid_fraction", "Paid before use", lambda value: percent(value) if value else "nothing"),
    ("price_lock_months", "Price is fixed for", lambda value: f"{value:g} months"),
    ("sla_credit_fraction", "Credit when availability is missed", percent),
    ("termination_fee", "Fee for ending early", lambda value: f"{value:,.0f}"),
    ("termination_fraction", "And of the payments still to come", percent),
    ("support_fraction_per_year", "Support, of the price a year", percent),
)


def _terms(comparison: dict[str, Any]) -> list[dict[str, Any]]:
    """Terms that at least one quote states, side by side."""
    return [
        {
            "name": label,
            "cells": [
                None if bid["terms"][name] is None else written(bid["terms"][name])
                for bid in comparison["bids"]
            ],
        }
        for name, label, written in TERMS
        if any(bid["terms"][name] is not None for bid in comparison["bids"])
    ]


def _items(comparison: dict[str, Any]) -> list[dict[str, Any]]:
    """Things that at least one quote leaves out, with what each quote has for them."""
    missing = [{item["item"]: item for item in bid["missing_items"]} for bid in comparison["bids"]]
    return [
        {
            "name": label,
            "cells": [
                {"unpriced": True} if bid["total_usd"] is None else each.get(item)
                for bid, each in zip(comparison["bids"], missing, strict=True)
            ],
        }
        for item, label in ITEM_LABELS.items()
        if any(item in each for each in missing)
    ]


def _finding(comparison: dict[str, Any], valid: list[dict[str, Any]]) -> str:
    listed = comparison["best_listed"]
    if not comparison["bids"]:
        return ""
    if not valid:
        return "None of the quotes can win: each says why."
    best = valid[0]
    if listed is None:
        return f"{best['name']} is the cheapest, and no listed plan meets the targets."
    if best["wins"]:
        saved = listed["total_usd"] - best["total_usd"]
        return (
            f"{best['name']} wins: {saved:,.0f} USD less over the horizon than {listed['name']}, "
            "the cheapest plan at listed prices."
        )
    more = best["total_usd"] - listed["total_usd"]
    return (
        f"No quote wins: the best, {best['name']}, costs {more:,.0f} USD more over the horizon "
        f"than {listed['name']} at listed prices."
    )
