"""Time of one pass of a replica over its tokens: arithmetic, memory, links and overheads."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np

from advisor.engine.cases import Floats, InferenceCases
from advisor.engine.collectives import all_reduce_s, all_to_all_s, link_bytes_per_s
from advisor.engine.serving.footprint import dense_weight_bytes
from advisor.engine.serving.tables import BYTES_OF, AcceleratorTable, ModelTable
from catalog.specs import PRECISIONS

_WIDE = PRECISIONS.index("bf16")
_FOUR_BIT = (PRECISIONS.index("fp4"), PRECISIONS.index("int4"))
_ACTIVATION_BYTES = 2.0
_SCALE_OUT_CAUSAL = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Replica:
    """What every pass of a case's replica needs, gathered once; columns over the cases."""

    layers: Floats
    stages: Floats
    ranks: Floats  # tensor-parallel ranks of a stage
    attention_ranks: Floats
    attention_data: Floats
    expert_ranks: Floats
    dense_params: Floats  # on one chip
    dense_bytes: Floats
    routed_params: Floats
    routed_bytes: Floats
    experts: Floats
    experts_per_token: Floats
    share_of_experts: Floats  # that one token uses
    expert_copy_bytes: Floats  # of one token in all its experts, on one chip
    hidden_bytes: Floats
    dense_flops_per_s: Floats
    routed_flops_per_s: Floats
    attention_flops_per_s: Floats
    bytes_per_s: Floats
    cache_bytes_per_s: Floats
    link_bytes_per_s: Floats
    decode_context_flops: Floats
    prefill_context_flops: Floats
    kv_values: Floats
    window_values: Floats
    window_tokens: Floats
    state_bytes: Floats
    kv_value_bytes: Floats
    parameters: Mapping[str, Floats]


@dataclass(frozen=True, slots=True, kw_only=True)
class PassTime:
    """Seconds of one pass through all stages, by what it is spent on."""

    total_s: Floats
    compute_s: Floats
    memory_s: Floats
    link_s: Floats
    overhead_s: Floats


def gather_replica(
    cases: InferenceCases,
    parts: AcceleratorTable,
    models: ModelTable,
    parameters: Mapping[str, Floats],
) -> Replica:
    """Columns of one chip's share of the model and the rates it reaches.

    Dense layers are split over the tensor-parallel ranks of one attention group, experts over
    all ranks of the stage. 4-bit mixtures compute what every token reads in 8 bits.
    """
    a, m = cases.accelerator, cases.model
    ranks = cases.tensor_parallel.astype(np.float64)
    data = cases.attention_data_parallel.astype(np.float64)
    stages = cases.pipeline_parallel.astype(np.float64)
    attention_ranks = ranks / data
    per_weight = BYTES_OF[cases.precision]
    peaks = parts.peak_flops_per_s
    matmul = peaks[a, cases.precision] * parameters["matmul"]
    is_moe = models.is_moe[m] > 0.0
    four_bit = (cases.precision == _FOUR_BIT[0]) | (cases.precision == _FOUR_BIT[1])
    dense_peak = np.where(
        is_moe & four_bit,
        np.minimum(peaks[a, PRECISIONS.index("fp8")], peaks[a, cases.precision]),
        peaks[a, cases.precision],
    )
    bandwidth = parts.bandwidth_bytes_per_s[a]
    link = link_bytes_per_s(
        ranks,
        fabric_bytes_per_s=parts.link_bytes_per_s[a],
        fabric_domain=parts.link_domain[a],
        mesh_peers=parts.link_peers[a],
        host_link_bytes_per_s=parts.host_link_bytes_per_s[a],
    )
    shards = np.minimum(attention_ranks, models.kv_shards[m])
    return Replica(
        layers=models.layers[m],
        stages=stages,
        ranks=ranks,
        attention_ranks=attention_ranks,
        attention_data=data,
        expert_ranks=np.minimum(cases.expert_parallel, ranks),
        dense_params=models.dense_params[m] / (attention_ranks * stages),
        dense_bytes=dense_weight_bytes(per_weight, models, m) / (attention_ranks * stages),
        routed_params=models.routed_params[m] / (ranks * stages),
        routed_bytes=models.routed_params[m] * per_weight / (ranks * stages),
        experts=models.experts[m],
        experts_per_token=models.experts_per_token[m],
        share_of_experts=models.experts_per_token[m] / models.experts[m],
        expert_copy_bytes=models.expert_width[m]
        * models.experts_per_token[m]
        * models.layers[m]
        * _ACTIVATION_BYTES
        / (ranks * stages),
        hidden_bytes=models.hidden[m] * _ACTIVATION_BYTES,
        dense_flops_per_s=dense_peak * parameters["matmul"],
        routed_flops_per_s=matmul * parameters["experts"],
        attention_flops_per_s=peaks[a, _WIDE] * parameters["attention"],
        bytes_per_s=bandwidth * parameters["bandwidth"],
        cache_bytes_per_s=bandwidth * parameters["cache"],
        link_bytes_per_s=link * parameters["link"],
        decode_context_flops=models.decode_flops_per_context_token[m] / (attention_ranks * stages),
        prefill_context_flops=models.prefill_flops_per_context_token[m]
        / (attention_ranks * stages),
        kv_values=models.kv_values_per_token[m] / (shards * stages),
        window_values=models.window_values_per_token[m] / (shards * stages),
        window_tokens=models.window_tokens[m],
        state_bytes=models.state_values[m] * 2.0 * _ACTIVATION_BYTES / (attention_ranks * stages),
        kv_value_bytes=BYTES_OF[cases.kv_precision],
        parameters=parameters,
    )


def decode_pass(replica: Replica, *, sequences: Floats, context_tokens: Floats) -> PassTime:
    """One token for each of a replica's running sequences.

    All weights and every sequence's cache are read once; a mixture reads the experts that the
    batch touches. With pipeline stages the batch is cut into one part a stage.

    Source: R. Pope et al., "Efficiently Scaling Transformer Inference", MLSys 2023, section 2.
    """
    tokens = np.maximum(sequences / replica.stages, 1.0)
    local = tokens / replica.attention_data
    window = np.minimum(context_tokens, replica.window_tokens)
    cache_bytes = local * (
        (replica.kv_values * context_tokens + replica.window_values * window)
        * replica.kv_value_bytes
        + replica.state_bytes
    )
    return _pass(
        replica,
        tokens=tokens,
        attention_flops=local * replica.decode_context_flops * context_tokens,
        cache_bytes=cache_bytes,
        padded=True,
        sequences=local,
    )


def prefill_pass(
    replica: Replica, *, prompt_tokens: Floats, prompts: Floats | float = 1.0
) -> PassTime:
    """Some prompts from their first to their last token, on one replica.

    Attention is causal: a token attends to half the prompt on average.

    Source: R. Pope et al., MLSys 2023, section 2; causal halving as in FlashAttention-2,
    arXiv:2307.08691.
    """
    tokens = prompt_tokens * prompts
    local = tokens / replica.attention_data
    flops = local * replica.prefill_context_flops * prompt_tokens * _SCALE_OUT_CAUSAL
    written = local * replica.kv_values * replica.kv_value_bytes
    work = _pass(replica, tokens=tokens, attention_flops=flops, cache_bytes=written, padded=True)
    eager_s = replica.parameters["eager_s"] * replica.layers
    return replace(work, total_s=work.total_s + eager_s, overhead_s=work.overhead_s + eager_s)


def scaled(work: PassTime, factor: Floats) -> PassTime:
    """A pass whose every term takes a factor longer."""
    return PassTime(**{f.name: getattr(work, f.name) * factor for f in fields(PassTime)})


def marginal_prefill_s(replica: Replica, *, prompt_tokens: Floats) -> Floats:
    """Time one more prompt adds to a stage that is busy anyway: no padding, no weights read."""
    local = prompt_tokens / replica.attention_data
    flops = local * replica.prefill_context_flops * prompt_tokens * _SCALE_OUT_CAUSAL
    work = _pass(
        replica,
        tokens=prompt_tokens,
        attention_flops=flops,
        cache_bytes=local * replica.kv_values * replica.kv_value_bytes,
        padded=False,
    )
    return work.total_s / replica.stages


def _pass(
    replica: Replica,
    *,
    tokens: Floats,
    attention_flops: Floats,
    cache_bytes: Floats,
    padded: bool,
    sequences: Floats | float = 0.0,
) -> PassTime:
    p = replica.parameters
    local = tokens / replica.attention_data
    thin = p["thin"] if padded else 0.0
    chosen = tokens * np.minimum(p["spread"], 1.0)
    touched = 1.0 - np.exp(chosen * np.log1p(-np.minimum(replica.share_of_experts, 0.999999)))
    skew = 1.0 + p["skew"] * (1.0 - 1.0 / replica.expert_ranks)
    rows = tokens * replica.share_of_experts * skew
    if padded:
        rows = rows + p["expert_rows"] * touched
    dense_s = 2.0 * replica.dense_params * (local + thin) / replica.dense_flops_per_s
    routed_s = 2.0 * replica.routed_params * rows / replica.routed_flops_per_s
    attention_s = attention_flops / replica.attention_flops_per_s
    activations = (
        local * replica.hidden_bytes * replica.layers * p["traffic"] / replica.stages
    ) * (0.3 + 0.7 / replica.attention_ranks)
    read = activations
    routed_read = tokens * replica.expert_copy_bytes * p["permute"]
    if padded:
        read = read + replica.dense_bytes
        routed_read = routed_read + replica.routed_bytes * touched * skew
    dense_m = read / replica.bytes_per_s
    routed_m = routed_read / replica.bytes_per_s
    cache_m = cache_bytes / replica.cache_bytes_per_s
    loose = np.minimum(p["overlap"], 1.0)
    work = (
        _overlapped(dense_s, dense_m, loose)
        + _overlapped(routed_s, routed_m, loose)
        + _overlapped(attention_s, cache_m, loose)
    )
    transfer_s, latency_s = _links(replica, tokens)
    overhead_s = latency_s * padded
    if padded:
        overhead_s = overhead_s + p["layer_s"] * replica.layers / replica.stages + p["step_s"]
    overhead_s = overhead_s + p["sequence_s"] * sequences
    stages = replica.stages
    return PassTime(
        total_s=(work + transfer_s + overhead_s) * stages,
        compute_s=(dense_s + routed_s + attention_s) * stages,
        memory_s=(dense_m + routed_m + cache_m) * stages,
        link_s=transfer_s * stages,
        overhead_s=overhead_s * stages,
    )


def _overlapped(first: Floats, second: Floats, loose: Floats) -> Floats:
    return np.maximum(first, second) + loose * np.minimum(first, second)


def _links(replica: Replica, tokens: Floats) -> tuple[Floats, Floats]:
    """Two exchanges a layer: tensor-parallel sums, or dispatch and combine of experts."""
    local_bytes = tokens / replica.attention_data * replica.hidden_bytes
    hop_s = replica.parameters["hop_s"]
    summed, summed_latency = all_reduce_s(
        local_bytes,
        replica.attention_ranks,
        link_bytes_per_s=replica.link_bytes_per_s,
        hop_s=hop_s,
    )
    # With attention replicated each token's row goes to the ranks of its experts and back.
    copies = np.minimum(replica.experts_per_token, replica.ranks)
    spread, spread_latency = all_to_all_s(
        local_bytes * copies,
        np.where(replica.attention_data > 1.0, replica.ranks, 1.0),
        link_bytes_per_s=replica.link_bytes_per_s,
        hop_s=hop_s,
    )
    exchanges = 2.0 * replica.layers / replica.stages
    return exchanges * (summed + spread), exchanges * (summed_latency + spread_latency)
