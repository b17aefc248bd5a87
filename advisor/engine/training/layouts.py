"""How a training job is dealt out: layouts worth trying, and each rank's share of the work."""

from dataclasses import dataclass, fields
from itertools import product

import numpy as np

from advisor.engine.cases import Bools, Floats, Ints
from advisor.engine.training.memory import RECOMPUTES, activation_bytes_per_token
from advisor.engine.training.tables import TrainingWork

_TENSOR = (1, 2, 4, 8)
_PIPELINE = (1, 2, 4, 8, 16)
_SHARDED = (False, True)  # weights copied for each data-parallel rank, or shared out
_WIDE_EXPERTS = (False, True)  # experts inside the fast fabric, or over up to 64 ranks
_MOST_EXPERT_RANKS = 64.0
_WEIGHT_BYTES = 2.0
_LOGIT_BYTES = 6.0  # 16-bit logits and 32-bit probabilities


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


def picked(options: Layouts, option: Ints) -> Layouts:
    """One layout for each case, as upright columns."""
    return Layouts(
        **{f.name: getattr(options, f.name)[0, option][:, None] for f in fields(Layouts)}
    )


def column(work: TrainingWork) -> TrainingWork:
    """The same work with every column standing upright, to be crossed with layouts."""
    return TrainingWork(**{f.name: getattr(work, f.name)[:, None] for f in fields(work)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """How a layout deals out a case's tokens, and what that takes of the memory."""

    data: Floats  # ranks that hold different tokens
    context: Floats  # of them, ranks that share a sequence
    experts: Floats  # ranks the experts are spread over
    tokens: Floats  # one accelerator's even share of a step
    microbatches: Floats
    state_bytes: Floats  # weights, gradients, optimizer: on the fullest accelerator
    sequence_bytes: Floats  # activations of one rank's piece of one sequence

    @classmethod
    def of(cls, work: TrainingWork, options: Layouts) -> "Split":
        """Shares of each case (rows, upright columns) in each layout."""
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
