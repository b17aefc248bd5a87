"""Which plans are not beaten, and which one fits the user's priorities best."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from advisor.engine.cases import Bools, Floats


def pareto_front(cost: ArrayLike, latency: ArrayLike) -> Bools:
    """Rows that no other row beats on both columns (smaller is better; ties stay).

    Rows with an unknown (nan) figure are never on the front, and never push another off it.

    Source: the definition of Pareto dominance, e.g. K. Deb, "Multi-Objective Optimization
    using Evolutionary Algorithms", Wiley 2001, section 2.4.
    """
    costs = np.asarray(cost, dtype=np.float64)
    latencies = np.asarray(latency, dtype=np.float64)
    known = np.isfinite(costs) & np.isfinite(latencies)
    front = np.zeros(len(costs), dtype=bool)
    rows = np.flatnonzero(known)
    if len(rows) == 0:
        return front
    order = rows[np.lexsort((latencies[rows], costs[rows]))]
    best_so_far = np.minimum.accumulate(latencies[order])
    previous = np.concatenate(([np.inf], best_so_far[:-1]))
    front[order] = latencies[order] < previous
    # Equal in both columns: none beats the other.
    first_of = {(costs[row], latencies[row]) for row in order[front[order]]}
    front[order] |= np.fromiter(
        ((costs[row], latencies[row]) in first_of for row in order), dtype=bool, count=len(order)
    )
    return front


def undominated(*criteria: ArrayLike) -> Bools:
    """Rows that no other row matches in every criterion and beats in one (smaller is better).

    Any number of criteria; a row with an unknown (nan) figure is left out and beats none.

    Source: Pareto dominance, as `pareto_front`.
    """
    table = np.column_stack([np.asarray(each, dtype=np.float64) for each in criteria])
    known = np.asarray(np.isfinite(table).all(axis=1), dtype=bool)
    at_least = (table[:, np.newaxis] <= table).all(axis=2)
    better = (table[:, np.newaxis] < table).any(axis=2)
    beaten = (at_least & better & known[:, np.newaxis]).any(axis=0)
    return np.asarray(known & ~beaten, dtype=bool)


def priority_score(
    criteria: Mapping[str, Floats], weights: Mapping[str, float], among: Bools | None = None
) -> Floats:
    """Weighted regret of each row: 0 is best in every criterion that has a weight.

    Source: the sum of `priority_terms`.
    """
    terms, _ = priority_terms(criteria, weights, among)
    nothing = np.zeros(len(next(iter(criteria.values()))))
    return np.asarray(np.sum([nothing, *terms.values()], axis=0))


def priority_terms(
    criteria: Mapping[str, Floats], weights: Mapping[str, float], among: Bools | None = None
) -> tuple[dict[str, Floats], dict[str, float]]:
    """Weighted regret of each row in each criterion that has a weight, and the best value there.

    Each criterion (smaller is better) is expressed as its ratio to the best row, on a
    logarithmic scale, so that "twice the cost" weighs the same at any size and no unit
    matters. Unknown (nan) counts as the worst known row. With `among` only those rows set the
    best and the worst.

    Source: the weighted product model, D. W. Miller and M. K. Starr, "Executive Decisions
    and Operations Research", 2nd ed., Prentice-Hall 1969.
    """
    terms: dict[str, Floats] = {}
    best: dict[str, float] = {}
    for name, column in criteria.items():
        weight = weights.get(name, 0.0)
        positive = np.where(np.isfinite(column) & (column > 0.0), column, np.nan)
        known = positive if among is None else positive[among]
        if weight <= 0.0 or not np.isfinite(known).any():
            continue
        best[name] = float(np.nanmin(known))
        regret = np.log(positive / best[name])
        worst = float(np.log(np.nanmax(known) / best[name]))
        terms[name] = weight * np.where(np.isfinite(regret), regret, worst)
    return terms, best


def cheapest_of_each(keys: Sequence[object], cost: ArrayLike) -> list[int]:
    """Row of the least cost for each key, in order of cost; unknown cost comes last."""
    costs = np.asarray(cost, dtype=np.float64)
    order = np.argsort(np.where(np.isfinite(costs), costs, np.inf), kind="stable")
    seen: set[object] = set()
    chosen: list[int] = []
    for row in order:
        if keys[row] not in seen:
            seen.add(keys[row])
            chosen.append(int(row))
    return chosen
