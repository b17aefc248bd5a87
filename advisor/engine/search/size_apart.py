"""Pools that only prefill and pools that only decode, sized together, closed form."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import erf, sqrt

import numpy as np

from advisor.engine.calibration import Calibration
from advisor.engine.cases import Band, Floats, InferenceCases, Ints
from advisor.engine.latency.closed_form import Station, first_token_s
from advisor.engine.lognormal import lognormal_spread
from advisor.engine.queueing import replicas_needed
from advisor.engine.search.candidates import CONCURRENCIES, Layout, serving_cases
from advisor.engine.search.size_serving import (
    MORE_REPLICAS,
    Z_OF,
    best_within_tpot,
    e2e_s,
    holds_the_longest,
    of_layouts,
    scaled_like,
    stages_s,
)
from advisor.engine.search.sizing import Z99, Sizing, percentile_of, with_redundancy
from advisor.engine.serving.apart import decode_only, handed_over_bytes, prefill_only
from advisor.engine.serving.performance import ServingPoint
from advisor.engine.serving.performance import rows_of as case_rows
from advisor.engine.workload import ServingDemand
from catalog.specs import AcceleratorSpec

_LEAST = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Pools:
    """Pairs of a pool that prefills and one that decodes, one pair a row of both sizings.

    Times to the first token and of whole answers are those of the pair and stand in both.
    """

    prefill: Sizing
    decode: Sizing
    handed_bytes: Floats  # KV cache of one mean prompt
    hand_over_s: Floats  # its way between two replicas, alone


@dataclass(frozen=True, slots=True, kw_only=True)
class _Roles:
    """One replica of each row's two roles, and the way between them."""

    prefill: ServingPoint
    decode: ServingPoint
    move_s: Floats


def prefill_points(
    layouts: Sequence[Layout],
    parts: Sequence[AcceleratorSpec],
    demand: ServingDemand,
    calibration: Calibration,
    *,
    software_month: float,
) -> ServingPoint:
    """What one replica of each layout does that only computes prompts.

    Source: `serving.apart.prefill_only`.
    """
    cases = _cases(layouts, parts, demand, np.ones(1), software_month, outputs=1.0)
    return prefill_only(cases, calibration)


def size_apart(
    prefill: Sequence[Layout],
    decode: Sequence[Layout],
    pairs: tuple[Ints, Ints],
    parts: Sequence[AcceleratorSpec],
    demand: ServingDemand,
    calibration: Calibration,
    *,
    network_bytes_per_s: Floats,
    software_month: float,
) -> Pools:
    """Pairs of a prefill and a decode layout, each pool with the replicas that the demand needs.

    `pairs` holds the row of each list; `network_bytes_per_s` is what one accelerator of each
    part has for traffic to other machines, nan where unpublished. The decode pool's concurrency
    is the largest throughput whose time per token meets its target; both pools carry the peak
    with headroom and redundancy, and the prefill pool grows until queue, prompt, hand-over and
    the first decode step meet the first-token target. A pair whose network is unknown fits not.

    Source: queueing as in `closed_form`, one station for prompts and one for hand-over and
    places, whose percentiles are added: on the safe side, since both are seldom slow at once.
    """
    before = _cases(prefill, parts, demand, np.ones(1), software_month, outputs=1.0)
    steps = _cases(decode, parts, demand, CONCURRENCIES, software_month)
    chosen = best_within_tpot(decode_only(steps, calibration), demand)
    before = case_rows(before, pairs[0])
    after = case_rows(steps, chosen[pairs[1]])
    handed = handed_over_bytes(after, prompt_tokens=demand.input_tokens)
    move_s = handed / np.minimum(
        network_bytes_per_s[before.accelerator] * before.accelerator_count,
        network_bytes_per_s[after.accelerator] * after.accelerator_count,
    )
    roles = _Roles(
        prefill=prefill_only(before, calibration),
        decode=decode_only(after, calibration),
        move_s=np.where(np.isnan(move_s), np.inf, move_s),
    )
    first, second = _replicas(roles, demand)
    rate = np.maximum(roles.decode.requests_per_s.value, _LEAST)
    load = np.minimum(demand.requests_per_s_peak / (second * rate), 1.0)
    in_flight = np.maximum(roles.decode.concurrency * load, 1.0)  # by Little's law
    busy = decode_only(replace(after, concurrency=in_flight), calibration)
    common = _common(replace(roles, decode=busy), roles.decode, demand, first, second)
    return Pools(
        prefill=_pool(before, roles.prefill, demand, first, common),
        decode=_pool(after, roles.decode, demand, second, common),
        handed_bytes=handed,
        hand_over_s=move_s,
    )


def _replicas(roles: _Roles, demand: ServingDemand) -> tuple[Ints, Ints]:
    """Replicas of both pools for the peak with headroom and redundancy."""
    asked = demand.requests_per_s_peak * (1.0 + demand.headroom_fraction)
    first, second = (
        replicas_needed(
            arrivals_per_s=asked,
            capacity_per_s=np.maximum(point.requests_per_s.value, _LEAST),
        )
        for point in (roles.prefill, roles.decode)
    )
    quick = _until_quick(roles, demand, first, second)
    return (
        with_redundancy(np.minimum(quick, 1e9), demand.redundancy),
        with_redundancy(np.minimum(second, 1e9), demand.redundancy),
    )


def _cases(
    layouts: Sequence[Layout],
    parts: Sequence[AcceleratorSpec],
    demand: ServingDemand,
    concurrencies: Floats,
    software_month: float,
    *,
    outputs: float | None = None,
) -> InferenceCases:
    """Layouts as cases of separate prefill; one output token where they only prefill."""
    cases = serving_cases(
        layouts, parts, demand.model,
        concurrencies=concurrencies,
        input_tokens=max(demand.input_tokens * (1.0 - demand.prefix_cached_fraction), 1.0),
        output_tokens=max(demand.output_tokens, 1.0) if outputs is None else outputs,
        kv_precision=demand.kv_precision,
        software_month=software_month,
        assumed=0,
    )  # fmt: skip
    return replace(cases, disaggregated=np.ones(len(cases), dtype=bool))


def _until_quick(roles: _Roles, demand: ServingDemand, first: Floats, second: Floats) -> Floats:
    """Prefill replicas, more of them where waiting alone breaks the first-token target."""
    target = demand.slo.ttft_s
    if target is None or demand.is_batch:
        return first
    z = Z_OF.get(demand.slo.percentile, Z_OF[0.95])
    settled = np.zeros(len(first), dtype=bool)
    for step in MORE_REPLICAS:
        tried = np.where(settled, first, np.ceil(first * step))
        quick = _ttft_s(roles, roles.decode, demand, tried, second, z=z) <= target
        first = np.where(settled, first, tried)
        settled |= quick
        if settled.all():
            break
    return first


def _ttft_s(
    roles: _Roles,
    limit: ServingPoint,
    demand: ServingDemand,
    first: Floats,
    second: Floats,
    *,
    z: float,
) -> Floats:
    """First token at a percentile: queue and prompt, then hand-over, a place and its first step."""
    point = roles.prefill
    inputs = lognormal_spread(mean=demand.input_tokens, p95=demand.input_tokens_p95)
    if demand.is_batch:  # nobody waits
        return np.asarray(point.prefill_s + roles.move_s + 1.5 * roles.decode.decode_step_s)
    nothing = np.zeros(len(first))
    shared = {
        "arrivals_per_s": demand.requests_per_s_peak,
        "arrival_cv": demand.burstiness_cv,
        "prompt_sigma": inputs,
    }
    prompts = Station(
        request_s=point.request_s,
        prefill_s=point.prefill_s,
        busy_prefill_s=np.minimum(point.busy_prefill_s, point.prefill_s),
        step_s=nothing,
        replicas=np.maximum(first, 1.0),
        places=np.maximum(point.max_concurrency, 1.0),
        capacity_per_s=point.requests_per_s.value,
        output_sigma=inputs,
        **shared,
    )
    places = Station(
        request_s=roles.decode.decode_step_s,
        prefill_s=roles.move_s,
        busy_prefill_s=roles.move_s,
        step_s=roles.decode.decode_step_s,
        replicas=np.maximum(second, 1.0),
        places=np.maximum(limit.concurrency, 1.0),
        capacity_per_s=limit.requests_per_s.value,
        output_sigma=lognormal_spread(mean=demand.output_tokens, p95=demand.output_tokens_p95),
        **shared,
    )
    with np.errstate(invalid="ignore", over="ignore"):
        prompts_s = first_token_s(prompts, z=z)
        handed_s = first_token_s(places, z=z)
    total = prompts_s + handed_s
    return np.asarray(np.where(np.isfinite(total), total, np.inf))


def _common(
    roles: _Roles, limit: ServingPoint, demand: ServingDemand, first: Ints, second: Ints
) -> Sizing:
    """What both pools of a pair share: latencies, targets met, the pair's throughput."""
    slo = demand.slo
    z = Z_OF.get(slo.percentile, Z_OF[0.95])
    one, two = first.astype(np.float64), second.astype(np.float64)
    busy = roles.decode
    like = roles.prefill.ttft_p50_s
    ttft = {
        name: _ttft_s(roles, limit, demand, one, two, z=each)
        for name, each in (("p50", 0.0), ("p95", Z_OF[0.95]), ("p99", Z99))
    }
    tpot = {
        name: percentile_of(busy.tpot_p50_s.value, busy.tpot_p99_s.value, each)
        for name, each in (("p50", 0.0), ("p95", Z_OF[0.95]), ("p99", Z99))
    }
    tpot_slo = percentile_of(busy.tpot_p50_s.value, busy.tpot_p99_s.value, z)
    ttft_slo = _ttft_s(roles, limit, demand, one, two, z=z)
    rate = np.minimum(one * roles.prefill.requests_per_s.value, two * limit.requests_per_s.value)
    tail = 1.0 - 0.5 * (1.0 + erf(z / sqrt(2.0)))
    answer_s = ttft_slo + max(demand.output_tokens - 1.0, 0.0) * tpot_slo
    answer_s = answer_s + stages_s(demand, tail=tail)
    e2e = {
        name: e2e_s(ttft[name], tpot[name], demand, z=each)
        for name, each in (("p50", 0.0), ("p99", Z99))
    }
    users = limit.concurrency * rate / np.maximum(limit.requests_per_s.value, _LEAST)
    figures = {
        **{f"ttft_{name}_s": scaled_like(like, value) for name, value in ttft.items()},
        **{f"tpot_{name}_s": scaled_like(busy.tpot_p50_s, value) for name, value in tpot.items()},
        **{f"e2e_{name}_s": scaled_like(busy.tpot_p50_s, value) for name, value in e2e.items()},
        "output_tokens_per_s": scaled_like(limit.output_tokens_per_s, rate * demand.output_tokens),
        "requests_per_s": scaled_like(limit.requests_per_s, rate),
        "users_at_slo": scaled_like(limit.requests_per_s, users),
    }
    return _shared(figures, answer_s, demand, ttft_slo, tpot_slo)


def _shared(
    figures: dict[str, Band],
    answer_s: Floats,
    demand: ServingDemand,
    ttft_s: Floats,
    tpot_s: Floats,
) -> Sizing:
    """A sizing with the pair's columns; those of one pool are filled in by `_pool`."""
    slo, rows = demand.slo, len(answer_s)
    ones, none = np.ones(rows, dtype=bool), np.zeros(rows, dtype=np.int64)
    nothing = np.zeros(rows)
    return Sizing(
        accelerator=none, precision=none, engine=none, tensor=none, pipeline=none, expert=none,
        attention_data=none, replicas=none, chips_per_replica=none, concurrency=nothing,
        utilisation=nothing,
        hours_per_month=np.full(rows, demand.active_hours_per_month),
        capacity_low=nothing, capacity_high=nothing,
        wait_s=answer_s,
        figures=figures,
        fits=ones,
        meets_ttft=ones if slo.ttft_s is None else np.asarray(ttft_s <= slo.ttft_s * 1.001),
        meets_tpot=ones if slo.tpot_s is None else np.asarray(tpot_s <= slo.tpot_s * 1.001),
        meets_e2e=ones if slo.e2e_s is None else np.asarray(answer_s <= slo.e2e_s * 1.001),
        needed_bytes=nothing, available_bytes=nothing, binding=np.full(rows, ""),
        measured=np.full(rows, ""), extrapolated=np.zeros(rows, dtype=bool),
    )  # fmt: skip


def _pool(
    cases: InferenceCases,
    point: ServingPoint,
    demand: ServingDemand,
    replicas: Ints,
    common: Sizing,
) -> Sizing:
    """One pool of each pair: its layout, its replicas and how busy they are."""
    rate = np.maximum(point.requests_per_s.value, _LEAST)
    return replace(
        common,
        **of_layouts(cases, point),
        replicas=replicas,
        utilisation=np.minimum(demand.requests_per_s_mean / (replicas * rate), 1.0),
        fits=point.fits & holds_the_longest(point, demand) & np.isfinite(common.wait_s),
        binding=point.binding,
    )
