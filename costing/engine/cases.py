"""What is to be priced, as columns, with the rules that hold for all of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from math import nan
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from catalog.specs import Purchase
from catalog.units import HOURS_PER_MONTH
from costing.engine.data import (
    BUNDLED_EGRESS,
    NO_STORAGE_PRICE,
    EgressTariff,
    Floats,
    Ints,
    StorageTariff,
)

Bools = NDArray[np.bool_]
_Shared = TypeVar("_Shared", EgressTariff, StorageTariff, frozenset[str])
PURCHASES = tuple(Purchase)
COMMITMENT_MONTHS: Mapping[Purchase, int] = {Purchase.RESERVED_1Y: 12, Purchase.RESERVED_3Y: 36}


@dataclass(frozen=True, slots=True, kw_only=True)
class CostCases:
    """Things to price, one a row: every array has the same length.

    `purchase` indexes `purchases`, the tariffs and `inclusion` their tables. An
    instance is what is rented or bought as a whole: a virtual machine, node, rack or slice.
    Unknown prices are nan, and make their line and the total nan. Build with `cost_cases`.
    """

    purchases: tuple[Purchase, ...]
    egress_tariffs: tuple[EgressTariff, ...]
    storage_tariffs: tuple[StorageTariff, ...]
    inclusions: tuple[frozenset[str], ...]  # labels of cost lines that a price covers
    purchase: Ints
    # How much of it
    instances: Floats  # whole instances at go-live
    instances_exact: Floats  # what the load at go-live needs before rounding up; nan: instances
    instance_step: Floats  # instances added together, where one replica spans several
    accelerators_per_instance: Floats
    machines_per_instance: Floats  # a part of one where a single accelerator is sold
    spans_instances: Bools  # accelerators of several instances work on one thing: needs a fabric
    grows: Bools  # more instances as demand grows
    # What it costs to have
    usd_per_h: Floats  # rent of one instance; nan where open
    fallback_usd_per_h: Floats  # on-demand price that replaces an interrupted spot instance
    fallback_fraction: Floats  # share of the hours on the fallback
    overhead_fraction: Floats  # extra hours for work lost to interruptions
    capex_usd_per_instance: Floats  # price to buy one; nan where open
    tokens_usd_per_month: Floats  # hosted tokens at go-live
    discount_fraction: Floats  # private discount off rent, purchase and tokens
    inclusion: Ints
    support_fraction_per_year: Floats  # of the purchase price; nan is that of the rules
    minimum_months: Floats  # a contract's own term: paid whether used or not
    price_low_factor: Floats  # range of the price: value times these
    price_high_factor: Floats
    usage_low_factor: Floats  # range of the hours that rent is paid for
    usage_high_factor: Floats
    # When it runs
    hours_per_month_needed: Floats  # hours in which an instance is needed, of 730
    runs_per_month: Floats  # separate runs those hours consist of; 0 is one continuous use
    minimum_billing_h: Floats  # smallest billed time of one run
    billing_step_h: Floats  # billed time comes in whole steps; 0 is to the second
    may_scale_down: Bools  # released when not needed
    utilisation: Floats  # mean load over all 730 hours, as a fraction of full load
    # Power and place
    on_site: Bools  # the buyer's own room or colocation: power, space and cooling are his
    colocation: Bools
    is_liquid: Bools
    power_w_per_instance: Floats  # rated IT power, what space and supply are sized for
    idle_power_fraction: Floats  # of that, when idle
    usd_per_kwh: Floats
    pue: Floats
    grid_g_per_kwh: Floats
    embodied_kg_per_instance: Floats
    # Data and people
    storage_bytes: Floats
    storage_tariff: Ints
    egress_bytes_per_month: Floats  # at go-live; grows with demand
    egress_tariff: Ints
    inter_region_usd_per_month: Floats
    ops_fte: Floats  # people to run the deployment, whatever its size
    ops_fte_per_instance: Floats  # for each whole machine
    porting_weeks: Floats  # person-weeks, once; nan counts as none
    software_applies: Bools  # licences are paid per accelerator

    def __len__(self) -> int:
        return len(self.purchase)

    def is_bought_as(self, *kinds: Purchase) -> Bools:
        """Rows whose way to buy is one of these."""
        table = np.array([kind in kinds for kind in self.purchases])
        return np.asarray(table[self.purchase], dtype=bool)


_DEFAULTS: Mapping[str, Any] = {
    "purchase": 0,
    "instances": 1.0,
    "instances_exact": nan,
    "instance_step": 1.0,
    "accelerators_per_instance": 1.0,
    "machines_per_instance": 1.0,
    "spans_instances": False,
    "grows": True,
    "usd_per_h": nan,
    "fallback_usd_per_h": nan,
    "fallback_fraction": 0.0,
    "overhead_fraction": 0.0,
    "capex_usd_per_instance": nan,
    "tokens_usd_per_month": 0.0,
    "discount_fraction": 0.0,
    "inclusion": 0,
    "support_fraction_per_year": nan,
    "minimum_months": 0.0,
    "price_low_factor": 1.0,
    "price_high_factor": 1.0,
    "usage_low_factor": 1.0,
    "usage_high_factor": 1.0,
    "hours_per_month_needed": HOURS_PER_MONTH,
    "runs_per_month": 0.0,
    "minimum_billing_h": 0.0,
    "billing_step_h": 0.0,
    "may_scale_down": False,
    "utilisation": 1.0,
    "colocation": False,
    "is_liquid": False,
    "power_w_per_instance": 0.0,
    "idle_power_fraction": 1.0,
    "usd_per_kwh": 0.0,
    "pue": 1.0,
    "grid_g_per_kwh": 0.0,
    "embodied_kg_per_instance": 0.0,
    "storage_bytes": 0.0,
    "storage_tariff": 0,
    "egress_bytes_per_month": 0.0,
    "egress_tariff": 0,
    "inter_region_usd_per_month": 0.0,
    "ops_fte": 0.0,
    "ops_fte_per_instance": 0.0,
    "porting_weeks": 0.0,
    "software_applies": True,
}


def cost_cases(
    rows: int,
    *,
    purchases: tuple[Purchase, ...] = PURCHASES,
    egress_tariffs: tuple[EgressTariff, ...] = (BUNDLED_EGRESS,),
    storage_tariffs: tuple[StorageTariff, ...] = (NO_STORAGE_PRICE,),
    inclusions: tuple[frozenset[str], ...] = (frozenset(),),
    **columns: ArrayLike,
) -> CostCases:
    """Columns of `rows` cases: scalars are repeated, what is left out takes its neutral value.

    `on_site` is by default what is bought or waits for a quote.
    Source: the fields of `CostCases`; there is no arithmetic here.
    """
    unknown = set(columns) - set(_DEFAULTS) - {"on_site"}
    if unknown:
        message = f"no such column: {', '.join(sorted(unknown))}"
        raise TypeError(message)
    values: dict[str, Any] = {
        name: np.broadcast_to(
            np.asarray(columns.get(name, default), dtype=_dtype_of(default)), (rows,)
        )
        for name, default in _DEFAULTS.items()
    }
    owned = np.array([kind in (Purchase.BUY, Purchase.QUOTE) for kind in purchases])
    on_site = columns.get("on_site", owned[values["purchase"]])
    values["on_site"] = np.broadcast_to(np.asarray(on_site, dtype=bool), (rows,))
    return CostCases(
        purchases=purchases,
        egress_tariffs=egress_tariffs,
        storage_tariffs=storage_tariffs,
        inclusions=inclusions,
        **values,
    )


def _dtype_of(default: object) -> type:
    return {bool: np.bool_, int: np.int64}.get(type(default), np.float64)


def take(cases: CostCases, rows: ArrayLike | slice) -> CostCases:
    """The chosen rows (indices, a mask or a slice), with the same tables.

    Source: plain indexing.
    """
    chosen = rows if isinstance(rows, slice) else np.asarray(rows)
    picked: dict[str, Any] = {
        each.name: value[chosen] if isinstance(value, np.ndarray) else value
        for each in fields(cases)
        for value in (getattr(cases, each.name),)
    }
    return CostCases(**picked)


def stacked(parts: Sequence[CostCases]) -> CostCases:
    """Several sets of cases under one another, each row with the tariffs it had.

    Source: plain concatenation; entries of the tables that no row uses are left behind.
    """
    egress, egress_rows = _merged([(part.egress_tariffs, part.egress_tariff) for part in parts])
    storage, storage_rows = _merged([(part.storage_tariffs, part.storage_tariff) for part in parts])
    columns: dict[str, Any] = {
        each.name: np.concatenate([getattr(part, each.name) for part in parts])
        for each in fields(CostCases)
        if isinstance(getattr(parts[0], each.name), np.ndarray)
    }
    covered, covered_rows = _merged([(part.inclusions, part.inclusion) for part in parts])
    columns |= {
        "egress_tariff": egress_rows,
        "storage_tariff": storage_rows,
        "inclusion": covered_rows,
    }
    return CostCases(
        purchases=parts[0].purchases,
        egress_tariffs=egress,
        storage_tariffs=storage,
        inclusions=covered,
        **columns,
    )


def _merged(tables: Sequence[tuple[tuple[_Shared, ...], Ints]]) -> tuple[tuple[_Shared, ...], Ints]:
    """One table of the entries in use, and every row's index into it."""
    place: dict[_Shared, int] = {}
    rows = [
        np.array([place.setdefault(table[at], len(place)) for at in index], dtype=np.int64)
        for table, index in tables
    ]
    return tuple(place), np.concatenate(rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class CostRules:
    """What holds for the whole assessment; all money in USD, all shares as fractions."""

    horizon_months: int = 36
    growth_per_month: float = 0.0
    growth_stops_month: int = 24
    discount_rate: float = 0.0  # per year
    price_change_per_year: float = 0.0  # rents, tokens and purchases; a commitment keeps its price
    spot_price_factor: float = 1.0  # spot prices against those of the offers
    depreciation_years: float = 4.0
    residual_fraction: float = 0.0  # of the purchase price, at the end of the horizon
    support_fraction_per_year: float = 0.0  # of the purchase price
    spares_fraction: float = 0.0
    installation_fraction: float = 0.0  # freight, racking, commissioning
    decommission_fraction: float = 0.0
    tax_fraction: float = 0.0  # off by default: businesses mostly reclaim it
    contingency_fraction: float = 0.0
    staff_usd_per_year: float = 150_000.0
    software_usd_per_accelerator_year: float = 0.0
    carbon_usd_per_tonne: float = 0.0
    monitoring_usd_per_instance_month: float = 0.0  # for each whole machine
    financing: str = "cash"  # how what is bought is paid: cash, loan or lease
    financing_rate: float = 0.0  # per year, a twelfth of it a month, as lenders quote
    financing_months: int = 36  # term of a loan; a lease ends with the horizon
    power_share_of_rated: float = 1.0  # what full load draws of the rated power
    demand_usd_per_kw_month: float = 0.0
    colocation_usd_per_kw_month: float = 0.0
    own_space_usd_per_kw_month: float = 0.0
    liquid_cooling_usd_per_kw: float = 0.0  # facility work for liquid-cooled power, once
    fabric_usd_per_accelerator: tuple[tuple[float, float], ...] = ()
    """(accelerators joined, USD each), rising; between the points along the logarithm."""
    # The user's own figures, which replace what would be computed
    usd_per_accelerator_h: float | None = None
    storage_usd_per_byte_month: float | None = None
    egress_usd_per_byte: float | None = None
    egress_usd_per_month: float | None = None
    engineering_usd_per_month: float | None = None
    engineering_usd_per_run: float | None = None
    line_ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Low and high factor of a line by its label, where its rate has a range."""
