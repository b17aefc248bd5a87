"""The fit of the serving parameters: robust, fair, and blind to what it is scored on."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from advisor.engine.cases import ENGINES
from advisor.engine.serving.evidence import (
    Observations,
    above_roofline,
    observations,
    some_rows,
    trust_of,
    typical_lengths,
)
from advisor.engine.serving.fit import Fit, fit
from advisor.engine.serving.outcomes import TARGETS, predicted, some_cases
from advisor.engine.serving.parameters import ServingParameters, parameter_columns
from advisor.engine.serving.published import month_of
from advisor.engine.serving.validation import (
    document,
    errors_of,
    folds_of,
    left_out,
    order_share,
    report,
)
from catalog.engine.shipped import (
    shipped_benchmark_limits,
    shipped_serving_measurements,
    shipped_snapshot,
)

PARTS = ("nvidia-h100-sxm", "nvidia-h200-sxm", "nvidia-b200-sxm")


@cache
def evidence() -> Observations:
    """Every third row of three parts: enough to fit, little enough to do it often."""
    snapshot, rows = shipped_snapshot(), shipped_serving_measurements()
    observed = observations(
        rows,
        accelerators=snapshot.accelerators,
        models=snapshot.models,
        limits=shipped_benchmark_limits(),
        lengths=typical_lengths(rows),
    )
    parts = np.array([name.split("|")[0] for name in observed.group])
    return some_rows(observed, np.flatnonzero(np.isin(parts, PARTS))[::4])


@cache
def fitted() -> Fit:
    return fit(evidence(), rounds=1)


def median_error(found: Fit, observed: Observations, target: str) -> float:
    errors = errors_of(observed, found.guess)[TARGETS.index(target)]
    return float(np.nanmedian(np.abs(errors)))


def test_a_fit_explains_most_of_what_it_saw() -> None:
    assert median_error(fitted(), evidence(), "tpot_mean_s") < 0.12


def test_a_tenth_of_the_rows_wrong_tenfold_barely_moves_the_fit() -> None:
    observed = evidence()
    random = np.random.default_rng(7)
    wrong = random.choice(len(observed), len(observed) // 10, replace=False)
    factor = np.ones(len(observed))
    factor[wrong] = np.where(random.random(len(wrong)) < 0.5, 0.1, 10.0)
    corrupted = replace(
        observed, measured={name: v * factor for name, v in observed.measured.items()}
    )
    moved = fit(corrupted, rounds=1)
    rows = TARGETS.index("tpot_mean_s")
    shift = np.abs(moved.guess[rows] - fitted().guess[rows])
    assert np.median(shift[np.isfinite(observed.measured["tpot_mean_s"])]) < 0.04


def test_ones_own_measurement_is_believed_against_its_neighbours() -> None:
    observed, name = evidence(), "tpot_mean_s"
    row = int(np.flatnonzero(np.isfinite(observed.measured[name]))[0])
    mine = np.arange(len(observed)) == row
    measured = dict(observed.measured) | {name: observed.measured[name] * np.where(mine, 2.0, 1.0)}
    trust = np.where(mine, 10.0, observed.trust)
    told = fit(replace(observed, measured=measured, trust=trust), rounds=1)
    guess = np.exp(told.guess[TARGETS.index(name), row])
    assert guess > np.sqrt(2.0) * observed.measured[name][row]


def test_models_of_one_architecture_are_left_out_together() -> None:
    observed, models = evidence(), shipped_snapshot().models
    slugs = np.array([model.slug for model in models])[observed.published.cases.model]
    groups = {slug: set(observed.group[slugs == slug]) for slug in ("deepseek-r1", "deepseek-v3")}
    assert groups["deepseek-r1"] & groups["deepseek-v3"]


def test_the_linear_model_foretells_a_fit_without_a_group() -> None:
    observed, row = evidence(), TARGETS.index("tpot_mean_s")
    group = next(
        each for each in np.unique(observed.group) if each.startswith("nvidia-h200-sxm|36x")
    )
    inside, outside = (np.flatnonzero((observed.group != group) == x) for x in (True, False))
    foretold = left_out(fitted(), observed.group)[row, outside]
    without = fit(some_rows(observed, inside), rounds=1).parameters
    part = some_cases(fitted().observed.published, outside)
    refitted = predicted(part, parameter_columns(part.cases, without, part.use))["tpot_mean_s"]
    assert np.median(np.abs(foretold - np.log(refitted))) < 0.1


def test_folds_never_split_a_group() -> None:
    groups = evidence().group
    folds = folds_of(groups, 4)
    assert all(np.unique(folds[groups == group]).size == 1 for group in np.unique(groups))


def test_errors_say_nothing_of_rows_that_were_not_measured() -> None:
    errors = errors_of(evidence(), fitted().guess)
    unmeasured = np.isnan(evidence().measured["ttft_p99_s"])
    assert np.isnan(errors[TARGETS.index("ttft_p99_s")][unmeasured]).all()


def test_a_report_counts_its_rows() -> None:
    lines = report(evidence(), errors_of(evidence(), fitted().guess))
    line = next(x for x in lines if (x["target"], x["rows"]) == ("tpot_mean_s", "NVIDIA"))
    usable = (evidence().trust > 0) & ~evidence().published.cases.speculative
    assert line["n"] == np.isfinite(evidence().measured["tpot_mean_s"][usable]).sum()


def test_the_truth_is_always_in_the_right_order() -> None:
    truth = np.log(np.stack([evidence().measured[name] for name in TARGETS]))
    share, pairs = order_share(evidence(), truth)
    assert pairs == 0 or share == 1.0


def test_a_document_holds_what_prediction_needs() -> None:
    made = document(fitted(), lengths={"llama2-70b": (294.0, 280.0)})
    assert {"offsets", "spreads", "lengths", "evidence"} <= made.keys()


@pytest.mark.parametrize(
    ("source", "trusted"),
    [("MLPerf Inference v5.1 results", True), ("tt-metal README performance table", False)],
)
def test_sources_without_stated_lengths_are_context_only(source: str, *, trusted: bool) -> None:
    assert (trust_of(source) > 0.0) is trusted


def test_more_arithmetic_than_the_chips_have_is_no_evidence() -> None:
    rows = [r for r in shipped_serving_measurements() if r.tpot_mean_s and r.ttft_mean_s]
    snapshot = shipped_snapshot()
    row = rows[0]
    part = next(p for p in snapshot.accelerators if p.slug == row.accelerator_slug)
    model = next(m for m in snapshot.models if m.slug == row.model_slug)
    faster = replace(row, tpot_mean_s=1e-9, ttft_mean_s=1e-9, concurrency=1e4)
    assert [above_roofline(each, part, model) for each in (faster, row)] == [True, False]


def test_software_of_one_time_on_one_silicon_shares_what_is_learnt_of_it() -> None:
    cases = evidence().published.cases
    offsets = {"decode": {"port_era:NVIDIA/gpu/fp8/hbm|vllm|2026-01": 0.5}}
    moved = parameter_columns(cases, ServingParameters(offsets=offsets))["decode"]
    part = [cases.accelerators[i].slug for i in cases.accelerator]
    of_then = (
        np.isin(part, ("nvidia-h100-sxm", "nvidia-h200-sxm"))
        & (cases.engine == ENGINES.index("vllm"))
        & ~(cases.software_month < month_of("2026-01"))  # unknown counts as of then
        & ~(cases.software_month >= month_of("2026-05"))
    )
    assert 0 < of_then.sum() < len(cases)
    assert np.array_equal(np.asarray(moved) > 1.0, of_then)
