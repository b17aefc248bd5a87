"""The simulator against queues whose answer is known, and Little's law."""

import numpy as np
import pytest

from advisor.engine.latency.outcome import Interval
from advisor.engine.latency.pool import Pool
from advisor.engine.latency.simulator import simulate
from advisor.engine.queueing import mean_waiting_time_s
from tests.latency.test_simulator import requests_at, steps_for
from tests.latency.theory import mean_wait, queue

COUNTS = {(1, 0.5): 300_000, (1, 0.9): 200_000, (2, 0.5): 700_000, (2, 0.9): 200_000}
# All are below the million at which the widths are asked for.
WIDTHS = {0.5: 0.01, 0.9: 0.05}


def erlang_c(load: float, servers: int) -> float:
    return float(mean_waiting_time_s(arrivals_per_s=load * servers, service_s=1.0, servers=servers))


def pollaczek_khinchine(load: float) -> float:
    return load / (2.0 * (1.0 - load))


def holds(interval: Interval, truth: float, load: float) -> tuple[bool, bool]:
    return (
        interval.low <= truth <= interval.high,
        interval.half_width <= WIDTHS[load] * truth,
    )


@pytest.mark.parametrize("load", [0.5, 0.9])
@pytest.mark.parametrize("servers", [1, 2])
def test_random_service_waits_as_erlang_c_says(servers: int, load: float) -> None:
    found = queue(servers=servers, load=load, even=False, count=COUNTS[servers, load], seed=1)

    assert holds(mean_wait(found), erlang_c(load, servers), load) == (True, True)


@pytest.mark.parametrize("load", [0.5, 0.9])
def test_even_service_waits_as_pollaczek_and_khinchine_say(load: float) -> None:
    found = queue(servers=1, load=load, even=True, count=COUNTS[1, load], seed=1)

    assert holds(mean_wait(found), pollaczek_khinchine(load), load) == (True, True)


def test_littles_law_holds_to_rounding() -> None:
    done = simulate(requests_at(4.0, seed=3, count=5_000), Pool(steps=steps_for(), replicas=3))
    at = np.concatenate([done.arrival_s, done.end_s])
    change = np.concatenate([np.ones(len(done)), -np.ones(len(done))])
    order = np.argsort(at, kind="stable")
    inside = np.cumsum(change[order])[:-1]

    request_seconds = float(inside @ np.diff(at[order]))
    assert request_seconds == pytest.approx(float(done.e2e_s.sum()), rel=1e-12)
