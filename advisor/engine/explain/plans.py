"""A plan's single case, run once more through the functions that ranked all candidates."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from advisor.engine.calibration import Calibration
from advisor.engine.cases import ENGINES, Floats, TrainingCases
from advisor.engine.errors import NotExplained
from advisor.engine.explain.nodes import Node, given, scalar
from advisor.engine.explain.parameters import fitted_basis, residual_basis, serving_basis
from advisor.engine.explain.reader import Reader
from advisor.engine.explain.terms import Bases, Basis, Term, Tree, usual_basis
from advisor.engine.plan import Plan
from advisor.engine.samples.parameters import DEFAULTS as SAMPLE_DEFAULTS
from advisor.engine.search.candidates import Layout, serving_cases
from advisor.engine.search.reach import levels_of, tightened
from advisor.engine.search.river import LLM_KINDS, Priced
from advisor.engine.search.size_samples import size_samples
from advisor.engine.search.size_serving import size_llm_serving
from advisor.engine.search.size_training import sized_training, training_cases
from advisor.engine.search.sizing import Sizing
from advisor.engine.training.layouts import column, layouts, picked
from advisor.engine.training.parameters import DEFAULTS as TRAINING_DEFAULTS
from advisor.engine.training.performance import StepTimes, step_times, training_point
from advisor.engine.training.steps import TERMS, layout_costs
from advisor.engine.training.tables import TrainingWork
from advisor.engine.workload import GivenSetup, ServingDemand, TrainingDemand
from catalog.specs import PRECISIONS, AcceleratorSpec, SystemSpec

_CLOSE = 1e-9
_LIMITS = ("compute_s", "memory_s", "link_s", "overhead_s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """One figure as a tree, and what the time behind it goes to."""

    figure: str
    term: Term
    binding: str  # compute, memory, link or overhead
    spent_s: Mapping[str, float]  # seconds by what they are spent on, of a step or pass
    spent_on: str  # what those seconds are of


def explain_figure(
    plan: Plan,
    figure: str,
    priced: Priced,
    *,
    systems: tuple[SystemSpec, ...],
    calibration: Calibration,
    software_month: float,
) -> Explained:
    """A performance figure of a plan as a tree of terms; raises NotExplained for any other.

    The plan's case is the only one; every function is one that ranked the candidates, so the
    root is the plan's figure.

    Source: advisor.engine.search and what it calls.
    """
    known = plan.figures.get(figure)
    if known is None or known.value is None:
        message = f"plan {plan.id} has no figure “{figure}”"
        raise NotExplained(message)
    part = next((p for p in priced.parts if p.slug == plan.accelerator_slug), None)
    if part is None or plan.kind == "fleet" or plan.purchase == "hosted_tokens":
        message = f"plan {plan.id} runs on nothing that the performance model computes"
        raise NotExplained(message)
    way = plan.figures.get(f"network_{figure[-5:]}") if figure.startswith(("ttft", "e2e")) else None
    way_s = way.value if way is not None and way.value is not None else 0.0
    wanted = known.value - way_s
    for reader, node, basis_of in _runs(plan, part, priced, systems, calibration, software_month):
        figures = node.fields.get("figures")
        found = figures.fields.get(figure) if figures is not None else None
        if found is None:
            continue
        root = found.fields.get("value") or given(found.value.value, figure)
        value = scalar(root.value)
        if value is None or not np.isclose(value, wanted, rtol=_CLOSE, atol=0.0):
            continue
        if way_s:
            network = given(way_s, "network_s", where="Reach")
            root = Node(value=value + way_s, operation="+", inputs=(root, network), symbol=figure)
        spent_on, spent = spent_by(reader)
        return Explained(
            figure=figure,
            term=Tree(basis_of, subject=_subject(priced)).term(root, figure, unit=known.unit),
            binding=str(np.ravel(node.value.binding)[0]),
            spent_s=spent,
            spent_on=spent_on,
        )
    message = f"“{figure}” of plan {plan.id} is not a figure of the performance model"
    raise NotExplained(message)


def _subject(priced: Priced) -> str:
    serving = priced.workload.serving
    if serving is None:
        return "training"
    makes_tokens = serving.model.kind in LLM_KINDS and serving.output_tokens > 0.0
    return "serving" if makes_tokens else "samples"


_Runs = Iterator[tuple[Reader, Node, Bases]]


def _runs(
    plan: Plan,
    part: AcceleratorSpec,
    priced: Priced,
    systems: tuple[SystemSpec, ...],
    calibration: Calibration,
    software_month: float,
) -> _Runs:
    """The plan's case sized anew; once for each distance its targets may have been cut by."""
    workload = priced.workload
    common = {"calibration": calibration, "software_month": software_month, "assumed": 0}
    if workload.training is not None:
        demand = workload.training
        for count in _job_sizes(plan):
            cases = _job(count, plan, part, systems, demand, software_month)
            reader = Reader({step_times: one_layout_step})
            node = reader.run(
                training_figures,
                cases=cases, demand=demand, given=workload.given, calibration=calibration,
            )  # fmt: skip
            yield reader, node, training_bases(calibration)
        return
    if workload.serving is None:
        return
    for way_s, _ in levels_of(priced.reach, workload.serving.slo):
        serving = tightened(workload, way_s).serving
        if serving is None:
            return
        reader = Reader()
        if _subject(priced) == "serving":
            layout = _layout(plan)
            node = reader.run(
                size_llm_serving, layouts=[layout], parts=(part,), demand=serving, **common
            )
            yield reader, node, _serving_bases(layout, part, serving, calibration, software_month)
        else:
            node = reader.run(
                size_samples, parts=(part,), demand=serving,
                precisions={0: [plan.precision]}, **common,
            )  # fmt: skip
            yield reader, node, samples_bases(calibration)


def _layout(plan: Plan) -> Layout:
    degrees = plan.parallelism
    return Layout(
        accelerator=0,
        precision=PRECISIONS.index(plan.precision),
        engine=ENGINES.index(plan.engine),
        tensor=degrees["tensor"],
        pipeline=degrees["pipeline"],
        expert=degrees["expert"],
        attention_data=degrees["attention_data"],
    )


def _job_sizes(plan: Plan) -> list[int]:
    """Accelerators the job may use of those that are paid for, as its layout tells."""
    degrees = plan.parallelism
    used = degrees["tensor"] * degrees["pipeline"] * max(degrees.get("data", 1), 1)
    return list(dict.fromkeys((used, plan.accelerator_count)))


def _job(
    count: int,
    plan: Plan,
    part: AcceleratorSpec,
    systems: tuple[SystemSpec, ...],
    demand: TrainingDemand,
    software_month: float,
) -> TrainingCases:
    return training_cases(
        (part,),
        systems,
        demand,
        np.zeros(1, dtype=np.int64),
        np.array([PRECISIONS.index(plan.precision)]),
        np.array([count]),
        software_month=software_month,
        assumed=0,
    )


def training_figures(
    cases: TrainingCases,
    demand: TrainingDemand,
    given: GivenSetup | None,
    calibration: Calibration,
) -> Sizing:
    """A job's figures at one size.

    Source: advisor.engine.search.size_training.
    """
    return sized_training(cases, training_point(cases, calibration), demand, given, calibration)


def fastest_layout(
    cases: TrainingCases, work: TrainingWork, parameters: dict[str, float]
) -> StepTimes:
    """The layout of each case that is fastest and fits, found among all.

    Source: advisor.engine.training.performance.
    """
    return step_times(cases, work, parameters)


def one_layout_step(
    cases: TrainingCases, work: TrainingWork, parameters: dict[str, float]
) -> StepTimes:
    """`step_times` with the time of the chosen layout written out: the same values.

    Source: advisor.engine.training.steps.
    """
    found = fastest_layout(cases, work, parameters)
    costs = layout_costs(column(work), picked(layouts(), found.option), parameters)
    return StepTimes(
        option=found.option,
        fits=found.fits,
        memory_bytes=found.memory_bytes,
        seconds={term: np.ravel(costs.seconds[term]) for term in TERMS},
    )


def _serving_bases(
    layout: Layout,
    part: AcceleratorSpec,
    demand: ServingDemand,
    calibration: Calibration,
    software_month: float,
) -> Bases:
    one: Floats = np.ones(1)
    cases = serving_cases(
        [layout], (part,), demand.model, concurrencies=one, input_tokens=1.0, output_tokens=1.0,
        kv_precision=demand.kv_precision, software_month=software_month, assumed=0,
    )  # fmt: skip
    return serving_bases(cases, calibration)


def serving_bases(cases: Any, calibration: Calibration) -> Bases:
    """What given values of serving rest on."""

    def basis_of(node: Node) -> Basis:
        name = getattr(node.made_by, "__name__", "")
        if name == "parameter_columns":
            return serving_basis(node.symbol, cases, calibration)
        if name == "predict":
            return residual_basis(node, calibration.serving)
        return usual_basis(node)

    return basis_of


def training_bases(calibration: Calibration) -> Bases:
    """What given values of training rest on."""
    return _kriged_bases("training_parameters", TRAINING_DEFAULTS, calibration.training)


def samples_bases(calibration: Calibration) -> Bases:
    """What given values of models without tokens rest on."""
    return _kriged_bases("samples_parameters", SAMPLE_DEFAULTS, calibration.samples)


def _kriged_bases(maker: str, defaults: Mapping[str, float], section: Mapping[str, Any]) -> Bases:
    def basis_of(node: Node) -> Basis:
        name = getattr(node.made_by, "__name__", "")
        if name == maker:
            return fitted_basis(node.symbol, defaults.get(node.symbol), section)
        if name == "predict":
            return residual_basis(node, section)
        return usual_basis(node)

    return basis_of


def spent_by(reader: Reader) -> tuple[str, dict[str, float]]:
    """Seconds by limit: of the last decode step, training step or pass that was computed.

    Source: the records of the reading.
    """
    for running, record in reversed(reader.records):
        name = type(record.value).__name__
        if name == "PassTime" and "decode_step" in running:
            return "a decode step of all running requests", {
                limit[:-2]: scalar(getattr(record.value, limit)) or 0.0 for limit in _LIMITS
            }
        if name in ("StepTimes", "PassTimes"):
            what = "a training step" if name == "StepTimes" else "a pass of one accelerator"
            return what, {
                limit: scalar(seconds) or 0.0 for limit, seconds in record.value.seconds.items()
            }
    return "", {}
