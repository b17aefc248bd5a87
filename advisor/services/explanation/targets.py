"""Target prices: what hardware without a public price may cost to be the pick."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from advisor.engine.choice.eligibility import blocked_because
from advisor.engine.explanation.change import Change
from advisor.services.advice import Progress, Worked
from advisor.services.whatif import Base, reworked, tried
from catalog.specs import OfferSpec, Purchase

FIRST_USD = {Purchase.QUOTE: 20_000.0, Purchase.ON_DEMAND: 2.0}
"""Where the search starts, an accelerator to buy and an hour of one; what it finds is its own."""
ROUNDS = 5
SHOWN = 12
JUST_BELOW, JUST_ABOVE = 0.99, 1.01


def target_prices(base: Base, *, progress: Progress) -> list[dict[str, Any]]:
    """For each workload and part without a price: the price at which it costs what the pick does.

    A cost is linear in the price of what is bought while the number of machines stays, so the
    price follows from a few runs with all open offers priced at once. Each one shown was then
    tried alone, a hundredth below it and a hundredth above.
    """
    if base.outcome.usd is None or base.worked.question.solve_for != "min_cost":
        return []
    found = []
    for at in range(len(base.worked.decisions)):
        prices = _break_even(base, at)
        kept = _best_of_each_part(base, prices)[:SHOWN]
        for number, system in enumerate(kept):
            progress(f"Trying a price for {base.quotes[system].instance_type}", number / len(kept))
            found.append(_document(base, at, system, prices[system]))
    return found


def _break_even(base: Base, at: int) -> dict[str, float]:
    """By system, the price at which its cheapest plan costs what the recommended one does."""
    best = base.outcome.plans[at]
    goal = best.value("total_cost_usd") if best else None
    prices = {
        system: FIRST_USD.get(offer.purchase, 1.0) * max(offer.accelerator_count, 1.0)
        for system, offer in base.quotes.items()
    }
    first = _totals(reworked(base, Change(quotes=prices)), at)
    earlier, before = prices, first
    prices = {system: usd * 0.5 for system, usd in prices.items() if system in first}
    for _ in range(ROUNDS):
        now = _totals(reworked(base, Change(quotes=prices)), at) if prices else {}
        later = {}
        for system, usd in prices.items():
            if system not in now or goal is None:
                continue
            slope = (now[system] - before[system]) / (usd - earlier[system] or 1.0)
            step = usd + (goal - now[system]) / slope if slope > 0.0 else 0.0
            later[system] = max(step, 0.0)
        # What costs too much even as a gift never gets a target.
        earlier = {system: usd for system, usd in prices.items() if later.get(system, 0.0) > 0.0}
        before = {system: now[system] for system in earlier}
        prices = {
            system: later[system] if abs(later[system] - usd) > 1e-6 * usd else usd * (1 + 1e-4)
            for system, usd in earlier.items()
        }
    return prices


def _totals(done: Worked, at: int) -> dict[str, float]:
    """By system, the least cost of its own offers that break no rule."""
    priced = done.priced[at]
    blocked = blocked_because(priced, done.question)
    found: dict[str, float] = {}
    for row in np.flatnonzero(np.isfinite(priced.cost.total_usd)):
        offer = priced.offers[int(priced.placements.offer[row])]
        if offer.id < 0 and not blocked[row]:
            usd = float(priced.cost.total_usd[row])
            found[offer.system_slug] = min(usd, found.get(offer.system_slug, usd))
    return found


def _best_of_each_part(base: Base, prices: Mapping[str, float]) -> list[str]:
    """The system of each part whose price an accelerator may be highest, dearest first."""
    best: dict[str, str] = {}
    for system in prices:
        part = base.quotes[system].accelerator_slug
        if part not in best or _each(base, prices, system) > _each(base, prices, best[part]):
            best[part] = system
    return sorted(best.values(), key=lambda system: -_each(base, prices, system))


def _each(base: Base, prices: Mapping[str, float], system: str) -> float:
    return prices[system] / max(base.quotes[system].accelerator_count, 1.0)


def _document(base: Base, at: int, system: str, usd: float) -> dict[str, Any]:
    offer: OfferSpec = base.quotes[system]
    parts = {part.slug: part for part in base.worked.snapshot.accelerators}
    part = parts[offer.accelerator_slug]
    below = tried(base, Change(quotes={system: usd * JUST_BELOW}))
    above = tried(base, Change(quotes={system: usd * JUST_ABOVE}))
    plan = below.decisions[at].recommended
    won = plan is not None and plan.accelerator_slug == part.slug
    lost = above.decisions[at].recommended
    return {
        "workload": base.worked.decisions[at].workload,
        "system": system,
        "name": offer.instance_type,
        "seller": offer.provider,
        "accelerator": part.name,
        "family": part.family.value,
        "rented": offer.purchase != Purchase.QUOTE,
        "unit": "USD" if offer.purchase == Purchase.QUOTE else "USD/h",
        "usd": usd,
        "usd_per_accelerator": usd / max(offer.accelerator_count, 1.0),
        "confirmed": won and (lost is None or lost.accelerator_slug != part.slug),
        "plan": plan.name if plan is not None and won else None,
        "systems": plan.system_count if plan is not None and won else None,
        "note": part.note if part.lifecycle != "ga" else "",
        "lifecycle": part.lifecycle,
        "change": Change(quotes={system: usd * JUST_BELOW}).as_dict(),
        "change_above": Change(quotes={system: usd * JUST_ABOVE}).as_dict(),
    }
