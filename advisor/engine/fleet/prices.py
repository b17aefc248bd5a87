"""What one machine, one of its hours, a load's data and its people cost, by the one breakdown."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from advisor.engine.cases import Floats, Ints
from advisor.engine.fleet.weeks import HOURS_PER_WEEK
from advisor.engine.search.river import Priced
from catalog.units import HOURS_PER_MONTH
from costing.engine.cases import CostCases, CostRules, take
from costing.engine.tco import CostBreakdown, cost_breakdown

MANY = 1_000.0  # machines, so that rounding up of growth and cents vanish in the price of one
NO_STEP = 1e-9  # machines by which growth comes where it is not rounded
_APART = {
    "storage_bytes": 0.0, "egress_bytes_per_month": 0.0, "inter_region_usd_per_month": 0.0,
    "tokens_usd_per_month": 0.0, "ops_fte": 0.0, "porting_weeks": 0.0, "runs_per_month": 0.0,
    "minimum_billing_h": 0.0, "billing_step_h": 0.0, "instances_exact": np.nan,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPrices:
    """USD over the horizon, one entry a candidate."""

    hour: Floats  # one machine in one hour of every week, rented by the hour
    held_hour: Floats  # one machine over an hour of every week, paid in all of them, idle
    load: Floats  # what full load in one hour of every week adds to a machine that is held
    data: Floats  # storage and transfer, if this candidate serves the whole load
    people: Floats  # to run the deployment, whatever its size
    porting: Floats
    capex: Floats  # of one machine


def unit_prices(priced: Priced, rows: Ints, *, owned: bool = False) -> UnitPrices:
    """Prices of single things from the breakdown that prices whole plans.

    With `owned` machines are the user's already.

    Source: `costing.engine.tco.cost_breakdown`, linear in what is varied.
    """
    idle, busy = (
        machines(priced, rows, count=MANY, utilisation=each, owned=owned).total_usd
        for each in (0.0, 1.0)
    )
    return UnitPrices(
        hour=hours(priced, rows, mean_machines=MANY).total_usd / MANY / HOURS_PER_WEEK,
        held_hour=idle / MANY / HOURS_PER_WEEK,
        load=(busy - idle) / MANY / HOURS_PER_WEEK,
        data=data(priced, rows).total_usd,
        people=people(priced, rows, porting=False).total_usd,
        porting=people(priced, rows, porting=True).total_usd,
        capex=machines(priced, rows, count=MANY, utilisation=0.0).capex_usd / MANY,
    )


def price_table(
    priced: Priced, row: int, *, most: int, growth_step: float, owned: bool = False
) -> Floats:
    """USD of 0, 1, ..., `most` machines held over the horizon, growth rounded up and all.

    Source: as `unit_prices`.
    """
    counts = np.arange(1.0, most + 1.0)
    cost = machines(
        priced, np.full(most, row), count=counts, utilisation=0.0, growth_step=growth_step,
        owned=owned,
    )  # fmt: skip
    return np.concatenate(([0.0], cost.total_usd))


def machines(
    priced: Priced,
    rows: Ints,
    *,
    count: ArrayLike,
    utilisation: ArrayLike,
    growth_step: ArrayLike = 1.0,
    owned: bool = False,
) -> CostBreakdown:
    """Machines that are paid in every hour, alone; those owned already cost their running only.

    What is owned does not grow with demand.

    Source: as `unit_prices`.
    """
    cases = varied(
        priced.cases, rows, **_APART, instances=count, utilisation=utilisation,
        may_scale_down=False, hours_per_month_needed=HOURS_PER_MONTH, instance_step=growth_step,
        **({"capex_usd_per_instance": 0.0, "grows": False} if owned else {}),
    )  # fmt: skip
    return cost_breakdown(cases, _alone(priced.rules))


def hours(priced: Priced, rows: Ints, *, mean_machines: ArrayLike) -> CostBreakdown:
    """Machines that are paid in the hours they are used, so many on average over the week.

    They grow with demand without rounding, so that twice the hours cost twice as much: the
    price that the search uses is the price that is billed.

    Source: as `unit_prices`.
    """
    cases = varied(
        priced.cases, rows, **_APART, instances=mean_machines, utilisation=1.0,
        may_scale_down=False, hours_per_month_needed=HOURS_PER_MONTH,
        instance_step=NO_STEP,
    )  # fmt: skip
    return cost_breakdown(cases, _alone(priced.rules))


def data(priced: Priced, rows: Ints) -> CostBreakdown:
    """Storage and transfer of a load that these candidates serve whole.

    Source: as `unit_prices`.
    """
    cases = varied(
        priced.cases, rows, instances=0.0, ops_fte=0.0, porting_weeks=0.0, runs_per_month=0.0,
        tokens_usd_per_month=0.0,
    )  # fmt: skip
    rules = replace(priced.rules, engineering_usd_per_run=None, engineering_usd_per_month=None)
    return cost_breakdown(cases, rules)


def people(priced: Priced, rows: Ints, *, porting: bool) -> CostBreakdown:
    """The people of a deployment, or the porting it needs, without machines and data.

    Source: as `unit_prices`.
    """
    none = {"ops_fte": 0.0, "runs_per_month": 0.0} if porting else {"porting_weeks": 0.0}
    apart = {"instances": 0.0, "storage_bytes": 0.0, "egress_bytes_per_month": 0.0}
    cases = varied(
        priced.cases, rows, **apart, **none, inter_region_usd_per_month=0.0,
        tokens_usd_per_month=0.0,
    )  # fmt: skip
    rules = replace(priced.rules, egress_usd_per_month=None)
    if porting:
        rules = replace(rules, engineering_usd_per_run=None, engineering_usd_per_month=None)
    return cost_breakdown(cases, rules)


def varied(cases: CostCases, rows: Ints, **columns: ArrayLike) -> CostCases:
    """Some rows with columns replaced, scalars repeated.

    Source: plain indexing.
    """
    chosen = take(cases, rows)
    kinds = {name: getattr(chosen, name).dtype for name in columns}
    wide: dict[str, Any] = {
        name: np.broadcast_to(np.asarray(value, dtype=kinds[name]), (len(rows),))
        for name, value in columns.items()
    }
    return replace(chosen, **wide)


def _alone(rules: CostRules) -> CostRules:
    """The rules without what is paid once for a load, whatever serves it."""
    return replace(
        rules, egress_usd_per_month=None, engineering_usd_per_run=None,
        engineering_usd_per_month=None,
    )  # fmt: skip
