"""Offers with their newest price and how old it is."""

from django.db.models import OuterRef, Prefetch, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from catalog.models import Offer, PricePoint, Provider
from catalog.specs import Family, Purchase
from catalog.views.hardware import FAMILY_LABELS
from catalog.views.listing import Filter, choices, listing


@require_safe
def offers(request: HttpRequest) -> HttpResponse:
    newest = PricePoint.objects.filter(offer=OuterRef("pk")).order_by("-observed_last", "-id")
    prices = PricePoint.objects.select_related("source").order_by("-observed_last", "-id")
    rows = (
        Offer.objects.select_related(
            "provider", "region", "accelerator", "system", "model", "source"
        )
        .annotate(observed=Subquery(newest.values("observed_last")[:1]))
        .prefetch_related(Prefetch("prices", queryset=prices))
    )
    found = listing(
        request,
        rows,
        search=(
            "instance_type",
            "accelerator__name",
            "model__name",
            "provider__name",
            "region__code",
        ),
        filters=(
            Filter(
                name="provider",
                label="Provider",
                column="provider",
                options=list(Provider.objects.values_list("slug", "name")),
            ),
            Filter(
                name="family",
                label="Family",
                column="accelerator__family",
                options=choices([*Family], FAMILY_LABELS),
            ),
            Filter(
                name="purchase", label="Bought how", column="purchase", options=choices([*Purchase])
            ),
        ),
    )
    return render(request, "catalog/offers.html", {"nav": "catalogue", "listing": found})
