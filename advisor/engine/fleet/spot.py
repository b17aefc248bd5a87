"""Spot machines with an on-demand fallback against on demand alone: what is saved, who waits."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from advisor.engine.calibration import Calibration
from advisor.engine.cases import Floats, Ints
from advisor.engine.choice.assembly import plan_of
from advisor.engine.choice.eligibility import blocked_because
from advisor.engine.choice.replicas import NotSimulated, served_by
from advisor.engine.fleet.percentiles import MOST_REPLICAS, REQUESTS, SEED
from advisor.engine.latency.outcome import percentile
from advisor.engine.latency.served import Served
from advisor.engine.latency.simulator import simulate
from advisor.engine.search.river import Priced
from advisor.engine.workload import Question
from catalog.specs import Purchase
from catalog.units import HOURS_PER_MONTH

SHOWN = 6  # parts of a workload, the cheapest on spot first
ARTICLES = "A100"  # the part of the article's clusters, shown wherever it is to be had


@dataclass(frozen=True, slots=True, kw_only=True)
class SpotPlan:
    """One part on spot with its fallback beside the same part on demand, all the time."""

    workload: str
    accelerator: str
    spot: str  # who sells it
    on_demand: str
    spot_usd: float  # over the horizon, fallback and repeated work in it
    on_demand_usd: float
    saving: float
    fallback_fraction: float  # of the hours
    replicas: int
    hours_short: float  # a month with one replica less, until it is replaced
    e2e_p95_s: float | None  # with all replicas, at the peak
    e2e_p95_short_s: float | None  # with one less
    mean_latency_change: float | None  # over the month, as a fraction
    note: str = ""


def spot_plans(
    question: Question,
    priced: Sequence[Priced],
    *,
    calibration: Calibration,
    software_month: float,
) -> tuple[SpotPlan, ...]:
    """Spot with fallback for each workload and part that may use it, cheapest first.

    The fallback is the same machine on demand, so it answers as fast; what users feel is the
    time until a lost machine is replaced, in which the others carry its load: interruptions a
    month times hours to restart, played in the simulator with one replica less at the peak.

    Source: rates `spot/...`; `costing.engine.rental`; the simulator.
    """
    found: list[SpotPlan] = []
    for each in priced:
        mine = [
            _compared(each, spot, other, calibration, software_month)
            for spot, other in _pairs(each, question)
        ]
        found += sorted(mine, key=lambda plan: plan.spot_usd)
    return tuple(found)


def _pairs(priced: Priced, question: Question) -> list[tuple[int, int]]:
    """The cheapest row of each part on spot, with one on demand: the same machine, if it has."""
    texts = blocked_because(priced, question)
    usable = [row for row, text in enumerate(texts) if not text]
    cost: Floats = priced.cost.total_usd
    part: Ints = priced.sizing.accelerator[priced.placements.sizing]
    offers = [priced.offers[int(offer)] for offer in priced.placements.offer]
    best: dict[int, int] = {}
    for row in sorted(usable, key=lambda each: float(cost[each])):
        if offers[row].purchase == Purchase.SPOT:
            best.setdefault(int(part[row]), row)
    pairs = []
    for index, spot in best.items():
        mine = [
            row
            for row in usable
            if part[row] == index and offers[row].purchase == Purchase.ON_DEMAND
        ]
        same = [
            row
            for row in mine
            if (offers[row].provider, offers[row].instance_type)
            == (offers[spot].provider, offers[spot].instance_type)
        ]
        if mine:
            pairs.append((spot, min(same or mine, key=lambda row: float(cost[row]))))
    ordered = sorted(pairs, key=lambda pair: float(cost[pair[0]]))
    articles = [pair for pair in ordered[SHOWN:] if ARTICLES in priced.parts[part[pair[0]]].name]
    return ordered[:SHOWN] + articles


def _compared(
    priced: Priced, spot: int, other: int, calibration: Calibration, software_month: float
) -> SpotPlan:
    plan = plan_of(priced, spot, plan_id="spot")
    beside = plan_of(priced, other, plan_id="on-demand")
    rates = priced.rates
    instances = float(priced.placements.instances[spot])
    short_h = rates["spot/interrupted_per_month"].value * rates["spot/restart"].value * instances
    spot_usd, other_usd = (float(priced.cost.total_usd[row]) for row in (spot, other))
    note, usual, less = "", None, None
    try:
        served = served_by(
            plan, priced.workload, parts=priced.parts, calibration=calibration,
            software_month=software_month,
        )  # fmt: skip
        usual, less = (
            _played(served, replicas) for replicas in (served.replicas, served.replicas - 1)
        )
    except NotSimulated as reason:
        note = str(reason)
    change = None
    if usual is not None and less is not None:
        share = min(short_h / HOURS_PER_MONTH, 1.0)
        change = share * (less[1] / usual[1] - 1.0) if np.isfinite(less[1]) else None
    elif usual is not None:
        note = "With one replica only there is nobody to answer until it is replaced."
    return SpotPlan(
        workload=priced.workload.name,
        accelerator=plan.accelerator,
        spot=f"{plan.provider} {plan.region}".strip(),
        on_demand=f"{beside.provider} {beside.region}".strip(),
        spot_usd=spot_usd,
        on_demand_usd=other_usd,
        saving=1.0 - spot_usd / other_usd,
        fallback_fraction=float(priced.cases.fallback_fraction[spot]),
        replicas=int(plan.parallelism["replicas"]),
        hours_short=round(short_h, 2),
        e2e_p95_s=None if usual is None else usual[0],
        e2e_p95_short_s=None if less is None or not np.isfinite(less[0]) else less[0],
        mean_latency_change=change,
        note=note,
    )


def _played(served: Served, replicas: int) -> tuple[float, float] | None:
    """p95 and mean of whole answers at the peak; None without a replica."""
    if replicas < 1:
        return None
    part = min(replicas, MOST_REPLICAS)
    done = simulate(
        served.requests(count=REQUESTS, seed=SEED, load=part / replicas),
        served.pool(replicas=part),
    ).settled()
    return percentile(done.e2e_s, 0.95), float(np.mean(done.e2e_s))
