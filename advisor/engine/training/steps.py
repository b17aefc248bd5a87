"""Time and memory of one training step in every parallel layout worth trying."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import product

import numpy as np

from advisor.engine.cases import Bools, Floats, Ints
from advisor.engine.training.memory import RECOMPUTES, activation_bytes_per_token
from advisor.engine.training.tables import STYLES, TrainingWork

_TENSOR = (1, 2, 4, 8)
_PIPELINE = (1, 2, 4, 8, 16)
_SHARDED = (False, True)  # weights copied for each data-parallel rank, or shared out
_WIDE_EXPERTS = (False, True)  # experts inside the fast fabric, or over up to 64 ranks
_INTERLEAVED = 4.0  # stages of one rank, at most
_MOST_EXPERT_RANKS = 64.0
_GRADIENT_BYTES = 4.0  # reduced in 32 bits,
_WEIGHT_BYTES = 2.0
_STATE_TRAFFIC_BYTES = 28.0  # read and written a trained parameter by one optimizer step
_LOGIT_BYTES = 6.0  # 16-bit logits and 32-bit probabilities
_SHARDED_STYLE, _COMPILED_STYLE = STYLES.index("sharded"), STYLES.index("compiled")
TERMS = ("compute", "memory", "link", "overhead")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layouts:
    """Options as rows of one entry each: degrees, sharding of weights, index into RECOMPUTES."""

    tensor: Floats
    pipeline: Floats
    sharded: Bools
    recompute: Floats
    wide_experts: Bools


def layouts() -> Layouts:
    """Every combination that is tried for a case."""
    choices = product(_TENSOR, _PIPELINE, _SHARDED, range(len(RECOMPUTES)), _WIDE_EXPERTS)
    grid = np.array(list(choices), dtype=float)
    tensor, pipeline, sharded, recompute, wide = (grid[:, index][None, :] for index in range(5))
    return Layouts(
        tensor=tensor,
        pipeline=pipeline,
        sharded=sharded > 0.0,
        recompute=recompute,
        wide_experts=wide > 0.0,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutCosts:
    """Cases x layouts: bytes on the fullest accelerator, seconds of a step by what they go to."""

    allowed: Bools
    memory_bytes: Floats
    seconds: Mapping[str, Floats]  # by TERMS


def picked(options: Layouts, option: Ints) -> Layouts:
    """One layout for each case, as upright columns."""
    return Layouts(
        **{f.name: getattr(options, f.name)[0, option][:, None] for f in fields(Layouts)}
    )


def column(work: TrainingWork) -> TrainingWork:
    """The same work with every column standing upright, to be crossed with layouts."""
    return TrainingWork(**{f.name: getattr(work, f.name)[:, None] for f in fields(work)})


def layout_costs(
    work: TrainingWork, options: Layouts, parameters: Mapping[str, float]
) -> LayoutCosts:
    """Memory and time of each case (rows, upright columns) in each layout.

    Sequences that data parallelism cannot share out, or whose activations fill the memory,
    are split along their length. Weights and gradients travel once a step, or once a
    microbatch where they are sharded.

    Source: D. Narayanan et al., arXiv:2104.04473 (tensor and pipeline terms); S. Rajbhandari
    et al., arXiv:1910.02054 (sharding); V. Korthikanti et al., arXiv:2205.05198 (activations);
    H. Liu et al., arXiv:2310.01889 (sequences split along their length).
    """
    split = _Split.of(work, options)
    memory = work.reserve + split.state_bytes + split.sequence_bytes
    return LayoutCosts(
        allowed=_allowed(work, options),
        memory_bytes=memory,
        seconds=_seconds(work, options, split, parameters),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Split:
    """How a layout deals out a case's tokens."""

    data: Floats  # ranks that hold different tokens
    context: Floats  # of them, ranks that share a sequence
    experts: Floats  # ranks the experts are spread over
    tokens: Floats  # one accelerator's even share of a step
    microbatches: Floats
    state_bytes: Floats  # weights, gradients, optimizer: on the fullest accelerator
    sequence_bytes: Floats  # activations of one rank's piece of one sequence

    @classmethod
    def of(cls, work: TrainingWork, options: Layouts) -> "_Split":
        data = np.maximum(work.chips / (options.tensor * options.pipeline), 1.0)
        state = _state_bytes(work, options)
        whole = _sequence_bytes(work, options)
        free = np.maximum(work.memory - work.reserve - state, 1.0)
        pieces = np.maximum(data / work.sequences, whole / free)
        context = np.minimum(np.exp2(np.ceil(np.log2(np.maximum(pieces, 1.0)))), data)
        per_rank = np.maximum(work.sequences * context / data, 1.0)
        # Pipelines want many microbatches; elsewhere a microbatch fills the memory.
        room = np.where(options.pipeline > 1, 1.0, np.floor(free / whole * context))
        return cls(
            data=data,
            context=context,
            experts=_expert_ranks(work, options),
            tokens=work.sequences * work.seq_len / work.chips,
            microbatches=per_rank / np.clip(room, 1.0, per_rank),
            state_bytes=state,
            sequence_bytes=whole / context,
        )


def _expert_ranks(work: TrainingWork, options: Layouts) -> Floats:
    reach = np.where(options.wide_experts, _MOST_EXPERT_RANKS, np.minimum(work.domain, 64.0))
    ranks = np.maximum(work.chips / options.pipeline, 1.0)
    return np.minimum(np.minimum(work.experts, reach), ranks)


def _layer_bytes(work: TrainingWork, options: Layouts) -> Floats:
    """Activation bytes of one token and layer, by the layout's recomputation."""
    kept = [
        activation_bytes_per_token(hidden=work.hidden, ffn=work.ffn, recompute=name)
        for name in RECOMPUTES
    ]
    return np.where(
        options.recompute == 0, kept[0], np.where(options.recompute == 1, kept[1], kept[2])
    )


def _sequence_bytes(work: TrainingWork, options: Layouts) -> Floats:
    """Activations of one whole sequence on the fullest accelerator.

    The first pipeline stage holds as many microbatches as there are stages, so stages do not
    lessen the sum.
    """
    tokens = work.seq_len / options.tensor
    last = np.where(options.pipeline > 1, 0.0, _LOGIT_BYTES * work.vocab)
    working = activation_bytes_per_token(hidden=work.hidden, ffn=work.ffn, recompute="none")
    return tokens * (
        work.layers * _layer_bytes(work, options)
        + np.where(options.recompute == 2, working, 0.0)  # noqa: PLR2004 index of "full"
        + last
    )


def _state_bytes(work: TrainingWork, options: Layouts) -> Floats:
    dense = work.total_params - work.routed_params
    spread = _expert_ranks(work, options)
    near = (
        dense / (options.tensor * options.pipeline)
        + work.routed_params / (np.maximum(spread, options.tensor) * options.pipeline)
    ) * work.kept_bytes
    gathered = 2.0 * _WEIGHT_BYTES * dense / work.layers / options.tensor
    shared = work.total_params / work.chips * work.kept_bytes + gathered
    state = np.where(work.offload, 0.0, work.sharded_bytes) * work.total_params / work.chips
    return np.where(options.sharded, np.minimum(shared, near), near) + state


def _allowed(work: TrainingWork, options: Layouts) -> Bools:
    tensor = options.tensor <= np.minimum(np.maximum(work.domain, 1.0), work.heads)
    # Software that shards by layer splits no matrices, has no stages.
    layered = (options.tensor == 1) & (options.pipeline == 1)
    style = np.select(
        [work.style == _SHARDED_STYLE, work.style == _COMPILED_STYLE],
        [layered, options.pipeline == 1],
        layered | ~layered,
    )
    copied = options.sharded & (work.chips < 2)  # noqa: PLR2004 nothing to share out
    copied = copied | (options.wide_experts & (work.experts <= 1))
    return np.asarray(
        tensor
        & style
        & (options.tensor * options.pipeline <= work.chips)
        & (options.pipeline <= np.maximum(work.layers, 1.0))
        & ~copied
    )


def _seconds(
    work: TrainingWork, options: Layouts, split: _Split, p: Mapping[str, float]
) -> dict[str, Floats]:
    compute = _compute_s(work, options, split, p)
    tokens = split.tokens
    moved = p["traffic"] * work.layers * (work.hidden + 0.5 * work.ffn) * work.passes / 3.0
    trained = work.trained_fraction * work.total_params / work.chips
    memory = (tokens * moved + _STATE_TRAFFIC_BYTES * trained) / (p["bandwidth"] * work.bandwidth)
    spill = np.where(
        work.offload,
        2.0 * work.sharded_bytes * work.total_params / work.chips / work.host_link,
        0.0,
    )
    bubble = (options.pipeline - 1.0) / (
        split.microbatches * np.clip(work.layers / options.pipeline / 2.0, 1.0, _INTERLEAVED)
    )
    links = _link_s(work, options, split, p, busy=compute + memory)
    serial = (
        p["layer_s"] * work.layers / options.pipeline * split.microbatches * (work.passes / 3.0)
    )
    beyond = np.log2(np.maximum(work.chips / np.maximum(work.domain, 8.0), 1.0))
    overhead = p["step_s"] + serial + (compute + memory) * (bubble + p["straggle"] * beyond)
    return {
        "compute": compute,
        "memory": memory + spill,
        "link": links,
        "overhead": overhead,
    }


def _compute_s(
    work: TrainingWork, options: Layouts, split: _Split, p: Mapping[str, float]
) -> Floats:
    again = np.where(
        options.recompute == 0, 0.0, np.where(options.recompute == 1, p["selective"], 1.0)
    )
    passes = work.passes + again
    wide = work.hidden / (work.hidden + p["width"])
    narrow_rate = np.where(work.is_fp4, p["matmul_fp4"], p["matmul_fp8"]) * work.peak
    # A narrow format that gains nothing is left for 16 bits.
    plain_rate = p["matmul"] * np.where(work.is_fp8 | work.is_fp4, work.peak_16, work.peak)
    rate = np.where(work.is_fp8 | work.is_fp4, np.maximum(narrow_rate, plain_rate), plain_rate)
    half = p["expert_width"] * np.where(
        work.style == _SHARDED_STYLE, p["expert_width_sharded"], 1.0
    )
    narrow = work.expert_ffn / (work.expert_ffn + half)
    matrices = (work.linear_flops + work.expert_flops / narrow) / (rate * wide)
    style = np.select(
        [work.style == _SHARDED_STYLE, work.style == _COMPILED_STYLE],
        [p["attention_sharded"], p["attention_compiled"]],
        1.0,
    )
    attention = work.attention_flops / (p["attention"] * style * work.peak_16)
    return split.tokens * passes * (matrices + attention)


def _link_s(
    work: TrainingWork,
    options: Layouts,
    split: _Split,
    p: Mapping[str, float],
    *,
    busy: Floats,
) -> Floats:
    """Exposed time of all exchanges of one step."""
    inside = p["link"] * work.link
    outside = p["scale_out"] * work.scale_out
    group = np.maximum(work.domain / (options.tensor * options.pipeline), 1.0)
    reach = np.where(work.chips <= work.domain, inside, np.minimum(inside, outside * group))
    tensor = 16.0 * split.tokens * work.layers * work.hidden * (options.tensor - 1.0) / inside
    around = np.where(split.context * options.tensor <= work.domain, inside, outside)
    context = (
        split.tokens
        * options.tensor
        * 6.0
        * _WEIGHT_BYTES
        / 2.0
        * work.layers
        * work.kv_width
        * (split.context - 1.0)
        / around
    )
    rounds = np.where(options.sharded, 2.0 * _WEIGHT_BYTES * split.microbatches, _WEIGHT_BYTES)
    reduced = _GRADIENT_BYTES * np.where(options.sharded, split.microbatches, 1.0)
    dense = (work.total_params - work.routed_params) / (options.tensor * options.pipeline)
    expert = work.routed_params / (np.maximum(split.experts, options.tensor) * options.pipeline)
    frozen = np.where(work.trained_fraction < 1.0, 0.0, 1.0)
    copies = np.maximum(
        work.chips / options.pipeline / np.maximum(split.experts, options.tensor), 1
    )
    held = dense * (split.data - 1.0) / split.data + expert * (copies - 1.0) / copies
    rounds = np.where(options.sharded, rounds, rounds * frozen)
    moved = held * (rounds + reduced * work.trained_fraction)
    weights = moved / reach
    nodes = np.maximum(split.experts / work.domain, 1.0)
    # A token travels once to each node that holds one of its experts, then spreads inside.
    reached = nodes * (1.0 - (1.0 - 1.0 / nodes) ** work.experts_per_token)
    crossing = reached * (nodes - 1.0) / nodes / outside
    spreading = work.experts_per_token * (split.experts - 1.0) / split.experts / inside
    token_bytes = 4.0 * _WEIGHT_BYTES * work.layers * work.hidden * (work.experts > 1)
    dispatch = split.tokens * token_bytes * (crossing + spreading)
    # What hides under compute can hide once: dispatch gets what weights leave.
    hiding = min(p["overlap"], 1.0)
    left = min(p["dispatch_overlap"], 1.0) * (1.0 - hiding)
    return (
        tensor
        + np.maximum(weights + context - hiding * busy, p["exposed"] * (weights + context))
        + np.maximum(dispatch - left * busy, p["exposed"] * dispatch)
    )
