"""Where each line of a breakdown comes from, and how well it is known."""

from collections.abc import Iterable, Mapping

from catalog.specs import Evidence
from costing.engine import tco
from costing.engine.rates import Rate, Rates, egress_tariff, rate_for, storage_tariff

Basis = tuple[Evidence, str]

ANSWER: Basis = (Evidence.ASSUMED, "answer of the questionnaire, or its default")
OWN_PRICE: Basis = (Evidence.LIST, "the user's own price")


def line_evidence(
    rates: Rates, *, provider: str, country: str = "", own_prices: Iterable[str] = ()
) -> Mapping[str, Basis]:
    """Evidence and source of each line by label; the offer's own lines are left to the caller.

    Compute, tokens and hardware carry the evidence of the offer that was priced, and are not
    in the answer. `own_prices` are labels whose figure the user stated (the price book).

    Source: the rates that the lines are built from.
    """
    egress = egress_tariff(rates, provider)
    storage = storage_tariff(rates, provider)
    found: dict[str, Basis] = {
        tco.FABRIC: _of(rates["fabric/16"]),
        tco.INSTALLATION: _of(rates["installation"]),
        tco.LIQUID: _of(rates["liquid_cooling"]),
        tco.POWER: _of(rate_for(rates, "power", country)),
        tco.COOLING: _of(rate_for(rates, "pue", provider)),
        tco.SPACE: _of(rates["colocation"]),
        tco.SUPPORT: _of(rates["support"]),
        tco.SOFTWARE: ANSWER,
        tco.STORAGE: (Evidence(storage.evidence), storage.source),
        tco.EGRESS: (Evidence(egress.evidence), egress.source),
        tco.PEOPLE: _of(rates["ops_fte/on_site"]),
        tco.PORTING: _of(rates["porting/weeks"]),
        tco.CARBON: ANSWER,
        tco.DECOMMISSION: ANSWER,
        tco.RESIDUAL: ANSWER,
        tco.TAX: ANSWER,
        tco.CONTINGENCY: ANSWER,
    }
    return found | dict.fromkeys(own_prices, OWN_PRICE)


def _of(rate: Rate) -> Basis:
    return rate.evidence, rate.source
