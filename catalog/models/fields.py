"""Columns and constraints that many tables share."""

from collections.abc import Iterable
from typing import Any

from django.db import models
from django.db.models import CheckConstraint, Q

DIGITS = 20
PLACES = 6


def figure(unit: str, **options: Any) -> models.DecimalField:
    """A datasheet's or a price list's number in its own unit; empty is unknown, never zero."""
    options.setdefault("null", True)
    return models.DecimalField(
        max_digits=DIGITS,
        decimal_places=PLACES,
        blank=options["null"],
        help_text=f"{unit}; empty where unpublished".removeprefix("; "),
        **options,
    )


def count(meaning: str, **options: Any) -> models.PositiveBigIntegerField:
    """A whole number; empty is unknown."""
    options.setdefault("null", True)
    return models.PositiveBigIntegerField(blank=options["null"], help_text=meaning, **options)


def words(meaning: str) -> models.JSONField:
    """A list of words."""
    return models.JSONField(default=list, blank=True, help_text=meaning)


def line(meaning: str = "", **options: Any) -> models.CharField:
    """A short text; empty where there is none."""
    options.setdefault("blank", True)
    options.setdefault("default", "")
    return models.CharField(max_length=options.pop("max_length", 300), help_text=meaning, **options)


def chosen(options: Iterable[str], *, blank: bool = False) -> models.CharField:
    """One of a few ids."""
    pairs = [(str(option), str(option)) for option in options]
    extra: dict[str, Any] = {"blank": True, "default": ""} if blank else {}
    return models.CharField(max_length=32, choices=pairs, **extra)


def slug(example: str) -> models.CharField:
    """The id of a row: short, stable, never renamed."""
    return models.CharField(primary_key=True, max_length=120, help_text=f"e.g. {example}")


def positive(table: str, *names: str) -> list[CheckConstraint]:
    """Constraints that each of the columns is above zero or unknown."""
    return [
        CheckConstraint(
            condition=Q(**{f"{name}__isnull": True}) | Q(**{f"{name}__gt": 0}),
            name=f"{table}_{name}_positive",
        )
        for name in names
    ]


def allowed(
    table: str, name: str, options: Iterable[str], *, blank: bool = False
) -> CheckConstraint:
    """The constraint that a column holds one of a few ids."""
    ids = [str(option) for option in options] + ([""] if blank else [])
    return CheckConstraint(condition=Q(**{f"{name}__in": ids}), name=f"{table}_{name}_allowed")
