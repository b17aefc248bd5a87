"""Accelerators that finish a training job in time, or what a given set of them takes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from advisor.engine.calibration import Calibration
from advisor.engine.cases import Band, Floats, Ints, TrainingCases
from advisor.engine.search.measured import measured_training, with_value
from advisor.engine.search.sizing import Sizing
from advisor.engine.training.jobs import job_goodput
from advisor.engine.training.performance import TrainingPoint, training_point
from advisor.engine.workload import GivenSetup, TrainingDemand
from catalog.specs import PRECISIONS, AcceleratorSpec, SystemSpec
from catalog.units import HOURS_PER_MONTH, SECONDS_PER_HOUR

COUNTS: Ints = np.unique(np.concatenate([2 ** np.arange(0, 15), 3 * 2 ** np.arange(3, 13)])).astype(
    np.int64
)
"""Sizes of a job: powers of two, and the steps half-way between from 24 on."""


def size_training(
    parts: Sequence[AcceleratorSpec],
    systems: Sequence[SystemSpec],
    demand: TrainingDemand,
    calibration: Calibration,
    *,
    precisions: Mapping[int, Sequence[str]],
    software_month: float,
    assumed: int,
    given: GivenSetup | None,
) -> Sizing:
    """Each part and format at every size of the job, with its time to finish.

    Hours are tokens over speed, lengthened by the share of time that makes no progress; the
    deadline is one run's. With a given set-up its part is sized as given.

    Source: speed as in `training`.
    """
    rows = [
        (index, PRECISIONS.index(name), count)
        for index, names in sorted(precisions.items())
        for name in names
        for count in _counts(parts[index], given)
    ]
    part, precision, count = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    cases = training_cases(
        parts, systems, demand, part, precision, count,
        software_month=software_month, assumed=assumed,
    )  # fmt: skip
    point = training_point(cases, calibration)
    return sized_training(cases, point, demand, given, calibration)


def _counts(part: AcceleratorSpec, given: GivenSetup | None) -> Sequence[int]:
    if given is not None and given.accelerator_slug == part.slug:
        return [given.accelerator_count]
    if part.family == "waferscale":
        return [int(count) for count in COUNTS[COUNTS <= 64]]  # noqa: PLR2004 -- SwarmX jobs
    return [int(count) for count in COUNTS]


def training_cases(
    parts: Sequence[AcceleratorSpec],
    systems: Sequence[SystemSpec],
    demand: TrainingDemand,
    part: Ints,
    precision: Ints,
    count: Ints,
    *,
    software_month: float,
    assumed: int,
) -> TrainingCases:
    """The job on so many of each part, in a format each; parts and formats are indices."""
    nodes = [node_of(accelerator, systems) for accelerator in parts]
    node_size = np.array([size for size, _ in nodes], dtype=np.int64)[part]
    scale_out = np.array([rate for _, rate in nodes])[part]
    rows = len(part)
    sequences = max(demand.global_batch_tokens / max(demand.seq_len, 1.0), 1.0)
    return TrainingCases(
        accelerators=tuple(parts),
        models=(demand.model,),
        accelerator=part,
        model=np.zeros(rows, dtype=np.int64),
        precision=precision,
        software_month=np.full(rows, software_month),
        accelerator_count=count,
        system_accelerator_count=node_size,
        scale_out_bytes_per_s=scale_out,
        task=np.full(rows, "finetune" if demand.task == "rl" else demand.task),
        seq_len=np.full(rows, demand.seq_len),
        global_batch=np.full(rows, sequences),
        recompute=np.full(rows, demand.recompute),
        assumed=np.full(rows, assumed, dtype=np.int64),
        optimizer=np.full(rows, demand.optimizer),
        trainable_fraction=np.full(rows, demand.trainable_fraction),
        quantised_base=np.full(rows, demand.quantised_base),
        offload=np.full(rows, demand.offload),
    )


def node_of(part: AcceleratorSpec, systems: Sequence[SystemSpec]) -> tuple[int, float]:
    """Accelerators of the usual node and the scale-out rate of each; nan where unknown."""
    mine = [system for system in systems if system.accelerator_slug == part.slug]
    known = [system for system in mine if system.nic_bytes_per_s is not None]
    for system in known or mine:
        rate = (system.nic_bytes_per_s or np.nan) / system.accelerator_count
        return system.accelerator_count, rate
    return max(min(part.scale_up_domain, 8), 1), np.nan


def sized_training(
    cases: TrainingCases,
    point: TrainingPoint,
    demand: TrainingDemand,
    given: GivenSetup | None,
    calibration: Calibration,
) -> Sizing:
    """Predicted speeds as time to finish, and what the user booked or measured in their place."""
    count = cases.accelerator_count.astype(np.float64)
    own, by = measured_training(cases, calibration.measured.get("training", ()))
    point = _with_own(point, own)
    speed, mfu = _users_own(point, demand)
    hours = _hours(speed, demand, count)
    rows = len(cases)
    runs = demand.runs_per_month * max(demand.rerun_factor, 1.0)
    booked = hours.value
    is_booked = np.zeros(rows, dtype=bool)
    if given is not None and given.hours is not None:
        slugs = np.array([part.slug for part in cases.accelerators])
        is_booked = slugs[cases.accelerator] == given.accelerator_slug
        booked = np.where(is_booked, given.hours, booked)
    per_month = np.minimum(booked * runs, HOURS_PER_MONTH)
    in_time = np.ones(rows, dtype=bool)
    limit_h = _limit_h(demand, given)
    if limit_h is not None:
        in_time = np.asarray(hours.value <= limit_h)
    ones = np.ones(rows, dtype=bool)
    return Sizing(
        accelerator=cases.accelerator,
        precision=cases.precision,
        engine=np.full(rows, -1, dtype=np.int64),
        tensor=point.tensor_parallel,
        pipeline=point.pipeline_parallel,
        expert=np.ones(rows, dtype=np.int64),
        attention_data=np.ones(rows, dtype=np.int64),
        replicas=np.ones(rows, dtype=np.int64),
        chips_per_replica=cases.accelerator_count,
        concurrency=np.ones(rows),
        utilisation=np.minimum(per_month / HOURS_PER_MONTH, 1.0),
        hours_per_month=per_month,
        # Hours that the user booked are paid as booked, however fast the job runs.
        capacity_low=np.where(is_booked, 1.0, speed.low / np.maximum(speed.value, 1e-300)),
        capacity_high=np.where(is_booked, 1.0, speed.high / np.maximum(speed.value, 1e-300)),
        wait_s=hours.value * SECONDS_PER_HOUR,
        figures={
            "hours": hours,
            "mfu": mfu,
            "tokens_per_s_per_accelerator": speed,
            "step_time_s": point.step_time_s,
        },
        # A rank without a sequence of its own has nothing to do.
        fits=point.fits & (point.data_parallel <= np.maximum(cases.global_batch, 1.0)),
        meets_ttft=ones,
        meets_tpot=ones,
        meets_e2e=in_time,
        needed_bytes=point.memory_needed_bytes * count,
        available_bytes=point.memory_available_bytes * count,
        binding=point.binding,
        measured=by,
        extrapolated=np.asarray(point.evidence == "estimated"),
    )


def _with_own(point: TrainingPoint, own: Floats) -> TrainingPoint:
    """Speeds, MFU and step times as they were measured, where they were."""
    known = ~np.isnan(own)
    if not known.any():
        return point
    ratio = np.where(known, own, 1.0) / point.tokens_per_s_per_accelerator.value
    return replace(
        point,
        tokens_per_s_per_accelerator=with_value(point.tokens_per_s_per_accelerator, known, own),
        mfu=with_value(point.mfu, known, point.mfu.value * ratio),
        step_time_s=with_value(point.step_time_s, known, point.step_time_s.value / ratio),
    )


def _users_own(point: TrainingPoint, demand: TrainingDemand) -> tuple[Band, Band]:
    """Speed and MFU as predicted, or as the user's own measurement of MFU says."""
    speed, mfu = point.tokens_per_s_per_accelerator, point.mfu
    if demand.user_mfu is None:
        return speed, mfu
    value = speed.value * demand.user_mfu / np.maximum(mfu.value, 1e-12)
    own = np.full(len(value), demand.user_mfu)
    return Band(value=value, low=value, high=value), Band(value=own, low=own, high=own)


def _hours(speed: Band, demand: TrainingDemand, count: Floats) -> Band:
    # Large jobs fail so often that they make less progress than was said or taken for granted.
    lost = job_goodput(
        count,
        params=demand.model.total_params * demand.trainable_fraction,
        interval_s=demand.checkpoint_interval_s,
    )
    progress = np.maximum(np.minimum(demand.goodput, lost.fraction), 1e-6)
    work = demand.tokens / count / progress / SECONDS_PER_HOUR
    floor = 1e-12
    return Band(
        value=work / np.maximum(speed.value, floor),
        low=work / np.maximum(speed.high, floor),
        high=work / np.maximum(speed.low, floor),
    )


def _limit_h(demand: TrainingDemand, given: GivenSetup | None) -> float | None:
    if given is not None and given.hours is not None:
        return given.hours
    return None if demand.deadline_s is None else demand.deadline_s / SECONDS_PER_HOUR
