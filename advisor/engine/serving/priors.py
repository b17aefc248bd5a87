"""What each serving parameter may depend on, and how far: widths of the normal priors."""

from collections.abc import Mapping

_REST: Mapping[str, float] = {
    "": 0.20,
    "use": 0.08,
    "vendor": 0.12,
    "generation": 0.12,
    "part": 0.08,
    "engine": 0.10,
    "port": 0.08,
    "rig": 0.05,
    "kind": 0.06,
    "attention": 0.06,
    "kernels": 0.08,
    "model": 0.10,
    "build": 0.12,
    "tuning": 0.06,
    "units": 0.10,
    "formats": 0.06,
    "weights": 0.06,
    "pair": 0.14,
    "station": 0.08,
    "year": 0.10,
    "youth": 0.20,
}
"""What a step or a prefill takes beyond the physical terms: who built, ported and tuned what."""
_BASE = 0.20


def _by_software(engine: float, **more: float) -> Mapping[str, float]:
    return {"": _BASE, "engine": engine, "use": 0.7 * engine, "port": 0.5 * engine, **more}


WIDTHS: Mapping[str, Mapping[str, float]] = {
    "matmul": _by_software(0.10, power=0.30),
    "bandwidth": _by_software(0.10),
    "attention": {"": _BASE},
    "cache": {"": _BASE},
    "experts": _by_software(0.10, power=0.30),
    "link": _by_software(0.10),
    "layer_s": _by_software(0.20, build=0.15, pair=0.10, year=0.10),
    "step_s": _by_software(0.20),
    "hop_s": {"": _BASE},
    "thin": {"": _BASE},
    "expert_rows": {"": _BASE},
    "traffic": {"": _BASE},
    "permute": {"": _BASE},
    "spread": {"": _BASE},
    "eager_s": _by_software(0.20),
    "overlap": {"": _BASE},
    "skew": {"": _BASE},
    "mix": {"": _BASE},
    "request_s": _by_software(0.40, build=0.30, pair=0.20, station=0.30, lengths=0.30),
    "wait": _by_software(0.40, build=0.30, pair=0.20, station=0.30, lengths=0.30),
    "crowd": _by_software(0.30, lengths=0.30),
    "first_steps": _by_software(0.50, lengths=0.30),
    "admit_s": _by_software(0.40, lengths=0.30),
    "ingest_s": _by_software(0.30),
    "gain": {"": 1.0, "engine": 0.2},
    "batch_cap": {"": _BASE, "engine": 0.10},
    "decode": _REST,
    "prefill": {level: 1.3 * width for level, width in _REST.items()},
    "prompt": {"task": 0.50},
    "median": {"": 0.5, "engine": 0.3, "use": 0.3, "vendor": 0.2, "station": 0.3},
    "tail_tpot": {"": 1.0, "engine": 0.2, "use": 0.5},
    "tail_ttft": {"": 1.0, "engine": 0.3, "use": 0.6, "vendor": 0.2},
}
"""Logarithmic (or logit) standard deviations of a parameter's offsets, by level.

The empty level is the parameter's base, shared by all rows. Widths are a judgement of how far
builds, parts and models differ; within a factor of two the errors out of group hardly change.
"""
