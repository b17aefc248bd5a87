"""A workload at several places as one plan: what it costs, gets and reaches in all."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil

import numpy as np

from advisor.engine.choice.decision import Decision
from advisor.engine.choice.fleet import greedy_fleet
from advisor.engine.latency.mixture import mixture_quantile
from advisor.engine.plan import Plan
from advisor.engine.search.river import Priced
from advisor.engine.workload import ServingDemand, Workload
from catalog.specs import Evidence, Figure

SUMMED = (
    "output_tokens_per_s", "requests_per_s", "samples_per_s", "users_at_slo", "capex_usd",
    "power_kw", "energy_kwh_month", "carbon_kg_month",
)  # fmt: skip
"""Figures that add up over places."""
MIXED = ("ttft", "tpot", "e2e", "network")
"""Times of which the plan's percentiles are those over all users."""
LEVELS: Mapping[str, float] = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
_SUM = "sum over the places"
_OVER_ALL = (
    "over all users: each place's percentiles weighted by its share of the traffic; lognormal "
    "between those that are known"
)
_WEAKEST = tuple(Evidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One place of a split: its users, their part of the traffic, and its own answer."""

    users: tuple[str, ...]  # countries
    share: float
    workload: Workload
    priced: Priced
    decision: Decision

    @property
    def plan(self) -> Plan:
        """What is recommended there."""
        if self.decision.recommended is None:
            message = f"{self.workload.name} has no plan"
            raise ValueError(message)
        return self.decision.recommended

    @property
    def where(self) -> str:
        """The place in words."""
        plan = self.plan
        return " ".join(each for each in (plan.provider, plan.region) if each)


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A workload at several places: the plan in all, and each place's own answer."""

    plan: Plan
    sites: tuple[Site, ...]


def split_plan(
    sites: Sequence[Site], whole: Workload, *, plan_id: str, one_room: bool
) -> Plan | None:
    """The sites' recommended plans as one; None where one has none, or two are one place.

    `one_room` says that own machines all stand in one room, wherever their users are.

    Costs are the sum of the places' own, line by line; percentiles are those over all users,
    and each place's own are in `extra["places"]`.

    Source: sums, and `latency.mixture`.
    """
    decisions = [site.decision for site in sites]
    plan = greedy_fleet(decisions, [site.workload for site in sites], name=whole.name)
    if plan is None or not _apart([site.plan for site in sites], one_room=one_room):
        return None
    figures = {**plan.figures, **split_figures(sites)}
    total, serving = figures["total_cost_usd"], whole.serving
    figures |= _per_million(total, sites, serving)
    count = len(sites)
    return replace(
        plan,
        id=plan_id,
        name=f"{count} places: {'; '.join(_what(site) for site in sites)}",
        workload=whole.name,
        figures=figures,
        notes=(
            f"Traffic is split over {count} places, each with its own users: "
            + "; ".join(_words(site) for site in sites)
            + ".",
            *plan.notes,
        ),
        extra={
            **plan.extra,
            "places": [_place(site, sites) for site in sites],
            "not_recommended_because": "",
        },
    )


def _apart(plans: Sequence[Plan], *, one_room: bool) -> bool:
    """Whether the plans stand in different places; a hosted API is one place for everybody."""
    places = [
        (plan.provider, plan.region, plan.country)
        for plan in plans
        if one_room or plan.provider_kind != "on_prem"
    ]
    hosted = any(plan.purchase == "hosted_tokens" for plan in plans)
    return not hosted and len(set(places)) == len(places)


def split_figures(sites: Sequence[Site]) -> dict[str, Figure]:
    """Sums, and percentiles over all users, of the figures that every place has.

    Source: `SUMMED`, `latency.mixture`.
    """
    plans = [site.plan for site in sites]
    found: dict[str, Figure] = {}
    for name in SUMMED:
        parts = [plan.figures[name] for plan in plans if plan.value(name) is not None]
        if len(parts) == len(plans):
            found[name] = summed(parts, source=_SUM)
    for what in MIXED:
        names = known_percentiles(plans, what)
        if len(names) > 1:
            found |= {name: _over_all(sites, names, name) for name in names}
    return found


def summed(parts: Sequence[Figure], *, source: str) -> Figure:
    """Figures added up with their bounds, as weak as the weakest; unknown bounds count as values.

    Source: sums; bounds as if all parts erred the same way.
    """
    return _joined(parts, lambda values: float(sum(values)), source=source)


def known_percentiles(plans: Sequence[Plan], what: str) -> dict[str, float]:
    """Names and levels of the percentiles of a time that every plan has."""
    named = {f"{what}_{name}_s": level for name, level in LEVELS.items()}
    return {
        name: level
        for name, level in named.items()
        if all(plan.value(name) is not None for plan in plans)
    }


def _over_all(sites: Sequence[Site], names: Mapping[str, float], name: str) -> Figure:
    shares, levels = [site.share for site in sites], list(names.values())

    def at(end: str) -> float:
        knots = np.array([[getattr(s.plan.figures[each], end) for each in names] for s in sites])
        return mixture_quantile(knots, shares, levels=levels, level=names[name])

    value, low, high = (at(end) for end in ("value", "low", "high"))
    parts = [site.plan.figures[name] for site in sites]
    return replace(
        parts[0], value=value, low=min(low, value), high=max(high, value),
        evidence=_weakest(parts), source=_OVER_ALL,
    )  # fmt: skip


def _joined(
    parts: Sequence[Figure], by: Callable[[Sequence[float]], float], *, source: str
) -> Figure:
    def end(name: str) -> float:
        values = [getattr(part, name) for part in parts]
        return by([part.value or 0.0 if v is None else v for part, v in zip(parts, values)])  # noqa: B905

    return replace(
        parts[0], value=end("value"), low=end("low"), high=end("high"),
        evidence=_weakest(parts), source=source,
    )  # fmt: skip


def _weakest(parts: Sequence[Figure]) -> Evidence:
    return max((part.evidence for part in parts), key=_WEAKEST.index)


def _per_million(
    total: Figure, sites: Sequence[Site], serving: ServingDemand | None
) -> Mapping[str, Figure]:
    """USD per million output tokens: the places' costs over the places' tokens."""
    name = "usd_per_million_output_tokens"
    plans = [site.plan for site in sites]
    if serving is None or any(not plan.value(name) for plan in plans):
        return {}
    millions = sum(
        (plan.value("total_cost_usd") or 0.0) / (plan.value(name) or 1.0) for plan in plans
    )
    if not millions or total.value is None or total.low is None or total.high is None:
        return {}
    return {
        name: replace(
            plans[0].figures[name], value=total.value / millions, low=total.low / millions,
            high=total.high / millions, evidence=total.evidence, source=_SUM,
        )
    }  # fmt: skip


def _place(site: Site, sites: Sequence[Site]) -> dict[str, object]:
    """A place's own plan, with who is served from it, how much, and what it has to spare."""
    peak = site.workload.serving.requests_per_s_peak if site.workload.serving else 0.0
    return {
        **site.plan.as_dict(),
        "users": list(site.users),
        "share": site.share,
        "requests_per_s_peak": peak,
        **_headroom(site.plan, peak, site, sites),
    }


def _headroom(plan: Plan, peak: float, site: Site, sites: Sequence[Site]) -> dict[str, object]:
    """What is left when a replica is lost there, and when the whole place is.

    Loads are shares of what the machines that are left serve within the targets.
    """
    capacity = plan.value("requests_per_s")
    replicas = int(plan.parallelism.get("replicas", 0))
    whole = peak / site.share if site.share else 0.0
    left = sum(
        (other.plan.value("requests_per_s") or 0.0 for other in sites if other is not site), 0.0
    )
    each = capacity / replicas if capacity and replicas else 0.0
    one_lost = peak / (each * (replicas - 1)) if each > 0.0 and replicas > 1 else None
    spare = max(replicas - max(ceil(peak / each - 1e-9), 1), 0) if each > 0.0 else None
    return {
        "replicas": replicas,
        "spare_replicas": spare,
        "load_with_one_replica_lost": one_lost,
        "peak_carried_by_the_others": min(left / whole, 1.0) if whole else None,
    }


def _what(site: Site) -> str:
    return f"{site.plan.accelerator_count} x {site.plan.accelerator} at {site.where}"


def _words(site: Site) -> str:
    rate = site.workload.serving.requests_per_s_peak if site.workload.serving else 0.0
    return (
        f"{', '.join(site.users)} ({site.share:.0%}, {rate:,.1f} requests/s at the peak) from "
        f"{site.where}"
    )
