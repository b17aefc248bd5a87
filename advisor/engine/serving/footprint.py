"""Memory of serving: how many bytes the weights take and how many requests the rest holds."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from advisor.engine.cases import ENGINES, Bools, Floats, InferenceCases, Ints
from advisor.engine.serving.tables import (
    BYTES_OF,
    AcceleratorTable,
    ModelTable,
    accelerator_table,
    model_table,
)

HEAD_BYTES = 2.0  # the output head and embeddings stay at 16 bits in every published format
DENSE_BYTES_IN_4_BIT_EXPERTS = 1.0  # 4-bit mixtures keep what every token reads at 8 bits
RESERVE_FRACTION = 0.07  # of the memory: fragments, activations, captured graphs
RESERVE_BYTES = 2e9  # context, libraries and communication buffers
_SMALL_MEMORY_BYTES = 8e9
STATE_BYTES = 2.0
GROWN_SHARE = 0.5  # of the output that a running request has in the cache, on average
# TensorRT-LLM's default scheduler starts a request only if its whole output will fit.
GROWN_SHARE_BY_ENGINE: Mapping[str, float] = {"tensorrt-llm": 1.0, "tensorrt": 1.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingFootprint:
    """Bytes on each accelerator of a replica, and what they leave for requests."""

    weight_bytes: Floats
    kv_bytes_per_token: Floats  # one request's, on each accelerator that serves it
    reserve_bytes: Floats
    available_bytes: Floats  # for the KV cache
    max_concurrency: Floats  # requests in flight, whole deployment
    fits: Bools


def replica_chips(cases: InferenceCases) -> Floats:
    """Accelerators of one replica: tensor-parallel ranks times pipeline stages."""
    return (cases.tensor_parallel * cases.pipeline_parallel).astype(np.float64)


def decode_replicas(cases: InferenceCases) -> Floats:
    """Copies of the model that decode; part of a replica counts as a part."""
    chips = cases.accelerator_count.astype(np.float64)
    if cases.prefill_accelerators is not None:
        chips = chips - cases.prefill_accelerators
    return np.asarray(np.maximum(chips / replica_chips(cases), 1e-9))


def dense_weight_bytes(bytes_per_weight: Floats, models: ModelTable, model: Ints) -> Floats:
    """Bytes of what every token multiplies: attention, dense and shared layers, output head.

    Formats of 4 bits apply to the experts of a mixture alone; published checkpoints keep the
    rest at 8 or 16 bits.

    Source: model cards of nvidia/DeepSeek-R1-FP4 and openai/gpt-oss-120b.
    """
    is_moe = models.is_moe[model] > 0.0
    kept = np.where(
        is_moe, np.maximum(bytes_per_weight, DENSE_BYTES_IN_4_BIT_EXPERTS), bytes_per_weight
    )
    head = models.head_params[model]
    body = np.maximum(models.dense_params[model] - head, 0.0)
    return body * kept + head * np.maximum(kept, HEAD_BYTES)


def kv_bytes_per_sequence(
    cases: InferenceCases, models: ModelTable, context_tokens: Floats
) -> Floats:
    """KV cache and state of one request at a context length, on each chip that serves it.

    Grouped-query heads are split over tensor-parallel ranks until each has one; a latent
    cache cannot be split. Sliding-window layers keep at most their window.

    Source: R. Pope et al., "Efficiently Scaling Transformer Inference", MLSys 2023,
    arXiv:2211.05102; DeepSeek-V2, arXiv:2405.04434, section 2.1.
    """
    model = cases.model
    attention_ranks = cases.tensor_parallel / cases.attention_data_parallel
    shards = np.minimum(attention_ranks, models.kv_shards[model]) * cases.pipeline_parallel
    kept = np.minimum(context_tokens, models.window_tokens[model])
    values = (
        models.kv_values_per_token[model] * context_tokens
        + models.window_values_per_token[model] * kept
    )
    state = models.state_values[model] * STATE_BYTES
    return (values * BYTES_OF[cases.kv_precision] + state) / shards


def serving_footprint(cases: InferenceCases) -> ServingFootprint:
    """Memory of each case: columns as long as the cases.

    Weights are split over the replica, attention copied for every attention-data-parallel
    rank. What remains holds running requests at their mean length. A case that does not fit
    has a max_concurrency of zero.

    Source: arithmetic of the model's shape; reserve after ai-dynamo/aiconfigurator's 3.5 GB a
    GPU and the usual 0.9 memory utilisation of vLLM.
    """
    return footprint_of(cases, accelerator_table(cases.accelerators), model_table(cases.models))


def footprint_of(
    cases: InferenceCases, parts: AcceleratorTable, models: ModelTable
) -> ServingFootprint:
    """serving_footprint with the tables already built."""
    memory = parts.usable_memory_bytes[cases.accelerator]
    per_weight = BYTES_OF[cases.precision]
    model = cases.model
    attention_ranks = cases.tensor_parallel / cases.attention_data_parallel
    stages = cases.pipeline_parallel
    dense = dense_weight_bytes(per_weight, models, model)
    weights = (
        dense / attention_ranks
        + (models.embedding_params[model] * HEAD_BYTES) / attention_ranks
        + models.routed_params[model] * per_weight / cases.tensor_parallel
    ) / stages
    small = memory < _SMALL_MEMORY_BYTES
    reserve = RESERVE_FRACTION * memory + np.where(small, 0.0, RESERVE_BYTES)
    available = memory - reserve - weights
    grown = np.array([GROWN_SHARE_BY_ENGINE.get(name, GROWN_SHARE) for name in ENGINES])
    context = cases.input_tokens + grown[cases.engine] * cases.output_tokens
    request_bytes = kv_bytes_per_sequence(cases, models, context)
    per_rank = np.maximum(available, 0.0) / np.maximum(request_bytes, 1.0)
    most = per_rank * cases.attention_data_parallel
    fits = (available > 0.0) & (most >= 1.0)
    token_bytes = kv_bytes_per_sequence(cases, models, np.ones(len(cases)))
    return ServingFootprint(
        weight_bytes=weights,
        kv_bytes_per_token=token_bytes,
        reserve_bytes=reserve,
        available_bytes=available,
        max_concurrency=np.where(fits, most, 0.0) * decode_replicas(cases),
        fits=fits,
    )
