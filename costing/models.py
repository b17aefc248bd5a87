"""The rows that costs are built from: rates, currencies, rooms, terms of finance."""

from typing import Any

from django.conf import settings
from django.db import models
from simple_history.models import HistoricalRecords

from catalog.models.fields import allowed, chosen, count, figure, line, positive
from catalog.models.sources import Source, Sourced
from catalog.specs import Evidence
from costing.engine.rates import CurrencyRate
from costing.engine.rates import Rate as RateValue

DEFAULT_ORGANISATION = "default"


def fraction(meaning: str) -> models.DecimalField:
    """A share of one; empty is not stated."""
    return figure(f"{meaning}, as a fraction of one")


def shares(table: str, *names: str) -> list[models.CheckConstraint]:
    """Constraints that each of the columns is between none and all, or empty."""
    return [
        models.CheckConstraint(
            condition=models.Q(**{f"{name}__isnull": True})
            | models.Q(**{f"{name}__gte": 0, f"{name}__lte": 1}),
            name=f"{table}_{name}_is_share",
        )
        for name in names
    ]


class Rate(Sourced):
    """One figure of the cost model in its own unit, with the range it may lie in."""

    id = models.CharField(primary_key=True, max_length=120, help_text="e.g. egress/aws/free_gb")
    label = models.CharField(max_length=200)
    value = figure("in the row's unit", null=False)
    low = figure("low end of the range")
    high = figure("high end of the range")
    unit = models.CharField(max_length=60)
    evidence = chosen(Evidence)
    observed_on = line("day, month or year the figure stands for", max_length=20)
    history = HistoricalRecords()

    class Meta:
        ordering = ("id",)
        constraints = (
            allowed("rate", "evidence", Evidence),
            models.CheckConstraint(condition=models.Q(value__gte=0), name="rate_not_negative"),
            models.CheckConstraint(
                condition=models.Q(low__isnull=True) | models.Q(low__lte=models.F("value")),
                name="rate_low_below_value",
            ),
            models.CheckConstraint(
                condition=models.Q(high__isnull=True) | models.Q(high__gte=models.F("value")),
                name="rate_high_above_value",
            ),
        )

    def __str__(self) -> str:
        return f"{self.label} ({self.id})"

    def to_value(self) -> RateValue:
        """The rate as the engine reads it; needs its source fetched with it."""
        value = float(self.value)
        return RateValue(
            id=self.id,
            label=self.label,
            value=value,
            low=value if self.low is None else float(self.low),
            high=value if self.high is None else float(self.high),
            unit=self.unit,
            evidence=Evidence(self.evidence),
            source=self.source.title,
            source_url=self.source.url,
            observed_on=self.observed_on,
            note=self.note,
        )


class Currency(Sourced):
    """What one unit of a currency was worth in US dollars on a day."""

    code = models.CharField(primary_key=True, max_length=3, help_text="ISO 4217")
    name = models.CharField(max_length=80)
    usd_per_unit = figure("USD for one unit", null=False)
    observed_on = models.DateField()
    history = HistoricalRecords()

    class Meta:
        ordering = ("code",)
        verbose_name_plural = "currencies"
        constraints = (*positive("currency", "usd_per_unit"),)

    def __str__(self) -> str:
        return self.code

    def to_value(self) -> CurrencyRate:
        """The exchange rate as the engine reads it; needs its source fetched with it."""
        return CurrencyRate(
            code=self.code,
            name=self.name,
            usd_per_unit=float(self.usd_per_unit),
            observed_on=self.observed_on.isoformat(),
            source=self.source.title,
        )


class Own(models.Model):
    """A row of somebody's own, named within the organisation that sees it."""

    name = models.CharField(max_length=120)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    # A plain id: organisations are rows of a package that this one does not know.
    organisation = models.SlugField(max_length=60, default=DEFAULT_ORGANISATION, db_index=True)
    source = models.ForeignKey(
        Source, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    note = models.TextField(blank=True, default="")
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name


class Facility(Own):
    """A room of one's own or in colocation: what it can carry, what it costs."""

    country = line("ISO 3166-1 alpha-2", max_length=2)
    is_colocation = models.BooleanField(default=False)
    pue = figure("facility energy over IT energy")
    usd_per_kwh = figure("USD/kWh")
    demand_usd_per_kw_month = figure("USD/kW/month for peak power")
    space_usd_per_kw_month = figure("USD/kW/month for space and facility operations")
    power_kw = figure("kW of IT power to be had")
    rack_power_kw = figure("kW in one rack")
    racks = count("free racks")
    has_liquid_cooling = models.BooleanField(default=False)
    floor_load_kg_per_m2 = figure("kg/m2")
    history = HistoricalRecords()

    class Meta:
        ordering = ("name",)
        verbose_name_plural = "facilities"
        constraints = (
            models.UniqueConstraint(fields=["organisation", "name"], name="facility_once"),
            models.CheckConstraint(
                condition=models.Q(pue__isnull=True) | models.Q(pue__gte=1),
                name="facility_pue_at_least_one",
            ),
            *positive("facility", "power_kw", "rack_power_kw", "floor_load_kg_per_m2"),
        )

    def to_rules(self) -> dict[str, Any]:
        """The facility's own figures as changes of the cost rules; what is not stated stays."""
        space = "colocation" if self.is_colocation else "own_space"
        stated = {
            "demand_usd_per_kw_month": self.demand_usd_per_kw_month,
            f"{space}_usd_per_kw_month": self.space_usd_per_kw_month,
        }
        return {name: float(value) for name, value in stated.items() if value is not None}


class Financing(Own):
    """Terms on which an organisation reckons: cost of capital, life, tax, contingency."""

    discount_rate = fraction("cost of capital a year")
    depreciation_years = figure("years")
    residual_fraction = fraction("value left at the end of the horizon")
    tax_fraction = fraction("tax that is not reclaimed")
    contingency_fraction = fraction("contingency")
    history = HistoricalRecords()

    class Meta:
        ordering = ("name",)
        verbose_name_plural = "financing"
        constraints = (
            models.UniqueConstraint(fields=["organisation", "name"], name="financing_once"),
            *shares(
                "financing",
                "discount_rate",
                "residual_fraction",
                "tax_fraction",
                "contingency_fraction",
            ),
            *positive("financing", "depreciation_years"),
        )

    def to_rules(self) -> dict[str, Any]:
        """The terms as changes of the cost rules; what is not stated stays."""
        names = (
            "discount_rate",
            "depreciation_years",
            "residual_fraction",
            "tax_fraction",
            "contingency_fraction",
        )
        stated = {name: getattr(self, name) for name in names}
        return {name: float(value) for name, value in stated.items() if value is not None}
