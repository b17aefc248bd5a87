"""Replicas that come and go: how long a start takes, what a day costs, who waits for it."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from advisor.engine.cases import Floats
from advisor.engine.queueing import waiting_time_quantile_s
from catalog.units import SECONDS_PER_DAY, SECONDS_PER_HOUR

STEP_S = 10.0
_STEPS = int(SECONDS_PER_DAY / STEP_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdStart:
    """What a new replica goes through, seconds each."""

    provision_s: float
    image_s: float
    weights_s: float
    warm_up_s: float

    @property
    def total_s(self) -> float:
        """From the decision to start until the first request can be served."""
        return self.provision_s + self.image_s + self.weights_s + self.warm_up_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """When replicas are added and given back."""

    cold_start_s: float
    minimum: int  # replicas that always run; 0 scales to zero
    most: int
    headroom: float  # spare capacity aimed at, as a fraction of the load
    idle_s: float  # time without need before a replica is given back


@dataclass(frozen=True, slots=True, kw_only=True)
class Replica:
    """One replica under load: what it serves and how long a request takes when nobody waits."""

    requests_per_s: float
    ttft_s: float
    e2e_s: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Day:
    """A day in steps of ten seconds."""

    arrivals: Floats  # requests of each step
    running: Floats  # replicas that serve
    paid: Floats  # replicas that are paid, starting ones included
    wait_s: Floats  # of those who arrive in the step

    @property
    def replica_hours(self) -> float:
        """Replica-hours paid over the day."""
        return float(self.paid.sum()) * STEP_S / SECONDS_PER_HOUR

    def wait_percentile_s(self, share: float) -> float:
        """Wait that this share of the day's requests stays below, seconds."""
        if self.arrivals.sum() <= 0.0:
            return 0.0
        order = np.argsort(self.wait_s)
        reached = np.cumsum(self.arrivals[order]) / self.arrivals.sum()
        return float(self.wait_s[order][np.searchsorted(reached, min(share, reached[-1]))])

    def share_waiting_over(self, limit_s: float) -> float:
        """Share of the day's requests that wait longer than a limit."""
        total = float(self.arrivals.sum())
        return float(self.arrivals[self.wait_s > limit_s].sum()) / total if total > 0.0 else 0.0


def cold_start(
    *,
    image_bytes: float,
    image_bytes_per_s: float,
    weight_bytes: float,
    storage_bytes_per_s: float,
    warm_up_s: float,
    provision_s: float,
) -> ColdStart:
    """A cold start, part by part: the parts follow each other.

    Source: sum of the parts; model load time is weight bytes over storage rate.
    """
    return ColdStart(
        provision_s=provision_s,
        image_s=image_bytes / image_bytes_per_s,
        weights_s=weight_bytes / storage_bytes_per_s,
        warm_up_s=warm_up_s,
    )


def awake_fraction(*, requests_per_s: ArrayLike, service_s: ArrayLike, idle_s: ArrayLike) -> Floats:
    """Share of the time a pool that scales to zero is up, for Poisson arrivals.

    It sleeps where no request has been in hand for `idle_s`: the chance of no arrival in the
    last service plus idle time.

    Source: M/G/infinity, D. Gross et al., "Fundamentals of Queueing Theory", 4th ed., Wiley
    2008, section 2.5 (exact for equal service times).
    """
    rate, service, idle = (
        np.asarray(each, dtype=np.float64) for each in (requests_per_s, service_s, idle_s)
    )
    return np.asarray(-np.expm1(-rate * (service + idle)))


def drawn_arrivals(hourly_per_s: Floats, *, cv: float, seed: int) -> Floats:
    """Requests in each step of a day: mean by the hour, as bursty as gaps of this variation.

    Counts of gaps with variation cv have the variance cv^2 times the mean over long steps: a
    negative binomial law above one, Poisson at or below.

    Source: D. R. Cox, "Renewal Theory", Methuen 1962, section 3.2.
    """
    random = np.random.default_rng(seed)
    mean = np.repeat(np.asarray(hourly_per_s, dtype=np.float64), _STEPS // 24) * STEP_S
    spread = max(cv, 0.0) ** 2
    if spread <= 1.0:
        return random.poisson(mean).astype(np.float64)
    shape = np.maximum(mean, 1e-12) / (spread - 1.0)
    return random.negative_binomial(shape, 1.0 / spread).astype(np.float64)


def autoscaled_day(arrivals: Floats, replica: Replica, scaling: Scaling, *, cv: float = 1.0) -> Day:
    """A day on replicas that follow the load: wanted by the last minute, there a cold start later.

    Every step wants enough replicas for the mean of the last minute, the queue in hand and the
    headroom, at least the minimum; what is wanted is paid at once and serves a cold start
    later; what has not been wanted for the idle time is given back. Without a replica the first
    request starts one. Requests wait for the backlog before them, for a start where nothing
    runs, and in line as replicas in a queue do.

    Source: rule stated here; waits as a fluid with the closed form of `queueing` on top.
    """
    wanted = _wanted(arrivals, replica, scaling)
    delay = int(np.ceil(scaling.cold_start_s / STEP_S))
    kept = max(int(scaling.idle_s / STEP_S), 1)
    # A replica stays while it was wanted at any time in the idle window.
    held = _highest_of_last(wanted, kept)
    serving = np.minimum(_lowest_of_last(held, delay + 1), held)
    backlog = _backlog(arrivals, serving * replica.requests_per_s * STEP_S)
    wait = _waits(arrivals, serving, backlog, replica, cv=cv)
    return Day(arrivals=arrivals, running=serving, paid=held, wait_s=wait)


def always_on_day(arrivals: Floats, replica: Replica, *, replicas: int, cv: float = 1.0) -> Day:
    """The same day on a fixed number of replicas.

    Source: as `autoscaled_day`.
    """
    steady = np.full(len(arrivals), float(replicas))
    backlog = _backlog(arrivals, steady * replica.requests_per_s * STEP_S)
    wait = _waits(arrivals, steady, backlog, replica, cv=cv)
    return Day(arrivals=arrivals, running=steady, paid=steady, wait_s=wait)


def _wanted(arrivals: Floats, replica: Replica, scaling: Scaling) -> Floats:
    window = int(60.0 / STEP_S)
    padded = np.concatenate([np.zeros(window - 1), arrivals])
    recent = np.convolve(padded, np.ones(window) / (window * STEP_S), mode="valid")
    load = recent * (1.0 + scaling.headroom) / replica.requests_per_s
    wanted = np.ceil(load - 1e-9)
    return np.clip(wanted, scaling.minimum, scaling.most)


def _highest_of_last(values: Floats, steps: int) -> Floats:
    """The highest value of each window that ends at a step; the day before was like the start."""
    padded = np.concatenate([np.full(steps - 1, values[0]), values])
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, steps).max(axis=1))


def _lowest_of_last(values: Floats, steps: int) -> Floats:
    padded = np.concatenate([np.full(steps - 1, values[0]), values])
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, steps).min(axis=1))


def _backlog(arrivals: Floats, capacity: Floats) -> Floats:
    """Requests left over after each step: a queue's walk, reflected at zero.

    Source: Lindley's recursion, written with running extremes.
    """
    walk = np.cumsum(arrivals - capacity)
    return np.asarray(walk - np.minimum(np.minimum.accumulate(walk), 0.0))


def _waits(
    arrivals: Floats, serving: Floats, backlog: Floats, replica: Replica, *, cv: float
) -> Floats:
    """Wait of the middle request of each step: for what is ahead and for starts, then in line.

    Requests leave in order, so one waits until as many have left as came before it.
    """
    came = np.cumsum(arrivals)
    left = np.maximum.accumulate(came - backlog)
    turn = came - 0.5 * arrivals
    at = np.searchsorted(left, turn - 1e-9)
    inside = np.minimum(at, len(left) - 1)
    before = np.where(inside > 0, left[inside - 1], 0.0)
    share = np.clip((turn - before) / np.maximum(left[inside] - before, 1e-12), 0.0, 1.0)
    # What the day leaves over is served at the rate of its end, by one replica at least.
    after = np.maximum(turn - left[-1], 0.0) / (max(serving[-1], 1.0) * replica.requests_per_s)
    gone_s = np.where(at < len(left), (inside + share) * STEP_S, len(left) * STEP_S + after)
    drain = np.maximum(gone_s - (np.arange(len(arrivals)) + 0.5) * STEP_S, 0.0)
    rate = serving * replica.requests_per_s
    in_line = waiting_time_quantile_s(
        quantile=0.5,
        arrivals_per_s=np.minimum(arrivals / STEP_S, 0.98 * rate),
        service_s=1.0 / replica.requests_per_s,
        servers=np.maximum(serving, 1.0),
        arrival_cv=cv,
    )
    return np.asarray(drain + np.where(np.isfinite(in_line), in_line, 0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """Where two ways to run cost the same: a multiple of the traffic, None where they never do."""

    times_traffic: float | None
    cheaper_below: str  # which is cheaper below it, or always where there is no crossing


def crossing_of(
    hourly_per_s: Floats,
    replica: Replica,
    scaling: Scaling,
    *,
    cv: float,
    scaled_usd_per_h: float,
    always_usd_per_h: float,
    seed: int,
) -> Crossing:
    """The traffic at which scaling costs what always-on replicas for the peak do.

    Found by running the day again at other multiples of the traffic: a coarse sweep from a
    thousandth to a hundred times, then halving. Counts of replicas are whole, so the costs are
    steps and the crossing is the first multiple from which scaling stays dearer.

    Source: bisection.
    """

    def dearer(times: float) -> float:
        hourly = hourly_per_s * times
        peak = float(hourly.max()) * (1.0 + scaling.headroom)
        replicas = max(int(np.ceil(peak / replica.requests_per_s - 1e-9)), 1)
        own = replace(scaling, most=max(scaling.most, replicas))
        arrivals = drawn_arrivals(hourly, cv=cv, seed=seed)
        day = autoscaled_day(arrivals, replica, own, cv=cv)
        return day.replica_hours * scaled_usd_per_h - replicas * 24.0 * always_usd_per_h

    sweep = np.geomspace(1e-3, 1e2, 26)
    signs = np.array([dearer(float(times)) > 0.0 for times in sweep])
    if signs.all():
        return Crossing(times_traffic=None, cheaper_below="always on")
    if not signs.any() or signs[0]:
        return Crossing(times_traffic=None, cheaper_below="scaled")
    first = int(np.argmax(signs))
    low, high = float(sweep[first - 1]), float(sweep[first])
    for _ in range(12):
        middle = (low * high) ** 0.5
        low, high = (low, middle) if dearer(middle) > 0.0 else (middle, high)
    return Crossing(times_traffic=high, cheaper_below="scaled")
