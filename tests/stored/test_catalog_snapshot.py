"""The stored catalogue as a snapshot."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError

from catalog.engine.archive import packed, unpacked
from catalog.engine.shipped import (
    shipped_serving_measurements,
    shipped_snapshot,
    shipped_training_measurements,
)
from catalog.models import Accelerator, Offer, PricePoint, Snapshot, Source
from catalog.models.offers import PriceIsHistory
from catalog.models.snapshots import SnapshotIsKept
from catalog.queries import (
    kept_snapshot,
    serving_measurements,
    snapshot,
    training_measurements,
)
from catalog.services import keep_snapshot
from catalog.specs import OfferSpec

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]
DAY = date(2026, 11, 23)


def offer_of(price: PricePoint, day: date) -> OfferSpec | None:
    return next((o for o in snapshot(day).offers if o.id == price.offer_id), None)


def new_price(amount: str, day: date) -> PricePoint:
    offer = Offer.objects.filter(purchase="on_demand", provider="aws").first()
    assert offer is not None
    return PricePoint.objects.create(
        offer=offer,
        usd_per_h=Decimal(amount),
        observed_first=day,
        observed_last=day,
        confidence="official",
        source=Source.objects.earliest("pk"),
    )


@pytest.mark.parametrize("part", ["accelerators", "systems", "models", "regions", "support"])
def test_rows_give_the_same_values_as_the_files(part: str) -> None:
    assert getattr(snapshot(DAY), part) == getattr(shipped_snapshot(DAY), part)


def test_offers_in_rows_are_those_in_the_files() -> None:
    def unnumbered(offers: tuple[OfferSpec, ...]) -> list[OfferSpec]:
        return [replace(offer, id=0) for offer in offers]

    assert unnumbered(snapshot(DAY).offers) == unnumbered(shipped_snapshot(DAY).offers)


def test_rows_and_files_have_one_digest() -> None:
    assert snapshot(DAY).digest == shipped_snapshot(DAY).digest


def test_stored_serving_measurements_are_those_in_the_files() -> None:
    stored = sorted(serving_measurements(), key=lambda m: m.id)
    assert stored == sorted(shipped_serving_measurements(), key=lambda m: m.id)


def test_stored_training_measurements_are_those_in_the_files() -> None:
    stored = sorted(training_measurements(), key=lambda m: m.id)
    assert stored == sorted(shipped_training_measurements(), key=lambda m: m.id)


def test_a_snapshot_is_read_once_while_nothing_changes() -> None:
    assert snapshot(DAY) is snapshot(DAY)


def test_an_edited_row_shows_in_the_next_snapshot() -> None:
    h100 = Accelerator.objects.get(slug="nvidia-h100-sxm")
    before = snapshot(DAY)
    h100.tdp_w = Decimal(650)
    h100.save()
    tdp_w = {a.slug: a.tdp_w for a in snapshot(DAY).accelerators}
    assert (before.digest != snapshot(DAY).digest, tdp_w["nvidia-h100-sxm"]) == (True, 650.0)


def test_a_newer_price_replaces_the_older_from_its_day_on() -> None:
    price = new_price("41.5", DAY)
    offer = offer_of(price, DAY)
    assert offer is not None
    assert offer.usd_per_h == 41.5


def test_a_price_is_not_known_before_its_day() -> None:
    price = new_price("41.5", DAY)
    offer = offer_of(price, DAY - timedelta(days=1))
    assert offer is not None
    assert offer.usd_per_h != 41.5


def test_an_offer_does_not_exist_before_its_first_price() -> None:
    assert not snapshot(date(2020, 1, 1)).offers


def test_of_two_prices_on_one_day_the_later_recorded_counts() -> None:
    new_price("41.5", DAY)
    price = new_price("42.5", DAY)
    offer = offer_of(price, DAY)
    assert offer is not None
    assert offer.usd_per_h == 42.5


def test_a_price_in_another_currency_stays_open() -> None:
    price = new_price("41.5", DAY)
    PricePoint.objects.filter(pk=price.pk).update(currency="EUR", recorded_at="2027-01-01T00:00Z")
    offer = offer_of(price, DAY)
    assert offer is not None
    assert offer.usd_per_h is None


def test_a_price_cannot_be_overwritten() -> None:
    price = new_price("41.5", DAY)
    price.usd_per_h = Decimal(1)
    with pytest.raises(PriceIsHistory):
        price.save()


def test_a_price_cannot_be_deleted() -> None:
    price = new_price("41.5", DAY)
    with pytest.raises(PriceIsHistory):
        price.delete()


def test_a_price_of_zero_is_no_price() -> None:
    with pytest.raises(IntegrityError, match="usd_per_h_positive"):
        new_price("0", DAY)


def test_packing_a_snapshot_loses_nothing() -> None:
    assert unpacked(packed(snapshot(DAY))) == snapshot(DAY)


def test_a_kept_snapshot_outlives_changes_of_the_catalogue() -> None:
    before = snapshot(DAY)
    keep_snapshot(before)
    Accelerator.objects.get(slug="nvidia-h100-sxm").save()
    new_price("1.5", DAY)
    assert kept_snapshot(before.digest) == before


def test_equal_states_are_kept_once() -> None:
    assert keep_snapshot(snapshot(DAY)) == keep_snapshot(snapshot(DAY))


def test_a_kept_snapshot_cannot_be_changed() -> None:
    row = keep_snapshot(snapshot(DAY))
    row.as_of = DAY + timedelta(days=1)
    with pytest.raises(SnapshotIsKept):
        row.save()


def test_a_kept_snapshot_cannot_be_deleted() -> None:
    keep_snapshot(snapshot(DAY))
    with pytest.raises(SnapshotIsKept):
        Snapshot.objects.get().delete()
