"""A load beside the same one with Poisson arrivals: what burstiness costs, and what hides it."""

from dataclasses import dataclass, replace

import numpy as np

from advisor.engine.latency.fewest import fewest_replicas
from advisor.engine.latency.load import LoadRow, row_of
from advisor.engine.latency.outcome import together
from advisor.engine.latency.setups import Setup, outcome_of

POISSON_CV = 1.0
_REQUESTS, _MOST_RUNS = 30_000, 8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UnderPoisson:
    """A set-up's load once more with Poisson arrivals of the same mean rate and lengths."""

    row: LoadRow
    fewest_replicas: int | None


def under_poisson(setup: Setup, *, capacity_requests_per_s: float) -> UnderPoisson | None:
    """The same requests with Poisson arrivals; None where they arrive so already.

    A trace keeps its requests, their order and its mean rate; drawn requests keep their lengths.
    A short trace is played several times, each with other arrivals, and all of them counted:
    near the capacity one such run says little.

    Source: definition; that real traffic is burstier than Poisson: Y. Wang et al., "BurstGPT",
    arXiv:2401.17644, section 4.
    """
    even = poisson_of(setup)
    if even is None:
        return None
    runs = 1 if setup.trace is None else int(np.clip(_REQUESTS // setup.count, 1, _MOST_RUNS))
    seeds = range(setup.seed, setup.seed + runs)
    tried = [poisson_of(replace(setup, seed=seed)) or even for seed in seeds]
    done = together([outcome_of(each) for each in tried])
    return UnderPoisson(
        row=row_of(even, done, capacity=capacity_requests_per_s),
        fewest_replicas=fewest_replicas(even, capacity_requests_per_s=capacity_requests_per_s),
    )


def poisson_of(setup: Setup) -> Setup | None:
    """The set-up with Poisson arrivals; None where it has them already."""
    if setup.trace is not None:
        return replace(setup, trace=setup.trace.at_random(seed=setup.seed))
    cv = setup.served.demand.burstiness_cv if setup.cv is None else setup.cv
    return None if cv == POISSON_CV else replace(setup, cv=POISSON_CV)
