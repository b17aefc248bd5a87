"""The first token in closed form, for the wide search, corrected by what the simulator taught."""

import json
from dataclasses import dataclass
from functools import cache
from math import erf, sqrt
from pathlib import Path

import numpy as np

from advisor.engine.cases import Floats
from advisor.engine.lognormal import lognormal_quantile_factor
from advisor.engine.queueing import waiting_time_quantile_s

CORRECTIONS = Path(__file__).resolve().parents[3] / "fixtures" / "latency_corrections.json"
Z_OF_PERCENTILE = {"p50": 0.0, "p95": 1.6449, "p99": 2.3263}


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """Replicas under a load: columns over the rows, or one value for all."""

    request_s: Floats  # from arrival to the scheduler
    prefill_s: Floats  # a prompt of mean length, alone
    busy_prefill_s: Floats  # that it holds up a busy replica
    step_s: Floats  # the step under way when it arrives
    replicas: Floats
    places: Floats  # requests at once on one replica
    capacity_per_s: Floats  # requests of one replica with all places taken
    arrivals_per_s: float  # of all replicas
    arrival_cv: float
    prompt_sigma: float  # lognormal spread of prompts
    output_sigma: float


def first_token_s(station: Station, *, z: float, corrected: bool = True) -> Floats:
    """First token at a percentile, z its standard normal quantile; infinite beyond capacity.

    The request's own way (overhead, prompt, the step under way), waiting for the prompts in
    front (servers: replicas) and waiting for a place (servers: places of all replicas), both by
    exact Erlang C scaled for variability. Deviations from the mean of prompt length and of
    the waits are independent and add as squares. The factor of `correction` comes on top.
    Rises with load and falls with replicas, term by term.

    Source: advisor.engine.queueing; `correction` for what the terms leave out.
    """
    share = 0.5 * (1.0 + erf(z / sqrt(2.0)))
    capacity = np.maximum(station.capacity_per_s, 1e-12)
    load = station.arrivals_per_s / (capacity * station.replicas)
    waits = [
        _waits_s(station, share, service, servers, sigma)
        for service, servers, sigma in (
            (station.busy_prefill_s, station.replicas, station.prompt_sigma),
            (station.places / capacity, station.places * station.replicas, station.output_sigma),
        )
    ]
    typical_s = sum((typical for _, typical in waits), np.zeros(1))
    middle = station.request_s + station.prefill_s + 0.5 * station.step_s + typical_s
    factor = correction(load, station.arrival_cv, z) if corrected else 1.0
    if z <= 0.0:
        return np.asarray(middle * factor)
    length = lognormal_quantile_factor(sigma=station.prompt_sigma, z=z)
    squares = np.square(station.prefill_s * max(length - 1.0, 0.0))
    settles = np.isfinite(middle)
    for wait, typical in waits:
        settles &= np.isfinite(wait)
        with np.errstate(invalid="ignore"):
            squares = squares + np.square(np.where(np.isfinite(wait), wait - typical, 0.0))
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(settles, (middle + np.sqrt(squares)) * factor, np.inf))


def _waits_s(
    station: Station, share: float, service_s: Floats, servers: Floats, sigma: float
) -> Floats:
    """The wait at a share of the requests and the typical one; shape (2, rows)."""
    return waiting_time_quantile_s(
        quantile=np.array([[share], [0.5]]),
        arrivals_per_s=station.arrivals_per_s,
        service_s=service_s,
        servers=np.maximum(servers, 1.0),
        arrival_cv=station.arrival_cv,
        service_cv=float(np.sqrt(np.exp(sigma**2) - 1.0)),
    )


def correction(load: Floats, cv: float, z: float) -> Floats:
    """Simulated over closed-form first token, by load, burstiness and percentile.

    Never falls with load, nor from one percentile to the next. Straight lines between the
    entries of the table.

    Source: fixtures/latency_corrections.json, medians over simulated set-ups; made anew by
    `manage.py calibrate --waiting`.
    """
    loads, cvs, factors = _table()
    by_cv = np.stack([
        np.interp(load, loads, row) for row in _between(np.array(list(Z_OF_PERCENTILE.values())),
                                                       factors, z)
    ])  # fmt: skip
    return np.asarray(_between(cvs, by_cv, cv))


def _between(places: Floats, rows: Floats, at: float) -> Floats:
    """Rows interpolated at a place between theirs; the first or last one beyond."""
    place = float(np.interp(at, places, np.arange(len(places))))
    below = int(place)
    above = min(below + 1, len(places) - 1)
    return np.asarray(rows[below] + (place - below) * (rows[above] - rows[below]))


@cache
def _table() -> tuple[Floats, Floats, Floats]:
    """Loads, burstinesses, and factors by percentile, burstiness and load."""
    document = json.loads(CORRECTIONS.read_text(encoding="utf-8"))
    factors = np.array([document["factors"][name] for name in Z_OF_PERCENTILE], dtype=np.float64)
    return (
        np.array(document["loads"], dtype=np.float64),
        np.array(document["cvs"], dtype=np.float64),
        np.maximum.accumulate(np.maximum.accumulate(factors, axis=2), axis=0),
    )
