"""Round trips over the network: light in glass as the floor, published figures as the measure."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import least_squares

from advisor.engine.cases import Floats
from advisor.engine.latency.places import Place, RoundTrip, Users, shipped_round_trips

LIGHT_M_PER_S = 299_792_458.0
FIBRE_INDEX = 1.468
"""Group index of standard single-mode fibre at 1,550 nm; assumed.

Source: pingdo.net, Optical Velocity Laboratory, has 1.467 for the same fibre (G.652), read
2026-11-25; the third digit moves the floor by a thousandth."""
EARTH_RADIUS_M = 6_371_008.8
"""Mean radius, International Union of Geodesy and Geophysics."""
SAME_PLACE_M = 100_000.0
"""Two places nearer than this count as one metropolitan area when published figures are sought."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteFit:
    """Round trip = base + factor x light's time in fibre; the range holds eight pairs of ten."""

    base_s: float
    factor: float
    low: float  # factors of the central value
    high: float
    median_error: float
    pairs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """One round trip with its range, and whether it is published for these very places."""

    seconds: float
    low_s: float
    high_s: float
    floor_s: float  # what light in fibre on the great circle takes
    published: bool
    source: str


def great_circle_m(
    latitude_a: ArrayLike, longitude_a: ArrayLike, latitude_b: ArrayLike, longitude_b: ArrayLike
) -> Floats:
    """Distance over the earth's surface in metres, from degrees; arrays broadcast.

    Source: haversine formula, R. W. Sinnott, "Virtues of the Haversine", Sky and Telescope
    68(2), 1984.
    """
    phi_a, lambda_a, phi_b, lambda_b = (
        np.radians(np.asarray(each, dtype=np.float64))
        for each in (latitude_a, longitude_a, latitude_b, longitude_b)
    )
    half = np.sin((phi_b - phi_a) / 2.0) ** 2
    half = half + np.cos(phi_a) * np.cos(phi_b) * np.sin((lambda_b - lambda_a) / 2.0) ** 2
    return np.asarray(2.0 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.minimum(half, 1.0))))


def fibre_floor_s(distance_m: ArrayLike) -> Floats:
    """Round trip of light in a fibre laid on the great circle: no network is faster, seconds.

    Source: speed of light over the fibre's group index.
    """
    return np.asarray(2.0 * np.asarray(distance_m, dtype=np.float64) * FIBRE_INDEX / LIGHT_M_PER_S)


def route_fit(trips: Sequence[RoundTrip]) -> RouteFit:
    """Base and route factor that come nearest to published round trips, errors counted in parts.

    Robust least squares on relative errors (soft L1), so that a few pairs with detours do not
    bend it; factor at least one.

    Source: the published pairs.
    """
    floor, seconds = _columns(trips)

    def relative(guess: Floats) -> Floats:
        return np.asarray((guess[0] + guess[1] * floor) / seconds - 1.0)

    found = least_squares(
        relative, x0=[5e-3, 1.7], loss="soft_l1", f_scale=0.1, bounds=([0.0, 1.0], [0.05, 5.0])
    )
    base_s, factor = (float(each) for each in found.x)
    ratio = seconds / (base_s + factor * floor)
    return RouteFit(
        base_s=base_s,
        factor=factor,
        low=float(np.quantile(ratio, 0.1)),
        high=float(np.quantile(ratio, 0.9)),
        median_error=float(np.median(np.abs(ratio - 1.0))),
        pairs=len(seconds),
    )


@cache
def shipped_fit() -> RouteFit:
    """The fit to the shipped round trips.

    Source: as `route_fit`.
    """
    return route_fit(shipped_round_trips())


def round_trip_s(distance_m: ArrayLike, fit: RouteFit | None = None) -> Floats:
    """Estimated round trip between places this far apart, seconds; longer for farther.

    Source: as `route_fit`.
    """
    fitted = fit or shipped_fit()
    return np.asarray(fitted.base_s + fitted.factor * fibre_floor_s(distance_m))


def round_trips_s(users: Users, sites: Sequence[Place | None]) -> Floats:
    """Round trips of every user place to every site, shape (sites, user places), seconds.

    Published between the two metropolitan areas where it is, estimated elsewhere; not a number
    for a site whose place is not known.

    Source: as `trip` for each pair.
    """
    known = [site for site in sites if site is not None]
    latitude = np.array([site.latitude for site in known])[:, None]
    longitude = np.array([site.longitude for site in known])[:, None]
    distance = great_circle_m(latitude, longitude, users.latitudes, users.longitudes)
    seconds = _with_published(round_trip_s(distance), known, users.places)
    result = np.full((len(sites), len(users.places)), np.nan)
    result[[site is not None for site in sites]] = seconds
    return result


def trip(a: Place, b: Place) -> Trip:
    """The round trip between two places with its range and where it comes from.

    Source: the published pair, else the fit.
    """
    distance = float(great_circle_m(a.latitude, a.longitude, b.latitude, b.longitude))
    floor = float(fibre_floor_s(distance))
    fit = shipped_fit()
    found = _published_between(a, b)
    if found:
        seconds = [each.seconds for each in found]
        return Trip(
            seconds=float(np.mean(seconds)),
            low_s=min(seconds),
            high_s=max(seconds),
            floor_s=floor,
            published=True,
            source="; ".join(dict.fromkeys(each.source for each in found)),
        )
    seconds_estimated = float(round_trip_s(distance, fit))
    return Trip(
        seconds=seconds_estimated,
        low_s=max(seconds_estimated * fit.low, floor),
        high_s=seconds_estimated * fit.high,
        floor_s=floor,
        published=False,
        source=(
            f"{fit.base_s * 1e3:.0f} ms and {fit.factor:.2f} times light in fibre, fitted to "
            f"{fit.pairs} published round trips (median error {fit.median_error:.0%})"
        ),
    )


def weighted_quantile(values: Floats, shares: Floats, quantile: float) -> Floats:
    """Smallest value that at least this share of the weight stays at or below, along the last axis.

    Source: definition of a quantile.
    """
    order = np.argsort(values, axis=-1)
    ranked = np.take_along_axis(values, order, axis=-1)
    reached = np.cumsum(shares[order], axis=-1)
    at = np.argmax(reached >= quantile - 1e-12, axis=-1)
    return np.asarray(np.take_along_axis(ranked, at[..., None], axis=-1)[..., 0])


def _columns(trips: Sequence[RoundTrip]) -> tuple[Floats, Floats]:
    corners = np.array(
        [(t.start.latitude, t.start.longitude, t.end.latitude, t.end.longitude) for t in trips]
    ).T
    return fibre_floor_s(great_circle_m(*corners)), np.array([t.seconds for t in trips])


def _published_between(a: Place, b: Place) -> list[RoundTrip]:
    return [
        each
        for each in shipped_round_trips()
        if (_near(a, each.start) and _near(b, each.end))
        or (_near(a, each.end) and _near(b, each.start))
    ]


def _near(a: Place, b: Place) -> bool:
    return bool(great_circle_m(a.latitude, a.longitude, b.latitude, b.longitude) < SAME_PLACE_M)


def _with_published(estimated: Floats, sites: Sequence[Place], users: Sequence[Place]) -> Floats:
    """Estimates with the mean of the published figures in place of those that have one."""
    trips = shipped_round_trips()
    seconds = np.array([each.seconds for each in trips])
    ends = [
        (_nearby(places, [t.start for t in trips]), _nearby(places, [t.end for t in trips]))
        for places in (sites, users)
    ]
    (site_start, site_end), (user_start, user_end) = ends
    # Pairs (site, user) by (site, trip) x (trip, user): how many trips, and their sum.
    forth = site_start.astype(float), user_end.astype(float).T
    back = site_end.astype(float), user_start.astype(float).T
    count = forth[0] @ forth[1] + back[0] @ back[1]
    total = (forth[0] * seconds) @ forth[1] + (back[0] * seconds) @ back[1]
    return np.where(count > 0.0, total / np.maximum(count, 1.0), estimated)


def _nearby(places: Sequence[Place], others: Sequence[Place]) -> np.ndarray:
    here = np.array([(p.latitude, p.longitude) for p in places]).reshape(-1, 2)
    there = np.array([(p.latitude, p.longitude) for p in others]).reshape(-1, 2)
    far = great_circle_m(here[:, :1], here[:, 1:], there[:, 0], there[:, 1])
    return np.asarray(far < SAME_PLACE_M)
