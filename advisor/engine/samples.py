"""Speed of models that make no tokens one by one: images, queries, audio, embeddings, graphs."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from advisor.engine.calibration import DEFAULT_CALIBRATION, Calibration
from advisor.engine.cases import Band, Bools, Floats, SampleCases
from advisor.engine.serving_tables import BYTES_OF, accelerator_table, model_table
from catalog.specs import Evidence

DEFAULTS: Mapping[str, float] = MappingProxyType(
    {
        "matmul": 0.35,  # of the peak at a full batch
        "bandwidth": 0.60,
        "gather": 0.25,  # of the bandwidth, reading short rows of tables and graphs
        "batch_s": 1e-3,  # kernels and copies of one pass
        "server": 0.90,  # of the offline rate, under a latency limit many passes long
        "shard": 0.50,  # of the links, exchanging looked-up rows
    }
)
"""Source: MLPerf Inference results v2.0 to v6.0, which reach a third to a half of the peak on
ResNet-50 and BERT and 85 to 99 % of the offline rate in the server scenario."""
DEFAULT_SEQUENCE = 384.0
_TOKEN_KINDS = ("encoder", "embedding", "dense_llm", "moe_llm")
_GATHER_KINDS = ("recsys", "graph")
_USUAL_BATCH = 64.0
_ACTIVATION_BYTES_PER_FLOP = 1.0 / 150.0  # a convolution's reads and writes beside its weights
_RESERVE = 0.08
_DEFAULT_SPREAD = 0.45
_ASSUMED_SPREAD = 0.05
_NORMAL_80 = 1.2816


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplesPoint:
    """Predictions, one a case."""

    samples_per_s: Band  # whole deployment
    latency_s: Band  # one pass of one accelerator
    fits: Bools
    shards: Floats  # accelerators one copy of the model is spread over
    binding: NDArray[np.str_]  # compute, memory, link, overhead
    evidence: NDArray[np.str_]


def samples_point(
    cases: SampleCases, calibration: Calibration = DEFAULT_CALIBRATION
) -> SamplesPoint:
    """Predict each case: columns as long as the cases.

    A pass computes its samples' FLOPs, reads the weights once and each sample's own bytes,
    and pays a fixed time. Tables larger than one accelerator are spread, and looked-up rows
    travel. Latency limits shorter than two passes make batches smaller.

    Source: roofline of S. Williams et al., CACM 52 (2009); embedding lookups after
    M. Naumov et al., arXiv:1906.00091.
    """
    fitted = calibration.samples.get("parameters", {})
    p = {name: float(fitted.get(name, value)) for name, value in DEFAULTS.items()}
    parts, models = accelerator_table(cases.accelerators), model_table(cases.models)
    part, model = cases.accelerator, cases.model
    kinds = np.array([m.kind for m in cases.models])[model]
    tokens = np.isin(kinds, _TOKEN_KINDS)
    gathers = np.isin(kinds, _GATHER_KINDS)
    flops = _flops(cases, tokens)
    weights = np.array([m.total_params for m in cases.models])[model] * BYTES_OF[cases.precision]
    own = np.array([m.bytes_per_sample or np.nan for m in cases.models])[model]
    own = np.where(np.isnan(own), flops * _ACTIVATION_BYTES_PER_FLOP, own)
    memory = parts.usable_memory_bytes[part] * (1.0 - _RESERVE)
    memory = memory + np.array([a.streaming_memory_bytes for a in cases.accelerators])[part]
    shards = np.maximum(np.ceil(weights / memory), 1.0)
    count = np.maximum(cases.accelerator_count.astype(np.float64), 1.0)
    compute = flops / (p["matmul"] * parts.peak_flops_per_s[part, cases.precision])
    rate = np.where(gathers, p["gather"], p["bandwidth"]) * parts.bandwidth_bytes_per_s[part]
    link = np.where(
        shards > 1, own / shards * (shards - 1.0) / (p["shard"] * parts.link_bytes_per_s[part]), 0.0
    )
    read = np.where(gathers, 0.0, weights) / rate
    sample_s = np.maximum(compute, own / rate) + link
    batch = np.where(np.isnan(cases.batch), _USUAL_BATCH, cases.batch)
    limit = np.where(cases.scenario == "server", cases.latency_limit_s, np.inf)
    batch = np.clip((limit / 2.0 - p["batch_s"] - read) / sample_s, 1.0, batch)
    pass_s = np.maximum(batch * compute, batch * own / rate + read) + batch * link + p["batch_s"]
    held = np.where(cases.scenario == "server", p["server"], 1.0)
    speed = count * batch / pass_s * held
    spread = _DEFAULT_SPREAD + _ASSUMED_SPREAD * cases.assumed
    factor = np.exp(_NORMAL_80 * spread)
    terms = np.stack(
        [batch * compute, batch * own / rate + read, batch * link, 0 * batch + p["batch_s"]]
    )
    return SamplesPoint(
        samples_per_s=Band(value=speed, low=speed / factor, high=speed * factor),
        latency_s=Band(value=pass_s, low=pass_s / factor, high=pass_s * factor),
        fits=shards <= count,
        shards=shards,
        binding=np.array(["compute", "memory", "link", "overhead"])[np.argmax(terms, axis=0)],
        evidence=np.full(len(cases), Evidence.ESTIMATED.value),
    )


def _flops(cases: SampleCases, tokens: Bools) -> Floats:
    models = model_table(cases.models)
    model = cases.model
    sequence = np.where(np.isnan(cases.sequence), DEFAULT_SEQUENCE, cases.sequence)
    active = models.dense_params + models.routed_params * models.experts_per_token / models.experts
    text = sequence * (
        2.0 * active[model] + models.prefill_flops_per_context_token[model] * sequence
    )
    given = np.array([m.flops_per_sample or np.nan for m in cases.models])[model]
    usual = np.array([2.0 * m.active_params for m in cases.models])[model]
    return np.where(np.isnan(given), np.where(tokens, text, usual), given)
