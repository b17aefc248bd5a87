"""The catalogue's front page: what it holds and how fresh it is."""

from django.db.models import Max, Min
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from catalog.models import (
    Accelerator,
    ModelArchitecture,
    Offer,
    PricePoint,
    ServingMeasurement,
    Source,
    System,
    TrainingMeasurement,
)

SECTIONS = (
    (
        "catalogue-accelerators",
        "Accelerators",
        "Dense peaks, memory, links and power of each part.",
        Accelerator,
    ),
    ("catalogue-systems", "Systems", "Nodes, racks, slices and pods built of one part.", System),
    (
        "catalogue-models",
        "Models",
        "Shapes of models, enough to count FLOPs and bytes.",
        ModelArchitecture,
    ),
    ("catalogue-offers", "Offers", "Who sells what, where, how, and what it cost when.", Offer),
    (
        "catalogue-measurements",
        "Serving measurements",
        "Published throughput and latency, with what they mean.",
        ServingMeasurement,
    ),
    (
        "catalogue-training",
        "Training measurements",
        "Published training runs.",
        TrainingMeasurement,
    ),
    ("catalogue-sources", "Sources", "The publications that every figure was read in.", Source),
)


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    sections = [
        {"url": url, "title": title, "text": text, "count": model._default_manager.count()}
        for url, title, text, model in SECTIONS
    ]
    span = PricePoint.objects.aggregate(first=Min("observed_first"), last=Max("observed_last"))
    context = {"nav": "catalogue", "sections": sections, "span": span}
    return render(request, "catalog/index.html", context)
