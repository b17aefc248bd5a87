"""Tables of records joined into a snapshot of the catalogue with its digest."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import date
from typing import Any

from catalog.engine.prices import OFFER_KEY, offer_attributes
from catalog.engine.tables import Record
from catalog.engine.values import (
    accelerator_spec,
    model_spec,
    newest_known,
    offer_spec,
    region_spec,
    support_spec,
    system_spec,
)
from catalog.specs import CatalogueSnapshot, OfferSpec, RegionSpec

Tables = Mapping[str, Sequence[Record]]


def grouped(records: Iterable[Record], *names: str) -> dict[Any, list[Record]]:
    """Records by the values of some columns: a tuple, or the value itself where it is one."""
    groups: dict[Any, list[Record]] = {}
    for record in records:
        key = record[names[0]] if len(names) == 1 else tuple(record[n] for n in names)
        groups.setdefault(key, []).append(record)
    return groups


def _regions(tables: Tables) -> dict[str, RegionSpec]:
    statuses = grouped(tables["region_compliance"], "provider", "region")
    regions = {}
    for record in tables["regions"]:
        provider, code, slug = record["provider"], record["code"], record["slug"]
        own = statuses.get((provider, code), []) + statuses.get((provider, slug), [])
        decided = {status["programme"] for status in own}
        wide = [s for s in statuses.get((provider, ""), []) if s["programme"] not in decided]
        regions[slug] = region_spec(record, own + wide)
    return regions


def _offers(tables: Tables, regions: Mapping[str, RegionSpec], as_of: date) -> Iterable[OfferSpec]:
    kinds = {record["slug"]: record["kind"] for record in tables["providers"]}
    by_offer = grouped(tables["offers"], *OFFER_KEY)
    chosen = [
        {**newest, **offer_attributes(records)}
        for records in by_offer.values()
        if (newest := newest_known(records, as_of)) is not None
    ]
    known = sorted(chosen, key=offer_order)
    for number, record in enumerate(known, start=1):
        yield offer_spec(
            record,
            number=record.get("id") or number,
            provider_kind=kinds[record["provider"]],
            region=regions.get(record["region"]),
        )


def offer_order(record: Record) -> tuple[str, ...]:
    """What offers are sorted by, so that the same content always has the same order."""
    return tuple(
        str(float(record[name] or 0)) if name == "accelerator_count" else str(record[name])
        for name in OFFER_KEY
    )


def assemble(tables: Tables, as_of: date) -> CatalogueSnapshot:
    """A snapshot of these records as they were known on a day.

    Announced hardware stays in (its lifecycle says so); models of unknown size and offers
    first seen after the day are left out.
    """
    accuracy = grouped(tables["model_precisions"], "model")
    regions = _regions(tables)
    models = (model_spec(m, accuracy.get(m["slug"], [])) for m in tables["models"])
    by_slug: dict[str, list[Any]] = {
        "accelerators": [accelerator_spec(record) for record in tables["accelerators"]],
        "systems": [system_spec(record) for record in tables["systems"]],
        "models": [model for model in models if model is not None],
        "regions": list(regions.values()),
    }
    parts: dict[str, tuple[Any, ...]] = {
        name: tuple(sorted(specs, key=lambda spec: spec.slug)) for name, specs in by_slug.items()
    }
    parts["offers"] = tuple(_offers(tables, regions, as_of))
    parts["support"] = tuple(
        sorted(
            (support_spec(record) for record in tables["support"]),
            key=lambda spec: (spec.vendor, spec.family, spec.software),
        )
    )
    return CatalogueSnapshot(as_of=as_of, digest=digest_of(parts, as_of), **parts)


def _canonical(value: Any) -> Any:
    """A value as text that is the same on every machine and in every process."""
    if isinstance(value, RegionSpec):
        return value.slug
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, Mapping):
        return sorted(value.items())
    return value


def digest_of(parts: Mapping[str, Sequence[Any]], as_of: date) -> str:
    """SHA-256 over the whole content; an offer's row number is no content."""
    digest = hashlib.sha256(as_of.isoformat().encode())
    for name in sorted(parts):
        for spec in parts[name]:
            row = [_canonical(getattr(spec, f.name)) for f in fields(spec) if f.name != "id"]
            digest.update(repr((name, row)).encode())
    return digest.hexdigest()
