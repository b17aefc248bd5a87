"""Requests through a pool: the entry points of the simulation."""

from array import array
from collections.abc import Generator, Sequence
from dataclasses import replace
from math import inf

import numpy as np

from advisor.engine.cases import Bools, Floats, Ints
from advisor.engine.latency.outcome import Outcome
from advisor.engine.latency.pool import Pool
from advisor.engine.latency.replica import NEVER, Counts, Times, Work, replica
from advisor.engine.latency.traffic import Requests

Serving = Generator[tuple[int, float], float, None]


def simulate(requests: Requests, pool: Pool) -> Outcome:
    """Every request's first and last token in an open loop, exact for the given step times.

    `requests` arrive by themselves, in order (see traffic.drawn_requests, Trace.replayed,
    merged); the result's columns are in the same order, so masks over the requests (a
    product's, a region's) pick its rows. Nothing here is random: the same input gives the same
    output. Time is about 5 microseconds a request; drop the start with `Outcome.settled()`.

    Example::

        steps = model_steps(layout, parts=…, demand=…, calibration=…, software_month=…)
        requests = drawn_requests(Arrivals(requests_per_s=8.0, cv=2.0), Lengths(mean_tokens=900),
                                  Lengths(mean_tokens=300, p95_tokens=800), count=20_000, seed=1)
        done = simulate(requests, Pool(steps=steps, replicas=4)).settled()
        percentile_interval(done.ttft_s, 0.99)

    Source: scheduling as in `replica` and `Pool`.
    """
    if pool.prefill is not None:
        return _disaggregated(requests, pool, pool.prefill)
    work = _work(requests, pool)
    fits = _fits(requests, pool)
    served = np.flatnonzero(fits)
    places = np.zeros(len(requests), dtype=np.int64)
    if pool.router == "round_robin" or pool.replicas == 1:
        places[served] = np.arange(len(served)) % pool.replicas
        _apply_prefixes(work, requests, places, served, pool)
        for each in range(pool.replicas):
            _run(work, pool, served[places[served] == each].tolist())
    else:
        _routed(work, requests, pool, served, places)
    return _outcome(requests, work, fits, places)


def simulate_closed(
    prompt_tokens: Ints, output_tokens: Ints, pool: Pool, *, concurrency: int
) -> Outcome:
    """A closed loop: `concurrency` clients, each sending its next request when one ends.

    All start at time zero, as benchmark clients do. The clients are spread evenly over the
    replicas and stay there; one replica may have one client more.

    Source: the load of InferenceX's and vLLM's serving benchmarks with a fixed concurrency.
    """
    count = len(prompt_tokens)
    requests = Requests(
        arrival_s=np.zeros(count),
        prompt_tokens=prompt_tokens,
        output_tokens=output_tokens,
        session=np.zeros(count, dtype=np.int64),
    )
    work = _work(requests, pool)
    fits = _fits(requests, pool)
    served = np.flatnonzero(fits)
    places = np.zeros(count, dtype=np.int64)
    places[served] = np.arange(len(served)) % pool.replicas
    _apply_prefixes(work, requests, places, served, pool)
    for each in range(pool.replicas):
        mine = served[places[served] == each].tolist()
        clients = concurrency // pool.replicas + (each < concurrency % pool.replicas)
        _run(work, pool, mine[:clients], mine[clients:])
    started = replace(requests, arrival_s=np.array(work.arrival_s))
    return _outcome(started, work, fits, places)


def _work(requests: Requests, pool: Pool) -> Work:
    size = len(requests)
    arrival = requests.arrival_s
    return Work(
        arrival_s=_times(arrival),
        visible_s=_times(arrival + pool.steps.request_s),
        compute=_counts(requests.prompt_tokens),
        hold=_counts(requests.prompt_tokens),
        left=_counts(requests.output_tokens),
        first_s=_times(np.full(size, NEVER)),
        end_s=_times(np.full(size, NEVER)),
        late_s=_times(np.zeros(size)),
        preemptions=_counts(np.zeros(size, dtype=np.int64)),
    )


def _times(column: Floats) -> Times:
    return array("d", np.asarray(column, dtype=np.float64).tobytes())


def _counts(column: Ints) -> Counts:
    return array("q", np.asarray(column, dtype=np.int64).tobytes())


def _fits(requests: Requests, pool: Pool) -> Bools:
    largest = requests.prompt_tokens + requests.output_tokens
    return np.asarray(largest <= pool.steps.kv_capacity_tokens)


def _run(
    work: Work, pool: Pool, pending: list[int], following: Sequence[int] | None = None
) -> None:
    """One replica with all its requests known, to the end."""
    rest = None if following is None else iter(following)
    serving = replica(work, pool.steps, pending, rest)
    next(serving)
    serving.send(inf)


def _apply_prefixes(work: Work, requests: Requests, places: Ints, served: Ints, pool: Pool) -> None:
    """Take cached tokens off prompts whose session the replica has met before."""
    if pool.prefix_share <= 0.0:
        return
    hit = np.ones(len(requests), dtype=bool)
    if requests.session.any():
        pair = requests.session[served] * pool.replicas + places[served]
        _, firsts = np.unique(pair, return_index=True)
        hit[served[firsts]] = False
    for i in np.flatnonzero(hit).tolist():
        _cached(work, i, pool.prefix_share)


def _cached(work: Work, i: int, share: float) -> None:
    work.compute[i] = work.hold[i] = max(round(work.compute[i] * (1.0 - share)), 1)


def _routed(work: Work, requests: Requests, pool: Pool, served: Ints, places: Ints) -> None:
    """Replicas side by side, each request sent by what is in hand when it arrives."""
    queues: list[list[int]] = [[] for _ in range(pool.replicas)]
    serving = [replica(work, pool.steps, queue) for queue in queues]
    for each in serving:
        next(each)
    in_hand = _InHand(serving, queues)
    holders: dict[int, set[int]] = {}
    sessions = requests.session.tolist()
    by_prefix = pool.router == "prefix_aware"
    common = not requests.session.any()
    for i in served.tolist():
        loads = in_hand.at(work.visible_s[i])
        place = loads.index(min(loads))
        if pool.prefix_share > 0.0:
            known = holders.setdefault(sessions[i], set())
            if by_prefix and known and not common:
                home = min(known, key=loads.__getitem__)
                place = home if loads[home] - loads[place] <= pool.spill_requests else place
            if common or place in known:
                _cached(work, i, pool.prefix_share)
            known.add(place)
        places[i] = place
        in_hand.add(place, i)
    for each in serving:
        each.send(inf)


class _InHand:
    """How many requests each replica has in hand, kept up to the time of the last arrival."""

    def __init__(self, serving: list[Serving], queues: list[list[int]]) -> None:
        self._serving, self._queues = serving, queues
        self._loads = [0] * len(serving)
        self._quiet_s = [0.0] * len(serving)  # until then the load cannot fall

    def at(self, t: float) -> list[int]:
        """Requests in hand at a time; times must not fall."""
        for place, quiet_s in enumerate(self._quiet_s):
            if quiet_s < t and self._loads[place]:
                ended, self._quiet_s[place] = self._serving[place].send(t)
                self._loads[place] = len(self._queues[place]) - ended
        return self._loads

    def add(self, place: int, i: int) -> None:
        """Give a request to a replica."""
        self._queues[place].append(i)
        self._loads[place] += 1
        self._quiet_s[place] = 0.0


def _disaggregated(requests: Requests, pool: Pool, prefill: Pool) -> Outcome:
    """Prompts on one pool, then what is left of the output on the other."""
    short = replace(requests, output_tokens=np.ones(len(requests), dtype=np.int64))
    before = simulate(short, prefill)
    handed = before.end_s + pool.transfer_s_per_token * requests.prompt_tokens
    goes_on = np.flatnonzero((requests.output_tokens > 1) & np.isfinite(handed))
    order = goes_on[np.argsort(handed[goes_on], kind="stable")]
    decoding = replace(requests.rows(order), arrival_s=handed[order])
    after = _decoded(decoding, replace(pool, prefill=None, prefix_share=0.0))
    end, first = before.end_s.copy(), before.end_s.copy()
    end[order] = after.end_s
    first[order] = np.where(after.refused, np.inf, first[order])
    preemptions, places = before.preemptions.copy(), before.replica.copy()
    preemptions[order] += after.preemptions
    places[order] = after.replica
    return replace(
        before,
        first_token_s=first,
        end_s=end,
        output_tokens=requests.output_tokens,
        preemptions=preemptions,
        replica=places,
    )


def _decoded(requests: Requests, pool: Pool) -> Outcome:
    """Requests that come with their prompt computed and one token made."""
    work = _work(requests, replace(pool, steps=replace(pool.steps, request_s=0.0)))
    work.compute = _counts(np.zeros(len(requests), dtype=np.int64))
    work.first_s = _times(requests.arrival_s)
    fits = _fits(requests, pool)
    served = np.flatnonzero(fits)
    places = np.zeros(len(requests), dtype=np.int64)
    if pool.replicas == 1:
        _run(work, pool, served.tolist())
    else:
        _routed(work, requests, pool, served, places)
    return _outcome(requests, work, fits, places)


def _outcome(requests: Requests, work: Work, fits: Bools, places: Ints) -> Outcome:
    return Outcome(
        arrival_s=requests.arrival_s,
        first_token_s=np.where(fits, work.first_s, np.inf),
        end_s=np.where(fits, work.end_s, np.inf),
        prompt_tokens=requests.prompt_tokens,
        output_tokens=requests.output_tokens,
        preemptions=np.array(work.preemptions, dtype=np.int64),
        replica=places,
    )
