"""Organisations, their members, and what it means that a row is owned."""

from __future__ import annotations

from typing import TypeVar

from django.conf import settings
from django.db import models

DEFAULT_ORGANISATION = "default"


class Organisation(models.Model):
    """Those who share assessments and their results; the embedded set-up has one."""

    slug = models.SlugField(primary_key=True, max_length=60)
    name = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("slug",)

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    """What a member may do in an organisation."""

    MEMBER = "member"
    ADMINISTRATOR = "administrator"


class Membership(models.Model):
    """A user's place in an organisation; the earliest one is where new rows go."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships"
    )
    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="memberships"
    )
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.MEMBER)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("pk",)
        constraints = (
            models.UniqueConstraint(fields=("user", "organisation"), name="membership_once"),
            models.CheckConstraint(
                condition=models.Q(role__in=Role.values), name="membership_role_allowed"
            ),
        )

    def __str__(self) -> str:
        return f"{self.user} in {self.organisation}"


Row = TypeVar("Row", bound="models.Model")


class OwnedRows(models.QuerySet[Row]):
    """Rows of which a reader may see those of one organisation only."""

    def of(self, organisation: Organisation) -> OwnedRows[Row]:
        """Those of an organisation."""
        return self.filter(organisation=organisation)


class Owned(models.Model):
    """A row that belongs to a user, and is seen by the user's organisation."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")

    class Meta:
        abstract = True
