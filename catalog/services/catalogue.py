"""Read a folder of CSV files into the catalogue, all tables in one transaction."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from django.db import models, transaction

from catalog.engine.schema import TABLES
from catalog.engine.spellings import Spellings
from catalog.engine.tables import FIXTURES, Record, Refusal, Table, read_file
from catalog.models import (
    Accelerator,
    BenchmarkLimit,
    ModelArchitecture,
    ModelPrecision,
    Provider,
    Region,
    RegionCompliance,
    ServingMeasurement,
    SoftwareSupport,
    System,
    TrainingMeasurement,
    Vendor,
)
from catalog.queries import model_names
from catalog.services import rows
from catalog.services.offers import Observation, store_offers
from catalog.services.references import References
from catalog.services.upsert import Entry, Outcome, upsert

ToRow = Callable[[Record, References], rows.Values]
Lines = list[tuple[int, Record]]


@dataclass(slots=True, kw_only=True)
class ImportReport:
    """What an import did, by table."""

    tables: dict[str, Outcome] = field(default_factory=dict)
    dry_run: bool = False

    @property
    def refused(self) -> list[Refusal]:
        """All refused rows."""
        return [refusal for outcome in self.tables.values() for refusal in outcome.refused]

    def total(self, what: str) -> int:
        """Sum over the tables of added, changed or unchanged rows."""
        return sum(getattr(outcome, what) for outcome in self.tables.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a file's rows go and what tells them apart there."""

    model: type[models.Model]
    to_row: ToRow
    key: tuple[str, ...]
    first_history: bool = True


def _targets() -> Mapping[str, Target]:
    measurement = rows.measurement_row(Spellings(model_names(), models=True))
    return {
        "vendors": Target(model=Vendor, to_row=rows.vendor_row, key=("slug",)),
        "accelerators": Target(model=Accelerator, to_row=rows.accelerator_row, key=("slug",)),
        "systems": Target(model=System, to_row=rows.system_row, key=("slug",)),
        "models": Target(model=ModelArchitecture, to_row=rows.model_row, key=("slug",)),
        "model_precisions": Target(
            model=ModelPrecision,
            to_row=rows.precision_row,
            key=("model_id", "precision", "benchmark", "source_id"),
        ),
        "providers": Target(model=Provider, to_row=rows.provider_row, key=("slug",)),
        "regions": Target(model=Region, to_row=rows.region_row, key=("slug",)),
        "region_compliance": Target(
            model=RegionCompliance,
            to_row=rows.compliance_row,
            key=("provider_id", "region_id", "programme"),
        ),
        "support": Target(
            model=SoftwareSupport,
            to_row=rows.support_row,
            key=("vendor_id", "family", "software"),
        ),
        "benchmark_limits": Target(
            model=BenchmarkLimit, to_row=rows.limit_row, key=("model", "scenario")
        ),
        "measurements_serving": Target(
            model=ServingMeasurement, to_row=measurement, key=("id",), first_history=False
        ),
        "measurements_training": Target(
            model=TrainingMeasurement, to_row=measurement, key=("id",), first_history=False
        ),
    }


def _source_keys(lines: Lines) -> Iterable[tuple[str, str]]:
    for _, record in lines:
        for prefix in ("", "grid_", "power_"):
            if f"{prefix}source_title" in record:
                url = record.get(f"{prefix}source_url", "")
                yield record[f"{prefix}source_title"], url


def _store(table: Table, lines: Lines, target: Target, references: References) -> Outcome:
    entries: list[Entry] = []
    refused: list[Refusal] = []
    for line, record in lines:
        try:
            entries.append(Entry(line=line, values=target.to_row(record, references)))
        except ValueError as error:
            refused.append(Refusal(file=table.file, line=line, reason=str(error)))
    outcome = upsert(
        target.model,
        entries,
        file=table.file,
        key=target.key,
        first_history=target.first_history,
    )
    outcome.refused += refused
    return outcome


def import_catalogue(folder: Path = FIXTURES, *, dry_run: bool = False) -> ImportReport:
    """Bring the catalogue in step with a folder's files; rows that are not in them stay.

    Each sound row is taken and each refused one named. A file that is no table (missing,
    cut off, another header) raises BadTable, and nothing at all is changed.
    """
    read = [(table, *read_file(folder, table)) for table in TABLES]
    report = ImportReport(dry_run=dry_run)
    with transaction.atomic():
        references = References()
        references.add_sources(key for _, lines, _ in read for key in _source_keys(lines))
        for table, lines, refused in read:
            if table.name == "offers":
                seen = [Observation(line=line, record=record) for line, record in lines]
                offers, prices = store_offers(seen, references, file=table.file)
                report.tables["offers"], report.tables["prices"] = offers, prices
            else:
                target = _targets()[table.name]
                report.tables[table.name] = _store(table, lines, target, references)
                if report.tables[table.name].added:
                    references.read()
            report.tables[table.name].refused = refused + report.tables[table.name].refused
        transaction.set_rollback(dry_run)
    return report


def ensure_catalogue() -> bool:
    """Load the shipped catalogue where none is stored yet; true where that was needed."""
    if Accelerator.objects.exists():
        return False
    import_catalogue()
    return True
