"""Copies of a model without output tokens that meet the demand: images, queries, audio, vectors."""

from collections.abc import Mapping, Sequence

import numpy as np

from advisor.engine.calibration import Calibration
from advisor.engine.cases import Band, Floats, Ints, SampleCases
from advisor.engine.queueing import replicas_needed, waiting_time_quantile_s
from advisor.engine.samples.performance import SamplesPoint, samples_point
from advisor.engine.samples.work import sample_work
from advisor.engine.search.sizing import Sizing, with_redundancy
from advisor.engine.workload import ServingDemand
from catalog.specs import BYTES_PER_WEIGHT, PRECISIONS, AcceleratorSpec

_MOST_USERS = 1e12
_QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
_PASSES = {"p50": 1.5, "p95": 2.0, "p99": 2.0}
"""Passes between arrival and answer: half a pass until the next one starts, or a whole one."""


def size_samples(
    parts: Sequence[AcceleratorSpec],
    demand: ServingDemand,
    calibration: Calibration,
    *,
    precisions: Mapping[int, Sequence[str]],
    software_month: float,
    assumed: int,
) -> Sizing:
    """Each part and format with as many copies of the model as the peak needs.

    A copy is the fewest accelerators that hold the model and its tables. A request is
    `samples_per_request` passes, which one copy makes one after the other where there are
    several steps of one sample, so its latency is at least theirs.

    Source: speed of a pass as in `samples`; waiting as in `queueing`.
    """
    pairs = [(index, name) for index, names in sorted(precisions.items()) for name in names]
    part = np.array([index for index, _ in pairs], dtype=np.int64)
    precision = np.array([PRECISIONS.index(name) for _, name in pairs], dtype=np.int64)
    alone = sample_work(
        _cases(parts, demand, part, precision, np.ones(len(pairs), dtype=np.int64),
               software_month=software_month, assumed=assumed)
    )  # fmt: skip
    chips = np.maximum(np.nan_to_num(alone.shards, nan=1.0, posinf=1e6), 1.0).astype(np.int64)
    cases = _cases(
        parts, demand, part, precision, chips, software_month=software_month, assumed=assumed
    )
    point = samples_point(cases, calibration)
    return _sized(cases, point, demand, chips=chips)


def _cases(
    parts: Sequence[AcceleratorSpec],
    demand: ServingDemand,
    part: Ints,
    precision: Ints,
    chips: Ints,
    *,
    software_month: float,
    assumed: int,
) -> SampleCases:
    rows = len(part)
    limit = demand.slo.e2e_s if not demand.is_batch else None
    return SampleCases(
        accelerators=tuple(parts),
        models=(demand.model,),
        accelerator=part,
        model=np.zeros(rows, dtype=np.int64),
        precision=precision,
        software_month=np.full(rows, software_month),
        accelerator_count=chips,
        batch=np.full(rows, np.nan),
        scenario=np.full(rows, "offline" if limit is None else "server"),
        latency_limit_s=np.full(rows, np.inf if limit is None else limit / _in_series(demand)),
        sequence=np.full(rows, demand.input_tokens if demand.input_tokens > 0.0 else np.nan),
        assumed=np.full(rows, assumed, dtype=np.int64),
    )


def _in_series(demand: ServingDemand) -> float:
    """Passes of a request that follow each other: denoising steps; others run side by side."""
    return max(demand.samples_per_request, 1.0) if demand.unit in ("image", "clip") else 1.0


def _sized(
    cases: SampleCases, point: SamplesPoint, demand: ServingDemand, *, chips: Ints
) -> Sizing:
    per_request = max(demand.samples_per_request, 1e-12)
    rate = np.maximum(point.samples_per_s.value / per_request, 1e-12)
    needed = replicas_needed(
        arrivals_per_s=demand.requests_per_s_peak * (1.0 + demand.headroom_fraction),
        capacity_per_s=rate,
    )
    replicas = with_redundancy(np.minimum(needed, 1e9), demand.redundancy)
    load = demand.requests_per_s_peak / (replicas * rate)
    in_series = _in_series(demand)
    latency = {
        name: _latency_s(point, demand, rate, replicas, name=name, passes=in_series)
        for name in _QUANTILES
    }
    at_slo = _at_percentile(latency, demand.slo.percentile)
    relative_low = point.samples_per_s.low / np.maximum(point.samples_per_s.value, 1e-300)
    relative_high = point.samples_per_s.high / np.maximum(point.samples_per_s.value, 1e-300)

    def speed(value: Floats) -> Band:
        return Band(value=value, low=value * relative_low, high=value * relative_high)

    def time(value: Floats) -> Band:
        return Band(value=value, low=value / relative_high, high=value / relative_low)

    ones = np.ones(len(cases), dtype=bool)
    capacity = np.asarray(rate * replicas, dtype=np.float64)
    weights = demand.model.total_params * np.array([BYTES_PER_WEIGHT[name] for name in PRECISIONS])
    memory = np.array([part.usable_memory_bytes for part in cases.accelerators])
    return Sizing(
        accelerator=cases.accelerator,
        precision=cases.precision,
        engine=np.full(len(cases), -1, dtype=np.int64),
        tensor=chips,
        pipeline=np.ones(len(cases), dtype=np.int64),
        expert=np.ones(len(cases), dtype=np.int64),
        attention_data=np.ones(len(cases), dtype=np.int64),
        replicas=replicas,
        chips_per_replica=chips,
        concurrency=np.ones(len(cases)),
        utilisation=np.minimum(
            load * demand.requests_per_s_mean / max(demand.requests_per_s_peak, 1e-12), 1.0
        ),
        hours_per_month=np.full(len(cases), demand.active_hours_per_month),
        capacity_low=relative_low,
        capacity_high=relative_high,
        wait_s=at_slo,
        figures={
            "e2e_p50_s": time(latency["p50"]),
            "e2e_p95_s": time(latency["p95"]),
            "e2e_p99_s": time(latency["p99"]),
            "requests_per_s": speed(capacity),
            "samples_per_s": speed(capacity * per_request),
            "users_at_slo": speed(np.minimum(capacity * at_slo, _MOST_USERS)),
        },
        fits=point.fits,
        meets_ttft=ones,
        meets_tpot=ones,
        meets_e2e=ones
        if demand.slo.e2e_s is None or demand.is_batch
        else np.asarray(at_slo <= demand.slo.e2e_s * 1.001),
        needed_bytes=weights[cases.precision] + demand.index_bytes,
        available_bytes=memory[cases.accelerator] * chips,
        binding=point.binding,
        measured=np.full(len(cases), ""),
        extrapolated=np.asarray(point.evidence == "estimated"),
    )


def _latency_s(
    point: SamplesPoint,
    demand: ServingDemand,
    rate: Floats,
    replicas: Ints,
    *,
    name: str,
    passes: float,
) -> Floats:
    wait = waiting_time_quantile_s(
        quantile=_QUANTILES[name],
        arrivals_per_s=demand.requests_per_s_peak,
        service_s=1.0 / rate,
        servers=replicas,
        arrival_cv=demand.burstiness_cv,
    )
    passing = (passes - 1.0 + _PASSES[name]) * point.latency_s.value
    return np.asarray(passing + (0.0 if demand.is_batch else wait), dtype=np.float64)


def _at_percentile(latency: Mapping[str, Floats], percentile: float) -> Floats:
    if percentile >= 0.99:  # noqa: PLR2004 -- the percentiles the questionnaire offers
        return latency["p99"]
    return latency["p95"] if percentile > 0.5 else latency["p50"]  # noqa: PLR2004
