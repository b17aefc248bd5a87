"""What published configurations come to, by target: closed loops and limited rates alike."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from advisor.engine.cases import Bools, Floats, Ints
from advisor.engine.serving.performance import (
    SteadyState,
    highest_concurrency,
    rows_of,
    steady_state,
    with_concurrency,
)
from advisor.engine.serving.published import PublishedCases, with_prompts

TARGETS = (
    "output_tokens_per_s",
    "ttft_mean_s",
    "ttft_p50_s",
    "ttft_p99_s",
    "tpot_mean_s",
    "tpot_p50_s",
    "tpot_p99_s",
)


def some_cases(published: PublishedCases, rows: Ints) -> PublishedCases:
    """Some rows of published cases."""
    return replace(
        published,
        cases=rows_of(published.cases, rows),
        scenario=published.scenario[rows],
        use=published.use[rows],
        ttft_p99_limit_s=published.ttft_p99_limit_s[rows],
        tpot_p99_limit_s=published.tpot_p99_limit_s[rows],
        layout_open=published.layout_open[rows],
        notes=tuple(published.notes[i] for i in rows),
    )


def is_limited(published: PublishedCases) -> Bools:
    """Rows that mean the highest rate under latency limits."""
    return np.isin(published.scenario, ("server", "interactive")) & ~np.isfinite(
        published.cases.concurrency
    )


def predicted(published: PublishedCases, columns: Mapping[str, Floats]) -> dict[str, Floats]:
    """Physics of published cases, by target; rates of cases that do not fit are not zeroed."""
    published = with_prompts(published, columns["prompt"])
    limited = is_limited(published)
    rows = len(published.cases)
    out = {name: np.empty(rows) for name in (*TARGETS, "requests_per_s", "running")}
    for mask, open_loop in ((~limited, False), (limited, True)):
        chosen = np.flatnonzero(mask)
        if not len(chosen):
            continue
        state = _state(some_cases(published, chosen), _picked(columns, chosen, rows), open_loop)
        for name in out:
            value = getattr(state, "tpot_mean_s" if name == "tpot_p50_s" else name)
            out[name][chosen] = value
    return out


def _state(part: PublishedCases, columns: Mapping[str, Floats], open_loop: bool) -> SteadyState:  # noqa: FBT001
    if not open_loop:
        return steady_state(part.cases, columns)
    found, _ = highest_concurrency(
        part.cases,
        columns,
        ttft_p99_limit_s=part.ttft_p99_limit_s,
        tpot_p99_limit_s=part.tpot_p99_limit_s,
    )
    return steady_state(with_concurrency(part.cases, found), columns, open_loop=True)


def _picked(columns: Mapping[str, Floats], rows: Ints, size: int) -> dict[str, Floats]:
    return {
        name: value[rows] if np.ndim(value) and len(value) == size else value
        for name, value in columns.items()
    }
