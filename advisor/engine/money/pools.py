"""What a prefill and a decode pool cost together, each bought in its own way."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from advisor.engine.choice.apart import Pair, place_of
from advisor.engine.choice.eligibility import blocked_because
from advisor.engine.money.ways import KIND_OF
from advisor.engine.search.river import Priced
from advisor.engine.workload import Question
from catalog.specs import OfferSpec, Purchase
from costing.engine.cases import CostRules, take
from costing.engine.tco import total_usd


@dataclass(frozen=True, slots=True, kw_only=True)
class Bought:
    """Both pools at one place, with the way that each is bought."""

    prefill: Purchase
    decode: Purchase
    seller: str
    place: str
    prefill_usd: float
    decode_usd: float

    @property
    def total_usd(self) -> float:
        """Both pools over the horizon."""
        return self.prefill_usd + self.decode_usd


def ways_of_pools(pair: Pair, question: Question, rules: CostRules) -> tuple[Bought, ...]:
    """The cheapest place for each two ways to buy the pair's pools; cheapest first.

    Both pools stand at one place, so own machines go with own machines only. What may not be
    recommended, or has no price, is left out.

    Source: the candidates the pair was chosen from; costs as `costing.engine.tco`.
    """
    first = _cheapest(pair.prefill, pair.prefill_row, question, rules)
    second = _cheapest(pair.decode, pair.decode_row, question, rules)
    found: dict[tuple[str, str], Bought] = {}
    for (kind, where), (one_usd, one) in first.items():
        for (other, there), (two_usd, two) in second.items():
            if where != there:
                continue
            made = Bought(
                prefill=one.purchase, decode=two.purchase, seller=one.provider, place=where,
                prefill_usd=one_usd, decode_usd=two_usd,
            )  # fmt: skip
            known = found.get((kind, other))
            if known is None or made.total_usd < known.total_usd:
                found[kind, other] = made
    return tuple(sorted(found.values(), key=lambda each: each.total_usd))


def _cheapest(
    priced: Priced, row: int, question: Question, rules: CostRules
) -> Mapping[tuple[str, str], tuple[float, OfferSpec]]:
    """The least cost of a pool by way to buy and place, with its offer."""
    rows = np.flatnonzero(priced.placements.sizing == priced.placements.sizing[row])
    usd = total_usd(take(priced.cases, rows), rules)
    texts = blocked_because(priced, question)
    found: dict[tuple[str, str], tuple[float, OfferSpec]] = {}
    for at in np.argsort(usd, kind="stable").tolist():
        offer = priced.offers[int(priced.placements.offer[rows[at]])]
        where = place_of(offer)
        if where and np.isfinite(usd[at]) and not texts[rows[at]]:
            found.setdefault((KIND_OF[offer.purchase], where), (float(usd[at]), offer))
    return found
