"""Published measurements, and the sources of all figures."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from catalog.engine.schema import SCENARIOS, TASKS
from catalog.models import Accelerator, ServingMeasurement, Source, TrainingMeasurement
from catalog.views.listing import Filter, choices, listing


def accelerator_options() -> list[tuple[str, str]]:
    """Accelerators for a filter."""
    return list(Accelerator.objects.values_list("slug", "name"))


@require_safe
def measurements(request: HttpRequest) -> HttpResponse:
    found = listing(
        request,
        ServingMeasurement.objects.select_related("accelerator", "architecture", "source"),
        search=("model", "accelerator__name", "engine", "precision"),
        filters=(
            Filter(
                name="accelerator",
                label="Accelerator",
                column="accelerator",
                options=accelerator_options(),
            ),
            Filter(
                name="scenario", label="Scenario", column="scenario", options=choices(SCENARIOS)
            ),
        ),
    )
    return render(request, "catalog/measurements.html", {"nav": "catalogue", "listing": found})


@require_safe
def training_measurements(request: HttpRequest) -> HttpResponse:
    found = listing(
        request,
        TrainingMeasurement.objects.select_related("accelerator", "architecture", "source"),
        search=("model", "accelerator__name", "framework", "system"),
        filters=(
            Filter(
                name="accelerator",
                label="Accelerator",
                column="accelerator",
                options=accelerator_options(),
            ),
            Filter(name="task", label="Task", column="task", options=choices(TASKS)),
        ),
    )
    return render(request, "catalog/training.html", {"nav": "catalogue", "listing": found})


@require_safe
def sources(request: HttpRequest) -> HttpResponse:
    found = listing(request, Source.objects.all(), search=("title", "url"))
    return render(request, "catalog/sources.html", {"nav": "catalogue", "listing": found})
