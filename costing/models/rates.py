"""Rates of the cost model and exchange rates, each with its source."""

from django.db import models
from simple_history.models import HistoricalRecords

from catalog.models.fields import allowed, chosen, figure, line, positive
from catalog.models.sources import Sourced
from catalog.specs import Evidence
from costing.engine.rates import CurrencyRate
from costing.engine.rates import Rate as RateValue


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
