"""From a plan back to the replica it consists of, for the simulator."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from advisor.engine.calibration import Calibration
from advisor.engine.cases import ENGINES
from advisor.engine.errors import EngineRefusal
from advisor.engine.latency.model_steps import steps_of_cases
from advisor.engine.latency.served import Served
from advisor.engine.plan import Plan
from advisor.engine.search.candidates import Layout, serving_cases
from advisor.engine.workload import ServingDemand, Workload
from catalog.specs import PRECISIONS, AcceleratorSpec


class NotSimulated(EngineRefusal):
    """The plan is nothing that the simulator of language-model serving can run."""


def served_by(
    plan: Plan,
    workload: Workload,
    *,
    parts: Sequence[AcceleratorSpec],
    calibration: Calibration,
    software_month: float,
) -> Served:
    """The replica, the number of replicas and the traffic of a serving plan.

    Raises NotSimulated for training, batches, models without tokens and hosted APIs.

    Source: the plan's own layout, through the performance model that ranked it.
    """
    demand = _simulated(plan, workload)
    pools = plan.extra.get("pools")
    if not isinstance(pools, list):
        return _replica(plan.as_dict(), demand, parts, calibration, software_month, role="")
    first, second = (
        _replica(pool, demand, parts, calibration, software_month, role=str(pool["role"]))
        for pool in pools
    )
    moved = plan.extra["hand_over"]
    seconds = float(moved["s"]) if isinstance(moved, dict) else 0.0
    return replace(second, prefill=first, hand_over_s=seconds)


def _replica(
    plan: Mapping[str, Any],
    demand: ServingDemand,
    parts: Sequence[AcceleratorSpec],
    calibration: Calibration,
    software_month: float,
    *,
    role: str,
) -> Served:
    """One replica of a plan or of one of its pools, and how many there are."""
    index = next(i for i, part in enumerate(parts) if part.slug == plan["accelerator_slug"])
    shape = plan["parallelism"]
    layout = Layout(
        accelerator=index,
        precision=PRECISIONS.index(plan["precision"]),
        engine=ENGINES.index(plan["engine"]),
        tensor=shape["tensor"],
        pipeline=shape["pipeline"],
        expert=shape["expert"],
        attention_data=shape["attention_data"],
    )
    cases = serving_cases(
        [layout],
        parts,
        demand.model,
        concurrencies=np.ones(1),
        input_tokens=max(demand.input_tokens * (1.0 - demand.prefix_cached_fraction), 1.0),
        output_tokens=1.0 if role == "prefill" else max(demand.output_tokens, 1.0),
        kv_precision=demand.kv_precision,
        software_month=software_month,
        assumed=0,
    )
    cases = replace(cases, disaggregated=np.array([role != ""]))
    limit = plan.get("batch_limit")
    steps = steps_of_cases(cases, calibration)[0]
    batch = int(limit) if isinstance(limit, float) and role != "prefill" else steps.max_batch
    return Served(
        steps=steps,
        batch_limit=min(max(batch, 1), steps.max_batch),
        replicas=shape["replicas"],
        demand=demand,
    )


def _simulated(plan: Plan, workload: Workload) -> ServingDemand:
    demand = workload.serving
    if demand is None:
        message = "Training has no requests: its time is on the answer page."
        raise NotSimulated(message)
    if demand.is_batch:
        message = "A batch has no arrivals: it is through when its window ends."
        raise NotSimulated(message)
    if not plan.accelerator_slug or not plan.parallelism:
        message = "A hosted API publishes no step times: measure its latency before you commit."
        raise NotSimulated(message)
    if demand.output_tokens <= 0.0 or plan.engine not in ENGINES:
        message = (
            "Models that make no tokens have no steps to simulate: their latency is closed form."
        )
        raise NotSimulated(message)
    return demand
