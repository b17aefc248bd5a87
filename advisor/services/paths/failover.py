"""Failing over: the cheapest other family or provider, and what it costs to keep it ready."""

from collections.abc import Sequence
from dataclasses import dataclass

from advisor.engine.latency.availability import Failures, Layout, Standby, shares_of_time
from advisor.engine.latency.operations import shipped_operations
from advisor.engine.plan import Plan
from advisor.engine.search.sleeping import start_of
from advisor.services.paths.documents import Document, Row, table
from advisor.services.paths.subject import Subject
from catalog.units import HOURS_PER_MONTH, SECONDS_PER_HOUR

_MINUTES_PER_MONTH = HOURS_PER_MONTH * 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """The cheapest plan of another family, or of another provider, that could take over."""

    plan: Plan
    words: str


def other_plan(subject: Subject) -> Other | None:
    """Another family first, then another provider; None where the run has neither."""
    plan = subject.plan
    priced = [
        each
        for each in subject.decision.plans
        if each.meets_targets
        and each.accelerator_slug
        and each.parallelism
        and each.purchase in ("on_demand", "reserved_1y", "reserved_3y")
        and each.value("monthly_cost_usd") is not None
        and (each.provider != plan.provider or each.region != plan.region)
    ]
    cheapest = sorted(priced, key=lambda each: each.value("monthly_cost_usd") or 0.0)
    for each in cheapest:
        if each.family != plan.family:
            return Other(plan=each, words="another family")
    for each in cheapest:
        if each.provider != plan.provider:
            return Other(plan=each, words="another provider")
    return None


def failover_table(
    subject: Subject,
    failures: Failures,
    planned: Layout,
    other: Other,
    *,
    needed: Sequence[int],
    degraded_needed: Sequence[int],
) -> Document:
    """Ways to keep the other plan ready, with what each serves and costs."""
    figures = shipped_operations()
    place = (1.0 - figures["region/down"].value) * (1.0 - figures["zone/down"].value)
    start_s = start_of(subject.demand, other.plan.precision).total_s
    capacity_s = subject.worked.rates["spot/restart"].value * SECONDS_PER_HOUR
    warm_s = figures["failover/warm"].value
    ways: list[tuple[str, Standby | None, float]] = [
        ("Nothing takes over", None, 0.0),
        ("Started when needed", Standby(up=place, takes_over_s=capacity_s + start_s, full=True), 0),
        ("Running at half size", Standby(up=place, takes_over_s=warm_s, full=False), 0.5),
        ("Running at full size", Standby(up=place, takes_over_s=warm_s, full=True), 1.0),
    ]
    usd, own = other.plan.value("monthly_cost_usd"), subject.plan.value("monthly_cost_usd")
    rows = []
    for label, standby, share in ways:
        shares = shares_of_time(
            planned,
            failures,
            needed=needed,
            degraded_needed=degraded_needed,
            standby=standby,
        )
        rows.append(
            Row(
                label=label,
                cells=[
                    shares.full,
                    shares.full + shares.degraded,
                    shares.down * _MINUTES_PER_MONTH,
                    "never" if standby is None else standby.takes_over_s,
                    None if usd is None or own is None else own + share * usd,
                ],
            )
        )
    return table(
        "failover",
        f"Failing over to {other.words}",
        f"{other.plan.name} takes over what the plan cannot serve; its place fails independently. "
        "At half size it serves slower or by a smaller model. Started when needed, machines must "
        "first be found.",
        "Second pool",
        {
            "Within the targets": "availability",
            "Served at all": "availability",
            "Minutes a month not served": "count",
            "Takes over after": "s",
            "Cost a month of both": "USD",
        },
        rows,
    )
