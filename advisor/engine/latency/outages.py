"""Months played through: when units, zones and the region are down, and what a month adds up to."""

import numpy as np

from advisor.engine.cases import Floats
from advisor.engine.latency.availability import Failures, Layout
from catalog.units import HOURS_PER_DAY, HOURS_PER_MONTH

Random = np.random.Generator


def monthly_down_h(
    layout: Layout, failures: Failures, *, needed: Floats, months: int, seed: int
) -> Floats:
    """Hours of each month in which fewer units were up than the hour of the day needs.

    `needed` holds 24 figures, or one. Lives and repairs are exponential, each component its
    own; the months follow each other in one history that starts with everything up. The same
    seed gives each component the same history whatever else is in the pool.

    Source: alternating renewal processes, S. M. Ross, "Introduction to Probability Models",
    12th ed., Academic Press 2019, section 7.5.
    """
    end_h = months * HOURS_PER_MONTH
    hours = np.broadcast_to(np.asarray(needed, dtype=np.float64), 24)
    step_h = 1.0 if np.ptp(hours) > 0.0 else HOURS_PER_MONTH
    times: list[Floats] = [np.arange(0.0, end_h, step_h)]
    zones = []
    for zone, units in enumerate(layout.of_zones):
        lives = [
            _history(failures.alone_mtbf_h, failures.unit_repair_h, end_h, [seed, 2, zone, unit])
            for unit in range(units)
        ]
        out = _zone_history(failures.zone_down, failures.zone_outage_h, end_h, [seed, 1, zone])
        common = _zone_history(failures.common_down, failures.unit_repair_h, end_h, [seed, 3, zone])
        zones.append((lives, (out, common)))
        times += [*lives, out, common]
    region = _zone_history(failures.region_down, failures.region_outage_h, end_h, [seed, 0])
    push = _zone_history(failures.push_down, failures.push_outage_h, end_h, [seed, 4])
    grid = np.unique(np.concatenate([*times, region, push, [end_h]]))
    grid = grid[grid <= end_h]
    middle = 0.5 * (grid[:-1] + grid[1:])
    up = np.zeros(len(middle))
    for lives, (out, common) in zones:
        up += (
            _is_up(out, middle)
            * _is_up(common, middle)
            * sum((_is_up(life, middle) for life in lives), start=np.zeros(len(middle)))
        )
    up *= _is_up(region, middle) * _is_up(push, middle)
    short = up < hours[(middle % HOURS_PER_DAY).astype(np.int64)]
    month = np.minimum((middle / HOURS_PER_MONTH).astype(np.int64), months - 1)
    lasting = np.where(short, np.diff(grid), 0.0)
    return np.bincount(month, weights=lasting, minlength=months).astype(np.float64)


def share_of_months(down_h: Floats, *, target: float) -> float:
    """Share of the months whose time short of units stays within a target availability.

    Source: definition.
    """
    return float((down_h <= (1.0 - target) * HOURS_PER_MONTH).mean())


def _history(up_h: float, down_h: float, end_h: float, seed: list[int]) -> Floats:
    """Times at which a component goes down, up, down, … from zero on, up at first."""
    random = np.random.default_rng(seed)
    pairs = int(end_h / (up_h + down_h) * 1.5) + 20
    changes = np.cumsum(random.exponential(1.0, (pairs, 2)) * (up_h, down_h))
    while changes[-1] < end_h:  # rare: more pairs than expected are needed
        more = np.cumsum(random.exponential(1.0, (pairs, 2)) * (up_h, down_h))
        changes = np.concatenate([changes, changes[-1] + more])
    return np.asarray(changes[changes < end_h])


def _zone_history(down: float, outage_h: float, end_h: float, seed: list[int]) -> Floats:
    if down <= 0.0 or outage_h <= 0.0:
        return np.zeros(0)
    return _history(outage_h * (1.0 - down) / down, outage_h, end_h, seed)


def _is_up(changes: Floats, at: Floats) -> Floats:
    """One where an even number of changes lies before, zero elsewhere."""
    return np.asarray(1.0 - np.searchsorted(changes, at) % 2, dtype=np.float64)
