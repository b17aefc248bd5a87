"""How much of each part a workload needs: one shape for serving, samples and training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from advisor.engine.cases import Band, Bools, Floats, Ints

REDUNDANCY_FACTOR: Mapping[str, float] = {"two_regions": 2.0, "active_active": 2.0}
"""Whole copies of the capacity, each able to carry the peak when the other is lost."""
REDUNDANCY_EXTRA: Mapping[str, float] = {"n_plus_1": 1.0, "two_zones": 1.0}
"""Replicas above what the peak needs, so that losing one keeps the targets."""
Z99 = 2.3263


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizing:
    """Layouts with as many replicas as the demand needs, one a row.

    `figures` holds performance by the names of the result document. `wait_s` is what plans
    are compared by: end-to-end or batch latency at the SLO percentile, or time to finish.
    """

    accelerator: Ints
    precision: Ints
    engine: Ints
    tensor: Ints
    pipeline: Ints
    expert: Ints
    attention_data: Ints
    replicas: Ints
    chips_per_replica: Ints
    concurrency: Floats  # requests in flight on one replica at its limit
    utilisation: Floats  # mean load of the capacity while it is needed, as a fraction
    hours_per_month: Floats  # hours in which the capacity is needed
    capacity_low: Floats  # low and high end of the speed, as factors of the central value
    capacity_high: Floats
    wait_s: Floats
    figures: Mapping[str, Band]
    fits: Bools
    meets_ttft: Bools
    meets_tpot: Bools
    meets_e2e: Bools
    needed_bytes: Floats  # of the smallest deployment, all its chips together
    available_bytes: Floats
    binding: NDArray[np.str_]
    measured: NDArray[np.str_]  # own measurement of the very configuration, by id; "" is none
    extrapolated: Bools  # no measurement of a relative stands behind the row

    def __len__(self) -> int:
        return len(self.accelerator)

    @property
    def meets(self) -> Bools:
        """Rows that fit and meet every target."""
        return self.fits & self.meets_ttft & self.meets_tpot & self.meets_e2e


def rows_of(sizing: Sizing, rows: ArrayLike) -> Sizing:
    """Some rows of a sizing, figures included."""
    index = np.asarray(rows)
    columns: dict[str, Any] = {
        each.name: getattr(sizing, each.name)[index]
        for each in fields(Sizing)
        if each.name != "figures"
    }
    figures = {
        name: Band(value=band.value[index], low=band.low[index], high=band.high[index])
        for name, band in sizing.figures.items()
    }
    return replace(sizing, figures=figures, **columns)


def joined(sizings: Sequence[Sizing]) -> Sizing:
    """Several sizings of the same workload below each other.

    Source: definition.
    """
    if len(sizings) == 1:
        return sizings[0]
    columns: dict[str, Any] = {
        each.name: np.concatenate([getattr(sizing, each.name) for sizing in sizings])
        for each in fields(Sizing)
        if each.name != "figures"
    }
    figures = {
        name: Band(
            value=np.concatenate([sizing.figures[name].value for sizing in sizings]),
            low=np.concatenate([sizing.figures[name].low for sizing in sizings]),
            high=np.concatenate([sizing.figures[name].high for sizing in sizings]),
        )
        for name in sizings[0].figures
    }
    return replace(sizings[0], figures=figures, **columns)


def nothing_sized() -> Sizing:
    """A sizing without rows: nothing was left to size."""
    none, numbers = np.zeros(0), np.zeros(0, dtype=np.int64)
    no = np.zeros(0, dtype=bool)
    return Sizing(
        accelerator=numbers, precision=numbers, engine=numbers, tensor=numbers, pipeline=numbers,
        expert=numbers, attention_data=numbers, replicas=numbers, chips_per_replica=numbers,
        concurrency=none, utilisation=none, hours_per_month=none, capacity_low=none,
        capacity_high=none, wait_s=none,
        figures={}, fits=no, meets_ttft=no, meets_tpot=no, meets_e2e=no, needed_bytes=none,
        available_bytes=none, binding=np.zeros(0, dtype=np.str_),
        measured=np.zeros(0, dtype=np.str_), extrapolated=no,
    )  # fmt: skip


def with_redundancy(replicas: Floats, redundancy: str) -> Ints:
    """Replicas to run so that the loss the user named still leaves the peak served.

    One more for a lost machine or zone (at least two), twice as many for a lost region.

    Source: N+1 and 2N redundancy as in Uptime Institute, "Tier Standard: Topology".
    """
    count = replicas * REDUNDANCY_FACTOR.get(redundancy, 1.0)
    count = count + REDUNDANCY_EXTRA.get(redundancy, 0.0)
    return np.asarray(np.ceil(count), dtype=np.int64)


def percentile_of(band_p50: Floats, band_p99: Floats, z: float) -> Floats:
    """Any percentile between the median and beyond from the median and the 99th.

    Holds for a lognormal law; source: as `lognormal_spread`.
    """
    ratio = np.log(np.maximum(band_p99 / np.maximum(band_p50, 1e-12), 1.0)) / Z99
    return np.asarray(band_p50 * np.exp(z * ratio))
