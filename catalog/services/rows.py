"""Records of a file as the values of stored rows, with the rows they refer to."""

from collections.abc import Callable, Mapping
from typing import Any

from catalog.engine.spellings import Spellings
from catalog.engine.tables import Record
from catalog.services.references import References, known, optional

Values = dict[str, Any]
SOURCE_COLUMNS = {"source_title", "source_url"}


def _plain(record: Record, *left_out: str) -> Values:
    return {n: v for n, v in record.items() if n not in SOURCE_COLUMNS and n not in left_out}


def _sourced(record: Record, references: References, *left_out: str) -> Values:
    source = references.source(record["source_title"], record.get("source_url", ""))
    return {**_plain(record, *left_out), "source_id": source}


def vendor_row(record: Record, references: References) -> Values:
    """A maker."""
    return _sourced(record, references)


def accelerator_row(record: Record, references: References) -> Values:
    """An accelerator of a known maker."""
    known(record["vendor"], references.vendors, "vendor")
    return {
        **_sourced(record, references, "vendor"),
        "vendor_id": references.vendors[record["vendor"]],
    }


def system_row(record: Record, references: References) -> Values:
    """A system of a known maker and accelerator."""
    known(record["vendor"], references.vendors, "vendor")
    return {
        **_sourced(record, references, "vendor", "accelerator"),
        "vendor_id": references.vendors[record["vendor"]],
        "accelerator_id": known(record["accelerator"], references.accelerators, "accelerator"),
    }


def model_row(record: Record, references: References) -> Values:
    """A model's shape."""
    return _sourced(record, references)


def precision_row(record: Record, references: References) -> Values:
    """An accuracy result of a known model."""
    return {
        **_sourced(record, references, "model"),
        "model_id": known(record["model"], references.models, "model"),
    }


def provider_row(record: Record, references: References) -> Values:
    """A seller."""
    return _sourced(record, references)


def region_row(record: Record, references: References) -> Values:
    """A place of a known seller; grid and power have sources of their own."""
    own = ("grid_source_title", "grid_source_url", "power_source_title", "power_source_url")
    return {
        **_sourced(record, references, "provider", *own),
        "provider_id": known(record["provider"], references.providers, "provider"),
        "grid_source_id": references.source(record[own[0]], record[own[1]]),
        "power_source_id": references.source(record[own[2]], record[own[3]]),
    }


def compliance_row(record: Record, references: References) -> Values:
    """A programme's status for a provider's region, by code or slug, or for all of it."""
    provider = known(record["provider"], references.providers, "provider")
    region = record["region"]
    if region and not region.startswith(f"{provider}/"):
        region = f"{provider}/{region}"
    return {
        **_sourced(record, references, "provider", "region"),
        "provider_id": provider,
        "region_id": optional(region, references.regions, "region"),
    }


def support_row(record: Record, references: References) -> Values:
    """Software on the family of a known maker."""
    known(record["vendor"], references.vendors, "vendor")
    return {
        **_sourced(record, references, "vendor"),
        "vendor_id": references.vendors[record["vendor"]],
    }


def limit_row(record: Record, references: References) -> Values:
    """A benchmark's limits."""
    return _sourced(record, references)


def measurement_row(models: Spellings) -> Callable[[Record, References], Values]:
    """A measurement of a known accelerator; its model is looked up by the published spelling."""

    def row(record: Record, references: References) -> Values:
        given = record["model_slug"]
        slug = known(given, references.models, "model") if given else models.find(record["model"])
        return {
            **_sourced(record, references, "accelerator", "model_slug"),
            "accelerator_id": known(record["accelerator"], references.accelerators, "accelerator"),
            "architecture_id": slug,
        }

    return row


def offer_refs(record: Record, references: References) -> Mapping[str, str | None]:
    """What an offer refers to; raises ValueError where a row is missing."""
    return {
        "provider_id": known(record["provider"], references.providers, "provider"),
        "region_id": optional(record["region"], references.regions, "region"),
        "accelerator_id": optional(record["accelerator"], references.accelerators, "accelerator"),
        "system_id": optional(record["system"], references.systems, "system"),
        "model_id": optional(record["model"], references.models, "model"),
    }
