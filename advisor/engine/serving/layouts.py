"""The layout an operator would choose where a published row names none: the fastest that fits."""

from dataclasses import replace

import numpy as np

from advisor.engine.cases import Floats, InferenceCases, Ints
from advisor.engine.serving.parameters import USES, ServingParameters, parameter_columns
from advisor.engine.serving.performance import (
    highest_concurrency,
    rows_of,
    steady_state,
    with_concurrency,
)
from advisor.engine.serving.published import PublishedCases

_WIDEST = 64
_LOWEST_CONCURRENCY = 1e-9


def candidate_layouts(cases: InferenceCases) -> tuple[Ints, dict[str, Ints]]:
    """Row index and parallel degrees of every layout worth trying for each case.

    Tensor parallelism in powers of two up to the chips and the fast domain (a node of eight
    without one); mixtures also with experts and attention spread; pipeline stages where
    a node does not hold the model.
    """
    rows: list[int] = []
    degrees: dict[str, list[int]] = {"tensor": [], "pipeline": [], "expert": [], "data": []}

    def add(row: int, tensor: int, pipeline: int, expert: int, data: int) -> None:
        rows.append(row)
        for name, value in zip(degrees, (tensor, pipeline, expert, data), strict=True):
            degrees[name].append(value)

    for row in range(len(cases)):
        part = cases.accelerators[cases.accelerator[row]]
        model = cases.models[cases.model[row]]
        chips = int(cases.accelerator_count[row])
        widest = min(chips, max(part.scale_up_domain, 8), _WIDEST)
        tensor = 1
        while tensor <= widest:
            add(row, tensor, 1, 1, 1)
            if model.experts and tensor > 1:
                add(row, tensor, 1, tensor, 1)
                add(row, tensor, 1, tensor, tensor)
            for pipeline in (2, 4, 8):
                if tensor * pipeline <= chips and (tensor >= min(8, widest) or tensor == 1):
                    add(row, tensor, pipeline, 1, 1)
            tensor *= 2
    return np.array(rows, dtype=np.int64), {
        name: np.array(values, dtype=np.int64) for name, values in degrees.items()
    }


def best_layouts(published: PublishedCases, parameters: ServingParameters) -> PublishedCases:
    """Open rows with the layout of the highest rate, under the row's limits where it has any.

    What fits comes before what does not; among equals the smaller replica wins.
    """
    open_rows = np.flatnonzero(published.layout_open)
    if not len(open_rows):
        return published
    cases = rows_of(published.cases, open_rows)
    index, degrees = candidate_layouts(cases)
    trial = replace(
        rows_of(cases, index),
        tensor_parallel=degrees["tensor"],
        pipeline_parallel=degrees["pipeline"],
        expert_parallel=degrees["expert"],
        attention_data_parallel=degrees["data"],
        prefill_tensor_parallel=degrees["tensor"],
    )
    use = published.use[open_rows][index]
    columns = parameter_columns(trial, parameters, use)
    prompt = np.where(use == USES.index("benchmark"), columns["prompt"], 1.0)
    trial = replace(trial, input_tokens=trial.input_tokens * prompt)
    ttft_limit = published.ttft_p99_limit_s[open_rows][index]
    tpot_limit = published.tpot_p99_limit_s[open_rows][index]
    concurrency = trial.concurrency
    limited = ~np.isfinite(concurrency) & (np.isfinite(ttft_limit) | np.isfinite(tpot_limit))
    if limited.any():
        found, _ = highest_concurrency(
            trial, columns, ttft_p99_limit_s=ttft_limit, tpot_p99_limit_s=tpot_limit
        )
        concurrency = np.where(limited, found, concurrency)
    state = steady_state(with_concurrency(trial, concurrency), columns, open_loop=True)
    meets = (state.ttft_p99_s <= ttft_limit) & (state.tpot_p99_s <= tpot_limit)
    rate = state.output_tokens_per_s * np.where(state.fits, 1.0, _LOWEST_CONCURRENCY)
    rate = rate * np.where(meets, 1.0, 1e-3)
    best = _argmax_by_row(rate, index, len(open_rows))
    return replace(published, cases=_with_degrees(published.cases, open_rows, degrees, best))


def _argmax_by_row(value: Floats, index: Ints, rows: int) -> Ints:
    best = np.zeros(rows, dtype=np.int64)
    order = np.lexsort((-np.arange(len(value)), value, index))
    best[index[order]] = order  # the last of each row, its largest value, stays
    return best


def _with_degrees(
    cases: InferenceCases, rows: Ints, degrees: dict[str, Ints], best: Ints
) -> InferenceCases:
    def put(column: Ints, name: str) -> Ints:
        changed = column.copy()
        changed[rows] = degrees[name][best]
        return changed

    prefill = cases.prefill_tensor_parallel
    return replace(
        cases,
        tensor_parallel=put(cases.tensor_parallel, "tensor"),
        pipeline_parallel=put(cases.pipeline_parallel, "pipeline"),
        expert_parallel=put(cases.expert_parallel, "expert"),
        attention_data_parallel=put(cases.attention_data_parallel, "data"),
        prefill_tensor_parallel=None if prefill is None else put(prefill, "tensor"),
    )
