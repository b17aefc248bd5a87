"""States of the rates that finished runs were computed with."""

from typing import Any, NoReturn

from django.db import models


class KeptRates(models.Model):
    """One state of all rates and exchange rates that a finished run was computed with."""

    digest = models.CharField(primary_key=True, max_length=64)
    content = models.TextField()
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-recorded_at",)
        verbose_name_plural = "kept rates"

    def __str__(self) -> str:
        return self.digest[:12]

    def save(self, *args: Any, **options: Any) -> None:
        """Store once; what a run referred to never changes."""
        if not self._state.adding:
            raise RatesAreKept
        super().save(*args, **options)

    def delete(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse: finished runs refer to it."""
        raise RatesAreKept


class RatesAreKept(Exception):
    """Somebody tried to change or delete a kept state of the rates."""
