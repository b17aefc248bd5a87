"""A plan's payments month by month and line by line, with the quantities they are made of."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from advisor.engine.cases import Floats
from advisor.exports.formats import CannotExport
from advisor.exports.subject import ANEW, Chosen
from costing.engine.cases import CostRules
from costing.engine.quantities import growth_path, quantities
from costing.engine.rental import paid_hours_per_month, spot_usd_per_useful_h
from costing.engine.tco import cost_lines

_CENTS = 2
_ROUNDING_USD = 0.011  # a sum of months may round to the other side of half a cent


@dataclass(frozen=True, slots=True, kw_only=True)
class CashFlow:
    """Columns of the months of the horizon; their sums are the lines of the plan's breakdown."""

    lines: Mapping[str, Floats]  # USD by label, without lines that are zero; nan: price open
    told_usd: Mapping[str, float]  # the same lines over the horizon, as the answer states them
    held: Floats  # instances in use or paid for
    bought: Floats  # instances acquired
    retired: Floats  # instances given up
    left: Floats  # share of value left at the end, in instances
    tail: Floats  # instance-months that a commitment runs on after the horizon
    volume: Floats  # demand as a multiple of that at go-live
    usd_per_instance_h: float  # rent of a useful hour, lost work on spot included; nan: not rented
    hours_paid: float  # a month
    usd_per_instance: float  # price to buy; nan where it is not bought or open
    tokens_usd_per_month: float  # at go-live
    discount_fraction: float
    rules: CostRules

    @property
    def months(self) -> int:
        """Months of the horizon."""
        return len(self.held)

    @property
    def rounding_usd(self) -> float:
        """Cents by which the rounded sums of the months miss the answer's lines."""
        known = [float(self.lines[label].sum()) for label in self.told_usd]
        return round(sum(self.told_usd.values()) - sum(round(usd, _CENTS) for usd in known), _CENTS)

    @property
    def is_open(self) -> bool:
        """Whether a line waits for a price."""
        return any(np.isnan(line).any() for line in self.lines.values())


def cash_flow_of(chosen: Chosen) -> CashFlow:
    """The payments of a plan; CannotExport where rates have changed since the answer."""
    cases, rules = chosen.case, chosen.priced.rules
    months = rules.horizon_months
    sums = quantities(cases, rules, weights=np.eye(months))
    lines = {
        label: np.broadcast_to(line, (months, 1))[:, 0]
        for label, line in cost_lines(cases, rules, sums).items()
    }
    told = {line["label"]: line["usd"] for line in chosen.plan["cost_breakdown"]}
    off = [abs(float(line.sum()) - told.get(label, 0.0)) for label, line in lines.items()]
    if any(usd > _ROUNDING_USD for usd in off):  # nan of an open price is not above it
        message = f"The rates have changed since this run was answered. {ANEW}"
        raise CannotExport(message)
    rent = spot_usd_per_useful_h(
        spot_usd_per_h=cases.usd_per_h,
        fallback_usd_per_h=cases.fallback_usd_per_h,
        fallback_fraction=cases.fallback_fraction,
        overhead_fraction=cases.overhead_fraction,
    )
    if rules.usd_per_accelerator_h is not None:
        rent = rules.usd_per_accelerator_h * cases.accelerators_per_instance
    return CashFlow(
        lines={k: line for k, line in lines.items() if k in told or np.isnan(line).any()},
        told_usd=told,
        held=sums.held[:, 0],
        bought=sums.bought[:, 0],
        retired=sums.retired[:, 0],
        left=sums.left[:, 0],
        tail=sums.tail[:, 0],
        volume=growth_path(rules),
        usd_per_instance_h=float(rent[0]),
        hours_paid=float(paid_hours_per_month(cases)[0]),
        usd_per_instance=float(cases.capex_usd_per_instance[0]),
        tokens_usd_per_month=float(cases.tokens_usd_per_month[0]),
        discount_fraction=float(cases.discount_fraction[0]),
        rules=rules,
    )
