"""Ways to get at capacity and what they cost on which day."""

from typing import Any, NoReturn

from django.core.exceptions import ValidationError
from django.db import models
from simple_history.models import HistoricalRecords

from catalog.engine.prices import PRICE_COLUMNS, amounts_text, offer_key
from catalog.engine.schema import PRICE_CONFIDENCES
from catalog.models.fields import allowed, chosen, count, figure, line, positive
from catalog.models.hardware import Accelerator, System
from catalog.models.places import Provider, Region
from catalog.models.software import ModelArchitecture
from catalog.models.sources import Source, Sourced
from catalog.specs import Purchase


class Offer(Sourced):
    """A provider's way to get accelerators, a system or a model's tokens."""

    key = models.CharField(max_length=600, unique=True, editable=False)
    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="offers")
    region = models.ForeignKey(
        Region, on_delete=models.PROTECT, null=True, blank=True, related_name="offers"
    )
    instance_type = models.CharField(max_length=200)
    accelerator = models.ForeignKey(
        Accelerator,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="offers",
        db_index=False,  # the index on accelerator and purchase serves
    )
    accelerator_count = figure("accelerators in one instance; may be a fraction")
    system = models.ForeignKey(
        System, on_delete=models.PROTECT, null=True, blank=True, related_name="offers"
    )
    model = models.ForeignKey(
        ModelArchitecture, on_delete=models.PROTECT, null=True, blank=True, related_name="offers"
    )
    purchase = chosen(Purchase)
    vcpus = figure("virtual processors of the host")
    host_memory_gib = figure("GiB of the host")
    max_quantity = count("most that can be had")
    lead_time_weeks = figure("weeks")
    available_from = models.DateField(null=True, blank=True)
    history = HistoricalRecords()

    class Meta:
        ordering = (
            "provider",
            "instance_type",
            "purchase",
            "id",
        )
        indexes = (models.Index(fields=["accelerator", "purchase"]),)
        constraints = (
            allowed("offer", "purchase", Purchase),
            *positive("offer", "accelerator_count", "vcpus", "host_memory_gib"),
            models.CheckConstraint(
                condition=models.Q(accelerator__isnull=False)
                | models.Q(system__isnull=False)
                | models.Q(model__isnull=False),
                name="offer_of_something",
            ),
        )

    def __str__(self) -> str:
        return f"{self.provider_id} {self.instance_type} {self.purchase} #{self.pk}"

    def clean(self) -> None:
        """Refuse a second row for the same way to the same thing."""
        if Offer.objects.exclude(pk=self.pk).filter(key=self._key()).exists():
            raise ValidationError(
                "This provider already has this instance, region and purchase kind: add a price."
            )

    def save(self, *args: Any, **options: Any) -> None:
        """Keep the key in step with what it is made of."""
        self.key = self._key()
        super().save(*args, **options)

    def _key(self) -> str:
        return offer_key(
            {
                "provider": self.provider_id,
                "region": self.region_id,
                "instance_type": self.instance_type,
                "accelerator": self.accelerator_id,
                "accelerator_count": self.accelerator_count,
                "system": self.system_id,
                "model": self.model_id,
                "purchase": self.purchase,
            }
        )


class PricePoint(models.Model):
    """What an offer cost on a day or in a span of days; appended, never overwritten."""

    offer = models.ForeignKey(
        Offer,
        on_delete=models.PROTECT,
        related_name="prices",
        db_index=False,  # the constraint on offer and source serves
    )
    usd_per_h = figure("USD/h, whole instance")
    usd = figure("USD, to buy")
    usd_per_million_input_tokens = figure("USD per million input tokens")
    usd_per_million_output_tokens = figure("USD per million output tokens")
    usd_per_million_cached_input_tokens = figure("USD per million cached input tokens")
    low_usd = figure("lowest published, in the price's unit")
    high_usd = figure("highest published, in the price's unit")
    currency = models.CharField(max_length=3, default="USD")
    observed_first = models.DateField()
    observed_last = models.DateField()
    confidence = chosen(PRICE_CONFIDENCES)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+", db_index=False)
    note = models.TextField(blank=True, default="")
    amounts = line("the figures in one text", max_length=300, editable=False)
    recorded_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        ordering = (
            "-observed_first",
            "-id",
        )
        constraints = (
            models.UniqueConstraint(
                fields=["offer", "source", "observed_first", "observed_last", "amounts"],
                name="price_once",
            ),
            *positive("price", *PRICE_COLUMNS),
            allowed("price", "confidence", PRICE_CONFIDENCES),
            models.CheckConstraint(
                condition=models.Q(observed_last__gte=models.F("observed_first")),
                name="price_span_forward",
            ),
            models.CheckConstraint(
                condition=models.Q(low_usd__isnull=True)
                | models.Q(high_usd__isnull=True)
                | models.Q(high_usd__gte=models.F("low_usd")),
                name="price_low_below_high",
            ),
            models.CheckConstraint(
                condition=models.Q(usd_per_h__isnull=False)
                | models.Q(usd__isnull=False)
                | models.Q(usd_per_million_input_tokens__isnull=False)
                | models.Q(usd_per_million_output_tokens__isnull=False),
                name="price_has_a_figure",
            ),
        )

    def __str__(self) -> str:
        return f"{self.amounts} on {self.observed_first}"

    def save(self, *args: Any, **options: Any) -> None:
        """Append; a price that was read stays as it was read."""
        if not self._state.adding:
            raise PriceIsHistory
        self.amounts = amounts_text({name: getattr(self, name) for name in PRICE_COLUMNS})
        super().save(*args, **options)

    def delete(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse: a correction is a new price."""
        raise PriceIsHistory


class PriceIsHistory(Exception):
    """Somebody tried to overwrite or delete a price; a correction is appended instead."""
