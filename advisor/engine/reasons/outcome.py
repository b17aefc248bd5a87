"""What a re-run came to: which plan wins for each workload, and what all of them cost."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from advisor.engine.choice.decision import Decision
from advisor.engine.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """A choice as a buyer names it: which part, from whom, bought how.

    The number of accelerators, the region and the number format may differ: they follow from
    the demand, and a plan that differs in them alone is the same choice in another size.
    """

    accelerator: str  # slug; "" for a hosted API
    provider: str
    purchase: str


def pick_of(plan: Plan | None) -> Pick | None:
    """The choice that a plan stands for; None where there is no plan.

    Source: definition.
    """
    if plan is None:
        return None
    return Pick(accelerator=plan.accelerator_slug, provider=plan.provider, purchase=plan.purchase)


def may_be_recommended(plan: Plan) -> bool:
    """Whether a plan meets the targets, has a price and breaks no rule.

    Source: definition.
    """
    return (
        plan.meets_targets
        and not plan.extra.get("not_recommended_because")
        and plan.value("total_cost_usd") is not None
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The recommended plan of each workload in one run of the river; None where there is none."""

    decisions: tuple[Decision, ...]

    @property
    def plans(self) -> tuple[Plan | None, ...]:
        """The recommended plan of each workload."""
        return tuple(decision.recommended for decision in self.decisions)

    @property
    def picks(self) -> tuple[Pick | None, ...]:
        """The choice for each workload: what decides whether another plan has won."""
        return tuple(pick_of(plan) for plan in self.plans)

    @property
    def usd(self) -> float | None:
        """Cost of all recommended plans over the horizon; None where a workload has none."""
        found = [plan.value("total_cost_usd") if plan else None for plan in self.plans]
        known = [usd for usd in found if usd is not None]
        return sum(known) if len(known) == len(found) else None

    @property
    def name(self) -> str:
        """The winning plans in words, one that several workloads have told once."""
        names = Counter(plan.name if plan else "no plan" for plan in self.plans)
        return "; ".join(
            name if count == 1 else f"{name}, for each of {count} workloads"
            for name, count in names.items()
        )

    @property
    def refusal(self) -> str:
        """Why a workload has no plan; empty where all have one."""
        return " ".join(dict.fromkeys(each.refusal for each in self.decisions if each.refusal))

    def lead(self) -> float | None:
        """By how much the nearest other choice is dearer, as a fraction of the winner's cost.

        The smallest over the workloads; None where nothing else may be recommended. A negative
        lead is a winner by another objective than cost.

        Source: definition.
        """
        leads = [lead for each in self.decisions if (lead := _lead(each)) is not None]
        return min(leads, default=None)


def _lead(decision: Decision) -> float | None:
    best = decision.recommended
    mine = best.value("total_cost_usd") if best else None
    others = [plan.value("total_cost_usd") or 0.0 for plan in rivals(decision)]
    return min(others) / mine - 1.0 if mine and others else None


def rivals(decision: Decision) -> Sequence[Plan]:
    """Plans of other choices that may be recommended too, cheapest first.

    Source: definition.
    """
    best = pick_of(decision.recommended)
    found = [plan for plan in decision.plans if may_be_recommended(plan) and pick_of(plan) != best]
    return sorted(found, key=lambda plan: plan.value("total_cost_usd") or 0.0)
