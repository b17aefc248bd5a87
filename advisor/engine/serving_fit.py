"""Fit of the serving parameters to published measurements: robust, shrunk, and cross-validated."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advisor.engine.cases import Bools, Floats, Ints
from advisor.engine.serving import (
    SteadyState,
    highest_concurrency,
    rows_of,
    steady_state,
    with_concurrency,
)
from advisor.engine.serving_layouts import best_layouts
from advisor.engine.serving_parameters import (
    NAMES,
    ServingParameters,
    base_of,
    key_tables,
    natural,
    parameter_columns,
    software_years,
)
from advisor.engine.serving_published import PublishedCases, published_cases
from catalog.specs import AcceleratorSpec, BenchmarkLimit, ModelSpec, ServingMeasurement

TARGETS = (
    "output_tokens_per_s",
    "ttft_mean_s",
    "ttft_p50_s",
    "ttft_p99_s",
    "tpot_mean_s",
    "tpot_p50_s",
    "tpot_p99_s",
)
# How much a logarithmic residual of each kind counts: tails and first tokens scatter more.
TARGET_SCALES: Mapping[str, float] = {
    "output_tokens_per_s": 0.10,
    "ttft_mean_s": 0.25,
    "ttft_p50_s": 0.30,
    "ttft_p99_s": 0.60,
    "tpot_mean_s": 0.08,
    "tpot_p50_s": 0.10,
    "tpot_p99_s": 0.15,
}
# Trust by source, after how each defines and audits its numbers; zero is context only.
TRUST: tuple[tuple[str, float], ...] = (
    (r"README performance table|Groq|Cerebras|SambaNova", 0.0),
    (r"LMSYS|Gemma 4 MTP|press summary", 0.1),
    (r"MLPerf Inference v6\.1", 0.6),
    (r"Gaudi model performance|Neuron|JetStream|tpu-recipes|performance-benchmark", 0.6),
)
# Widths of the normal priors on offsets, by the level they apply to.
PRIORS: Mapping[str, float] = {
    "": 1.0,
    "year": 0.3,
    "family": 0.25,
    "vendor": 0.30,
    "generation": 0.30,
    "part": 0.20,
    "kind": 0.30,
    "attention": 0.30,
    "model": 0.20,
    "engine": 0.30,
    "precision": 0.25,
    "use": 0.25,
    "units": 0.2,
    "port": 0.2,
    "kernels": 0.2,
    "pair": 0.15,
    "station": 0.3,
}
_MACHINE = frozenset({"", "family", "vendor", "generation", "part"})
_SOFTWARE = frozenset({"", "engine", "use", "port"})
_MODEL = frozenset({"kind", "attention", "model", "kernels"})
DEPENDS_ON: Mapping[str, frozenset[str]] = {
    "matmul": _MACHINE | _SOFTWARE | {"kind", "model", "precision", "units", "year", "pair"},
    "bandwidth": _MACHINE | _SOFTWARE | {"kind", "model", "precision", "units", "pair"},
    "attention": _MACHINE | _SOFTWARE | {"attention", "model"},
    "cache": _MACHINE | _SOFTWARE | {"attention", "model"},
    "experts": _MACHINE | _SOFTWARE | {"precision", "units", "model", "kernels", "year"},
    "link": _MACHINE | _SOFTWARE,
    "layer_s": _MACHINE | _SOFTWARE | _MODEL | {"precision", "units", "year", "pair"},
    "step_s": _MACHINE | _SOFTWARE,
    "hop_s": _MACHINE | _SOFTWARE,
    "thin": frozenset({""}),
    "expert_rows": frozenset({""}),
    "traffic": frozenset({"", "engine", "generation"}),
    "permute": frozenset({"", "engine"}),
    "spread": frozenset({""}),
    "eager_s": _MACHINE | _SOFTWARE | _MODEL,
    "overlap": frozenset({"", "engine"}),
    "skew": frozenset({"", "engine"}),
    "mix": _SOFTWARE | {"vendor"},
    "request_s": _MACHINE | _SOFTWARE | _MODEL | {"year", "pair", "station"},
    "wait": _SOFTWARE | {"vendor", "generation", "pair", "station"},
    "ingest_s": _SOFTWARE | {"vendor", "generation", "model", "pair"},
    "gain": frozenset({"", "engine", "generation", "use"}),
    "batch_cap": _SOFTWARE,
    "tail_tpot": _SOFTWARE | {"vendor"},
    "tail_ttft": _SOFTWARE | {"vendor"},
}
_NEGLIGIBLE = 1e-4
_STEP = 0.03
_STEP_OF_LIMITED = 0.08  # a bisection resolves no less
_ITERATIONS = 25
_ROBUST = 1.5  # residuals beyond so many scales count like their root


@dataclass(frozen=True, slots=True, kw_only=True)
class Observations:
    """Measured rows as cases, what they measured, and how far they are trusted."""

    published: PublishedCases
    measured: Mapping[str, Floats]  # by target; nan where not measured
    trust: Floats
    group: NDArray[np.str_]  # accelerator x model
    source: NDArray[np.str_]
    vendor: NDArray[np.str_]
    identity: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.trust)


def trust_of(source: str) -> float:
    """Weight of a source in the fit, from zero to one."""
    return next((weight for pattern, weight in TRUST if re.search(pattern, source)), 1.0)


def typical_lengths(
    rows: Iterable[ServingMeasurement],
) -> dict[str, tuple[float, float]]:
    """Median input and output tokens of benchmark entries by model, for rows that name none."""
    seen: dict[str, tuple[list[float], list[float]]] = {}
    for row in rows:
        if row.model_slug and row.scenario != "concurrency" and row.output_tokens:
            entry = seen.setdefault(row.model_slug, ([], []))
            entry[1].append(row.output_tokens)
            if row.input_tokens:
                entry[0].append(row.input_tokens)
    return {
        slug: (
            float(np.median(inputs)) if inputs else 1024.0,
            float(np.median(outputs)),
        )
        for slug, (inputs, outputs) in sorted(seen.items())
    }


def observations(
    rows: Sequence[ServingMeasurement],
    *,
    accelerators: Sequence[AcceleratorSpec],
    models: Sequence[ModelSpec],
    limits: Sequence[BenchmarkLimit],
    lengths: Mapping[str, tuple[float, float]],
) -> Observations:
    """The rows of language models that measured a rate or a latency of tokens."""
    parts = {part.slug: part for part in accelerators}
    index = {model.slug: i for i, model in enumerate(models)}
    kept = [
        row
        for row in rows
        if row.accelerator_slug in parts
        and row.model_slug in index
        and models[index[row.model_slug]].kind in ("dense_llm", "moe_llm")
        and any(getattr(row, name) for name in TARGETS)
    ]
    published = published_cases(
        kept,
        accelerators=accelerators,
        models=models,
        row_models=[index[row.model_slug] for row in kept],
        limits=limits,
        lengths=lengths,
    )
    return Observations(
        published=published,
        measured={
            name: np.array([getattr(row, name) or np.nan for row in kept], dtype=np.float64)
            for name in TARGETS
        },
        trust=np.array([trust_of(row.source) for row in kept]),
        group=np.array([f"{row.accelerator_slug}|{row.model_slug}" for row in kept]),
        source=np.array([row.source for row in kept]),
        vendor=np.array([parts[row.accelerator_slug].vendor for row in kept]),
        identity=np.array([row.id for row in kept]),
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


def some_rows(observed: Observations, rows: Ints) -> Observations:
    """Some rows of observations."""
    return Observations(
        published=some_cases(observed.published, rows),
        measured={name: values[rows] for name, values in observed.measured.items()},
        trust=observed.trust[rows],
        group=observed.group[rows],
        source=observed.source[rows],
        vendor=observed.vendor[rows],
        identity=observed.identity[rows],
    )


def is_limited(published: PublishedCases) -> Bools:
    """Rows that mean the highest rate under latency limits."""
    return np.isin(published.scenario, ("server", "interactive")) & ~np.isfinite(
        published.cases.concurrency
    )


def predicted(published: PublishedCases, columns: Mapping[str, Floats]) -> dict[str, Floats]:
    """Physics of published cases, by target; rates of cases that do not fit are not zeroed."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """Which offset applies to which row: for each parameter an indicator per key."""

    names: tuple[tuple[str, str], ...]  # (parameter, key), one an offset
    rows_of: tuple[tuple[int, Floats], ...]  # index of the parameter, value by row
    prior: Floats  # width of each offset's prior


def design_of(published: PublishedCases) -> Design:
    """One column an offset that any of the rows can tell something about."""
    tables = key_tables(published.cases, published.use)
    years = software_years(published.cases)
    indicators: dict[str, Floats] = {"": np.ones(len(published.cases)), "year": years}
    for index, keys in tables:
        for depth in range(len(keys[0])):
            names = np.array([keys[i][depth] for i in index])
            for each in np.unique(names):
                indicators[str(each)] = (names == each).astype(np.float64)
    columns: list[tuple[int, Floats]] = []
    labels: list[tuple[str, str]] = []
    prior: list[float] = []
    for number, name in enumerate(NAMES):
        for key, values in indicators.items():
            level = key.split(":", maxsplit=1)[0]
            if level in DEPENDS_ON[name]:
                labels.append((name, key))
                columns.append((number, values))
                prior.append(PRIORS[level])
    return Design(names=tuple(labels), rows_of=tuple(columns), prior=np.array(prior))


def _totals(design: Design, theta: Floats, rows: int) -> Floats:
    totals = np.empty((len(NAMES), rows))
    for number, name in enumerate(NAMES):
        totals[number] = base_of(name)
    for value, (number, indicator) in zip(theta, design.rows_of, strict=True):
        if value:
            totals[number] += value * indicator
    return totals


def _columns(totals: Floats) -> dict[str, Floats]:
    return {name: natural(name, totals[number]) for number, name in enumerate(NAMES)}


def _logs(published: PublishedCases, totals: Floats) -> Floats:
    out = predicted(published, _columns(totals))
    return np.log(np.maximum(np.stack([out[name] for name in TARGETS]), 1e-12))


def fit(observed: Observations, *, iterations: int = _ITERATIONS) -> ServingParameters:
    """Offsets that explain the measurements, each drawn to zero unless rows ask for more.

    Levenberg-Marquardt on logarithmic residuals with Huber weights; the derivative of each
    row by each physical parameter is numeric and shared by all offsets of that parameter.

    Source: P. Huber, "Robust Estimation of a Location Parameter", Ann. Math. Stat. 35 (1964);
    shrinkage as in A. Gelman, J. Hill, "Data Analysis Using Regression", 2007, chapter 12.
    """
    published = observed.published
    design = design_of(published)
    rows = len(observed)
    truth = np.log(np.stack([observed.measured[name] for name in TARGETS]))
    scale = np.array([TARGET_SCALES[name] for name in TARGETS])[:, None]
    seen = np.isfinite(truth) & (observed.trust > 0.0)
    weight = np.where(seen, np.sqrt(_row_weights(observed)) / scale, 0.0)
    theta = np.zeros(len(design.names))
    damping = 1.0
    totals = _totals(design, theta, rows)
    guess = _logs(published, totals)
    loss = _loss(truth, guess, weight, theta, design)
    for _ in range(iterations):
        slopes = _slopes(published, totals, guess)
        residual = np.where(seen, truth - guess, 0.0) * weight
        robust = np.minimum(1.0, _ROBUST / np.maximum(np.abs(residual), 1e-9))
        normal, right = _normal_equations(design, slopes, weight, robust, residual)
        improved = False
        for _attempt in range(6):
            penalty = 1.0 / design.prior**2
            system = normal + np.diag(penalty * (1.0 + damping))
            step = np.linalg.solve(system, right - penalty * theta)
            candidate = theta + np.clip(step, -1.0, 1.0)
            new_totals = _totals(design, candidate, rows)
            new_guess = _logs(published, new_totals)
            new_loss = _loss(truth, new_guess, weight, candidate, design)
            if new_loss < loss:
                improved = True
                break
            damping = min(damping * 6.0, 1e6)
        if not improved:
            break
        gain = loss - new_loss
        theta, totals, guess, loss = candidate, new_totals, new_guess, new_loss
        damping = max(damping / 4.0, 1e-4)
        if gain < _NEGLIGIBLE * loss:
            break
    return _parameters(design, theta)


def _row_weights(observed: Observations) -> Floats:
    """Trust, and groups that were measured very often count less a row."""
    _, index, counts = np.unique(observed.group, return_inverse=True, return_counts=True)
    return observed.trust / np.maximum(counts[index] / 10.0, 1.0) ** 0.35


def _loss(truth: Floats, guess: Floats, weight: Floats, theta: Floats, design: Design) -> float:
    residual = np.abs(np.where(weight > 0.0, truth - guess, 0.0) * weight)
    huber = np.where(residual <= _ROBUST, 0.5 * residual**2, _ROBUST * residual - 0.5 * _ROBUST**2)
    return float(huber.sum() + 0.5 * np.sum((theta / design.prior) ** 2))


def _slopes(published: PublishedCases, totals: Floats, guess: Floats) -> Floats:
    """Derivative of each target of each row by each parameter."""
    slopes = np.empty((len(NAMES), *guess.shape))
    limited = is_limited(published)
    delta = np.where(limited, _STEP_OF_LIMITED, _STEP)
    for number in range(len(NAMES)):
        moved = totals.copy()
        moved[number] += delta
        slopes[number] = (_logs(published, moved) - guess) / delta
    return np.clip(slopes, -3.0, 3.0)


def _normal_equations(
    design: Design, slopes: Floats, weight: Floats, robust: Floats, residual: Floats
) -> tuple[Floats, Floats]:
    count = len(design.names)
    jacobian = np.empty((count, residual.size))
    for i, (number, indicator) in enumerate(design.rows_of):
        jacobian[i] = (slopes[number] * weight * indicator).ravel()
    used = weight.ravel() > 0.0
    jacobian = jacobian[:, used]
    scaled = jacobian * robust.ravel()[used]
    return scaled @ jacobian.T, scaled @ residual.ravel()[used]


def _parameters(design: Design, theta: Floats) -> ServingParameters:
    offsets: dict[str, dict[str, float]] = {}
    for (name, key), value in zip(design.names, theta, strict=True):
        if abs(value) > _NEGLIGIBLE:
            offsets.setdefault(name, {})[key] = round(float(value), 4)
    return ServingParameters(offsets=offsets)


def with_best_layouts(published: PublishedCases, parameters: ServingParameters) -> PublishedCases:
    """Open layouts replaced by the best the parameters know."""
    return best_layouts(published, parameters)


def folds_of(groups: NDArray[np.str_], count: int, *, seed: int = 0) -> Ints:
    """Fold of each row, whole groups at a time, about equally many groups each."""
    names = np.unique(groups)
    order = np.random.default_rng(seed).permutation(len(names))
    fold = {name: int(position % count) for name, position in zip(names, order, strict=True)}
    return np.array([fold[name] for name in groups], dtype=np.int64)


def cross_validated(observed: Observations, *, folds: Ints, rounds: int = 1) -> dict[str, Any]:
    """Out-of-group predictions by target: each fold predicted by a fit on the others."""
    out = {name: np.full(len(observed), np.nan) for name in TARGETS}
    for fold in np.unique(folds):
        inside = np.flatnonzero(folds != fold)
        outside = np.flatnonzero(folds == fold)
        parameters = fit_with_layouts(some_rows(observed, inside), rounds=rounds)
        part = with_best_layouts(some_cases(observed.published, outside), parameters)
        guess = predicted(part, parameter_columns(part.cases, parameters, part.use))
        for name in TARGETS:
            out[name][outside] = guess[name]
    return out


def fit_with_layouts(observed: Observations, *, rounds: int = 2) -> ServingParameters:
    """Fit, choose the open layouts by the fit, and fit again."""
    parameters = ServingParameters(offsets={})
    for _ in range(rounds):
        published = with_best_layouts(observed.published, parameters)
        parameters = fit(replace(observed, published=published))
    return parameters
