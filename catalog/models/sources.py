"""Where figures were read, who makes the hardware."""

from django.db import models
from simple_history.models import HistoricalRecords

from catalog.models.fields import line, slug, words


class Source(models.Model):
    """One publication: a datasheet, a price list, a results table."""

    title = models.CharField(max_length=400)
    url = line("address of the original, where it has one", max_length=600)
    changed_at = models.DateTimeField(auto_now=True, db_index=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ("title",)
        constraints = (
            models.UniqueConstraint(fields=["title", "url"], name="source_once"),
            models.CheckConstraint(condition=~models.Q(title=""), name="source_titled"),
        )

    def __str__(self) -> str:
        return self.title


class Sourced(models.Model):
    """A row whose figures were read in a source on a day."""

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+", db_index=False)
    read_on = models.DateField(null=True, blank=True, help_text="day the source was read")
    note = models.TextField(blank=True, default="")
    changed_at = models.DateTimeField(auto_now=True, db_index=True)

    class Meta:
        abstract = True


class Vendor(models.Model):
    """A maker of accelerators or systems."""

    slug = slug("nvidia")
    name = models.CharField(max_length=120, unique=True)
    aliases = words("other spellings")
    country = line("ISO 3166-1 alpha-2", max_length=2)
    source = models.ForeignKey(
        Source, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    read_on = models.DateField(null=True, blank=True)
    note = models.TextField(blank=True, default="")
    changed_at = models.DateTimeField(auto_now=True, db_index=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name
