"""Bytes over links: rings, meshes and what lies outside the fast domain."""

import numpy as np
import pytest

from advisor.engine.collectives import all_reduce_s, all_to_all_s, link_bytes_per_s


def link(ranks: float, *, domain: float = 8.0, mesh: float = 1.0) -> float:
    return float(
        link_bytes_per_s(
            np.array([ranks]),
            fabric_bytes_per_s=np.array([448e9]),
            fabric_domain=np.array([domain]),
            mesh_peers=np.array([mesh]),
            host_link_bytes_per_s=np.array([63e9]),
        )[0]
    )


def test_one_rank_exchanges_nothing() -> None:
    one = np.array([1.0])
    moved, latency = all_reduce_s(np.array([1e6]), one, link_bytes_per_s=one, hop_s=one)
    assert moved[0] + latency[0] == 0.0


def test_a_ring_of_eight_moves_seven_quarters_of_the_message() -> None:
    moved, _ = all_reduce_s(
        np.array([8e9]),
        np.array([8.0]),
        link_bytes_per_s=np.array([1e9]),
        hop_s=np.array([0.0]),
    )
    assert moved[0] == pytest.approx(2 * 7 / 8 * 8)


def test_an_all_to_all_moves_half_of_what_an_all_reduce_does() -> None:
    arguments = {"link_bytes_per_s": np.array([1e9]), "hop_s": np.array([1e-6])}
    reduced, _ = all_reduce_s(np.array([1e9]), np.array([8.0]), **arguments)
    exchanged, _ = all_to_all_s(np.array([1e9]), np.array([8.0]), **arguments)
    assert exchanged[0] == pytest.approx(reduced[0] / 2)


def test_a_pair_in_a_full_mesh_of_eight_has_one_seventh_of_the_links() -> None:
    # Infinity Fabric of MI300X: 448 GB/s to all peers, 64 GB/s to one (stas00/ml-engineering)
    assert link(2.0, mesh=7.0) == pytest.approx(64e9)


def test_all_eight_of_a_mesh_have_all_links() -> None:
    assert link(8.0, mesh=7.0) == pytest.approx(448e9)


def test_a_group_beyond_a_bridge_is_as_slow_as_the_host_link() -> None:
    assert link(4.0, domain=2.0) == pytest.approx(63e9)


def test_a_group_beyond_a_node_is_as_slow_as_the_network() -> None:
    assert link(16.0) == pytest.approx(50e9)
