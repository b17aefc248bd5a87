"""What the bench command times: each function returns plain figures of one capability."""

import time
import tracemalloc
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from advisor.engine.calibration import shipped_calibration
from advisor.engine.search.candidates import serving_cases, serving_layouts
from advisor.engine.serving.footprint import serving_footprint
from advisor.engine.serving.performance import serving_point
from advisor.questions import PRESETS
from advisor.services.advice import advise
from advisor.services.estimates import estimate
from catalog.queries import serving_measurements, snapshot
from catalog.services import import_prices
from catalog.services.prices import PriceFile
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
        precisions=dict.fromkeys(range(len(parts)), ("bf16", "fp8", "fp4")),
        engines=dict.fromkeys(range(len(parts)), ("vllm", "sglang")),
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


def candidates_per_s(rows: int) -> float:
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


def estimates_per_s(rows: int) -> float:
    """Explicit configurations estimated a second: the measured ones, over and over."""
    measured = serving_measurements()
    cases = [
        {
            "accelerator": row.accelerator_slug,
            "accelerator_count": str(row.accelerator_count or ""),
            "precision": row.precision,
            "engine": row.engine,
            "model": row.model,
            "scenario": row.scenario,
            "input_tokens": str(row.input_tokens or ""),
            "output_tokens": str(row.output_tokens or ""),
            "concurrency": str(row.concurrency or ""),
        }
        for row in (measured[number % len(measured)] for number in range(rows))
    ]
    estimate(cases[:100], kind="inference")
    return rows / seconds_of(lambda: estimate(cases, kind="inference"))


def import_rows_per_s(rows: int) -> float:
    """Rows of a price feed read, checked and stored a second; taken back at the end."""
    lines = ["InstanceType,AcceleratorName,AcceleratorCount,Region,Price,SpotPrice"]
    lines += [f"x{i},H100,8,us-east-{i % 4},{50 + i % 9}," for i in range(rows)]
    feed = PriceFile(name="aws/vms.csv", content="\n".join(lines) + "\n")
    return rows / seconds_of(lambda: import_prices([feed], form="skypilot", dry_run=True))
