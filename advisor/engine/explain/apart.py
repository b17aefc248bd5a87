"""A figure of a plan with prefill and decode apart: its one pair, sized once more and followed."""

import numpy as np

from advisor.engine.calibration import Calibration
from advisor.engine.choice.apart import Pair, network_bytes_per_s
from advisor.engine.errors import NotExplained
from advisor.engine.explain.nodes import Node, given, scalar
from advisor.engine.explain.plans import Explained, serving_bases, spent_by
from advisor.engine.explain.reader import Reader
from advisor.engine.explain.terms import Tree
from advisor.engine.plan import Plan
from advisor.engine.search.candidates import Layout, serving_cases
from advisor.engine.search.reach import levels_of, tightened
from advisor.engine.search.river import Priced
from advisor.engine.search.size_apart import size_apart
from advisor.engine.search.sizing import Sizing
from catalog.specs import SystemSpec

_CLOSE = 1e-9


def explain_apart(
    plan: Plan,
    figure: str,
    pair: Pair,
    *,
    systems: tuple[SystemSpec, ...],
    calibration: Calibration,
    software_month: float,
) -> Explained:
    """A latency or rate of a plan with separate pools as a tree of terms.

    The pair is the only one, run through the functions that ranked it, so the root is the plan's
    figure. Where the time goes is that of the decode pool's steps. Raises NotExplained for other
    figures.

    Source: search.size_apart and what it calls.
    """
    known = plan.figures.get(figure)
    serving = pair.decode.workload.serving
    if known is None or known.value is None or serving is None:
        message = f"plan {plan.id} has no figure “{figure}”"
        raise NotExplained(message)
    way = plan.figures.get(f"network_{figure[-5:]}") if figure.startswith(("ttft", "e2e")) else None
    way_s = way.value if way is not None and way.value is not None else 0.0
    parts = pair.decode.parts
    first, second = (
        _layout(each, row)
        for each, row in ((pair.prefill, pair.prefill_row), (pair.decode, pair.decode_row))
    )
    one = np.zeros(1, dtype=np.int64)
    network = network_bytes_per_s(parts, systems)
    for level_s, _ in levels_of(pair.decode.reach, serving.slo):
        demand = tightened(pair.decode.workload, level_s).serving
        reader = Reader()
        node = reader.run(
            size_apart, prefill=[first], decode=[second], pairs=(one, one), parts=parts,
            demand=demand, calibration=calibration, network_bytes_per_s=network,
            software_month=software_month,
        )  # fmt: skip
        pool = node.fields.get("decode")
        figures = None if pool is None else pool.fields.get("figures")
        found = None if figures is None else figures.fields.get(figure)
        root = None if found is None else found.fields.get("value")
        value = None if root is None else scalar(root.value)
        if root is None or value is None:
            continue
        if not np.isclose(value, known.value - way_s, rtol=_CLOSE, atol=0.0):
            continue
        if way_s:
            inputs = (root, given(way_s, "network_s", where="Reach"))
            root = Node(value=value + way_s, operation="+", inputs=inputs, symbol=figure)
        cases = serving_cases(
            [second], parts, serving.model, concurrencies=np.ones(1), input_tokens=1.0,
            output_tokens=1.0, kv_precision=serving.kv_precision, software_month=software_month,
            assumed=0,
        )  # fmt: skip
        spent_on, spent_s = spent_by(reader)
        tree = Tree(serving_bases(cases, calibration), subject="serving")
        return Explained(
            figure=figure,
            term=tree.term(root, figure, unit=known.unit),
            binding=str(np.ravel(node.value.decode.binding)[0]),
            spent_s=spent_s,
            spent_on=spent_on,
        )
    message = f"“{figure}” of plan {plan.id} is not a figure of the performance model"
    raise NotExplained(message)


def _layout(priced: Priced, row: int) -> Layout:
    sizing: Sizing = priced.sizing
    at = int(priced.placements.sizing[row])
    return Layout(
        accelerator=int(sizing.accelerator[at]),
        precision=int(sizing.precision[at]),
        engine=int(sizing.engine[at]),
        tensor=int(sizing.tensor[at]),
        pipeline=int(sizing.pipeline[at]),
        expert=int(sizing.expert[at]),
        attention_data=int(sizing.attention_data[at]),
    )
