"""Physical parameters of models without tokens: defaults by kind, and their priors' widths."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

KINDS = ("vision", "encoder", "embedding", "diffusion", "speech", "recsys", "graph")
DEFAULTS: Mapping[str, float] = MappingProxyType(
    {
        # Share of the peak at a full batch.
        "matmul_vision": 0.50,
        "matmul_encoder": 0.50,
        "matmul_diffusion": 0.40,
        "matmul_speech": 0.30,
        "matmul_recsys": 0.40,
        "matmul_graph": 0.30,
        # FLOPs for each byte moved, where a model's own traffic is not published.
        "reuse_vision": 200.0,
        "reuse_encoder": 300.0,
        "reuse_diffusion": 400.0,
        "reuse_speech": 60.0,
        "reuse_recsys": 200.0,
        "graph_bytes": 1e7,  # gathered for one node, where a model's traffic is not published
        "on_chip": 60e6,  # bytes of on-chip memory that halve a model's activation traffic
        "cold": 0.05,  # of looked-up rows, not among the often used ones that each part copies
        "bandwidth": 0.70,
        "gather": 0.40,  # of the bandwidth, reading short rows of tables and graphs
        "flops_per_joule": 1.8e12,  # 8-bit operations a 2022 part makes of its power limit
        "special": 2.0,  # times that for parts that are no GPU
        "per_year": 1.15,  # and how that grows with the year of a part
        "batch_s": 5e-4,  # kernels and copies of one pass
        "server": 0.90,  # of the offline rate, under a latency limit many passes long
        "shard": 0.50,  # of the links, exchanging looked-up rows
    }
)
"""Source: MLPerf Inference results v2.0 to v6.0, which reach a third to a half of the peak on
ResNet-50 and BERT and 85 to 99 % of the offline rate in the server scenario."""
WIDTHS: Mapping[str, float] = MappingProxyType(
    {
        "per_year": 0.08,
        "server": 0.10,
        "batch_s": 0.7,
        "special": 0.5,
        "graph_bytes": 1.5,
        "on_chip": 0.7,
        "cold": 0.7,
    }
)
_USUAL_WIDTH = 0.35


def samples_parameters(document: Mapping[str, Any]) -> dict[str, float]:
    """The parameters of a calibration's samples section, defaults where it says nothing."""
    fitted = document.get("parameters", {})
    return {name: float(fitted.get(name, value)) for name, value in DEFAULTS.items()}


def samples_widths() -> list[float]:
    """Standard deviations of the parameters' logarithms, in the order of DEFAULTS."""
    return [WIDTHS.get(name, _USUAL_WIDTH) for name in DEFAULTS]


def kind_parameter(name: str, kind: str) -> str:
    """The parameter that applies to a kind of model; embeddings are encoders, the rest vision."""
    known = "encoder" if kind in ("embedding", "dense_llm", "moe_llm") else kind
    return f"{name}_{known}" if f"{name}_{known}" in DEFAULTS else f"{name}_vision"
