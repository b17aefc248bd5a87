"""What the simulator teaches the closed form: first tokens of the same set-ups by both."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from advisor.engine.calibration import Calibration
from advisor.engine.cases import ENGINES
from advisor.engine.latency.closed_form import Z_OF_PERCENTILE, first_token_s
from advisor.engine.latency.load import SHARES
from advisor.engine.latency.model_steps import steps_of_cases
from advisor.engine.latency.outcome import percentile
from advisor.engine.latency.served import Served
from advisor.engine.latency.setups import Setup, outcome_of
from advisor.engine.search.candidates import Layout, serving_cases
from advisor.engine.search.size_serving import operating_point, station_of
from advisor.engine.serving.performance import serving_point
from advisor.engine.workload import ServingDemand, Slo
from catalog.specs import PRECISIONS, AcceleratorSpec, ModelSpec

LOADS = (0.15, 0.3, 0.5, 0.65, 0.8, 0.9)
"""Shares of the capacity at which set-ups are simulated."""
LAYOUTS = (
    ("llama3.1-8b", "nvidia-h100-sxm", "fp8", 1),
    ("llama3.1-70b", "nvidia-h100-sxm", "fp8", 2),
    ("llama3.1-70b", "nvidia-h100-sxm", "fp8", 8),
    ("llama3.1-70b", "nvidia-b200-sxm", "fp8", 1),
    ("deepseek-r1", "nvidia-b200-sxm", "fp8", 8),
)
LENGTHS = ((512.0, 256.0), (2000.0, 64.0), (8000.0, 500.0), (1024.0, 1024.0), (300.0, 100.0))
CVS = (1.0, 1.5, 3.0)
"""Burstinesses of the arrivals of set-ups."""
_P95_OF_MEAN, _REPLICAS, _PLACES = (1.0, 2.0, 3.0), (1, 2, 4, 8), (8, 32, 96, 256)
_MOST_REQUESTS = 12_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """One set-up: its load and simulated over closed-form first token, by percentile."""

    load: float
    cv: float  # of the gaps between arrivals
    ratio: dict[str, float]


def lessons(
    parts: Sequence[AcceleratorSpec],
    models: Sequence[ModelSpec],
    calibration: Calibration,
    *,
    count: int,
    seed: int = 0,
    corrected: bool = False,
) -> list[Lesson]:
    """Random set-ups of LAYOUTS, LENGTHS and spreads, simulated and computed.

    The first few of many are the few of a smaller count. Set-ups that memory cannot hold are
    left out.

    Source: advisor.engine.latency.simulator and first_token_s on the same numbers.
    """
    random = np.random.default_rng(seed)
    found = []
    for number in range(count):
        drawn = {
            "lengths": LENGTHS[random.integers(len(LENGTHS))],
            "spread": float(random.choice(_P95_OF_MEAN)),
            "cv": float(random.choice(CVS)),
            "replicas": int(random.choice(_REPLICAS)),
            "places": float(random.choice(_PLACES)),
            "load": float(random.choice(LOADS)),
        }
        layout = LAYOUTS[number % len(LAYOUTS)]
        lesson = _lesson(layout, drawn, parts, models, calibration, corrected=corrected)
        if lesson is not None:
            found.append(lesson)
    return found


def _lesson(
    chosen: tuple[str, str, str, int],
    drawn: dict[str, Any],
    parts: Sequence[AcceleratorSpec],
    models: Sequence[ModelSpec],
    calibration: Calibration,
    *,
    corrected: bool,
) -> Lesson | None:
    slug, chip, precision, tensor = chosen
    model = next(each for each in models if each.slug == slug)
    demand = _demand(model, drawn)
    layout = Layout(
        accelerator=next(i for i, part in enumerate(parts) if part.slug == chip),
        precision=PRECISIONS.index(precision),
        engine=ENGINES.index("vllm"),
        tensor=tensor,
        pipeline=1,
        expert=1,
        attention_data=1,
    )
    cases = serving_cases(
        [layout],
        parts,
        model,
        concurrencies=np.array([drawn["places"]]),
        input_tokens=demand.input_tokens,
        output_tokens=demand.output_tokens,
        kv_precision="same_as_weights",
        software_month=np.nan,
        assumed=0,
    )
    limit = serving_point(cases, calibration)
    if not limit.fits[0] or limit.max_concurrency[0] < drawn["places"]:
        return None
    rate = drawn["load"] * drawn["replicas"] * float(limit.requests_per_s.value[0])
    demand = replace(demand, requests_per_s_peak=rate)
    busy = operating_point(cases, limit, np.array([drawn["load"]]), calibration)
    station = station_of(busy, limit, demand, replicas=np.array([float(drawn["replicas"])]))
    served = Served(
        steps=steps_of_cases(cases, calibration, batch_limit=drawn["places"])[0],
        batch_limit=int(drawn["places"]),
        replicas=drawn["replicas"],
        demand=demand,
    )
    done = outcome_of(Setup(served=served, most_requests=_MOST_REQUESTS))
    return Lesson(
        load=drawn["load"],
        cv=drawn["cv"],
        ratio={
            name: percentile(done.ttft_s, SHARES[name])
            / float(first_token_s(station, z=z, corrected=corrected)[0])
            for name, z in Z_OF_PERCENTILE.items()
        },
    )


def _demand(model: ModelSpec, drawn: dict[str, Any]) -> ServingDemand:
    prompt, output = drawn["lengths"]
    return ServingDemand(
        model=model, unit="request", requests_per_s_mean=1.0, requests_per_s_peak=1.0,
        input_tokens=prompt, output_tokens=output,
        input_tokens_p95=prompt * drawn["spread"], output_tokens_p95=output * drawn["spread"],
        prefix_cached_fraction=0.0, max_context_tokens=16.0 * (prompt + output),
        samples_per_request=1.0, active_hours_per_month=730.0, requests_per_month=1.0,
        burstiness_cv=drawn["cv"], growth_per_month=0.0, growth_stops_month=0, slo=Slo(),
        is_batch=False, batch_window_s=None, scale_to_zero=False, cold_start_limit_s=None,
        availability=0.99, redundancy="none", headroom_fraction=0.0, precision="fp8",
        kv_precision="same_as_weights",
    )  # fmt: skip


def taught(found: Sequence[Lesson]) -> dict[str, Any]:
    """Corrections as the fixture holds them: medians, never falling with load or burstiness."""
    factors = {}
    for name in Z_OF_PERCENTILE:
        medians = np.array([
            [_median(found, name, cv=cv, load=load) for load in LOADS] for cv in CVS
        ])  # fmt: skip
        rising = np.maximum.accumulate(np.maximum.accumulate(medians, axis=1), axis=0)
        factors[name] = rising.round(3).tolist()
    return {
        "what": "simulated over closed-form time to first token, median by burstiness and load",
        "made": "manage.py calibrate --waiting",
        "setups": len(found),
        "loads": list(LOADS),
        "cvs": list(CVS),
        "factors": factors,
    }


def _median(found: Sequence[Lesson], name: str, *, cv: float, load: float) -> float:
    """Median ratio of a cell; 1, no correction, where no set-up fell into it."""
    ratios = [each.ratio[name] for each in found if each.cv == cv and each.load == load]
    return float(np.median(ratios)) if ratios else 1.0
