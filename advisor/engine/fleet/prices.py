"""What one machine, one of its hours, a load's data and its people cost, by the one breakdown."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from advisor.engine.cases import Bools, Floats, Ints
from advisor.engine.fleet.weeks import HOURS_PER_WEEK
from advisor.engine.search.river import Priced
from catalog.units import HOURS_PER_MONTH
from costing.engine.cases import CostCases, CostRules, take
from costing.engine.tco import CostBreakdown, cost_breakdown, total_usd

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


def unit_prices(priced: Priced, rows: Ints) -> UnitPrices:
    """Prices of single things from the breakdown that prices whole plans.

    Source: `costing.engine.tco.cost_breakdown`, linear in what is varied.
    """
    idle = machines(priced, rows, count=MANY, utilisation=0.0)
    return UnitPrices(
        hour=total_usd(*_hours(priced, rows, mean_machines=MANY)) / MANY / HOURS_PER_WEEK,
        held_hour=idle.total_usd / MANY / HOURS_PER_WEEK,
        load=load_price(priced, rows),
        data=total_usd(*_data(priced, rows)),
        people=total_usd(*_people(priced, rows, porting=False)),
        porting=total_usd(*_people(priced, rows, porting=True)),
        capex=idle.capex_usd / MANY,
    )


def load_price(priced: Priced, rows: Ints, *, owned: bool = False) -> Floats:
    """`UnitPrices.load` alone; with `owned` of machines that are the user's already.

    Source: as `unit_prices`.
    """
    idle, busy = (
        total_usd(*_machines(priced, rows, count=MANY, utilisation=each, owned=owned))
        for each in (0.0, 1.0)
    )
    return np.asarray((busy - idle) / MANY / HOURS_PER_WEEK)


def price_tables(
    priced: Priced, rows: Ints, *, most: Ints, growth_step: float, owned: Bools
) -> list[Floats]:
    """For each row USD of 0, 1, ..., `most` machines held over the horizon.

    Growth is rounded up and all; `owned` says which rows are owned already.

    Source: as `unit_prices`.
    """
    counts = np.concatenate([np.arange(1.0, each + 1.0) for each in most])
    usd = total_usd(
        *_machines(
            priced, np.repeat(rows, most), count=counts, utilisation=0.0, growth_step=growth_step,
            owned=np.repeat(owned, most),
        )
    )  # fmt: skip
    return [np.concatenate(([0.0], each)) for each in np.split(usd, np.cumsum(most)[:-1])]


def machines(
    priced: Priced,
    rows: Ints,
    *,
    count: ArrayLike,
    utilisation: ArrayLike,
    owned: Bools | bool = False,
) -> CostBreakdown:
    """Machines that are paid in every hour, alone; those owned already cost their running only.

    What is owned does not grow with demand.

    Source: as `unit_prices`.
    """
    return cost_breakdown(
        *_machines(priced, rows, count=count, utilisation=utilisation, owned=owned)
    )


def hours(priced: Priced, rows: Ints, *, mean_machines: ArrayLike) -> CostBreakdown:
    """Machines that are paid in the hours they are used, so many on average over the week.

    They grow with demand without rounding, so that twice the hours cost twice as much: the
    price that the search uses is the price that is billed.

    Source: as `unit_prices`.
    """
    return cost_breakdown(*_hours(priced, rows, mean_machines=mean_machines))


def data(priced: Priced, rows: Ints) -> CostBreakdown:
    """Storage and transfer of a load that these candidates serve whole.

    Source: as `unit_prices`.
    """
    return cost_breakdown(*_data(priced, rows))


def people(priced: Priced, rows: Ints, *, porting: bool) -> CostBreakdown:
    """The people of a deployment, or the porting it needs, without machines and data.

    Source: as `unit_prices`.
    """
    return cost_breakdown(*_people(priced, rows, porting=porting))


_Question = tuple[CostCases, CostRules]


def _machines(
    priced: Priced,
    rows: Ints,
    *,
    count: ArrayLike,
    utilisation: ArrayLike,
    growth_step: ArrayLike = 1.0,
    owned: Bools | bool = False,
) -> _Question:
    cases = varied(
        priced.cases, rows, **_APART, instances=count, utilisation=utilisation,
        may_scale_down=False, hours_per_month_needed=HOURS_PER_MONTH, instance_step=growth_step,
        capex_usd_per_instance=np.where(owned, 0.0, priced.cases.capex_usd_per_instance[rows]),
        grows=priced.cases.grows[rows] & np.logical_not(owned),
    )  # fmt: skip
    return cases, _alone(priced.rules)


def _hours(priced: Priced, rows: Ints, *, mean_machines: ArrayLike) -> _Question:
    cases = varied(
        priced.cases, rows, **_APART, instances=mean_machines, utilisation=1.0,
        may_scale_down=False, hours_per_month_needed=HOURS_PER_MONTH,
        instance_step=NO_STEP,
    )  # fmt: skip
    return cases, _alone(priced.rules)


def _data(priced: Priced, rows: Ints) -> _Question:
    cases = varied(
        priced.cases, rows, instances=0.0, ops_fte=0.0, porting_weeks=0.0, runs_per_month=0.0,
        tokens_usd_per_month=0.0,
    )  # fmt: skip
    rules = replace(priced.rules, engineering_usd_per_run=None, engineering_usd_per_month=None)
    return cases, rules


def _people(priced: Priced, rows: Ints, *, porting: bool) -> _Question:
    none = {"ops_fte": 0.0, "runs_per_month": 0.0} if porting else {"porting_weeks": 0.0}
    apart = {"instances": 0.0, "storage_bytes": 0.0, "egress_bytes_per_month": 0.0}
    cases = varied(
        priced.cases, rows, **apart, **none, inter_region_usd_per_month=0.0,
        tokens_usd_per_month=0.0,
    )  # fmt: skip
    rules = replace(priced.rules, egress_usd_per_month=None)
    if porting:
        rules = replace(rules, engineering_usd_per_run=None, engineering_usd_per_month=None)
    return cases, rules


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
