"""The people a deployment takes, by the way it is deployed."""

from dataclasses import dataclass

import numpy as np

from catalog.units import MONTHS_PER_YEAR
from costing.engine.data import Floats, Ints
from costing.engine.rates import Rates

DEPLOYMENTS = ("on_site", "colocation", "public_cloud", "neocloud", "managed_api")
"""Ways to deploy, from most work to least."""


def operations_fte(rates: Rates, *, deployment: Ints) -> tuple[Floats, Floats]:
    """People for each deployment, and for each of its instances; indices into DEPLOYMENTS.

    The columns `ops_fte` and `ops_fte_per_instance` of CostCases. Working in shifts round
    the clock is not in it.

    Source: the rates `ops_fte/...` and `ops_fte_per_instance/...`.
    """
    base = np.array([rates[f"ops_fte/{kind}"].value for kind in DEPLOYMENTS])
    each = np.array([rates[f"ops_fte_per_instance/{kind}"].value for kind in DEPLOYMENTS])
    return base[deployment], each[deployment]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overhead:
    """What it takes to run so many machines in one way to deploy."""

    deployment: str
    fte: float
    usd_per_month: float
    evidence: str
    source: str


def overhead_by_deployment(
    rates: Rates, *, instances: float, staff_usd_per_year: float
) -> tuple[Overhead, ...]:
    """People and their cost for the same number of machines in every way to deploy.

    Source: as `operations_fte`.
    """
    base, each = operations_fte(rates, deployment=np.arange(len(DEPLOYMENTS)))
    fte = base + each * instances
    usd = engineering_usd_per_month(fte=fte, staff_usd_per_year=staff_usd_per_year)
    return tuple(
        Overhead(
            deployment=kind,
            fte=float(fte[index]),
            usd_per_month=float(usd[index]),
            evidence=rates[f"ops_fte/{kind}"].evidence.value,
            source=rates[f"ops_fte/{kind}"].source,
        )
        for index, kind in enumerate(DEPLOYMENTS)
    )


def deployment_of(*, provider_kind: str, colocation: bool = False) -> str:
    """The way to deploy that goes with a provider's kind of the catalogue.

    Source: the names of the kinds; a vendor's part stands at the buyer's.
    """
    if provider_kind == "vendor":
        return "colocation" if colocation else "on_site"
    return provider_kind if provider_kind in DEPLOYMENTS else "public_cloud"


def engineering_usd_per_month(*, fte: Floats, staff_usd_per_year: float) -> Floats:
    """What that many people cost in a month, USD; any shape.

    Source: arithmetic.
    """
    return fte * staff_usd_per_year / MONTHS_PER_YEAR
