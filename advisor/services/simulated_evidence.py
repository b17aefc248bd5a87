"""How far simulated benchmarks lie from measurements that the fit never saw."""

import csv
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from io import StringIO
from pathlib import Path

import numpy as np

from advisor.engine.calibration import FIXTURES
from advisor.engine.cases import Floats
from advisor.engine.latency.benchmarks import FIGURES, simulated
from advisor.engine.serving.evidence import Observations, observations, some_rows, typical_lengths
from advisor.engine.serving.fit import fit
from advisor.engine.serving.layouts import best_layouts
from advisor.engine.serving.outcomes import is_limited, predicted, some_cases
from advisor.engine.serving.parameters import parameter_columns
from advisor.engine.serving.validation import folds_of
from catalog import queries

FILE = "evidence_simulated.csv"
_ROUNDS = 2  # of the fit, as in its cross-validation


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedError:
    """Median absolute errors of one figure under one kind of load."""

    load: str
    figure: str
    rows: int
    simulated: float
    closed_form: float


def simulated_errors(*, folds: int, report: Callable[[str], object]) -> list[SimulatedError]:
    """Errors of the simulator and of the closed form, each group predicted by fits without it."""
    observed = _observed()
    guesses = {name: np.full(len(observed), np.nan) for name in FIGURES}
    closed = {name: np.full(len(observed), np.nan) for name in FIGURES}
    fold = folds_of(observed.group, folds)
    for each in np.unique(fold):
        report(f"fold {each + 1} of {folds}")
        _predict(observed, fold == each, guesses, closed)
    limited = is_limited(observed.published)
    lines = []
    for load, mask in (("fixed concurrency", ~limited), ("benchmark limits", limited)):
        for name in FIGURES:
            measured = observed.measured[name]
            rows = mask & np.isfinite(guesses[name]) & np.isfinite(measured)
            if rows.any():
                lines.append(
                    SimulatedError(
                        load=load,
                        figure=name,
                        rows=int(rows.sum()),
                        simulated=_median(guesses[name][rows], measured[rows]),
                        closed_form=_median(closed[name][rows], measured[rows]),
                    )
                )
    return lines


def write_simulated(lines: Sequence[SimulatedError], folder: Path = FIXTURES) -> Path:
    """Write the file that the evidence page reads."""
    text = StringIO()
    table = csv.DictWriter(text, SimulatedError.__slots__, lineterminator="\n")
    table.writeheader()
    for line in lines:
        errors = {name: f"{getattr(line, name):.4f}" for name in ("simulated", "closed_form")}
        table.writerow({**asdict(line), **errors})
    path = folder / FILE
    path.write_text(text.getvalue(), encoding="utf-8")
    return path


def shipped_simulated(folder: Path = FIXTURES) -> list[SimulatedError]:
    """The errors by simulation that the product ships with; none where none were written."""
    path = folder / FILE
    if not path.exists():
        return []
    return [
        SimulatedError(
            load=row["load"],
            figure=row["figure"],
            rows=int(row["rows"]),
            simulated=float(row["simulated"]),
            closed_form=float(row["closed_form"]),
        )
        for row in csv.DictReader(StringIO(path.read_text(encoding="utf-8")))
    ]


def _observed() -> Observations:
    state, rows = queries.snapshot(), queries.serving_measurements()
    return observations(
        rows,
        accelerators=state.accelerators,
        models=state.models,
        limits=queries.benchmark_limits(),
        lengths=typical_lengths(rows),
    )


def _predict(
    observed: Observations,
    out: np.ndarray,
    guesses: dict[str, Floats],
    closed: dict[str, Floats],
) -> None:
    """Fill in the rows of a fold from a fit on all others."""
    outside = np.flatnonzero(out)
    parameters = fit(some_rows(observed, np.flatnonzero(~out)), rounds=_ROUNDS).parameters
    part = best_layouts(some_cases(observed.published, outside), parameters)
    columns = parameter_columns(part.cases, parameters, part.use)
    measured = np.isfinite([observed.measured[name][outside] for name in FIGURES]).any(axis=0)
    usable = measured & (observed.trust[outside] > 0.0) & ~part.cases.speculative
    found = simulated(part, columns, np.flatnonzero(usable))
    formula = predicted(part, columns)
    for name in FIGURES:
        guesses[name][outside] = found[name]
        closed[name][outside] = formula[name]


def _median(guess: Floats, truth: Floats) -> float:
    return float(np.median(np.abs(guess / truth - 1.0)))
