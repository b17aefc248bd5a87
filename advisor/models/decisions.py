"""What people decided on a run: written once, added to, never changed."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar, NoReturn, cast

from django.conf import settings
from django.db import models

from advisor.models.jobs import Job
from advisor.models.organisations import Owned, OwnedRows, Row


class DecisionsAreKept(Exception):
    """Somebody tried to change or delete a decision or what was added to one."""


class KeptRows(OwnedRows[Row]):
    """Rows that are written once: neither changed nor deleted, not even many at a time."""

    def update(self, **_: Any) -> NoReturn:
        """Refuse."""
        raise DecisionsAreKept

    def delete(self) -> NoReturn:
        """Refuse."""
        raise DecisionsAreKept


class WrittenOnce(models.Model):
    """A row that is saved once."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **options: Any) -> None:
        """Store once."""
        if not self._state.adding:
            raise DecisionsAreKept
        super().save(*args, **options)

    def delete(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse."""
        raise DecisionsAreKept


class DecisionRecord(WrittenOnce, Owned):
    """One decision: the run it rests on, what was chosen and why, with a hash over all of it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run = models.ForeignKey(Job, on_delete=models.PROTECT, related_name="decisions")
    content = models.JSONField()
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[KeptRows[DecisionRecord]] = cast(Any, KeptRows.as_manager())

    class Meta:
        ordering = ("-created_at", "id")
        indexes = (models.Index(fields=("organisation", "-created_at")),)

    def __str__(self) -> str:
        return f"{self.content.get('name', 'decision')} {self.digest[:12]}"


class AmendmentKind(models.TextChoices):
    """What may be added to a decision."""

    NOTE = "note", "Note"
    CONDITION = "condition", "Condition"
    ARCHITECT = "architect", "Sign-off by the architect"
    BUYER = "buyer", "Sign-off by the buyer"
    WITHDRAWN = "withdrawn", "Withdrawn"


SIGN_OFFS = (AmendmentKind.ARCHITECT, AmendmentKind.BUYER)


class Amendment(WrittenOnce):
    """One addition to a decision; each carries the hash of what stood before it."""

    record = models.ForeignKey(DecisionRecord, on_delete=models.PROTECT, related_name="amendments")
    number = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=16, choices=AmendmentKind.choices)
    name = models.CharField(max_length=120, help_text="who says so")
    text = models.TextField(blank=True, default="")
    said_on = models.DateField()
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    previous = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[KeptRows[Amendment]] = cast(Any, KeptRows.as_manager())

    class Meta:
        ordering = ("record", "number")
        constraints = (
            models.UniqueConstraint(fields=("record", "number"), name="amendment_number_once"),
            models.UniqueConstraint(
                fields=("record", "kind"),
                condition=models.Q(kind__in=SIGN_OFFS),
                name="amendment_sign_off_once",
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=AmendmentKind.values), name="amendment_kind_allowed"
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} by {self.name}"
