"""Plans of one workload in the same uncertain futures: their ranges, and who is cheaper."""

from collections.abc import Sequence

import numpy as np

from advisor.engine.cases import Floats, Ints
from advisor.engine.plan import Plan
from costing.engine.cases import CostCases, CostRules, stacked
from costing.engine.montecarlo import Spread, Uncertainty, sampled, totals_usd
from costing.engine.rates import Rates

SEED = 20_261_125
DRAWS = 10_000
TOO_CLOSE = (0.2, 0.8)
"""Between these chances of being the cheaper one, two plans are too close to call (assumed)."""


def cases_of(plan: Plan) -> CostCases:
    """What a plan's cost is the sum of, one row or one a pool; ValueError for a fleet.

    Source: the cases the plan was priced from.
    """
    if not plan.costed:
        message = "plans without a cost case of their own cannot be costed again"
        raise ValueError(message)
    return stacked(plan.costed)


def same_price(offers: Sequence[tuple[str, ...]]) -> Ints:
    """For each row of cases the first row that is the very same offer, as `Plan.offers` has it.

    Source: equality.
    """
    return np.array([offers.index(offer) for offer in offers], dtype=np.int64)


def uncertainty_of(speeds: Sequence[Spread], rules: CostRules, rates: Rates) -> Uncertainty:
    """How far what cases assume may be off: shared unknowns by rate, speed by case.

    `speeds` are low and high factors of each case's speed. Prices bring their own range, by age
    and by how well they are known.
    Source: rates `spread/...` and `price_change/...`; the performance model's own ranges.
    """
    load, growth, power, failures = (
        rates[f"spread/{name}"] for name in ("load", "growth", "power_price", "failures")
    )
    ends = sorted((rules.growth_per_month * growth.low, rules.growth_per_month * growth.high))
    low, high = np.array(speeds).T
    return Uncertainty(
        load=(load.low, load.high),
        performance=(low, high),
        growth_per_month=(ends[0], ends[1]),
        price_trend_per_year=(
            -rates["price_change/falling"].value,
            rates["price_change/rising"].value,
        ),
        power_price=(power.low, power.high),
        failures=(failures.low, failures.high),
    )


def futures_usd(
    cases: CostCases,
    speeds: Sequence[Spread],
    rules: CostRules,
    rates: Rates,
    *,
    price_of: Ints | None = None,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Floats:
    """Cost of each case over the horizon in the same futures; shape (draws, cases).

    The same seed gives the same futures. Nan where a price is open. `price_of` as `same_price`.
    Source: `costing.engine.montecarlo`.
    """
    known = uncertainty_of(speeds, rules, rates)
    drawn = sampled(cases, rules, known, draws=draws, seed=seed, price_of=price_of)
    return totals_usd(cases, rules, drawn)


def too_close(chance: float) -> bool:
    """Whether two plans cannot be told apart by cost, given the chance that one is cheaper.

    Source: the bounds stated at TOO_CLOSE.
    """
    return TOO_CLOSE[0] < chance < TOO_CLOSE[1]
