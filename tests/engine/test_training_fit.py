"""The fit of training speed: how far off unseen groups are, and what bad rows can do to it."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from advisor.engine.calibration import Calibration, shipped_calibration
from advisor.engine.training.fit import (
    cross_validate_training,
    fit_training,
    training_evidence,
)
from advisor.engine.training.performance import training_point
from advisor.engine.training.published import (
    framework_month,
    framework_of,
    published_training,
    training_precision_of,
)
from catalog.engine.shipped import shipped_snapshot, shipped_training_measurements
from catalog.specs import TrainingMeasurement

SNAPSHOT = shipped_snapshot()
ROWS = shipped_training_measurements()
FEW_FOLDS = 3


@cache
def unseen() -> list[dict[str, Any]]:
    return cross_validate_training(
        ROWS, accelerators=SNAPSHOT.accelerators, models=SNAPSHOT.models, folds=10
    )


def errors(report: list[dict[str, Any]]) -> np.ndarray:
    return np.array([abs(row["predicted"] / row["measured"] - 1.0) for row in report])


def predictions(section: dict[str, Any]) -> np.ndarray:
    observed = training_evidence(ROWS, accelerators=SNAPSHOT.accelerators, models=SNAPSHOT.models)
    point = training_point(observed.published.cases, Calibration(version="", training=section))
    return point.tokens_per_s_per_accelerator.value


def test_half_of_unseen_groups_are_within_a_tenth() -> None:
    assert np.median(errors(unseen())) < 0.10


def test_nine_of_ten_unseen_rows_are_within_a_third() -> None:
    assert np.quantile(errors(unseen()), 0.9) < 0.35


def test_eight_of_ten_unseen_rows_lie_within_their_range() -> None:
    held = [row["low"] <= row["measured"] <= row["high"] for row in unseen()]

    assert 0.70 <= np.mean(held) <= 0.90


def test_ranges_of_unseen_rows_are_tight() -> None:
    assert np.median([row["high"] / row["predicted"] - 1.0 for row in unseen()]) < 0.35


def test_the_faster_of_two_parts_is_predicted_faster() -> None:
    pairs = [
        (one, other)
        for one in unseen()
        for other in unseen()
        if one["model"] == other["model"]
        and one["phase"] == other["phase"]
        and one["accelerator"] != other["accelerator"]
        and one["measured"] > 1.2 * other["measured"]
    ]

    assert np.mean([one["predicted"] > other["predicted"] for one, other in pairs]) > 0.9


def test_a_tenth_of_rows_ten_times_off_barely_moves_the_fit() -> None:
    kept = [row for row in ROWS if row.tokens_per_s_per_accelerator]
    bad = set(np.random.default_rng(3).choice(len(kept), size=len(kept) // 10, replace=False))

    def spoilt(index: int, row: TrainingMeasurement) -> TrainingMeasurement:
        measured = row.tokens_per_s_per_accelerator or 0.0
        factor = (10.0 if index % 2 else 0.1) if index in bad else 1.0
        return replace(row, tokens_per_s_per_accelerator=measured * factor)

    clean, corrupted = (
        predictions(
            fit_training(
                rows, accelerators=SNAPSHOT.accelerators, models=SNAPSHOT.models, folds=FEW_FOLDS
            )
        )
        for rows in (kept, [spoilt(index, row) for index, row in enumerate(kept)])
    )

    assert np.median(np.abs(np.log(corrupted / clean))) < 0.03


def test_what_a_row_measured_does_not_change_its_prediction() -> None:
    row = next(row for row in ROWS if row.tokens_per_s_per_accelerator)
    twins = [row, replace(row, id="other", tokens_per_s_per_accelerator=1.0, mfu=None)]
    published = published_training(
        twins, accelerators=SNAPSHOT.accelerators, models=SNAPSHOT.models
    )
    speeds = training_point(published.cases, shipped_calibration()).tokens_per_s_per_accelerator

    assert speeds.value[0] == speeds.value[1]


def test_the_shipped_calibration_reads_back() -> None:
    assert len(shipped_calibration().training["residual"]["rows"]) > 100


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("llm-foundry / Composer, PyTorch FSDP FULL_SHARD", "llm-foundry"),
        ("NVIDIA NeMo Framework Release 24.09", "nvidia-tuned"),
        ("PyTorch 2.8.0.dev20251001+rocm7.0.0", "rocm"),
        ("MaxText", "xla"),
        ("SynapseAI 1.19, Megatron-DeepSpeed", "synapse"),
        ("", ""),
    ],
)
def test_published_software_is_understood(words: str, name: str) -> None:
    assert framework_of(words) == name


@pytest.mark.parametrize(
    ("words", "precision"),
    [("fp8-mx", "fp8"), ("mixed 16.16", "fp16"), ("NVFP4", "fp4"), ("BF16", "bf16"), ("", None)],
)
def test_published_formats_are_understood(words: str, precision: str | None) -> None:
    assert training_precision_of(words) == precision


def test_a_release_named_by_year_and_month_dates_the_software() -> None:
    assert framework_month("NVIDIA NeMo Framework Release 24.09") == 4 * 12 + 8


def test_a_model_of_unknown_shape_is_estimated_from_its_size() -> None:
    row = replace(ROWS[0], model="something new", model_slug="", params=13e9)
    cases = published_training(
        [row], accelerators=SNAPSHOT.accelerators, models=SNAPSHOT.models
    ).cases

    assert cases.models[cases.model[0]].total_params == 13e9
