"""The event-jump simulator: equal to a step-by-step one, and to what must hold of any queue."""

from dataclasses import replace

import numpy as np
import pytest

from advisor.engine.latency.outcome import Outcome
from advisor.engine.latency.pool import Pool
from advisor.engine.latency.simulator import simulate, simulate_closed
from advisor.engine.latency.step_times import StepTimes
from advisor.engine.latency.traffic import Arrivals, Lengths, Requests, drawn_requests
from tests.latency.naive import Result, naive_replica

COUNT = 300
SETTINGS = [
    {"chunk_tokens": 2048, "kv_capacity_tokens": np.inf, "reserves_output": False, "batch": 32},
    {"chunk_tokens": 64, "kv_capacity_tokens": np.inf, "reserves_output": False, "batch": 8},
    {"chunk_tokens": 256, "kv_capacity_tokens": 2500.0, "reserves_output": False, "batch": 32},
    {"chunk_tokens": 64, "kv_capacity_tokens": 2500.0, "reserves_output": False, "batch": 16},
    {"chunk_tokens": 256, "kv_capacity_tokens": 4000.0, "reserves_output": True, "batch": 16},
    {"chunk_tokens": 2048, "kv_capacity_tokens": 1e5, "reserves_output": False, "batch": 1},
]


def steps_for(*, batch: int = 32, **rest: object) -> StepTimes:
    return StepTimes(
        fixed_s=np.linspace(0.01, 0.01 + 0.0005 * batch, batch + 1),
        per_kv_token_s=np.full(batch + 1, 4e-7),
        prefill_s=1e-5,
        prefill_s2=1e-9,
        prefill_request_s=1e-3,
        idle_prefill_s=0.015,
        prefill_late_s=1e-5,
        admit_s=5e-4,
        request_s=0.03,
        **rest,  # type: ignore[arg-type]
    )


def requests_at(rate: float, *, seed: int, count: int = COUNT) -> Requests:
    return drawn_requests(
        Arrivals(requests_per_s=rate, cv=2.0),
        Lengths(mean_tokens=300.0, p95_tokens=900.0, most_tokens=1500.0),
        Lengths(mean_tokens=60.0, p95_tokens=200.0, most_tokens=900.0),
        count=count,
        seed=seed,
    )


def both(setting: int, seed: int, *, clients: int | None) -> tuple[Outcome, Result]:
    steps = steps_for(**SETTINGS[setting])  # type: ignore[arg-type]
    requests = requests_at([1.0, 4.0, 10.0][seed % 3], seed=seed)
    prompts, outputs = requests.prompt_tokens, requests.output_tokens
    pool = Pool(steps=steps)
    if clients is None:
        jumped = simulate(requests, pool)
    else:
        jumped = simulate_closed(prompts, outputs, pool, concurrency=clients)
    rows = zip(requests.arrival_s.tolist(), prompts.tolist(), outputs.tolist(), strict=True)
    return jumped, naive_replica(list(rows), steps, clients=clients)


@pytest.mark.parametrize("setting", range(len(SETTINGS)))
@pytest.mark.parametrize("clients", [None, 7])
@pytest.mark.parametrize("seed", range(3))
def test_jumping_and_stepping_agree_on_every_request(
    setting: int, clients: int | None, seed: int
) -> None:
    jumped, stepped = both(setting, seed, clients=clients)

    times = [(stepped.first[i], stepped.end[i]) for i in range(COUNT)]
    assert np.column_stack([jumped.first_token_s, jumped.end_s]) == pytest.approx(
        np.array(times), rel=1e-9
    )


def test_jumping_and_stepping_preempt_the_same_requests() -> None:
    jumped, stepped = both(2, 2, clients=None)

    assert jumped.preemptions.sum() > 0
    assert [stepped.preempted.get(i, 0) for i in range(COUNT)] == jumped.preemptions.tolist()


def test_a_new_request_waits_for_the_handling_of_those_that_run() -> None:
    # Ten long answers run when an eleventh request comes.
    requests = Requests(
        arrival_s=np.array([0.0] * 10 + [1.0]),
        prompt_tokens=np.full(11, 10, dtype=np.int64),
        output_tokens=np.array([1000] * 10 + [5]),
        session=np.zeros(11, dtype=np.int64),
    )
    quick, slow = (
        simulate(requests, Pool(steps=replace(steps_for(chunk_tokens=2048), admit_s=admit_s)))
        for admit_s in (0.0, 2e-3)
    )

    np.testing.assert_allclose(slow.ttft_s - quick.ttft_s, [0.0] * 10 + [0.02], atol=1e-9)
    np.testing.assert_allclose(slow.tpot_s, quick.tpot_s)
