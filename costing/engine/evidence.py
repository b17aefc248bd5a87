"""Where each line of a breakdown comes from, and how well it is known."""

from collections.abc import Iterable, Mapping

from catalog.specs import Evidence
from costing.engine import tco
from costing.engine.cases import CostCases
from costing.engine.rates import Rate, Rates, rate_for

Basis = tuple[Evidence, str]

ANSWER: Basis = (Evidence.ASSUMED, "answer of the questionnaire, or its default")
OWN_PRICE: Basis = (Evidence.LIST, "the user's own price")


def line_evidence(
    rates: Rates,
    cases: CostCases,
    row: int,
    *,
    provider: str,
    deployment: str,
    own_prices: Iterable[str] = (),
) -> Mapping[str, Basis]:
    """Evidence and source of each line of one case; the offer's own lines are left to the caller.

    Compute, tokens and hardware carry the evidence of the offer that was priced, and are not
    in the answer. `deployment` is one of `people.DEPLOYMENTS`; `own_prices` are labels whose
    figure the user stated (the price book).

    Source: the rates that the lines are built from.
    """
    egress = cases.egress_tariffs[int(cases.egress_tariff[row])]
    storage = cases.storage_tariffs[int(cases.storage_tariff[row])]
    found: dict[str, Basis] = {
        tco.FABRIC: _of(rates["fabric/16"]),
        tco.INSTALLATION: _of(rates["installation"]),
        tco.LIQUID: _of(rates["liquid_cooling"]),
        tco.FINANCING: ANSWER,
        tco.POWER: _with_answer(rates["power_share_of_rated"], "the price of electricity"),
        tco.COOLING: _with_answer(rates["power_share_of_rated"], "the PUE of the room"),
        tco.SPACE: ANSWER if cases.colocation[row] else _of(rates["own_space"]),
        tco.SUPPORT: ANSWER,
        tco.SOFTWARE: ANSWER,
        tco.STORAGE: (Evidence(storage.evidence), storage.source),
        tco.EGRESS: (Evidence(egress.evidence), egress.source),
        tco.INTER_REGION: _of(rate_for(rates, "inter_region", provider)),
        tco.MONITORING: _of(rates["monitoring"]),
        tco.PEOPLE: _of(rates[f"ops_fte/{deployment}"]),
        tco.PORTING: _of(rates["porting/weeks"]),
        tco.CARBON: ANSWER,
        tco.DECOMMISSION: _of(rates["decommission"]),
        tco.RESIDUAL: ANSWER,
        tco.TAX: ANSWER,
        tco.CONTINGENCY: ANSWER,
    }
    return found | dict.fromkeys(own_prices, OWN_PRICE)


def _of(rate: Rate) -> Basis:
    return rate.evidence, rate.source


def _with_answer(rate: Rate, what: str) -> Basis:
    return Evidence.ASSUMED, f"{rate.source}; {what}: {ANSWER[1]}"
