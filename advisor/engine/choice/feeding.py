"""What keeps a plan's accelerators busy or idle beside their own speed: storage and failures."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from advisor.engine.cases import Floats
from advisor.engine.plan import Plan
from advisor.engine.search.river import Priced
from advisor.engine.training.jobs import (
    READ_BYTES_PER_S,
    best_checkpoint_interval_s,
    checkpoint_bytes_per_s,
    checkpoint_write_s,
    fed_fraction,
    job_goodput,
    job_mtbf_s,
    storage_needed_bytes_per_s,
)
from catalog.units import GIGA

ARTICLE_BYTES_PER_S = 20.0 * GIGA
"""The rate at which large models stream, as claimed in "AI Infrastructure 2026", AI 4U."""
KIND_WORDS = {
    "text": "text",
    "images": "images",
    "video": "video",
    "volumes": "3D images",
}
_READS = ("pretrain", "finetune_full", "finetune_peft", "rl_posttrain", "vision")


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedLine:
    """What one kind of data asks of the storage, and how busy a given storage keeps the plan."""

    data: str
    needed_low_bytes_per_s: float
    needed_high_bytes_per_s: float
    busy_low: float  # share of the time at `storage_bytes_per_s`, where most is read
    busy_high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class JobLosses:
    """Time of a training job that makes no progress, as shares, and why."""

    mtbf_s: float
    interval_s: float
    best_interval_s: float
    writing: float
    repeated: float
    restarting: float
    progress: float  # what failures and checkpoints leave
    counted: float  # what hours are counted with


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """Storage lines of one workload's plan, and losses where it is a training job."""

    workload: str
    accelerators: int
    storage_bytes_per_s: float
    storage_is_given: bool  # asked for by the user, else the article's figure
    lines: tuple[FeedLine, ...]
    job: JobLosses | None

    def as_dict(self) -> dict[str, Any]:
        """The feed as the result document carries it."""
        return asdict(self)


def feed_of(plan: Plan, priced: Priced, *, storage_bytes_per_s: float) -> Feed | None:
    """Storage and losses of a plan that reads training data or images; None for others.

    Source: advisor.engine.training.jobs.
    """
    workload = priced.workload
    if workload.kind not in _READS or plan.accelerator_count <= 0:
        return None
    given = storage_bytes_per_s > 0.0
    rate = storage_bytes_per_s if given else ARTICLE_BYTES_PER_S
    return Feed(
        workload=workload.name,
        accelerators=plan.accelerator_count,
        storage_bytes_per_s=rate,
        storage_is_given=given,
        lines=tuple(_line(kind, plan.accelerator_count, rate) for kind in READ_BYTES_PER_S),
        job=None if workload.training is None else _losses(plan, priced),
    )


def _one(value: float) -> Floats:
    return np.array([value], dtype=np.float64)


def _line(kind: str, accelerators: int, rate: float) -> FeedLine:
    low, high = storage_needed_bytes_per_s(_one(accelerators), kind)
    return FeedLine(
        data=KIND_WORDS[kind],
        needed_low_bytes_per_s=float(low[0]),
        needed_high_bytes_per_s=float(high[0]),
        busy_low=float(fed_fraction(high, _one(rate))[0]),
        busy_high=float(fed_fraction(low, _one(rate))[0]),
    )


def _losses(plan: Plan, priced: Priced) -> JobLosses | None:
    demand = priced.workload.training
    if demand is None:
        return None
    count = _one(plan.accelerator_count)
    lost = job_goodput(
        count, params=demand.model.total_params * demand.trainable_fraction,
        interval_s=demand.checkpoint_interval_s,
    )  # fmt: skip
    mtbf = job_mtbf_s(count)
    write_s = checkpoint_write_s(
        _one(demand.model.total_params * demand.trainable_fraction),
        storage_bytes_per_s=checkpoint_bytes_per_s(count),
    )
    return JobLosses(
        mtbf_s=float(mtbf[0]),
        interval_s=demand.checkpoint_interval_s,
        best_interval_s=float(best_checkpoint_interval_s(write_s, mtbf)[0]),
        writing=float(lost.writing[0]),
        repeated=float(lost.repeated[0]),
        restarting=float(lost.restarting[0]),
        progress=float(lost.fraction[0]),
        counted=min(demand.goodput, float(lost.fraction[0])),
    )
