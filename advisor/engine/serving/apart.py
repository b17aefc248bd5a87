"""Prefill and decode on replicas of their own: what one replica of each does, and the hand-over."""

from dataclasses import replace

import numpy as np

from advisor.engine.calibration import Calibration
from advisor.engine.cases import Floats, InferenceCases
from advisor.engine.serving.deployment import LEAST, decode_step, folded_deployments
from advisor.engine.serving.footprint import kv_bytes_per_sequence
from advisor.engine.serving.performance import (
    ServingPoint,
    SteadyState,
    binding_of,
    point_of,
    serving_parameters,
)
from advisor.engine.serving.tables import model_table


def prefill_only(cases: InferenceCases, calibration: Calibration) -> ServingPoint:
    """One replica a case that computes prompts and hands them on: times, and prompts a second.

    A prompt that comes alone takes `prefill_s`; one more on a busy replica takes
    `busy_prefill_s`, which sets the rate. There is no time per output token. Memory holds whole
    prompts, so `cases.output_tokens` should be one.

    Source: the prefill terms of `performance.state_at`; the split after Y. Zhong et al.,
    "DistServe", OSDI 2024, section 3.
    """
    d = folded_deployments(cases, serving_parameters(calibration))
    first = d.alone_s + d.request_s
    rate = np.minimum(d.prefill_rate, d.ceiling)
    nothing = np.zeros(len(cases))
    state = SteadyState(
        running=np.maximum(d.most, 1.0) * d.replicas,
        prefill_s=d.alone_s,
        busy_prefill_s=d.marginal_s,
        request_s=d.request_s,
        handling_s=nothing,
        decode_step_s=nothing,
        ttft_mean_s=first,
        ttft_p50_s=first,
        ttft_p99_s=first,
        tpot_mean_s=nothing,
        tpot_p99_s=nothing,
        requests_per_s=rate,
        output_tokens_per_s=rate,
        max_concurrency=d.held * d.fits,
        fits=d.fits,
        binding=np.zeros(len(cases), dtype=np.int64),
    )
    return point_of(cases, state, calibration)


def decode_only(cases: InferenceCases, calibration: Calibration) -> ServingPoint:
    """One replica a case that goes on from computed prompts, at the case's concurrency.

    No prompt is ever computed in its steps, so a token takes one step whatever arrives. A
    request holds its place for the step under way, its admission and its own steps.

    Source: the decode terms of `performance.state_at`; the split after Y. Zhong et al.,
    "DistServe", OSDI 2024, section 3.
    """
    d = folded_deployments(cases, serving_parameters(calibration))
    inside = np.maximum(np.minimum(cases.concurrency / d.replicas, np.maximum(d.most, 1.0)), LEAST)
    step = decode_step(d, inside)
    token_s = step.total_s / d.gain
    first = d.first_steps * step.total_s + d.admit_s * inside
    rate = np.minimum(inside * d.replicas / (first + d.outputs * token_s), d.ceiling)
    nothing = np.zeros(len(cases))
    state = SteadyState(
        running=inside * d.replicas,
        prefill_s=nothing,
        busy_prefill_s=nothing,
        request_s=nothing,
        handling_s=nothing,
        decode_step_s=step.total_s,
        ttft_mean_s=first,
        ttft_p50_s=first,
        ttft_p99_s=first,
        tpot_mean_s=token_s,
        tpot_p99_s=token_s * (1.0 + d.tail_tpot),
        requests_per_s=rate,
        output_tokens_per_s=rate * d.outputs,
        max_concurrency=np.minimum(d.held, d.cap * d.replicas) * d.fits,
        fits=d.fits,
        binding=binding_of(step),
    )
    return point_of(cases, state, calibration)


def handed_over_bytes(cases: InferenceCases, *, prompt_tokens: float) -> Floats:
    """KV cache and state of one whole prompt, bytes, each value once: what the link carries.

    Source: `footprint.kv_bytes_per_sequence` on a single chip.
    """
    ones = np.ones(len(cases), dtype=np.int64)
    whole = replace(cases, tensor_parallel=ones, pipeline_parallel=ones,
                    attention_data_parallel=ones)  # fmt: skip
    tokens = np.full(len(cases), prompt_tokens)
    return np.asarray(kv_bytes_per_sequence(whole, model_table(cases.models), tokens))
