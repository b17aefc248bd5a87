"""The rates that costs are built from: what they are, where they were read, how far they reach."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import inf
from pathlib import Path
from types import MappingProxyType
from typing import Any

from catalog.engine.tables import (
    FIXTURES,
    BadTable,
    Record,
    Table,
    amount,
    choice,
    day,
    number,
    read_file,
    text,
)
from catalog.specs import Evidence, Figure
from catalog.units import GIGA, MEGA, TIB
from costing.engine.cases import CostRules
from costing.engine.data import EgressTariff, StorageTariff
from costing.engine.tco import DECOMMISSION, EGRESS, MONITORING, PEOPLE, POWER, SPACE, STORAGE

STREAMING = "streaming_storage/"


def _range_problem(record: Record) -> str | None:
    value, low, high = (record[name] for name in ("value", "low", "high"))
    if value is None:
        return "value is missing"
    if low is not None and low > value:
        return f"low {low} is above the value {value}"
    if high is not None and high < value:
        return f"high {high} is below the value {value}"
    return None


RATES = Table(
    name="rates",
    columns=(
        *text("id", "label", required=True),
        *amount("value", "low", "high"),
        *text("unit", required=True),
        *choice("evidence", [str(kind) for kind in Evidence], required=True),
        *text("source_title", required=True),
        *text("source_url", "observed_on", "note"),
    ),
    key=("id",),
    problem=_range_problem,
)
CURRENCIES = Table(
    name="currencies",
    columns=(
        *text("code", "name", required=True),
        *number("usd_per_unit", required=True),
        *day("observed_on", required=True),
        *text("source_title", required=True),
        *text("source_url", "note"),
    ),
    key=("code",),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """One figure of the cost model in its own unit; without a range, low and high are the value."""

    id: str
    label: str
    value: float
    low: float
    high: float
    unit: str
    evidence: Evidence
    source: str
    source_url: str = ""
    observed_on: str = ""  # a day, month or year, as far as the source tells
    note: str = ""

    def as_figure(self) -> Figure:
        """The rate as a figure with its range and source."""
        return Figure(
            value=self.value,
            low=self.low,
            high=self.high,
            unit=self.unit,
            evidence=self.evidence,
            source=self.source,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrencyRate:
    """What one unit of a currency was worth on a day."""

    code: str
    name: str
    usd_per_unit: float
    observed_on: str
    source: str


Rates = Mapping[str, Rate]


def rate_of(record: Record) -> Rate:
    """A row of the table as a value.

    Source: the columns of RATES.
    """
    value = float(record["value"])
    return Rate(
        id=record["id"],
        label=record["label"],
        value=value,
        low=value if record["low"] is None else float(record["low"]),
        high=value if record["high"] is None else float(record["high"]),
        unit=record["unit"],
        evidence=Evidence(record["evidence"]),
        source=record["source_title"],
        source_url=record["source_url"],
        observed_on=record["observed_on"],
        note=record["note"],
    )


def currency_of(record: Record) -> CurrencyRate:
    """A row of the table as a value.

    Source: the columns of CURRENCIES.
    """
    return CurrencyRate(
        code=record["code"],
        name=record["name"],
        usd_per_unit=float(record["usd_per_unit"]),
        observed_on=record["observed_on"].isoformat(),
        source=record["source_title"],
    )


@cache
def shipped_rates(folder: Path = FIXTURES) -> Rates:
    """The rates that come with the application, by id.

    Source: fixtures/rates.csv, each row with its own.
    """
    return MappingProxyType({rate.id: rate for rate in map(rate_of, _records(folder, RATES))})


@cache
def shipped_currencies(folder: Path = FIXTURES) -> Mapping[str, CurrencyRate]:
    """The dated exchange rates that come with the application, by code.

    Source: fixtures/currencies.csv, each row with its own.
    """
    found = map(currency_of, _records(folder, CURRENCIES))
    return MappingProxyType({currency.code: currency for currency in found})


def rate_for(rates: Rates, kind: str, key: str) -> Rate:
    """The rate `kind/key`, else `kind/default`: what holds for a provider, country or place.

    Source: the rate found.
    """
    return rates.get(f"{kind}/{key}") or rates[f"{kind}/default"]


def power_usd_per_kwh(
    rates: Rates, currencies: Mapping[str, CurrencyRate], *, country: str
) -> Figure:
    """Price of industrial electricity in a country (ISO 3166-1 alpha-2), converted to USD.

    Source: the rate found; the exchange rate's day is its own.
    """
    rate = rate_for(rates, "power", country)
    usd = currencies[rate.unit.split("/")[0]].usd_per_unit
    return replace(
        rate.as_figure(),
        value=rate.value * usd,
        low=rate.low * usd,
        high=rate.high * usd,
        unit="USD/kWh",
    )


def egress_tariff(rates: Rates, provider: str) -> EgressTariff:
    """A provider's egress prices; the default where it states none.

    Source: the rates `egress/<provider>/...`.
    """
    name = provider if any(key.startswith(f"egress/{provider}/") for key in rates) else "default"
    prefix = f"egress/{name}/upto_gb/"
    steps = [(float(k.removeprefix(prefix)), rates[k]) for k in rates if k.startswith(prefix)]
    steps.sort(key=lambda step: step[0])
    free = rates.get(f"egress/{name}/free_gb")
    return EgressTariff(
        name=name,
        free_bytes=free.value * GIGA if free else 0.0,
        steps=tuple((inf if up == inf else up * GIGA, rate.value / GIGA) for up, rate in steps),
        source=steps[0][1].source,
        evidence=str(steps[0][1].evidence),
    )


def storage_tariff(rates: Rates, provider: str, *, kind: str = "fast_storage") -> StorageTariff:
    """A provider's price of storage (`fast_storage` or `object_storage`), else the default.

    Source: the rates `<kind>/<provider>`.
    """
    return _tariff(rate_for(rates, kind, provider))


def _tariff(rate: Rate) -> StorageTariff:
    return StorageTariff(
        name=rate.id,
        usd_per_byte_month=rate.value / GIGA,
        source=rate.source,
        evidence=str(rate.evidence),
    )


def streaming_storage(
    rates: Rates, *, kept_bytes: float, bytes_per_s: float
) -> tuple[StorageTariff, float]:
    """The cheapest tier that streams this fast, and the bytes it has to be ordered with.

    A parallel file system's speed comes with its size, so a fast and small one is ordered
    larger than its data, or in a faster tier, whichever is cheaper.

    Source: the rates `streaming_storage/<MB/s for each TiB>`.
    """
    found = []
    for key, rate in rates.items():
        if key.startswith(STREAMING):
            speed = float(key.removeprefix(STREAMING)) * MEGA / TIB
            needed = max(kept_bytes, bytes_per_s / speed)
            found.append((rate.value * needed, needed, rate))
    _, needed, rate = min(found, key=lambda each: each[0])
    return _tariff(rate), needed


def tariffs_of(
    rates: Rates, providers: Sequence[str]
) -> tuple[tuple[EgressTariff, ...], tuple[StorageTariff, ...]]:
    """The tables of CostCases for providers in this order, so that an index serves for both.

    Source: as `egress_tariff` and `storage_tariff`.
    """
    return (
        tuple(egress_tariff(rates, provider) for provider in providers),
        tuple(storage_tariff(rates, provider) for provider in providers),
    )


def rules_from_rates(rates: Rates, **changes: Any) -> CostRules:
    """Rules with the shipped rates and their ranges; `changes` are the assessment's own answers.

    A figure that the assessment states has no range of its own.
    Source: the rates named.
    """
    fabric = sorted(
        (float(key.removeprefix("fabric/")), rate.value)
        for key, rate in rates.items()
        if key.startswith("fabric/")
    )
    ranges = {
        PEOPLE: _span(rates["ops_fte/on_site"]),
        POWER: _span(rates["power_share_of_rated"]),
        STORAGE: _span(rates["fast_storage/default"]),
        MONITORING: _span(rates["monitoring"]),
        DECOMMISSION: _span(rates["decommission"]),
        EGRESS: (1.0, 1.0),
    }
    if "colocation_usd_per_kw_month" not in changes:
        ranges[SPACE] = _span(rates["colocation"])
    defaults: dict[str, Any] = {
        "power_share_of_rated": rates["power_share_of_rated"].value,
        "staff_usd_per_year": rates["staff"].value,
        "support_fraction_per_year": rates["support"].value,
        "installation_fraction": rates["installation"].value,
        "decommission_fraction": rates["decommission"].value,
        "monitoring_usd_per_instance_month": rates["monitoring"].value,
        "colocation_usd_per_kw_month": rates["colocation"].value,
        "own_space_usd_per_kw_month": rates["own_space"].value,
        "liquid_cooling_usd_per_kw": rates["liquid_cooling"].value,
        "fabric_usd_per_accelerator": tuple(fabric),
        "line_ranges": ranges,
    }
    return CostRules(**(defaults | changes))


def _span(rate: Rate) -> tuple[float, float]:
    if rate.value == 0.0:
        return 1.0, 1.0
    return rate.low / rate.value, rate.high / rate.value


def _records(folder: Path, table: Table) -> Iterable[Record]:
    taken, refused = read_file(folder, table)
    if refused:
        raise BadTable(str(refused[0]))
    return [record for _, record in taken]
