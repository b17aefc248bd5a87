"""A calibration: fitted parameters, and the measurements they were fitted on."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from advisor.models.organisations import Organisation


class Calibration(models.Model):
    """One version of the fitted parameters; it never changes, a new fit is a new version.

    The shipped calibration belongs to everybody, so its owner and organisation are empty;
    an organisation's own measurements make one of its own.
    """

    version = models.CharField(max_length=64, unique=True)
    subject = models.CharField(max_length=32, help_text="serving, training or samples")
    parameters = models.JSONField()
    measurements = models.JSONField(default=list, help_text="ids of the rows behind the fit")
    errors = models.JSONField(default=dict, blank=True, help_text="residuals by group")
    own = models.JSONField(
        default=list,
        blank=True,
        help_text="own measurements among them, which win where they fit exactly",
    )
    note = models.CharField(max_length=300, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ("-created_at", "version")

    def __str__(self) -> str:
        return self.version


class CalibrationChoice(models.Model):
    """From when on runs use which fits; the newest row counts, none or an empty one is shipped.

    Rows are only added, so that they are the history of what was in use.
    """

    sections = models.ManyToManyField(Calibration, related_name="choices", blank=True)
    version = models.CharField(max_length=64, db_index=True, help_text="as runs record it")
    note = models.CharField(max_length=300, blank=True, default="")
    chosen_at = models.DateTimeField(auto_now_add=True)
    chosen_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.version} from {self.chosen_at:%Y-%m-%d %H:%M}"
