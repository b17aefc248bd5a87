"""The traffic at one place or more: each group of countries answered for its own users."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from advisor.engine.choice.regions import split_over
from advisor.engine.choice.user_groups import user_groups
from advisor.engine.plan import Plan
from advisor.engine.workload import Question, Slo
from advisor.services.advice import answerer
from advisor.services.paths.documents import Document, Row, table
from advisor.services.paths.subject import Subject

MOST_COUNTRIES = 12
MOST_SPLIT = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """The workload at a number of places; None where one of them has no plan."""

    count: int
    plan: Plan | None
    parts: tuple[tuple[str, Plan | None], ...]


def splits_of(subject: Subject, question: Question, slo: Slo) -> list[Split]:
    """One place, two, three, each answered anew for its users within the target."""
    codes = question.user_countries
    if len(codes) > MOST_COUNTRIES:
        return []
    worked = subject.worked
    answered = answerer(worked.snapshot, calibration=worked.calibration, rates=worked.rates)
    serving = replace(subject.demand, slo=slo)
    workload = replace(subject.workload, serving=serving)
    alone = answered(workload, question)[1].recommended
    found = [Split(count=1, plan=alone, parts=((", ".join(codes), alone),))]
    for count in range(2, min(len(codes), MOST_SPLIT) + 1):
        split = split_over(workload, question, answered, count=count)
        groups = user_groups(codes, count=count)
        if split is None:
            nobody = tuple((", ".join(group), None) for group in groups)
            found.append(Split(count=count, plan=None, parts=nobody))
            continue
        parts = tuple((", ".join(site.users), site.plan) for site in split.sites)
        found.append(Split(count=count, plan=split.plan, parts=parts))
    return found


def split_words(splits: Sequence[Split]) -> list[str]:
    priced = [
        (split, usd)
        for split in splits
        if split.plan is not None and (usd := split.plan.value("monthly_cost_usd")) is not None
    ]
    if not priced:
        return ["Neither one place nor a few reach everybody within the targets."] if splits else []
    best, usd = min(priced, key=lambda each: each[1])
    one = next((cost for split, cost in priced if split.count == 1), None)
    if best.count == 1 and len(priced) > 1:
        more = min(cost for split, cost in priced if split.count > 1)
        return [
            f"One place costs {usd:,.0f} USD a month; parting users over places costs "
            f"{more:,.0f} USD at least, and answers them sooner."
        ]
    if one is None:
        return [
            f"No single place reaches everybody; {best.count} places do, for {usd:,.0f} USD a "
            "month."
        ]
    where = "one place" if best.count == 1 else f"{best.count} places"
    return [f"The cheapest way is {where}, for {usd:,.0f} USD a month."]


def split_tables(splits: Sequence[Split]) -> list[Document]:
    if len(splits) <= 1:
        return []
    rows = []
    for split in splits:
        plan = split.plan
        rows.append(
            Row(
                label="One place" if split.count == 1 else f"{split.count} places",
                cells=[
                    "; ".join(_part_words(group, part) for group, part in split.parts),
                    None if plan is None else plan.value("network_p95_s"),
                    None if plan is None else plan.value("ttft_p95_s") or plan.value("e2e_p99_s"),
                    None if plan is None else plan.value("monthly_cost_usd"),
                ],
            )
        )
    return [
        table(
            "splits",
            "The traffic at one place or more",
            "Each group of countries is answered as a workload of its own with its share of the "
            "people, on any part, within the target; ways and latencies are those over all "
            "users. Unknown where a group has no plan.",
            "Places",
            {"Who is served where": "text", "Way, p95": "s", "Latency": "s", "Cost a month": "USD"},
            rows,
        )
    ]


def _part_words(group: str, plan: Plan | None) -> str:
    if plan is None:
        return f"{group}: no plan"
    where = " ".join(each for each in (plan.provider, plan.region) if each)
    return f"{group}: {plan.accelerator_count} x {plan.accelerator} at {where}"
