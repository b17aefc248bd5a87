"""Accelerators and systems."""

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from catalog.charts import price_history
from catalog.engine.schema import LIFECYCLES
from catalog.models import (
    Accelerator,
    PricePoint,
    ServingMeasurement,
    System,
    TrainingMeasurement,
    Vendor,
)
from catalog.specs import Family
from catalog.views.listing import Filter, choices, listing
from catalog.views.prices import price_lines, price_summary

FAMILY_LABELS = {
    "gpu": "GPU",
    "tpu": "TPU",
    "ipu": "IPU",
    "waferscale": "Wafer-scale",
    "asic": "Other accelerators",
    "apu": "APU",
}
LIFECYCLE_LABELS = {"ga": "on sale", "eol": "end of life", "announced": "announced"}
FIGURES = (
    (
        "Memory",
        (
            ("memory_gib", "Memory, as labelled", "GiB"),
            ("usable_memory_gib", "Memory that software sees", "GiB"),
            ("memory_bandwidth_gb_per_s", "Memory bandwidth", "GB/s"),
            ("sram_mib", "Memory on the chip", "MiB"),
            ("streaming_memory_gib", "Streaming memory", "GiB"),
            ("streaming_gb_per_s", "Streaming bandwidth", "GB/s"),
        ),
    ),
    (
        "Dense peak",
        (
            ("tflops_fp64", "FP64", "TFLOP/s"),
            ("tflops_fp32", "FP32", "TFLOP/s"),
            ("tflops_tf32", "TF32", "TFLOP/s"),
            ("tflops_bf16", "BF16", "TFLOP/s"),
            ("tflops_fp16", "FP16", "TFLOP/s"),
            ("tflops_fp8", "FP8", "TFLOP/s"),
            ("tflops_fp4", "FP4", "TFLOP/s"),
            ("tops_int8", "INT8", "TOP/s"),
        ),
    ),
    (
        "Power and links",
        (
            ("tdp_w", "Rated power (TDP)", "W"),
            ("scale_up_gb_per_s", "Scale-up link, both directions", "GB/s"),
            ("scale_up_domain", "Parts joined by that link", "parts"),
            ("host_link_gb_per_s", "Host link, one direction", "GB/s"),
        ),
    ),
)


def vendor_options() -> list[tuple[str, str]]:
    """Vendors for a filter."""
    return list(Vendor.objects.values_list("slug", "name"))


@require_safe
def accelerators(request: HttpRequest) -> HttpResponse:
    priced = Accelerator.objects.select_related("vendor").annotate(offer_count=Count("offers"))
    rows = priced.order_by("name")
    found = listing(
        request,
        rows,
        search=("name", "slug", "aliases"),
        filters=(
            Filter(
                name="family",
                label="Family",
                column="family",
                options=choices([*Family], FAMILY_LABELS),
            ),
            Filter(name="vendor", label="Vendor", column="vendor", options=vendor_options()),
            Filter(
                name="lifecycle",
                label="Life cycle",
                column="lifecycle",
                options=choices(LIFECYCLES, LIFECYCLE_LABELS),
            ),
        ),
        per_page=100,
    )
    return render(request, "catalog/accelerators.html", {"nav": "catalogue", "listing": found})


@require_safe
def accelerator(request: HttpRequest, slug: str) -> HttpResponse:
    part = get_object_or_404(Accelerator.objects.select_related("vendor", "source"), pk=slug)
    points = list(
        PricePoint.objects.filter(offer__accelerator=part)
        .select_related("offer__provider", "offer__region", "source")
        .order_by("-observed_last", "-id")
    )
    lines = price_lines(points)
    context = {
        "nav": "catalogue",
        "part": part,
        "family_label": FAMILY_LABELS.get(part.family, part.family),
        "lifecycle_label": LIFECYCLE_LABELS.get(part.lifecycle, part.lifecycle),
        "groups": [
            (title, [(label, getattr(part, name), unit) for name, label, unit in figures])
            for title, figures in FIGURES
        ],
        "systems": part.systems.all(),
        "lines": lines,
        "chart": price_history(lines),
        "summary": price_summary(lines),
        "quotes": part.offers.filter(purchase="quote").select_related("provider", "source"),
        "serving_count": ServingMeasurement.objects.filter(accelerator=part).count(),
        "training_count": TrainingMeasurement.objects.filter(accelerator=part).count(),
    }
    return render(request, "catalog/accelerator.html", context)


@require_safe
def systems(request: HttpRequest) -> HttpResponse:
    rows = System.objects.select_related("vendor", "accelerator", "source")
    found = listing(
        request,
        rows,
        search=("name", "slug", "accelerator__name"),
        filters=(Filter(name="vendor", label="Vendor", column="vendor", options=vendor_options()),),
        per_page=100,
    )
    return render(request, "catalog/systems.html", {"nav": "catalogue", "listing": found})
