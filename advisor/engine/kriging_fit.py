"""Fit of physical parameters and residual components to measured rows, out of group."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from advisor.engine.cases import Floats, Ints
from advisor.engine.kriging import Component, Features, Kriging, learn

Words = NDArray[np.str_]
_LONGEST_STEP = 0.3
_ROUNDS = 5
_TRUSTED = 2.0  # standard deviations within which a row keeps its full weight
_MOST_DOUBT = 1e4
_NORMAL_80 = 1.2816
_COVERED = 0.8
_SCALES = (0.8, 2.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evidence:
    """Measured rows: logarithms of what was measured, and how rows are told apart."""

    measured: Floats
    labels: Mapping[str, Words]
    numbers: Mapping[str, Floats]
    groups: Words  # accelerator and model: what is left out together
    trust: Floats  # 1 is full; lower for rows of lesser definition, higher for one's own

    def __len__(self) -> int:
        return len(self.measured)

    def features(self, rows: Ints, slopes: Floats) -> Features:
        """What some rows are compared by."""
        return Features(
            labels={name: column[rows] for name, column in self.labels.items()},
            numbers={name: column[rows] for name, column in self.numbers.items()},
            slopes=slopes,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """Logarithmic normal priors of the physical parameters, in order."""

    centre: Floats
    width: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fitted:
    """Parameters (logarithms) and residual model, with the columns they were learnt from."""

    theta: Floats
    kriging: Kriging
    residuals: Floats
    doubt: Floats


Physics = Callable[[Floats, Ints], tuple[Floats, Floats]]
"""Logarithm of the prediction of some rows at a parameter vector, and its derivatives by the
parameters (rows x parameters), each times its parameter's prior width."""


def fit(
    physics: Physics,
    prior: Prior,
    components: Sequence[Component],
    evidence: Evidence,
    rows: Ints,
    *,
    noise: float,
) -> Fitted:
    """Fit to some rows: parameters by Gauss-Newton, the rest by conditioning on residuals.

    Rows share what components explain, so a group of many counts little more than one. A row
    that its neighbours contradict is doubted in proportion (Student's t weights).

    Source: generalised least squares and universal kriging, N. Cressie, "Statistics for
    Spatial Data" (1993), section 3.4; robust weights after K. Lange et al., JASA 84 (1989).
    """
    theta = prior.centre.copy()
    trust = 1.0 / evidence.trust[rows]
    doubt = trust.copy()
    for turn in range(_ROUNDS):
        level, slopes = physics(theta, rows)
        shift = (theta - prior.centre) / prior.width
        residuals = evidence.measured[rows] - level + slopes @ shift
        known = evidence.features(rows, slopes)
        kriging = learn(components, known, residuals, noise=noise, doubt=doubt)
        if turn < _ROUNDS - 1:
            target = np.asarray(prior.centre + prior.width * (slopes.T @ kriging.weights))
            theta = theta + np.clip(target - theta, -_LONGEST_STEP, _LONGEST_STEP)
            # A row of more than full trust is never doubted: neighbours yield to it.
            doubt = np.where(trust < 1.0, trust, np.maximum(trust, _doubts(kriging, doubt)))
    return Fitted(theta=theta, kriging=kriging, residuals=residuals, doubt=doubt)


def _doubts(kriging: Kriging, doubt: Floats) -> Floats:
    """Noise variances that make each row's error against all others plausible, as multiples."""
    lower = kriging.factor[0]
    inverse = np.linalg.inv(np.tril(lower))
    precision = np.sum(inverse**2, axis=0)
    error = kriging.weights / precision
    others = np.maximum(1.0 / precision - kriging.noise**2 * doubt, 0.0)
    # The row's own variance must carry what its error has beyond the trusted span.
    excess = (error / _TRUSTED) ** 2 - others
    return np.asarray(np.clip(excess / kriging.noise**2, 1.0, _MOST_DOUBT))


def fit_with_scale(
    physics: Physics,
    prior: Prior,
    components: Sequence[Component],
    evidence: Evidence,
    *,
    noise: float,
    folds: int = 10,
) -> Fitted:
    """Fit to all rows, with ranges as wide as errors out of group ask for."""
    mean, deviation = _folded(
        physics, prior, components, evidence, folds_of(evidence.groups, folds), noise
    )
    ratio = np.abs(evidence.measured - mean) / deviation
    trusted = ratio[evidence.trust >= 1.0]
    state = fit(physics, prior, components, evidence, np.arange(len(evidence)), noise=noise)
    scale = float(np.clip(np.quantile(trusted, _COVERED) / _NORMAL_80, *_SCALES))
    return replace(state, kriging=replace(state.kriging, scale=scale))


def interval_scales(errors: Floats, deviations: Floats, fold: Ints) -> Floats:
    """Widening, by row, at which eight of ten rows of the other folds lie within their range.

    Source: cross-conformal prediction, V. Vovk, Ann. Math. Artif. Intell. 74 (2015), with
    normalised residuals.
    """
    ratio = np.abs(errors) / deviations / _NORMAL_80
    scales = np.ones(len(errors))
    for index in np.unique(fold):
        others = ratio[fold != index] if np.any(fold != index) else ratio
        scales[fold == index] = np.clip(np.quantile(others, _COVERED), *_SCALES)
    return scales


def folds_of(groups: Words, count: int, *, seed: int = 0) -> Ints:
    """The fold of each row; a group is never split."""
    names = np.unique(groups)
    np.random.default_rng(seed).shuffle(names)
    fold = {name: index % count for index, name in enumerate(names)}
    return np.array([fold[group] for group in groups], dtype=np.int64)


def out_of_group(
    physics: Physics,
    prior: Prior,
    components: Sequence[Component],
    evidence: Evidence,
    groups: Words,
    *,
    noise: float,
    folds: int = 10,
) -> tuple[Floats, Floats]:
    """Predicted logarithm and its deviation of every row, by fits that never saw its group.

    Parameters, residuals, doubts and the width of ranges are found anew for each fold.
    """
    fold = folds_of(groups, folds)
    mean, deviation = _folded(physics, prior, components, evidence, fold, noise)
    return mean, deviation * interval_scales(evidence.measured - mean, deviation, fold)


def _folded(
    physics: Physics,
    prior: Prior,
    components: Sequence[Component],
    evidence: Evidence,
    fold: Ints,
    noise: float,
) -> tuple[Floats, Floats]:
    mean, deviation = np.zeros(len(evidence)), np.zeros(len(evidence))
    for index in np.unique(fold):
        seen, unseen = np.flatnonzero(fold != index), np.flatnonzero(fold == index)
        state = fit(physics, prior, components, evidence, seen, noise=noise)
        level, slopes = physics(state.theta, unseen)
        shift, spread = state.kriging.predict(evidence.features(unseen, slopes))
        mean[unseen], deviation[unseen] = level + shift, spread
    return mean, deviation
