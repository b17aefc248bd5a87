"""A plan under a stated load: what is changed against the plan, and one simulation of it."""

from dataclasses import dataclass, replace

import numpy as np

from advisor.engine.cases import Ints
from advisor.engine.latency.outcome import Outcome
from advisor.engine.latency.pool import Pool
from advisor.engine.latency.served import Served
from advisor.engine.latency.simulator import simulate, simulate_closed
from advisor.engine.latency.step_times import StepTimes
from advisor.engine.latency.traffic import Arrivals, Requests, Trace, drawn_requests, merged

SLICE_REPLICAS = 16
"""Replicas simulated of a larger pool, with their share of the load: a smaller pool waits
longer under bursts, so that first tokens are on the safe side; the method page has by how much."""
MOST_UNDER_TRACE = 512
LEAST_REQUESTS, MOST_REQUESTS = 10_000, 30_000
_TURNS = 6  # times that every place in the pool is taken anew, at least
_MIDDLE = (0.2, 0.8)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Setup:
    """A served plan and what is different from how it was sized; None leaves the plan's own.

    `load` multiplies the peak rate. A `trace` replaces arrivals and lengths, played at that
    rate, or slower by `trace_peak`, so that its own busiest minute reaches it. A neighbour
    shares the pool: requests like these at `neighbour_load` times the plan's peak rate and with
    its own burstiness; its latencies are not reported.
    """

    served: Served
    load: float = 1.0
    cv: float | None = None
    batch_limit: int | None = None
    replicas: int | None = None
    router: str = "least_loaded"
    trace: Trace | None = None
    trace_peak: float = 1.0  # rate of the trace that stands for the peak, over its mean rate
    neighbour_load: float = 0.0
    neighbour_cv: float = 1.0
    seed: int = 1
    most_requests: int = MOST_REQUESTS

    @property
    def pool(self) -> Pool:
        """All replicas of the set-up."""
        return self.served.pool(
            replicas=self.replicas, batch_limit=self.batch_limit, router=self.router
        )

    @property
    def requests_per_s(self) -> float:
        """Own mean rate at the set-up's load, all replicas."""
        return self.served.demand.requests_per_s_peak * self.load / self.trace_peak

    @property
    def neighbour_requests_per_s(self) -> float:
        """Mean rate of the neighbour, all replicas."""
        return self.served.demand.requests_per_s_peak * self.neighbour_load

    @property
    def count(self) -> int:
        """Requests that a simulation needs: every place of the pool taken several times."""
        if self.trace is not None:
            return min(len(self.trace), self.most_requests)
        pool = self.pool
        places = min(pool.replicas, SLICE_REPLICAS) * pool.steps.max_batch
        return int(np.clip(_TURNS * places, LEAST_REQUESTS, self.most_requests))


def at_load(setup: Setup, load: float) -> Setup:
    """The same set-up at another load."""
    return replace(setup, load=load)


def without_one(setup: Setup) -> Setup:
    """The same set-up with one replica lost."""
    return replace(setup, replicas=setup.pool.replicas - 1)


def outcome_of(setup: Setup) -> Outcome:
    """Simulate a set-up; rows are its own requests after the start, in order of arrival.

    Loads and numbers of replicas of one seed meet the same requests, only faster or slower.
    """
    pool = setup.pool
    if pool.replicas < 1:
        message = "no replica is left to simulate"
        raise ValueError(message)
    simulated = replicas_simulated(setup)
    part = simulated / pool.replicas
    sliced = sliced_pool(pool, simulated)
    own = _own(setup, setup.requests_per_s * part)
    if setup.neighbour_load <= 0.0:
        return simulate(own, sliced).settled()
    both, stream = merged([own, _neighbour(setup, own, part)])
    done = simulate(both, sliced)
    return done.rows(stream == 0).settled()


def sliced_pool(pool: Pool, replicas: int) -> Pool:
    """So many replicas of a pool, with as large a part of those that prefill for it."""
    first = pool.prefill
    if first is not None:
        count = max(round(first.replicas * replicas / pool.replicas), 1)
        first = replace(first, replicas=count)
    return replace(pool, replicas=replicas, prefill=first)


def replicas_simulated(setup: Setup) -> int:
    """Replicas of a set-up that a simulation runs: a slice of a large pool, all under a trace.

    A trace played slower for a slice would be another trace.
    """
    most = MOST_UNDER_TRACE if setup.trace is not None else SLICE_REPLICAS
    return min(setup.pool.replicas, most)


def _own(setup: Setup, rate: float) -> Requests:
    if setup.trace is not None:
        played = setup.trace.around_the_busiest(setup.count)
        return played.replayed(
            requests_per_s=rate * played.requests_per_s / setup.trace.requests_per_s
        )
    served = setup.served
    cv = served.demand.burstiness_cv if setup.cv is None else setup.cv
    arrivals = Arrivals(requests_per_s=rate, cv=cv)
    return drawn_requests(
        arrivals, served.prompts, served.outputs, count=setup.count, seed=setup.seed
    )


def _neighbour(setup: Setup, own: Requests, part: float) -> Requests:
    rate = setup.neighbour_requests_per_s * part
    span = float(own.arrival_s[-1])
    count = int(np.clip(rate * span, 1, 4 * setup.most_requests))
    arrivals = Arrivals(requests_per_s=rate, cv=setup.neighbour_cv)
    served = setup.served
    return drawn_requests(
        arrivals, served.prompts, served.outputs, count=count, seed=setup.seed + 1
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Full:
    """A set-up whose every place is always taken: the most it serves, and how slow that is."""

    requests_per_s: float  # of all replicas
    outcome: Outcome  # of one replica, without start and end


def when_full(setup: Setup) -> Full:
    """One replica in a closed loop at its batch limit, from the middle of the run.

    Where prompts are computed apart, the slower of the two pools sets the rate; the replica
    simulated is one that decodes.
    """
    pool = setup.pool
    apart = pool.prefill
    count = requests_to_fill(pool.steps)
    if setup.trace is not None:
        drawn = setup.trace.replayed(requests_per_s=1.0, count=count)
    else:
        drawn = _own(replace(setup, most_requests=count), 1.0)
    steps = pool.steps if apart is None else pool.steps.decoding()
    one = filled(
        replace(pool, replicas=1, steps=steps),
        drawn.prompt_tokens[:count],
        drawn.output_tokens[:count],
    )
    rate = pool.replicas * one.requests_per_s
    if apart is not None:
        fresh = drawn.prompt_tokens[:count].astype(np.float64) * (1.0 - apart.prefix_share)
        rate = min(rate, apart.replicas / float(apart.steps.prompt_s(fresh).mean()))
    return replace(one, requests_per_s=rate)


def requests_to_fill(steps: StepTimes) -> int:
    """Requests that take every place of a replica several times."""
    return int(np.clip(5 * steps.max_batch, 400, 8_000))


def filled(pool: Pool, prompt_tokens: Ints, output_tokens: Ints) -> Full:
    """A pool with all its places taken by such requests, from the middle of the run."""
    done = simulate_closed(
        prompt_tokens, output_tokens, pool, concurrency=pool.replicas * pool.steps.max_batch
    )
    ended = np.sort(done.end_s[np.isfinite(done.end_s)])
    first, last = (int(share * max(len(ended) - 1, 0)) for share in _MIDDLE)
    span = float(ended[last] - ended[first]) if last > first else 0.0
    return Full(
        requests_per_s=(last - first) / span if span > 0.0 else 0.0,
        outcome=done.rows(slice(first, last)),
    )
