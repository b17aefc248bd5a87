"""Rooms that hardware may stand in, and terms of finance."""

from typing import Any

from django.db import models
from simple_history.models import HistoricalRecords

from catalog.models.fields import count, figure, line, positive
from costing.models.owned import Own, fraction, shares


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
