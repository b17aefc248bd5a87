"""What the installation knows of itself: what was prepared, and which parts are alive."""

from django.db import models


class Preparation(models.Model):
    """Something loaded into this database, and the digest of what it was loaded from."""

    name = models.CharField(primary_key=True, max_length=40)
    digest = models.CharField(max_length=64)
    done_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.name} {self.digest[:12]}"


class Beat(models.Model):
    """When a part of the installation was last seen alive, by the database's clock."""

    name = models.CharField(primary_key=True, max_length=40)
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name}, seen {self.seen_at:%Y-%m-%d %H:%M:%S}"
