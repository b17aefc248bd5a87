"""Accelerators and models as small arrays that columns of serving cases index into."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from advisor.engine.cases import Floats
from advisor.engine.kept import kept
from catalog.specs import BYTES_PER_WEIGHT, PRECISIONS, AcceleratorSpec, ModelSpec

# A format may always be computed in a wider one: weights stay small, the units are slower.
_COMPUTES_IN: Mapping[str, tuple[str, ...]] = {
    "fp32": ("fp32",),
    "tf32": ("tf32", "fp32"),
    "bf16": ("bf16", "fp16", "tf32", "fp32"),
    "fp16": ("fp16", "bf16", "tf32", "fp32"),
    "fp8": ("fp8", "bf16", "fp16", "tf32", "fp32"),
    "int8": ("int8", "bf16", "fp16", "tf32", "fp32"),
    "fp4": ("fp4", "fp8", "bf16", "fp16", "tf32", "fp32"),
    "int4": ("bf16", "fp16", "tf32", "fp32"),
}
_UNKNOWN_BANDWIDTH_BYTES_PER_S = 1e12
_UNKNOWN_PEAK_FLOPS_PER_S = 100e12
_PCIE_BYTES_PER_S = 31.5e9  # PCIe 4.0 x16, one direction, where the host link is unpublished
_SRAM_PART_BYTES = 64e9  # memory of SRAM parts is below this, and its bandwidth per byte high
_SRAM_TURNS_PER_S = 1e4  # whole memory read so many times a second: no DRAM does that

_WIDE_HIDDEN = 4096.0  # from this width on models group their key and value heads
_LARGEST_TIED_PARAMS = 4.5e9  # smaller models tie input embeddings to the output head
_MLA_ROPE_DIM = 64.0
_MLA_VALUE_DIM = 128.0
_MLA_QUERY_DIM = 192.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceleratorTable:
    """One row an accelerator; `peak_flops_per_s` has one column for each of PRECISIONS."""

    usable_memory_bytes: Floats
    bandwidth_bytes_per_s: Floats
    peak_flops_per_s: Floats
    link_bytes_per_s: Floats  # one direction, all peers together, inside the fast domain
    link_peers: Floats  # peers over which a part's links are split; 1 behind a switch
    link_domain: Floats
    host_link_bytes_per_s: Floats
    is_sram: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTable:
    """One row a model; counts are of the whole model, flops per token unless said otherwise."""

    layers: Floats
    hidden: Floats
    dense_params: Floats  # read by every token: attention, dense and shared FFN, output head
    embedding_params: Floats  # looked up, not multiplied
    head_params: Floats  # part of dense_params that stays at 16 bits: the output head
    routed_params: Floats  # experts, all together
    experts: Floats
    experts_per_token: Floats
    expert_width: Floats  # values one expert reads and writes for a token
    kv_values_per_token: Floats  # of the layers that keep the whole context
    window_values_per_token: Floats  # of the layers with a sliding window
    window_tokens: Floats
    state_values: Floats  # recurrent state of linear-attention layers, per sequence
    kv_shards: Floats  # ways tensor parallelism can split the KV cache
    decode_flops_per_context_token: Floats  # attention core, one new token against one cached
    prefill_flops_per_context_token: Floats
    vocab: Floats
    is_moe: Floats
    is_latent: Floats


def peak_row(part: AcceleratorSpec) -> list[float]:
    """FLOP/s (or integer operations/s) a part reaches with each of PRECISIONS at best.

    Formats it lacks are computed in the fastest wider one it has, so a new format never
    makes a part slower. Parts that publish no rate get a nominal one.
    """
    row = []
    for precision in PRECISIONS:
        known = [
            part.peak_flops_per_s[name]
            for name in _COMPUTES_IN[precision]
            if name in part.peak_flops_per_s
        ]
        row.append(max(known, default=0.0))
    best = max(part.peak_flops_per_s.values(), default=_UNKNOWN_PEAK_FLOPS_PER_S)
    return [rate if rate > 0.0 else best / 2.0 for rate in row]


@kept(8)
def accelerator_table(parts: Sequence[AcceleratorSpec]) -> AcceleratorTable:
    """Columns over the parts, in base units, unknown cells filled with nominal figures.

    Source: fields of the catalogue's accelerator rows; Infinity Fabric is a full mesh, so a
    pair of parts has one peer's share of the links (stas00/ml-engineering, network/README.md).
    """

    def column(values: list[float]) -> Floats:
        return np.array(values, dtype=np.float64)

    bandwidth = [p.memory_bandwidth_bytes_per_s or _UNKNOWN_BANDWIDTH_BYTES_PER_S for p in parts]
    host = [p.host_link_bytes_per_s or _PCIE_BYTES_PER_S for p in parts]
    meshed = [
        float(max(p.scale_up_domain - 1, 1)) if "xgmi" in p.scale_up_link.lower() else 1.0
        for p in parts
    ]
    return AcceleratorTable(
        usable_memory_bytes=column([p.usable_memory_bytes for p in parts]),
        bandwidth_bytes_per_s=column(bandwidth),
        peak_flops_per_s=column([x for p in parts for x in peak_row(p)]).reshape(
            len(parts), len(PRECISIONS)
        ),
        link_bytes_per_s=column(
            [p.scale_up_bytes_per_s or h for p, h in zip(parts, host, strict=True)]
        ),
        link_peers=column(meshed),
        link_domain=column(
            [
                float(max(p.scale_up_domain, 2 if p.scale_up_bytes_per_s else 1))
                if p.scale_up_bytes_per_s
                else 1.0
                for p in parts
            ]
        ),
        host_link_bytes_per_s=column(host),
        is_sram=column(
            [
                float(p.memory_bytes < _SRAM_PART_BYTES and b / p.memory_bytes > _SRAM_TURNS_PER_S)
                for p, b in zip(parts, bandwidth, strict=True)
            ]
        ),
    )


@kept(8)
def model_table(models: Sequence[ModelSpec]) -> ModelTable:
    """Columns over the models: what a token multiplies, reads and leaves in the KV cache.

    Models whose shape is unpublished get that of a plain transformer of their size.

    Source: sizes follow from R. Pope et al., "Efficiently Scaling Transformer Inference",
    MLSys 2023, arXiv:2211.05102; latent attention from DeepSeek-V2, arXiv:2405.04434.
    """
    rows = [_model_row(model) for model in models]
    return ModelTable(
        **{name: np.array([row[name] for row in rows], dtype=np.float64) for name in rows[0]}
    )


def _model_row(model: ModelSpec) -> dict[str, float]:
    total = model.total_params
    active = model.active_params or total
    hidden = float(model.hidden or 128.0 * max(1.0, round((active * 8.5) ** (1 / 3) / 128.0)))
    layers = float(model.layers or max(1.0, round(active / (12.0 * hidden**2))))
    vocab = float(model.vocab or 64_000)
    heads = float(model.heads or max(1.0, hidden / 128.0))
    kv_heads = float(model.kv_heads or (8 if hidden >= _WIDE_HIDDEN else heads))
    head_dim = float(model.head_dim or hidden / heads)
    experts = float(model.experts)
    per_token = float(model.experts_per_token)
    routed = (total - active) / (1.0 - per_token / experts) if experts > per_token > 0.0 else 0.0
    embedding = 0.0 if total < _LARGEST_TIED_PARAMS else min(vocab * hidden, 0.3 * total)
    is_latent = model.attention.startswith("mla")
    full = layers * model.full_attention_fraction
    local = layers - full
    windowed = local if model.window_tokens else 0.0
    linear = local - windowed
    if is_latent:
        values = (model.kv_lora_rank or 512) + _MLA_ROPE_DIM
        shards = 1.0
        decode = full * 2.0 * heads * (2.0 * (model.kv_lora_rank or 512) + _MLA_ROPE_DIM)
        prefill = full * 2.0 * heads * (_MLA_QUERY_DIM + _MLA_VALUE_DIM)
    else:
        values = 2.0 * kv_heads * head_dim
        shards = kv_heads
        decode = prefill = full * 4.0 * heads * head_dim
    return {
        "layers": layers,
        "hidden": hidden,
        "dense_params": max(total - routed - embedding, 0.02 * active),
        "embedding_params": embedding,
        "head_params": min(vocab * hidden, 0.3 * active),
        "routed_params": max(routed, 0.0),
        "experts": max(experts, 1.0),
        "experts_per_token": max(per_token, 1.0),
        "expert_width": 2.0 * hidden + 3.0 * float(model.ffn or hidden) if routed else 0.0,
        "kv_values_per_token": full * values,
        "window_values_per_token": windowed * values,
        "window_tokens": float(model.window_tokens),
        "state_values": linear * heads * head_dim * 128.0,
        "kv_shards": max(shards, 1.0),
        "decode_flops_per_context_token": decode,
        "prefill_flops_per_context_token": prefill,
        "vocab": vocab,
        "is_moe": float(routed > 0.0),
        "is_latent": float(is_latent),
    }


BYTES_OF: Floats = np.array([BYTES_PER_WEIGHT[name] for name in PRECISIONS])
"""Bytes a weight takes, by index into PRECISIONS."""
