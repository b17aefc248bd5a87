"""Published benchmarks through the simulator: as the closed form says, as was measured."""

from functools import cache

import numpy as np
import pytest

from advisor.engine.calibration import shipped_calibration
from advisor.engine.cases import Floats, Ints
from advisor.engine.latency.benchmarks import _at_limits, _closed, simulated
from advisor.engine.latency.load import SATURATED
from advisor.engine.latency.pool import Pool
from advisor.engine.latency.step_times import steady_steps
from advisor.engine.serving.evidence import Observations, observations, typical_lengths
from advisor.engine.serving.layouts import best_layouts
from advisor.engine.serving.outcomes import is_limited, predicted
from advisor.engine.serving.parameters import parameter_columns
from advisor.engine.serving.performance import serving_parameters
from catalog.engine.shipped import (
    shipped_benchmark_limits,
    shipped_serving_measurements,
    shipped_snapshot,
)

ROWS = 60


@cache
def observed() -> Observations:
    measurements = shipped_serving_measurements()
    return observations(
        measurements,
        accelerators=shipped_snapshot().accelerators,
        models=shipped_snapshot().models,
        limits=shipped_benchmark_limits(),
        lengths=typical_lengths(measurements),
    )


def usable(*, limited: bool, figure: str) -> Ints:
    """Some measured rows without separate prefill or speculation, the same every time."""
    cases = observed().published.cases
    rows = np.isfinite(observed().measured[figure]) & (observed().trust > 0.0)
    rows &= ~cases.speculative & (is_limited(observed().published) == limited)
    if cases.prefill_accelerators is not None:
        rows &= cases.prefill_accelerators == 0
    if not limited:
        rows &= cases.concurrency <= 256.0
    return np.random.default_rng(0).permutation(np.flatnonzero(rows))[:ROWS]


@cache
def both(limited: bool, figure: str) -> tuple[Floats, Floats, Floats]:  # noqa: FBT001
    """Simulated, closed form and measured, each by row."""
    parameters = serving_parameters(shipped_calibration())
    published = best_layouts(observed().published, parameters)
    columns = parameter_columns(published.cases, parameters, published.use)
    rows = usable(limited=limited, figure=figure)
    rows = rows[:12] if limited else rows
    return (
        simulated(published, columns, rows)[figure][rows],
        predicted(published, columns)[figure][rows],
        observed().measured[figure][rows],
    )


def median_error(guess: Floats, truth: Floats) -> float:
    return float(np.nanmedian(np.abs(guess / truth - 1.0)))


def test_in_a_closed_loop_the_time_per_output_token_is_the_closed_forms() -> None:
    simulation, closed, _ = both(limited=False, figure="tpot_mean_s")

    assert median_error(simulation, closed) < 0.02


def test_a_benchmarks_start_explains_what_the_closed_form_waits_for_others() -> None:
    simulation, closed, _ = both(limited=False, figure="ttft_mean_s")

    assert float(np.nanmedian(simulation / closed)) == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize(("figure", "most"), [("tpot_mean_s", 0.10), ("ttft_mean_s", 0.25)])
def test_fixed_concurrency_is_simulated_near_what_was_measured(figure: str, most: float) -> None:
    simulation, _, measured = both(limited=False, figure=figure)

    assert median_error(simulation, measured) < most


def test_the_highest_rate_within_the_limits_is_near_the_closed_forms() -> None:
    simulation, _, measured = both(limited=True, figure="tpot_p99_s")

    assert median_error(simulation, measured) < 0.3


def test_the_first_prompts_of_all_clients_wait_for_a_cold_engine() -> None:
    steps = steady_steps(step_s=0.01, max_batch=64, prefill_s=1e-5)
    cold, warm = (
        _closed(steps, 1000.0, 50.0, clients=8, cold_s=cold_s, seed=0).ttft_s
        for cold_s in (2.0, 0.0)
    )

    np.testing.assert_allclose(cold - warm, np.where(np.arange(80) < 8, 2.0, 0.0), atol=1e-9)


def test_a_limited_rate_is_one_that_full_replicas_serve_without_end() -> None:
    # 100 places of 100 steps of 10 ms serve 100 requests/s; no limit binds below that.
    steps = steady_steps(step_s=0.01, max_batch=100, prefill_s=1e-6)
    done = _at_limits(
        Pool(steps=steps, replicas=2), 100.0, 100.0, rate=150.0, limits_s=(5.0, 1.0), seed=0
    )
    assert done is not None

    rate = len(done) / float(done.arrival_s[-1] - done.arrival_s[0])
    assert rate == pytest.approx(SATURATED * 200.0, rel=0.05)
    assert float(np.quantile(done.ttft_s, 0.99)) < 1.0


def test_a_limited_rate_goes_no_further_than_its_limit() -> None:
    steps = steady_steps(step_s=0.01, max_batch=100, prefill_s=5e-5)  # 5 ms a prompt
    found = [
        _at_limits(Pool(steps=steps), 100.0, 100.0, rate=50.0, limits_s=(limit, 1.0), seed=0)
        for limit in (0.05, 0.1, 0.2)
    ]
    rates, tails = zip(
        *(
            (len(done) / float(done.arrival_s[-1]), float(np.quantile(done.ttft_s, 0.99)))
            for done in found
            if done is not None
        ),
        strict=True,
    )

    assert sorted(rates) == list(rates)
    np.testing.assert_array_less(tails, (0.0501, 0.1001, 0.2001))
    np.testing.assert_array_less((0.04, 0.08, 0.16), tails)
