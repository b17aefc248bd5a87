"""The shipped catalogue straight from its CSV files, for engines, fits and tests without rows."""

from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path

from catalog.engine.assembly import assemble
from catalog.engine.schema import TABLES
from catalog.engine.spellings import Spellings
from catalog.engine.tables import FIXTURES, BadTable, Record, Refusal, read_file
from catalog.engine.values import benchmark_limit, serving_measurement, training_measurement
from catalog.specs import (
    BenchmarkLimit,
    CatalogueSnapshot,
    ServingMeasurement,
    TrainingMeasurement,
)


def read_folder(folder: Path) -> tuple[dict[str, list[Record]], list[Refusal]]:
    """All tables of a folder and the refused rows; raises BadTable where a file is no table."""
    tables: dict[str, list[Record]] = {}
    refused: list[Refusal] = []
    for table in TABLES:
        rows, refusals = read_file(folder, table)
        tables[table.name] = [record for _, record in rows]
        refused += refusals
    return tables, refused


@cache
def _tables() -> Mapping[str, list[Record]]:
    tables, refused = read_folder(FIXTURES)
    if refused:
        message = f"{len(refused)} shipped rows cannot be read, the first: {refused[0]}"
        raise BadTable(message)
    return tables


@cache
def shipped_snapshot(as_of: date | None = None) -> CatalogueSnapshot:
    """The shipped catalogue as known on a day, by default the last day its prices were seen."""
    tables = _tables()
    return assemble(tables, as_of or max(o["observed_last"] for o in tables["offers"]))


@cache
def _accelerators() -> Spellings:
    return Spellings(shipped_snapshot().accelerators, models=False)


@cache
def _models() -> Spellings:
    return Spellings(shipped_snapshot().models, models=True)


def find_shipped_accelerator(text: str) -> str | None:
    """The slug that a published spelling of an accelerator means."""
    return _accelerators().find(text)


def find_shipped_model(text: str) -> str | None:
    """The slug that a published spelling of a model means."""
    return _models().find(text)


@cache
def shipped_serving_measurements() -> tuple[ServingMeasurement, ...]:
    """The shipped serving measurements; a slug is filled in where the spelling is known."""
    return tuple(
        serving_measurement(
            {
                **record,
                "model_slug": record["model_slug"] or find_shipped_model(record["model"]) or "",
            }
        )
        for record in _tables()["measurements_serving"]
    )


@cache
def shipped_training_measurements() -> tuple[TrainingMeasurement, ...]:
    """The shipped training measurements; a slug is filled in where the spelling is known."""
    return tuple(
        training_measurement(
            {
                **record,
                "model_slug": record["model_slug"] or find_shipped_model(record["model"]) or "",
            }
        )
        for record in _tables()["measurements_training"]
    )


@cache
def shipped_benchmark_limits() -> tuple[BenchmarkLimit, ...]:
    """Latency limits of the benchmarks that the measurements come from."""
    return tuple(
        benchmark_limit(record, model_slug=find_shipped_model(record["model"]) or "")
        for record in _tables()["benchmark_limits"]
    )
