"""How long the way between the users and each offer takes, and which offers that rules out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from advisor.engine.cases import Bools, Floats, Ints
from advisor.engine.latency.distance import (
    fibre_floor_s,
    great_circle_m,
    round_trip_s,
    round_trips_s,
    shipped_fit,
    weighted_quantile,
)
from advisor.engine.latency.places import (
    Place,
    Users,
    place_of_country,
    place_of_region,
    places_in,
    users_in,
)
from advisor.engine.search.fits import deployment_kind
from advisor.engine.search.market import OWN_PRICE
from advisor.engine.workload import Question, Slo, Workload
from catalog.specs import Evidence, Figure, OfferSpec

LEVELS = (0.15, 0.4)
"""Shares of the tightest target at which offers are parted: each part is sized for the way of
its farthest offer, so that near places are not sized for far ones."""


AT_THE_EDGE = "your own machines stand beside the users, at the edge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Round trips between the users and offers, one an offer; zero where nothing is known."""

    p50_s: Floats
    p95_s: Floats
    p99_s: Floats
    slo_s: Floats  # at the percentile of the targets
    floor_s: Floats  # of slo_s, what light in fibre alone takes
    named: bool  # the users are named, so that their way counts
    known: Bools  # and the offer's place is known
    places: tuple[Place | None, ...]


def place_of_offer(offer: OfferSpec, *, own: Place | None) -> Place | None:
    """Where an offer stands: its region, or the user's own room; None where neither is known.

    Source: the catalogue and the answers.
    """
    if deployment_kind(offer) == "on_prem" or offer.provider == OWN_PRICE:
        return own
    return place_of_region(offer.region) if offer.region is not None else None


def own_room(question: Question, users: Users, *, quantile: float) -> Place | None:
    """The user's own room: in the country of the site, else the best place where data may be.

    Tried are the users' own places in countries where the data may be, else the places of those
    countries; the best has the shortest round trip at the quantile of users. Where machines may
    stand at the edge they are taken to stand beside the users.

    Source: the answers; `latency.distance`.
    """
    if question.site.country:
        return place_of_country(question.site.country)
    allowed = [
        place
        for place in users.places
        if not question.residency_countries or place.country in question.residency_countries
    ]
    allowed = allowed or places_in(sorted(question.residency_countries))
    if not allowed:
        return None
    ways = weighted_quantile(round_trips_s(users, allowed), users.shares, quantile)
    best = allowed[int(np.argmin(ways))]
    words = f"your own room is put in {best.name}, the best single place for your users"
    return replace(best, assumed=AT_THE_EDGE if at_the_edge(question) else words)


def at_the_edge(question: Question) -> bool:
    """Whether own machines may stand beside the users: edge is allowed and no site is named.

    Source: the answers.
    """
    return "edge" in question.deployment_allowed and not question.site.country


def tightest_s(slo: Slo) -> float | None:
    """The shortest target that the way over the network counts against; None where there is none.

    Source: the answers.
    """
    targets = [each for each in (slo.ttft_s, slo.e2e_s) if each is not None]
    return min(targets, default=None)


def reach_of(offers: Sequence[OfferSpec], *, question: Question, workload: Workload) -> Reach:
    """Round trips of all offers at the percentiles of the users; zeros where none are named.

    A percentile of a single place's users is that of the shares of the user places: p95 is
    what at most one user in twenty exceeds. Batches and training have no users waiting.

    Source: `latency.distance`.
    """
    serving = workload.serving
    users = users_in(question.user_countries) if serving and not serving.is_batch else None
    if users is None or serving is None:
        return _nothing(len(offers))
    quantile, shares = serving.slo.percentile, users.shares
    own = own_room(question, users, quantile=quantile)
    sites = [place_of_offer(offer, own=own) for offer in offers]
    distinct = list(dict.fromkeys(sites))
    index = np.array([distinct.index(site) for site in sites], dtype=np.int64)
    known = np.array([site is not None for site in distinct], dtype=bool)
    way = np.where(known[:, None], round_trips_s(users, distinct), 0.0)
    floor = np.where(known[:, None], _floors_s(users, distinct), 0.0)
    if at_the_edge(question):
        beside = np.array([site is not None and site == own for site in distinct], dtype=bool)
        way[beside], floor[beside] = round_trip_s(0.0), 0.0

    def at(seconds: Floats, share: float) -> Floats:
        return weighted_quantile(seconds, shares, share)[index]

    return Reach(
        p50_s=at(way, 0.5),
        p95_s=at(way, 0.95),
        p99_s=at(way, 0.99),
        slo_s=at(way, quantile),
        floor_s=at(floor, quantile),
        named=True,
        known=known[index],
        places=tuple(sites),
    )


def _floors_s(users: Users, sites: Sequence[Place | None]) -> Floats:
    """Times of light in fibre, shape (sites, user places)."""
    latitude = np.array([site.latitude if site else 0.0 for site in sites])[:, None]
    longitude = np.array([site.longitude if site else 0.0 for site in sites])[:, None]
    return fibre_floor_s(great_circle_m(latitude, longitude, users.latitudes, users.longitudes))


def _nothing(count: int) -> Reach:
    zero = np.zeros(count)
    return Reach(
        p50_s=zero, p95_s=zero, p99_s=zero, slo_s=zero, floor_s=zero,
        named=False, known=np.zeros(count, dtype=bool), places=(None,) * count,
    )  # fmt: skip


def too_far(offer: OfferSpec, reach: Reach, row: int, *, slo: Slo) -> str | None:
    """Why an offer is out for its distance alone, with both figures; None where it is near enough.

    Source: arithmetic.
    """
    target = tightest_s(slo)
    way = float(reach.slo_s[row])
    if target is None or not reach.known[row] or way < target:
        return None
    floor = float(reach.floor_s[row])
    where = f"{offer.provider} {offer.region.code}" if offer.region else "your own room"
    physics = (
        "light in fibre alone takes longer than that"
        if floor >= target
        else f"light in fibre alone takes {floor * 1e3:,.0f} ms"
    )
    return (
        f"The way to {where} and back takes {way * 1e3:,.0f} ms for {slo.percentile:.0%} of your "
        f"users ({physics}); you ask for an answer within {target * 1e3:,.0f} ms."
    )


def nearest_ways_s(offers: Sequence[OfferSpec], reach: Reach) -> dict[str, float]:
    """The shortest way to the users at the targets' percentile, by slug of accelerator, seconds.

    Source: as `reach_of`.
    """
    found: dict[str, float] = {}
    for row, offer in enumerate(offers):
        if reach.known[row]:
            way_s = float(reach.slo_s[row])
            found[offer.accelerator_slug] = min(way_s, found.get(offer.accelerator_slug, way_s))
    return found


def levels_of(reach: Reach, slo: Slo) -> list[tuple[float, Ints]]:
    """Offers parted by how much of the tightest target their way takes: seconds, and offers.

    One part with no way at all where no users are named.

    Source: rule stated at LEVELS.
    """
    target = tightest_s(slo)
    everything = np.arange(len(reach.slo_s))
    if target is None or not reach.named or not len(everything):
        return [(0.0, everything)]
    part = np.digitize(reach.slo_s, [share * target for share in LEVELS])
    return [
        (float(reach.slo_s[part == number].max()), everything[part == number])
        for number in range(len(LEVELS) + 1)
        if (part == number).any()
    ]


def tightened(workload: Workload, way_s: float) -> Workload:
    """The same workload with what the way leaves of its targets.

    Source: arithmetic.
    """
    serving = workload.serving
    if serving is None or way_s <= 0.0:
        return workload

    def less(target: float | None) -> float | None:
        return None if target is None else max(target - way_s, 0.0)

    slo = replace(serving.slo, ttft_s=less(serving.slo.ttft_s), e2e_s=less(serving.slo.e2e_s))
    return replace(workload, serving=replace(serving, slo=slo))


def way_of(reach: Reach, offer: int) -> dict[str, Figure]:
    """The round trip of one offer's users as figures; nothing where no users are named.

    Unknown with its reason where the offer names no place.

    Source: as `latency.distance.route_fit`.
    """
    if not reach.named:
        return {}
    fit = shipped_fit()
    source = (
        "published round trips between the two places, else "
        f"{fit.base_s * 1e3:.0f} ms and {fit.factor:.2f} times light in fibre ({fit.pairs} "
        f"published pairs, median error {fit.median_error:.0%}); users' own lines are not in it"
        if reach.known[offer]
        else "the offer names no place, so the way to it is not known and not counted"
    )

    place = reach.places[offer]
    guessed = place.assumed if place is not None else ""
    source = f"{source}; {guessed}" if guessed else source
    known = bool(reach.known[offer])

    def figure(seconds: float) -> Figure:
        return Figure(
            value=seconds if known else None,
            low=seconds * fit.low if known else None,
            high=seconds * fit.high if known else None,
            unit="s",
            evidence=Evidence.CALIBRATED if known and not guessed else Evidence.ASSUMED,
            source=source,
        )

    columns = {"p50": reach.p50_s, "p95": reach.p95_s, "p99": reach.p99_s}
    return {f"network_{name}_s": figure(float(at[offer])) for name, at in columns.items()}


def way_in_target_s(figures: Mapping[str, Figure], percentile: float) -> float:
    """What of a latency target the way to the users takes, by a plan's figures; 0 where unknown.

    Source: the plan's way at the nearest of the percentiles shown, upwards.
    """
    name = "p50" if percentile <= 0.5 else "p95" if percentile <= 0.95 else "p99"  # noqa: PLR2004
    way = figures.get(f"network_{name}_s")
    return way.value if way is not None and way.value is not None else 0.0


def longer_by(figure: Figure, way: Figure) -> Figure:
    """A latency with the way of the users at the same percentile, as it is where that is unknown.

    Quantiles are added, which is on the safe side: the slowest answers need not go to the
    farthest users.

    Source: arithmetic.
    """
    if figure.value is None or figure.low is None or figure.high is None:
        return figure
    if way.value is None or way.low is None or way.high is None:
        return figure
    return replace(
        figure,
        value=figure.value + way.value,
        low=figure.low + way.low,
        high=figure.high + way.high,
    )
