"""A percentile over all users, from the percentiles of the places that serve them."""

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtr, ndtri

from advisor.engine.cases import Floats

_HALVINGS = 60
_LEAST_S = 1e-9


def mixture_quantile(
    knots: Floats, shares: Sequence[float], *, levels: Sequence[float], level: float
) -> float:
    """The quantile at `level` of requests of which each place serves its share.

    `knots` holds each place's quantiles at `levels`, shape (places, levels), two levels or
    more, both rising. Between and beyond them the logarithm of a time is taken to be linear in
    the normal score, which is exact for lognormal times. The result lies between the least and
    the greatest of the places' own quantiles.

    Source: law of total probability; inverted by bisection.
    """
    times = np.log(np.maximum.accumulate(np.maximum(knots, _LEAST_S), axis=1))
    scores = np.asarray(ndtri(np.asarray(levels, dtype=np.float64)))
    weights = np.asarray(shares, dtype=np.float64) / float(np.sum(shares))
    own = [_time_at(row, scores, float(ndtri(level))) for row in times]
    low, high = min(own), max(own)
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        below = float(weights @ np.array([ndtr(_score_at(row, scores, middle)) for row in times]))
        low, high = (middle, high) if below < level else (low, middle)
    return float(np.exp(high))


def _time_at(times: Floats, scores: Floats, score: float) -> float:
    """Logarithm of a place's time at a normal score."""
    part = int(np.clip(np.searchsorted(scores, score) - 1, 0, len(scores) - 2))
    slope = (times[part + 1] - times[part]) / (scores[part + 1] - scores[part])
    return float(times[part] + slope * (score - scores[part]))


def _score_at(times: Floats, scores: Floats, time: float) -> float:
    """Normal score of a logarithm of a time at a place; a step where its times do not differ."""
    part = int(np.clip(np.searchsorted(times, time) - 1, 0, len(times) - 2))
    rise = times[part + 1] - times[part]
    if rise <= 0.0:
        return float("inf") if time >= times[part] else float("-inf")
    slope = (scores[part + 1] - scores[part]) / rise
    return float(scores[part] + slope * (time - times[part]))
