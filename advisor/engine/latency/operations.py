"""Figures of running machines: how often they fail, how long a start takes, which zones exist."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType

from catalog.engine.tables import FIXTURES, BadTable, Table, read_file, text, whole, words
from catalog.units import SECONDS_PER_MINUTE
from costing.engine.rates import RATES, Rate, Rates, rate_of, shipped_rates

OPERATIONS = replace(RATES, name="operations")
ZONES = Table(
    name="zones",
    columns=(
        *text("provider", required=True),
        *text("region", "accelerator"),
        *whole("zones", required=True),
        *words("names"),
        *text("source_title", required=True),
        *text("source_url", "observed_on", "note"),
    ),
    key=("provider", "region", "accelerator"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Zones:
    """How many zones a part is rented in at a place, and who says so."""

    count: int
    names: tuple[str, ...]
    source: str
    note: str
    recorded: bool = True  # whether somebody says so


_RECORDED_BY_ZONE = "google-tpu"
_ONE_PLACE = Zones(
    count=1,
    names=(),
    source="no zones on record for this provider: one place is taken",
    note="Ask the provider for rooms that do not fail together.",
    recorded=False,
)
_OWN_ROOM = Zones(
    count=1,
    names=(),
    source="a room of your own is one zone",
    note="A second room makes two.",
    recorded=False,
)


@cache
def shipped_operations(folder: Path = FIXTURES) -> Rates:
    """Failure, repair and start figures by id, each with its range and source.

    Source: fixtures/operations.csv, each row with its own.
    """
    taken, refused = read_file(folder, OPERATIONS)
    if refused:
        raise BadTable(str(refused[0]))
    return MappingProxyType({row["id"]: rate_of(row) for _, row in taken})


@cache
def _shipped_zones(folder: Path = FIXTURES) -> Mapping[tuple[str, str, str], Zones]:
    taken, refused = read_file(folder, ZONES)
    if refused:
        raise BadTable(str(refused[0]))
    return {
        (row["provider"], row["region"], row["accelerator"]): Zones(
            count=row["zones"],
            names=row["names"],
            source=row["source_title"],
            note=row["note"],
        )
        for _, row in taken
    }


def zones_of(*, provider: str, region: str, accelerator: str, purchase: str) -> Zones:
    """Zones in which a part is rented in a region; one where none are on record.

    The most particular record counts: part and region, region, then provider. TPUs are recorded
    zone by zone, so that one without a record stands in one zone. `region` is the provider's
    code.

    Source: fixtures/zones.csv, each row with its own.
    """
    known = _shipped_zones()
    if purchase in ("buy", "quote"):
        return _OWN_ROOM
    slug = f"{provider}/{region}" if region else ""
    particular = known.get((provider, slug, accelerator))
    if particular is not None or accelerator.startswith(_RECORDED_BY_ZONE) or not region:
        return particular or _ONE_PLACE
    return known.get((provider, slug, "")) or known.get((provider, "", "")) or _ONE_PLACE


def notice_s(provider: str) -> Rate:
    """Warning before a provider takes spot capacity back, in seconds.

    Source: the row of the cost rates, which count it in minutes; none is counted on otherwise.
    """
    stated = shipped_rates().get(f"spot/notice/{provider}")
    if stated is None:
        return shipped_operations()["spot/notice/default"]
    ends = {name: getattr(stated, name) * SECONDS_PER_MINUTE for name in ("value", "low", "high")}
    return replace(stated, unit="s", **ends)
