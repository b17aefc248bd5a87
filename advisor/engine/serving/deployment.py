"""Deployments gathered for timing: all that does not depend on how many requests run."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from advisor.engine.cases import Bools, Floats, InferenceCases, Ints
from advisor.engine.serving.footprint import decode_replicas, footprint_of
from advisor.engine.serving.parameters import ServingParameters, parameter_columns
from advisor.engine.serving.steps import (
    PassTime,
    Replica,
    decode_pass,
    gather_replica,
    marginal_prefill_s,
    prefill_pass,
    scaled,
)
from advisor.engine.serving.tables import (
    AcceleratorTable,
    ModelTable,
    accelerator_table,
    model_table,
)

LEAST = 1e-12
_WORTH_FOLDING = 0.6  # share of distinct rows below which repeated ones are computed once
_OF_LOAD = frozenset({"concurrency", "assumed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployments:
    """Columns over the cases; `apart` is None where no case has chips that only prefill."""

    replica: Replica
    replicas: Floats
    prefill_replicas: Floats
    apart: Bools | None
    outputs: Floats
    context: Floats
    cap: Floats  # requests the engine of one replica runs at once
    most: Floats  # requests one replica runs at once, by memory and engine
    held: Floats  # requests the memory holds, whole deployment
    fits: Bools
    alone_s: Floats  # one prompt, no queue
    marginal_s: Floats  # one prompt more on a busy replica
    prefill_rate: Floats
    ceiling: Floats  # requests a second at the peak of all units
    step_floor_s: Floats  # of a decode step, at the full memory bandwidth
    decode: Floats
    gain: Floats
    wait: Floats
    crowd: Floats
    first_steps: Floats
    admit_s: Floats
    request_s: Floats
    cold_s: Floats
    median: Floats
    tail_tpot: Floats
    tail_ttft: Floats


def decode_step(deployed: Deployments, inside: Floats) -> PassTime:
    """One token for each running request, never faster than weights can be read."""
    step = scaled(
        decode_pass(
            deployed.replica,
            sequences=np.maximum(inside, 1.0),
            context_tokens=deployed.context,
        ),
        deployed.decode,
    )
    return replace(step, total_s=np.maximum(step.total_s, deployed.step_floor_s))


def folded_deployments(cases: InferenceCases, parameters: ServingParameters) -> Deployments:
    """Gather the cases at fitted parameters; runs of rows that differ in load alone only once.

    Candidates come as layouts times concurrencies, so that a run is a layout.
    """
    starts, of_row = _runs(cases)
    if len(starts) > _WORTH_FOLDING * len(cases):
        return deployments(cases, parameter_columns(cases, parameters))
    few = _picked(cases, starts)
    return _unfolded(deployments(few, parameter_columns(few, parameters)), of_row, len(starts))


def _runs(cases: InferenceCases) -> tuple[Ints, Ints]:
    """First row of each run of rows equal but for their load, and the run of each row."""
    changes = np.zeros(len(cases), dtype=bool)
    changes[:1] = True
    for name, column in _columns_of(cases).items():
        if name not in _OF_LOAD:
            differs = column[1:] != column[:-1]
            if column.dtype.kind == "f":
                differs &= ~(np.isnan(column[1:]) & np.isnan(column[:-1]))
            changes[1:] |= differs
    return np.flatnonzero(changes), np.cumsum(changes) - 1


def _columns_of(cases: InferenceCases) -> dict[str, np.ndarray]:
    values = {f.name: getattr(cases, f.name) for f in fields(InferenceCases)}
    return {name: value for name, value in values.items() if isinstance(value, np.ndarray)}


def _picked(cases: InferenceCases, rows: Ints) -> InferenceCases:
    picked: dict[str, Any] = {n: value[rows] for n, value in _columns_of(cases).items()}
    return replace(cases, **picked)


def _unfolded(few: Deployments, of_row: Ints, size: int) -> Deployments:
    def spread(value: object) -> object:
        if isinstance(value, np.ndarray) and value.ndim and len(value) == size:
            return value[of_row]
        return value

    replica = Replica(
        **{
            f.name: {k: spread(v) for k, v in few.replica.parameters.items()}
            if f.name == "parameters"
            else spread(getattr(few.replica, f.name))
            for f in fields(Replica)
        }  # type: ignore[arg-type]
    )
    rest = {f.name: spread(getattr(few, f.name)) for f in fields(Deployments)}
    return Deployments(**{**rest, "replica": replica})  # type: ignore[arg-type]


def deployments(cases: InferenceCases, columns: Mapping[str, Floats]) -> Deployments:
    """Gather the cases at parameters given as columns.

    Source: advisor.engine.serving.footprint and advisor.engine.serving.steps.
    """
    parts, models = accelerator_table(cases.accelerators), model_table(cases.models)
    replica = gather_replica(cases, parts, models, columns)
    memory = footprint_of(cases, parts, models)
    replicas = decode_replicas(cases)
    outputs = np.maximum(cases.output_tokens, 1.0)
    cap = columns["batch_cap"] * replica.attention_data
    prefill_replicas, apart, prefiller = _prefillers(cases, replica, replicas, parts, models)
    prompt = cases.input_tokens
    alone = scaled(prefill_pass(prefiller, prompt_tokens=prompt), columns["prefill"])
    marginal_s = (
        columns["mix"] * columns["prefill"] * marginal_prefill_s(prefiller, prompt_tokens=prompt)
        + columns["ingest_s"] / prefiller.attention_data
    )
    flops = 2.0 * active_params(models)[cases.model] * (prompt + outputs)
    peak = parts.peak_flops_per_s.max(axis=1)[cases.accelerator]
    floor_s = replica.dense_bytes * replica.stages / parts.bandwidth_bytes_per_s[cases.accelerator]
    rows = len(cases)

    def full(value: Floats) -> Floats:
        return np.broadcast_to(value, rows)

    return Deployments(
        replica=replica,
        replicas=replicas,
        prefill_replicas=prefill_replicas,
        apart=apart,
        outputs=outputs,
        context=prompt + 0.5 * outputs,
        cap=cap,
        most=np.minimum(memory.max_concurrency / replicas, cap),
        held=memory.max_concurrency,
        fits=memory.fits,
        alone_s=alone.total_s,
        marginal_s=marginal_s,
        prefill_rate=prefill_replicas / np.maximum(marginal_s, LEAST),
        ceiling=cases.accelerator_count * peak / flops,
        step_floor_s=floor_s,
        decode=full(columns["decode"]),
        gain=np.where(cases.speculative, columns["gain"], 1.0),
        wait=full(columns["wait"]),
        crowd=full(columns["crowd"]),
        first_steps=full(columns["first_steps"]),
        admit_s=full(columns["admit_s"]),
        request_s=full(columns["request_s"]),
        cold_s=full(columns["cold_s"]),
        median=full(columns["median"]),
        tail_tpot=full(columns["tail_tpot"]),
        tail_ttft=full(columns["tail_ttft"]),
    )


def active_params(models: ModelTable) -> Floats:
    """Parameters that one token multiplies."""
    return np.asarray(
        models.dense_params + models.routed_params * models.experts_per_token / models.experts
    )


def _prefillers(
    cases: InferenceCases,
    replica: Replica,
    replicas: Floats,
    parts: AcceleratorTable,
    models: ModelTable,
) -> tuple[Floats, Bools | None, Replica]:
    """How many replicas prefill, where they are apart from those that decode, and what each is."""
    chips = cases.prefill_accelerators
    if chips is None or not chips.any():
        return replicas, None, replica
    apart = chips > 0
    ranks = cases.prefill_tensor_parallel
    ranks = cases.tensor_parallel if ranks is None else ranks
    ranks = np.where(apart, ranks, cases.tensor_parallel)
    data = np.where(apart & (cases.attention_data_parallel > 1), ranks, 1)
    other = replace(
        cases,
        tensor_parallel=ranks,
        attention_data_parallel=np.where(apart, data, cases.attention_data_parallel),
        expert_parallel=np.where(apart, ranks, cases.expert_parallel),
    )
    count = np.where(apart, chips / (ranks * cases.pipeline_parallel), replicas)
    return count, apart, gather_replica(other, parts, models, replica.parameters)
