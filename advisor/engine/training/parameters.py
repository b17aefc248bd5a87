"""Physical parameters of training: planning defaults, and what a calibration says instead."""

from collections.abc import Mapping
from types import MappingProxyType

DEFAULTS: Mapping[str, float] = MappingProxyType(
    {
        "matmul": 0.72,  # of the peak, large 16-bit matrices
        "matmul_fp8": 0.62,  # of the 8-bit peak: scaling and casts cost extra
        "matmul_fp4": 0.50,
        "attention": 0.40,  # of the 16-bit peak, forward and backward together
        "attention_compiled": 1.3,  # times that where a whole-graph compiler lays it out
        "attention_sharded": 0.8,  # times that in software that shards by layer
        "expert_width": 1024.0,  # feed-forward width of an expert at which half its rate is lost
        "expert_width_sharded": 0.5,  # times that in software that shards by layer
        "expert_skew": 0.1,  # standard deviation of experts' loads, of the mean load
        "flops_per_joule": 2.0e12,  # 16-bit operations a 2022 part makes of its power limit
        "per_year": 1.15,  # and how that grows with the year of a part
        "width": 1024.0,  # hidden size at which half the matrix rate is lost
        "traffic": 60.0,  # bytes moved a token, layer and unit of width beside the matrices
        "bandwidth": 0.75,  # of the memory bandwidth
        "link": 0.70,  # of the scale-up links
        "in_switch": 1.2,  # times that where the switch itself adds up what tensors exchange
        "scale_out": 0.70,  # of the network cards
        "overlap": 0.50,  # of the compute time that may hide weight and gradient traffic
        "exposed": 0.15,  # of the traffic, never hidden
        "dispatch_overlap": 0.50,  # of what that leaves, for what experts exchange
        "layer_s": 300e-6,  # kernels and waits of one layer and microbatch, forward and backward
        "step_s": 5e-3,  # data, logging, clipping, one optimizer step
        "straggle": 0.015,  # time lost for each doubling of the accelerators beyond a node
        "selective": 0.06,  # extra forward work of recomputing only what is cheap
    }
)
"""Source: stas00/ml-engineering MAMF and network tables (matrices 0.5 to 0.97 of the peak, links
0.7 to 0.83); NVIDIA/Megatron-LM README (loss at scale 47 to 42 % from 96 to 4,608 GPUs);
V. Korthikanti et al., arXiv:2205.05198 (selective recomputation costs 2 to 4 %);
L. Wang et al., arXiv:2408.15664 (the busiest of 64 experts has 0.04 to 0.72 above the mean
load); NVIDIA/nccl issue 1455 (in-switch sums: 8 H100 from 370 to 480 GB/s)."""


WIDTHS: Mapping[str, float] = MappingProxyType(
    {
        "layer_s": 0.7,
        "step_s": 0.7,
        "straggle": 0.5,
        "exposed": 0.5,
        "dispatch_overlap": 0.5,
        "expert_width": 0.4,
        "expert_width_sharded": 0.7,
        "scale_out": 0.3,
        "expert_skew": 0.5,
        "flops_per_joule": 0.35,
        "per_year": 0.08,
        "in_switch": 0.1,
        "overlap": 0.3,
        "traffic": 0.3,
    }
)
"""How far a fit may move a parameter: standard deviation of its logarithm, 0.2 where unnamed."""
_USUAL_WIDTH = 0.2


def training_widths() -> list[float]:
    """Widths in the order of DEFAULTS."""
    return [WIDTHS.get(name, _USUAL_WIDTH) for name in DEFAULTS]


def training_parameters(document: Mapping[str, object]) -> dict[str, float]:
    """The parameters of a calibration's training section, defaults where it says nothing."""
    fitted = document.get("parameters", {})
    known = fitted if isinstance(fitted, Mapping) else {}
    return {name: float(known.get(name, value)) for name, value in DEFAULTS.items()}
