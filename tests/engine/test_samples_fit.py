"""The fit of models without tokens: how far off unseen groups are, and what bad rows can do."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from advisor.engine.calibration import Calibration, shipped_calibration
from advisor.engine.samples.fit import cross_validate_samples, fit_samples, samples_evidence
from advisor.engine.samples.performance import samples_point
from catalog.engine.shipped import (
    shipped_benchmark_limits,
    shipped_serving_measurements,
    shipped_snapshot,
)

SNAPSHOT = shipped_snapshot()
ROWS = shipped_serving_measurements()
TABLES: dict[str, Any] = {
    "accelerators": SNAPSHOT.accelerators,
    "models": SNAPSHOT.models,
    "limits": shipped_benchmark_limits(),
    "units": shipped_calibration().samples["units"],
}


@cache
def unseen(leave_out: str = "group") -> list[dict[str, Any]]:
    return cross_validate_samples(ROWS, leave_out=leave_out, **TABLES)


def errors(report: list[dict[str, Any]]) -> np.ndarray:
    return np.array([abs(row["predicted"] / row["measured"] - 1.0) for row in report])


def test_half_of_unseen_groups_are_within_an_eighth() -> None:
    assert np.median(errors(unseen())) < 0.125


def test_half_of_rows_of_unseen_accelerators_are_within_a_fifth() -> None:
    assert np.median(errors(unseen("accelerator"))) < 0.20


def test_eight_of_ten_unseen_rows_lie_within_their_range() -> None:
    held = [row["low"] <= row["measured"] <= row["high"] for row in unseen()]

    assert 0.70 <= np.mean(held) <= 0.90


def test_ranges_of_unseen_rows_are_tight() -> None:
    assert np.median([row["high"] / row["predicted"] - 1.0 for row in unseen()]) < 0.35


def test_a_tenth_of_rows_ten_times_off_barely_moves_the_fit() -> None:
    observed = samples_evidence(ROWS, **TABLES)
    kept = observed.rows
    bad = set(np.random.default_rng(4).choice(len(kept), size=len(kept) // 10, replace=False))
    spoilt = [
        replace(row, requests_per_s=(row.requests_per_s or 0.0) * (10.0 if index in bad else 1.0))
        for index, row in enumerate(kept)
    ]
    clean, corrupted = (
        samples_point(
            observed.cases,
            Calibration(version="", samples=fit_samples(rows, folds=3, **TABLES)),
        ).samples_per_s.value
        for rows in (kept, spoilt)
    )

    assert np.median(np.abs(np.log(corrupted / clean))) < 0.03


def test_every_unit_of_a_benchmark_names_its_source() -> None:
    assert all(unit["source"] for unit in TABLES["units"].values())
