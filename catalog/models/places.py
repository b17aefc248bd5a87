"""Who sells capacity, and the places it stands in."""

from django.db import models
from simple_history.models import HistoricalRecords

from catalog.engine.schema import COMPLIANCE_STATES, PROVIDER_KINDS
from catalog.engine.values import region_spec
from catalog.models.fields import allowed, chosen, figure, line, positive, slug, words
from catalog.models.records import record_of
from catalog.models.sources import Source, Sourced
from catalog.specs import RegionSpec


class Provider(Sourced):
    """Somebody who rents or sells accelerators, systems or tokens."""

    slug = slug("aws")
    name = models.CharField(max_length=200, unique=True)
    aliases = words("names in price feeds")
    kind = chosen(PROVIDER_KINDS)
    country = line("ISO 3166-1 alpha-2", max_length=2)
    history = HistoricalRecords()

    class Meta:
        ordering = ("name",)
        constraints = (allowed("provider", "kind", PROVIDER_KINDS),)

    def __str__(self) -> str:
        return self.name


class Region(Sourced):
    """A place of a provider."""

    slug = slug("aws/us-east-1")
    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="regions")
    code = models.CharField(max_length=100)
    name = models.CharField(max_length=200)
    country = line("ISO 3166-1 alpha-2; empty where the source does not say", max_length=2)
    latitude = figure("degrees north")
    longitude = figure("degrees east")
    grid_g_per_kwh = figure("g CO2e/kWh, location-based")
    grid_source = models.ForeignKey(
        Source, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    grid_observed = line("year or day the figure stands for", max_length=40)
    usd_per_kwh = figure("USD/kWh")
    power_source = models.ForeignKey(
        Source, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    power_observed = line("year or day the figure stands for", max_length=40)
    history = HistoricalRecords()

    class Meta:
        ordering = ("slug",)
        constraints = (
            models.UniqueConstraint(fields=["provider", "code"], name="region_once"),
            *positive("region", "grid_g_per_kwh", "usd_per_kwh"),
            models.CheckConstraint(
                condition=models.Q(latitude__isnull=True)
                | models.Q(latitude__gte=-90, latitude__lte=90),
                name="region_latitude",
            ),
            models.CheckConstraint(
                condition=models.Q(longitude__isnull=True)
                | models.Q(longitude__gte=-180, longitude__lte=180),
                name="region_longitude",
            ),
        )

    def __str__(self) -> str:
        return str(self.slug)

    def to_spec(self) -> RegionSpec:
        """The region as a value, with the programmes recorded for it or its provider."""
        own = [record_of(c) for c in self.provider.compliance.all() if c.region_id == self.slug]
        decided = {status["programme"] for status in own}
        wide = [
            record_of(c)
            for c in self.provider.compliance.all()
            if c.region_id is None and c.programme not in decided
        ]
        return region_spec(record_of(self, provider=self.provider_id), own + wide)


class RegionCompliance(models.Model):
    """The recorded status of a compliance programme, for a region or a whole provider."""

    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="compliance")
    region = models.ForeignKey(
        Region, on_delete=models.PROTECT, null=True, blank=True, related_name="compliance"
    )
    programme = models.CharField(max_length=80, help_text="regime id of the questionnaire")
    status = chosen(COMPLIANCE_STATES)
    recorded_on = models.DateField()
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+")
    note = models.TextField(blank=True, default="")
    changed_at = models.DateTimeField(auto_now=True, db_index=True)
    history = HistoricalRecords()

    class Meta:
        ordering = (
            "provider",
            "region",
            "programme",
        )
        verbose_name_plural = "region compliance"
        constraints = (
            models.UniqueConstraint(
                fields=["provider", "region", "programme"],
                condition=models.Q(region__isnull=False),
                name="compliance_once_in_region",
            ),
            models.UniqueConstraint(
                fields=["provider", "programme"],
                condition=models.Q(region__isnull=True),
                name="compliance_once_in_provider",
            ),
            allowed("compliance", "status", COMPLIANCE_STATES),
        )

    def __str__(self) -> str:
        return f"{self.programme} at {self.region_id or self.provider_id}: {self.status}"
