"""What happens to a training job beside its steps: failures, checkpoints, storage."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from advisor.engine.cases import Floats
from catalog.units import SECONDS_PER_HOUR

ACCELERATOR_MTBF_S = 50_000.0 * SECONDS_PER_HOUR
"""Source: 419 failures of 16,384 GPUs in 54 days, arXiv:2407.21783 (50,700 h each); MLPerf
Storage v2.0 takes 50,000 h."""
RESTART_S = 600.0  # to notice, replace, load and warm up again; an assumption
CHECKPOINT_BYTES_PER_PARAMETER = 14.0
"""Source: weights of 2, master copy of 4 and moments of 8 bytes; gradients are not kept."""
CHECKPOINT_BYTES_PER_S = 20e9  # to shared storage, at least, whatever the size; an assumption
CHECKPOINT_BYTES_PER_S_EACH = 2e12 / 16_384
"""Source: 2 TB/s sustained for 16,384 GPUs, arXiv:2407.21783, section 3.3.1."""
READ_BYTES_PER_S: Mapping[str, tuple[float, float]] = {
    "text": (0.7e3, 100e6),
    "images": (0.5e9, 2e9),
    "video": (0.5e9, 2e9),
    "volumes": (2.5e9, 2.75e9),
}
"""Bytes each accelerator reads a second while it trains, low and high, by kind of data.

Source: text, arithmetic of 4 bytes a token at 165 tokens a second (405B parameters on H100) up
to the planning bound of 0.1 GB/s; 3D volumes,
MLPerf Storage v1.0 3D-UNet (36 H100 need 99 GB/s); images and video are planning figures of
0.5 to 2 GB/s, not measured here.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goodput:
    """Share of a job's time that makes progress, and where the rest goes."""

    fraction: Floats
    interval_s: Floats  # between checkpoints
    writing: Floats  # share lost to writing checkpoints
    repeated: Floats  # share lost to work done again
    restarting: Floats


def job_mtbf_s(accelerators: Floats, *, accelerator_mtbf_s: float = ACCELERATOR_MTBF_S) -> Floats:
    """Mean seconds between failures of a job that any failed accelerator stops.

    Holds for independent failures; the first half year of a new part sees about twice as many.

    Source: failures add up, A. Kokolis et al., arXiv:2410.21680.
    """
    return np.asarray(accelerator_mtbf_s / np.maximum(accelerators, 1.0))


def best_checkpoint_interval_s(write_s: Floats, mtbf_s: Floats) -> Floats:
    """Seconds between checkpoints that lose the least time.

    Holds where writing is short against the time between failures.

    Source: J. Young, CACM 17 (1974); J. Daly, FGCS 22 (2006): sqrt(2 x write x MTBF).
    """
    return np.asarray(np.sqrt(2.0 * write_s * mtbf_s))


def goodput(
    accelerators: Floats,
    *,
    write_s: Floats,
    interval_s: Floats | None = None,
    restart_s: float = RESTART_S,
    accelerator_mtbf_s: float = ACCELERATOR_MTBF_S,
) -> Goodput:
    """Share of time that makes progress, with the checkpoint interval given or the best one.

    On average half an interval is repeated after a failure.

    Source: first-order terms of J. Daly, FGCS 22 (2006).
    """
    mtbf = job_mtbf_s(accelerators, accelerator_mtbf_s=accelerator_mtbf_s)
    interval = best_checkpoint_interval_s(write_s, mtbf) if interval_s is None else interval_s
    interval = np.maximum(interval, 1e-9)
    writing = write_s / (interval + write_s)
    repeated = np.minimum(interval / (2.0 * mtbf), 1.0)
    restarting = np.minimum(restart_s / mtbf, 1.0)
    kept = (1.0 - writing) * np.maximum(1.0 - repeated - restarting, 0.0)
    return Goodput(
        fraction=np.asarray(kept),
        interval_s=np.asarray(interval),
        writing=np.asarray(writing),
        repeated=np.asarray(repeated),
        restarting=np.asarray(restarting),
    )


def checkpoint_bytes_per_s(accelerators: Floats) -> Floats:
    """Rate at which a job writes its checkpoints: storage grows with the job.

    Source: CHECKPOINT_BYTES_PER_S and CHECKPOINT_BYTES_PER_S_EACH.
    """
    grown = CHECKPOINT_BYTES_PER_S_EACH * np.asarray(accelerators, dtype=np.float64)
    return np.asarray(np.maximum(CHECKPOINT_BYTES_PER_S, grown))


def job_goodput(accelerators: Floats, *, params: float, interval_s: float) -> Goodput:
    """What failures and checkpoints leave of a job's time, with checkpoints at an interval.

    Holds for trained parameters written to shared storage while the job waits.

    Source: `goodput`, `checkpoint_write_s`.
    """
    count = np.asarray(accelerators, dtype=np.float64)
    write_s = checkpoint_write_s(
        np.full(count.shape, params), storage_bytes_per_s=checkpoint_bytes_per_s(count)
    )
    interval = np.full(count.shape, max(interval_s, 1.0))
    return goodput(count, write_s=write_s, interval_s=interval)


def checkpoint_write_s(
    params: Floats,
    *,
    storage_bytes_per_s: Floats,
    bytes_per_parameter: float = CHECKPOINT_BYTES_PER_PARAMETER,
) -> Floats:
    """Seconds to write one checkpoint while the job waits.

    Source: arithmetic.
    """
    return np.asarray(params * bytes_per_parameter / storage_bytes_per_s)


def storage_needed_bytes_per_s(accelerators: Floats, data: str) -> tuple[Floats, Floats]:
    """Read rate that keeps accelerators busy, low and high, by kind of data.

    Source: READ_BYTES_PER_S.
    """
    low, high = READ_BYTES_PER_S[data]
    return np.asarray(accelerators * low), np.asarray(accelerators * high)


def fed_fraction(needed_bytes_per_s: Floats, storage_bytes_per_s: Floats) -> Floats:
    """Share of time accelerators are busy where storage delivers less than they read.

    Holds for reads that are prefetched: whichever is slower sets the pace.

    Source: arithmetic.
    """
    return np.asarray(np.minimum(storage_bytes_per_s / np.maximum(needed_bytes_per_s, 1e-9), 1.0))
