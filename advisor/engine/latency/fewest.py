"""The fewest replicas that keep the targets under a load, by simulation."""

from dataclasses import replace
from math import ceil

import numpy as np

from advisor.engine.latency.load import missed_targets
from advisor.engine.latency.setups import Setup, outcome_of

MOST_REPLICAS = 4096
_LONGEST_SEARCH = 16


def fewest_replicas(setup: Setup, *, capacity_requests_per_s: float, beyond: int = 0) -> int | None:
    """The fewest replicas of a set-up that keep every target at its percentile.

    From the fewest whose capacity covers the load the number is doubled until the targets are
    kept, or lowered until they are not, yet above `beyond`, and then halved in on: one replica
    fewer misses a target in the same simulation. None where no target is set, or no number up to
    MOST_REPLICAS keeps them (a target that a single request alone misses).

    Source: definition; more replicas never wait longer on the same requests.
    """
    if missed_targets(outcome_of(_light(setup)), setup.served.demand.slo) != ():
        return None
    each = capacity_requests_per_s / setup.pool.replicas
    load = setup.requests_per_s + setup.neighbour_requests_per_s
    if each <= 0.0:
        return None
    # Capacity is what a full replica serves of a few requests: a place to start, no bound.
    low, high = beyond, max(ceil(load / each), beyond + 1)
    if _keeps(setup, high):
        step = 1
        while high > low + 1 and _keeps(setup, tried := max(high - step, low + 1)):
            high, step = tried, 2 * step
        low = max(high - step, low)
    else:
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


def shares_alone(setup: Setup) -> dict[str, float]:
    """Targets that single requests miss by themselves, and the share of them that does.

    No number of replicas helps them. Empty where each target is kept, or none is set.

    Source: the set-up at so little load that no request meets another.
    """
    done, slo = outcome_of(_light(setup)), setup.served.demand.slo
    return {
        name: float(np.mean(getattr(done, name) > getattr(slo, name)))
        for name in missed_targets(done, slo) or ()
    }


def _keeps(setup: Setup, replicas: int) -> bool:
    slo = setup.served.demand.slo
    return missed_targets(outcome_of(replace(setup, replicas=replicas)), slo) == ()


def _light(setup: Setup) -> Setup:
    """So little load that no request meets another; of a log all requests."""
    most = 2_000 if setup.trace is None else setup.most_requests
    return replace(setup, load=setup.load * 1e-4, neighbour_load=0.0, most_requests=most)
