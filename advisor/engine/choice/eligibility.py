"""What a candidate must not be, to be recommended: each rule with its words, first one first."""

from collections.abc import Callable

import numpy as np

from advisor.engine.cases import Bools, Floats
from advisor.engine.latency.operations import zones_of
from advisor.engine.plan import Plan
from advisor.engine.search.fits import WHOLE_MACHINE, deployment_kind
from advisor.engine.search.river import Priced
from advisor.engine.search.sleeping import OVER_PLACES
from advisor.engine.workload import Question
from catalog.specs import OfferSpec, Purchase
from catalog.units import KILO

BARE_CARD = "its price is that of the card alone; a server around it needs a quote"
LARGEST_PUBLISHED = 16_384
"""Accelerators of the largest run with published reliability: Llama 3 405B, arXiv:2407.21783."""


def blocked_because(priced: Priced, question: Question) -> list[str]:
    """For each candidate the first reason it may not be recommended, empty where it may.

    Source: rules of this application, in the order of the list.
    """
    rows = priced.placements.sizing
    part = priced.sizing.accelerator[rows]
    given = question.solve_for == "check_given_setup" and priced.workload.given is not None
    ended = np.array([spec.lifecycle == "eol" for spec in priced.parts], dtype=bool)[part]
    ended &= not given and question.support_left_min_months > 0
    guessed = priced.sizing.extrapolated[rows] & (question.evidence_min != "estimated")
    gates = [priced.gates[int(p)] for p in priced.sizing.precision[rows]]
    rules: list[tuple[Bools, str]] = [
        (~priced.sizing.meets[rows], "it misses a target"),
        (priced.cost.price_open, "its price is open"),
        (_unplaced(priced), "the offer names no region, so separate zones cannot be promised"),
        (_in_one_zone(priced), "the part is rented in one zone there, and you ask for two"),
        (_way_unknown(priced), "the offer names no region, so the way to your users is not known"),
        (
            _of_offers(priced, _is_bare_card),
            BARE_CARD,
        ),
        (~_exactly_given(priced) & given, "it is not the set-up you asked to check"),
        (np.array([not gate.open for gate in gates], dtype=bool), ""),
        (ended, "its maker has ended it, so support may stop within your horizon"),
        (guessed, "its speed is estimated, and you ask for measured relatives"),
    ]
    texts = _over_a_limit(priced, question)
    for holds, text in reversed(rules):
        for row in np.flatnonzero(holds):
            texts[row] = text or gates[row].reason
    return texts


def _of_offers(priced: Priced, rule: Callable[[OfferSpec], bool]) -> Bools:
    """A rule about offers, by candidate."""
    each = np.array([rule(offer) for offer in priced.offers], dtype=bool)
    return np.asarray(each[priced.placements.offer], dtype=bool)


def _is_bare_card(offer: OfferSpec) -> bool:
    bare = not offer.system_slug and offer.accelerator_count < WHOLE_MACHINE
    return offer.purchase == Purchase.BUY and bare


def _way_unknown(priced: Priced) -> Bools:
    """Offers without a place, where it matters how far the users are."""
    unknown = priced.reach.named & ~priced.reach.known
    return np.asarray(unknown[priced.placements.offer], dtype=bool)


def _unplaced(priced: Priced) -> Bools:
    """Offers that cannot promise the separate places that the redundancy needs."""
    serving = priced.workload.serving
    if serving is None or serving.redundancy not in OVER_PLACES:
        return np.zeros(len(priced.placements), dtype=bool)
    return _of_offers(
        priced, lambda offer: offer.region is None and deployment_kind(offer) != "on_prem"
    )


def _in_one_zone(priced: Priced) -> Bools:
    """Offers whose part is on record in a single zone of the region, where two are asked for."""
    serving = priced.workload.serving
    if serving is None or serving.redundancy != "two_zones":
        return np.zeros(len(priced.placements), dtype=bool)

    def alone(offer: OfferSpec) -> bool:
        zones = zones_of(
            provider=offer.provider,
            region=offer.region.code if offer.region is not None else "",
            accelerator=offer.accelerator_slug,
            purchase=offer.purchase,
        )
        return zones.recorded and zones.count == 1

    return _of_offers(priced, alone)


def _over_a_limit(priced: Priced, question: Question) -> list[str]:
    """The limit on size, power or carbon that each candidate breaks, in words; empty where none."""
    count, draw_w = priced.placements.accelerators, priced.cost.peak_power_w
    power_w, cap_t = priced.workload.power_limit_w, question.money.carbon_cap_tonnes
    tonnes = carbon_kg(priced, question) / KILO
    texts = [""] * len(count)
    if cap_t is not None:
        for row in np.flatnonzero(tonnes > cap_t):
            texts[row] = (
                f"it emits {tonnes[row]:,.0f} t CO2e over the horizon; your cap is {cap_t:,.0f} t"
            )
    if power_w is not None:
        for row in np.flatnonzero(draw_w > power_w):
            texts[row] = f"it draws {draw_w[row]:,.0f} W; the place has {power_w:,.0f} W"
    for row in np.flatnonzero(count > LARGEST_PUBLISHED):
        texts[row] = (
            f"{count[row]:,.0f} accelerators are more than any published cluster of one job"
        )
    return texts


def over_limits(plan: Plan, question: Question) -> str:
    """A limit on money or carbon that a plan of several places breaks in all; empty where none.

    Source: sums over the plan's places.
    """
    money, months = question.money, question.horizon_months
    for limit, name, what in (
        (money.budget_total_usd, "total_cost_usd", "in all"),
        (money.budget_month_usd, "monthly_cost_usd", "a month"),
        (money.capex_max_usd, "capex_usd", "up front"),
    ):
        usd = plan.value(name)
        if limit is not None and usd is not None and usd > limit:
            return f"it costs {usd:,.0f} USD {what}; your limit is {limit:,.0f} USD"
    month_kg, cap_t = plan.value("carbon_kg_month"), money.carbon_cap_tonnes
    tonnes = (month_kg or 0.0) * months / KILO
    if cap_t is not None and tonnes > cap_t:
        return f"it emits {tonnes:,.0f} t CO2e over the horizon; your cap is {cap_t:,.0f} t"
    return ""


def carbon_kg(priced: Priced, question: Question) -> Floats:
    """Carbon over the horizon in kg, with manufacturing where the user counts it.

    Source: the columns of the cost breakdown.
    """
    embodied = priced.cost.embodied_carbon_kg if question.embodied_carbon else 0.0
    return np.asarray(priced.cost.carbon_kg + embodied)


def _exactly_given(priced: Priced) -> Bools:
    """Candidates that are the given part in the given number, or as near as offers come."""
    given = priced.workload.given
    if given is None:
        return np.ones(len(priced.placements), dtype=bool)
    part = priced.sizing.accelerator[priced.placements.sizing]
    mine = np.array([spec.slug == given.accelerator_slug for spec in priced.parts])[part]
    count = priced.placements.accelerators
    least = count[mine].min() if mine.any() else 0.0
    return np.asarray(mine & (count == max(least, given.accelerator_count)), dtype=bool)
