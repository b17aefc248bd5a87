"""The money of a finished run: its plans costed again, month by month, under what-if terms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from uuid import UUID

import numpy as np

from advisor.engine.answers import InvalidAnswers, Problem
from advisor.engine.cases import Floats
from advisor.engine.money.futures import cases_of, futures_usd, same_price, uncertainty_of
from advisor.engine.money.pools import Bought, ways_of_pools
from advisor.engine.money.units import Unit, units_of
from advisor.engine.money.ways import Way, compared, costed, joined
from advisor.engine.plan import Plan
from advisor.engine.workload import Question, Workload
from advisor.models import Job
from advisor.services.advice import Worked, reopened
from catalog.models import Snapshot
from catalog.specs import Evidence
from catalog.units import HOURS_PER_MONTH, KILO, PERCENT
from costing.engine.added import added_up
from costing.engine.breakeven import (
    Curve,
    Ways,
    by_horizon,
    by_purchase_price,
    by_rent,
    by_utilisation,
)
from costing.engine.cases import CostRules
from costing.engine.chances import Swing, tornado
from costing.engine.rates import Rates
from costing.engine.scenarios import Scenario, scenarios, with_scenario
from costing.engine.statement import CashFlow, cash_flow
from costing.engine.tco import CostBreakdown, cost_breakdown
from costing.models import KeptRates

LIMITS: Mapping[str, tuple[float, float, str]] = {
    "horizon_months": (1, 120, "months"),
    "growth_month_pct": (-20, 50, "% a month"),
    "discount_rate_pct": (0, 100, "% a year"),
    "carbon_price": (0, 10_000, "USD per tonne of CO2e"),
    "price_change_pct": (-90, 200, "% a year"),
}
"""What may be asked: lowest and highest value and unit, by name."""
AXES = ("horizon", "utilisation", "rent_price", "commit_price", "purchase_price")
OWN = "own"
_ROOM_ABOVE = 3.0  # prices are tried up to so many times the present one


_KEPT: dict[UUID, tuple[Worked, "Money"]] = {}  # the last one asked for


class NothingToCost(Exception):
    """A run has no plan whose cost can be worked out again; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What-if terms; None keeps what was answered."""

    plan: str = ""
    scenario: str = "flat"
    horizon_months: float | None = None
    growth_month_pct: float | None = None
    discount_rate_pct: float | None = None
    carbon_price: float | None = None
    price_change_pct: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """Everything a finance person asks of one plan, with the other ways beside it."""

    wishes: Wishes
    question: Question
    workload: Workload
    rates: Rates
    plans: tuple[Plan, ...]  # that may be chosen
    plan: Plan
    rules: CostRules
    scenarios: Mapping[str, Scenario]
    scenario: Scenario
    cost: CostBreakdown  # one row
    flow: CashFlow  # one row
    units: tuple[Unit, ...]
    ways: tuple[Way, ...]
    missing: Mapping[str, str]  # why a way is not there, by kind
    side_by_side: Ways
    ways_cost: CostBreakdown  # by row of side_by_side
    ways_flow: CashFlow  # the same
    by_scenario: Mapping[str, Floats]  # total of each way
    used: float  # share of the month's hours in which the chosen plan's machines are needed
    curves: Mapping[str, Curve]  # by axis, a column for each way
    futures: Floats  # (draws, ways)
    swings: tuple[Swing, ...]
    together: tuple[tuple[Plan, CashFlow], ...]  # each workload's own plan, where there are several
    pools: tuple[Bought, ...]  # ways to buy the two pools of a plan that has them

    @property
    def is_open(self) -> bool:
        """Whether the chosen plan waits for a price."""
        return bool(self.cost.price_open[0])

    def way_of(self, kind: str) -> Way:
        """The way of a kind; of two the chosen plan's, which comes first."""
        return next(way for way in self.ways if way.kind == kind)

    @property
    def chosen(self) -> int:
        """The way of the chosen plan."""
        mine = [at for at, way in enumerate(self.ways) if way.plan.id == self.plan.id]
        return next(at for at in mine if self.ways[at].rented is None)


def read_wishes(raw: Mapping[str, str]) -> Wishes:
    """Terms as typed; raises InvalidAnswers that names each bad one and what would be right."""
    problems: list[Problem] = []
    numbers: dict[str, float | None] = {}
    for name, (low, high, unit) in LIMITS.items():
        text = str(raw.get(name) or "").strip().removesuffix("%").strip()
        number = _number(text)
        whole = name != "horizon_months" or number is None or number == int(number)
        if text and (number is None or not low <= number <= high or not whole):
            kind = "a whole number" if name == "horizon_months" else "a number"
            message = f"{text!r} does not do: type {kind} from {low:g} to {high:g} {unit}."
            problems.append(Problem(pointer=f"/{name}", message=message))
        numbers[name] = number
    terms = ("plan", "scenario", *LIMITS)
    there = f"There is no such term; there are {', '.join(terms)}."
    problems += [Problem(pointer=f"/{name}", message=there) for name in raw if name not in terms]
    scenario = str(raw.get("scenario") or "flat")
    known = ("flat", "falling", "rising", "spot", OWN)
    if scenario not in known:
        message = f"There is no scenario {scenario!r}; there are {', '.join(known)}."
        problems.append(Problem(pointer="/scenario", message=message))
    if scenario == OWN and numbers["price_change_pct"] is None:
        message = "Type by how many percent prices change in a year, for example -10."
        problems.append(Problem(pointer="/price_change_pct", message=message))
    if problems:
        raise InvalidAnswers(problems)
    return Wishes(plan=str(raw.get("plan") or ""), scenario=scenario, **numbers)


def _number(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if isfinite(found) else None


def money_of(run: Job, wishes: Wishes) -> Money:
    """The money of a succeeded run under these terms.

    Raises InvalidAnswers for a plan that is not there and NothingToCost where none can be.
    """
    try:
        done = reopened(run)
    except (Snapshot.DoesNotExist, KeptRates.DoesNotExist) as error:
        message = "The state of the catalogue this run was answered from was not kept."
        raise NothingToCost(message) from error
    # A page and the files beside it ask for the same money several times in a row.
    kept = _KEPT.get(run.pk)
    if kept is None or kept[0] is not done or kept[1].wishes != wishes:
        _KEPT.clear()
        _KEPT[run.pk] = kept = (done, money_on(done, wishes))
    return kept[1]


def money_on(done: Worked, wishes: Wishes) -> Money:
    """The money of worked answers under these terms."""
    number, plan = _chosen(done, wishes.plan)
    priced, question = done.priced[number], done.question
    paths = _paths(done.rates, wishes)
    rules = _rules(priced.rules, wishes)
    rules_now = with_scenario(rules, paths[wishes.scenario])
    plans = done.decisions[number].plans
    ways, missing = compared(plans, plan, rules_now)
    side_by_side = joined(ways)
    cases = cases_of(plan)
    pair = done.pairs.get(plan.id)
    used = min(float(cases.hours_per_month_needed[0]) / HOURS_PER_MONTH, 1.0)
    speeds = [speed for way in ways for speed in way.speeds]
    offers = [offer for way in ways for offer in way.offers]
    futures = futures_usd(
        side_by_side.cases, speeds, rules_now, done.rates, price_of=same_price(offers)
    )
    return Money(
        wishes=wishes,
        question=question,
        workload=priced.workload,
        rates=done.rates,
        plans=tuple(p for each in done.decisions for p in costed(each.plans)),
        plan=plan,
        rules=rules_now,
        scenarios=paths,
        scenario=paths[wishes.scenario],
        cost=added_up(cost_breakdown(cases, rules_now)),
        flow=added_up(cash_flow(cases, rules_now)),
        units=units_of(priced.workload, rules_now, users=_users(done, priced.workload)),
        ways=tuple(ways),
        missing=missing,
        side_by_side=side_by_side,
        ways_cost=cost_breakdown(side_by_side.cases, rules_now),
        ways_flow=cash_flow(side_by_side.cases, rules_now),
        by_scenario={
            name: side_by_side.totals_usd(with_scenario(rules, path))
            for name, path in paths.items()
        },
        used=used,
        curves=_curves(ways, side_by_side, rules_now, used=used),
        futures=side_by_side.added(futures),
        together=_together(done, wishes, paths[wishes.scenario]),
        swings=tornado(
            cases,
            rules_now,
            uncertainty_of([plan.speed_range] * len(cases), rules_now, done.rates),
        ),
        pools=() if pair is None else ways_of_pools(pair, question, rules_now),
    )


def _chosen(done: Worked, plan_id: str) -> tuple[int, Plan]:
    """The plan asked for, else the first recommended one, and the number of its workload."""
    pool = [(n, plan) for n, each in enumerate(done.decisions) for plan in costed(each.plans)]
    if not pool:
        message = "No plan of this run meets its targets, so there is nothing to cost."
        raise NothingToCost(message)
    if plan_id:
        found = [entry for entry in pool if entry[1].id == plan_id]
        if not found:
            ids = ", ".join(plan.id for _, plan in pool)
            message = f"This run has no plan {plan_id!r} that can be costed; there are {ids}."
            raise InvalidAnswers([Problem(pointer="/plan", message=message)])
        return found[0]
    best = {each.recommended.id for each in done.decisions if each.recommended is not None}
    return next((entry for entry in pool if entry[1].id in best), pool[0])


def _paths(rates: Rates, wishes: Wishes) -> dict[str, Scenario]:
    found = dict(scenarios(rates))
    change = wishes.price_change_pct
    if change is not None:
        found[OWN] = Scenario(
            id=OWN, label=f"Prices change by {change:+g} % a year",
            price_change_per_year=change * PERCENT, spot_price_factor=1.0,
            evidence=Evidence.ASSUMED, source="typed on this page",
        )  # fmt: skip
    return found


def _rules(rules: CostRules, wishes: Wishes) -> CostRules:
    growth, rate, carbon = (
        wishes.growth_month_pct,
        wishes.discount_rate_pct,
        wishes.carbon_price,
    )
    return replace(
        rules,
        horizon_months=int(wishes.horizon_months or rules.horizon_months),
        growth_per_month=rules.growth_per_month if growth is None else growth * PERCENT,
        discount_rate=rules.discount_rate if rate is None else rate * PERCENT,
        carbon_usd_per_tonne=rules.carbon_usd_per_tonne if carbon is None else carbon,
    )


def _users(done: Worked, workload: Workload) -> float | None:
    """Users as answered; a workload made of several parts has the same for each."""
    sets = done.answers.workloads
    named = [each for each in sets if workload.name.startswith(each.text("workload_name") or "?")]
    said = sets[0] if len(sets) == 1 else named[0] if len(named) == 1 else None
    if said is None or "users_total_k" not in said.asked:
        return None
    thousands = said.number_or_none("users_total_k")
    return None if thousands is None else thousands * KILO


def _together(
    done: Worked, wishes: Wishes, scenario: Scenario
) -> tuple[tuple[Plan, CashFlow], ...]:
    """The recommended plan of each of several workloads, each with its own growth."""
    if len(done.decisions) == 1:
        return ()
    found = []
    for decision, priced in zip(done.decisions, done.priced, strict=True):
        plan = decision.recommended
        if plan is not None and plan.costed:
            rules = with_scenario(_rules(priced.rules, wishes), scenario)
            found.append((plan, added_up(cash_flow(cases_of(plan), rules))))
    return tuple(found)


def _curves(
    ways: Sequence[Way], side_by_side: Ways, rules: CostRules, *, used: float
) -> dict[str, Curve]:
    """Cost along each axis that these ways have; `used` is the present share of the hours."""
    curves = {"horizon": by_horizon(side_by_side, rules)}
    if used > 0.0:
        curves["utilisation"] = by_utilisation(side_by_side, rules, now=used)
    row_plans = [plan.id for way in ways for plan in way.row_plans]
    # Of two ways of one kind the chosen plan, which comes first, has the axis.
    for way in reversed(ways) if len(ways) > 1 else ():
        rows = np.array([plan_id == way.plan.id for plan_id in row_plans])
        if way.kind in ("rent", "commit"):
            now = float(way.cases.usd_per_h[0] / way.cases.accelerators_per_instance[0])
            if np.isfinite(now):
                curves[f"{way.kind}_price"] = by_rent(
                    side_by_side, rules, rows=rows, highest_usd_per_h=now * _ROOM_ABOVE
                )
        if way.kind == "own":
            highest = _highest_purchase_usd(way, side_by_side, rules)
            if np.isfinite(highest):
                curves["purchase_price"] = by_purchase_price(
                    side_by_side, rules, rows=rows, highest_usd=highest
                )
    return {axis: curves[axis] for axis in AXES if axis in curves}


def _highest_purchase_usd(way: Way, side_by_side: Ways, rules: CostRules) -> float:
    """Up to where the price of a machine is tried.

    Without a price of its own, that at which machines alone cost what another way does in all.
    """
    now = float(way.cases.capex_usd_per_instance[0])
    if np.isfinite(now):
        return now * _ROOM_ABOVE
    totals = side_by_side.totals_usd(rules)
    known = totals[np.isfinite(totals)]
    return float(known.min() / way.cases.instances[0]) if len(known) else np.nan
