"""Replicas of a language model that meet the demand and its targets, closed form."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import erf, sqrt
from typing import Any

import numpy as np

from advisor.engine.calibration import Calibration
from advisor.engine.cases import Band, Bools, Floats, InferenceCases, Ints
from advisor.engine.latency.closed_form import Station, first_token_s
from advisor.engine.lognormal import lognormal_quantile_factor, lognormal_spread
from advisor.engine.queueing import replicas_needed
from advisor.engine.search.candidates import CONCURRENCIES, Layout, serving_cases
from advisor.engine.search.measured import measured_serving
from advisor.engine.search.sizing import (
    Z99,
    Sizing,
    percentile_of,
    with_redundancy,
)
from advisor.engine.serving.footprint import serving_footprint
from advisor.engine.serving.performance import ServingPoint, serving_point
from advisor.engine.serving.performance import rows_of as case_rows
from advisor.engine.workload import ServingDemand
from catalog.specs import AcceleratorSpec

MORE_REPLICAS = (1.0, 1.1, 1.25, 1.5, 2.0, 3.0, 5.0)
"""Steps by which replicas are added where waiting alone breaks the first-token target."""
Z_OF = {0.5: 0.0, 0.9: 1.2816, 0.95: 1.6449, 0.99: Z99, 0.999: 3.0902}
_TIE = 1e-9
Points = Callable[[InferenceCases, Calibration], ServingPoint]


def size_llm_serving(
    layouts: Sequence[Layout],
    parts: Sequence[AcceleratorSpec],
    demand: ServingDemand,
    calibration: Calibration,
    *,
    software_month: float,
    assumed: int,
    points: Points = serving_point,
) -> Sizing:
    """Each layout at the concurrency that serves most within the targets, with its replicas.

    The concurrency of a replica is the largest throughput whose time per output token and
    unqueued first token meet the targets at the SLO's percentile; replicas follow from the
    peak rate and the headroom, or from a simulation of the layout, and grow until waiting meets
    the first-token target. Where a layout meets no target it stands at one request in flight,
    marked. `points` says what each layout does at each concurrency, which depends on no rate and
    no target.

    Source: queueing of replicas as in `queueing`; times as in `serving`.
    """
    cases = serving_cases(
        layouts,
        parts,
        demand.model,
        concurrencies=CONCURRENCIES,
        input_tokens=max(demand.input_tokens * (1.0 - demand.prefix_cached_fraction), 1.0),
        output_tokens=max(demand.output_tokens, 1.0),
        kv_precision=demand.kv_precision,
        software_month=software_month,
        assumed=assumed,
    )
    own = calibration.measured.get("serving", ())
    point, _ = measured_serving(cases, points(cases, calibration), own)
    chosen = best_within_targets(point, demand)
    at_limit = case_rows(cases, chosen)
    limit, by = measured_serving(at_limit, serving_point(at_limit, calibration), own)
    known = _simulated(layouts, parts, demand)
    replicas, utilisation = _replicas(limit, demand, known)
    busy = operating_point(at_limit, limit, utilisation, calibration)
    sized = _sized(at_limit, limit, busy, demand, replicas=replicas, utilisation=utilisation)
    return replace(sized, measured=by)


def best_within_targets(point: ServingPoint, demand: ServingDemand) -> Ints:
    """Row of each layout's best concurrency: most requests per second within the targets."""
    return _best(point, _meets_tpot(point, demand) & _meets_unqueued(point, demand))


def best_within_tpot(point: ServingPoint, demand: ServingDemand) -> Ints:
    """The same where the first token is another pool's: the time per token alone limits.

    Rows are layouts times `CONCURRENCIES`.

    Source: rule stated here.
    """
    return _best(point, _meets_tpot(point, demand))


def _best(point: ServingPoint, meets: Bools) -> Ints:
    """Row of each layout that serves most among those that meet; its first one where none does."""
    steps = len(CONCURRENCIES)
    within = point.fits & (point.concurrency <= np.maximum(point.max_concurrency, 1.0))
    rate = point.requests_per_s.value
    # The first of equals: no more requests in flight than the rate needs.
    score = np.where(within & meets, rate, -1.0).reshape(-1, steps)
    best = np.argmax(score * (1.0 - _TIE * np.arange(steps)), axis=1)
    best = np.where(score.max(axis=1) > 0.0, best, 0)
    return np.asarray(np.arange(len(best)) * steps + best, dtype=np.int64)


def _meets_tpot(point: ServingPoint, demand: ServingDemand) -> Bools:
    if demand.slo.tpot_s is None:
        return np.ones(len(point.concurrency), dtype=bool)
    z = Z_OF.get(demand.slo.percentile, Z_OF[0.95])
    tpot = percentile_of(point.tpot_p50_s.value, point.tpot_p99_s.value, z)
    return np.asarray(tpot <= demand.slo.tpot_s)


def _meets_unqueued(point: ServingPoint, demand: ServingDemand) -> Bools:
    if demand.slo.ttft_s is None:
        return np.ones(len(point.concurrency), dtype=bool)
    return np.asarray(point.prefill_s + point.decode_step_s <= demand.slo.ttft_s)


def _simulated(
    layouts: Sequence[Layout], parts: Sequence[AcceleratorSpec], demand: ServingDemand
) -> Floats:
    """Replicas that each layout needs by simulation; 0 where it was not simulated."""
    found = demand.simulated_replicas
    if not found:
        return np.zeros(len(layouts))
    return np.array([found.get(each.key(parts), 0) for each in layouts], dtype=np.float64)


def _replicas(limit: ServingPoint, demand: ServingDemand, simulated: Floats) -> tuple[Ints, Floats]:
    """Replicas for the peak with headroom and redundancy, and their load at the peak."""
    rate = np.maximum(limit.requests_per_s.value, 1e-12)
    needed = replicas_needed(
        arrivals_per_s=demand.requests_per_s_peak * (1.0 + demand.headroom_fraction),
        capacity_per_s=rate,
    )
    needed = np.where(simulated > 0.0, simulated, needed)
    if demand.slo.ttft_s is not None and not demand.is_batch:
        z = Z_OF.get(demand.slo.percentile, Z_OF[0.95])
        settled = np.zeros(len(rate), dtype=bool)
        for step in MORE_REPLICAS:
            tried = np.where(settled, needed, np.ceil(needed * step))
            ttft = _ttft_s(_less_busy(limit, tried, demand), limit, demand, replicas=tried, z=z)
            needed = np.where(settled, needed, tried)
            settled |= ttft <= demand.slo.ttft_s
            if settled.all():
                break
    replicas = with_redundancy(np.minimum(needed, 1e9), demand.redundancy)
    return replicas, demand.requests_per_s_peak / (replicas * rate)


def _less_busy(limit: ServingPoint, replicas: Floats, demand: ServingDemand) -> ServingPoint:
    """The limit with no more requests to handle than run at the peak (Little's law, no slower)."""
    capacity = replicas * np.maximum(limit.requests_per_s.value, 1e-12)
    quiet = 1.0 - np.minimum(demand.requests_per_s_peak / capacity, 1.0)
    return replace(limit, request_s=limit.request_s - limit.handling_s * quiet)


def _ttft_s(
    point: ServingPoint, limit: ServingPoint, demand: ServingDemand, *, replicas: Floats, z: float
) -> Floats:
    """First token at a percentile where replicas work at `point` and reach `limit`."""
    sigma = lognormal_spread(mean=demand.input_tokens, p95=demand.input_tokens_p95)
    if demand.is_batch:  # nobody waits: items come when the machine is ready for them
        length = lognormal_quantile_factor(sigma=sigma, z=z)
        return np.asarray(point.prefill_s * length + 0.5 * point.decode_step_s)
    return first_token_s(station_of(point, limit, demand, replicas=replicas), z=z)


def station_of(
    point: ServingPoint, limit: ServingPoint, demand: ServingDemand, *, replicas: Floats
) -> Station:
    """Replicas that work at `point` and reach `limit`, under the demand's peak."""
    return Station(
        request_s=point.request_s,
        prefill_s=point.prefill_s,
        busy_prefill_s=np.minimum(point.busy_prefill_s, point.prefill_s),
        step_s=point.decode_step_s,
        replicas=np.maximum(replicas, 1.0),
        places=np.maximum(limit.concurrency, 1.0),
        capacity_per_s=limit.requests_per_s.value,
        arrivals_per_s=demand.requests_per_s_peak,
        arrival_cv=demand.burstiness_cv,
        prompt_sigma=lognormal_spread(mean=demand.input_tokens, p95=demand.input_tokens_p95),
        output_sigma=lognormal_spread(mean=demand.output_tokens, p95=demand.output_tokens_p95),
    )


def operating_point(
    cases: InferenceCases, limit: ServingPoint, utilisation: Floats, calibration: Calibration
) -> ServingPoint:
    """The same replicas at the concurrency that the peak leaves on each (Little's law)."""
    in_flight = np.maximum(limit.concurrency * np.minimum(utilisation, 1.0), 1.0)
    return serving_point(replace(cases, concurrency=in_flight), calibration)


def _sized(
    cases: InferenceCases,
    limit: ServingPoint,
    busy: ServingPoint,
    demand: ServingDemand,
    *,
    replicas: Ints,
    utilisation: Floats,
) -> Sizing:
    slo = demand.slo
    z = Z_OF.get(slo.percentile, Z_OF[0.95])
    count = replicas.astype(np.float64)
    ttft = {
        name: scaled_like(busy.ttft_p50_s, _ttft_s(busy, limit, demand, replicas=count, z=each))
        for name, each in (("ttft_p50_s", 0.0), ("ttft_p95_s", Z_OF[0.95]), ("ttft_p99_s", Z99))
    }
    ttft_slo = _ttft_s(busy, limit, demand, replicas=count, z=z)
    tpot_slo = percentile_of(busy.tpot_p50_s.value, busy.tpot_p99_s.value, z)
    e2e = {
        name: e2e_s(ttft[f"ttft_{name}_s"].value, tpot, demand, z=each)
        for name, tpot, each in (
            ("p50", busy.tpot_p50_s.value, 0.0),
            ("p99", busy.tpot_p99_s.value, Z99),
        )
    }
    share_in_tail = 1.0 - 0.5 * (1.0 + erf(z / sqrt(2.0)))
    answer_s = ttft_slo + max(demand.output_tokens - 1.0, 0.0) * tpot_slo
    answer_s = answer_s + stages_s(demand, tail=share_in_tail)
    rate = scaled_like(limit.requests_per_s, limit.requests_per_s.value * replicas)
    tokens = scaled_like(limit.output_tokens_per_s, limit.output_tokens_per_s.value * replicas)
    users = limit.concurrency * replicas
    ones = np.ones(len(cases), dtype=bool)
    return Sizing(
        **of_layouts(cases, limit),
        replicas=replicas,
        utilisation=np.minimum(
            utilisation * demand.requests_per_s_mean / max(demand.requests_per_s_peak, 1e-12), 1.0
        ),
        hours_per_month=np.full(len(cases), demand.active_hours_per_month),
        wait_s=answer_s,
        figures={
            **ttft,
            "tpot_p50_s": busy.tpot_p50_s,
            "tpot_p95_s": scaled_like(
                busy.tpot_p50_s,
                percentile_of(busy.tpot_p50_s.value, busy.tpot_p99_s.value, Z_OF[0.95]),
            ),
            "tpot_p99_s": busy.tpot_p99_s,
            "e2e_p50_s": scaled_like(busy.tpot_p50_s, e2e["p50"]),
            "e2e_p99_s": scaled_like(busy.tpot_p99_s, e2e["p99"]),
            "output_tokens_per_s": tokens,
            "requests_per_s": rate,
            "users_at_slo": scaled_like(limit.requests_per_s, users),
        },
        fits=limit.fits & holds_the_longest(limit, demand),
        meets_ttft=ones if slo.ttft_s is None else np.asarray(ttft_slo <= slo.ttft_s * 1.001),
        meets_tpot=ones if slo.tpot_s is None else np.asarray(tpot_slo <= slo.tpot_s * 1.001),
        meets_e2e=ones if slo.e2e_s is None else np.asarray(answer_s <= slo.e2e_s * 1.001),
        binding=busy.binding,
        measured=np.full(len(cases), ""),
        extrapolated=np.zeros(len(cases), dtype=bool),
    )


def of_layouts(cases: InferenceCases, limit: ServingPoint) -> dict[str, Any]:
    """Columns of a sizing that one replica's layout and its most throughput set.

    Source: the cases; memory as in `serving_footprint`.
    """
    footprint = serving_footprint(cases)
    rate = np.maximum(limit.requests_per_s.value, 1e-12)
    return {
        "accelerator": cases.accelerator,
        "precision": cases.precision,
        "engine": cases.engine,
        "tensor": cases.tensor_parallel,
        "pipeline": cases.pipeline_parallel,
        "expert": cases.expert_parallel,
        "attention_data": cases.attention_data_parallel,
        "chips_per_replica": cases.accelerator_count,
        "concurrency": limit.concurrency,
        "capacity_low": limit.requests_per_s.low / rate,
        "capacity_high": limit.requests_per_s.high / rate,
        "needed_bytes": (footprint.weight_bytes + footprint.reserve_bytes)
        * cases.accelerator_count,
        "available_bytes": footprint.available_bytes * cases.accelerator_count,
    }


def stages_s(demand: ServingDemand, *, tail: float) -> float:
    """Seconds that extra stages add at a percentile whose tail is this share of requests.

    Stages in series lengthen the requests that pass them; where these are more than the
    tail, the percentile itself is lengthened. Their own spread is left out.

    Source: definition of a percentile of a mixture.
    """
    return sum(demand.stages_s.values()) if demand.share_with_stages >= tail else 0.0


def holds_the_longest(point: ServingPoint, demand: ServingDemand) -> Bools:
    """Whether the KV cache has room for one request of the longest context asked for."""
    usual = demand.input_tokens + demand.output_tokens
    return np.asarray(point.max_concurrency * usual >= demand.max_context_tokens)


def e2e_s(ttft_s: Floats, tpot_s: Floats, demand: ServingDemand, *, z: float) -> Floats:
    """Whole answer at a percentile: first token, then the tokens of an answer that long."""
    sigma = lognormal_spread(mean=demand.output_tokens, p95=demand.output_tokens_p95)
    tokens = demand.output_tokens * lognormal_quantile_factor(sigma=sigma, z=z)
    tail = 1.0 - 0.5 * (1.0 + erf(z / sqrt(2.0)))
    extra_s = stages_s(demand, tail=tail)
    return np.asarray(ttft_s + max(tokens - 1.0, 0.0) * tpot_s + extra_s, dtype=np.float64)


def scaled_like(like: Band, value: Floats) -> Band:
    """A figure with the relative range of another."""
    centre = np.maximum(np.abs(like.value), 1e-300)
    return Band(value=value, low=value * like.low / centre, high=value * like.high / centre)
