"""What the bench command times: each function returns plain figures of one capability."""

import time
import tracemalloc
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from advisor.engine.calibration import shipped_calibration
from advisor.engine.candidates import serving_cases, serving_layouts
from advisor.engine.footprint import serving_footprint
from advisor.engine.serving import serving_point
from advisor.questions import PRESETS
from advisor.services.advice import advise
from catalog.queries import snapshot
from catalog.specs import BYTES_PER_WEIGHT
from catalog.units import MEGA

_MODEL = "llama3.1-70b"
_REPEATS = 3


def seconds_of(work: Callable[[], Any]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def candidate_work(rows: int) -> Callable[[], Any]:
    """Footprint and performance of about so many serving candidates over the whole catalogue."""
    state = snapshot()
    model = next(model for model in state.models if model.slug == _MODEL)
    parts = state.accelerators
    layouts = serving_layouts(
        parts,
        model,
        precisions={index: ("bf16", "fp8", "fp4") for index in range(len(parts))},
        engines={index: ("vllm", "sglang") for index in range(len(parts))},
        bytes_per_weight=BYTES_PER_WEIGHT,
    )
    steps = max(rows // len(layouts), 1)
    cases = serving_cases(
        layouts[: max(rows // steps, 1)],
        parts,
        model,
        concurrencies=np.geomspace(1.0, 4096.0, steps),
        input_tokens=1024.0,
        output_tokens=512.0,
        kv_precision="same_as_weights",
        software_month=82.0,
        assumed=0,
    )
    calibration = shipped_calibration()

    def work() -> None:
        serving_footprint(cases)
        serving_point(cases, calibration)

    return work


def candidates_per_s(rows: int = int(MEGA)) -> float:
    """Candidates a second through footprint and performance, best of three."""
    work = candidate_work(rows)
    work()
    return rows / min(seconds_of(work) for _ in range(_REPEATS))


def candidates_growth(sizes: Sequence[int]) -> list[list[float]]:
    """[size, seconds, peak MB] of the same work at rising sizes."""
    rows = []
    for size in sizes:
        work = candidate_work(size)
        taken_s = seconds_of(work)
        tracemalloc.start()
        work()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        rows.append([float(size), taken_s, peak / MEGA])
    return rows


def answer_seconds() -> dict[str, float]:
    """Seconds from answers to document by preset, warm: the second call of each."""
    found = {}
    for preset in PRESETS:
        advise({"preset": preset})
        found[preset] = seconds_of(lambda preset=preset: advise({"preset": preset}))  # type: ignore[misc]
    return found
