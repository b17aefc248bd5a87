"""Latency under load of a plan of an answered run: simulations as jobs, kept by what was asked."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any
from uuid import UUID

import numpy as np
from django.contrib.auth.models import User

from advisor.engine.choice.replicas import served_by
from advisor.engine.errors import EngineRefusal
from advisor.engine.latency.document import batch_document, poisson_document, table_document
from advisor.engine.latency.fewest import fewest_replicas
from advisor.engine.latency.kept import trace_of_log
from advisor.engine.latency.load import batch_table, load_table
from advisor.engine.latency.poisson import under_poisson
from advisor.engine.latency.pool import ROUTERS
from advisor.engine.latency.published import PUBLISHED, published_trace
from advisor.engine.latency.served import Served
from advisor.engine.latency.setups import LEAST_REQUESTS, MOST_REQUESTS, Setup, replicas_simulated
from advisor.engine.latency.traces import MOST_ROWS, read_trace
from advisor.engine.latency.traffic import Trace
from advisor.engine.plan import Plan
from advisor.engine.search.reach import tightened, way_in_target_s
from advisor.engine.search.river import software_month
from advisor.engine.version import ENGINE_VERSION
from advisor.engine.workload import Workload
from advisor.models import Job, Kind, State
from advisor.questions.log_answers import log_of
from advisor.services import jobs
from advisor.services.advice import Worked, plan_documents, reopened, stage_of

Progress = Callable[[str, float], None]
SCHEMA = "latency/1"
SOURCE = "simulation of the plan's step times; see the method page on latency"
LIMITS: Mapping[str, tuple[float, float]] = {
    "load": (0.05, 20.0),
    "burstiness_cv": (0.0, 20.0),
    "batch_limit": (1, 8192),
    "replicas": (1, 100_000),
    "neighbour_load": (0.0, 20.0),
    "neighbour_cv": (0.0, 20.0),
}
"""Lowest and highest value of each figure of a what-if."""


class NoSuchPlan(EngineRefusal):
    """The run has no plan of that id."""


class OutOfRange(EngineRefusal):
    """A figure of a what-if that makes no sense."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a what-if changes against the plan; None leaves the plan's own."""

    load: float = 1.0
    burstiness_cv: float | None = None
    batch_limit: int | None = None
    replicas: int | None = None
    router: str = "least_loaded"
    neighbour_load: float = 0.0
    neighbour_cv: float = 1.0

    def __post_init__(self) -> None:
        for name, (low, high) in LIMITS.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                message = f"{name} is {value:g}; it must be from {low:g} to {high:g}"
                raise OutOfRange(message)
        if self.router not in ROUTERS:
            message = f"there is no router {self.router!r}; there are {', '.join(ROUTERS)}"
            raise OutOfRange(message)


UNCHANGED = Change()


def served_plan(worked: Worked, plan_id: str) -> tuple[Served, Plan, Workload]:
    """A plan of a reopened run as the simulator runs it; raises NoSuchPlan, NotSimulated.

    Its targets are what the way to the users leaves of them: the simulator sees machines only.
    """
    stage = stage_of(worked, plan_id)
    if stage is None:
        message = f"The run has no plan {plan_id!r}."
        raise NoSuchPlan(message)
    served = served_by(
        stage.plan,
        tightened(stage.workload, way_of_plan_s(stage.plan, stage.workload)),
        parts=worked.snapshot.accelerators,
        calibration=worked.calibration,
        software_month=software_month(worked.snapshot),
    )
    return served, stage.plan, stage.workload


def way_of_plan_s(plan: Plan, workload: Workload) -> float:
    """What the way to the users takes of the plan's latency targets."""
    demand = workload.serving
    return 0.0 if demand is None else way_in_target_s(plan.figures, demand.slo.percentile)


def plans_of(run: Job) -> list[dict[str, Any]]:
    """The plans of an answered run that requests can be simulated on, best first."""
    return [plan for plan in plan_documents(run.result or {}) if _is_simulated(plan)]


def plan_id_of(run: Job, asked: str) -> str:
    """The plan asked for, or the best one that can be simulated; raises NoSuchPlan."""
    plans = plans_of(run)
    known = [plan["id"] for plan in plans]
    if asked in known:
        return asked
    if asked:
        others = {plan["id"] for plan in plan_documents(run.result or {})}
        message = (
            f"Plan {asked!r} has no requests to simulate: training, batches, hosted APIs and "
            "models without tokens have none; of a plan at several places name one of them."
            if asked in others
            else f"The run has no plan {asked!r}."
        )
        raise NoSuchPlan(message)
    if not known:
        message = "No plan of this run serves requests of a language model on own replicas."
        raise NoSuchPlan(message)
    return str(known[0])


def _is_simulated(plan: Mapping[str, Any]) -> bool:
    tokens = plan.get("tpot_p50_s") or {}
    return (
        bool(plan.get("accelerator_slug") and plan.get("parallelism"))
        and tokens.get("value") is not None
        and not plan.get("is_batch")
    )


def start_simulation(
    run: Job,
    plan_id: str,
    *,
    owner: User,
    change: Change = UNCHANGED,
    trace: Mapping[str, Any] | None = None,
    quick: bool = False,
    idempotency_key: str = "",
) -> Job:
    """A job that simulates a plan; one asked the same before is answered by that one.

    `quick` leaves out the knee and the table of batch limits, for what-ifs. Raises what
    `jobs.accept` raises.
    """
    inputs = {
        "run": str(run.pk),
        "plan": plan_id,
        "change": asdict(change),
        "trace": dict(trace) if trace else None,
        "quick": quick,
        "engine_version": ENGINE_VERSION,
    }
    known = _known(run, inputs)
    if known is not None and not idempotency_key:
        return known
    return jobs.accept(
        Kind.SIMULATION,
        inputs,
        owner=owner,
        organisation=run.organisation,
        assessment=run.assessment,
        idempotency_key=idempotency_key,
    )


def _known(run: Job, inputs: Mapping[str, Any]) -> Job | None:
    asked = jobs.inputs_hash(Kind.SIMULATION, inputs, run.assessment)
    same = Job.objects.of(run.organisation).filter(kind=Kind.SIMULATION, inputs_hash=asked)
    return same.filter(state__in=(State.QUEUED, State.RUNNING, State.SUCCEEDED)).first()


def simulation_of(run: Job, simulation_id: str | UUID) -> Job | None:
    """A simulation of a run by its id; None where the run has no such one."""
    try:
        key = simulation_id if isinstance(simulation_id, UUID) else UUID(simulation_id)
    except ValueError:
        return None
    found = Job.objects.of(run.organisation).filter(kind=Kind.SIMULATION, pk=key).first()
    return found if found is not None and found.inputs.get("run") == str(run.pk) else None


def trace_document(text: str, name: str) -> dict[str, Any]:
    """An uploaded trace as a simulation's inputs keep it; raises BadTrace.

    Only as many requests are kept as a simulation plays.
    """
    trace = read_trace(text)
    kept = slice(0, MOST_REQUESTS)
    return {
        "name": name[:80],
        "arrival_s": [round(t, 5) for t in trace.arrival_s[kept].tolist()],
        "prompt_tokens": trace.prompt_tokens[kept].tolist(),
        "output_tokens": trace.output_tokens[kept].tolist(),
    }


def published_document(slug: str) -> dict[str, Any]:
    """A shipped trace as a simulation's inputs keep it; raises OutOfRange."""
    if slug not in PUBLISHED:
        message = f"there is no published trace {slug!r}; there are {', '.join(PUBLISHED)}"
        raise OutOfRange(message)
    return {"name": PUBLISHED[slug].name, "published": slug}


def trace_of(simulation: Job) -> dict[str, Any] | None:
    """The trace that a simulation played, to be played again with something changed."""
    found: dict[str, Any] | None = simulation.inputs.get("trace")
    return found


def simulation_result(inputs: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Do a simulation job."""
    progress("Reading the plan", 0.01)
    run = Job.objects.get(pk=UUID(inputs["run"]))
    worked = reopened(run)
    served, plan, workload = served_plan(worked, inputs["plan"])
    answered = next(each for each in plan_documents(run.result or {}) if each["id"] == plan.id)
    if answered["name"] != plan.name:
        message = "The run was answered by an earlier version of the program. Run it again."
        raise NoSuchPlan(message)
    change, quick = Change(**inputs["change"]), bool(inputs["quick"])
    log = None if inputs["trace"] else log_of(worked.answers, workload)
    setup = setup_of(served, change, trace=inputs["trace"], quick=quick)
    if log is not None:
        setup = under_log(setup, trace_of_log(log), whole=not quick)
    table = load_table(
        setup, progress=_part(progress, 0.05, 0.95 if quick else 0.65), with_knee=not quick
    )
    batches = [] if quick else batch_table(setup, progress=_part(progress, 0.65, 0.95))
    progress("Counting the replicas needed", 0.96)
    capacity = table.capacity_requests_per_s
    needed = fewest_replicas(setup, capacity_requests_per_s=capacity)
    progress("Comparing with Poisson arrivals", 0.98)
    poisson = under_poisson(setup, capacity_requests_per_s=capacity)
    slo = served.demand.slo
    return {
        "schema": SCHEMA,
        "run": str(run.pk),
        "plan_id": plan.id,
        "plan": plan.name,
        "workload": workload.name,
        "change": inputs["change"],
        "trace": None
        if setup.trace is None
        else _trace_summary(log or inputs["trace"], setup.trace),
        "trace_peak": setup.trace_peak,
        "quick": quick,
        "peak_requests_per_s": served.demand.requests_per_s_peak,
        "burstiness_cv": served.demand.burstiness_cv,
        "targets": {
            "percentile": slo.percentile,
            "ttft_s": slo.ttft_s,
            "tpot_s": slo.tpot_s,
            "e2e_s": slo.e2e_s,
        },
        "way_s": way_of_plan_s(plan, workload),
        "setup": {
            "replicas": setup.pool.replicas,
            "batch_limit": setup.pool.steps.max_batch,
            "plan_replicas": served.replicas,
            "plan_batch_limit": served.batch_limit,
            "most_batch": served.steps.max_batch,
            "router": setup.router,
            "seed": setup.seed,
            "requests": setup.count,
            "replicas_simulated": replicas_simulated(setup),
        },
        **table_document(table),
        "fewest_replicas": needed,
        "poisson": None if poisson is None else poisson_document(poisson),
        "batches": [batch_document(batch) for batch in batches],
        "closed_form": _closed_form(plan),
        "evidence": _evidence(plan),
        "source": SOURCE,
        "engine_version": ENGINE_VERSION,
        "calibration_version": worked.calibration.version,
        "catalog_snapshot": {"digest": worked.snapshot.digest},
    }


def setup_of(
    served: Served, change: Change, *, trace: Mapping[str, Any] | None = None, quick: bool = False
) -> Setup:
    """A served plan with a change applied."""
    return Setup(
        served=served,
        load=change.load,
        cv=change.burstiness_cv,
        batch_limit=change.batch_limit,
        replicas=change.replicas,
        router=change.router,
        neighbour_load=change.neighbour_load,
        neighbour_cv=change.neighbour_cv,
        trace=None if trace is None else _trace(trace),
        most_requests=LEAST_REQUESTS if quick else MOST_REQUESTS,
    )


def under_log(setup: Setup, trace: Trace, *, whole: bool) -> Setup:
    """A set-up that plays the answers' own log, its busiest minute at the peak.

    All of it, or only the requests around that minute.
    """
    most = MOST_ROWS if whole else setup.most_requests
    return replace(setup, trace=trace, trace_peak=trace.busiest_minute[1], most_requests=most)


def _trace(document: Mapping[str, Any]) -> Trace:
    if "published" in document:
        return published_trace(document["published"])
    return Trace(
        arrival_s=np.array(document["arrival_s"], dtype=np.float64),
        prompt_tokens=np.array(document["prompt_tokens"], dtype=np.int64),
        output_tokens=np.array(document["output_tokens"], dtype=np.int64),
    )


def _trace_summary(document: Mapping[str, Any], trace: Trace) -> dict[str, Any]:
    published = document.get("published")
    return {
        "name": document["name"],
        "source": PUBLISHED[published].source if published else "uploaded",
        "sha256": document.get("sha256"),
        "requests": len(trace),
        "requests_per_s": trace.requests_per_s,
        "gap_cv": trace.gap_cv,
    }


def _part(progress: Progress, start: float, stop: float) -> Progress:
    return lambda stage, fraction: progress(stage, start + (stop - start) * fraction)


def _closed_form(plan: Plan) -> dict[str, Any]:
    """The plan's own latency figures, with the range that the step times are known to."""
    names = [name for name in plan.figures if name.startswith(("ttft_", "tpot_", "e2e_"))]
    return {name: plan.figures[name].as_dict() for name in names}


def _evidence(plan: Plan) -> str:
    figure = plan.figures.get("tpot_p50_s")
    return figure.evidence.value if figure is not None else "estimated"
