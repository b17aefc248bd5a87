"""Time of collectives inside a replica: bytes over the slowest link, and a latency a hop."""

import numpy as np

from advisor.engine.cases import Floats

_SMALLEST_FABRIC = 4.0  # a bridge joins two or three; a fabric at least four
SCALE_OUT_BYTES_PER_S = 50e9  # 400 Gb/s an accelerator, one direction: the H100-class norm


def link_bytes_per_s(
    ranks: Floats,
    *,
    fabric_bytes_per_s: Floats,
    fabric_domain: Floats,
    mesh_peers: Floats,
    host_link_bytes_per_s: Floats,
) -> Floats:
    """One direction, as a group of ranks can use a part's links.

    Inside the fast domain a switched or torus fabric gives a group all of a part's links; in
    a full mesh of pairs each peer owns one share, so small groups are slow. Groups larger
    than the domain are joined by the host link or the network card, whichever is slower.

    Source: stas00/ml-engineering, network/README.md (Infinity Fabric: 448 GB/s to all peers,
    64 GB/s to one; NVLink by switch).
    """
    share = np.where(mesh_peers > 1.0, np.minimum(1.0, (ranks - 1.0) / mesh_peers), 1.0)
    inside = fabric_bytes_per_s * np.maximum(share, 1e-3)
    # A two-part bridge beside PCIe, or a node beside the network: the slow hop sets the pace.
    wide = np.where(
        fabric_domain >= _SMALLEST_FABRIC,
        np.minimum(SCALE_OUT_BYTES_PER_S, host_link_bytes_per_s),
        host_link_bytes_per_s,
    )
    return np.where(ranks <= fabric_domain, inside, np.minimum(wide, inside))


def all_reduce_s(
    message_bytes: Floats, ranks: Floats, *, link_bytes_per_s: Floats, hop_s: Floats
) -> tuple[Floats, Floats]:
    """Transfer time and latency of one all-reduce; both zero for a single rank.

    A ring moves 2 (n - 1) / n of the message through each rank; latency grows with the
    logarithm of the ranks, as trees and switches give for short messages.

    Source: P. Patarasuk and X. Yuan, "Bandwidth optimal all-reduce algorithms for clusters of
    workstations", J. Parallel Distrib. Comput. 69 (2009), section 3.
    """
    transfer = 2.0 * (ranks - 1.0) / ranks * message_bytes / link_bytes_per_s
    return transfer, hop_s * np.log2(ranks)


def all_to_all_s(
    message_bytes: Floats, ranks: Floats, *, link_bytes_per_s: Floats, hop_s: Floats
) -> tuple[Floats, Floats]:
    """Transfer time and latency of one all-to-all of a rank's own message to all ranks.

    Source: (n - 1) / n of the message leaves each rank; R. Thakur et al., "Optimization of
    Collective Communication Operations in MPICH", IJHPCA 19 (2005), section 4.4.
    """
    return (ranks - 1.0) / ranks * message_bytes / link_bytes_per_s, hop_s * np.log2(ranks)
