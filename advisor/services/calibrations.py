"""Which fitted parameters runs use: the shipped ones, or a recalibration that was chosen."""

import hashlib
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from advisor.engine import calibration as engine
from advisor.engine.calibration import SECTIONS, shipped_calibration
from advisor.models import Calibration, CalibrationChoice
from catalog.specs import ServingMeasurement, TrainingMeasurement

SHIPPED = "shipped"


class UnknownCalibration(Exception):
    """A version of the parameters that is not kept here."""


def active_calibration() -> engine.Calibration:
    """The parameters that runs use from now on."""
    newest = CalibrationChoice.objects.values_list("pk", "chosen_at").first()
    return shipped_calibration() if newest is None else _of_choice(*newest)


def calibration_of(version: str) -> engine.Calibration:
    """The parameters that a finished run used; raises UnknownCalibration."""
    if version == shipped_calibration().version:
        return shipped_calibration()
    found = CalibrationChoice.objects.filter(version=version).values_list("pk", "chosen_at").first()
    if found is None:
        message = f"the parameters of version {version or 'unknown'} are not kept here"
        raise UnknownCalibration(message)
    return _of_choice(*found)


@lru_cache(maxsize=4)
def _of_choice(choice: int, _chosen_at: datetime) -> engine.Calibration:
    """Chosen sections in place of the shipped ones; a choice never changes."""
    row = CalibrationChoice.objects.get(pk=choice)
    chosen = list(row.sections.all())
    if not chosen:
        return shipped_calibration()
    shipped = shipped_calibration()
    documents: dict[str, Any] = {name: getattr(shipped, name) for name in SECTIONS}
    documents |= {section.subject: section.parameters for section in chosen}
    measured = {section.subject: _measured(section.subject, section.own) for section in chosen}
    return engine.Calibration(version=row.version, measured=measured, **documents)


def _measured(subject: str, rows: Sequence[dict[str, Any]]) -> tuple[Any, ...]:
    kind: Any = TrainingMeasurement if subject == "training" else ServingMeasurement
    names = {field.name for field in fields(kind)}
    return tuple(kind(**{k: v for k, v in row.items() if k in names}) for row in rows)


@transaction.atomic
def choose(
    sections: Sequence[Calibration], *, by: User | None, note: str = ""
) -> CalibrationChoice:
    """Let runs use these fits from now on; sections that are not named stay shipped."""
    names = sorted(section.version for section in sections)
    digest = hashlib.sha256("|".join([shipped_calibration().version, *names]).encode())
    version = digest.hexdigest()[:12] if names else shipped_calibration().version
    made = CalibrationChoice.objects.create(version=version, chosen_by=by, note=note[:300])
    made.sections.set(sections)
    return made


def back_to_shipped(*, by: User | None) -> CalibrationChoice:
    """Let runs use the shipped parameters from now on."""
    return choose([], by=by, note="back to shipped")
