"""Configurations to predict, as columns: the same shape serves one case and a million."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.specs import AcceleratorSpec, ModelSpec

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

ENGINES = (
    "vllm",
    "sglang",
    "tensorrt-llm",
    "tensorrt",
    "vendor",
    "other",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class InferenceCases:
    """Serving configurations, one a row: every array has the same length.

    `accelerator`, `model`, `precision`, `kv_precision` and `engine` are indices into the
    small tables `accelerators`, `models`, catalog.specs.PRECISIONS and ENGINES. A replica is
    one copy of the model on tensor_parallel x pipeline_parallel chips, and a deployment has
    accelerator_count / that many replicas; attention_data_parallel divides tensor_parallel.
    """

    accelerators: tuple[AcceleratorSpec, ...]
    models: tuple[ModelSpec, ...]
    accelerator: Ints
    model: Ints
    precision: Ints
    kv_precision: Ints
    engine: Ints
    software_month: Floats  # months since January 2020; nan where unknown
    accelerator_count: Ints  # chips of the whole deployment that shares the load
    tensor_parallel: Ints
    pipeline_parallel: Ints
    expert_parallel: Ints
    attention_data_parallel: Ints
    input_tokens: Floats  # computed prompt tokens, prefix-cache hits already taken out
    output_tokens: Floats
    concurrency: Floats  # requests in the system, whole deployment
    disaggregated: Bools
    speculative: Bools
    assumed: Ints  # how many of the fields above were defaults: widens the range
    prefill_accelerators: Ints | None = None
    """Chips of accelerator_count that only do prefill; the parallel degrees are decode's then."""
    prefill_tensor_parallel: Ints | None = None  # of those chips; None: as decode

    def __len__(self) -> int:
        return len(self.accelerator)


def same_cases(one: InferenceCases, other: InferenceCases) -> bool:
    """Whether two sets of cases ask the same, so that what was predicted for one holds for both.

    Source: equality of every column and table.
    """

    def same(mine: Any, theirs: Any) -> bool:
        if isinstance(mine, np.ndarray) and isinstance(theirs, np.ndarray):
            return np.array_equal(mine, theirs, equal_nan=True)
        return bool(mine is theirs or mine == theirs)

    return all(
        same(getattr(one, each.name), getattr(other, each.name)) for each in fields(InferenceCases)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingCases:
    """Training configurations, one a row, in the manner of InferenceCases."""

    accelerators: tuple[AcceleratorSpec, ...]
    models: tuple[ModelSpec, ...]
    accelerator: Ints
    model: Ints
    precision: Ints
    software_month: Floats
    accelerator_count: Ints
    system_accelerator_count: Ints  # accelerators in one node or rack
    scale_out_bytes_per_s: Floats  # per accelerator, one direction; nan where unknown
    task: NDArray[np.str_]  # pretrain, finetune, lora
    seq_len: Floats
    global_batch: Floats  # sequences (samples for models without tokens) in one step
    recompute: NDArray[np.str_]  # none, selective, full, auto (whichever is fastest and fits)
    assumed: Ints
    framework: NDArray[np.str_] | None = None  # training software; "" or None where unknown
    optimizer: NDArray[np.str_] | None = None  # as the questionnaire names them; None: adamw
    trainable_fraction: Floats | None = None  # adapters' share of the weights; None: by task
    quantised_base: Bools | None = None  # frozen weights kept at 4 bits
    offload: Bools | None = None  # optimizer state in host memory

    def __len__(self) -> int:
        return len(self.accelerator)


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleCases:
    """Configurations that run a model without an output length: images, queries, audio.

    A deployment is accelerator_count copies of the model, or as few shards as hold it.
    """

    accelerators: tuple[AcceleratorSpec, ...]
    models: tuple[ModelSpec, ...]
    accelerator: Ints
    model: Ints
    precision: Ints
    software_month: Floats  # months since January 2020; nan where unknown
    accelerator_count: Ints
    batch: Floats  # samples in one pass of one accelerator; nan: as large as helps
    scenario: NDArray[np.str_]  # offline, server (highest rate within the limit), concurrency
    latency_limit_s: Floats  # p99 of a sample, for server; inf where there is none
    sequence: Floats  # tokens of a sample of a model that counts in tokens; nan: its default
    assumed: Ints
    engine: NDArray[np.str_] | None = None  # serving software; "" or None where unknown
    published: Bools | None = None  # speeds count as the model's benchmark does, not by samples

    def __len__(self) -> int:
        return len(self.accelerator)


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A column of predictions with the bounds of its 80 % interval."""

    value: Floats
    low: Floats
    high: Floats
