"""The fewest replicas that keep the targets under a load, by simulation."""

from dataclasses import replace
from math import ceil

from advisor.engine.latency.load import missed_targets
from advisor.engine.latency.setups import Setup, outcome_of

MOST_REPLICAS = 4096
_LONGEST_SEARCH = 16


def fewest_replicas(setup: Setup, *, capacity_requests_per_s: float, beyond: int = 0) -> int | None:
    """The fewest replicas of a set-up that keep every target at its percentile.

    The number is doubled until the targets are kept, from the fewest whose capacity covers the
    load and that are more than `beyond`, and then halved in on: one replica fewer misses a
    target in the same simulation. None where no target is set, or no number up to MOST_REPLICAS
    keeps them (a target that a single request alone misses).

    Source: definition; more replicas never wait longer on the same requests.
    """
    if missed_alone(setup) != ():
        return None
    each = capacity_requests_per_s / setup.pool.replicas
    load = setup.requests_per_s + setup.neighbour_requests_per_s
    if each <= 0.0:
        return None
    # What is too few: it does not keep up with the load, or is known to miss a target.
    low = max(ceil(load / each) - 1, beyond)
    high = low + 1
    while not _keeps(setup, high):
        low, high = high, 2 * high
        if high > MOST_REPLICAS:
            return None
    for _ in range(_LONGEST_SEARCH):
        if high - low <= 1:
            break
        middle = (low + high) // 2
        if _keeps(setup, middle):
            high = middle
        else:
            low = middle
    return high


def missed_alone(setup: Setup) -> tuple[str, ...] | None:
    """Targets that single requests miss by themselves, on however many replicas; None without any.

    Source: the set-up at so little load that no request meets another.
    """
    return missed_targets(outcome_of(_light(setup)), setup.served.demand.slo)


def _keeps(setup: Setup, replicas: int) -> bool:
    slo = setup.served.demand.slo
    return missed_targets(outcome_of(replace(setup, replicas=replicas)), slo) == ()


def _light(setup: Setup) -> Setup:
    """So little load on so many replicas that no request meets another."""
    return replace(setup, load=setup.load * 1e-4, neighbour_load=0.0, most_requests=2_000)
