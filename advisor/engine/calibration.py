"""Fitted parameters of the performance models, as shipped in versioned JSON files."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
SECTIONS = ("serving", "training", "samples")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calibration:
    """One document a model; an empty one means the model's own defaults.

    Compared and hashed by identity, so that what is derived from it can be cached.
    """

    version: str
    serving: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    samples: Mapping[str, Any] = field(default_factory=dict)
    measured: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    """The installation's own measurements by section; they win where they fit exactly."""


DEFAULT_CALIBRATION = Calibration(version="defaults")
"""Physics with planning defaults only: what a part without any measurement gets."""


def read_calibration(folder: Path) -> Calibration:
    """The calibration in a folder: calibration_serving.json and its siblings, where present.

    The version is a digest of the files, so equal parameters have equal versions.
    """
    documents: dict[str, Any] = {}
    digest = hashlib.sha256()
    for section in SECTIONS:
        path = folder / f"calibration_{section}.json"
        if path.exists():
            content = path.read_bytes()
            digest.update(content)
            documents[section] = json.loads(content)
    return Calibration(version=digest.hexdigest()[:12], **documents)


@cache
def shipped_calibration() -> Calibration:
    """The calibration the product ships with, read once a process."""
    return read_calibration(FIXTURES)


def write_section(folder: Path, section: str, document: Mapping[str, Any]) -> Path:
    """Write one section's document; keys sorted, so that a refit gives a small difference."""
    path = folder / f"calibration_{section}.json"
    path.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return path
