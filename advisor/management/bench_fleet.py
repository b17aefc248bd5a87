"""What the bench command times of the fleet solver: seeded instances of a stated size."""

import time
import tracemalloc
from collections.abc import Sequence

import numpy as np

from advisor.engine.fleet.checking import broken
from advisor.engine.fleet.hourly import solve_by_hours
from advisor.engine.fleet.problem import FleetProblem
from catalog.units import MEGA

OPTIONS, BUCKETS, HOURS = 60, 40, 168
_WAYS = 3  # reserved for the whole horizon, on demand by the hour, spot in small numbers
_MACHINES = 100.0  # that the busiest hour would take on each bucket's quickest part


def instance(
    seed: int, *, options: int = OPTIONS, buckets: int = BUCKETS, hours: int = HOURS
) -> FleetProblem:
    """A fleet question with parts of different strengths and a mix that moves by the hour.

    Every part is sold in three ways; 15 of 100 pairs of bucket and part cannot be served;
    each bucket has its own busiest hour, and 8 % of chance in every hour on top.
    """
    chance = np.random.default_rng(seed)
    parts = options // _WAYS
    way, part = np.tile(np.arange(_WAYS), parts), np.repeat(np.arange(parts), _WAYS)
    speed = np.exp(chance.normal(0.0, 0.5, parts))
    rate = speed * np.exp(chance.normal(0.0, 0.35, (buckets, parts)))
    rate[chance.random(rate.shape) < 0.15] = 0.0  # noqa: PLR2004 -- stated in the docstring
    rate[rate.max(axis=1) == 0.0, 0] = 1.0
    rate /= np.exp(chance.normal(0.0, 0.7, buckets))[:, np.newaxis]
    usd_per_h = (speed * np.exp(chance.normal(0.0, 0.15, parts)))[part] * np.choose(
        way, [1.0, 1.6, 0.9]
    )
    held = way == 0
    return FleetProblem(
        hours=np.ones(hours),
        held=held,
        usd=np.where(held, usd_per_h * hours * 0.61, usd_per_h),
        most=np.where(way == _WAYS - 1, np.round(chance.uniform(0.0, 0.1, options) * _MACHINES),
                      4.0 * _MACHINES),
        least=np.zeros(options),
        tables=(np.zeros(0),) * options,
        pool_option=np.arange(options),
        pool_load=np.zeros(options, dtype=np.int64),
        size=np.ones(options),
        spare=np.zeros(options),
        rate=rate[:, part],
        usd_per_unit=np.zeros((buckets, options)),
        bucket_load=np.zeros(buckets, dtype=np.int64),
        demand=_week(chance, rate, hours),
    )  # fmt: skip


def _week(chance: np.random.Generator, rate: np.ndarray, hours: int) -> np.ndarray:
    hour = np.arange(hours)
    day = 1.0 + 0.6 * np.cos(2.0 * np.pi * (hour % 24 - 14) / 24.0)
    week = np.where(hour // 24 % 7 < 5, 1.0, 0.6)  # noqa: PLR2004 -- working days
    busiest = 14.0 + chance.uniform(-5.0, 5.0, (len(rate), 1))
    swing = 0.4 * np.cos(2.0 * np.pi * (hour % 24 - busiest) / 24.0)
    size = np.exp(chance.normal(0.0, 1.0, (len(rate), 1)))
    demand = size * np.exp(swing + chance.normal(0.0, 0.08, swing.shape)) * day * week
    peak = (demand / rate.max(axis=1)[:, np.newaxis]).sum(axis=0).max()
    return np.asarray(demand * _MACHINES / peak)


def fleet_figures(*, seeds: int, hours: int) -> dict[str, float]:
    """Seconds and proven gap of the worst of so many instances, every hour checked."""
    taken, gaps = [], []
    for seed in range(seeds):
        problem = instance(seed, hours=hours)
        start = time.perf_counter()
        fleet, bound = solve_by_hours(problem)
        taken.append(time.perf_counter() - start)
        valid = fleet is not None and not broken(problem, fleet)
        gaps.append((fleet.usd - bound) / fleet.usd if fleet is not None and valid else 1.0)
    return {"fleet_s": max(taken), "fleet_gap": max(gaps)}


def fleet_growth(sizes: Sequence[int]) -> list[list[float]]:
    """[hours, seconds, peak MB of Python's own memory] at rising numbers of hours."""
    rows = []
    for hours in sizes:
        problem = instance(0, hours=hours)
        tracemalloc.start()
        start = time.perf_counter()
        solve_by_hours(problem)
        taken = time.perf_counter() - start
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        rows.append([float(hours), taken, peak / MEGA])
    return rows
