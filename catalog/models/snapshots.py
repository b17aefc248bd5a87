"""Kept states of the catalogue that finished runs refer to."""

from typing import Any, NoReturn

from django.db import models

from catalog.engine.archive import unpacked
from catalog.specs import CatalogueSnapshot


class Snapshot(models.Model):
    """One state of the catalogue as known on a day; its digest is the hash of its content."""

    digest = models.CharField(primary_key=True, max_length=64)
    as_of = models.DateField()
    content = models.BinaryField()
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-recorded_at",)

    def __str__(self) -> str:
        return f"{self.as_of} {self.digest[:12]}"

    def save(self, *args: Any, **options: Any) -> None:
        """Store once; what a run referred to never changes."""
        if not self._state.adding:
            raise SnapshotIsKept
        super().save(*args, **options)

    def delete(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse: finished runs refer to it."""
        raise SnapshotIsKept

    def to_snapshot(self) -> CatalogueSnapshot:
        """The kept state as values."""
        return unpacked(bytes(self.content))


class SnapshotIsKept(Exception):
    """Somebody tried to change or delete a kept state of the catalogue."""
