"""A job: work accepted once, done exactly once, whoever dies meanwhile."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar, cast

from django.db import models
from django.db.models import Q

from advisor.models.assessments import Assessment
from advisor.models.organisations import Owned, OwnedRows


class Kind(models.TextChoices):
    """What a job does; a run is the job that answers an assessment."""

    RUN = "run"
    IMPORT = "import"
    RECALIBRATION = "recalibration"
    SIMULATION = "simulation"
    ESTIMATE = "estimate"
    REASONS = "reasons"
    FLEET = "fleet"


class State(models.TextChoices):
    """Where a job stands; the last three never change again."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


FINAL_STATES = (State.SUCCEEDED, State.FAILED, State.CANCELLED)


class Job(Owned):
    """One row is the truth about a piece of background work; a message only wakes a worker.

    Inputs are frozen on acceptance. Whoever claims the job gets the next fencing token
    and a lease; writes with an older token change nothing.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    assessment = models.ForeignKey(
        Assessment, on_delete=models.CASCADE, null=True, blank=True, related_name="jobs"
    )
    inputs = models.JSONField()
    inputs_hash = models.CharField(max_length=64)
    idempotency_key = models.CharField(max_length=200, blank=True, default="")

    state = models.CharField(max_length=16, choices=State.choices, default=State.QUEUED)
    stage = models.CharField(max_length=200, blank=True, default="")
    progress = models.FloatField(default=0.0, help_text="fraction done, 0 to 1")
    cancel_requested = models.BooleanField(default=False)

    token = models.PositiveIntegerField(default=0, help_text="fencing token of the last claim")
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    sends = models.PositiveSmallIntegerField(default=0)
    send_after = models.DateTimeField(null=True, blank=True)

    result = models.JSONField(null=True, blank=True)
    problem = models.JSONField(null=True, blank=True)
    snapshot_digest = models.CharField(max_length=64, blank=True, default="")
    engine_version = models.CharField(max_length=64, blank=True, default="")
    calibration_version = models.CharField(max_length=64, blank=True, default="")

    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[OwnedRows[Job]] = cast(Any, OwnedRows.as_manager())

    class Meta:
        ordering = ("-created_at", "id")
        indexes = (
            models.Index(fields=("organisation", "-created_at")),
            models.Index(fields=("state", "send_after")),
            models.Index(fields=("state", "lease_until")),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("owner", "idempotency_key"),
                condition=~Q(idempotency_key=""),
                name="job_idempotency_key_once",
            ),
            models.CheckConstraint(
                condition=Q(progress__gte=0) & Q(progress__lte=1), name="job_progress_is_fraction"
            ),
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="job_kind_allowed"),
            models.CheckConstraint(condition=Q(state__in=State.values), name="job_state_allowed"),
            models.CheckConstraint(
                condition=~Q(state=State.RUNNING) | Q(lease_until__isnull=False),
                name="job_running_has_lease",
            ),
            models.CheckConstraint(
                condition=Q(state__in=FINAL_STATES, finished_at__isnull=False)
                | Q(state__in=(State.QUEUED, State.RUNNING), finished_at__isnull=True),
                name="job_finished_when_final",
            ),
            models.CheckConstraint(
                condition=~Q(state=State.FAILED) | Q(problem__isnull=False),
                name="job_failed_has_problem",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.id}: {self.state}"

    @property
    def is_final(self) -> bool:
        """Whether nothing about this job will change any more."""
        return self.state in FINAL_STATES
