"""Stages on a request's path: simulated on the same requests, never added up."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as trying
from hypothesis import strategies as st

from advisor.engine.latency.outcome import Outcome, percentile
from advisor.engine.latency.path import (
    Stage,
    largest_part_in_series,
    largest_share,
    own_times_s,
    through_path,
    through_stage,
)
from advisor.engine.latency.pool import Pool
from advisor.engine.latency.simulator import simulate
from advisor.engine.latency.step_times import StepTimes
from advisor.engine.latency.traffic import Arrivals, Lengths, Requests, drawn_requests

STEPS = StepTimes(
    fixed_s=np.concatenate([[0.0], 0.010 + 1e-4 * np.arange(1, 33)]),
    per_kv_token_s=np.zeros(33),
    prefill_s=5e-5,
)
REQUESTS = drawn_requests(
    Arrivals(requests_per_s=10.0, cv=1.5),
    Lengths(mean_tokens=500.0, p95_tokens=1500.0),
    Lengths(mean_tokens=20.0, p95_tokens=60.0),
    count=3000,
    seed=1,
)
SIGNING = Stage(name="signing", mean_s=0.5)


def serve(requests: Requests) -> Outcome:
    return simulate(requests, Pool(steps=STEPS, replicas=2))


def ttft(stages: Sequence[Stage]) -> np.ndarray:
    return through_path(REQUESTS, stages, serve, seed=1).ttft_s


def e2e(stages: Sequence[Stage]) -> np.ndarray:
    return through_path(REQUESTS, stages, serve, seed=1).e2e_s


def test_a_path_without_stages_is_the_model_alone() -> None:
    assert (ttft([]) == serve(REQUESTS).ttft_s).all()


def test_a_fixed_stage_before_the_model_delays_every_first_token_by_its_time() -> None:
    assert ttft([SIGNING]) == pytest.approx(ttft([]) + 0.5)


def test_half_a_second_in_series_on_every_request_leaves_no_p99_under_half_a_second() -> None:
    assert percentile(ttft([SIGNING]), 0.99) > 0.5
    assert ttft([SIGNING]).min() > 0.5


def test_half_a_second_on_a_percent_of_requests_can_leave_p99_under_half_a_second() -> None:
    solved = largest_share(SIGNING, lambda stage: ttft([stage]), share=0.99, target_s=0.5)
    assert solved is not None

    assert 0.0 < solved.amount < 0.02
    assert solved.reached_s <= 0.5


def test_one_step_beyond_the_solved_share_misses_the_target() -> None:
    solved = largest_share(SIGNING, lambda stage: ttft([stage]), share=0.99, target_s=0.5)
    assert solved is not None
    more = Stage(name="signing", mean_s=0.5, share=solved.amount + 2e-3)

    assert percentile(ttft([more]), 0.99) > 0.5


def test_a_target_the_model_alone_misses_has_no_share() -> None:
    assert largest_share(SIGNING, lambda s: ttft([s]), share=0.99, target_s=0.01) is None


def test_work_beside_the_model_is_hidden_as_far_as_the_model_takes_longer() -> None:
    target_s = percentile(e2e([]), 0.99) + 0.2
    solved = largest_part_in_series(SIGNING, e2e, share=0.99, target_s=target_s)
    assert solved is not None

    assert 0.0 < solved.amount < 1.0
    assert solved.reached_s <= target_s


def test_percentiles_of_a_path_are_below_the_sum_of_the_stages_percentiles() -> None:
    slow = Stage(name="retrieval", mean_s=0.1, p99_s=1.0)
    done = through_path(REQUESTS, [slow], serve, seed=1)
    added = percentile(done.stage_s[0], 0.99) + percentile(ttft([]), 0.99)

    assert percentile(done.ttft_s, 0.99) < added


STAGES = st.builds(
    Stage,
    name=st.sampled_from(["retrieval", "guardrail", "tool"]),
    mean_s=st.floats(0.001, 1.0),
    p99_s=st.none() | st.floats(0.01, 3.0),
    where=st.sampled_from(["beside", "after"]),
    share=st.floats(0.0, 1.0),
    at_once=st.none() | st.integers(1, 50),
    way_s=st.floats(0.0, 0.2),
)


@given(STAGES, st.sampled_from([0.5, 0.95, 0.99]))
@trying(max_examples=25)
def test_a_stage_never_lowers_a_percentile(stage: Stage, share: float) -> None:
    assert percentile(e2e([stage]), share) >= percentile(e2e([]), share)


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0))
@trying(max_examples=20)
def test_a_larger_share_takes_the_same_requests_and_more(a: float, b: float) -> None:
    few, many = (
        own_times_s(Stage(name="tool", mean_s=0.1, share=share), 500, seed=4)[1]
        for share in sorted((a, b))
    )

    assert (many | ~few).all()


def test_a_lognormal_stage_has_its_mean_and_its_99th_percentile() -> None:
    own, _, _ = own_times_s(Stage(name="tool", mean_s=0.2, p99_s=0.8), 200_000, seed=1)

    assert own.mean() == pytest.approx(0.2, rel=0.01)
    assert percentile(own, 0.99) == pytest.approx(0.8, rel=0.03)


def test_one_place_serves_one_request_at_a_time() -> None:
    stage = Stage(name="tool", mean_s=1.0, at_once=1)
    leave, _ = through_stage(np.array([0.0, 0.0, 0.5]), stage, seed=1)

    assert leave == pytest.approx([1.0, 2.0, 3.0])


def test_fewer_places_never_leave_earlier() -> None:
    start = REQUESTS.arrival_s
    few, many = (
        through_stage(start, Stage(name="tool", mean_s=0.4, p99_s=1.0, at_once=n), seed=1)[0]
        for n in (3, 6)
    )

    assert (np.sort(few) >= np.sort(many) - 1e-9).all()


def test_a_remote_stage_takes_its_way_longer() -> None:
    near, _ = through_stage(np.zeros(3), Stage(name="tool", mean_s=0.1), seed=1)
    far, _ = through_stage(np.zeros(3), Stage(name="tool", mean_s=0.1, way_s=0.08), seed=1)

    assert far == pytest.approx(near + 0.08)


def test_an_unavailable_stage_loses_its_share_of_requests() -> None:
    done = through_path(REQUESTS, [Stage(name="tool", mean_s=0.1, availability=0.9)], serve, seed=1)

    assert done.lost.mean() == pytest.approx(0.1, abs=0.02)
    assert np.isinf(done.e2e_s[done.lost]).all()
