"""Owning a base and renting what demand grows beyond it: one deployment of two parts."""

from dataclasses import dataclass, replace
from math import ceil

import numpy as np

from costing.engine.cases import CostCases, CostRules, stacked, take
from costing.engine.quantities import growth_path
from costing.engine.tco import total_usd

_SPLITS = 40  # at most so many shares are tried
_ALMOST = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Hybrid:
    """The cheapest split of a load between own machines and rented ones."""

    cases: CostCases  # two rows: what is owned, what is rented
    owned_share: float  # of the load at go-live


def hybrid(owned: CostCases, rented: CostCases, rules: CostRules) -> Hybrid | None:
    """Own a share of the load at go-live, rent the rest and all growth; the cheapest share.

    Each of `owned` and `rented` is one row that carries the whole load by itself. The split is
    in whole replicas of the rented part. Both parts need people of their own; storage and
    egress follow the split. None where the load does not grow, since renting a fixed share is
    then only a dearer or cheaper version of one of the two; or where a price is open.

    Source: the rule stated here; costs as `cost_breakdown`.
    """
    grows = bool(owned.grows[0] and rented.grows[0]) and float(growth_path(rules).max()) > 1.0
    replicas = round(float(rented.instances[0] / rented.instance_step[0]))
    if not grows or replicas < 1:
        return None
    counts = np.unique(np.linspace(1, replicas, min(replicas, _SPLITS)).round())
    parts = stacked([part for count in counts for part in _split(owned, rented, count / replicas)])
    totals = total_usd(parts, rules).reshape(-1, 2).sum(axis=1)
    if not np.isfinite(totals).any():
        return None
    best = int(np.nanargmin(totals))
    return Hybrid(
        cases=take(parts, [2 * best, 2 * best + 1]), owned_share=float(counts[best] / replicas)
    )


def _split(owned: CostCases, rented: CostCases, share: float) -> tuple[CostCases, CostCases]:
    step = float(owned.instance_step[0])
    own = step * max(ceil(share * float(owned.instances[0]) / step - _ALMOST), 1)
    rest = (rented.instances * (1.0 - share)).round()
    base = replace(
        _with_data(owned, share), instances=np.array([own]), grows=np.zeros(1, dtype=bool)
    )
    more = replace(
        _with_data(rented, 1.0 - share),
        instances=rest,
        instances_exact=rented.instances,
        porting_weeks=np.maximum(rented.porting_weeks - owned.porting_weeks, 0.0),
    )
    return base, more


def _with_data(case: CostCases, share: float) -> CostCases:
    return replace(
        case,
        storage_bytes=case.storage_bytes * share,
        egress_bytes_per_month=case.egress_bytes_per_month * share,
        inter_region_usd_per_month=case.inter_region_usd_per_month * share,
    )
