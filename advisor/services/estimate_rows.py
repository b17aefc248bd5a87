"""Rows of words read as configurations: which part, which model, which numbers."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from advisor.engine.demand.shapes import language_model
from advisor.services.case_tables import SURPLUS
from catalog.engine.spellings import Spellings
from catalog.queries import accelerator_names, benchmark_limits, model_names
from catalog.specs import (
    AcceleratorSpec,
    BenchmarkLimit,
    CatalogueSnapshot,
    ModelSpec,
    ServingMeasurement,
    TrainingMeasurement,
)
from catalog.units import GIGA

MOST_ACCELERATORS = 200_000.0
_MOST: Mapping[str, float] = {
    "input_tokens": 1e8, "output_tokens": 1e8, "seq_len": 1e8, "concurrency": 1e7,
    "global_batch": 1e9, "params_b": 1e6, "active_params_b": 1e6,
}  # fmt: skip
_NUMBER = re.compile(
    r"^[~≈<>=≤≥x×\s]*(?P<digits>\d[\d,_' \u00a0]*(?:\.\d+)?(?:e[+-]?\d{1,3})?|\.\d+)"
    r"\s*(?P<scale>[kmbgt])?(?:[x×+%]|\b|[a-z])"
)
_THOUSANDS = re.compile(r"(?<=\d)[,_' \u00a0](?=\d{3}(?!\d))|[_' \u00a0]")
_MULTIPLES: Mapping[str, float] = {"k": 1024.0, "m": 1024.0**2}
_IN_BILLIONS: Mapping[str, float] = {"k": 1e-6, "m": 1e-3, "t": 1e3}
_SIZES = frozenset({"params_b", "active_params_b"})
_PLAIN_COUNT = 1e6  # billions of parameters that nobody has: it is the count itself
_SIZE = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)\s*([bmt])(?![a-z0-9])", re.IGNORECASE)
_EXPERTS = re.compile(r"(?<![\w.])(\d+)\s*x\s*(\d+(?:\.\d+)?)\s*b(?![a-z0-9])", re.IGNORECASE)
_ACTIVE = re.compile(r"[-_\s]a(\d+(?:\.\d+)?)b\b", re.IGNORECASE)
_SCALE = {"m": 1e6, "b": 1e9, "t": 1e12}
_NUMBERS: Mapping[str, tuple[str, ...]] = {
    "inference": (
        "accelerator_count",
        "input_tokens",
        "output_tokens",
        "concurrency",
        "tensor_parallel",
        "pipeline_parallel",
        "attention_data_parallel",
        "expert_parallel",
        "params_b",
        "active_params_b",
    ),
    "training": ("accelerator_count", "params_b", "seq_len", "global_batch"),
}
_COUNTS = frozenset(
    {
        "accelerator_count",
        "tensor_parallel",
        "pipeline_parallel",
        "attention_data_parallel",
        "expert_parallel",
    }
)
_NOTHING = frozenset({"", "none", "null", "nan", "n/a", "na", "-", "unknown"})
Row = Mapping[str, str]
Numbers = Mapping[str, float | None]


class BadRow(Exception):
    """One row that cannot be predicted, in words for its problem cell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Published spellings and limits, as the stored catalogue knows them."""

    accelerators: Spellings
    models: Spellings
    limits: tuple[BenchmarkLimit, ...]


class Known:
    """Parts and models of a catalogue, found by any spelling; each text is looked up once."""

    def __init__(self, snapshot: CatalogueSnapshot, names: Names) -> None:
        self._parts = {part.slug: part for part in snapshot.accelerators}
        self._models = {model.slug: model for model in snapshot.models}
        self._names = names
        self._part_of: dict[str, AcceleratorSpec | None] = {}
        self._model_of: dict[str, ModelSpec | None] = {}

    def part(self, text: str) -> AcceleratorSpec | None:
        """The part that a text means."""
        if text not in self._part_of:
            slug = self._names.accelerators.find(text) if text else None
            self._part_of[text] = self._parts.get(slug or "")
        return self._part_of[text]

    def model(self, text: str) -> ModelSpec | None:
        """The model that a text means."""
        if text not in self._model_of:
            slug = self._names.models.find(text) if text else None
            self._model_of[text] = self._models.get(slug or "")
        return self._model_of[text]


@lru_cache(maxsize=2)
def names_of(state: str) -> Names:
    """Spellings in a state of the catalogue; the state is the key of the cache."""
    return Names(
        accelerators=Spellings(accelerator_names(), models=False),
        models=Spellings(model_names(), models=True),
        limits=benchmark_limits(),
    )


def numbers_of(row: Row, kind: str) -> dict[str, float | None]:
    """Numeric cells; None, which means a default, where one is empty or cannot be used."""
    return {name: _number(row.get(name, ""), name) for name in _NUMBERS[kind]}


@lru_cache(maxsize=4096)
def _number(text: str, name: str) -> float | None:
    """The number in a cell such as "1,024", "4k tokens", "8x" or "70B"; None where there is none.

    Values beyond what exists are cut to the most that is estimated; counts beyond it are odd.
    """
    found = _NUMBER.match(text.strip().lower())
    if found is None or text.strip().lower() in _NOTHING:
        return None
    digits = _THOUSANDS.sub("", found["digits"])
    value = float(digits.replace(",", ".") if digits.count(",") == 1 else digits.replace(",", ""))
    scale = found["scale"] or ""
    if name in _SIZES:
        value *= _IN_BILLIONS.get(scale, 1.0)
        value = value / GIGA if value >= _PLAIN_COUNT else value
    elif name not in _COUNTS:
        value *= _MULTIPLES.get(scale, 1.0)
    most = _MOST.get(name, MOST_ACCELERATORS)
    if not np.isfinite(value) or value <= 0.0 or (name in _COUNTS and value > most):
        return None
    return min(value, most)


def part_of(row: Row, known: Known) -> AcceleratorSpec:
    """The part named, by whatever spelling; raises BadRow where it is unknown."""
    if SURPLUS in row:
        message = f"the line has {row[SURPLUS]}: is a comma or quote missing its quotes?"
        raise BadRow(message)
    texts = [row.get(name, "") for name in ("accelerator_slug", "accelerator", "system")]
    for text in texts:
        if part := known.part(text):
            return part
    named = next((text for text in texts if text.lower() not in _NOTHING), "")
    if not named:
        message = "no accelerator is named"
        raise BadRow(message)
    message = f"the accelerator “{named[:60]}” is not in the catalogue"
    raise BadRow(message)


def model_of(row: Row, numbers: Numbers, known: Known) -> ModelSpec:
    """The model named; else one of the size given, or of the size its name tells."""
    for text in (row.get("model_slug", ""), row.get("model", "")):
        model = known.model(text)
        if model is not None and (model.total_params > 0.0 or model.flops_per_sample):
            return model
    texts = (row.get("model", ""), row.get("model_slug", ""))
    name = next((text for text in texts if text.lower() not in _NOTHING), "")
    params = numbers.get("params_b")
    total = params * GIGA if params else _size_of(name)
    if total is None:
        message = (
            f"the model “{name[:60]}” is not in the catalogue, or its owner publishes no size, and "
            "no size is given"
            if name
            else "no model is named and no size is given"
        )
        raise BadRow(message)
    active = numbers.get("active_params_b")
    active_params = active * GIGA if active else _active_of(name) or total
    shape = language_model(total_params=total, active_params=min(active_params, total))
    return replace(shape, name=name or shape.name)


def _size_of(name: str) -> float | None:
    if experts := _EXPERTS.search(name):
        return float(experts[1]) * float(experts[2]) * GIGA
    found = _SIZE.findall(_ACTIVE.sub("", name.replace("_", "-")))
    return max((float(value) * _SCALE[unit.lower()] for value, unit in found), default=None)


def _active_of(name: str) -> float | None:
    found = _ACTIVE.search(name)
    return float(found[1]) * GIGA if found else None


def _whole(value: float | None) -> int | None:
    return None if value is None else max(round(value), 1)


def _is_set(text: str) -> bool:
    return text.strip().lower() not in {*_NOTHING, "0", "false", "no", "off"}


def serving_row(
    row: Row, numbers: Numbers, part: AcceleratorSpec, model: ModelSpec
) -> ServingMeasurement:
    """The configuration as the catalogue holds published ones; nothing measured is read."""

    def words(name: str) -> str:
        text = row.get(name, "")
        return "" if text.lower() in _NOTHING else text

    speculative = words("speculative")
    return ServingMeasurement(
        id="",
        definition="",
        accelerator_slug=part.slug,
        accelerator_count=_whole(numbers["accelerator_count"]),
        precision=words("precision"),
        engine=words("engine"),
        engine_version=words("engine_version"),
        measured_month=words("measured_month"),
        model=model.name,
        model_slug=model.slug,
        scenario=words("scenario").lower(),
        input_tokens=numbers["input_tokens"],
        input_tokens_assumed=_is_set(words("input_tokens_assumed")),
        output_tokens=numbers["output_tokens"],
        concurrency=numbers["concurrency"],
        parallelism=words("parallelism"),
        tensor_parallel=_whole(numbers["tensor_parallel"]),
        pipeline_parallel=_whole(numbers["pipeline_parallel"]),
        attention_data_parallel=_whole(numbers["attention_data_parallel"]),
        expert_parallel=_whole(numbers["expert_parallel"]),
        disaggregated=_is_set(words("disaggregated")),
        speculative=speculative if _is_set(speculative) else "",
        output_tokens_per_s=None,
        requests_per_s=None,
        ttft_mean_s=None,
        ttft_p50_s=None,
        ttft_p99_s=None,
        tpot_mean_s=None,
        tpot_p50_s=None,
        tpot_p99_s=None,
        source="",
        source_ref="",
        note="",
    )


def training_row(
    row: Row, numbers: Numbers, part: AcceleratorSpec, model: ModelSpec
) -> TrainingMeasurement:
    """The job as the catalogue holds published ones; nothing measured is read."""
    params = numbers["params_b"]
    return TrainingMeasurement(
        id="",
        system=row.get("system", ""),
        accelerator_slug=part.slug,
        accelerator_count=_whole(numbers["accelerator_count"]) or 1,
        precision=row.get("precision", ""),
        framework=row.get("framework", ""),
        model=model.name,
        model_slug=model.slug,
        params=params * GIGA if params else model.total_params,
        task=row.get("task", "").strip().lower(),
        seq_len=numbers["seq_len"],
        global_batch=numbers["global_batch"],
        tokens_per_s_per_accelerator=None,
        flops_per_s_per_accelerator=None,
        mfu=None,
        time_to_train_s=None,
        source="",
        source_ref="",
        note="",
    )
