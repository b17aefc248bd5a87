"""Size classes of requests, and how fast each candidate serves each of them within the targets."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from scipy.special import ndtr, ndtri

from advisor.engine.calibration import Calibration
from advisor.engine.cases import Floats, Ints
from advisor.engine.lognormal import lognormal_spread
from advisor.engine.search.candidates import Layout
from advisor.engine.search.river import LLM_KINDS, Priced
from advisor.engine.search.size_serving import size_llm_serving
from advisor.engine.workload import ServingDemand, Workload

INPUT_CUTS, OUTPUT_CUTS = (0.0, 0.5, 0.9, 1.0), (0.0, 0.5, 1.0)
"""Quantiles that part prompts into short, middling and long, answers into short and long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Speeds:
    """What the sizing of single classes needs."""

    calibration: Calibration
    software_month: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeClass:
    """Requests of about one size: their share of all, and their mean tokens."""

    share: float
    input_tokens: float
    output_tokens: float
    name: str = ""


def size_classes(workload: Workload) -> tuple[SizeClass, ...]:
    """Short, middling and long prompts by short and long answers; one class where sizes are one.

    Prompt and answer are taken as independent and lognormal with the stated mean and p95.

    Source: partial means of the lognormal law, N. L. Johnson et al., "Continuous Univariate
    Distributions", vol. 1, 2nd ed., Wiley 1994, chapter 14.
    """
    serving = workload.serving
    if serving is None or not _has_sizes(serving):
        return size_classes_of_one()
    inputs = _classes(serving.input_tokens, serving.input_tokens_p95, INPUT_CUTS)
    outputs = _classes(serving.output_tokens, serving.output_tokens_p95, OUTPUT_CUTS)
    return tuple(
        SizeClass(share=a * b, input_tokens=into, output_tokens=out,
                  name=f"{into:,.0f} tokens in, {out:,.0f} out")
        for a, into in inputs
        for b, out in outputs
    )  # fmt: skip


def size_classes_of_one() -> tuple[SizeClass, ...]:
    """The mix as one class.

    Source: definition.
    """
    return (SizeClass(share=1.0, input_tokens=0.0, output_tokens=0.0),)


def _has_sizes(serving: ServingDemand) -> bool:
    tokens = serving.output_tokens > 0.0 and serving.model.kind in LLM_KINDS
    return tokens and not serving.is_batch


def _classes(mean: float, p95: float, cuts: Sequence[float]) -> list[tuple[float, float]]:
    sigma = lognormal_spread(mean=mean, p95=p95)
    if sigma <= 0.0:
        return [(1.0, mean)]
    found = []
    for low, high in pairwise(cuts):
        part = float(ndtr(sigma - ndtri(low)) - ndtr(sigma - ndtri(high)))
        found.append((high - low, mean * part / (high - low)))
    return found


def speed_by_size(
    priced: Priced, rows: Ints, classes: Sequence[SizeClass], speeds: Speeds
) -> Floats:
    """Speed of each candidate for each class over its speed for the mix; shape (rows, classes).

    The classes' speeds come from the sizing of the candidate's own layout for requests of that
    size under the same targets; they are scaled together so that the mix is served as fast as
    the workload's own sizing says. Zero where the class misses a target there.

    Source: `search.size_serving`; Melange's profiling by size, arXiv:2404.14527, section 5.
    """
    serving = priced.workload.serving
    if serving is None or len(classes) == 1 or len(rows) == 0:
        return np.ones((len(rows), len(classes)))
    at, place = np.unique(priced.placements.sizing[rows], return_inverse=True)
    layouts = [_layout(priced, int(row)) for row in at]
    raw = np.stack([_speed(priced, layouts, serving, each, speeds) for each in classes], axis=1)[
        place.ravel()
    ]
    share = np.array([each.share for each in classes])
    can = raw > 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        time = np.where(can, share / raw, 0.0).sum(axis=1) / np.where(can, share, 0.0).sum(axis=1)
    return np.asarray(np.where(can, raw * time[:, np.newaxis], 0.0))


def _speed(
    priced: Priced,
    layouts: Sequence[Layout],
    serving: ServingDemand,
    size: SizeClass,
    speeds: Speeds,
) -> Floats:
    asked = replace(
        serving,
        input_tokens=size.input_tokens,
        output_tokens=size.output_tokens,
        input_tokens_p95=size.input_tokens,
        output_tokens_p95=size.output_tokens,
        simulated_replicas={},
    )
    sized = size_llm_serving(
        layouts, priced.parts, asked, speeds.calibration,
        software_month=speeds.software_month, assumed=0,
    )  # fmt: skip
    rate = sized.figures["requests_per_s"].value / np.maximum(sized.replicas, 1)
    meets = sized.fits & sized.meets_ttft & sized.meets_tpot
    return np.asarray(np.where(meets, rate, 0.0))


def _layout(priced: Priced, row: int) -> Layout:
    sizing = priced.sizing
    return Layout(
        accelerator=int(sizing.accelerator[row]),
        precision=int(sizing.precision[row]),
        engine=int(sizing.engine[row]),
        tensor=int(sizing.tensor[row]),
        pipeline=int(sizing.pipeline[row]),
        expert=int(sizing.expert[row]),
        attention_data=int(sizing.attention_data[row]),
    )
