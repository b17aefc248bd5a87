"""A residual learnt from measured rows that vanishes far from them, with its own uncertainty."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from advisor.engine.cases import Floats

_JITTER = 1e-9
_ROWS_AT_ONCE = 1_024  # keeps temporary tables within the cache
_DIGITS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One reason why rows err alike: equal words in `labels`, and nearness in `numbers`."""

    labels: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    spread: float = 0.1  # standard deviation of what it explains


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Features:
    """What rows are compared by: words ("" is unknown and like no other) and scaled numbers.

    `slopes` are derivatives of the physical prediction by its parameters, each times the
    width of the parameter's prior: what is not known of the parameters, rows share.
    """

    labels: Mapping[str, NDArray[np.str_]]
    numbers: Mapping[str, Floats]
    slopes: Floats  # rows x parameters

    def __len__(self) -> int:
        return len(self.slopes)

    def pick(self, rows: NDArray[np.int64]) -> "Features":
        """Some of the rows."""
        return Features(
            labels={name: column[rows] for name, column in self.labels.items()},
            numbers={name: column[rows] for name, column in self.numbers.items()},
            slopes=self.slopes[rows],
        )


def _same(name: str, left: Features, right: Features) -> NDArray[np.bool_]:
    """Which rows share a known word."""
    words, mine = np.unique(left.labels[name], return_inverse=True)
    position = {word: index for index, word in enumerate(words) if word != ""}
    theirs = np.array([position.get(word, -1) for word in right.labels[name]], dtype=np.int64)
    return np.asarray(mine[:, None] == theirs[None, :])


def covariance(components: Sequence[Component], left: Features, right: Features) -> Floats:
    """Covariance of residuals of every left with every right row.

    Each component adds its variance where its labels agree, less with distance in its numbers.

    Source: squared-exponential kernel times indicators, C. Rasmussen and C. Williams,
    "Gaussian Processes for Machine Learning" (2006), section 4.2.
    """
    same = {
        name: _same(name, left, right)
        for name in sorted({name for component in components for name in component.labels})
    }
    near: dict[tuple[str, ...], Floats] = {}
    total = np.zeros((len(left), len(right)))
    for component in components:
        agree = np.logical_and.reduce([same[name] for name in component.labels])
        if component.numbers not in near:
            near[component.numbers] = _nearness(component.numbers, left, right)
        total += component.spread**2 * agree * near[component.numbers]
    return total


def _nearness(numbers: tuple[str, ...], left: Features, right: Features) -> Floats:
    if not numbers:
        return np.ones(())
    distance = np.zeros((len(left), len(right)))
    for name in numbers:
        distance += (left.numbers[name][:, None] - right.numbers[name][None, :]) ** 2
    return np.exp(-0.5 * distance)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Kriging:
    """Residuals of known rows, ready to predict others."""

    components: tuple[Component, ...]
    known: Features
    weights: Floats  # inverse covariance times residuals
    factor: tuple[NDArray[np.float64], bool]
    noise: float  # standard deviation of a row's own error
    scale: float  # how much wider errors out of group were than foretold

    def predict(self, rows: Features) -> tuple[Floats, Floats]:
        """Mean and standard deviation of the residual of each row.

        The mean goes to zero and the deviation to its prior far from what is known. Shifts of
        the physical parameters are in the physical prediction already, so only their doubt
        counts here.

        Source: C. Rasmussen and C. Williams (2006), equations 2.25 and 2.26.
        """
        parts = [
            self._predict(rows.pick(np.arange(start, min(start + _ROWS_AT_ONCE, len(rows)))))
            for start in range(0, len(rows), _ROWS_AT_ONCE)
        ]
        mean, spread = zip(*parts, strict=True)
        return np.concatenate(mean), np.concatenate(spread)

    def _predict(self, rows: Features) -> tuple[Floats, Floats]:
        learnt = covariance(self.components, rows, self.known)
        cross = learnt + rows.slopes @ self.known.slopes.T
        own = sum(c.spread**2 for c in self.components) + np.sum(rows.slopes**2, axis=1)
        explained = np.sum(cross * cho_solve(self.factor, cross.T).T, axis=1)
        variance = np.maximum(own - explained, 0.0) + self.noise**2
        return learnt @ self.weights, self.scale * np.sqrt(variance)


def learn(
    components: Sequence[Component],
    known: Features,
    residuals: Floats,
    *,
    noise: float,
    doubt: Floats,
    scale: float = 1.0,
) -> Kriging:
    """Condition on residuals; `doubt` multiplies a row's noise variance (1 is full trust).

    Residuals are measured minus physical at the prior's parameters, in first order.
    """
    matrix = covariance(components, known, known) + known.slopes @ known.slopes.T
    matrix[np.diag_indices_from(matrix)] += noise**2 * doubt + _JITTER
    factor = cho_factor(matrix, lower=True)
    return Kriging(
        components=tuple(components),
        known=known,
        weights=np.asarray(cho_solve(factor, residuals)),
        factor=factor,
        noise=noise,
        scale=scale,
    )


def as_document(
    kriging: Kriging, *, residuals: Floats, doubt: Floats, rows: Sequence[str]
) -> dict[str, Any]:
    """What `from_document` needs, as JSON carries it."""
    known = kriging.known
    return {
        "components": [
            {"labels": list(c.labels), "numbers": list(c.numbers), "spread": round(c.spread, 4)}
            for c in kriging.components
        ],
        "noise": round(kriging.noise, 4),
        "scale": round(kriging.scale, 4),
        "rows": list(rows),
        "labels": {name: [str(w) for w in column] for name, column in known.labels.items()},
        "numbers": {name: _rounded(column) for name, column in known.numbers.items()},
        "slopes": [_rounded(row) for row in known.slopes],
        "residuals": _rounded(residuals),
        "doubt": _rounded(doubt),
    }


def _rounded(column: Floats) -> list[float]:
    return [round(float(value), _DIGITS) for value in column]


def from_document(document: Mapping[str, Any]) -> Kriging:
    """The residual that `as_document` wrote."""
    known = Features(
        labels={name: np.array(words) for name, words in document["labels"].items()},
        numbers={name: np.array(column) for name, column in document["numbers"].items()},
        slopes=np.array(document["slopes"], dtype=np.float64),
    )
    components = [
        Component(labels=tuple(c["labels"]), numbers=tuple(c["numbers"]), spread=float(c["spread"]))
        for c in document["components"]
    ]
    return learn(
        components,
        known,
        np.array(document["residuals"], dtype=np.float64),
        noise=float(document["noise"]),
        doubt=np.array(document["doubt"], dtype=np.float64),
        scale=float(document["scale"]),
    )
