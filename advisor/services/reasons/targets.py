"""Target prices: what hardware without a public price may cost to be the pick."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from advisor.engine.choice.decision import Decision
from advisor.engine.choice.eligibility import blocked_because
from advisor.engine.plan import Plan
from advisor.engine.reasons.change import Change
from advisor.engine.reasons.outcome import may_be_recommended
from advisor.services.advice import Progress, Worked
from advisor.services.whatif import Base, reworked, tried
from catalog.specs import OfferSpec, Purchase

FIRST_USD = {Purchase.QUOTE: 20_000.0, Purchase.ON_DEMAND: 2.0}
"""Where the search starts, an accelerator to buy and an hour of one; what it finds is its own."""
ROUNDS = 5
SHOWN = 12
JUST_BELOW, JUST_ABOVE = 0.99, 1.01
ALMOST, NUDGE = 1e-6, 1.0001  # two prices this close tell no slope; one is moved this far
LIFTED: Mapping[str, Change] = {
    "ga": Change(),
    "announced": Change(answers={"maturity_min": "announced"}),
    "eol": Change(answers={"support_left_min_months": 0}),
}
"""What has to be lifted beside the price, by the part's stage of life."""
LIFTED_WORDS = {"ga": "", "announced": "once it can be had", "eol": "if you do without support"}


def target_prices(base: Base, *, progress: Progress) -> list[dict[str, Any]]:
    """For each workload and part without a price: the price at which it costs what the pick does.

    A cost is linear in the price of what is bought while the number of machines stays, so the
    price follows from a few runs with all open offers priced at once. Each one shown was then
    tried alone, a hundredth below it and a hundredth above. Parts that are announced only, or
    ended by their maker, are tried with that limit lifted, and say so.
    """
    if base.outcome.usd is None or base.worked.question.solve_for != "min_cost":
        return []
    found = []
    for at, decision in enumerate(base.worked.decisions):
        prices: dict[str, float] = {}
        for lifecycle, lifted in LIFTED.items():
            systems = [s for s in base.quotes if _lifecycle(base, s) == lifecycle]
            progress(f"Pricing what has no price for {decision.workload}", 0.0)
            prices |= _break_even(base, at, systems, lifted)
        kept = _best_of_each_part(base, prices)[:SHOWN]
        for number, system in enumerate(kept):
            progress(f"Trying a price for {base.quotes[system].instance_type}", number / len(kept))
            found.append(_document(base, at, system, prices[system]))
    return found


def _lifecycle(base: Base, system: str) -> str:
    slug = base.quotes[system].accelerator_slug
    return next(p.lifecycle for p in base.worked.snapshot.accelerators if p.slug == slug)


def _break_even(base: Base, at: int, systems: list[str], lifted: Change) -> dict[str, float]:
    """By system, the price at which its cheapest plan costs what the recommended one does."""
    best = base.outcome.plans[at]
    goal = best.value("total_cost_usd") if best else None
    prices = {
        system: FIRST_USD.get(base.quotes[system].purchase, 1.0)
        * max(base.quotes[system].accelerator_count, 1.0)
        for system in systems
    }
    if not prices or goal is None:
        return {}

    def totals(each: Mapping[str, float]) -> dict[str, float]:
        if not each:
            return {}
        return _totals(reworked(base, lifted.and_also(Change(quotes=each))), at)

    earlier, before = prices, totals(prices)
    prices = {system: usd * 0.5 for system, usd in prices.items() if system in before}
    for _ in range(ROUNDS):
        now = totals(prices)
        later = {}
        for system, usd in prices.items():
            if system in now:
                slope = (now[system] - before[system]) / (usd - earlier[system] or 1.0)
                later[system] = usd + (goal - now[system]) / slope if slope > 0.0 else 0.0
        # What costs too much even as a gift never gets a target.
        earlier = {system: usd for system, usd in prices.items() if later.get(system, 0.0) > 0.0}
        before = {system: now[system] for system in earlier}
        prices = {
            system: later[system] if abs(later[system] - usd) > ALMOST * usd else usd * NUDGE
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
    lifted = LIFTED[part.lifecycle]
    changes = [
        lifted.and_also(Change(quotes={system: usd * factor}))
        for factor in (JUST_BELOW, JUST_ABOVE)
    ]
    below, above = (tried(base, change).decisions[at] for change in changes)
    plan = _its_plan(below, offer)
    goal = base.outcome.plans[at]
    least = (goal.value("total_cost_usd") or 0.0) if goal else 0.0
    dearer = _its_plan(above, offer)
    won = plan is not None and (plan.value("total_cost_usd") or 0.0) < least
    lost = dearer is None or (dearer.value("total_cost_usd") or 0.0) > least
    picked = below.recommended
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
        "confirmed": won and lost,
        "is_the_pick": picked is not None and plan is not None and picked.id == plan.id,
        "condition": LIFTED_WORDS[part.lifecycle],
        "plan": plan.name if plan is not None else None,
        "systems": plan.system_count if plan is not None else None,
        "note": part.note if part.lifecycle != "ga" else "",
        "lifecycle": part.lifecycle,
        "change": changes[0].as_dict(),
        "change_above": changes[1].as_dict(),
    }


def _its_plan(decision: Decision, offer: OfferSpec) -> Plan | None:
    """The cheapest plan on the system that was given a price."""
    rented = offer.purchase != Purchase.QUOTE
    mine = [
        plan
        for plan in decision.plans
        if plan.accelerator_slug == offer.accelerator_slug
        and plan.provider == offer.provider
        and plan.purchase == (offer.purchase.value if rented else Purchase.BUY.value)
        and may_be_recommended(plan)
    ]
    return min(mine, key=lambda plan: plan.value("total_cost_usd") or 0.0, default=None)
