"""What stands beside a plan's cost: people by the way to deploy, and what the books show."""

from collections.abc import Sequence
from dataclasses import asdict
from math import ceil
from typing import Any

from advisor.engine.plan import Plan
from advisor.engine.search.placement import MOST_IN_ONE_MACHINE
from advisor.engine.search.river import Priced
from advisor.engine.workload import Question
from catalog.specs import Purchase
from costing.engine.books import books_by_year
from costing.engine.people import overhead_by_deployment
from costing.engine.rates import Rates
from costing.engine.tco import HARDWARE, WEEKS_PER_YEAR


def engineering(question: Question, rates: Rates, best: Plan | None) -> dict[str, Any]:
    """What people cost by the way to deploy, and what leaving CUDA would take.

    Source: the rates `ops_fte` and `porting`.
    """
    staff = question.money.staff_usd_per_year
    instances = _machines(best)
    weeks = rates["porting/weeks"]
    return {
        "instances": instances,
        "staff_usd_per_year": staff,
        "by_deployment": [
            asdict(each)
            for each in overhead_by_deployment(rates, instances=instances, staff_usd_per_year=staff)
        ],
        "porting": [
            {
                "family": "any other" if rate is weeks else rate.id.split("/")[1],
                "weeks": rate.value,
                "low_weeks": rate.low,
                "high_weeks": rate.high,
                "usd": rate.value * staff / WEEKS_PER_YEAR,
                "evidence": rate.evidence.value,
                "source": rate.source,
            }
            for rate in rates.values()
            if rate.id.startswith("porting/")
        ],
        "porting_counts": question.custom_kernels != "none",
    }


def books_of(priced: Sequence[Priced], plans: Sequence[Plan]) -> dict[str, Any] | None:
    """Depreciation and interest of the cheapest plan that buys; None where none does.

    Source: `books_by_year`.
    """
    bought = [
        (total, plan)
        for plan in plans
        if plan.purchase == Purchase.BUY
        if (total := plan.value("total_cost_usd")) is not None
    ]
    if not bought:
        return None
    plan = min(bought, key=lambda each: each[0])[1]
    rules = next(each.rules for each in priced if each.workload.name == plan.workload)
    price = sum(line.usd for line in plan.cost_breakdown if line.label == HARDWARE)
    return {
        "plan": plan.name,
        "price_usd": price,
        "financing": rules.financing,
        "years": [asdict(year) for year in books_by_year(price_usd=price, rules=rules)],
    }


def _machines(plan: Plan | None) -> float:
    """Whole machines of a plan; where single accelerators are sold, as few as can hold them."""
    if plan is None or not plan.system_count:
        return 1.0
    if plan.system_count < plan.accelerator_count:
        return float(plan.system_count)
    return float(ceil(plan.accelerator_count / MOST_IN_ONE_MACHINE))
