"""Time and memory of one training step in every parallel layout worth trying."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from advisor.engine.cases import Bools, Floats
from advisor.engine.training.layouts import Layouts, Split
from advisor.engine.training.tables import STYLES, TrainingWork

_INTERLEAVED = 4.0  # stages of one rank, at most
_GRADIENT_BYTES = 4.0  # reduced in 32 bits,
_WEIGHT_BYTES = 2.0
_STATE_TRAFFIC_BYTES = 28.0  # read and written a trained parameter by one optimizer step
_REFERENCE_YEAR = 2022.0
_SHARPNESS = 3.0  # of the corner between matrix rate and power
_SHARDED_STYLE, _COMPILED_STYLE = STYLES.index("sharded"), STYLES.index("compiled")
TERMS = ("compute", "memory", "link", "overhead")


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutCosts:
    """Cases x layouts: bytes on the fullest accelerator, seconds of a step by what they go to."""

    allowed: Bools
    memory_bytes: Floats
    seconds: Mapping[str, Floats]  # by TERMS


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
    split = Split.of(work, options)
    memory = work.reserve + split.state_bytes + split.sequence_bytes
    return LayoutCosts(
        allowed=_allowed(work, options),
        memory_bytes=memory,
        seconds=layout_seconds(work, options, split, parameters),
    )


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


def layout_seconds(
    work: TrainingWork, options: Layouts, split: Split, p: Mapping[str, float]
) -> dict[str, Floats]:
    """Seconds of a step by TERMS, of cases dealt out as `split` says; as `layout_costs`.

    Source: as `layout_costs`.
    """
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
    work: TrainingWork, options: Layouts, split: Split, p: Mapping[str, float]
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
    experts = work.expert_flops * busiest_share(split.experts, work.experts, p) / narrow
    rate = _powered(rate, work, p)
    matrices = (work.linear_flops + experts) / (rate * wide)
    style = np.select(
        [work.style == _SHARDED_STYLE, work.style == _COMPILED_STYLE],
        [p["attention_sharded"], p["attention_compiled"]],
        1.0,
    )
    attention = work.attention_flops / (p["attention"] * style * work.peak_16)
    return split.tokens * passes * (matrices + attention)


def busiest_share(ranks: Floats, experts: Floats, p: Mapping[str, float]) -> Floats:
    """Load of the rank with the busiest experts, as a multiple of the mean: all wait for it.

    Loads of a rank's experts add up, so their deviation falls with the root of their number;
    the largest of n normal loads lies about sqrt(2 ln n) deviations above the mean.

    Source: H. Cramer, "Mathematical Methods of Statistics" (1946), section 28.6.
    """
    deviation = p["expert_skew"] * np.sqrt(ranks / np.maximum(experts, 1.0))
    return np.asarray(1.0 + deviation * np.sqrt(2.0 * np.log(np.maximum(ranks, 1.0))))


def _powered(rate: Floats, work: TrainingWork, p: Mapping[str, float]) -> Floats:
    """FLOP/s that the power limit sustains of a rate that the matrix units would reach.

    Source: energy roofline, J. Choi et al., IPDPS 2013; narrow operands cost less in
    proportion to their bits, M. Horowitz, ISSCC 2014.
    """
    width = np.where(work.is_fp4, 0.25, np.where(work.is_fp8, 0.5, 1.0))
    since = work.year - _REFERENCE_YEAR
    paid = work.watts * p["flops_per_joule"] * p["per_year"] ** since / width
    return np.asarray((rate**-_SHARPNESS + paid**-_SHARPNESS) ** (-1.0 / _SHARPNESS))


def _within(work: TrainingWork, ranks: Floats, p: Mapping[str, float]) -> Floats:
    """Bytes a second of one rank to a group inside the fast fabric.

    In a full mesh of pairs each peer owns one share of the links, so small groups are slow.

    Source: stas00/ml-engineering, network/README.md (448 GB/s to all peers, 64 GB/s to one).
    """
    mesh = np.where(work.peers > 1.0, (ranks - 1.0) / work.peers, 1.0)
    return np.asarray(p["link"] * work.link * np.clip(mesh, 1e-2, 1.0))


def _link_s(
    work: TrainingWork,
    options: Layouts,
    split: Split,
    p: Mapping[str, float],
    *,
    busy: Floats,
) -> Floats:
    """Exposed time of all exchanges of one step."""
    inside = _within(work, np.minimum(work.chips, work.domain), p)
    outside = p["scale_out"] * work.scale_out
    cards = np.maximum(work.domain / (options.tensor * options.pipeline), 1.0)
    reach = np.where(work.chips <= work.domain, inside, np.minimum(inside, outside * cards))
    beside = _within(work, options.tensor, p) * np.where(work.sums_in_switch, p["in_switch"], 1.0)
    tensor = 16.0 * split.tokens * work.layers * work.hidden * (options.tensor - 1.0) / beside
    group = split.context * options.tensor
    around = np.where(group <= work.domain, _within(work, group, p), outside)
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
    token_bytes = token_bytes * busiest_share(split.experts, work.experts, p)
    dispatch = split.tokens * token_bytes * (crossing + spreading)
    # What hides under compute can hide once: dispatch gets what weights leave.
    hiding = min(p["overlap"], 1.0)
    left = min(p["dispatch_overlap"], 1.0) * (1.0 - hiding)
    return (
        tensor
        + np.maximum(weights + context - hiding * busy, p["exposed"] * (weights + context))
        + np.maximum(dispatch - left * busy, p["exposed"] * dispatch)
    )
