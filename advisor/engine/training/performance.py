"""Training speed of a job on a set of accelerators: step time, tokens a second, memory, MFU."""

from dataclasses import dataclass, fields
from functools import cache

import numpy as np
from numpy.typing import NDArray

from advisor.engine.calibration import DEFAULT_CALIBRATION, Calibration
from advisor.engine.cases import Band, Bools, Floats, Ints, TrainingCases
from advisor.engine.kriging import Kriging, from_document
from advisor.engine.training.features import training_features
from advisor.engine.training.layouts import Layouts, Split, column, layouts, picked
from advisor.engine.training.memory import RECOMPUTES
from advisor.engine.training.parameters import training_parameters, training_widths
from advisor.engine.training.steps import TERMS, LayoutCosts, layout_costs, layout_seconds
from advisor.engine.training.tables import STYLES, TrainingWork, training_work
from advisor.engine.training.time import time_to_train_s
from catalog.specs import Evidence

_ROWS_AT_ONCE = 256  # some hundred layouts each: keeps temporary tables within the cache
_DEFAULT_SPREAD = 0.30  # standard deviation of the logarithm where nothing was measured
_ASSUMED_SPREAD = 0.05  # more for each field that was assumed
_STEP = 0.02  # of a logarithmic parameter, for derivatives
_NORMAL_80 = 1.2816  # half an 80 % interval of a normal distribution


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingPoint:
    """Predictions, one a case; a token is a sample where the model has no tokens."""

    tokens_per_s_per_accelerator: Band
    mfu: Band
    step_time_s: Band
    time_to_train_s: Band  # to a benchmark's target; nan where none is known
    memory_needed_bytes: Floats  # on the fullest accelerator, reserve included
    memory_available_bytes: Floats
    fits: Bools
    binding: NDArray[np.str_]  # compute, memory, link, overhead
    tensor_parallel: Ints
    pipeline_parallel: Ints
    data_parallel: Ints
    sharded: Bools  # weights shared out over data-parallel ranks, as FSDP and ZeRO-3 do
    recompute: NDArray[np.str_]
    evidence: NDArray[np.str_]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTimes:
    """The fastest layout that fits of each case, and where its step goes."""

    option: Ints
    fits: Bools
    memory_bytes: Floats
    seconds: dict[str, Floats]  # by TERMS

    @property
    def step_s(self) -> Floats:
        """Seconds of one step."""
        return np.asarray(sum(self.seconds[term] for term in TERMS))


@cache
def _options() -> Layouts:
    return layouts()


def step_times(cases: TrainingCases, work: TrainingWork, parameters: dict[str, float]) -> StepTimes:
    """Step of every case in the layout that is fastest and fits, else in the smallest one.

    Source: the search of Calculon (M. Isaev et al., SC 2023), here over fewer degrees.
    """
    parts = [
        _fastest(
            cases.recompute[start : start + _ROWS_AT_ONCE],
            _slice(work, start, start + _ROWS_AT_ONCE),
            parameters,
        )
        for start in range(0, len(cases), _ROWS_AT_ONCE)
    ]
    return StepTimes(
        option=np.concatenate([part.option for part in parts]),
        fits=np.concatenate([part.fits for part in parts]),
        memory_bytes=np.concatenate([part.memory_bytes for part in parts]),
        seconds={t: np.concatenate([part.seconds[t] for part in parts]) for t in TERMS},
    )


def _slice(work: TrainingWork, start: int, stop: int) -> TrainingWork:
    return TrainingWork(**{f.name: getattr(work, f.name)[start:stop] for f in fields(work)})


def _fastest(
    recompute: NDArray[np.str_], work: TrainingWork, parameters: dict[str, float]
) -> StepTimes:
    options = _options()
    costs: LayoutCosts = layout_costs(column(work), options, parameters)
    wanted = np.array([RECOMPUTES.index(r) if r in RECOMPUTES else -1 for r in recompute])[:, None]
    # Software that shards by layer recomputes all or nothing unless told otherwise.
    usual = (work.style[:, None] != STYLES.index("sharded")) | (options.recompute != 1)
    allowed = costs.allowed & np.where(wanted < 0, usual, options.recompute == wanted)
    fits = allowed & (costs.memory_bytes <= work.memory[:, None])
    total = sum(costs.seconds[term] for term in TERMS)
    quickest = np.argmin(np.where(fits, total, np.inf), axis=1)
    smallest = np.argmin(np.where(allowed, costs.memory_bytes, np.inf), axis=1)
    any_fits = fits.any(axis=1)
    option = np.where(any_fits, quickest, smallest)
    rows = np.arange(len(option))
    return StepTimes(
        option=option,
        fits=any_fits,
        memory_bytes=costs.memory_bytes[rows, option],
        seconds={
            t: np.broadcast_to(costs.seconds[t], costs.memory_bytes.shape)[rows, option]
            for t in TERMS
        },
    )


def training_point(
    cases: TrainingCases, calibration: Calibration = DEFAULT_CALIBRATION
) -> TrainingPoint:
    """Predict each case: columns as long as the cases.

    Time is the sum of what a step computes, moves in memory, exchanges and waits for, in the
    fastest layout that fits; a calibration shifts the logarithm of speed by what rows of the
    same part, software and kind of model show. MFU counts causal attention once, no
    recomputation, against the peak of the compute precision.

    Source: terms in training_steps; definition of MFU in A. Chowdhery et al., "PaLM",
    arXiv:2204.02311, appendix B.
    """
    work = training_work(cases)
    parameters = training_parameters(calibration.training)
    times = step_times(cases, work, parameters)
    shift, spread, calibrated = _residual(cases, work, times, parameters, calibration)
    spread = np.hypot(spread, _ASSUMED_SPREAD * work.assumed)
    roof = _roofline_tokens_per_s(work)
    tokens = work.sequences * work.seq_len / work.chips
    speed = np.minimum(tokens / times.step_s * np.exp(shift), roof)
    factor = np.exp(_NORMAL_80 * spread)
    band = Band(value=speed, low=speed / factor, high=np.minimum(speed * factor, roof))
    evidence = np.where(calibrated, Evidence.CALIBRATED.value, Evidence.ESTIMATED.value)
    to_target = time_to_train_s(cases, work, band, calibration)
    return _point(work, times, band, to_target, evidence)


@cache
def _learnt(calibration: Calibration) -> Kriging | None:
    document = calibration.training.get("residual")
    return None if document is None else from_document(document)


def _residual(
    cases: TrainingCases,
    work: TrainingWork,
    times: StepTimes,
    parameters: dict[str, float],
    calibration: Calibration,
) -> tuple[Floats, Floats, Bools]:
    """Shift of the logarithm of speed, its deviation, and whether rows of the kind are known."""
    kriging = _learnt(calibration)
    if kriging is None:
        nothing = np.zeros(len(cases))
        return nothing, nothing + _DEFAULT_SPREAD, np.zeros(len(cases), dtype=bool)
    features = training_features(cases, work, layout_slopes(work, times.option, parameters))
    shift, spread = kriging.predict(features)
    known = np.isin(features.labels["generation"], kriging.known.labels["generation"])
    return shift, spread, known


def layout_slopes(
    work: TrainingWork, option: Ints, parameters: dict[str, float]
) -> NDArray[np.float64]:
    """Derivatives of the logarithm of speed by those of the parameters, times prior widths.

    The layout is kept: where it is the fastest, changing it has no first-order effect.
    """
    upright, options = column(work), picked(_options(), option)
    split = Split.of(upright, options)

    def log_speed(changed: dict[str, float]) -> Floats:
        seconds = layout_seconds(upright, options, split, changed)
        return np.asarray(-np.log(sum(seconds[term] for term in TERMS)))[:, 0]

    columns = []
    for name, width in zip(parameters, training_widths(), strict=True):
        up = {**parameters, name: parameters[name] * np.exp(_STEP)}
        down = {**parameters, name: parameters[name] * np.exp(-_STEP)}
        columns.append((log_speed(up) - log_speed(down)) / (2.0 * _STEP) * width)
    return np.stack(columns, axis=1)


def _roofline_tokens_per_s(work: TrainingWork) -> Floats:
    return np.asarray(work.peak / _model_flops(work))


def _model_flops(work: TrainingWork) -> Floats:
    """FLOPs of one token that the model asks for, recomputation apart."""
    return work.passes * (work.linear_flops + work.expert_flops + work.attention_flops)


def _point(
    work: TrainingWork,
    times: StepTimes,
    speed: Band,
    to_target: Band,
    evidence: NDArray[np.str_],
) -> TrainingPoint:
    options = _options()
    tokens = work.sequences * work.seq_len / work.chips
    share = _model_flops(work) / work.peak
    tensor = options.tensor[0, times.option]
    pipeline = options.pipeline[0, times.option]
    terms = np.stack([times.seconds[term] for term in TERMS])
    return TrainingPoint(
        tokens_per_s_per_accelerator=speed,
        mfu=Band(value=speed.value * share, low=speed.low * share, high=speed.high * share),
        step_time_s=Band(
            value=tokens / speed.value, low=tokens / speed.high, high=tokens / speed.low
        ),
        time_to_train_s=to_target,
        memory_needed_bytes=times.memory_bytes,
        memory_available_bytes=work.memory,
        fits=times.fits,
        binding=np.array(TERMS)[np.argmax(terms, axis=0)],
        tensor_parallel=tensor.astype(np.int64),
        pipeline_parallel=pipeline.astype(np.int64),
        data_parallel=np.maximum(work.chips // (tensor * pipeline), 1).astype(np.int64),
        sharded=options.sharded[0, times.option],
        recompute=np.array(RECOMPUTES)[options.recompute[0, times.option].astype(np.int64)],
        evidence=evidence,
    )
