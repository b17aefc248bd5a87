"""Rows of words read as configurations: which part, which model, which numbers."""

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from advisor.engine.demand.shapes import language_model
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

MOST_ROWS = 200_000
MOST_ACCELERATORS = 200_000
LARGEST_NUMBER = 1e15
_SIZE = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)\s*([bmt])(?![a-z0-9])", re.IGNORECASE)
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


class BadCases(Exception):
    """A file that is no table of cases; the message says where and what would help."""


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


def read_cases(text: str) -> list[dict[str, str]]:
    """Rows of a CSV text by column name; raises BadCases where it is no table of cases."""
    lines = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        table = [(lines.line_num, cells) for cells in lines if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        message = f"line {lines.line_num}: {error}; is the file cut off, or a quote left open?"
        raise BadCases(message) from error
    if not table:
        message = (
            "the file is empty: a header line with at least “accelerator” and “model” is needed"
        )
        raise BadCases(message)
    header = [name.strip().lower() for name in table[0][1]]
    if not {"accelerator", "accelerator_slug", "system"} & set(header):
        message = (
            "the first line is no header: it must name the columns, among them “accelerator” "
            f"(or “accelerator_slug”) and “model”; it begins with “{table[0][1][0][:40]}”"
        )
        raise BadCases(message)
    rows = []
    for number, cells in table[1:]:
        if len(cells) != len(header):
            message = (
                f"line {number} has {len(cells)} cells and the header {len(header)}: "
                "is the file cut off?"
            )
            raise BadCases(message)
        rows.append(dict(zip(header, (cell.strip() for cell in cells), strict=True)))
    if not rows:
        message = "the file has a header and no cases under it"
        raise BadCases(message)
    if len(rows) > MOST_ROWS:
        message = f"{len(rows):,} cases; at most {MOST_ROWS:,} at once: split the file"
        raise BadCases(message)
    return rows


@lru_cache(maxsize=2)
def names_of(state: str) -> Names:
    """Spellings in a state of the catalogue; the state is the key of the cache."""
    return Names(
        accelerators=Spellings(accelerator_names(), models=False),
        models=Spellings(model_names(), models=True),
        limits=benchmark_limits(),
    )


def numbers_of(row: Row, kind: str) -> dict[str, float | None]:
    """Numeric cells; raises BadRow for the first that cannot be used."""
    found: dict[str, float | None] = {}
    for name in _NUMBERS[kind]:
        text = row.get(name, "").strip()
        if text.lower() in _NOTHING:
            found[name] = None
            continue
        try:
            value = float(text)
        except ValueError:
            message = f"{name} is “{text[:40]}”, which is not a number"
            raise BadRow(message) from None
        if not np.isfinite(value) or value > LARGEST_NUMBER:
            message = f"{name} is {text[:40]}, which is not a number that can be used"
            raise BadRow(message)
        if value < 0.0:
            message = f"{name} is {text[:40]}; it cannot be negative"
            raise BadRow(message)
        if name in _COUNTS and value > MOST_ACCELERATORS:
            message = f"{name} is {text[:40]}; at most {MOST_ACCELERATORS:,} can be estimated"
            raise BadRow(message)
        found[name] = value or None
    return found


def part_of(row: Row, known: Known) -> AcceleratorSpec:
    """The part named, by whatever spelling; raises BadRow where it is unknown."""
    texts = [row.get(name, "") for name in ("accelerator_slug", "accelerator", "system")]
    for text in texts:
        if part := known.part(text):
            return part
    named = next((text for text in texts if text), "")
    if not named:
        message = "no accelerator is named"
        raise BadRow(message)
    message = f"the accelerator “{named[:60]}” is not in the catalogue"
    raise BadRow(message)


def model_of(row: Row, numbers: Numbers, known: Known) -> ModelSpec:
    """The model named; else one of the size given, or of the size its name tells."""
    for text in (row.get("model_slug", ""), row.get("model", "")):
        if model := known.model(text):
            return model
    name = row.get("model", "") or row.get("model_slug", "")
    params = numbers.get("params_b")
    total = params * GIGA if params else _size_of(name)
    if total is None:
        message = (
            f"the model “{name[:60]}” is not in the catalogue and its size is not given"
            if name
            else "no model is named and no size is given"
        )
        raise BadRow(message)
    active = numbers.get("active_params_b")
    active_params = active * GIGA if active else _active_of(name) or total
    shape = language_model(total_params=total, active_params=min(active_params, total))
    return replace(shape, name=name or shape.name)


def _size_of(name: str) -> float | None:
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
