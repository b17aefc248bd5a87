"""The price book of an organisation."""

from django.db import models
from simple_history.models import HistoricalRecords

from catalog.models.fields import allowed, chosen, figure, line
from catalog.specs import Purchase
from costing.engine.own_prices import WHAT
from costing.engine.own_prices import OwnPrice as OwnPriceValue
from costing.models.owned import Own


class OwnPrice(Own):
    """One price that stands in place of list prices; empty words match every offer."""

    name = line("what it is, in your words", max_length=120)
    what = chosen(WHAT)
    amount = figure("in the currency, or as a fraction for a discount", null=False)
    currency = line("ISO 4217", max_length=3)
    provider = line("id of the catalogue", max_length=120)
    accelerator = line("id of the catalogue", max_length=120)
    machine = line("as the offer spells it", max_length=120)
    region = line("code of the region", max_length=120)
    purchase = chosen(Purchase, blank=True)
    rate = line("id of a rate of the cost model", max_length=120)
    valid_from = models.DateField(null=True, blank=True)
    valid_until = models.DateField(null=True, blank=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ("what", "rate", "provider", "accelerator", "pk")
        verbose_name = "own price"
        constraints = (
            allowed("own_price", "what", WHAT),
            models.CheckConstraint(
                condition=models.Q(amount__gte=0), name="own_price_not_negative"
            ),
        )

    def __str__(self) -> str:
        return self.name or f"{self.what} {self.provider} {self.accelerator} {self.rate}".strip()

    def to_value(self, usd_per_currency_unit: float) -> OwnPriceValue:
        """The price as the engine reads it; a discount and a rate have no currency."""
        has_currency = self.what not in ("discount", "rate")
        return OwnPriceValue(
            id=self.pk,
            what=self.what,
            amount=float(self.amount) * (usd_per_currency_unit if has_currency else 1.0),
            provider=self.provider,
            accelerator=self.accelerator,
            machine=self.machine,
            region=self.region,
            purchase=self.purchase,
            rate=self.rate,
            valid_from=self.valid_from,
            valid_until=self.valid_until,
            note=self.note,
        )
