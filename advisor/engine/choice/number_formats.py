"""What 16, 8 and 4 bits make of the recommended part: speed, memory and power for one demand."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from advisor.engine.calibration import Calibration
from advisor.engine.cases import ENGINES
from advisor.engine.plan import Plan
from advisor.engine.search.candidates import serving_layouts
from advisor.engine.search.formats import quality_gate
from advisor.engine.search.river import LLM_KINDS, Priced
from advisor.engine.search.size_samples import size_samples
from advisor.engine.search.size_serving import size_llm_serving
from advisor.engine.search.size_training import sized_training, training_cases
from advisor.engine.search.sizing import Sizing
from advisor.engine.search.spilling import tenth_spilled_words
from advisor.engine.training.performance import training_point
from advisor.engine.workload import ServingDemand, TrainingDemand
from catalog.specs import BYTES_PER_WEIGHT, PRECISIONS, AcceleratorSpec, SystemSpec
from catalog.units import KILO

_SPEED = {
    "output_tokens_per_s": "output tokens/s",
    "samples_per_s": "samples/s",
    "tokens_per_s_per_accelerator": "tokens/s",
}
_WIDTHS = (("bf16", "fp16"), ("fp8", "int8"), ("fp4", "int4"))
"""16, 8 and 4 bits: the first that a part computes in, else the second to hold weights in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatLine:
    """One number format on the part, with what it takes to serve the same demand."""

    precision: str
    used: bool  # by the plan
    memory_bytes: float  # of one copy of the model, or of one accelerator in training
    accelerators: int
    speed: float  # of one accelerator
    times_faster: float  # than the widest format that works
    power_kw: float | None  # rated, of all accelerators; None where no rating is published
    energy_j: float | None  # rated power of one accelerator over its speed
    meets_targets: bool
    quality: str  # whether the format may be used, in words


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatTable:
    """The formats of one workload's recommended part."""

    workload: str
    accelerator: str
    speed_unit: str
    memory_of: str
    lines: tuple[FormatLine, ...]
    spill: str  # what host memory would cost, a sentence

    def as_dict(self) -> dict[str, Any]:
        """The table as the result document carries it."""
        return asdict(self)


def number_formats(
    plan: Plan,
    priced: Priced,
    *,
    systems: tuple[SystemSpec, ...],
    calibration: Calibration,
    software_month: float,
) -> FormatTable | None:
    """The formats of a plan's part, sized as candidates are; None where there is but one.

    Power is the rated power of as many accelerators as the demand needs in the format.

    Source: advisor.engine.search and what it calls.
    """
    part = next((p for p in priced.parts if p.slug == plan.accelerator_slug), None)
    if part is None or plan.purchase == "hosted_tokens":
        return None
    formats = _formats(part, plan.precision)
    common: dict[str, Any] = {"software_month": software_month, "assumed": 0}
    workload = priced.workload
    if workload.training is not None:
        sizing = _trained(plan, part, systems, workload.training, formats, calibration, common)
    elif workload.serving is None:
        return None
    elif workload.serving.model.kind in LLM_KINDS and workload.serving.output_tokens > 0.0:
        sizing = _served(plan, part, workload.serving, formats, calibration, common)
    else:
        sizing = size_samples(
            (part,), workload.serving, calibration, precisions={0: formats}, **common
        )
    lines = _lines(plan, part, priced, sizing)
    if len(lines) < 2:  # noqa: PLR2004 -- nothing to compare
        return None
    unit = next(_SPEED[name] for name in _SPEED if name in sizing.figures)
    return FormatTable(
        workload=workload.name,
        accelerator=part.name,
        speed_unit=unit,
        memory_of="one accelerator" if workload.training is not None else "one copy of the model",
        lines=lines,
        spill=_spill(part, workload.serving, lines, systems),
    )


def _formats(part: AcceleratorSpec, used: str) -> list[str]:
    """A format of each width: the plan's own, else one that the part computes in."""
    found = []
    for pair in _WIDTHS:
        native = [name for name in pair if part.peak_flops_per_s.get(name)]
        found.append(used if used in pair else next(iter(native), pair[-1]))
    return found


def _served(
    plan: Plan,
    part: AcceleratorSpec,
    demand: ServingDemand,
    formats: list[str],
    calibration: Calibration,
    common: dict[str, Any],
) -> Sizing:
    engine = plan.engine if plan.engine in ENGINES else "vendor"
    layouts = serving_layouts(
        (part,), demand.model, precisions={0: formats}, engines={0: [engine]},
        bytes_per_weight=BYTES_PER_WEIGHT,
    )  # fmt: skip
    return size_llm_serving(layouts, (part,), demand, calibration, **common)


def _trained(
    plan: Plan,
    part: AcceleratorSpec,
    systems: tuple[SystemSpec, ...],
    demand: TrainingDemand,
    formats: list[str],
    calibration: Calibration,
    common: dict[str, Any],
) -> Sizing:
    """The job on the plan's accelerators, in the formats that the part trains in."""
    computed = [name for name in formats if part.peak_flops_per_s.get(name)] or formats[:1]
    rows = np.zeros(len(computed), dtype=np.int64)
    cases = training_cases(
        (part,), systems, demand, rows,
        np.array([PRECISIONS.index(name) for name in computed], dtype=np.int64),
        rows + plan.accelerator_count, **common,
    )  # fmt: skip
    return sized_training(cases, training_point(cases, calibration), demand, None, calibration)


def _lines(
    plan: Plan, part: AcceleratorSpec, priced: Priced, sizing: Sizing
) -> tuple[FormatLine, ...]:
    name = next(each for each in _SPEED if each in sizing.figures)
    of_one = name == "tokens_per_s_per_accelerator"
    count = sizing.replicas * sizing.chips_per_replica
    speed = sizing.figures[name].value / (1.0 if of_one else np.maximum(count, 1))
    found: list[FormatLine] = []
    for index in dict.fromkeys(sizing.precision.tolist()):
        mine = np.flatnonzero((sizing.precision == index) & sizing.fits)
        good = mine[sizing.meets[mine]]
        if len(mine) == 0:
            continue
        row = int(min(good if len(good) else mine, key=lambda r: (count[r], -speed[r])))
        widest = found[0].speed if found else float(speed[row])
        found.append(
            FormatLine(
                precision=PRECISIONS[index],
                used=PRECISIONS[index] == plan.precision,
                memory_bytes=float(sizing.needed_bytes[row] / (count[row] if of_one else 1.0)),
                accelerators=int(count[row]),
                speed=float(speed[row]),
                times_faster=float(speed[row]) / widest,
                power_kw=None if part.tdp_w is None else part.tdp_w * int(count[row]) / KILO,
                energy_j=None if part.tdp_w is None else part.tdp_w / float(speed[row]),
                meets_targets=len(good) > 0,
                quality=_quality(priced, PRECISIONS[index]),
            )
        )
    return tuple(found)


def _quality(priced: Priced, precision: str) -> str:
    serving = priced.workload.serving
    if serving is None:
        return ""
    allowed = priced.workload.quality_loss_allowed
    return quality_gate(serving.model, precision, quality_loss_allowed=allowed).reason


def _spill(
    part: AcceleratorSpec,
    demand: ServingDemand | None,
    lines: tuple[FormatLine, ...],
    systems: tuple[SystemSpec, ...],
) -> str:
    line = next((line for line in lines if line.used), None)
    if demand is None or line is None or demand.output_tokens <= 0.0:
        return ""
    return tenth_spilled_words(
        part, demand.model, systems,
        weight_bytes=demand.model.total_params * BYTES_PER_WEIGHT[line.precision],
        output_tokens=demand.output_tokens,
    )  # fmt: skip
