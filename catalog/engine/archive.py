"""A snapshot packed into bytes and back, for keeping what a run was computed from."""

import json
import zlib
from collections.abc import Mapping
from dataclasses import fields
from datetime import date
from typing import Any

from catalog.specs import (
    AcceleratorSpec,
    CatalogueSnapshot,
    Family,
    ModelSpec,
    OfferSpec,
    Purchase,
    RegionSpec,
    SupportSpec,
    SystemSpec,
)

PARTS: Mapping[str, type] = {
    "accelerators": AcceleratorSpec,
    "systems": SystemSpec,
    "models": ModelSpec,
    "regions": RegionSpec,
    "offers": OfferSpec,
    "support": SupportSpec,
}
SETS = {"software", "compliance"}
DAYS = {"observed_on", "observed_last_on", "available_from"}


def _packed(value: Any) -> Any:
    if isinstance(value, RegionSpec):
        return value.slug
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, date):
        return value.isoformat()
    return dict(value) if isinstance(value, Mapping) else value


def packed(snapshot: CatalogueSnapshot) -> bytes:
    """A snapshot as compressed JSON; equal snapshots give equal bytes."""
    content: dict[str, Any] = {"as_of": snapshot.as_of.isoformat(), "digest": snapshot.digest}
    for part, kind in PARTS.items():
        names = [f.name for f in fields(kind)]
        content[part] = [
            {name: _packed(getattr(spec, name)) for name in names}
            for spec in getattr(snapshot, part)
        ]
    return zlib.compress(json.dumps(content, sort_keys=True).encode(), level=6)


def _unpacked(row: dict[str, Any], kind: type, regions: Mapping[str, RegionSpec]) -> Any:
    values = dict(row)
    for name, value in row.items():
        if kind is not SupportSpec and name in SETS:
            values[name] = frozenset(value)
        elif name in DAYS and value:
            values[name] = date.fromisoformat(value)
        elif name == "aliases":
            values[name] = tuple(value)
        elif name == "family":
            values[name] = Family(value)
        elif name == "purchase":
            values[name] = Purchase(value)
        elif name == "region":
            values[name] = regions.get(value)
    return kind(**values)


def unpacked(content: bytes) -> CatalogueSnapshot:
    """The snapshot that `packed` made these bytes of."""
    stored = json.loads(zlib.decompress(content))
    regions = {row["slug"]: _unpacked(row, RegionSpec, {}) for row in stored["regions"]}
    parts = {
        part: tuple(_unpacked(row, kind, regions) for row in stored[part])
        for part, kind in PARTS.items()
    }
    return CatalogueSnapshot(
        as_of=date.fromisoformat(stored["as_of"]), digest=stored["digest"], **parts
    )
