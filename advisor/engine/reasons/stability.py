"""How well a recommendation stands small changes of prices, speeds and priorities."""

from dataclasses import dataclass

import numpy as np

from advisor.engine.cases import Floats
from advisor.engine.choice.assembly import OFFER_LINES
from advisor.engine.choice.decision import within_limits
from advisor.engine.choice.objectives import Objective, criteria_of, keys, objective_of
from advisor.engine.reasons.outcome import Pick
from advisor.engine.search.river import Priced
from advisor.engine.workload import Question

DRAWS = 500
SEED = 20_261_125
PRICE_SIGMA = 0.05
"""Standard deviation of each price, as a fraction: what a negotiation moves (assumed)."""
SPEED_SIGMA = 0.05
"""The same of each part's speed: what a version of the software moves (assumed)."""
WEIGHT_SIGMA = 0.2
"""The same of each priority: nobody knows a weight of 40 from one of 48 (assumed)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stability:
    """Share of small changes under which the same choice, and the same part, comes out first."""

    pick: float
    part: float
    runner_up: str  # the part that wins most of the rest; "" where none does
    draws: int


def stability(priced: Priced, question: Question, best: Pick | None) -> Stability | None:
    """The share of small random changes that leave the choice as it is; None without a choice.

    Each offer's own price, each part's speed and each priority move independently, from a
    fixed seed. Cost lines that an offer sets are proportional to its price and, in good
    approximation, to the time a part needs; the number of machines is not counted again.

    Source: sensitivity by random perturbation, E. Triantaphyllou, "Multi-Criteria Decision
    Making Methods", Kluwer 2000, chapter 8.
    """
    rows = np.flatnonzero(within_limits(priced, question))
    if best is None or len(rows) == 0:
        return None
    picks = [_pick(priced, int(row)) for row in rows]
    if best not in picks:
        return None
    random = np.random.default_rng(SEED)
    winners = [int(np.argmin(_keys(priced, question, rows, random))) for _ in range(DRAWS)]
    same = [picks[row] == best for row in winners]
    parts = [picks[row].accelerator for row in winners]
    others = [part for part in parts if part != best.accelerator]
    names = {part.slug: part.name for part in priced.parts}
    return Stability(
        pick=float(np.mean(same)),
        part=1.0 - len(others) / DRAWS,
        runner_up=names.get(max(set(others), key=others.count), "") if others else "",
        draws=DRAWS,
    )


def _pick(priced: Priced, row: int) -> Pick:
    offer = priced.offers[int(priced.placements.offer[row])]
    return Pick(
        accelerator=offer.accelerator_slug, provider=offer.provider, purchase=offer.purchase.value
    )


def _keys(
    priced: Priced, question: Question, rows: np.ndarray, random: np.random.Generator
) -> Floats:
    """What the candidates are ordered by, in one future."""
    offer = priced.placements.offer[rows]
    part = priced.sizing.accelerator[priced.placements.sizing[rows]]
    price = np.exp(PRICE_SIGMA * random.standard_normal(len(priced.offers)))[offer]
    time = np.exp(SPEED_SIGMA * random.standard_normal(len(priced.parts)))[part]
    found = {name: column[rows] for name, column in criteria_of(priced, question).items()}
    total, wait = found["cost"], found["latency"]
    lines = priced.cost.lines
    set_by_offer = np.sum([np.nan_to_num(lines[label][rows]) for label in OFFER_LINES], axis=0)
    found |= {
        "cost": total + set_by_offer * (price * time - 1.0),
        "latency": wait * time,
        "finish": found["finish"] + wait * (time - 1.0),
    }
    objective, weights = objective_of(question), question.priorities
    if objective == Objective.WEIGHTED:
        weights = {
            name: weight * float(np.exp(WEIGHT_SIGMA * random.standard_normal()))
            for name, weight in weights.items()
        }
    return keys(objective, found, weights)
