"""Fit of the serving parameters to published measurements: robust, and shrunk by level."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from advisor.engine.cases import Floats
from advisor.engine.serving.evidence import Observations
from advisor.engine.serving.layouts import best_layouts
from advisor.engine.serving.outcomes import TARGETS, is_limited, predicted
from advisor.engine.serving.parameters import (
    NAMES,
    NO_OFFSETS,
    ServingParameters,
    base_of,
    covariates_of,
    key_tables,
    natural,
)
from advisor.engine.serving.priors import WIDTHS
from advisor.engine.serving.published import PublishedCases

# How much a logarithmic residual of each kind counts: tails and first tokens scatter more.
TARGET_SCALES: Mapping[str, float] = {
    "output_tokens_per_s": 0.12,
    "ttft_mean_s": 0.22,
    "ttft_p50_s": 0.40,
    "ttft_p99_s": 0.50,
    "tpot_mean_s": 0.12,
    "tpot_p50_s": 0.12,
    "tpot_p99_s": 0.22,
}
_NEGLIGIBLE = 1e-4
_STEP = 0.03
_STEP_OF_LIMITED = 0.08  # a bisection resolves no less
_ITERATIONS = 30
_ATTEMPTS = 6
_FIRST_DAMPING = 0.1
_LEAST_DAMPING = 1e-4
_ENOUGH = 5e-4  # relative gain below which a fit has settled
# Degrees of freedom of the errors: rows that contradict all others count little. A fit that
# doubts much from the start may settle where it doubts the right rows, so it begins milder.
_TAILS = 1.0
_TAILS_AT_FIRST = 3.0
_SURE = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """Which offset applies to which row: for each parameter an indicator per key."""

    names: tuple[tuple[str, str], ...]  # (parameter, key), one an offset
    rows_of: tuple[tuple[int, Floats], ...]  # index of the parameter, value by row
    prior: Floats  # width of each offset's prior


def design_of(published: PublishedCases) -> Design:
    """One column an offset that any of the rows can tell something about."""
    tables = key_tables(published.cases, published.use)
    indicators: dict[str, Floats] = {
        "": np.ones(len(published.cases)),
        **covariates_of(published.cases),
    }
    for index, keys in tables:
        for depth in range(len(keys[0])):
            names = np.array([keys[i][depth] for i in index])
            for each in np.unique(names[names != "task:none"]):
                indicators[str(each)] = (names == each).astype(np.float64)
    columns: list[tuple[int, Floats]] = []
    labels: list[tuple[str, str]] = []
    prior: list[float] = []
    for number, name in enumerate(NAMES):
        for key, values in indicators.items():
            level = key.split(":", maxsplit=1)[0]
            if level in WIDTHS[name]:
                labels.append((name, key))
                columns.append((number, values))
                prior.append(WIDTHS[name][level])
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Offsets at the optimum, and the linear model of the residuals around it."""

    parameters: ServingParameters
    observed: Observations  # with the layouts that were chosen
    design: Design
    theta: Floats
    guess: Floats  # logarithms, targets x rows
    slopes: Floats  # parameters x targets x rows
    weight: Floats  # square roots of precision, zero where not measured
    robust: Floats


def fit(observed: Observations, *, rounds: int = 2) -> Fit:
    """Fit, choose the layouts that rows leave open by the fit, and fit again, doubting more."""
    found: Fit | None = None
    for left in reversed(range(rounds)):
        parameters = found.parameters if found else NO_OFFSETS
        published = best_layouts(observed.published, parameters)
        tails = _TAILS_AT_FIRST if left else _TAILS
        found = fit_layouts(replace(observed, published=published), start=found, tails=tails)
    if found is None:
        message = "a fit needs at least one round"
        raise ValueError(message)
    return found


def fit_layouts(observed: Observations, *, start: Fit | None = None, tails: float = _TAILS) -> Fit:
    """Offsets that explain the measurements, each drawn to zero unless rows ask for more.

    Levenberg-Marquardt on logarithmic residuals with Student's t weights, save rows trusted
    beyond one, which are never doubted; the derivative of each row by each physical parameter
    is numeric and shared by all offsets of that parameter.

    Source: K. Lange et al., "Robust Statistical Modeling Using the t Distribution", J. Am.
    Stat. Assoc. 84 (1989); shrinkage as in A. Gelman and J. Hill, "Data Analysis Using
    Regression and Multilevel Models", 2007, chapter 12.
    """
    published = observed.published
    design = design_of(published)
    truth = np.log(np.stack([observed.measured[name] for name in TARGETS]))
    scale = np.array([TARGET_SCALES[name] for name in TARGETS])[:, None]
    seen = np.isfinite(truth) & (observed.trust > 0.0)
    weight = np.where(seen, np.sqrt(observed.trust) / scale, 0.0)
    truth = np.where(seen, truth, 0.0)
    theta = np.zeros(len(design.names))
    if start is not None and start.design.names == design.names:
        theta = start.theta
    damping = _FIRST_DAMPING
    totals = _totals(design, theta, len(observed))
    guess = _logs(published, totals)
    degrees = np.where(observed.trust > 1.0, _SURE, tails)
    loss = _loss(truth, guess, weight, theta, design, degrees)
    penalty = 1.0 / design.prior**2
    for _ in range(_ITERATIONS):
        slopes = _slopes(published, totals, guess)
        residual = (truth - guess) * weight
        robust = _robust(residual, degrees)
        normal, right = _normal_equations(design, slopes, weight, robust, residual)
        before = loss
        for _attempt in range(_ATTEMPTS):
            system = normal + np.diag(penalty * (1.0 + damping))
            step = np.linalg.solve(system, right - penalty * theta)
            candidate = theta + np.clip(step, -1.0, 1.0)
            new_totals = _totals(design, candidate, len(observed))
            new_guess = _logs(published, new_totals)
            new_loss = _loss(truth, new_guess, weight, candidate, design, degrees)
            if new_loss < loss:
                theta, totals, guess, loss = candidate, new_totals, new_guess, new_loss
                damping = max(damping / 4.0, _LEAST_DAMPING)
                break
            damping *= 6.0
        if before - loss < _ENOUGH * before:
            break
    return Fit(
        parameters=_parameters(design, theta),
        observed=observed,
        design=design,
        theta=theta,
        guess=guess,
        slopes=_slopes(published, totals, guess),
        weight=weight,
        robust=_robust((truth - guess) * weight, degrees),
    )


def _robust(residual: Floats, degrees: Floats) -> Floats:
    return np.asarray((degrees + 1.0) / (degrees + residual**2))


def _loss(
    truth: Floats, guess: Floats, weight: Floats, theta: Floats, design: Design, degrees: Floats
) -> float:
    residual = np.where(weight > 0.0, truth - guess, 0.0) * weight
    student = 0.5 * (degrees + 1.0) * np.log1p(residual**2 / degrees)
    return float(student.sum() + 0.5 * np.sum((theta / design.prior) ** 2))


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
    target, row = np.nonzero(weight)
    parts = [slopes[number][target, row] * weight[target, row] for number in range(len(NAMES))]
    jacobian = np.stack([parts[number] * indicator[row] for number, indicator in design.rows_of])
    scaled = jacobian * robust[target, row]
    return scaled @ jacobian.T, scaled @ residual[target, row]


def _parameters(design: Design, theta: Floats) -> ServingParameters:
    offsets: dict[str, dict[str, float]] = {}
    for (name, key), value in zip(design.names, theta, strict=True):
        if abs(value) > _NEGLIGIBLE:
            offsets.setdefault(name, {})[key] = round(float(value), 4)
    return ServingParameters(offsets=offsets)
