"""How well the serving model predicts groups it never saw, and the ranges that follow."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advisor.engine.cases import Floats, Ints
from advisor.engine.serving.evidence import Observations, some_rows
from advisor.engine.serving.fit import Fit, fit
from advisor.engine.serving.layouts import best_layouts
from advisor.engine.serving.outcomes import TARGETS, is_limited, predicted, some_cases
from advisor.engine.serving.parameters import parameter_columns
from advisor.engine.serving.performance import SPREAD_CLASSES, spread_classes

COVERED = 0.8
NORMAL_80 = 1.2816
_FEW = 20  # rows below which a class borrows its spread from the whole


def folds_of(groups: NDArray[np.str_], count: int, *, seed: int = 0) -> Ints:
    """Fold of each row, whole groups at a time, about equally many groups each."""
    names = np.unique(groups)
    order = np.random.default_rng(seed).permutation(len(names))
    fold = {name: int(position % count) for name, position in zip(names, order, strict=True)}
    return np.array([fold[name] for name in groups], dtype=np.int64)


def cross_validated(observed: Observations, *, folds: Ints, rounds: int = 2) -> Floats:
    """Logarithms by target and row, each fold predicted by a fit that never saw it."""
    out = np.full((len(TARGETS), len(observed)), np.nan)
    for fold in np.unique(folds):
        inside, outside = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        parameters = fit(some_rows(observed, inside), rounds=rounds).parameters
        part = best_layouts(some_cases(observed.published, outside), parameters)
        guess = predicted(part, parameter_columns(part.cases, parameters, part.use))
        out[:, outside] = np.log([guess[name] for name in TARGETS])
    return out


def left_out(found: Fit, groups: NDArray[np.str_]) -> Floats:
    """Logarithms by target and row as if each row's group had been kept out of the fit.

    One Newton step away from the optimum without the group's rows, in the linear model that
    the fit ends with: a cross-validation over all groups for the price of one fit.

    Source: R. Cook and S. Weisberg, "Residuals and Influence in Regression", 1982, section
    2.2, by blocks of rows.
    """
    design, prior = found.design, 1.0 / found.design.prior**2
    count, shape = len(design.names), found.guess.shape
    jacobian = np.empty((count, *shape))
    for index, (number, indicator) in enumerate(design.rows_of):
        jacobian[index] = found.slopes[number] * indicator
    precision = found.weight**2 * found.robust
    measured = np.stack([found.observed.measured[name] for name in TARGETS])
    residual = np.where(found.weight > 0.0, np.log(measured) - found.guess, 0.0)
    flat = jacobian.reshape(count, -1)
    normal = (flat * precision.ravel()) @ flat.T + np.diag(prior)
    gradient = (flat * precision.ravel()) @ residual.ravel() - prior * found.theta
    out = found.guess.copy()
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        block = jacobian[:, :, rows].reshape(count, -1)
        weighted = block * precision[:, rows].ravel()
        step = np.linalg.solve(
            normal - weighted @ block.T, gradient - weighted @ residual[:, rows].ravel()
        )
        out[:, rows] += np.einsum("p,ptr->tr", step, jacobian[:, :, rows])
    return out


def errors_of(observed: Observations, logs: Floats) -> Floats:
    """Logarithm of predicted over measured; nan where nothing was measured or trusted."""
    measured = np.log(np.stack([observed.measured[name] for name in TARGETS]))
    usable = (observed.trust > 0.0) & ~observed.published.cases.speculative
    return np.where(usable, logs - measured, np.nan)


def observed_classes(observed: Observations) -> NDArray[np.str_]:
    """Class of each row that shares a range with it."""
    classes = spread_classes(observed.published.cases, is_limited(observed.published))
    return np.array(SPREAD_CLASSES)[classes]


def spreads(observed: Observations, errors: Floats) -> dict[str, dict[str, float]]:
    """Standard errors whose 80 % range holds 80 % of rows out of group, by target and class."""
    classes = observed_classes(observed)
    out: dict[str, dict[str, float]] = {}
    for index, name in enumerate(TARGETS):
        error = np.abs(errors[index])
        whole = _spread(error)
        out[name] = {"": whole}
        for each in np.unique(classes):
            part = error[classes == each]
            known = np.isfinite(part).sum() >= _FEW
            out[name][str(each)] = _spread(part) if known else whole
    return out


def _spread(error: Floats) -> float:
    error = error[np.isfinite(error)]
    return round(float(np.quantile(error, COVERED)) / NORMAL_80, 4) if len(error) else 0.35


def report(observed: Observations, errors: Floats) -> list[dict[str, Any]]:
    """Median and 90th percentile of the absolute percentage error by target and who measured.

    Rates by vendor and scenario; percentiles at benchmark limits apart; speculative decoding
    is not in it.
    """
    scenario = observed.published.scenario
    limited = np.isin(scenario, ("server", "interactive"))
    lines: list[dict[str, Any]] = []

    def add(what: str, index: int, mask: NDArray[np.bool_]) -> None:
        error = errors[index][mask & np.isfinite(errors[index])]
        if len(error):
            ape = np.abs(np.expm1(error))
            lines.append(
                {
                    "target": TARGETS[index],
                    "rows": what,
                    "n": len(error),
                    "median_ape": float(np.median(ape)),
                    "p90_ape": float(np.quantile(ape, 0.9)),
                }
            )

    for index, name in enumerate(TARGETS):
        for vendor in np.unique(observed.vendor):
            add(str(vendor), index, observed.vendor == vendor)
        if name == "output_tokens_per_s":
            for each in np.unique(scenario):
                add(f"NVIDIA {each}", index, (observed.vendor == "NVIDIA") & (scenario == each))
        elif np.isfinite(errors[index][limited]).any():
            add("under benchmark limits", index, limited)
    return lines


def order_share(observed: Observations, logs: Floats, *, apart: float = 1.2) -> tuple[float, int]:
    """Share of pairs of parts put in the right order, and how many pairs there are.

    Two rows of one model, scenario and lengths on different parts whose measured rates of the
    whole deployment differ by more than a fifth.
    """
    rate = observed.measured["output_tokens_per_s"]
    cases, scenario = observed.published.cases, observed.published.scenario
    usable = np.flatnonzero(np.isfinite(rate) & (observed.trust > 0.0) & ~cases.speculative)
    keys: dict[tuple[Any, ...], list[int]] = {}
    for row in usable:
        key = (
            cases.model[row],
            scenario[row],
            round(float(cases.input_tokens[row])),
            round(float(cases.output_tokens[row]), -2),
            cases.concurrency[row],
        )
        keys.setdefault(key, []).append(int(row))
    right = total = 0
    for rows in keys.values():
        for first in rows:
            for second in rows:
                if cases.accelerator[first] >= cases.accelerator[second]:
                    continue
                truth = np.log(rate[first] / rate[second])
                if abs(truth) > np.log(apart):
                    total += 1
                    right += (logs[0, first] - logs[0, second]) * truth > 0.0
    return (right / total if total else float("nan")), total


def document(found: Fit, *, lengths: Mapping[str, tuple[float, float]]) -> dict[str, Any]:
    """The serving section of a calibration, with ranges from groups left out."""
    observed = found.observed
    errors = errors_of(observed, left_out(found, observed.group))
    cases = observed.published.cases
    trusted = observed.trust > 0.0
    parts = sorted({cases.accelerators[i].slug for i in cases.accelerator[trusted]})
    models = sorted({cases.models[i].slug for i in cases.model[trusted]})
    return {
        "offsets": {name: dict(keys) for name, keys in found.parameters.offsets.items()},
        "spreads": spreads(observed, errors),
        "lengths": {slug: list(pair) for slug, pair in lengths.items()},
        "evidence": {"parts": parts, "models": models},
        "rows": int(trusted.sum()),
    }
