"""Physical parameters of serving: defaults, and the fitted offsets that specialise them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from advisor.engine.cases import ENGINES, Floats, InferenceCases, Ints
from advisor.engine.kept import kept
from catalog.specs import PRECISIONS, AcceleratorSpec, ModelSpec
from catalog.units import GIGA

USES = ("benchmark", "offline", "concurrency", "fixed")
"""How it was loaded: an audited entry, a full queue, or a fixed concurrency.

The last twice: with lengths drawn around a nominal one, and with requests that are all alike.
"""
REFERENCE_MONTH = 73.0  # February 2026, in months since January 2020
OLDEST_MONTH = 45.0  # software age has no effect before October 2023
NEWEST_MONTH = 83.0
MONTHS_PER_YEAR = 12.0
_FIRST_YEAR = 2020
_MONTHS_PER_ERA = 4
ERAS = tuple(
    f"{_FIRST_YEAR + month // 12}-{month % 12 + 1:02d}"
    for month in range(0, int(NEWEST_MONTH) + 1, _MONTHS_PER_ERA)
)
"""First months of the thirds of a year in which software came out."""

EFFICIENCIES: Mapping[str, float] = {
    "matmul": 0.60,
    "bandwidth": 0.70,
    "attention": 0.35,
    "cache": 0.60,
    "experts": 0.60,
    "link": 0.60,
}
"""Fractions of a peak, planning defaults.

Source: stas00/ml-engineering MAMF tables (matmul 0.6 to 0.8 of peak), meta-pytorch/gpt-fast
(bandwidth 0.5 to 0.7 in decoding), nccl-tests figures in network/README.md (links).
"""
AMOUNTS: Mapping[str, float] = {
    "layer_s": 50e-6,  # kernels of one layer beyond their own work
    "step_s": 1e-3,  # scheduling, sampling
    "sequence_s": 20e-6,  # the engine's handling and sampling of one running request a step
    "hop_s": 4e-6,  # latency of one collective for each doubling of the ranks
    "thin": 64.0,  # rows that a thin matrix is padded to
    "expert_rows": 16.0,  # rows that each touched expert is padded to
    "traffic": 8.0,  # activation reads and writes a layer, in hidden sizes
    "permute": 2.0,  # reads and writes of each expert's copy of a token, in its sizes
    "spread": 0.8,  # distinct experts of a batch, against tokens that choose independently
    "eager_s": 30e-6,  # launch of a layer's kernels in a prefill, beyond those of a decode step
    "overlap": 0.25,  # share of the shorter of compute and memory time that is not hidden
    "skew": 0.3,  # extra tokens of the busiest expert-parallel rank
    "mix": 1.0,  # time of prefill work inside a mixed batch, against alone
    "request_s": 0.030,  # from arrival to the first scheduled step
    "wait": 0.08,  # share of the other requests' prefill that a new one waits for, at rest
    "crowd": 0.05,  # the same, beyond it, when prefill is all that the replica does
    "first_steps": 1.0,  # decode steps from the end of a prefill to its token at the client
    "admit_s": 0.5e-3,  # a new request's wait for the engine's handling of each running one
    "cold_s": 0.5,  # what the first requests of a run wait for an engine that is not warm yet
    "ingest_s": 2e-3,  # engine time a request that is not accelerator work
    "gain": 1.9,  # tokens a step of speculative decoding yields
    "batch_cap": 1500.0,  # requests one attention rank's engine runs at once
    "decode": 1.0,  # what remains of a decode step's time beyond the terms above
    "prefill": 1.0,  # the same of prefill work
    "prompt": 1.0,  # prompt length of a benchmark against the one assumed for it
    "median": 0.8,  # first token of the median request against the mean of all
    "tail_tpot": 0.08,
    "tail_ttft": 1.0,
}
NAMES = (*EFFICIENCIES, *AMOUNTS)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ServingParameters:
    """Offsets by name of the parameter and key of what they apply to; absent means zero.

    Efficiencies are logistic, amounts logarithmic: base + offsets of part, model, engine and
    precision + slope x years since the reference month.
    """

    offsets: Mapping[str, Mapping[str, float]]


NO_OFFSETS = ServingParameters(offsets={})


def generation(part: AcceleratorSpec) -> str:
    """Silicon generation as the datasheet tells it: vendor, narrowest format, memory class.

    Parts of one generation share units and software, so they share what is learnt.
    """
    rates = part.peak_flops_per_s
    narrowest = next((name for name in ("fp4", "fp8", "int8", "bf16") if name in rates), "fp16")
    stacked = part.memory_type.upper().startswith("HBM")
    return f"{part.vendor}/{part.family.value}/{narrowest}/{'hbm' if stacked else 'other'}"


def part_keys(part: AcceleratorSpec) -> tuple[str, ...]:
    """Keys of a part from the widest to the narrowest group."""
    return (
        f"family:{part.family.value}",
        f"vendor:{part.vendor}",
        f"generation:{generation(part)}",
        f"part:{part.slug}",
    )


def architecture(model: ModelSpec) -> str:
    """What a model computes, whatever its weights hold: models of one share what is learnt."""
    width = f"{model.layers}x{model.hidden}x{model.ffn}"
    heads = f"{model.attention}{model.heads}:{model.kv_heads}"
    experts = f"{model.experts}:{model.experts_per_token}"
    return f"{width}/{heads}/{experts}/{model.total_params / GIGA:.1f}b"


def model_keys(model: ModelSpec) -> tuple[str, ...]:
    """Keys of a model: dense or mixture, kind of attention, and its architecture."""
    mixture = "moe" if model.experts else "dense"
    attention = "mla" if model.attention.startswith("mla") else "heads"
    return (f"kind:{mixture}", f"attention:{attention}", f"model:{architecture(model)}")


def key_tables(
    cases: InferenceCases, use: Ints | None = None
) -> list[tuple[Ints, list[tuple[str, ...]]]]:
    """Index column and keys by index, of each thing that parameters may depend on."""
    names = key_names(cases.accelerators, cases.models, with_use=use is not None)
    return [
        (index, keys) for (index, _), keys in zip(index_columns(cases, use), names, strict=True)
    ]


def index_columns(cases: InferenceCases, use: Ints | None) -> list[tuple[Ints, int]]:
    """Index column and size of each table of key_names."""
    parts, models = len(cases.accelerators), len(cases.models)
    engines, formats, eras = len(ENGINES), len(PRECISIONS), len(ERAS)
    era = software_era(cases)
    columns = [
        (cases.accelerator, parts),
        (cases.model, models),
        (cases.engine, engines),
        (cases.precision, formats),
        (cases.accelerator * formats + cases.precision, parts * formats),
        (cases.engine * formats + cases.precision, engines * formats),
        (cases.model * formats + cases.precision, models * formats),
        (cases.accelerator * engines + cases.engine, parts * engines),
        (cases.model * engines + cases.engine, models * engines),
        (cases.accelerator * models + cases.model, parts * models),
        (cases.disaggregated.astype(np.int64), 2),
        ((cases.accelerator * engines + cases.engine) * eras + era, parts * engines * eras),
        ((cases.model * engines + cases.engine) * eras + era, models * engines * eras),
    ]
    if use is not None:
        task = np.where(use == USES.index("benchmark"), cases.model, models)
        columns += [(use, len(USES)), (task, models + 1)]
    return columns


def key_names(
    parts: Sequence[AcceleratorSpec], models: Sequence[ModelSpec], *, with_use: bool
) -> list[list[tuple[str, ...]]]:
    """Keys by index: parts, models, software, formats, and what goes together beyond its sum.

    That is units and format, a format in a software and of a model, software on silicon,
    kernels of a kind of model, a model in a software, a model on silicon; software on silicon
    and kernels once more for each third of a year. A benchmark runs one unpublished set of
    prompts a model.
    """
    generations = [generation(part) for part in parts]
    kinds = ["|".join(model_keys(model)[:2]) for model in models]
    shapes = [architecture(model) for model in models]
    names: list[list[tuple[str, ...]]] = [
        [part_keys(part) for part in parts],
        [model_keys(model) for model in models],
        [(f"engine:{engine}",) for engine in ENGINES],
        [(f"precision:{precision}",) for precision in PRECISIONS],
        [(f"units:{each}|{precision}",) for each in generations for precision in PRECISIONS],
        [(f"formats:{engine}|{precision}",) for engine in ENGINES for precision in PRECISIONS],
        [(f"weights:{shape}|{precision}",) for shape in shapes for precision in PRECISIONS],
        [
            (f"port:{each}|{engine}", f"rig:{part.slug}|{engine}")
            for part, each in zip(parts, generations, strict=True)
            for engine in ENGINES
        ],
        [
            (f"kernels:{kind}|{engine}", f"build:{shape}|{engine}")
            for shape, kind in zip(shapes, kinds, strict=True)
            for engine in ENGINES
        ],
        [
            (f"tuning:{each}|{shape}", f"pair:{part.slug}|{shape}")
            for part, each in zip(parts, generations, strict=True)
            for shape in shapes
        ],
        [("station:mixed",), ("station:apart",)],
        [
            (f"port_era:{each}|{engine}|{era}",)
            for each in generations
            for engine in ENGINES
            for era in ERAS
        ],
        [
            (f"kernels_era:{kind}|{engine}|{era}",)
            for kind in kinds
            for engine in ENGINES
            for era in ERAS
        ],
    ]
    if with_use:
        names.append(
            [
                ("use:concurrency", "lengths:alike")
                if name == "fixed"
                else (f"use:{name}", "lengths:drawn")
                for name in USES
            ]
        )
        names.append([*((f"task:{model.slug}",) for model in models), ("task:none",)])
    return names


def software_era(cases: InferenceCases) -> Ints:
    """Index into ERAS of when the software came out; unknown counts as the reference month."""
    return (np.clip(_month(cases), 0.0, NEWEST_MONTH) // _MONTHS_PER_ERA).astype(np.int64)


def software_years(cases: InferenceCases) -> Floats:
    """Years of software development since the reference month; unknown counts as none."""
    return (np.clip(_month(cases), OLDEST_MONTH, NEWEST_MONTH) - REFERENCE_MONTH) / MONTHS_PER_YEAR


def software_youth(cases: InferenceCases) -> Floats:
    """How new the part was to its software: 1 at its launch, a third of it each year later."""
    launch = np.array(
        [(part.year - _FIRST_YEAR + 0.5) * MONTHS_PER_YEAR for part in cases.accelerators]
    )
    age_years = np.maximum(_month(cases) - launch[cases.accelerator], 0.0) / MONTHS_PER_YEAR
    return np.asarray(np.exp(-age_years))


def _month(cases: InferenceCases) -> Floats:
    return np.where(np.isnan(cases.software_month), REFERENCE_MONTH, cases.software_month)


def covariates_of(cases: InferenceCases) -> dict[str, Floats]:
    """Columns that parameters depend on by a slope, by name."""
    return {
        "year": software_years(cases),
        "youth": software_youth(cases),
    }


def base_of(name: str) -> float:
    """Default of a parameter in the space where offsets add: logit or logarithm."""
    if name in EFFICIENCIES:
        return float(np.log(EFFICIENCIES[name] / (1.0 - EFFICIENCIES[name])))
    return float(np.log(AMOUNTS[name]))


def natural(name: str, value: Floats | float) -> Floats:
    """A parameter in its own unit, from the space where offsets add."""
    column = np.asarray(value, dtype=np.float64)
    return 1.0 / (1.0 + np.exp(-column)) if name in EFFICIENCIES else np.exp(column)


def parameter_columns(
    cases: InferenceCases, parameters: ServingParameters, use: Ints | None = None
) -> dict[str, Floats]:
    """Every parameter as a column over the cases (or one value for all), in its own unit.

    `use` indexes USES where a row is known to be a tuned benchmark entry or a full queue;
    without it the offsets of users' own deployments apply, which are zero, and the engine is
    warm.
    """
    covariates = covariates_of(cases)
    columns = {}
    known = _summed(cases.accelerators, cases.models, parameters, with_use=use is not None)
    indices = [index for index, _ in index_columns(cases, use)]
    for name in NAMES:
        offsets = parameters.offsets.get(name, {})
        total: Floats | float = base_of(name) + offsets.get("", 0.0)
        for number, table in known[name]:
            total = total + table[indices[number]]
        for key, covariate in covariates.items():
            if slope := offsets.get(key, 0.0):
                total = total + slope * covariate
        columns[name] = natural(name, total)
    if use is None:
        columns["cold_s"] = np.zeros(())
    return columns


@kept(16)
def _summed(
    parts: tuple[AcceleratorSpec, ...],
    models: tuple[ModelSpec, ...],
    parameters: ServingParameters,
    *,
    with_use: bool,
) -> dict[str, list[tuple[int, Floats]]]:
    """Offsets of each parameter summed by index, where any is not zero."""
    names = key_names(parts, models, with_use=with_use)
    levels = [{_level(each) for each in keys[0]} for keys in names]  # the same in each row
    sums = {}
    for name in NAMES:
        offsets = parameters.offsets.get(name, {})
        fitted = {_level(each) for each in offsets}
        sums[name] = [
            (number, np.array([sum(offsets.get(each, 0.0) for each in row) for row in keys]))
            for number, keys in enumerate(names)
            if fitted & levels[number]
        ]
    return sums


def _level(key: str) -> str:
    return key.partition(":")[0]
