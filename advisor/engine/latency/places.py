"""Where users, regions and edge zones stand, and published round trips between such places."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from advisor.engine.cases import Floats
from catalog.engine.tables import (
    FIXTURES,
    BadTable,
    Record,
    Table,
    choice,
    number,
    read_file,
    signed,
    text,
)
from catalog.specs import RegionSpec
from catalog.units import MILLISECOND

USER_PLACES_SOURCE = (
    "GeoNames (CC BY 4.0): large cities, and the people of each country around them"
)
_SOURCE = (*text("source_title", required=True), *text("source_url", "observed_on"))
USER_PLACES = Table(
    name="user_places",
    columns=(
        *text("country", "place", required=True),
        *signed("latitude", "longitude"),
        *number("people", required=True),
        *_SOURCE,
    ),
    key=("country", "place"),
)
ROUND_TRIPS = Table(
    name="round_trips",
    columns=(
        *text("from_place", "from_country", required=True),
        *signed("from_latitude", "from_longitude"),
        *text("to_place", "to_country", required=True),
        *signed("to_latitude", "to_longitude"),
        *number("milliseconds", required=True),
        *choice("statistic", ("mean", "p50", "p95"), required=True),
        *text("network", required=True),
        *_SOURCE,
    ),
    key=("from_place", "to_place", "network"),
)
EDGE_ZONES = Table(
    name="edge_zones",
    columns=(
        *text("provider", "zone", "place", "country", required=True),
        *signed("latitude", "longitude"),
        *text("parent_region"),
        *_SOURCE,
    ),
    key=("provider", "zone"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A point on the map, in degrees."""

    name: str
    country: str  # ISO 3166-1 alpha-2
    latitude: float
    longitude: float
    assumed: str = ""  # why it stands for something whose own place is not on record


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundTrip:
    """A published round trip between two places of one network."""

    start: Place
    end: Place
    seconds: float
    statistic: str  # mean, p50, p95
    network: str
    source: str
    observed_on: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Users:
    """Where the users are: places and the share of all requests from each; shares sum to one."""

    places: tuple[Place, ...]
    shares: Floats

    @property
    def latitudes(self) -> Floats:
        """Latitudes in degrees, one a place."""
        return np.array([place.latitude for place in self.places])

    @property
    def longitudes(self) -> Floats:
        """Longitudes in degrees, one a place."""
        return np.array([place.longitude for place in self.places])


@cache
def shipped_round_trips(folder: Path = FIXTURES) -> tuple[RoundTrip, ...]:
    """Published round trips between cloud regions.

    Source: fixtures/round_trips.csv, each row with its own.
    """
    return tuple(
        RoundTrip(
            start=_place(row, "from_", name="from_place"),
            end=_place(row, "to_", name="to_place"),
            seconds=float(row["milliseconds"]) * MILLISECOND,
            statistic=row["statistic"],
            network=row["network"],
            source=row["source_title"],
            observed_on=row["observed_on"],
        )
        for row in _records(folder, ROUND_TRIPS)
    )


@cache
def shipped_user_places(folder: Path = FIXTURES) -> Mapping[str, tuple[tuple[Place, float], ...]]:
    """Where the people of each country live: places and people, largest first.

    Source: fixtures/user_places.csv, each row with its own.
    """
    found: dict[str, list[tuple[Place, float]]] = {}
    for row in _records(folder, USER_PLACES):
        place = _place(row, "", name="place")
        found.setdefault(place.country, []).append((place, float(row["people"])))
    return {
        code: tuple(sorted(rows, key=lambda row: -row[1])) for code, rows in sorted(found.items())
    }


@cache
def shipped_edge_zones(folder: Path = FIXTURES) -> tuple[tuple[str, Place, str], ...]:
    """Edge zones: provider and zone, where it stands, and where that was read.

    Source: fixtures/edge_zones.csv, each row with its own.
    """
    return tuple(
        (f"{row['provider']} {row['zone']}", _place(row, "", name="place"), row["source_title"])
        for row in _records(folder, EDGE_ZONES)
    )


def users_in(
    countries: Sequence[str], *, shares: Mapping[str, float] | None = None
) -> Users | None:
    """Users of some countries, by people unless `shares` says how much comes from each.

    Countries without a city on record are left out; None where nobody is left. Shares need
    not add up to one; only their proportions count, and those not named count nothing.

    Source: populations as `shipped_user_places`.
    """
    known = shipped_user_places()
    places: list[Place] = []
    weights: list[float] = []
    for country in dict.fromkeys(countries):
        rows = known.get(country, ())
        people = sum(count for _, count in rows)
        wanted = people if shares is None else max(shares.get(country, 0.0), 0.0)
        for place, count in rows:
            if wanted > 0.0:
                places.append(place)
                weights.append(wanted * count / people)
    total = sum(weights)
    if total <= 0.0:
        return None
    return Users(places=tuple(places), shares=np.array(weights) / total)


def places_in(countries: Sequence[str]) -> list[Place]:
    """The large cities of some countries.

    Source: as `shipped_user_places`.
    """
    known = shipped_user_places()
    return [place for country in countries for place, _ in known.get(country, ())]


def place_of_region(region: RegionSpec) -> Place | None:
    """A region's own coordinates, else the largest city of its country, else None.

    Source: the catalogue; as `shipped_user_places`.
    """
    if region.latitude is not None and region.longitude is not None:
        return Place(
            name=region.name or region.code,
            country=region.country,
            latitude=region.latitude,
            longitude=region.longitude,
        )
    return place_of_country(region.country)


def place_of_country(country: str) -> Place | None:
    """The largest city of a country, None where none is on record.

    Source: as `shipped_user_places`.
    """
    rows = shipped_user_places().get(country, ())
    if not rows:
        return None
    place = rows[0][0]
    return replace(place, assumed=f"{place.name} stands for a place in {country} not on record")


def _place(row: Record, prefix: str, *, name: str) -> Place:
    return Place(
        name=row[name],
        country=row[f"{prefix}country"],
        latitude=float(row[f"{prefix}latitude"]),
        longitude=float(row[f"{prefix}longitude"]),
    )


def _records(folder: Path, table: Table) -> Iterable[Record]:
    taken, refused = read_file(folder, table)
    if refused:
        raise BadTable(str(refused[0]))
    return [record for _, record in taken]
