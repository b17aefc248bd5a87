"""How fast futures are costed: draws of many plans over many months, of every way to buy."""

import tracemalloc
from collections.abc import Callable, Sequence

import numpy as np

from advisor.management.benchmarks import seconds_of
from catalog.specs import Purchase
from catalog.units import MEGA
from costing.engine.cases import PURCHASES, cost_cases
from costing.engine.chances import chances_cheaper, percentiles_usd
from costing.engine.montecarlo import Uncertainty, sampled, totals_usd
from costing.engine.rates import rules_from_rates, shipped_rates

_REPEATS = 3
_KINDS = [
    PURCHASES.index(kind)
    for kind in (
        Purchase.ON_DEMAND,
        Purchase.RESERVED_1Y,
        Purchase.RESERVED_3Y,
        Purchase.SPOT,
        Purchase.BUY,
        Purchase.HOSTED_TOKENS,
    )
]


def montecarlo_work(draws: int, plans: int, months: int) -> Callable[[], None]:
    """Futures drawn, costed and compared, of plans of every way to buy whose demand grows."""
    cases = cost_cases(
        plans,
        purchase=np.resize(_KINDS, plans),
        usd_per_h=np.linspace(1.0, 100.0, plans),
        capex_usd_per_instance=310_000.0,
        tokens_usd_per_month=90_000.0,
        instances=np.linspace(4.0, 40.0, plans).round(),
        power_w_per_instance=10_200.0,
        usd_per_kwh=0.12,
        price_low_factor=0.75,
        price_high_factor=1.3,
    )
    rules = rules_from_rates(shipped_rates(), horizon_months=months, growth_per_month=0.03)
    known = Uncertainty(performance=(0.8, 1.2), growth_per_month=(0.0, 0.06))

    def work() -> None:
        totals = totals_usd(cases, rules, sampled(cases, rules, known, draws=draws, seed=1))
        percentiles_usd(totals)
        chances_cheaper(totals[:, :20])

    return work


def montecarlo_seconds(draws: int) -> float:
    """Seconds for so many futures of 200 plans over 36 months, best of three."""
    work = montecarlo_work(draws, 200, 36)
    return min(seconds_of(work) for _ in range(_REPEATS))


def montecarlo_growth(sizes: Sequence[int]) -> list[list[float]]:
    """[draws, seconds, peak MB] of 200 plans over 36 months at rising numbers of futures."""
    rows = []
    for draws in sizes:
        work = montecarlo_work(draws, 200, 36)
        taken_s = seconds_of(work)
        tracemalloc.start()
        work()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        rows.append([float(draws), taken_s, peak / MEGA])
    return rows
