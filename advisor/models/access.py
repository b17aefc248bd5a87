"""Keys, links and shares: who gets in, stored as hashes only."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar, cast

from django.conf import settings
from django.db import models

from advisor.models.jobs import Job
from advisor.models.organisations import Owned, OwnedRows


class Scope(models.TextChoices):
    """What the holder of an API key may do."""

    READ_CATALOGUE = "catalogue:read"
    RUN = "runs:write"
    EXPORT = "exports:read"
    ADMIN = "admin"


class ApiKey(Owned):
    """A key of the API; the prefix tells keys apart, the secret is kept as SHA-256 only."""

    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=16, unique=True)
    secret_hash = models.CharField(max_length=64)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[OwnedRows[ApiKey]] = cast(Any, OwnedRows.as_manager())

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix})"

    def allows(self, scope: Scope) -> bool:
        """Whether the key's scopes cover one; `admin` covers all."""
        return scope in self.scopes or Scope.ADMIN in self.scopes


class LoginLink(models.Model):
    """A link that signs somebody in once, until it expires."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    secret_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"link for {self.user}, until {self.expires_at:%Y-%m-%d %H:%M}"


class Share(Owned):
    """A finished job that whoever has the link may read."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="shares")
    secret_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[OwnedRows[Share]] = cast(Any, OwnedRows.as_manager())

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"share of {self.job_id}"
