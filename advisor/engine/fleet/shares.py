"""Who may have how much of a fleet: most and least shares of sellers and makers."""

from collections.abc import Sequence

import numpy as np

from advisor.engine.fleet.problem import FleetProblem, Limit
from advisor.engine.fleet.weeks import HOURS_PER_WEEK
from advisor.engine.plan import Plan
from advisor.engine.search.river import Priced
from advisor.engine.workload import Question
from catalog.specs import OfferSpec
from catalog.units import HOURS_PER_MONTH

PROVIDER, VENDOR = "provider", "vendor"
_WORDS = {PROVIDER: "provider", VENDOR: "maker"}


def share_limits(
    problem: FleetProblem,
    question: Question,
    priced: Sequence[Priced],
    options: Sequence[tuple[OfferSpec, int, int]],
    plans: Sequence[Plan],
) -> list[Limit]:
    """Most and least shares of all accelerator-hours that are held or rented, idle ones too.

    Each option is (offer, load, row) as in `limits_of`. A hosted model holds no accelerators and
    counts neither for nor against a share. A name that sells nothing here can keep no least share.

    Source: the answers; share × total is linear in machines, hours and plans.
    """
    chips = np.array([offer.accelerator_count for offer, _, _ in options], dtype=np.float64)
    weekly = np.array([_weekly_accelerator_hours(plan) for plan in plans], dtype=np.float64)
    makers = {part.slug: part.vendor for each in priced for part in each.parts}
    sold = {
        PROVIDER: [offer.provider for offer, _, _ in options],
        VENDOR: [maker_of(priced[load], row) for _, load, row in options],
    }
    planned = {
        PROVIDER: [plan.provider for plan in plans],
        VENDOR: [makers.get(plan.accelerator_slug, "") for plan in plans],
    }

    def limit(kind: str, name: str, share: float, sign: float) -> Limit:
        same = name.lower()
        mine = np.array([each.lower() == same for each in sold[kind]], dtype=np.float64)
        theirs = np.array([each.lower() == same for each in planned[kind]], dtype=np.float64)
        over = sign * chips * (mine - share)
        word, who = ("most", f"one {_WORDS[kind]}") if sign > 0.0 else ("least", name)
        title = f"at {word} {share:.0%} with {who}".replace("%", " %")
        return Limit(
            name=f"{title} ({name})" if sign > 0.0 else title,
            per_machine=np.where(problem.held, over * HOURS_PER_WEEK, 0.0),
            per_hour=np.where(problem.held, 0.0, over),
            per_whole=sign * weekly * (theirs - share),
            most=0.0,
        )

    found = []
    for kind, most in (
        (PROVIDER, question.single_provider_max),
        (VENDOR, question.single_vendor_max),
    ):
        if most < 1.0:
            names = sorted({*sold[kind], *planned[kind]} - {""})
            found += [limit(kind, name, most, 1.0) for name in names]
    found += [
        limit(each.kind, each.name, each.fraction, -1.0)
        for each in question.least_shares
        if each.fraction > 0.0
    ]
    return found


def maker_of(priced: Priced, row: int) -> str:
    """Vendor of the part of a placement.

    Source: the catalogue.
    """
    return priced.parts[int(priced.sizing.accelerator[priced.placements.sizing[row]])].vendor


def told_apart(question: Question, priced: Priced, row: int, *, size: float) -> str:
    """What share limits tell a placement apart by: seller, maker and accelerators of a replica.

    Ways that differ in it cannot stand in for each other, also where one is cheaper and faster;
    "" where no share is limited. `size` is machines of one replica.

    Source: the argument of dominance, which moves hours from one way to another.
    """
    limited = question.single_provider_max < 1.0 or question.single_vendor_max < 1.0
    if not limited and not question.least_shares:
        return ""
    offer = priced.offers[int(priced.placements.offer[row])]
    return f"{offer.provider}|{maker_of(priced, row)}|{size * offer.accelerator_count:g}"


def _weekly_accelerator_hours(plan: Plan) -> float:
    per_month = float(str(plan.extra.get("hours_per_month", 0.0)))
    full = plan.purchase not in ("on_demand", "spot", "capacity_block") or per_month <= 0.0
    used = 1.0 if full else per_month / HOURS_PER_MONTH
    return float(plan.accelerator_count) * HOURS_PER_WEEK * used
