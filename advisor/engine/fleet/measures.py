"""What a fleet is judged by beside its cost: latency, carbon, risk and machines to run, in sums."""

from dataclasses import dataclass

import numpy as np

from advisor.engine.cases import Floats
from advisor.engine.fleet.bounds import tonnes_of
from advisor.engine.fleet.checking import units
from advisor.engine.fleet.metered import tokens_cost
from advisor.engine.fleet.prices import MANY, hours, machines
from advisor.engine.fleet.problem import Fleet, FleetProblem
from advisor.engine.fleet.setting import Option, Setting
from advisor.engine.fleet.weeks import HOURS_PER_WEEK
from advisor.engine.search.river import Priced
from catalog.units import KILO
from costing.engine.tco import CostBreakdown


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A sum over machines, hours, traffic and whole plans; less is better."""

    per_machine: Floats  # (O,) of a machine held
    per_hour: Floats  # (O,) of a machine in one hour of every week
    per_unit: Floats  # (B, P) of a unit a second during one hour of every week
    per_whole: Floats  # one a whole plan


def measured(problem: FleetProblem, fleet: Fleet, measure: Measure) -> float:
    """A fleet's value in a measure.

    Source: arithmetic on the fleet's columns, without the solver.
    """
    held, hourly = problem.held, ~problem.held
    traffic = np.einsum("bph,bp,h->", units(problem, fleet), measure.per_unit, problem.hours)
    return float(
        measure.per_machine[held] @ fleet.machines[held]
        + (measure.per_hour[hourly] @ fleet.used[hourly]) @ problem.hours
        + traffic
        + measure.per_whole @ fleet.whole
    )


def latency(setting: Setting) -> Measure | None:
    """Time of an answer over its target, a mean over traffic, then over live workloads.

    An answer is one of mean length at the percentile of the targets, from the sizing of the
    candidate that serves it, with the way to the users. The target is that for the whole
    answer, else first token + (tokens - 1) x time per token, else the quickest candidate's
    time. What is not known, a hosted model's or a plan of several places, counts as the slowest
    candidate, and as no less than the target. None without live workloads.

    Source: rule stated here; times from the sizing.
    """
    problem = setting.problem
    live = [n for n, priced in enumerate(setting.priced) if not priced.workload.is_job]
    if not live:
        return None
    none = np.zeros(len(problem.held))
    per_unit, per_whole = np.zeros(problem.rate.shape), np.zeros(len(problem.wholes))
    for load in live:
        mine = np.flatnonzero(problem.pool_load == load)
        wait = np.array([_wait_s(setting, int(pool)) for pool in mine])
        plans = [n for n, whole in enumerate(problem.wholes) if whole.load == load]
        of_plans = np.array([problem.wholes[n].wait_s for n in plans])
        both = np.concatenate([wait, of_plans])
        known = both[np.isfinite(both)]
        if len(known) == 0:
            continue
        target = _target_s(setting.priced[load]) or float(known.min())
        relative = np.where(np.isfinite(both), both, max(known.max(), target)) / target
        rows = np.flatnonzero(problem.bucket_load == load)
        weekly = max(float((problem.demand[rows] @ problem.hours).sum()), 1e-12)
        per_unit[np.ix_(rows, mine)] = relative[: len(mine)] / weekly / len(live)
        per_whole[plans] = relative[len(mine) :] / len(live)
    return Measure(per_machine=none, per_hour=none, per_unit=per_unit, per_whole=per_whole)


def _wait_s(setting: Setting, pool: int) -> float:
    at = setting.pools[pool]
    return float(setting.priced[at.load].wait_s[at.row]) if at.row >= 0 else np.nan


def _target_s(priced: Priced) -> float | None:
    serving = priced.workload.serving
    if serving is None:
        return None
    slo, more = serving.slo, max(serving.output_tokens - 1.0, 0.0)
    if slo.e2e_s is not None:
        return slo.e2e_s
    if slo.ttft_s is None or slo.tpot_s is None:
        return None
    return slo.ttft_s + more * slo.tpot_s


def carbon(setting: Setting) -> Measure:
    """Tonnes of CO2e over the horizon; a hosted model's are not published and count as none.

    Source: as the carbon cap, `bounds.tonnes_of`.
    """

    def of(option: Option) -> float:
        priced = setting.priced[option.load]
        return tonnes_of(setting.question, priced, option.row, held=option.held)

    plans = [
        (plan.value("carbon_kg_month") or 0.0) * setting.question.horizon_months / KILO
        for plan in setting.plans
    ]
    return _of_machines(setting, [0.0 if each.metered else of(each) for each in setting.options],
                        np.array(plans))  # fmt: skip


def machines_to_run(setting: Setting) -> Measure:
    """Machines that are held, and those rented on average over the week.

    Source: definition; hosted models are none.
    """
    each = [
        0.0 if option.metered else 1.0 if option.held else 1.0 / HOURS_PER_WEEK
        for option in setting.options
    ]
    return _of_machines(setting, each, np.array([float(p.system_count) for p in setting.plans]))


def risk(setting: Setting) -> Measure:
    """USD from the cost of machines, tokens and whole plans to the high end of their ranges.

    Source: ranges of the cost breakdown, as if all were high at once.
    """
    plans = [
        max((figure.high or 0.0) - (figure.value or 0.0), 0.0)
        if (figure := plan.figures.get("total_cost_usd")) is not None
        else 0.0
        for plan in setting.plans
    ]
    each = [0.0 if option.metered else _over_usd(setting, option) for option in setting.options]
    made = _of_machines(setting, each, np.array(plans))
    problem = setting.problem
    per_unit = np.zeros(problem.rate.shape)
    for number, pool in enumerate(setting.pools):
        option = setting.options[pool.option]
        if option.metered:
            cost = tokens_cost(option.offer, setting.priced[pool.load])
            per_unit[:, number] = problem.usd_per_unit[:, number] * _over_fraction(cost)
    return Measure(
        per_machine=made.per_machine, per_hour=made.per_hour, per_unit=per_unit,
        per_whole=made.per_whole,
    )  # fmt: skip


def _over_usd(setting: Setting, option: Option) -> float:
    priced, rows = setting.priced[option.load], np.array([option.row])
    if option.held:
        owned = option.owned > 0.0
        cost = machines(priced, rows, count=MANY, utilisation=0.0, owned=owned)
        return float(cost.high_usd[0] - cost.total_usd[0]) / MANY
    cost = hours(priced, rows, mean_machines=MANY)
    return float(cost.high_usd[0] - cost.total_usd[0]) / MANY / HOURS_PER_WEEK


def _over_fraction(cost: CostBreakdown) -> float:
    return float(cost.high_usd[0] / max(cost.total_usd[0], 1e-9)) - 1.0


def _of_machines(setting: Setting, each: list[float], plans: Floats) -> Measure:
    problem, of_options = setting.problem, np.array(each, dtype=np.float64)
    return Measure(
        per_machine=np.where(problem.held, of_options, 0.0),
        per_hour=np.where(problem.held, 0.0, of_options),
        per_unit=np.zeros(problem.rate.shape),
        per_whole=plans.reshape(len(problem.wholes)).astype(np.float64),
    )
