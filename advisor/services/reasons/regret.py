"""What the choice loses when the demand turns out to be half, or double."""

from typing import Any

from advisor.engine.answers import InvalidAnswers
from advisor.engine.choice.decision import Decision
from advisor.engine.plan import Plan
from advisor.engine.reasons.change import Change
from advisor.engine.reasons.outcome import may_be_recommended, pick_of
from advisor.engine.search.market import OWN_PRICE
from advisor.services.reasons.inputs import loads_of
from advisor.services.whatif import Base, reworked, tried

COMMITTED = frozenset({"buy", "quote", "reserved_1y", "reserved_3y", "capacity_block"})
FACTORS = (0.5, 2.0)


def regrets(base: Base) -> list[dict[str, Any]]:
    """For half and double the load: the choice kept, against the choice made with that known.

    Kept means the same part from the same seller bought the same way, in the size the new
    load needs; where it is bought or signed for, never less than was bought for the load
    answered. All workloads change together.
    """
    found = []
    for factor in FACTORS:
        change = scaled(base, factor)
        if change is None:
            continue
        try:
            best = tried(base, change)
        except InvalidAnswers:
            continue
        kept = [
            _kept_usd(base, change, at, plan)
            for at, plan in enumerate(base.outcome.plans)
            if plan is not None
        ]
        known = [usd for usd in kept if usd is not None]
        kept_usd = sum(known) if known and len(known) == len(kept) else None
        usd = kept_usd - best.usd if kept_usd is not None and best.usd is not None else None
        found.append(
            {
                "factor": factor,
                "best": best.name,
                "best_usd": best.usd,
                "kept_usd": kept_usd,
                "usd": max(usd, 0.0) if usd is not None else None,
                "share": max(usd, 0.0) / best.usd if usd is not None and best.usd else None,
                "same_choice": best.picks == base.outcome.picks,
                "refusal": best.refusal,
                "change": change.as_dict(),
            }
        )
    return found


def scaled(base: Base, factor: float) -> Change | None:
    """The load question of every workload times a factor; None where a workload has none."""
    change = Change()
    loads = list(loads_of(base))
    if len(loads) < base.workload_count:
        return None
    for entry in loads:
        value = min(max(entry.at * factor, entry.low), entry.high)
        change = change.and_also(entry.change(round(value) if entry.whole else value))
    return change


def _kept_usd(base: Base, change: Change, at: int, plan: Plan) -> float | None:
    """The recommended choice at another load; None where it cannot serve that."""
    pick = pick_of(plan)
    decision = _only(base, change, at)
    plans = [each for each in decision.plans if pick_of(each) == pick and may_be_recommended(each)]
    usd = min((each.value("total_cost_usd") or 0.0 for each in plans), default=None)
    if plan.purchase not in COMMITTED:
        return usd
    before = plan.value("total_cost_usd")
    return before if usd is None or (before is not None and before > usd) else usd


def _only(base: Base, change: Change, at: int) -> Decision:
    """The decision with nothing to choose from but the pick's own seller."""
    plan = base.outcome.plans[at]
    if plan is not None and plan.provider == OWN_PRICE:  # which is of no seller
        return reworked(base, change).decisions[at]
    sellers = {offer.provider for offer in base.worked.snapshot.offers}
    others = frozenset(sellers - {plan.provider if plan else ""})
    narrowed = change.and_also(Change(without_providers=others))
    return reworked(base, narrowed).decisions[at]
