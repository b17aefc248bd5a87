"""A fleet as people read it: what to get, what it saves, how far that is proven."""

from collections.abc import Collection, Sequence
from dataclasses import asdict

import numpy as np

from advisor.engine.cases import Floats
from advisor.engine.choice.objectives import WORDS, Objective
from advisor.engine.fleet.accounts import busy
from advisor.engine.fleet.answering import FleetAnswer
from advisor.engine.fleet.keeping import kept_sentences
from advisor.engine.fleet.places import spread_sentences
from advisor.engine.fleet.pursuing import told
from advisor.engine.fleet.routes import (
    hosted_item,
    hosted_row,
    hours_served,
    overflow_sentences,
    sizes_served,
    traffic,
)
from advisor.engine.fleet.setting import Option, part_name
from advisor.engine.fleet.weeks import ASSUMED, HOURS_PER_WEEK
from advisor.engine.plan import FleetItem, Plan
from advisor.engine.search.fits import deployment_kind
from advisor.engine.workload import Money
from catalog.specs import PRECISIONS, Evidence, Figure
from catalog.units import HOURS_PER_MONTH, KILO

_USED = 1e-6
_WORTH_TELLING = 0.01  # a saving, as a fraction
FAMILIES = {"gpu": "GPU", "tpu": "TPU", "ipu": "IPU", "waferscale": "wafer-scale",
            "asic": "other accelerators", "apu": "APU", "hosted": "hosted API"}  # fmt: skip
CONTRACTS = {
    "on_demand": "on demand", "spot": "spot", "reserved_1y": "reserved for a year",
    "reserved_3y": "reserved for three years", "buy": "bought", "capacity_block": "capacity block",
    "hosted_tokens": "by the token",
}  # fmt: skip
BY_THE_HOUR = (
    "Machines paid by the hour are started ahead of the hour in which they are needed; ask the "
    "seller how surely they are to be had then."
)


def fleet_items(answer: FleetAnswer) -> tuple[FleetItem, ...]:
    """What to get: each option used with its most machines at once, then whole plans.

    Source: the fleet's columns.
    """
    setting, fleet, months = answer.setting, answer.fleet, answer.setting.question.horizon_months
    found = []
    for number, usd in answer.bill.of_option.items():
        option = setting.options[number]
        if option.metered:
            found.append(hosted_item(setting, option, usd / months))
            continue
        count = fleet.machines[number] if option.held else np.ceil(fleet.used[number].max() - _USED)
        chips = count * option.offer.accelerator_count
        weekly = float(fleet.used[number] @ setting.problem.hours)
        found.append(
            FleetItem(
                what=f"{chips:,.0f} x {part_name(setting, option)}",
                count=round(float(count)),
                purchase="owned" if option.owned else option.offer.purchase.value,
                provider="your own" if option.owned else option.offer.provider,
                region=option.offer.region.code if option.offer.region else "",
                workload=", ".join(_loads_on(answer, number)),
                usd_per_month=round(usd / months, 2),
                machine_hours_per_week=None if option.held else round(weekly, 1),
            )
        )
    for number in answer.bill.of_whole:
        found += setting.plans[number].fleet
    return tuple(found)


def _loads_on(answer: FleetAnswer, number: int) -> list[str]:
    setting = answer.setting
    pools = np.flatnonzero(setting.problem.pool_option == number)
    loads = {
        setting.pools[int(pool)].load
        for pool in pools
        if answer.fleet.served[:, pool].max(initial=0.0) > _USED
    }
    return [setting.priced[load].workload.name for load in sorted(loads)]


def sentences(answer: FleetAnswer) -> list[str]:
    """What mixing, following the hours and sharing save, each with its proof, in plain words.

    Source: the answer's own figures.
    """
    found = [_verdict(answer), *_saved(answer)] if answer.pursued is None else told(answer.pursued)
    found += overflow_sentences(setting=answer.setting, fleet=answer.fleet)
    found += kept_sentences(answer)
    found += spread_sentences(answer)
    found += _played(answer)
    found += [answer.note] if answer.note else []
    greedy, total = answer.greedy_usd, answer.bill.total_usd
    if answer.pursued is None and greedy is not None and greedy > total * 1.001:
        found.append(
            f"The greedy plan, one workload after another, costs {greedy / total - 1.0:.1%} more."
        )
    if answer.has_machines_by_the_hour:
        found.append(BY_THE_HOUR)
    return [*found, *ASSUMED]


def _saved(answer: FleetAnswer) -> list[str]:
    """What sharing machines and following the hours save."""
    total = answer.bill.total_usd
    found = []
    if answer.separate_usd is not None:
        saved = answer.separate_usd - total
        found.append(
            f"Work in idle hours of machines that are held anyway saves {saved:,.0f} USD: each "
            f"workload on machines of its own would cost {answer.separate_usd:,.0f} USD in all."
            if saved > 0.0
            else "Sharing machines saves nothing here: each workload on its own costs the same."
        )
    whole, following = answer.separate_plans_usd, answer.saving_by_the_hour
    if answer.has_machines_by_the_hour and whole is not None and following > _WORTH_TELLING:
        found.append(
            f"Kept at their peaks around the clock, the workloads' own plans would cost "
            f"{whole:,.0f} USD; following the week by the hour saves {following:.0%}."
        )
    return found


def _played(answer: FleetAnswer) -> list[str]:
    """What playing the hours found, and what mending cost."""
    before = answer.before_check_usd
    played = [check for check in answer.checks if not check.note]
    if before is None or not played:
        return []
    failing = sum(check.failing_hours for check in played)
    if failing:
        return [
            f"Played hour by hour, {failing} of {sum(check.hours for check in played)} hours miss "
            "a target and no machine was to be had to mend them."
        ]
    mended = sum(check.repaired_hours for check in played)
    if mended:
        return [
            f"Played hour by hour, {mended} hours of the week missed a target; replicas added "
            f"there cost {answer.bill.total_usd - before:,.0f} USD and are in the total."
        ]
    return ["Played hour by hour in the latency simulator, every target is met."]


def _used_options(answer: FleetAnswer) -> list[Option]:
    return [answer.setting.options[number] for number in answer.bill.of_option]


def _verdict(answer: FleetAnswer) -> str:
    plain, total, proof = answer.plain, answer.bill.total_usd, f"{answer.gap:.1%}"
    if plain is None or answer.plain_usd is None:
        return (
            f"No single family bought in one way serves everything; this fleet costs {total:,.0f} "
            f"USD over the horizon, proven within {proof} of the least cost."
        )
    kind = f"{FAMILIES.get(plain.family, plain.family)}, {CONTRACTS.get(plain.purchase, '')}"
    if answer.is_hybrid:
        return (
            f"Mixing pays: {kinds_text(answer.kinds)} together cost {total:,.0f} USD over the "
            f"horizon, {answer.saving:.1%} less than the best fleet of one family bought one way "
            f"({kind}: {answer.plain_usd:,.0f} USD), proven within {proof} of the least cost."
        )
    if answer.saving > answer.gap and len(answer.kinds) > 1:
        return (
            f"A mix saves only {answer.saving:.1%} against one family bought in one way ({kind}: "
            f"{answer.plain_usd:,.0f} USD), proven within {proof}: hardly worth a second contract."
        )
    lead = "No hybrid"
    if answer.follows_the_hours:
        lead += (
            f", but following the week by the hour pays, {answer.saving_by_the_hour:.0%} less than "
            "what is recommended kept around the clock"
        )
    return (
        f"{lead}: one family bought in one way ({kind}, {answer.plain_usd:,.0f} USD over the "
        f"horizon) is as cheap as any mix, proven within {proof}."
    )


def kinds_text(kinds: Collection[tuple[str, str]]) -> str:
    """Families and contracts in words.

    Source: definition.
    """
    names = [
        f"{FAMILIES.get(family, family)} {CONTRACTS.get(way, way)}" for family, way in sorted(kinds)
    ]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def fleet_plan(answer: FleetAnswer, *, name: str) -> Plan:
    """The fleet as a plan of the answer, its lines adding up to its total to the cent.

    Source: the bill; ranges add up as if all were low, or high, at once.
    """
    setting, bill = answer.setting, answer.bill
    months = setting.question.horizon_months
    items = fleet_items(answer)
    plans = [setting.plans[number] for number in bill.of_whole]
    options = _used_options(answer)
    families = sorted({family for family, _ in answer.kinds})
    total = Figure(
        value=bill.total_usd, low=bill.low_usd, high=bill.high_usd, unit="USD",
        evidence=Evidence.ASSUMED, source="sum of the fleet's machines, data and people",
    )  # fmt: skip
    monthly = Figure(
        value=round(bill.total_usd / months, 2), low=round(bill.low_usd / months, 2),
        high=round(bill.high_usd / months, 2), unit="USD/month", evidence=Evidence.ASSUMED,
        source="sum of the fleet's machines, data and people",
    )  # fmt: skip
    return Plan(
        id="fleet",
        name=", ".join(dict.fromkeys(item.what for item in items if item.count)) or name,
        workload="all workloads",
        kind="fleet",
        family=families[0] if len(families) == 1 else "hybrid",
        accelerator=_joined([*(part_name(setting, o) for o in options),
                             *(p.accelerator for p in plans)]),
        accelerator_slug=",".join(
            dict.fromkeys([*(o.offer.accelerator_slug for o in options),
                           *(p.accelerator_slug for p in plans)])
        ),
        accelerator_count=_accelerators(answer),
        system="",
        system_count=sum(item.count for item in items),
        provider=_joined([item.provider for item in items]),
        provider_kind="",
        region=_joined([item.region for item in items]),
        country=_joined([*(o.offer.region.country for o in options if o.offer.region),
                         *(p.country for p in plans)]),
        purchase=_joined([item.purchase for item in items]),
        precision=_joined([*_precisions(answer), *(p.precision for p in plans)]),
        engine=_joined([plan.engine for plan in plans]),
        parallelism={},
        meets_targets=True,
        price_open=False,
        price={},
        cost_breakdown=bill.lines,
        figures={"total_cost_usd": total, "monthly_cost_usd": monthly},
        fleet=items,
        quality_gate="as each workload's plan says",
        porting_weeks=None,
        notes=tuple(sentences(answer)),
        extra={
            "mip_gap": round(answer.gap, 6),
            "lower_bound_usd": round(answer.bound_usd, 2),
            "best_single_family_cost_usd": answer.plain_usd,
            "best_single_family": None if answer.plain is None else answer.plain.family,
            "best_single_contract": None if answer.plain is None else answer.plain.purchase,
            "one_family_any_contract_cost_usd": answer.family_usd,
            "greedy_cost_usd": answer.greedy_usd,
            "separate_cost_usd": answer.separate_plans_usd,
            "hybrid": answer.is_hybrid,
            "hybrid_saving": round(answer.saving, 6),
            "own_power_kw": bill.power_w / KILO,
        },
    )  # fmt: skip


def over_budget(plan: Plan, money: Money) -> str:
    """Why a fleet is not recommended: the budget it breaks, and the least that is proven.

    Source: the user's budgets; the fleet's bound.
    """
    bound = float(str(plan.extra["lower_bound_usd"]))
    total, monthly = plan.value("total_cost_usd") or 0.0, plan.value("monthly_cost_usd") or 0.0
    share = monthly / total if total else 0.0
    for limit, usd, least, what in (
        (money.budget_total_usd, total, bound, "in all"),
        (money.budget_month_usd, monthly, bound * share, "a month"),
    ):
        if limit is not None and usd > limit:
            proof = (
                f"no fleet costs less than {least:,.0f}"
                if least > limit
                else "a cheaper one is not ruled out"
            )
            return (
                f"The cheapest fleet found for all workloads costs {usd:,.0f} USD {what}, and "
                f"{proof}; your limit is {limit:,.0f} USD."
            )
    return ""


def _joined(names: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(name for name in names if name))


def _accelerators(answer: FleetAnswer) -> int:
    setting, fleet = answer.setting, answer.fleet
    count = 0.0
    for number in answer.bill.of_option:
        option = setting.options[number]
        most = fleet.machines[number] if option.held else np.ceil(fleet.used[number].max() - _USED)
        count += float(most) * option.offer.accelerator_count
    return round(count) + sum(setting.plans[n].accelerator_count for n in answer.bill.of_whole)


def _precisions(answer: FleetAnswer) -> list[str]:
    setting = answer.setting
    found = []
    for number, pool in enumerate(setting.pools):
        if answer.fleet.served[:, number].max(initial=0.0) > _USED:
            if setting.options[pool.option].metered:
                found.append("as the provider runs it")
                continue
            priced = setting.priced[pool.load]
            at = priced.placements.sizing[pool.row]
            found.append(PRECISIONS[int(priced.sizing.precision[at])])
    return found


def fleet_document(answer: FleetAnswer) -> dict[str, object]:
    """Everything the page of the fleet shows, as JSON carries it.

    Source: the answer's own figures.
    """
    setting, bill = answer.setting, answer.bill
    months = setting.question.horizon_months
    plain = answer.plain
    return {
        "total_usd": bill.total_usd,
        "low_usd": bill.low_usd,
        "high_usd": bill.high_usd,
        "monthly_usd": round(bill.total_usd / months, 2),
        "horizon_months": months,
        "bound_usd": round(answer.bound_usd, 2),
        "gap": round(answer.gap, 6),
        "stopped": answer.stopped,
        "hybrid": answer.is_hybrid,
        "saving": round(answer.saving, 6),
        "single": None
        if plain is None
        else {"family": plain.family, "purchase": plain.purchase, "usd": answer.plain_usd},
        "one_family_usd": answer.family_usd,
        "greedy_usd": None if answer.greedy_usd is None else round(answer.greedy_usd, 2),
        "separate_usd": answer.separate_usd,
        "plans_usd": answer.separate_plans_usd,
        "sentences": sentences(answer),
        "owned": kept_sentences(answer),
        "items": _item_rows(answer),
        "routes": _routes(answer),
        "series": _series(answer),
        "traffic": traffic(setting, answer.fleet),
        "lines": [
            {"label": line.label, "usd": line.usd, "low": line.low, "high": line.high,
             "evidence": line.evidence, "source": line.source}
            for line in bill.lines
        ],
        "capex_usd": round(bill.capex_usd, 2),
        "power_kw": round(bill.power_w / KILO, 2),
        "carbon_t": round(bill.carbon_kg / KILO, 2),
        "candidates": setting.considered,
        "options": len(setting.options),
        "hours": len(setting.problem.hours),
        "limits": [limit.name for limit in setting.problem.limits],
        "robust": setting.robust,
        "checks": [asdict(check) for check in answer.checks],
        "before_check_usd": answer.before_check_usd,
        "objective": _objective(answer),
    }  # fmt: skip


def _objective(answer: FleetAnswer) -> dict[str, object]:
    """What the fleet is best in, and the trade against the fleet of least cost."""
    found = answer.pursued
    if found is None:
        return {
            "kind": Objective.LEAST_COST.value, "words": WORDS[Objective.LEAST_COST],
            "criteria": [],
        }  # fmt: skip
    return {
        "kind": found.objective.value,
        "words": WORDS[found.objective],
        "budget_usd": found.budget_usd,
        "value": round(found.aimed.value, 6),
        "bound": round(found.aimed.bound, 6),
        "gap": round(found.aimed.gap, 6),
        "value_of_least_cost": round(found.of_least_cost, 6),
        "least_cost_usd": round(found.least_usd, 2),
        "more_usd": round(answer.bill.total_usd - found.least_usd, 2),
        "least_cost_within_budget": found.least_within_budget,
        "criteria": [asdict(each) for each in found.criteria],
        "sentence": told(found)[0],
    }


def _item_rows(answer: FleetAnswer) -> list[dict[str, object]]:
    setting, fleet = answer.setting, answer.fleet
    at_work = busy(setting, fleet) @ setting.problem.hours
    rows: list[dict[str, object]] = []
    for item, number in zip(fleet_items(answer), answer.bill.of_option, strict=False):
        option = setting.options[number]
        if option.metered:
            rows.append(hosted_row(item, option))
            continue
        paid = (
            fleet.machines[number] * HOURS_PER_WEEK
            if option.held
            else float(fleet.used[number] @ setting.problem.hours)
        )
        rows.append({
            "what": item.what, "count": item.count, "instance": option.offer.instance_type,
            "purchase": item.purchase, "provider": item.provider, "region": item.region,
            "workload": item.workload, "usd_per_month": item.usd_per_month, "held": option.held,
            "machine_hours_per_week": round(float(paid), 1),
            "busy": round(min(float(at_work[number]) / max(float(paid), 1e-9), 1.0), 4),
            "place": deployment_kind(option.offer),
        })  # fmt: skip
    for number in answer.bill.of_whole:
        plan = setting.plans[number]
        hours = float(str(plan.extra.get("hours_per_month", HOURS_PER_MONTH)))
        rows += [
            {
                "what": item.what, "count": item.count, "instance": plan.system,
                "purchase": item.purchase, "provider": item.provider, "region": item.region,
                "workload": item.workload, "usd_per_month": item.usd_per_month,
                "held": bool(plan.extra.get("always_on")),
                "machine_hours_per_week": round(
                    item.count * hours / HOURS_PER_MONTH * HOURS_PER_WEEK, 1
                ),
                "busy": None, "place": plan.provider_kind,
            }
            for item in plan.fleet
        ]  # fmt: skip
    return rows


def _routes(answer: FleetAnswer) -> list[dict[str, object]]:
    """Which share of each workload goes where over the week."""
    setting, fleet = answer.setting, answer.fleet
    week = np.einsum("bph,h->p", fleet.served, setting.problem.hours)
    rows: list[dict[str, object]] = []
    for load, priced in enumerate(setting.priced):
        name = priced.workload.name
        mine = [n for n, p in enumerate(setting.pools) if p.load == load and week[n] > _USED]
        rate = setting.problem.rate.max(axis=0) if load in setting.problem.job_loads else None
        amount = week if rate is None else week * rate
        total = float(amount[mine].sum()) if mine else 0.0
        for number in mine:
            option = setting.options[setting.pools[number].option]
            rows.append({
                "workload": name, "what": part_name(setting, option),
                "instance": option.offer.instance_type,
                "provider": option.offer.provider, "purchase": option.offer.purchase.value,
                "share": round(float(amount[number]) / total, 4),
                "hours": hours_served(setting, fleet, number),
                "sizes": sizes_served(setting, fleet, number),
                "replicas": 0.0
                if option.metered
                else round(float(fleet.replicas[number].max()), 1),
            })  # fmt: skip
        rows += [
            {"workload": name, "what": plan.accelerator, "instance": plan.system,
             "provider": plan.provider,
             "purchase": plan.purchase, "share": 1.0,
             "replicas": float(plan.parallelism.get("replicas", 0))}
            for number in answer.bill.of_whole
            if (plan := setting.plans[number]).workload == name
        ]  # fmt: skip
    return rows


def _series(answer: FleetAnswer) -> list[dict[str, object]]:
    """Accelerators at work in each of the 168 hours, one series a workload, part and seller."""
    setting, fleet, problem = answer.setting, answer.fleet, answer.setting.problem
    found: dict[tuple[str, str], Floats] = {}
    for number, pool in enumerate(setting.pools):
        served = fleet.served[:, number]
        option = setting.options[pool.option]
        if served.max(initial=0.0) <= _USED or option.metered:
            continue
        load = served.sum(axis=0)
        if pool.load not in problem.job_loads:
            speed = problem.rate[:, [number]]
            load = np.where(speed > 0.0, served / np.maximum(speed, 1e-12), 0.0).sum(axis=0)
        week = load[setting.kind_of_hour]
        if setting.priced[pool.load].workload.training is not None:
            week = _one_after_another(week)
        chips = week * problem.size[number] * option.offer.accelerator_count
        way = CONTRACTS.get(option.offer.purchase.value, option.offer.purchase.value)
        seller = "yours already" if option.owned else f"{option.offer.provider}, {way}"
        key = (
            setting.priced[pool.load].workload.name,
            f"{part_name(setting, option)}, {seller}",
        )
        found[key] = found.get(key, np.zeros(len(chips))) + chips
    return [
        {"workload": workload, "name": name, "busy": [round(float(each), 3) for each in chips]}
        for (workload, name), chips in found.items()
    ]


def _one_after_another(week: Floats) -> Floats:
    """Replica-hours of a run put into the first hours of its window instead of spread over it."""
    placed = np.zeros(len(week))
    inside = np.flatnonzero(week > _USED)
    left, level = float(week.sum()), float(np.ceil(week.max() - _USED))
    for hour in inside:
        placed[hour] = min(level, left)
        left -= placed[hour]
    return placed
