"""Refit the models to the stored measurements; report their errors on rows they never saw."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from advisor.engine.calibration import (
    FIXTURES,
    read_calibration,
    shipped_calibration,
    write_section,
)
from advisor.engine.samples.fit import cross_validate_samples, fit_samples
from advisor.engine.serving.evidence import observations, typical_lengths
from advisor.engine.serving.fit import fit
from advisor.engine.serving.validation import (
    cross_validated,
    document,
    errors_of,
    folds_of,
    left_out,
    order_share,
    report,
)
from advisor.engine.training.fit import cross_validate_training, fit_training
from advisor.models import Calibration
from catalog import queries

OWN_TRUST = 10.0  # what one knows of one's own set-up is not known of a stranger's
SUBJECTS = ("serving", "training", "samples")
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalibration:
    """New parameters by subject, the rows behind them, and errors out of group."""

    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    measurements: dict[str, list[str]] = field(default_factory=dict)
    errors: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    own: frozenset[str] = frozenset()


def recalibrate(
    *,
    subjects: tuple[str, ...],
    folds: int,
    tell: Progress,
    own: frozenset[str] = frozenset(),
) -> Recalibration:
    """Fit each subject to the stored rows; `folds` of zero uses the linear leave-one-group-out.

    Rows whose id is in `own` count OWN_TRUST times as much as a published one. Nothing is
    written: that is store's.
    """
    made = Recalibration(own=own)
    if "serving" in subjects:
        _serving(made, folds=folds, tell=tell)
    if "training" in subjects:
        _training(made, folds=folds, tell=tell)
    if "samples" in subjects:
        _samples(made, folds=folds, tell=tell)
    return made


def _serving(made: Recalibration, *, folds: int, tell: Progress) -> None:
    snapshot, rows = queries.snapshot(), queries.serving_measurements()
    lengths = typical_lengths(rows)
    observed = observations(
        rows,
        accelerators=snapshot.accelerators,
        models=snapshot.models,
        limits=queries.benchmark_limits(),
        lengths=lengths,
    )
    mine = np.isin(observed.identity.astype(np.str_), sorted(made.own))
    observed = replace(observed, trust=np.where(mine, OWN_TRUST, observed.trust))
    tell(f"fitting serving to {len(observed)} rows")
    found = fit(observed)
    made.documents["serving"] = document(found, lengths=lengths)
    made.measurements["serving"] = [str(each) for each in observed.identity]
    if folds:
        tell(f"predicting serving out of group, {folds} folds")
        logs = cross_validated(observed, folds=folds_of(observed.group, folds))
    else:
        logs = left_out(found, observed.group)
    lines = report(observed, errors_of(observed, logs))
    share, pairs = order_share(observed, logs)
    lines.append({"target": "right order", "rows": "pairs of parts", "n": pairs, "share": share})
    made.errors["serving"] = lines


def _training(made: Recalibration, *, folds: int, tell: Progress) -> None:
    snapshot, rows = queries.snapshot(), queries.training_measurements()
    tell(f"fitting training to {len(rows)} rows")
    parts, models = snapshot.accelerators, snapshot.models
    made.documents["training"] = fit_training(
        rows, accelerators=parts, models=models, trust=dict.fromkeys(made.own, OWN_TRUST)
    )
    made.measurements["training"] = [row.id for row in rows]
    if not folds:
        return
    tell(f"predicting training out of group, {folds} folds")
    checked = cross_validate_training(rows, accelerators=parts, models=models, folds=folds)
    made.errors["training"] = _by_vendor(checked)


def _samples(made: Recalibration, *, folds: int, tell: Progress) -> None:
    snapshot, rows = queries.snapshot(), queries.serving_measurements()
    tell("fitting models without tokens")
    told: dict[str, Any] = {
        "accelerators": snapshot.accelerators,
        "models": snapshot.models,
        "limits": queries.benchmark_limits(),
        "units": shipped_calibration().samples.get("units", {}),
    }
    fitted = fit_samples(rows, **told, trust=dict.fromkeys(made.own, OWN_TRUST))
    made.documents["samples"] = fitted
    made.measurements["samples"] = list(fitted["residual"]["rows"])
    if folds:
        tell(f"predicting models without tokens out of group, {folds} folds")
        made.errors["samples"] = _by_vendor(cross_validate_samples(rows, folds=folds, **told))


def _by_vendor(checked: list[dict[str, Any]]) -> list[dict[str, Any]]:
    lines = []
    for vendor in sorted({line["vendor"] for line in checked}):
        rows = [line for line in checked if line["vendor"] == vendor]
        ape = np.array([abs(line["predicted"] / line["measured"] - 1.0) for line in rows])
        lines.append(
            {
                "target": str(rows[0]["quantity"]),
                "rows": vendor,
                "n": len(rows),
                "median_ape": float(np.median(ape)),
                "p90_ape": float(np.quantile(ape, 0.9)),
            }
        )
    return lines


def store(made: Recalibration, *, folder: Path = FIXTURES) -> str:
    """Write the new sections beside the old ones and keep them as rows; the new version."""
    for subject, parameters in made.documents.items():
        write_section(folder, subject, parameters)
    version = read_calibration(folder).version
    for subject, parameters in made.documents.items():
        Calibration.objects.get_or_create(
            version=f"{subject}-{version}",
            defaults={
                "subject": subject,
                "parameters": parameters,
                "measurements": made.measurements[subject],
                "errors": {"lines": made.errors.get(subject, [])},
            },
        )
    return version
