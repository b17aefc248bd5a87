"""Memory of training: bytes of weights, gradients, optimizer state and activations."""

from collections.abc import Mapping

import numpy as np

from advisor.engine.cases import Floats
from catalog.specs import BYTES_PER_WEIGHT
from catalog.units import GIB, GIGA

WEIGHT_AND_GRADIENT_BYTES = 4.0  # 16 bits each
STATE_BYTES: Mapping[str, float] = {
    "adamw": 12.0,  # 32-bit master copy and two moments
    "adamw_8bit": 6.0,  # master copy, moments of one byte each
    "adafactor": 4.0,  # master copy; factored moments are negligible
    "muon": 8.0,  # master copy and one momentum
    "sgd": 8.0,
    "other": 12.0,
}
"""Bytes a trained parameter beside its weight and gradient, in mixed precision.

Source: S. Rajbhandari et al., "ZeRO", arXiv:1910.02054, section 3.1 (2 + 2 + 12 bytes);
T. Dettmers et al., arXiv:2110.02861; N. Shazeer and M. Stern, arXiv:1804.04235.
"""
ADAPTER_FRACTION = 0.005  # of the weights, where an adapter's size is not given
RESERVE_FRACTION = 0.06
RESERVE_BYTES = 1.5e9  # context, libraries and communication buffers
_SMALL_MEMORY_BYTES = 8e9
RECOMPUTES = ("none", "selective", "full")


def bytes_per_parameter(optimizer: str = "adamw", *, precision: str = "bf16") -> float:
    """Bytes a fully trained parameter keeps: weight, gradient, master copy, moments.

    Sixteen with mixed-precision Adam. Training in 32 bits needs no separate master copy and
    8-bit formats keep 16-bit weights to cast from.

    Source: S. Rajbhandari et al., "ZeRO", arXiv:1910.02054, section 3.1.
    """
    state = STATE_BYTES.get(optimizer, STATE_BYTES["other"])
    if precision in ("fp32", "tf32"):
        return 8.0 + state - 4.0
    return WEIGHT_AND_GRADIENT_BYTES + state


def frozen_bytes_per_parameter(precision: str, *, quantised: bool) -> float:
    """Bytes of a weight that adapters leave as it is; four bits and a scale where quantised.

    Source: T. Dettmers et al., "QLoRA", arXiv:2305.14314, section 3.
    """
    return BYTES_PER_WEIGHT["int4"] if quantised else min(BYTES_PER_WEIGHT[precision], 2.0)


def activation_bytes_per_token(*, hidden: Floats, ffn: Floats, recompute: str) -> Floats:
    """Bytes one layer keeps of one token until its backward pass, attention scores not kept.

    34 hidden sizes with a feed-forward four times as wide, two where all is recomputed.

    Source: V. Korthikanti et al., arXiv:2205.05198, section 4.1, without the score matrices,
    which fused attention never stores.
    """
    if recompute == "full":
        return 2.0 * hidden
    everything = 18.0 * hidden + 4.0 * ffn
    return everything * (0.6 if recompute == "selective" else 1.0)


def reserve_bytes(memory_bytes: Floats) -> Floats:
    """What the runtime keeps for itself of an accelerator's memory."""
    small = memory_bytes < _SMALL_MEMORY_BYTES
    return np.asarray(RESERVE_FRACTION * memory_bytes + np.where(small, 0.0, RESERVE_BYTES))


def memory_refusal(
    *, params: float, per_parameter_bytes: float, accelerators: int, memory_bytes: float
) -> str:
    """Why states alone do not fit, as arithmetic; empty where they do.

    Source: arithmetic.
    """
    needed, there = params * per_parameter_bytes, accelerators * memory_bytes
    if needed <= there:
        return ""
    return (
        f"{params / GIGA:,.3g} billion parameters x {per_parameter_bytes:.3g} bytes = "
        f"{needed / GIGA:,.0f} GB = {needed / GIB:,.0f} GiB, but {accelerators} x "
        f"{memory_bytes / GIB:,.0f} GiB = {there / GIB:,.0f} GiB"
    )
