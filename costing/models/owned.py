"""What it means that a row of the cost model is somebody's own."""

from django.conf import settings
from django.db import models

from catalog.models.fields import figure
from catalog.models.sources import Source

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
