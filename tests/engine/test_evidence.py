"""Scores of predictions out of group: errors, ranges, order and regret."""

import numpy as np
import pytest

from advisor.engine.evidence.scores import (
    ENOUGH,
    Guess,
    Point,
    Row,
    as_tables,
    cross_conformal,
    from_tables,
    guess_of,
    pairs_of,
    regrets_of,
    score,
    scores_by,
)


def point(
    accelerator: str = "a",
    *,
    measured: float = 100.0,
    predicted: float | None = 100.0,
    factor: float = 1.25,
    quantity: str = "output_tokens_per_s",
    phase: str = "offline",
    setting: str = "8/1024/128",
    number: int = 0,
) -> Point:
    row = Row(
        id=f"{accelerator}-{number}",
        vendor="Maker",
        family="gpu",
        accelerator=accelerator,
        accelerator_count="8",
        model="m",
        model_class="dense_llm",
        phase=phase,
        setting=setting,
        speculative=False,
        source="A table",
    )
    guess = None
    if predicted is not None:
        guess = Guess(value=predicted, low=predicted / factor, high=predicted * factor)
    return Point(
        row=row,
        quantity=quantity,
        measured=measured,
        guesses={"group": guess, "accelerator": None},
    )


def test_the_median_error_is_in_parts_of_the_measurement() -> None:
    points = [point(measured=100.0, predicted=value) for value in (90.0, 120.0, 150.0)]

    assert score(points, "group").median_error == pytest.approx(0.2)


def test_coverage_counts_measurements_inside_the_range() -> None:
    points = [point(measured=100.0, predicted=value) for value in (100.0, 120.0, 200.0, 50.0)]

    assert score(points, "group").coverage == 2 / 4


def test_the_half_width_is_the_upper_end_over_the_centre() -> None:
    assert score([point(factor=1.3)], "group").half_width == pytest.approx(0.3)


def test_a_configuration_without_a_prediction_was_asked_and_not_answered() -> None:
    points = [point(), point(predicted=None), point(), point()]

    assert score(points, "group").answered == 3 / 4


def test_few_cases_prove_nothing() -> None:
    few, enough = [point()] * (ENOUGH - 1), [point()] * ENOUGH

    assert [score(few, "group").is_proven, score(enough, "group").is_proven] == [False, True]


def test_nothing_predicted_has_no_error() -> None:
    assert np.isnan(score([point()], "accelerator").median_error)


def test_a_pair_in_the_wrong_order_is_wrong() -> None:
    slow, fast = point("a", measured=100.0, predicted=150.0), point("b", measured=130.0)

    assert pairs_of([slow, fast], "group") == [False]


def test_parts_within_a_fifth_are_no_pair() -> None:
    assert pairs_of([point("a", measured=100.0), point("b", measured=119.0)], "group") == []


def test_rows_of_different_load_are_no_pair() -> None:
    points = [point("a"), point("b", measured=300.0, setting="8/1024/2048")]

    assert pairs_of(points, "group") == []


def test_latencies_at_a_saturated_load_are_no_pair() -> None:
    points = [
        point("a", quantity="ttft_p99_s", phase="server"),
        point("b", measured=300.0, quantity="ttft_p99_s", phase="server"),
    ]

    assert pairs_of(points, "group") == []


def test_regret_is_what_the_wrong_winner_loses() -> None:
    taken, better = point("a", measured=75.0, predicted=200.0), point("b", measured=100.0)

    assert regrets_of([taken, better], "group") == [1.0 - 75.0 / 100.0]


def test_regret_of_a_latency_is_the_longer_wait() -> None:
    points = [
        point("a", quantity="tpot_mean_s", phase="concurrency", measured=0.03, predicted=0.01),
        point("b", quantity="tpot_mean_s", phase="concurrency", measured=0.02, predicted=0.02),
    ]

    assert regrets_of(points, "group") == [pytest.approx(0.03 / 0.02 - 1.0)]


def test_scores_are_told_apart_and_the_most_measured_come_first() -> None:
    points = [point("a"), point("b"), point("b", number=1)]

    found = scores_by(points, lambda p: p.row.accelerator, "group")

    assert [(name, each.n) for name, each in found] == [("b", 2), ("a", 1)]


def test_tables_keep_every_point() -> None:
    points = (point("a", predicted=123.0), point("b", predicted=None))

    assert from_tables(*as_tables(points)) == points


def test_no_number_is_no_guess() -> None:
    assert [guess_of(float("nan"), 1.0, 2.0), guess_of(0.0, 0.0, 0.0)] == [None, None]


def test_a_range_is_learnt_from_the_other_folds_alone() -> None:
    errors = np.concatenate([np.full(10, 0.1), np.full(10, 5.0)])
    fold = np.repeat([0, 1], 10)

    width = cross_conformal(errors, fold, np.ones(20, dtype=bool))

    assert (width[0], width[10]) == (5.0, pytest.approx(0.1))


def test_ranges_hold_eight_of_ten_errors_of_one_law() -> None:
    rng = np.random.default_rng(3)
    errors, fold = rng.normal(0.0, 0.3, 5000), rng.integers(0, 10, 5000)

    width = cross_conformal(errors, fold, np.ones(5000, dtype=bool))

    assert np.mean(np.abs(errors) <= width) == pytest.approx(0.8, abs=0.02)


def test_rows_that_may_not_teach_do_not_widen_ranges() -> None:
    errors = np.concatenate([np.full(20, 0.1), np.full(20, 9.0)])
    fold = np.arange(40) % 2

    width = cross_conformal(errors, fold, np.arange(40) < 20)

    assert width.max() == pytest.approx(0.1)
