"""Waiting in line: exact Erlang C for replicas behind one queue, on columns."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaincc, gammaln, xlogy

from advisor.engine.cases import Floats

_TINY = 1e-300


def waiting_probability(*, offered_load_erlangs: ArrayLike, servers: ArrayLike) -> Floats:
    """Chance that an arriving request finds every server busy (M/M/c, Erlang C).

    Offered load is arrival rate times mean service time. Where it reaches the number of
    servers the queue never settles and everybody waits: 1.0. Arrays broadcast. The
    recursion is Erlang B's, stopped for each row at its own number of servers.

    Source: D. Gross et al., "Fundamentals of Queueing Theory", 4th ed., Wiley 2008, section 2.3.
    """
    load = np.asarray(offered_load_erlangs, dtype=np.float64)
    count = np.asarray(servers, dtype=np.float64)
    spare_share = 1.0 - load / count
    # Erlang B as Poisson probability over distribution function: exact, and no recursion.
    log_all_busy = xlogy(count, load) - load - gammaln(count + 1.0)
    blocking = np.exp(log_all_busy) / np.maximum(gammaincc(count + 1.0, load), _TINY)
    with np.errstate(divide="ignore", invalid="ignore"):
        waiting = blocking / (spare_share + (1.0 - spare_share) * blocking)
    return np.asarray(np.where(spare_share <= 0.0, 1.0, waiting), dtype=np.float64)


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
    waiting = waiting_probability(offered_load_erlangs=load, servers=count)
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
    waiting = waiting_probability(offered_load_erlangs=load, servers=count)
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
