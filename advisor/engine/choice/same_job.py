"""A job at the user's own price of an accelerator-hour, beside today's prices of the catalogue."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from advisor.engine.plan import Plan
from advisor.engine.search.market import market
from advisor.engine.search.river import Priced
from advisor.engine.workload import Question
from catalog.specs import CatalogueSnapshot, OfferSpec, Purchase
from costing.engine.cases import take
from costing.engine.tco import COMPUTE, cost_breakdown


@dataclass(frozen=True, slots=True, kw_only=True)
class SameJob:
    """The job at one price of an accelerator-hour; all its other lines as they are."""

    label: str
    usd_per_accelerator_h: float
    compute_usd: float
    other_usd: float
    total_usd: float
    evidence: str
    source: str
    observed_on: str


def same_job_today(
    priced: Priced, question: Question, snapshot: CatalogueSnapshot, plan: Plan | None
) -> tuple[SameJob, ...]:
    """The plan at the user's own price, at the cheapest and at the median on-demand price today.

    Offers are those the question allows, of the plan's accelerator, not older than 24 months;
    each counts once, at its newest reading. Empty where the user states no own price.

    Source: prices of the catalogue; the costing is run again at each.
    """
    own = priced.rules.usd_per_accelerator_h
    row = _row_of(priced, plan)
    if own is None or plan is None or row is None:
        return ()
    offered = market(snapshot, question=question, workload=priced.workload).offers
    newest = _newest([o for o in offered if _rents(o, plan.accelerator_slug)])
    if not newest:
        return ()
    rents = np.array([(offer.usd_per_h or 0.0) / offer.accelerator_count for offer in newest])
    best = newest[int(np.argmin(rents))]
    where = f"{best.provider} {best.region.code}" if best.region else best.provider
    sellers = len({offer.provider for offer in newest})
    return (
        _at(priced, row, own, label="At your own price", source="your answers"),
        _at(
            priced, row, float(rents.min()), label=f"At the cheapest price, {where}",
            source=best.source,
            observed_on=best.observed_on.isoformat() if best.observed_on else "",
        ),
        _at(
            priced, row, float(np.median(rents)), label="At the median price",
            source=f"median of {len(newest)} on-demand offers of {sellers} providers",
        ),
    )  # fmt: skip


def _rents(offer: OfferSpec, accelerator: str) -> bool:
    mine = offer.accelerator_slug == accelerator and offer.purchase is Purchase.ON_DEMAND
    return mine and offer.usd_per_h is not None and offer.terms is None


def _newest(offers: Sequence[OfferSpec]) -> list[OfferSpec]:
    found: dict[tuple[str, str, str], OfferSpec] = {}
    for offer in sorted(offers, key=lambda each: (str(each.observed_on or ""), each.id)):
        place = offer.region.slug if offer.region else ""
        found[offer.provider, place, offer.instance_type] = offer
    return list(found.values())


def _row_of(priced: Priced, plan: Plan | None) -> int | None:
    """The candidate that a plan was made of: its accelerators, at its total."""
    if plan is None:
        return None
    total = plan.value("total_cost_usd")
    rows = np.flatnonzero(
        (priced.cost.total_usd == total)
        & (np.round(priced.placements.accelerators) == plan.accelerator_count)
    )
    return int(rows[0]) if len(rows) else None


def _at(
    priced: Priced, row: int, usd_per_h: float, *, label: str, source: str, observed_on: str = ""
) -> SameJob:
    rules = replace(priced.rules, usd_per_accelerator_h=usd_per_h)
    cost = cost_breakdown(take(priced.cases, [row]), rules)
    total, compute = float(cost.total_usd[0]), float(cost.lines[COMPUTE][0])
    return SameJob(
        label=label,
        usd_per_accelerator_h=usd_per_h,
        compute_usd=compute,
        other_usd=round(total - compute, 2),
        total_usd=total,
        evidence="list",
        source=source,
        observed_on=observed_on,
    )
