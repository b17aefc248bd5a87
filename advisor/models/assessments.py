"""An assessment: what somebody wants to run, as answered so far."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar, cast

from django.db import models

from advisor.models.organisations import Owned, OwnedRows


class Assessment(Owned):
    """Answers to the questionnaire for one or several workloads.

    The id cannot be guessed. The revision counts changes, so that two editors notice
    each other; the version names the questionnaire that the answers were given to.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    preset = models.CharField(max_length=64, blank=True, default="")
    answers = models.JSONField(default=dict, blank=True)
    questionnaire_version = models.CharField(max_length=32)
    revision = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[OwnedRows[Assessment]] = cast(Any, OwnedRows.as_manager())

    class Meta:
        ordering = ("-created_at", "id")
        indexes = (models.Index(fields=("organisation", "-created_at")),)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(revision__gte=1), name="assessment_revision_from_one"
            ),
        )

    def __str__(self) -> str:
        return self.name

    def raw_answers(self) -> dict[str, Any]:
        """What the questionnaire reads: the preset, if any, and the answers given on top."""
        raw: dict[str, Any] = {"answers": self.answers}
        return {"preset": self.preset, **raw} if self.preset else raw
