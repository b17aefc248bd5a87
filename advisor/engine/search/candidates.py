"""The search space: every sensible way to lay a model out on every part, as columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from advisor.engine.cases import ENGINES, Floats, InferenceCases, Ints
from catalog.specs import PRECISIONS, AcceleratorSpec, ModelSpec

CONCURRENCIES: Floats = np.unique(
    np.round(np.concatenate([2.0 ** np.arange(0, 13), 1.5 * 2.0 ** np.arange(1, 12)]))
)
"""Requests in flight on one replica: powers of two and the steps half-way between them."""

_PCIE_NODE = 8  # accelerators one host drives over PCIe where no fast fabric joins them
_MOST_PIPELINE_STAGES = 16
_SRAM_ONLY_BYTES = 4e9  # below this a part holds a slice of a model: chips come by the pod


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One replica of a model on one kind of part."""

    accelerator: int
    precision: int
    engine: int
    tensor: int
    pipeline: int
    expert: int
    attention_data: int

    def key(self, parts: Sequence[AcceleratorSpec]) -> tuple[object, ...]:
        """What tells it from others in words, as plans carry it."""
        slug = parts[self.accelerator].slug
        return (
            slug, PRECISIONS[self.precision], ENGINES[self.engine],
            self.tensor, self.pipeline, self.expert, self.attention_data,
        )  # fmt: skip

    @property
    def chips(self) -> int:
        """Accelerators of one replica."""
        return self.tensor * self.pipeline


def tensor_degrees(part: AcceleratorSpec) -> list[int]:
    """Tensor-parallel degrees the part's link domain allows: powers of two, and the whole domain.

    Where no fabric joins the parts, a host's PCIe does, up to eight; the model of the links
    makes that as slow as it is.
    """
    domain = part.scale_up_domain if part.scale_up_domain > 1 else _PCIE_NODE
    if part.memory_bytes < _SRAM_ONLY_BYTES:
        most = min(domain, 64)
    elif part.family == "tpu":
        most = min(domain, 16)
    elif part.family == "waferscale":
        most = 1
    else:
        most = min(domain, 72)
    return [2**power for power in range(int(np.log2(most)) + 1)]


def pipeline_degrees(part: AcceleratorSpec, *, weight_bytes: float) -> list[int]:
    """Pipeline stages worth trying: one, and what it takes to hold the weights."""
    widest = tensor_degrees(part)[-1]
    needed = weight_bytes / (0.85 * part.usable_memory_bytes * widest)
    if needed <= 1.0:
        return [1]
    first = 2 ** int(np.ceil(np.log2(needed)))
    limit = 1024 if part.memory_bytes < _SRAM_ONLY_BYTES else _MOST_PIPELINE_STAGES
    return [stages for stages in (first, 2 * first) if stages <= limit]


def serving_layouts(
    parts: Sequence[AcceleratorSpec],
    model: ModelSpec,
    *,
    precisions: Mapping[int, Sequence[str]],
    engines: Mapping[int, Sequence[str]],
    bytes_per_weight: Mapping[str, float],
) -> list[Layout]:
    """Every layout of one replica, by part, precision, engine and parallel degrees.

    `precisions` and `engines` list by part index what may be tried. Mixture-of-experts
    models are tried with experts spread over the replica, and latent attention also with
    attention replicated (data-parallel), as serving engines offer it.
    """
    layouts = []
    for index, part in enumerate(parts):
        for precision in precisions.get(index, ()):
            weight_bytes = model.total_params * bytes_per_weight[precision]
            for pipeline in pipeline_degrees(part, weight_bytes=weight_bytes):
                degrees = tensor_degrees(part)
                for tensor in degrees if pipeline == 1 else degrees[-1:]:
                    layouts += [
                        Layout(
                            accelerator=index,
                            precision=PRECISIONS.index(precision),
                            engine=ENGINES.index(engine),
                            tensor=tensor,
                            pipeline=pipeline,
                            expert=expert,
                            attention_data=attention_data,
                        )
                        for engine in engines.get(index, ())
                        for expert, attention_data in _expert_variants(model, tensor)
                    ]
    return layouts


def _expert_variants(model: ModelSpec, tensor: int) -> list[tuple[int, int]]:
    if model.experts == 0 or tensor == 1:
        return [(1, 1)]
    if model.attention.startswith("mla"):
        return [(1, 1), (tensor, 1), (tensor, tensor)]
    return [(1, 1), (tensor, 1)]


def serving_cases(
    layouts: Sequence[Layout],
    parts: Sequence[AcceleratorSpec],
    model: ModelSpec,
    *,
    concurrencies: Floats,
    input_tokens: float,
    output_tokens: float,
    kv_precision: str,
    software_month: float,
    assumed: int,
) -> InferenceCases:
    """Layouts times concurrencies as one column each; row = layout x len(concurrencies) + step."""
    steps = len(concurrencies)

    def column(name: str) -> Ints:
        return np.repeat(
            np.array([getattr(layout, name) for layout in layouts], dtype=np.int64), steps
        )

    rows = len(layouts) * steps
    precision = column("precision")
    kv = (
        np.full(rows, PRECISIONS.index(kv_precision))
        if kv_precision in PRECISIONS
        else kv_cache_precision(precision)
    )
    return InferenceCases(
        accelerators=tuple(parts),
        models=(model,),
        accelerator=column("accelerator"),
        model=np.zeros(rows, dtype=np.int64),
        precision=precision,
        kv_precision=kv,
        engine=column("engine"),
        software_month=np.full(rows, software_month),
        accelerator_count=column("chips"),
        tensor_parallel=column("tensor"),
        pipeline_parallel=column("pipeline"),
        expert_parallel=column("expert"),
        attention_data_parallel=column("attention_data"),
        input_tokens=np.full(rows, input_tokens),
        output_tokens=np.full(rows, output_tokens),
        concurrency=np.tile(concurrencies, len(layouts)),
        disaggregated=np.zeros(rows, dtype=bool),
        speculative=np.zeros(rows, dtype=bool),
        assumed=np.full(rows, assumed, dtype=np.int64),
    )


def kv_cache_precision(precision: Ints) -> Ints:
    """KV cache format that goes with a weight format: 8 bits from 8-bit weights down, else 16.

    Serving engines keep a KV cache of at least 8 bits when weights have 4.
    """
    wide = np.array([PRECISIONS.index("bf16" if name == "tf32" else name) for name in PRECISIONS])
    for narrow in ("fp4", "int4"):
        wide[PRECISIONS.index(narrow)] = PRECISIONS.index("fp8")
    return wide[precision]
