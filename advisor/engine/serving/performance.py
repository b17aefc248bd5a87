"""Serving performance of a deployment: times and rates at a concurrency, or under limits."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from advisor.engine.calibration import Calibration
from advisor.engine.cases import Band, Bools, Floats, InferenceCases, Ints
from advisor.engine.serving.deployment import (
    LEAST,
    Deployments,
    decode_step,
    deployments,
    folded_deployments,
)
from advisor.engine.serving.parameters import ServingParameters
from advisor.engine.serving.steps import PassTime

BINDING = np.array(["compute", "memory", "link", "overhead"])
DEFAULT_SIGMA = 0.35  # logarithmic standard error where nothing was calibrated
Z80 = 1.2816  # half-width of an 80 % interval in standard errors of a normal law
WELL_MEASURED = ("NVIDIA", "AMD")  # vendors with measurements enough for ranges of their own
_LOADS = ("joint", "apart", "limited")  # one pool, separate prefill, latency limits
SPREAD_CLASSES = tuple(f"{who}/{load}" for who in (*WELL_MEASURED, "others") for load in _LOADS)
_CHUNK_ROWS = 16_384
_THREADS = 2
_BISECTIONS = 14
FIRST_BURST = 0.1
"""Share of a closed benchmark's requests that arrive together at its start: one in ten.

Source: client configuration of InferenceMAX, now InferenceX (README: ten prompts for each
request in flight).
"""
_BUSIEST = 0.999  # of a prefill station; beyond, waiting has no mean

OUTPUTS = (
    "output_tokens_per_s",
    "requests_per_s",
    "ttft_mean_s",
    "ttft_p50_s",
    "ttft_p99_s",
    "tpot_mean_s",
    "tpot_p50_s",
    "tpot_p99_s",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingPoint:
    """One operating point a case; columns as long as the cases."""

    concurrency: Floats
    prefill_s: Floats  # one prompt alone, no queue
    busy_prefill_s: Floats  # what one prompt more takes of a busy replica
    request_s: Floats  # around the first step: overhead, and handling of those that run
    handling_s: Floats  # the second of them
    decode_step_s: Floats
    ttft_mean_s: Band
    ttft_p50_s: Band
    ttft_p99_s: Band
    tpot_mean_s: Band
    tpot_p50_s: Band
    tpot_p99_s: Band
    output_tokens_per_s: Band
    requests_per_s: Band
    fits: Bools
    max_concurrency: Floats
    binding: NDArray[np.str_]


@dataclass(frozen=True, slots=True, kw_only=True)
class SteadyState:
    """Physics of one operating point, before ranges; columns over the cases."""

    running: Floats  # requests decoding at once, whole deployment
    prefill_s: Floats
    busy_prefill_s: Floats
    request_s: Floats
    handling_s: Floats
    decode_step_s: Floats
    ttft_mean_s: Floats
    ttft_p50_s: Floats
    ttft_p99_s: Floats
    tpot_mean_s: Floats
    tpot_p99_s: Floats
    requests_per_s: Floats
    output_tokens_per_s: Floats
    max_concurrency: Floats
    fits: Bools
    binding: NDArray[np.int64]


def steady_state(
    cases: InferenceCases, columns: Mapping[str, Floats], *, open_loop: bool = False
) -> SteadyState:
    """The cases at their own concurrency; see state_at."""
    return state_at(deployments(cases, columns), cases.concurrency, open_loop=open_loop)


def state_at(deployed: Deployments, concurrency: Floats, *, open_loop: bool = False) -> SteadyState:
    """A closed loop: a fixed number of requests, each replaced when it ends.

    In one turn a replica of B running requests prefills B prompts and makes one step for each
    output token, so a request's time is B marginal prefills and its own steps, and throughput
    is concurrency over time (Little's law). Requests beyond what memory or the engine holds
    wait outside. A benchmark starts with all of its requests at once at an engine that is not
    warm: the first burst waits `cold_s` longer. With separate prefill chips decoding is
    undisturbed and the slower of the two stations sets the rate. Concurrency may be infinite:
    then the deployment is full.
    `open_loop` changes the first token alone: arrivals at random at a warm engine instead of
    requests that replace each other.

    Source: J. Little, "A Proof for the Queuing Formula L = λW", Operations Research 9 (1961);
    continuous batching after G.-I. Yu et al., "Orca", OSDI 2022.
    """
    d = deployed
    asked = concurrency / d.replicas
    inside = np.maximum(np.minimum(asked, np.maximum(d.most, 1.0)), LEAST)
    step = decode_step(d, inside)
    decode_s = d.outputs * step.total_s / d.gain
    if d.apart is not None:
        # Separate prefill may starve decoding: fewer requests run than the decoders hold.
        starved = np.maximum(np.minimum(inside, d.prefill_rate * decode_s / d.replicas), LEAST)
        inside = np.where(d.apart, starved, inside)
        step = decode_step(d, inside)
        decode_s = d.outputs * step.total_s / d.gain
    finite = np.where(np.isfinite(asked), asked, inside)
    others = np.maximum(inside - 1.0, 0.0) * d.marginal_s
    # Part of the others' prefill is waited for before the first token, the rest between tokens.
    start = d.alone_s + d.request_s + d.first_steps * step.total_s + d.admit_s * inside
    busy = np.minimum(inside * d.marginal_s / (start + decode_s + others), 1.0)
    share = np.minimum(d.wait + d.crowd * busy, 1.0)
    burst = share * others
    tpot = (decode_s + others - burst) / d.outputs
    tail = np.maximum(finite - 1.0, 0.0) * d.marginal_s
    if d.apart is not None:
        tail = np.where(d.apart, finite * d.replicas / d.prefill_replicas * d.marginal_s, tail)
        burst = np.where(d.apart, share * np.minimum(tail, d.cap * d.marginal_s), burst)
        tpot = np.where(d.apart, decode_s / d.outputs, tpot)
    turn = start + burst + tpot * d.outputs
    rate = np.minimum(inside * d.replicas / np.maximum(turn, LEAST), d.ceiling)
    if d.apart is not None:
        rate = np.where(d.apart, np.minimum(rate, d.prefill_rate), rate)
    queue = np.maximum(finite * d.replicas / np.maximum(rate, LEAST) - turn, 0.0)
    cold_s = d.cold_s * (not open_loop)
    if open_loop:
        busy = np.minimum(rate / d.prefill_replicas * d.marginal_s, _BUSIEST)
        tail = step.total_s + d.marginal_s * busy / (1.0 - busy)
    return SteadyState(
        running=inside * d.replicas,
        prefill_s=d.alone_s,
        busy_prefill_s=d.marginal_s,
        request_s=d.request_s + d.admit_s * inside,
        handling_s=d.admit_s * inside,
        decode_step_s=step.total_s,
        ttft_mean_s=start + burst + FIRST_BURST * cold_s + queue,
        ttft_p50_s=d.median * (start + burst) + queue,
        ttft_p99_s=start + d.tail_ttft * tail + cold_s + queue,
        tpot_mean_s=tpot,
        tpot_p99_s=tpot * (1.0 + d.tail_tpot),
        requests_per_s=rate,
        output_tokens_per_s=rate * d.outputs,
        max_concurrency=np.minimum(d.held, d.cap * d.replicas) * d.fits,
        fits=d.fits,
        binding=binding_of(step),
    )


def binding_of(step: PassTime) -> NDArray[np.int64]:
    """Index into BINDING of what a step spends most on."""
    best, most = np.zeros(len(step.total_s), dtype=np.int64), step.compute_s
    for index, seconds in enumerate((step.memory_s, step.link_s, step.overhead_s), start=1):
        longer = seconds > most
        best[longer] = index
        most = np.where(longer, seconds, most)
    return best


@lru_cache(maxsize=8)
def serving_parameters(calibration: Calibration) -> ServingParameters:
    """The serving section of a calibration as parameters."""
    document = calibration.serving
    return ServingParameters(offsets=cast("Any", document.get("offsets", {})))


def serving_point(cases: InferenceCases, calibration: Calibration) -> ServingPoint:
    """Times and rates of each case at its concurrency, closed loop, with 80 % ranges.

    Cases are evaluated in chunks on two threads, so that a million take about as long as
    they should. Throughput of a case that does not fit is zero; its times are not.

    Source: steady_state; ranges from the residuals of the calibration.
    """

    def evaluate(part: InferenceCases) -> ServingPoint:
        deployed = folded_deployments(part, serving_parameters(calibration))
        return point_of(part, state_at(deployed, part.concurrency), calibration)

    return in_chunks(cases, evaluate)


def highest_concurrency(
    cases: InferenceCases,
    columns: Mapping[str, Floats],
    *,
    ttft_p99_limit_s: Floats,
    tpot_p99_limit_s: Floats,
) -> tuple[Floats, Bools]:
    """Concurrency at which p99 times just meet the limits, and whether they do.

    Bisection on the logarithm between one request and a full deployment.
    """
    deployed = deployments(cases, columns)

    def meets(concurrency: Floats) -> tuple[SteadyState, Bools]:
        state = state_at(deployed, concurrency, open_loop=True)
        within = (state.ttft_p99_s <= ttft_p99_limit_s) & (state.tpot_p99_s <= tpot_p99_limit_s)
        return state, within

    full, at_full = meets(np.full(len(cases), np.inf))
    high = np.log(np.maximum(full.running, 1.0))
    low = np.where(at_full, high, 0.0)
    for _ in range(_BISECTIONS):
        middle = 0.5 * (low + high)
        _, within = meets(np.exp(middle))
        low, high = np.where(within, middle, low), np.where(within, high, middle)
    found = np.exp(low)
    return found, (low > 0.0) | meets(found)[1]


def with_concurrency(cases: InferenceCases, concurrency: Floats) -> InferenceCases:
    """The same cases at another concurrency."""
    return replace(cases, concurrency=concurrency)


def spread_classes(cases: InferenceCases, limited: Bools | None = None) -> Ints:
    """Class of rows that share a range, an index into SPREAD_CLASSES.

    Rates at latency limits and separate prefill scatter more than one full replica does, and
    parts of vendors hardly measured more than the others.
    """
    who = {vendor: index for index, vendor in enumerate(WELL_MEASURED)}
    owner = np.array(
        [who.get(part.vendor, len(who)) for part in cases.accelerators], dtype=np.int64
    )
    load = cases.disaggregated.astype(np.int64)
    if limited is not None:
        load = np.where(limited, len(_LOADS) - 1, load)
    return np.asarray(len(_LOADS) * owner[cases.accelerator] + load)


def sigma_of(
    calibration: Calibration, name: str, cases: InferenceCases, limited: Bools | None = None
) -> Floats:
    """Logarithmic standard error of a figure, by the class of its row.

    Source: errors out of group, as the calibration holds them.
    """
    name = "output_tokens_per_s" if name == "requests_per_s" else name
    known = cast("Mapping[str, float]", calibration.serving.get("spreads", {}).get(name, {}))
    fallback = known.get("", DEFAULT_SIGMA)
    by_class = np.array([known.get(each, fallback) for each in SPREAD_CLASSES])
    return np.asarray(by_class[spread_classes(cases, limited)])


def point_of(cases: InferenceCases, state: SteadyState, calibration: Calibration) -> ServingPoint:
    """Ranges around a steady state; a case that does not fit serves nothing."""
    widen = 1.0 + 0.15 * cases.assumed

    def band(name: str, value: Floats) -> Band:
        spread = np.exp(Z80 * sigma_of(calibration, name, cases) * widen)
        return Band(value=value, low=value / spread, high=value * spread)

    serves = state.fits.astype(np.float64)
    return ServingPoint(
        concurrency=np.where(np.isfinite(cases.concurrency), cases.concurrency, state.running),
        prefill_s=state.prefill_s,
        busy_prefill_s=state.busy_prefill_s,
        request_s=state.request_s,
        handling_s=state.handling_s,
        decode_step_s=state.decode_step_s,
        ttft_mean_s=band("ttft_mean_s", state.ttft_mean_s),
        ttft_p50_s=band("ttft_p50_s", state.ttft_p50_s),
        ttft_p99_s=band("ttft_p99_s", state.ttft_p99_s),
        tpot_mean_s=band("tpot_mean_s", state.tpot_mean_s),
        tpot_p50_s=band("tpot_p50_s", state.tpot_mean_s),
        tpot_p99_s=band("tpot_p99_s", state.tpot_p99_s),
        output_tokens_per_s=band("output_tokens_per_s", state.output_tokens_per_s * serves),
        requests_per_s=band("requests_per_s", state.requests_per_s * serves),
        fits=state.fits,
        max_concurrency=state.max_concurrency,
        binding=BINDING[state.binding],
    )


def rows_of(cases: InferenceCases, rows: slice | NDArray[np.int64]) -> InferenceCases:
    """Some rows of the cases."""
    columns = {
        f.name: getattr(cases, f.name)[rows]
        for f in fields(InferenceCases)
        if isinstance(getattr(cases, f.name), np.ndarray)
    }
    return replace(cases, **columns)


def in_chunks(
    cases: InferenceCases, evaluate: Callable[[InferenceCases], ServingPoint]
) -> ServingPoint:
    """Evaluate in pieces that stay in the processor's cache, on two threads."""
    rows = len(cases)
    if rows <= _CHUNK_ROWS:
        return evaluate(cases)
    pieces = [slice(start, start + _CHUNK_ROWS) for start in range(0, rows, _CHUNK_ROWS)]
    with ThreadPoolExecutor(_THREADS) as pool:
        points = list(pool.map(lambda piece: evaluate(rows_of(cases, piece)), pieces))
    return joined(points)


def joined(points: list[ServingPoint]) -> ServingPoint:
    """Points of consecutive pieces as one."""
    columns: dict[str, Any] = {}
    for f in fields(ServingPoint):
        values = [getattr(point, f.name) for point in points]
        if isinstance(values[0], Band):
            columns[f.name] = Band(
                value=np.concatenate([band.value for band in values]),
                low=np.concatenate([band.low for band in values]),
                high=np.concatenate([band.high for band in values]),
            )
        else:
            columns[f.name] = np.concatenate(values)
    return ServingPoint(**columns)
