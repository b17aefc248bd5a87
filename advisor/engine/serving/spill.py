"""Weights that spill into host memory: what every token then waits for."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from advisor.engine.cases import Bools, Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Spilled:
    """A model part of whose weights lie in host memory; columns over the cases."""

    spilled_bytes: Floats
    tokens_per_s: Floats  # of one request, at most
    times_slower: Floats  # than with all weights in the accelerators' memory
    host_holds: Bools  # the hosts' memory takes what spills


def spilled_decode(
    *,
    needed_bytes: ArrayLike,
    held_bytes: ArrayLike,
    active_share: ArrayLike,
    chips: ArrayLike,
    bandwidth_bytes_per_s: ArrayLike,
    host_link_bytes_per_s: ArrayLike,
    host_bytes: ArrayLike,
) -> Spilled:
    """Speed of one request when what does not fit streams over the host links at every token.

    Needed and held bytes are those of all chips together, rates those of one. A token reads
    the active share of all weights: what is held at the memory's bandwidth, the rest over the
    links of all chips at once; both at datasheet rates, so the speed is the most there can be.
    Nothing spills where all of it is held.

    Source: Y. Sheng et al., "FlexGen", ICML 2023, arXiv:2303.06865, section 4 (weights loaded
    over the link bound each layer); R. Pope et al., MLSys 2023, section 2 (weights read once
    a token).
    """
    needed = np.asarray(needed_bytes, dtype=np.float64)
    held = np.minimum(np.asarray(held_bytes, dtype=np.float64), needed)
    spilled = needed - held
    chip = np.asarray(chips, dtype=np.float64)
    near_s = np.asarray(active_share) * needed / (chip * np.asarray(bandwidth_bytes_per_s))
    held_s = near_s * held / needed
    link_s = np.asarray(active_share) * spilled / (chip * np.asarray(host_link_bytes_per_s))
    return Spilled(
        spilled_bytes=spilled,
        tokens_per_s=1.0 / (held_s + link_s),
        times_slower=(held_s + link_s) / near_s,
        host_holds=np.asarray(spilled <= np.asarray(host_bytes)),
    )
