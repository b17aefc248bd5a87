"""Distance: the way to each place the plan could stand in, and the traffic split over places."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from advisor.engine.answers import Problem
from advisor.engine.cases import Floats
from advisor.engine.latency.distance import (
    fibre_floor_s,
    great_circle_m,
    round_trip_s,
    round_trips_s,
    shipped_fit,
    trip,
    weighted_quantile,
)
from advisor.engine.latency.places import (
    USER_PLACES_SOURCE,
    Place,
    Users,
    place_of_region,
    shipped_edge_zones,
    users_in,
)
from advisor.engine.plan import Plan
from advisor.engine.search.reach import own_room, tightest_s
from advisor.engine.workload import Question, Slo
from advisor.questions.codes import COUNTRIES, COUNTRY_GROUPS
from advisor.services.paths.asked import Field, Problems, Values
from advisor.services.paths.documents import Document, Row, chart, percent_text, table
from advisor.services.paths.splits import split_tables, split_words, splits_of
from advisor.services.paths.subject import Subject
from catalog.specs import OfferSpec
from catalog.units import MILLISECOND

PLACES_SHOWN = 14
ARTICLE_TARGETS_S = (0.2, 0.3)  # AI 4U article: headline, body
EDGE_WITHIN_M = 100_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Site:
    """A place the plan's part can be had in."""

    label: str
    place: Place
    usd_per_month: float | None
    current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """Users, places and targets."""

    subject: Subject
    question: Question
    users: Users
    slo: Slo
    sites: tuple[_Site, ...]
    seconds: Floats  # (sites, user places), access lines included
    access_s: float


def fields(subject: Subject) -> list[Field]:
    """What may be changed."""
    slo, countries = subject.demand.slo, subject.countries
    target_s = tightest_s(slo) or 0.3
    return [
        Field(id="countries", label="Users in", help="countries, for example US, DE, JP",
              value=", ".join(countries)),
        Field(id="shares", label="Share of each", help="for example 3, 1, 1; empty: by people",
              value=""),
        Field(id="target_ms", label="Target", help="ms, the way included", low=1.0, high=3.6e6,
              value=target_s / MILLISECOND),
        Field(id="access_ms", label="Their own line", help="ms there and back; mobile some tens",
              value=0.0, low=0.0, high=2000.0),
    ]  # fmt: skip


def answer(subject: Subject, values: Values) -> Document:
    """Places by their way to the users, users by their nearest place, and splits over places."""
    codes = _countries(str(values["countries"]))
    if not codes:
        return {
            "findings": ["Name the countries of your users to see how far each place is."],
            "tables": [],
            "charts": [],
            "basis": [],
        }
    case = _case(subject, codes, values)
    splits = splits_of(subject, case.question, case.slo)
    return {
        "findings": [
            _best_words(case),
            _plan_words(case),
            *split_words(splits),
            _article_words(case),
        ],
        "tables": [_sites(case), _users(case), *split_tables(splits)],
        "charts": [_chart(case)],
        "basis": [_fit_basis(), _edge_basis(), _people_basis(case)],
    }


def _countries(text: str) -> list[str]:
    """Codes of countries in a text; raises Problems for one that is none."""
    found: list[str] = []
    for word in text.replace(";", ",").replace(" ", ",").upper().split(","):
        if word in COUNTRY_GROUPS:
            found += COUNTRY_GROUPS[word]
        elif word in COUNTRIES:
            found.append(word)
        elif word:
            message = f"Users in: “{word[:20]}” is no country; type two letters each, like DE, US"
            raise Problems([Problem(pointer="/countries", message=message)])
    return list(dict.fromkeys(found))


def _shares(text: str, codes: Sequence[str]) -> dict[str, float] | None:
    words = [word for word in text.replace(";", ",").split(",") if word.strip()]
    if not words:
        return None
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        numbers = []
    if len(numbers) != len(codes) or min(numbers) < 0.0 or sum(numbers) <= 0.0:
        message = f"Share of each: type {len(codes)} numbers with commas between, none below 0"
        raise Problems([Problem(pointer="/shares", message=message)])
    return dict(zip(codes, numbers, strict=True))


def _case(subject: Subject, codes: list[str], values: Values) -> _Case:
    users = users_in(codes, shares=_shares(str(values["shares"]), codes))
    if users is None:
        message = "Users in: no city of these countries is on record"
        raise Problems([Problem(pointer="/countries", message=message)])
    question = replace(subject.worked.question, user_countries=tuple(codes))
    slo = replace(subject.demand.slo)
    sites = _places(subject, question, users)
    access_s = values["access_ms"] * MILLISECOND
    target_s = values["target_ms"] * MILLISECOND
    slo = replace(slo, ttft_s=target_s) if slo.ttft_s is not None else replace(slo, e2e_s=target_s)
    seconds = round_trips_s(users, [site.place for site in sites]) + access_s
    return _Case(
        subject=subject, question=question, users=users, slo=slo, sites=sites,
        seconds=seconds, access_s=access_s,
    )  # fmt: skip


def _places(subject: Subject, question: Question, users: Users) -> tuple[_Site, ...]:
    """Places where the plan's part is offered and allowed, each with its cheapest fitting cost."""
    priced, plan = subject.priced, subject.plan
    costs: dict[int, float] = {}
    meets = priced.sizing.meets[priced.placements.sizing]
    for row, offer_index in enumerate(priced.placements.offer.tolist()):
        month = float(priced.cost.monthly_usd[row])
        if meets[row] and np.isfinite(month):
            costs[offer_index] = min(month, costs.get(offer_index, np.inf))
    own = own_room(question, users, quantile=subject.demand.slo.percentile)
    found: dict[str, _Site] = {}
    for index, offer in enumerate(priced.offers):
        if offer.accelerator_slug != plan.accelerator_slug:
            continue
        label, place = _named(offer, own)
        if place is None:
            continue
        usd: float | None = costs.get(index)
        known = found.get(label)
        if known is not None and usd is not None and known.usd_per_month is not None:
            usd = min(usd, known.usd_per_month)
        elif known is not None and usd is None:
            usd = known.usd_per_month
        found[label] = _Site(
            label=label, place=place, usd_per_month=usd, current=label == _label_of(plan)
        )
    return tuple(found.values())


def _named(offer: OfferSpec, own: Place | None) -> tuple[str, Place | None]:
    if offer.purchase in ("buy", "quote"):
        return "your own room", own
    if offer.region is None:
        return "", None
    return f"{offer.provider} {offer.region.code}", place_of_region(offer.region)


def _label_of(plan: Plan) -> str:
    if plan.provider_kind == "on_prem":
        return "your own room"
    return f"{plan.provider} {plan.region}" if plan.region else ""


def _quantile(case: _Case, seconds: Floats, share: float) -> Floats:
    return weighted_quantile(seconds, case.users.shares, share)


def _target(case: _Case) -> float:
    return tightest_s(case.slo) or float("inf")


def _service_s(case: _Case) -> float:
    """First token (or answer) of the plan at its targets' percentile, without any way."""
    name = f"{'ttft' if case.slo.ttft_s is not None else 'e2e'}_p95_s"
    plan = case.subject.plan
    whole = plan.value(name) or plan.value(name.replace("p95", "p99")) or 0.0
    return max(whole - (plan.value("network_p95_s") or 0.0), 0.0)


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:,.0f} ms"


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}" if text.startswith("your") else text


def _best_words(case: _Case) -> str:
    if not case.sites:
        return "No offer of this part names a place, so no way to it can be counted."
    ways = _quantile(case, case.seconds, 0.95)
    best = int(np.argmin(ways))
    inside = int((ways + _service_s(case) <= _target(case)).sum())
    return (
        f"{_capital(case.sites[best].label)} is nearest: {_ms(ways[best])} there and back for 95 "
        f"of 100 users. {inside} of {len(case.sites)} places leave enough of "
        f"{_ms(_target(case))} for this plan's own time."
    )


def _plan_words(case: _Case) -> str:
    row = next((i for i, site in enumerate(case.sites) if site.current), None)
    if row is None:
        return (
            f"The plan's offer names no place: {case.subject.plan.provider} must say where it "
            "stands before its distance can be counted."
        )
    way = float(_quantile(case, case.seconds, 0.95)[row])
    whole = way + _service_s(case)
    kept = "within" if whole <= _target(case) else "over"
    return (
        f"The plan at {case.sites[row].label} is {_ms(way)} away for 95 of 100 users; with its "
        f"own {_ms(_service_s(case))} that is {_ms(whole)}, {kept} {_ms(_target(case))}."
    )


def _article_words(case: _Case) -> str:
    """What the article's targets leave to places: the way alone, whatever the machines take."""
    ways = _quantile(case, case.seconds, 0.95)
    inside = [int((ways < target_s).sum()) for target_s in ARTICLE_TARGETS_S]
    return (
        "The article asks for a headline under 200 ms and a body under 300 ms: the way alone "
        f"rules out {len(ways) - inside[0]} of {len(ways)} places for the first and "
        f"{len(ways) - inside[1]} for the second."
    )


def _sites(case: _Case) -> Document:
    middle, tail = _quantile(case, case.seconds, 0.5), _quantile(case, case.seconds, 0.95)
    floors = _quantile(case, _floors(case), 0.95)
    own = _service_s(case)
    order = sorted(range(len(case.sites)), key=lambda i: (tail[i], case.sites[i].label))
    shown = order[:PLACES_SHOWN]
    shown += [i for i in order[PLACES_SHOWN:] if case.sites[i].current]
    rows = [
        Row(
            label=case.sites[i].label,
            note=case.sites[i].place.assumed or case.sites[i].place.name,
            cells=[
                middle[i], tail[i], floors[i], tail[i] + own,
                "kept" if tail[i] + own <= _target(case) else "missed",
                case.sites[i].usd_per_month,
            ],
            chosen=case.sites[i].current,
        )
        for i in shown
    ]  # fmt: skip
    return table(
        "places",
        "Places for this part, nearest first",
        f"{len(case.sites)} places are on offer and allowed. The floor is light in fibre on the "
        "shortest line. The cost is that of the cheapest plan there that meets the targets "
        "without the way; unknown where none does.",
        "Place",
        {
            "Way, median": "s",
            "Way, p95": "s",
            "Floor of it": "s",
            "With the plan's time": "s",
            "Target": "text",
            "Cost a month": "USD",
        },
        rows,
    )


def _floors(case: _Case) -> Floats:
    latitude = np.array([site.place.latitude for site in case.sites])[:, None]
    longitude = np.array([site.place.longitude for site in case.sites])[:, None]
    users = case.users
    return fibre_floor_s(great_circle_m(latitude, longitude, users.latitudes, users.longitudes))


def _users(case: _Case) -> Document:
    order = np.argsort(-case.users.shares)[:PLACES_SHOWN].tolist()
    rows = []
    for i in order:
        place = case.users.places[i]
        cells: list[float | str | None] = [float(case.users.shares[i])]
        if case.sites:
            nearest = int(np.argmin(case.seconds[:, i]))
            way = trip(place, case.sites[nearest].place)
            cells += [
                case.sites[nearest].label,
                way.seconds + case.access_s,
                way.low_s + case.access_s,
                way.high_s + case.access_s,
                "published" if way.published else "estimated",
            ]
        else:
            cells += [None] * 5
        edge = _edge_near(place)
        rows.append(
            Row(
                label=f"{place.name}, {place.country}",
                cells=[*cells, edge or "none on record"],
            )
        )
    return table(
        "users",
        "Where users are, and their nearest place",
        "Shares by people unless you typed others; the largest places are shown. An edge zone "
        f"would be {_ms(float(round_trip_s(0.0)) + case.access_s)} away; which accelerators it "
        "rents is not on record.",
        "Users",
        {
            "Share": "fraction",
            "Nearest place": "text",
            "Way": "s",
            "from": "s",
            "to": "s",
            "Known by": "text",
            "Edge zone within 100 km": "text",
        },
        rows,
    )


def _edge_near(place: Place) -> str:
    for name, zone, _ in shipped_edge_zones():
        apart = great_circle_m(place.latitude, place.longitude, zone.latitude, zone.longitude)
        if apart <= EDGE_WITHIN_M:
            return name
    return ""


def _chart(case: _Case) -> Document:
    tail = _quantile(case, case.seconds, 0.95)
    order = np.argsort(tail)[:PLACES_SHOWN].tolist()
    names = [case.sites[i].label for i in order]
    own = _service_s(case)
    return chart(
        "ways",
        "Way and own time, place by place",
        f"What the way leaves of {_ms(_target(case))} is what the machines may take.",
        x="Place",
        y="Seconds, p95",
        kind="stack",
        series={
            "Way to the users": (names, [float(tail[i]) for i in order]),
            "The plan's own time": (names, [own for _ in order]),
        },
        rule=("Target", _target(case)),
    )


def _edge_basis() -> Document:
    zones = shipped_edge_zones()
    return _counted("Edge zones on record", len(zones), "zones", [source for *_, source in zones])


def _people_basis(case: _Case) -> Document:
    places = case.users.places
    return _counted("Places of your users", len(places), "places", [USER_PLACES_SOURCE])


def _counted(label: str, count: int, unit: str, sources: Sequence[str]) -> Document:
    return {
        "label": label,
        "value": count,
        "low": count,
        "high": count,
        "unit": unit,
        "evidence": "reported",
        "source": "; ".join(dict.fromkeys(sources)),
    }


def _fit_basis() -> Document:
    fit = shipped_fit()
    return {
        "label": "Real routes against light in fibre, beyond "
        f"{fit.base_s * 1e3:.0f} ms of equipment",
        "value": fit.factor,
        "low": fit.factor * fit.low,
        "high": fit.factor * fit.high,
        "unit": "times",
        "evidence": "calibrated",
        "source": f"fitted to {fit.pairs} round trips published by Microsoft Azure (July 2026) "
        f"and IBM Cloud (September 2025), median error {percent_text(fit.median_error)}",
    }
