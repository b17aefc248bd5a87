"""Training cases as columns of plain numbers: what a step computes, moves and keeps."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from advisor.engine.cases import Bools, Floats, Ints, TrainingCases
from advisor.engine.serving.tables import (
    AcceleratorTable,
    ModelTable,
    accelerator_table,
    model_table,
)
from advisor.engine.training.memory import (
    ADAPTER_FRACTION,
    STATE_BYTES,
    WEIGHT_AND_GRADIENT_BYTES,
    frozen_bytes_per_parameter,
    reserve_bytes,
)
from catalog.specs import PRECISIONS, AcceleratorSpec, ModelSpec

STYLES = ("", "sharded", "compiled", "tensor")
FRAMEWORK_STYLES: Mapping[str, str] = {
    "llm-foundry": "sharded",
    "automodel": "sharded",
    "pytorch": "sharded",
    "megatron-bridge": "tensor",
    "megatron": "tensor",
    "nvidia-tuned": "tensor",
    "rocm": "tensor",
    "xla": "compiled",
    "neuron": "tensor",
    "synapse": "tensor",
    "poplar": "tensor",
    "tensorflow": "compiled",
}
"""How training software lays out a job: weights sharded by layer, matrices split and stages
piped, or what a whole-graph compiler does with sharding annotations."""
USUAL_FRAMEWORKS: Mapping[tuple[str, str], str] = {
    ("NVIDIA", "gpu"): "megatron-bridge",
    ("AMD", "gpu"): "rocm",
    ("AMD", "apu"): "rocm",
    ("Google", "tpu"): "xla",
    ("Intel", "asic"): "synapse",
    ("AWS", "asic"): "neuron",
    ("Graphcore", "ipu"): "poplar",
}
"""By vendor and family, where a case names no training software."""
TOKEN_KINDS = ("dense_llm", "moe_llm", "encoder", "embedding")
TWO_WAY_KINDS = ("encoder", "embedding")
SCALE_OUT_BYTES_PER_S = 50e9  # 400 Gb/s an accelerator, one direction: the H100-class norm
TORUS_SCALE_OUT_BYTES_PER_S = 6.25e9  # 50 Gb/s a chip between slices
FULL_PASSES = 3.0  # forward, and twice that backward: gradients of inputs and of weights
FROZEN_PASSES = 2.0  # frozen weights need no gradients of their own
DEFAULT_SEQ_LEN = 4096.0
DEFAULT_TOKENS_PER_ACCELERATOR = 65_536.0
_DEFAULT_SAMPLES_PER_ACCELERATOR = 64.0
_SUMMING_NVLINK = 4
_SMALLEST_SWITCHED = 8
_SIXTEEN_BIT = PRECISIONS.index("bf16")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingWork:
    """Columns over the cases; a token is a sample where the model has no tokens."""

    chips: Floats
    style: Ints  # index into STYLES: what layouts the training software has
    domain: Floats  # accelerators joined by the fast fabric
    seq_len: Floats
    sequences: Floats  # of one step, whole job
    linear_flops: Floats  # of one token, forward, all weights it meets, routed experts apart
    expert_flops: Floats
    attention_flops: Floats  # of one token, forward
    passes: Floats  # multiples of the forward pass that a step computes
    trained_fraction: Floats
    total_params: Floats
    routed_params: Floats
    experts: Floats
    experts_per_token: Floats
    layers: Floats
    hidden: Floats
    ffn: Floats  # feed-forward width one token meets
    expert_ffn: Floats  # of one expert
    kv_width: Floats  # keys and values of one token and layer
    vocab: Floats
    heads: Floats
    kept_bytes: Floats  # a parameter's weight and, where trained, its gradient
    sharded_bytes: Floats  # a parameter's optimizer state
    offload: Bools
    peak: Floats  # FLOP/s of the matrices' precision
    peak_16: Floats  # FLOP/s of 16 bits: attention and the output head
    is_fp8: Bools
    is_fp4: Bools
    watts: Floats  # inf where unpublished
    year: Floats
    bandwidth: Floats
    link: Floats  # one direction
    peers: Floats  # of a full mesh of pairs; 1 elsewhere
    sums_in_switch: Bools
    scale_out: Floats  # one direction, an accelerator's share
    host_link: Floats
    memory: Floats
    reserve: Floats
    assumed: Floats


def _has_tokens(model: ModelSpec) -> bool:
    return model.kind in TOKEN_KINDS


def training_work(cases: TrainingCases) -> TrainingWork:
    """Counts of each case from its part's, model's and job's figures; unknowns filled in.

    Weights cost two FLOPs a token and pass; attention counts the scores that a causal mask
    leaves, half of them; encoders look both ways.

    Source: J. Kaplan et al., arXiv:2001.08361, section 2.1; A. Chowdhery et al., "PaLM",
    arXiv:2204.02311, appendix B.
    """
    parts, models = accelerator_table(cases.accelerators), model_table(cases.models)
    part, model, frameworks = cases.accelerator, cases.model, frameworks_of(cases)
    tokens = np.array([_has_tokens(m) for m in cases.models])[model]
    seq_len = np.where(tokens, np.where(np.isnan(cases.seq_len), DEFAULT_SEQ_LEN, cases.seq_len), 1)
    chips = np.maximum(cases.accelerator_count.astype(np.float64), 1.0)
    usual = np.where(
        tokens, DEFAULT_TOKENS_PER_ACCELERATOR / seq_len, _DEFAULT_SAMPLES_PER_ACCELERATOR
    )
    sequences = np.where(
        np.isnan(cases.global_batch), np.maximum(usual, 1.0) * chips, cases.global_batch
    )
    linear, expert, attention = _forward_flops(cases, models, seq_len)
    trained = _trained_fraction(cases)
    frozen = cases.task == "lora"
    kept, sharded = _state_bytes(cases, trained=trained, frozen=frozen)
    memory = parts.usable_memory_bytes[part] + _streamed_bytes(cases)
    names = np.array(PRECISIONS)[cases.precision]
    ffn = [float(m.ffn or 4 * (m.hidden or 0)) * max(m.experts_per_token, 1) for m in cases.models]
    hidden = models.hidden[model]
    return TrainingWork(
        chips=chips,
        style=np.array([STYLES.index(FRAMEWORK_STYLES.get(str(f), "")) for f in frameworks]),
        domain=_fast_domain(cases, parts),
        seq_len=seq_len,
        sequences=np.maximum(sequences, 1.0),
        linear_flops=linear,
        expert_flops=expert,
        attention_flops=attention,
        passes=np.where(frozen, FROZEN_PASSES + trained, FULL_PASSES),
        trained_fraction=trained,
        total_params=models.dense_params[model]
        + models.embedding_params[model]
        + models.routed_params[model],
        routed_params=models.routed_params[model],
        experts=models.experts[model],
        experts_per_token=models.experts_per_token[model],
        layers=models.layers[model],
        hidden=hidden,
        ffn=np.maximum(np.array(ffn)[model], hidden),
        expert_ffn=np.array([float(m.ffn or 4 * (m.hidden or 1024)) for m in cases.models])[model],
        kv_width=models.kv_values_per_token[model] / models.layers[model],
        vocab=models.vocab[model],
        heads=np.array([float(m.heads or 8) for m in cases.models])[model],
        kept_bytes=kept,
        sharded_bytes=sharded,
        offload=cases.offload if cases.offload is not None else np.zeros(len(cases), dtype=bool),
        peak=parts.peak_flops_per_s[part, cases.precision],
        peak_16=parts.peak_flops_per_s[part, _SIXTEEN_BIT],
        is_fp8=np.isin(names, ("fp8", "int8")),
        is_fp4=np.isin(names, ("fp4", "int4")),
        watts=np.array([a.tdp_w or np.inf for a in cases.accelerators], dtype=np.float64)[part],
        year=np.array([float(a.year) for a in cases.accelerators])[part],
        bandwidth=parts.bandwidth_bytes_per_s[part],
        link=parts.link_bytes_per_s[part],
        peers=parts.link_peers[part],
        sums_in_switch=np.array([_sums_in_switch(a) for a in cases.accelerators])[part],
        scale_out=_scale_out(cases),
        host_link=parts.host_link_bytes_per_s[part],
        memory=memory,
        reserve=reserve_bytes(memory),
        assumed=cases.assumed.astype(np.float64),
    )


def _forward_flops(
    cases: TrainingCases, models: ModelTable, seq_len: Floats
) -> tuple[Floats, Floats, Floats]:
    model = cases.model
    tokens = np.array([_has_tokens(m) for m in cases.models])[model]
    two_way = np.array([m.kind in TWO_WAY_KINDS for m in cases.models])[model]
    sampled = np.array([m.flops_per_sample or 2.0 * m.total_params for m in cases.models])[model]
    context = np.where(two_way, seq_len, seq_len / 2.0)
    full = models.prefill_flops_per_context_token[model]
    with np.errstate(divide="ignore", invalid="ignore"):
        local = np.nan_to_num(
            models.window_values_per_token[model] / models.kv_values_per_token[model], posinf=0.0
        )
    attention = full * (context + local * np.minimum(context, models.window_tokens[model]))
    shares = models.experts_per_token[model] / models.experts[model]
    return (
        np.where(tokens, 2.0 * models.dense_params[model], sampled),
        np.where(tokens, 2.0 * models.routed_params[model] * shares, 0.0),
        np.where(tokens, attention, 0.0),
    )


def _trained_fraction(cases: TrainingCases) -> Floats:
    usual = np.where(cases.task == "lora", ADAPTER_FRACTION, 1.0)
    if cases.trainable_fraction is None:
        return usual
    return np.where(np.isnan(cases.trainable_fraction), usual, cases.trainable_fraction)


def _state_bytes(cases: TrainingCases, *, trained: Floats, frozen: Bools) -> tuple[Floats, Floats]:
    """Bytes a parameter keeps near the compute, and those that data parallelism shares."""
    names = np.array(PRECISIONS)[cases.precision]
    optimizer = cases.optimizer if cases.optimizer is not None else np.full(len(cases), "adamw")
    state = np.array([STATE_BYTES.get(str(name), STATE_BYTES["other"]) for name in optimizer])
    wide = np.isin(names, ("fp32", "tf32"))
    quantised = cases.quantised_base
    if quantised is None:
        quantised = np.zeros(len(cases), dtype=bool)
    base = np.where(
        quantised,
        frozen_bytes_per_parameter("bf16", quantised=True),
        np.array([frozen_bytes_per_parameter(str(n), quantised=False) for n in names]),
    )
    weight = np.where(wide, 2.0 * WEIGHT_AND_GRADIENT_BYTES, WEIGHT_AND_GRADIENT_BYTES)
    master = np.where(wide, np.maximum(state - 4.0, 0.0), state)
    return np.where(frozen, base + trained * weight, weight), trained * master


def _fast_domain(cases: TrainingCases, parts: AcceleratorTable) -> Floats:
    """Accelerators that the fast fabric joins, where a system is smaller than its part's reach."""
    reach = parts.link_domain[cases.accelerator]
    switched = np.array([p.family.value in ("gpu", "apu") for p in cases.accelerators])
    system = np.maximum(cases.system_accelerator_count.astype(np.float64), 1.0)
    limited = np.where(switched[cases.accelerator] & (system > 1), np.minimum(reach, system), reach)
    return np.maximum(limited, 1.0)


def _sums_in_switch(part: AcceleratorSpec) -> bool:
    """Whether the switch of the fast fabric reduces what it carries: NVLink 4's and later.

    Source: NVIDIA H100 architecture white paper, third-generation NVSwitch.
    """
    found = re.fullmatch(r"NVLink (\d+)", part.scale_up_link)
    switched = part.scale_up_domain >= _SMALLEST_SWITCHED
    return found is not None and int(found.group(1)) >= _SUMMING_NVLINK and switched


def _scale_out(cases: TrainingCases) -> Floats:
    usual = np.array(
        [
            TORUS_SCALE_OUT_BYTES_PER_S if p.family.value == "tpu" else SCALE_OUT_BYTES_PER_S
            for p in cases.accelerators
        ]
    )[cases.accelerator]
    host = np.array([p.host_link_bytes_per_s or np.inf for p in cases.accelerators])
    given = np.where(np.isnan(cases.scale_out_bytes_per_s), usual, cases.scale_out_bytes_per_s)
    return np.asarray(np.minimum(given, host[cases.accelerator]))


def frameworks_of(cases: TrainingCases) -> NDArray[np.str_]:
    """The training software of each case: as given, else what the part's vendor is trained with.

    Source: the software named in published training results of each vendor.
    """
    usual = np.array(
        [USUAL_FRAMEWORKS.get((p.vendor, p.family.value), "") for p in cases.accelerators]
    )[cases.accelerator]
    if cases.framework is None:
        return usual
    return np.where(cases.framework == "", usual, cases.framework)


def _streamed_bytes(cases: TrainingCases) -> Floats:
    streamed = np.array([p.streaming_memory_bytes for p in cases.accelerators], dtype=np.float64)
    return np.asarray(streamed[cases.accelerator])
