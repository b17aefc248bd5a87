"""What each serving parameter may depend on, and how far: widths of the normal priors."""

from collections.abc import Mapping

_REST: Mapping[str, float] = {
    "": 0.14,
    "use": 0.06,
    "vendor": 0.04,
    "generation": 0.08,
    "engine": 0.02,
    "port": 0.06,
    "port_era": 0.10,
    "kernels_era": 0.10,
    "rig": 0.04,
    "kind": 0.04,
    "attention": 0.04,
    "kernels": 0.06,
    "model": 0.07,
    "build": 0.08,
    "tuning": 0.04,
    "units": 0.07,
    "formats": 0.04,
    "weights": 0.04,
    "pair": 0.03,
    "station": 0.06,
    "year": 0.07,
    "youth": 0.14,
}
"""What a step or a prefill takes beyond the physical terms: who built, ported and tuned what."""
_BASE = 0.14


def _by_software(engine: float, **more: float) -> Mapping[str, float]:
    return {"": _BASE, "engine": engine, "use": 0.7 * engine, "port": 0.5 * engine, **more}


WIDTHS: Mapping[str, Mapping[str, float]] = {
    "matmul": _by_software(0.07),
    "bandwidth": _by_software(0.07),
    "attention": {"": _BASE},
    "cache": {"": _BASE},
    "experts": _by_software(0.07),
    "link": _by_software(0.07),
    "layer_s": _by_software(
        0.14, kind=0.14, attention=0.14, kernels=0.10, build=0.11, pair=0.07, year=0.07
    ),
    "step_s": _by_software(0.14),
    "sequence_s": _by_software(0.28),
    "hop_s": {"": _BASE},
    "thin": {"": _BASE},
    "expert_rows": {"": _BASE},
    "traffic": {"": _BASE},
    "permute": {"": _BASE},
    "spread": {"": _BASE},
    "eager_s": _by_software(0.14, kind=0.14, attention=0.14),
    "overlap": {"": _BASE},
    "skew": {"": _BASE},
    "mix": {"": _BASE},
    "request_s": _by_software(0.40, build=0.30, pair=0.20, station=0.30, lengths=0.30),
    "wait": _by_software(0.40, build=0.30, pair=0.20, station=0.30, lengths=0.30),
    "crowd": _by_software(0.30, lengths=0.30),
    "first_steps": _by_software(0.50, lengths=0.30),
    "admit_s": _by_software(0.40, lengths=0.30),
    "cold_s": {
        "": 1.0,
        "vendor": 0.7,
        "engine": 0.7,
        "port": 0.7,
        "use": 0.7,
        "station": 0.7,
        "rig": 0.4,
    },
    "ingest_s": _by_software(0.30),
    "gain": {"": 1.0, "engine": 0.2},
    "batch_cap": {"": _BASE, "engine": 0.07},
    "decode": _REST,
    "prefill": {level: 1.3 * width for level, width in _REST.items()}
    | {"port_era": 0.05, "kernels_era": 0.05},
    "prompt": {"task": 0.50},
    "median": {"": 0.5, "engine": 0.4, "use": 0.4, "vendor": 0.3, "station": 0.4},
    "tail_tpot": {"": 1.0, "engine": 0.2, "use": 0.5},
    "tail_ttft": {"": 1.0, "engine": 0.4, "use": 0.8, "vendor": 0.3},
}
"""Logarithmic (or logit) standard deviations of a parameter's offsets, by level.

The empty level is the parameter's base, shared by all rows. Widths are a judgement of how far
builds, parts and models differ; within a factor of two the errors out of group hardly change.
"""
