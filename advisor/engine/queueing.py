"""Waiting in line: exact Erlang C for replicas behind one queue, on columns."""

import numpy as np
from numpy.typing import ArrayLike

from advisor.engine.cases import Floats

_MOST_SERVERS = 100_000


def waiting_probability(*, offered_load_erlangs: ArrayLike, servers: ArrayLike) -> Floats:
    """Chance that an arriving request finds every server busy (M/M/c, Erlang C).

    Offered load is arrival rate times mean service time. Where it reaches the number of
    servers the queue never settles and everybody waits: 1.0. Arrays broadcast. The
    recursion is Erlang B's, stopped for each row at its own number of servers.

    Source: D. Gross et al., "Fundamentals of Queueing Theory", 4th ed., Wiley 2008, section 2.3.
    """
    load, count = np.broadcast_arrays(
        np.asarray(offered_load_erlangs, dtype=np.float64), np.asarray(servers, dtype=np.int64)
    )
    shape = load.shape
    load, count = load.ravel(), np.minimum(count.ravel(), _MOST_SERVERS)
    order = np.argsort(-count, kind="stable")
    load, count = load[order], count[order]
    blocking = np.ones_like(load)
    active = len(load)
    for step in range(1, int(count[0]) + 1 if active else 0):
        active = int(np.searchsorted(-count, -step, side="right"))
        running = load[:active]
        blocking[:active] = running * blocking[:active] / (step + running * blocking[:active])
    idle_share = 1.0 - load / np.maximum(count, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        waiting = blocking / (idle_share + (1.0 - idle_share) * blocking)
    waiting = np.where(idle_share <= 0.0, 1.0, waiting)
    result = np.empty_like(waiting)
    result[order] = waiting
    return result.reshape(shape)


def waiting_time_quantile_s(
    *,
    quantile: ArrayLike,
    arrivals_per_s: ArrayLike,
    service_s: ArrayLike,
    servers: ArrayLike,
    arrival_cv: ArrayLike = 1.0,
    service_cv: ArrayLike = 1.0,
) -> Floats:
    """Waiting time that the given share of requests stays below, in seconds.

    Exact for Poisson arrivals and exponential service: the wait of those who wait is
    exponential with rate (servers - load) / service. Other variabilities scale the wait
    by (ca^2 + cs^2) / 2 (Allen and Cunneen), which is an approximation. Infinite where the
    load reaches the servers.

    Source: D. Gross et al., "Fundamentals of Queueing Theory", 4th ed., Wiley 2008,
    section 2.3; A. O. Allen, "Probability, Statistics, and Queueing Theory", 2nd ed.,
    Academic Press 1990, section 5.3.
    """
    arrivals, service, count, share = (
        np.asarray(arrivals_per_s, dtype=np.float64),
        np.asarray(service_s, dtype=np.float64),
        np.asarray(servers, dtype=np.float64),
        np.asarray(quantile, dtype=np.float64),
    )
    load = arrivals * service
    waiting = waiting_probability(offered_load_erlangs=load, servers=count.astype(np.int64))
    spare = count - load
    variability = (np.square(arrival_cv) + np.square(service_cv)) / 2.0
    with np.errstate(divide="ignore", invalid="ignore"):
        wait = service / spare * np.log(np.maximum(waiting / (1.0 - share), 1.0)) * variability
    return np.where(spare <= 0.0, np.inf, wait)


def mean_waiting_time_s(
    *, arrivals_per_s: ArrayLike, service_s: ArrayLike, servers: ArrayLike
) -> Floats:
    """Mean waiting time of all requests in an M/M/c queue, in seconds; infinite at saturation.

    Source: D. Gross et al., "Fundamentals of Queueing Theory", 4th ed., Wiley 2008, section 2.3.
    """
    service = np.asarray(service_s, dtype=np.float64)
    count = np.asarray(servers, dtype=np.float64)
    load = np.asarray(arrivals_per_s, dtype=np.float64) * service
    waiting = waiting_probability(offered_load_erlangs=load, servers=count.astype(np.int64))
    spare = count - load
    with np.errstate(divide="ignore"):
        return np.where(spare <= 0.0, np.inf, waiting * service / spare)


def replicas_needed(*, arrivals_per_s: ArrayLike, capacity_per_s: ArrayLike) -> Floats:
    """Fewest whole replicas whose capacity covers an arrival rate; at least one.

    The tiny allowance keeps an exact multiple from rounding up.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        count = np.ceil(
            np.asarray(arrivals_per_s, dtype=np.float64)
            / np.asarray(capacity_per_s, dtype=np.float64)
            - 1e-9
        )
    return np.maximum(count, 1.0)
