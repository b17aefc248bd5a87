"""Step times of one replica from the performance model that ranked it."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from advisor.engine.calibration import Calibration
from advisor.engine.cases import ENGINES, Floats, InferenceCases
from advisor.engine.latency.step_times import StepTimes
from advisor.engine.serving.deployment import Deployments, decode_step, deployments
from advisor.engine.serving.footprint import GROWN_SHARE, GROWN_SHARE_BY_ENGINE, serving_footprint
from advisor.engine.serving.parameters import parameter_columns
from advisor.engine.serving.performance import rows_of, serving_parameters

CHUNK_TOKENS = 8192
"""Tokens that a step takes at most.

Source: `--max-num-batched-tokens 8192` in the server configurations of InferenceMAX."""
MOST_BATCH = 8192  # requests at once that are worth a table


def steps_of_cases(
    cases: InferenceCases, calibration: Calibration, *, batch_limit: float = np.inf
) -> list[StepTimes]:
    """The step times of each case's replica; see `steps_of_columns`."""
    columns = parameter_columns(cases, serving_parameters(calibration))
    return [
        steps_of_columns(cases, {n: np.asarray(v) for n, v in columns.items()}, row, batch_limit)
        for row in range(len(cases))
    ]


def steps_of_columns(
    cases: InferenceCases, columns: Mapping[str, Floats], row: int, batch_limit: float = np.inf
) -> StepTimes:
    """One case's replica, sampled from the model at every batch size it can run.

    At the case's own lengths the step of every batch is the model's to rounding: that of a
    decode step at context prompt + half the output, and that of a prompt more on a busy replica.
    Beside them, what grows with the context is a straight line through the model's values at
    once and twice the mean context, and a prompt's time a parabola through once and twice
    its length. The KV memory holds as many tokens as the model's number of requests at their
    mean length takes. `batch_limit` is the engine's limit on requests at once, where it is
    set lower than the engine allows.

    Source: advisor.engine.serving.deployment.
    """
    size = len(cases)
    own = {n: v[row : row + 1] if np.ndim(v) and len(v) == size else v for n, v in columns.items()}
    one = rows_of(cases, slice(row, row + 1))
    single = deployments(one, own)
    most = float(np.clip(min(float(single.cap[0]), batch_limit), 1.0, MOST_BATCH))
    batches = np.arange(1.0, int(most) + 1.0)
    fixed, slope = _decode(single, batches)
    prompt = float(one.input_tokens[0])
    each = float(np.ravel(own["ingest_s"])[0]) / float(single.replica.attention_data[0])
    twice = deployments(replace(one, input_tokens=one.input_tokens * 2.0), own)
    busy, busy_2 = (float(at.marginal_s[0]) - each for at in (single, twice))
    linear, quadratic = _through(prompt, max(busy, 0.0), max(busy_2, 0.0))
    # Alone a prompt takes longer than it holds up a busy replica: a constant and a part a token.
    gap, gap_2 = (float(at.alone_s[0] - at.marginal_s[0]) for at in (single, twice))
    late = min(max((gap_2 - gap) / prompt, 0.0), max(gap, 0.0) / prompt)
    engine = ENGINES[int(one.engine[0])]
    grown = GROWN_SHARE_BY_ENGINE.get(engine, GROWN_SHARE)
    held = float(single.held[0] / single.replicas[0])
    tokens = prompt + grown * float(one.output_tokens[0])
    footprint = serving_footprint(one)
    apart = single.apart is not None
    return StepTimes(
        fixed_s=np.concatenate([[0.0], fixed]),
        per_kv_token_s=np.concatenate([[0.0], slope]),
        prefill_s=linear,
        prefill_s2=quadratic,
        prefill_request_s=each,
        idle_prefill_s=max(gap - late * prompt, 0.0),
        prefill_late_s=late,
        admit_s=float(single.admit_s[0]),
        request_s=float(single.request_s[0]),
        chunk_tokens=max(CHUNK_TOKENS, int(most) + 1) if not apart else CHUNK_TOKENS,
        kv_capacity_tokens=max(held, 0.0) * tokens,
        kv_bytes_per_token=float(footprint.kv_bytes_per_token[0])
        * float(one.tensor_parallel[0] * one.pipeline_parallel[0]),
        reserves_output=grown >= 1.0,
    )


def _decode(single: Deployments, batches: Floats) -> tuple[Floats, Floats]:
    """Fixed part and part of each KV token of the decode step of every batch size."""
    context = float(single.context[0])
    at, beyond = (_step_s(single, batches, factor) for factor in (1.0, 2.0))
    slope = np.maximum(beyond - at, 0.0) / (batches * context)
    # What a straight line cannot follow stays in the fixed part, which may not be negative.
    slope = np.minimum(slope, at / (batches * context))
    gain = float(single.gain[0])
    return (at - slope * batches * context) / gain, slope / gain


def _step_s(single: Deployments, batches: Floats, factor: float) -> Floats:
    longer = replace(single, context=single.context * factor)
    return np.asarray(decode_step(longer, batches).total_s, dtype=np.float64)


def _through(at: float, value: float, value_twice: float) -> tuple[float, float]:
    """Linear and quadratic part of a parabola without constant through a point and twice on."""
    quadratic = max((value_twice / 2.0 - value) / at**2, 0.0)
    return max(value / at - quadratic * at, 0.0), quadratic
