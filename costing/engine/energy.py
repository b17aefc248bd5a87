"""Energy that a deployment draws, with cooling, and what it emits."""

import numpy as np
from numpy.typing import ArrayLike

from catalog.units import HOURS_PER_MONTH, KILO
from costing.engine.cases import CostCases, CostRules
from costing.engine.data import Floats
from costing.engine.rental import paid_hours_per_month


def mean_power_w(
    *, full_load_w: ArrayLike, idle_fraction: ArrayLike, utilisation: ArrayLike
) -> Floats:
    """Mean IT power in watts at a utilisation (fraction of full load); any shape.

    Power rises in a straight line from idle to full load. It holds for averages over hours,
    not for peaks.

    Source: X. Fan, W.-D. Weber, L. A. Barroso, "Power Provisioning for a Warehouse-sized
    Computer", ISCA 2007, section 4.
    """
    idle = np.asarray(idle_fraction, dtype=np.float64)
    load = np.asarray(utilisation, dtype=np.float64)
    return np.asarray(full_load_w, dtype=np.float64) * (idle + (1.0 - idle) * load)


def it_kwh_per_instance_month(cases: CostCases, rules: CostRules) -> Floats:
    """IT energy of one instance in a month, kWh; shape (cases,).

    What is owned stays on; rented instances draw nothing while they are given back. Full
    load draws `rules.power_share_of_rated` of the rated power.

    Source: as `mean_power_w`; the share is that of I. Latif et al., IEEE Access 13, 2025.
    """
    hours = np.where(cases.on_site, HOURS_PER_MONTH, paid_hours_per_month(cases))
    busy = np.minimum(cases.utilisation * HOURS_PER_MONTH, hours)
    with np.errstate(divide="ignore", invalid="ignore"):
        load = np.where(hours > 0.0, busy / hours, 0.0)
    power_w = mean_power_w(
        full_load_w=cases.power_w_per_instance * rules.power_share_of_rated,
        idle_fraction=cases.idle_power_fraction,
        utilisation=load,
    )
    return power_w * hours / KILO


def facility_kwh_per_instance_month(cases: CostCases, rules: CostRules) -> Floats:
    """Energy of one instance in a month with cooling and distribution, kWh; shape (cases,).

    Source: power usage effectiveness, ISO/IEC 30134-2.
    """
    return it_kwh_per_instance_month(cases, rules) * cases.pue


def carbon_kg(*, kwh: ArrayLike, grid_g_per_kwh: ArrayLike) -> Floats:
    """Location-based emissions in kg CO2e; any shape.

    Source: GHG Protocol, Scope 2 Guidance, 2015, location-based method.
    """
    energy = np.asarray(kwh, dtype=np.float64)
    return energy * np.asarray(grid_g_per_kwh, dtype=np.float64) / KILO
