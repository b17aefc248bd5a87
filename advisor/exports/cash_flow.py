"""A plan's payments month by month and line by line, with what each line hangs on."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from advisor.engine.cases import Floats
from advisor.exports.refusal import CannotExport
from advisor.exports.subject import ANEW, Chosen
from costing.engine.cases import CostRules
from costing.engine.quantities import growth_path, quantities
from costing.engine.rental import paid_hours_per_month
from costing.engine.tco import COMPUTE, PRICED, TAIL, TOKENS, cost_lines

_CENTS = 2
_ROUNDING_USD = 0.011  # a sum of months may round to the other side of half a cent
OF_RENT = (COMPUTE, TAIL)
OF_PRICE = tuple(label for label in PRICED if label not in (COMPUTE, TAIL, TOKENS))


@dataclass(frozen=True, slots=True, kw_only=True)
class CashFlow:
    """Columns of the months of the horizon; their sums are the lines of the plan's breakdown."""

    lines: Mapping[str, Floats]  # USD by label, without lines that are zero; nan: price open
    told_usd: Mapping[str, float]  # the same lines over the horizon, as the answer states them
    held: Floats  # instances in use or paid for
    bought: Floats  # instances acquired
    volume: Floats  # demand as a multiple of that at go-live
    per_price: Mapping[str, Floats]
    """USD of a line for each USD of rent an hour, of purchase price or of the first bill for
    tokens, whichever it hangs on; before any discount."""
    usd_per_instance_h: float  # rent of a useful hour, lost work on spot included; nan: none
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
    case, rules = chosen.case, chosen.priced.rules
    months = rules.horizon_months
    sums = quantities(case, rules, weights=np.eye(months))

    def columns(found: Mapping[str, Floats]) -> dict[str, Floats]:
        return {label: np.broadcast_to(line, (months, 1))[:, 0] for label, line in found.items()}

    lines = columns(cost_lines(case, rules, sums))
    told = {line["label"]: line["usd"] for line in chosen.plan["cost_breakdown"]}
    off = [abs(float(line.sum()) - told.get(label, 0.0)) for label, line in lines.items()]
    if any(usd > _ROUNDING_USD for usd in off):  # nan of an open price is not above it
        message = f"The rates have changed since this run was answered. {ANEW}"
        raise CannotExport(message)
    of_one_usd = replace(case, capex_usd_per_instance=np.ones(1), discount_fraction=np.zeros(1))
    per_usd = columns(cost_lines(of_one_usd, rules, sums))
    net, hours = 1.0 - float(case.discount_fraction[0]), float(paid_hours_per_month(case)[0])
    paid_h = float(sums.rented.sum()) * hours * net
    rent = float(lines[COMPUTE].sum()) / paid_h if paid_h > 0.0 else np.nan
    bill = float(case.tokens_usd_per_month[0])
    per_price = {label: per_usd[label] for label in OF_PRICE}
    per_price |= {label: lines[label] / (rent * net) for label in OF_RENT if rent > 0.0}
    if bill > 0.0:
        per_price[TOKENS] = lines[TOKENS] / (bill * net)
    return CashFlow(
        lines={k: line for k, line in lines.items() if k in told or np.isnan(line).any()},
        told_usd=told,
        held=sums.held[:, 0],
        bought=sums.bought[:, 0],
        volume=growth_path(rules),
        per_price=per_price,
        usd_per_instance_h=rent,
        hours_paid=hours,
        usd_per_instance=float(case.capex_usd_per_instance[0]),
        tokens_usd_per_month=bill,
        discount_fraction=1.0 - net,
        rules=rules,
    )
