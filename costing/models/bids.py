"""Vendors' quotes, each the private offer of one organisation."""

from typing import Any

from django.db import models
from simple_history.models import HistoricalRecords

from catalog.models.fields import allowed, chosen, count, figure, line, positive, words
from catalog.specs import Purchase
from costing.engine.bids import PRICE_PER, PURCHASES
from costing.engine.bids import Bid as BidValue
from costing.models.owned import Own, fraction, shares

FRACTIONS = (
    "prepaid_fraction",
    "sla_credit_fraction",
    "termination_fraction",
    "support_fraction_per_year",
)


class Bid(Own):
    """One quote: `name` is the vendor's, with a reference of the paper."""

    reference = line("number or title of the quote", max_length=120)
    purchase = chosen(PURCHASES)
    accelerator = line("id of the catalogue", max_length=120, blank=False)
    system = line("id of the catalogue; empty where it has none", max_length=120)
    accelerators_per_system = figure("accelerators in one system", null=False)
    quantity = count("systems offered")
    price = figure("in the currency of the quote", null=False)
    price_per = chosen(PRICE_PER)
    currency = line("ISO 4217", max_length=3, blank=False)
    received_on = models.DateField()
    valid_until = models.DateField(null=True, blank=True)
    delivery_on = models.DateField(null=True, blank=True)
    country = line("ISO 3166-1 alpha-2", max_length=2)
    prepaid_fraction = fraction("paid before use")
    minimum_months = figure("months that are paid in any case")
    minimum_quantity = count("systems that have to be taken")
    price_lock_months = figure("months for which the price is fixed")
    sla_credit_fraction = fraction("of a month's price, credited when availability is missed")
    termination_fee = figure("for ending early, in the currency of the quote")
    termination_fraction = fraction("of the payments still to come, for ending early")
    support_fraction_per_year = fraction("of the purchase price, each year")
    covers = words("what the price has in it")
    history = HistoricalRecords()

    class Meta:
        ordering = ("name", "reference", "pk")
        constraints = (
            models.UniqueConstraint(fields=["organisation", "name", "reference"], name="bid_once"),
            allowed("bid", "purchase", PURCHASES),
            allowed("bid", "price_per", PRICE_PER),
            *positive("bid", "accelerators_per_system", "price"),
            *shares("bid", *FRACTIONS),
        )

    def __str__(self) -> str:
        return f"{self.name}, {self.reference}" if self.reference else self.name

    def to_value(self, usd_per_currency_unit: float) -> BidValue:
        """The quote as the engine reads it."""
        return BidValue(
            id=self.pk,
            vendor=self.name,
            reference=self.reference,
            purchase=Purchase(self.purchase),
            accelerator_slug=self.accelerator,
            system_slug=self.system,
            accelerators_per_system=float(self.accelerators_per_system),
            quantity=self.quantity,
            price=float(self.price),
            price_per=self.price_per,
            currency=self.currency,
            usd_per_currency_unit=usd_per_currency_unit,
            received_on=self.received_on,
            valid_until=self.valid_until,
            delivery_on=self.delivery_on,
            country=self.country,
            prepaid_fraction=_number(self.prepaid_fraction) or 0.0,
            minimum_months=_number(self.minimum_months) or 0.0,
            minimum_quantity=self.minimum_quantity or 0,
            price_lock_months=_number(self.price_lock_months),
            sla_credit_fraction=_number(self.sla_credit_fraction),
            termination_fee=_number(self.termination_fee),
            termination_fraction=_number(self.termination_fraction),
            support_fraction_per_year=_number(self.support_fraction_per_year),
            covers=frozenset(self.covers),
            note=self.note,
        )


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
