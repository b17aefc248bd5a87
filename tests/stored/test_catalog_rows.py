"""Rules that rows of the catalogue keep, whoever writes them."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Model, ProtectedError

from catalog.engine.shipped import shipped_snapshot
from catalog.models import (
    Accelerator,
    ModelArchitecture,
    Offer,
    PricePoint,
    Provider,
    Region,
    RegionCompliance,
    SoftwareSupport,
    Source,
    System,
    TrainingMeasurement,
    Vendor,
)
from catalog.queries import (
    find_accelerator,
    find_model,
    maker_spellings,
    provider_spellings,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]


@pytest.mark.parametrize(
    ("model", "column", "value"),
    [
        (Accelerator, "memory_gib", Decimal(-80)),
        (Accelerator, "tdp_w", Decimal(0)),
        (Accelerator, "family", "toaster"),
        (Accelerator, "lifecycle", "someday"),
        (Accelerator, "year", 1066),
        (Accelerator, "usable_memory_gib", Decimal(10**6)),
        (System, "accelerator_count", 0),
        (System, "max_power_kw", Decimal(-1)),
        (ModelArchitecture, "kind", "oracle"),
        (ModelArchitecture, "weights_access", "stolen"),
        (ModelArchitecture, "active_params_b", Decimal(10**9)),
        (ModelArchitecture, "full_attention_fraction", Decimal(2)),
        (Provider, "kind", "friend"),
        (Region, "latitude", Decimal(91)),
        (Region, "longitude", Decimal(-181)),
        (Region, "grid_g_per_kwh", Decimal(0)),
        (Offer, "purchase", "barter"),
        (Offer, "accelerator_count", Decimal(0)),
        (PricePoint, "observed_last", date(1999, 1, 1)),
        (PricePoint, "usd_per_h", Decimal(0)),
        (PricePoint, "confidence", "hearsay"),
        (TrainingMeasurement, "mfu", 1.01),
        (TrainingMeasurement, "accelerator_count", 0),
    ],
)
def test_the_database_itself_refuses_what_cannot_be(
    model: type[Model], column: str, value: object
) -> None:
    row = model._default_manager.order_by("pk")[0]
    with pytest.raises(IntegrityError), transaction.atomic():
        model._default_manager.filter(pk=row.pk).update(**{column: value})


@pytest.mark.parametrize(
    ("model", "query"),
    [
        (Vendor, {"slug": "nvidia"}),
        (Accelerator, {"slug": "nvidia-h100-sxm"}),
        (Provider, {"slug": "aws"}),
        (Region, {"slug": "aws/us-east-1"}),
        (Source, {"accelerator": None}),
    ],
)
def test_a_row_that_others_refer_to_cannot_be_deleted(
    model: type[Model], query: dict[str, Any]
) -> None:
    if model is Source:
        query = {"pk": Accelerator.objects.all()[0].source_id}
    with pytest.raises(ProtectedError):
        model._default_manager.get(**query).delete()


def test_an_offer_of_nothing_is_refused() -> None:
    source = Source.objects.all()[0]
    with pytest.raises(IntegrityError, match="offer_of_something"):
        Offer.objects.create(provider_id="aws", instance_type="air", purchase="buy", source=source)


def test_the_same_way_to_the_same_thing_is_one_offer() -> None:
    offer = Offer.objects.filter(purchase="on_demand")[0]
    twin = Offer.objects.get(pk=offer.pk)
    twin.pk = None
    with pytest.raises(ValidationError, match="add a price"):
        twin.clean()


def test_a_source_is_stored_once() -> None:
    source = Source.objects.all()[0]
    with pytest.raises(IntegrityError):
        Source.objects.create(title=source.title, url=source.url)


def test_a_row_gives_the_value_that_its_file_gives() -> None:
    shipped = {a.slug: a for a in shipped_snapshot().accelerators}
    row = Accelerator.objects.get(slug="nvidia-h100-sxm")
    assert row.to_spec() == shipped["nvidia-h100-sxm"]


def test_a_system_row_gives_the_value_that_its_file_gives() -> None:
    shipped = {s.slug: s for s in shipped_snapshot().systems}
    assert System.objects.get(slug="dgx-b200").to_spec() == shipped["dgx-b200"]


def test_a_model_row_gives_the_value_that_its_file_gives() -> None:
    shipped = {m.slug: m for m in shipped_snapshot().models}
    assert ModelArchitecture.objects.get(slug="deepseek-v3").to_spec() == shipped["deepseek-v3"]


def test_a_region_row_gives_the_value_that_its_file_gives() -> None:
    shipped = {r.slug: r for r in shipped_snapshot().regions}
    assert Region.objects.get(slug="aws/eu-north-1").to_spec() == shipped["aws/eu-north-1"]


def test_a_model_without_published_size_has_no_value() -> None:
    row = ModelArchitecture.objects.get(slug="llama2-7b")
    row.total_params_b = row.active_params_b = None
    row.save()
    assert row.to_spec() is None


def compliance(region: str | None, status: str) -> RegionCompliance:
    return RegionCompliance.objects.create(
        provider_id="verda",
        region_id=region,
        programme="test_programme",
        status=status,
        recorded_on=date(2026, 1, 1),
        source=Source.objects.all()[0],
    )


def test_a_providers_programme_holds_in_its_regions() -> None:
    compliance(None, "authorised")
    assert "test_programme" in Region.objects.get(slug="verda/FIN-01").to_spec().compliance


def test_a_regions_own_status_outweighs_its_providers() -> None:
    compliance(None, "authorised")
    compliance("verda/FIN-01", "not_offered")
    assert "test_programme" not in Region.objects.get(slug="verda/FIN-01").to_spec().compliance


@pytest.mark.parametrize("status", ["in_process", "not_offered", "unknown"])
def test_only_a_recorded_authorisation_counts(status: str) -> None:
    compliance(None, status)
    assert "test_programme" not in Region.objects.get(slug="verda/FIN-01").to_spec().compliance


def test_a_programme_is_recorded_once_for_a_provider() -> None:
    compliance(None, "authorised")
    with pytest.raises(IntegrityError):
        compliance(None, "unknown")


def test_zero_porting_weeks_are_a_figure() -> None:
    row = SoftwareSupport.objects.create(
        vendor_id="nvidia",
        family="gpu",
        software="test-engine",
        status="supported",
        porting_weeks=Decimal(0),
        source=Source.objects.all()[0],
    )
    assert row.to_spec().porting_weeks == 0.0


def test_an_alias_added_in_the_admin_is_found_at_once() -> None:
    row = Accelerator.objects.get(slug="nvidia-h100-sxm")
    row.aliases = [*row.aliases, "Hopper One"]
    row.save()
    assert find_accelerator("hopper-one") == "nvidia-h100-sxm"


def test_a_stored_model_is_found_by_its_published_spelling() -> None:
    assert find_model("DeepSeek-R1-671B") == "deepseek-r1"


def test_sellers_and_makers_are_found_by_slug_and_name() -> None:
    found = (provider_spellings()["amazon web services"], maker_spellings()["amd"])

    assert found == ("aws", "AMD")


def test_who_makes_no_accelerator_is_no_maker() -> None:
    assert "asus" not in maker_spellings()
