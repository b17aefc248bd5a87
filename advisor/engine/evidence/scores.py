"""How far predictions of unseen groups lie from what was measured: errors, ranges, order."""

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from advisor.engine.cases import Bools, Floats, Ints

SPLITS: Mapping[str, str] = {
    "group": "accelerator and model together",
    "accelerator": "the whole accelerator",
}
ENOUGH = 8
"""Cases below which a figure proves nothing."""
APART = 0.20
"""Two parts closer than this are no order to get right: results of one system differ so much."""
COVERED = 0.80
MORE_IS_BETTER = ("output_tokens_per_s", "tokens_per_s_per_accelerator", "samples_per_s")
SATURATED = ("server", "interactive")
"""Loads chosen so that the tail just passes: latencies of two parts say nothing of their order."""
_DIGITS = 5
_FIGURES = ("measured", "predicted", "low", "high", "part_predicted", "part_low", "part_high")
POINT_COLUMNS = ("id", "quantity", *_FIGURES)
ROW_COLUMNS = (
    "id",
    "vendor",
    "family",
    "accelerator",
    "accelerator_count",
    "model",
    "model_class",
    "phase",
    "setting",
    "speculative",
    "source",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A published configuration, and who measured it."""

    id: str
    vendor: str
    family: str
    accelerator: str
    accelerator_count: str
    model: str
    model_class: str
    phase: str  # offline, server, interactive, concurrency; pretrain, finetune, lora
    setting: str  # what else two rows must share to be compared: lengths, load, batch
    speculative: bool
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """A prediction by a fit that never saw the row's group, with its 80 % range."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One measured quantity of a row and its predictions, in base units."""

    row: Row
    quantity: str
    measured: float
    guesses: Mapping[str, Guess | None]  # by split; None where the model gives no answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Errors of some points; fractions, nan where there is nothing to judge."""

    n: int
    asked: int
    median_error: float
    p90_error: float
    coverage: float
    half_width: float
    bias: float  # median of the signed error
    pairs: int
    ordered: float  # share of pairs in the right order
    choices: int
    regret: float  # median loss by taking the predicted winner

    @property
    def answered(self) -> float:
        """Share of the asked configurations that got a prediction."""
        return self.n / self.asked if self.asked else float("nan")

    @property
    def is_proven(self) -> bool:
        """Whether there are cases enough to speak of a typical error."""
        return self.n >= ENOUGH


def cross_conformal(errors: Floats, fold: Ints, usable: Bools) -> Floats:
    """Half width (logarithmic) by row that holds 80 % of the errors of the other folds.

    `errors` are logarithms of measured over predicted, nan where either is missing; only
    `usable` rows teach. A fold without enough others gets the width of all.

    Source: V. Vovk, "Cross-conformal predictors", Ann. Math. Artif. Intell. 74 (2015).
    """
    width = np.full(len(errors), np.nan)
    teaches = usable & np.isfinite(errors)
    for index in np.unique(fold):
        others = teaches & (fold != index)
        known = np.abs(errors[others if others.sum() >= ENOUGH else teaches])
        if len(known):
            width[fold == index] = np.quantile(known, COVERED)
    return width


def score(points: Sequence[Point], split: str) -> Score:
    """What the predictions of some points are worth, for fits that left out `split`.

    Errors are absolute, in parts of what was measured; the half width is that of the
    logarithmic range, as a fraction above the centre.

    Source: definitions; pairs and regret as `pairs_of` and `regrets_of` say.
    """
    known = [(p.measured, g) for p in points if (g := p.guesses[split]) is not None]
    measured = np.array([m for m, _ in known])
    value = np.array([g.value for _, g in known])
    low = np.array([g.low for _, g in known])
    high = np.array([g.high for _, g in known])
    signed = value / measured - 1.0
    pairs = pairs_of(points, split)
    regrets = regrets_of(points, split)
    return Score(
        n=len(known),
        asked=len(points),
        median_error=_quantile(np.abs(signed), 0.5),
        p90_error=_quantile(np.abs(signed), 0.9),
        coverage=_mean((low <= measured) & (measured <= high)),
        half_width=_quantile(np.sqrt(high / low) - 1.0, 0.5),
        bias=_quantile(signed, 0.5),
        pairs=len(pairs),
        ordered=_mean(np.array(pairs, dtype=bool)),
        choices=len(regrets),
        regret=_quantile(np.array(regrets), 0.5),
    )


def _quantile(values: Floats, at: float) -> float:
    return float(np.quantile(values, at)) if len(values) else float("nan")


def _mean(values: NDArray[np.bool_]) -> float:
    return float(np.mean(values)) if len(values) else float("nan")


def scores_by(
    points: Iterable[Point], key: Callable[[Point], str], split: str
) -> list[tuple[str, Score]]:
    """One score for each value of a key, the most measured first."""
    groups: dict[str, list[Point]] = {}
    for point in points:
        groups.setdefault(key(point), []).append(point)
    found = [(name, score(members, split)) for name, members in groups.items()]
    return sorted(found, key=lambda pair: (-pair[1].n, pair[0]))


def contests_of(points: Iterable[Point], split: str) -> list[list[Point]]:
    """Points that differ in the accelerator alone: quantity, model, phase and setting agree.

    Each accelerator enters a contest once, with its median measurement of that setting.
    Latencies of saturated benchmarks are left aside: their loads differ.
    """
    contests: dict[tuple[str, ...], dict[str, list[Point]]] = {}
    for point in points:
        row = point.row
        is_rate = point.quantity in MORE_IS_BETTER
        if point.guesses[split] is None or not (is_rate or row.phase not in SATURATED):
            continue
        key = (point.quantity, row.model, row.phase, row.setting, str(row.speculative))
        contests.setdefault(key, {}).setdefault(row.accelerator, []).append(point)
    found = []
    for parts in contests.values():
        entrants = [sorted(p, key=lambda x: x.measured)[len(p) // 2] for p in parts.values()]
        if len(entrants) > 1:
            found.append(entrants)
    return found


def pairs_of(points: Iterable[Point], split: str) -> list[bool]:
    """Of two parts measured more than a fifth apart: whether the prediction orders them right.

    Source: definition; APART.
    """
    found = []
    for entrants in contests_of(points, split):
        for one, other in combinations(entrants, 2):
            ratio = one.measured / other.measured
            if max(ratio, 1.0 / ratio) > 1.0 + APART:
                found.append((ratio > 1.0) == (_value(one, split) > _value(other, split)))
    return found


def regrets_of(points: Iterable[Point], split: str) -> list[float]:
    """What taking the predicted winner of each contest loses against the true one.

    Source: definition of regret; zero where the winner is right.
    """
    found = []
    for entrants in contests_of(points, split):
        more_is_better = entrants[0].quantity in MORE_IS_BETTER
        sign = 1.0 if more_is_better else -1.0
        taken = max(entrants, key=lambda p: sign * _value(p, split)).measured
        best = max(entrants, key=lambda p: sign * p.measured).measured
        found.append(1.0 - taken / best if more_is_better else taken / best - 1.0)
    return found


def _value(point: Point, split: str) -> float:
    guess = point.guesses[split]
    return guess.value if guess else float("nan")


def as_tables(points: Sequence[Point]) -> tuple[str, str]:
    """The points and the rows they belong to, as two CSV tables."""
    rows = {point.row.id: point.row for point in points}
    return (
        _csv(POINT_COLUMNS, (_point_cells(point) for point in points)),
        _csv(ROW_COLUMNS, (_row_cells(rows[key]) for key in sorted(rows))),
    )


def _csv(header: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(lines)
    return out.getvalue()


def _point_cells(point: Point) -> list[str]:
    cells = [point.row.id, point.quantity, _digits(point.measured)]
    for split in SPLITS:
        guess = point.guesses[split]
        cells += (
            ["", "", ""] if guess is None else map(_digits, (guess.value, guess.low, guess.high))
        )
    return cells


def _digits(value: float) -> str:
    return f"{value:.{_DIGITS}g}"


def _row_cells(row: Row) -> list[str]:
    return [
        str(int(value)) if isinstance(value := getattr(row, name), bool) else value
        for name in ROW_COLUMNS
    ]


def from_tables(points: str, rows: str) -> tuple[Point, ...]:
    """The points of two CSV tables, as `as_tables` writes them."""
    known = {
        record["id"]: Row(
            speculative=record["speculative"] == "1",
            **{name: record[name] for name in ROW_COLUMNS if name != "speculative"},
        )
        for record in csv.DictReader(io.StringIO(rows))
    }
    return tuple(
        Point(
            row=known[record["id"]],
            quantity=record["quantity"],
            measured=float(record["measured"]),
            guesses={
                "group": _guess(record["predicted"], record["low"], record["high"]),
                "accelerator": _guess(
                    record["part_predicted"], record["part_low"], record["part_high"]
                ),
            },
        )
        for record in csv.DictReader(io.StringIO(points))
    )


def _guess(value: str, low: str, high: str) -> Guess | None:
    return Guess(value=float(value), low=float(low), high=float(high)) if value else None


def guess_of(value: float, low: float, high: float) -> Guess | None:
    """A prediction where it is a positive number, else none."""
    if not (isfinite(value) and value > 0.0 and isfinite(low) and isfinite(high)):
        return None
    return Guess(value=value, low=low, high=high)
