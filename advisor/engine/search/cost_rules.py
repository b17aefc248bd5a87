"""What holds for the cost of all candidates: rates, the user's answers, his own prices on top."""

from collections.abc import Mapping
from dataclasses import replace

from advisor.engine.search.keeping import checkpoints_bytes, stored_bytes
from advisor.engine.workload import Question, Workload
from catalog.units import TERA
from costing.engine.cases import CostRules
from costing.engine.pricebook import with_price_book
from costing.engine.rates import Rates, rules_from_rates
from costing.engine.tco import EGRESS, PEOPLE, STORAGE


def rules_for(question: Question, workload: Workload, rates: Rates) -> CostRules:
    """The shipped rates with the user's own answers and price book on top.

    Source: the assessment's answers; what they leave open, the rates.
    """
    money, book, serving = question.money, question.price_book, workload.serving
    rules = rules_from_rates(
        rates,
        horizon_months=question.horizon_months,
        growth_per_month=serving.growth_per_month if serving is not None else 0.0,
        growth_stops_month=serving.growth_stops_month if serving is not None else 0,
        discount_rate=money.discount_rate,
        tax_fraction=money.tax_fraction,
        financing=money.financing,
        financing_rate=money.financing_rate,
        financing_months=money.financing_months,
        depreciation_years=money.depreciation_years,
        residual_fraction=money.residual_fraction,
        support_fraction_per_year=money.support_fraction_per_year,
        contingency_fraction=money.contingency_fraction,
        staff_usd_per_year=money.staff_usd_per_year,
        software_usd_per_accelerator_year=money.software_usd_per_accelerator_year,
        carbon_usd_per_tonne=money.carbon_usd_per_tonne,
        demand_usd_per_kw_month=question.site.demand_usd_per_kw_month,
        colocation_usd_per_kw_month=question.site.colocation_usd_per_kw_month,
    )
    if money.support_fraction_per_year == 0.0:
        # Nobody else keeps spare parts then.
        rules = replace(rules, spares_fraction=rates["spares"].value)
    rules = _with_fabric(rules, question, rates)
    return with_price_book(rules, _monthly_book(book, question, workload, rates))


def _with_fabric(rules: CostRules, question: Question, rates: Rates) -> CostRules:
    """The fabric's price where only Ethernet may join the machines."""
    fabrics = question.site.fabrics
    if not fabrics or not all(name.startswith("ethernet") for name in fabrics):
        return rules
    share = rates["fabric_share/ethernet"].value
    points = tuple((size, usd * share) for size, usd in rules.fabric_usd_per_accelerator)
    return replace(rules, fabric_usd_per_accelerator=points)


def own_price_lines(question: Question) -> frozenset[str]:
    """Labels of the cost lines whose figure the user stated."""
    stated = {
        "storage_usd_per_run": STORAGE,
        "egress_usd_per_run": EGRESS,
        "engineering_usd_per_run": PEOPLE,
    }
    return frozenset(label for key, label in stated.items() if key in question.price_book)


def own_usd_per_accelerator_h(question: Question) -> float | None:
    """The user's own price of an accelerator-hour, where the price book has one."""
    return question.price_book.get("usd_per_accelerator_hour")


def _monthly_book(
    book: Mapping[str, float], question: Question, workload: Workload, rates: Rates
) -> dict[str, float]:
    """The questionnaire's figures per run as the figures per month that the rules know."""
    count = runs(workload)
    found = {}
    hour, engineering = own_usd_per_accelerator_h(question), book.get("engineering_usd_per_run")
    storage, egress = book.get("storage_usd_per_run"), book.get("egress_usd_per_run")
    if hour is not None:
        found["usd_per_accelerator_h"] = hour
    if engineering is not None:
        found["engineering_usd_per_run"] = engineering
    if egress is not None:
        found["egress_usd_per_month"] = egress * count
    kept = stored_bytes(question, workload) + checkpoints_bytes(workload, rates)
    if storage is not None and kept > 0.0:
        found["storage_usd_per_tb_month"] = storage * count / (kept / TERA)
    return found


def runs(workload: Workload) -> float:
    """Runs of a training job in a month, failed ones included; 0 where it is none."""
    if workload.training is not None:
        return workload.training.runs_per_month * max(workload.training.rerun_factor, 1.0)
    return 0.0
