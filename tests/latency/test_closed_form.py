"""The closed form of the wide search: monotone exactly, and near what is simulated."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.engine.calibration import shipped_calibration
from advisor.engine.choice.corrections import LOADS, Lesson, lessons, taught
from advisor.engine.latency.closed_form import Station, correction, first_token_s
from catalog.engine.shipped import shipped_snapshot

STATION = Station(
    request_s=np.array([0.03]),
    prefill_s=np.array([0.08]),
    busy_prefill_s=np.array([0.05]),
    step_s=np.array([0.02]),
    replicas=np.array([4.0]),
    places=np.array([32.0]),
    capacity_per_s=np.array([5.0]),
    arrivals_per_s=10.0,
    arrival_cv=1.5,
    prompt_sigma=0.8,
    output_sigma=0.8,
)
PERCENTILES = st.sampled_from([0.0, 1.2816, 1.6449, 2.3263])


@given(
    load=st.floats(0.01, 0.95),
    more=st.floats(1.0, 1.5),
    cv=st.floats(0.5, 4.0),
    places=st.integers(1, 512),
    z=PERCENTILES,
)
def test_the_first_token_never_comes_sooner_under_more_load(
    load: float, more: float, cv: float, places: int, z: float
) -> None:
    station = replace(STATION, arrival_cv=cv, places=np.array([float(places)]))
    light, heavy = (
        first_token_s(replace(station, arrivals_per_s=20.0 * share), z=z)[0]
        for share in (load, load * more)
    )

    assert light <= heavy


@given(rate=st.floats(0.1, 60.0), replicas=st.integers(2, 40), z=PERCENTILES)
def test_the_first_token_never_comes_sooner_with_a_replica_less(
    rate: float, replicas: int, z: float
) -> None:
    fewer, whole = (
        first_token_s(
            replace(STATION, arrivals_per_s=rate, replicas=np.array([float(count)])), z=z
        )[0]
        for count in (replicas - 1, replicas)
    )

    assert fewer >= whole


@given(
    low=st.floats(0.0, 1.2),
    high=st.floats(0.0, 1.2),
    cv=st.floats(0.0, 5.0),
    z=st.floats(-1.0, 3.0),
)
def test_corrections_never_fall_with_load(low: float, high: float, cv: float, z: float) -> None:
    light, heavy = correction(np.array(sorted((low, high))), cv, z)

    assert light <= heavy


def test_corrected_the_closed_form_is_near_the_simulation() -> None:
    state = shipped_snapshot()
    found = lessons(
        state.accelerators, state.models, shipped_calibration(), count=16, seed=5, corrected=True
    )

    medians = [float(np.median([each.ratio[name] for each in found])) for name in found[0].ratio]
    assert medians == pytest.approx([1.0, 1.0, 1.0], abs=0.25)


def test_what_was_taught_never_falls_with_load() -> None:
    sloping = [
        Lesson(load=load, cv=1.0, ratio={"p50": 2.0 - load, "p95": 1.0 + load, "p99": 1.0})
        for load in LOADS
    ]

    assert all(np.diff(rows).min() >= 0.0 for rows in taught(sloping)["factors"].values())


@given(rate=st.floats(0.1, 18.0), cv=st.floats(0.5, 4.0), prompt=st.floats(0.0, 1.5))
def test_a_higher_percentile_is_never_quicker(rate: float, cv: float, prompt: float) -> None:
    station = replace(STATION, arrivals_per_s=rate, arrival_cv=cv, prompt_sigma=0.0)
    typical, tail, far = (
        first_token_s(replace(station, output_sigma=prompt), z=z)[0] for z in (0.0, 1.6449, 2.3263)
    )

    assert typical <= tail <= far
