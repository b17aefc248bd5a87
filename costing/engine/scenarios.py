"""How prices may move over the horizon: named paths, none of them a forecast."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from catalog.specs import Evidence
from catalog.units import PERCENT
from costing.engine.cases import CostRules
from costing.engine.rates import Rates


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One path of prices, and who says so."""

    id: str
    label: str
    price_change_per_year: float
    spot_price_factor: float
    evidence: Evidence
    source: str


def scenarios(rates: Rates) -> Mapping[str, Scenario]:
    """The paths by id, the flat one first: prices stay, fall, rise, or spot gets cheaper.

    No decline is built in: prices of 2026 rose.
    Source: the rates `price_change/...`, each with its own.
    """
    falling, rising, spot = (
        rates[f"price_change/{kind}"] for kind in ("falling", "rising", "spot")
    )
    found = (
        Scenario(
            id="flat", label="Prices stay", price_change_per_year=0.0, spot_price_factor=1.0,
            evidence=Evidence.ASSUMED, source="today's prices over the whole horizon",
        ),
        Scenario(
            id="falling", label=f"Prices fall {falling.value / PERCENT:g} % a year",
            price_change_per_year=-falling.value, spot_price_factor=1.0,
            evidence=falling.evidence, source=falling.source,
        ),
        Scenario(
            id="rising", label=f"Prices rise {rising.value / PERCENT:g} % a year",
            price_change_per_year=rising.value, spot_price_factor=1.0,
            evidence=rising.evidence, source=rising.source,
        ),
        Scenario(
            id="spot", label=f"Spot gets {spot.value / PERCENT:g} % cheaper",
            price_change_per_year=0.0, spot_price_factor=1.0 - spot.value,
            evidence=spot.evidence, source=spot.source,
        ),
    )  # fmt: skip
    return {scenario.id: scenario for scenario in found}


def with_scenario(rules: CostRules, scenario: Scenario) -> CostRules:
    """Rules under which the same machines cost what they would on this path.

    Source: the scenario.
    """
    return replace(
        rules,
        price_change_per_year=scenario.price_change_per_year,
        spot_price_factor=scenario.spot_price_factor,
    )
