"""Waiting in line, against closed forms."""

from math import factorial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.engine.queueing import (
    mean_waiting_time_s,
    replicas_needed,
    waiting_probability,
    waiting_time_quantile_s,
)


def erlang_c_by_factorials(load: float, servers: int) -> float:
    tail = load**servers / factorial(servers) * servers / (servers - load)
    return tail / (sum(load**k / factorial(k) for k in range(servers)) + tail)


@pytest.mark.parametrize(("load", "servers"), [(0.5, 1), (1.8, 2), (7.0, 10), (40.0, 50)])
def test_erlang_c_equals_its_factorial_form(load: float, servers: int) -> None:
    assert waiting_probability(offered_load_erlangs=load, servers=servers) == pytest.approx(
        erlang_c_by_factorials(load, servers)
    )


def test_a_column_of_queues_gives_what_each_queue_gives_alone() -> None:
    loads, servers = np.array([0.5, 7.0, 1.8]), np.array([1, 10, 2])

    together = waiting_probability(offered_load_erlangs=loads, servers=servers)

    assert together == pytest.approx(
        [erlang_c_by_factorials(a, int(c)) for a, c in zip(loads, servers, strict=True)]
    )


def test_one_server_at_half_load_waits_one_service_time_on_average() -> None:
    # M/M/1: rho / (1 - rho) x service time
    assert mean_waiting_time_s(arrivals_per_s=0.5, service_s=1.0, servers=1) == pytest.approx(1.0)


def test_the_99th_percentile_of_one_server_follows_its_closed_form() -> None:
    # M/M/1: W(t) = 1 - rho exp(-(mu - lambda) t)
    expected_s = np.log(0.8 / 0.01) / (1.0 - 0.8)

    assert waiting_time_quantile_s(
        quantile=0.99, arrivals_per_s=0.8, service_s=1.0, servers=1
    ) == pytest.approx(expected_s)


def test_a_saturated_queue_never_settles() -> None:
    assert np.isinf(
        waiting_time_quantile_s(quantile=0.5, arrivals_per_s=2.0, service_s=1.0, servers=2)
    )


@given(load=st.floats(0.01, 0.98), more=st.floats(0.0, 0.5), servers=st.integers(1, 64))
def test_more_load_never_shortens_the_99th_percentile(
    load: float, more: float, servers: int
) -> None:
    def wait_s(share: float) -> float:
        return float(
            waiting_time_quantile_s(
                quantile=0.99, arrivals_per_s=share * servers, service_s=1.0, servers=servers
            )
        )

    assert wait_s(min(load + more, 0.999)) >= wait_s(load) - 1e-12


@given(load=st.floats(0.1, 30.0), servers=st.integers(1, 40))
def test_one_more_replica_never_lengthens_the_wait(load: float, servers: int) -> None:
    def wait_s(count: int) -> float:
        return float(
            waiting_time_quantile_s(
                quantile=0.95, arrivals_per_s=load, service_s=1.0, servers=count
            )
        )

    assert wait_s(servers + 1) <= wait_s(servers) or np.isinf(wait_s(servers))


def test_an_exact_multiple_of_a_replica_needs_no_spare() -> None:
    assert replicas_needed(arrivals_per_s=0.3, capacity_per_s=0.1) == 3.0
