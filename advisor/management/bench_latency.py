"""What the bench command times of latency under load: simulated requests, and a what-if."""

import resource
import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from advisor.engine.latency.fewest import fewest_replicas
from advisor.engine.latency.load import load_table
from advisor.engine.latency.served import Served
from advisor.engine.latency.simulator import simulate
from advisor.services.advice import worked_from
from advisor.services.latency import Change, served_plan, setup_of
from catalog.units import KILO

PRESET = "chatbot_1m"
_REPEATS = 3


@cache
def plan_served() -> Served:
    """The recommended plan of a preset, as the simulator runs it."""
    worked = worked_from({"preset": PRESET})
    best = worked.decisions[0].recommended
    if best is None:
        message = f"the preset {PRESET} has no recommendation to simulate"
        raise RuntimeError(message)
    return served_plan(worked, best.id)[0]


def simulated_requests_per_s(count: int) -> float:
    """Requests a second of processor time, continuous batching at the plan's peak, best of three.

    Each replica gets every n-th request, as a single core serves them.
    """
    return count / min(_simulation_s(count) for _ in range(_REPEATS))


def _simulation_s(count: int) -> float:
    served = plan_served()
    requests = served.requests(count=count, seed=1)
    pool = served.pool(router="round_robin")
    return _processor_s(lambda: simulate(requests, pool))


def _processor_s(work: Callable[[], Any]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def whatif_seconds() -> float:
    """Seconds from a changed figure to its table, the plan being at hand."""
    setup = setup_of(plan_served(), Change(load=1.1, burstiness_cv=2.0), quick=True)
    start = time.perf_counter()
    table = load_table(setup, with_knee=False)
    fewest_replicas(setup, capacity_requests_per_s=table.capacity_requests_per_s)
    return time.perf_counter() - start


def simulation_growth(sizes: Sequence[int]) -> list[list[float]]:
    """[requests, seconds, MB more than before] of one simulation at rising sizes."""
    plan_served()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rows = []
    for size in sizes:
        taken_s = _simulation_s(size)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        rows.append([float(size), taken_s, (peak - before) / KILO])
    return rows
