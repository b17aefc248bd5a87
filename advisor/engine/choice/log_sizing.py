"""Plans sized by playing the user's log of requests, whose bursts the closed form cannot see."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil

from advisor.engine.calibration import Calibration
from advisor.engine.choice.decision import Decision
from advisor.engine.choice.replicas import NotSimulated, served_by
from advisor.engine.latency.fewest import fewest_replicas, missed_alone
from advisor.engine.latency.load import missed_targets
from advisor.engine.latency.setups import Setup, outcome_of, when_full
from advisor.engine.latency.traffic import Trace
from advisor.engine.plan import Plan
from advisor.engine.search.reach import tightened, way_in_target_s
from advisor.engine.search.river import Priced
from advisor.engine.workload import Slo, Workload
from catalog.specs import AcceleratorSpec
from catalog.units import PERCENT

Answered = tuple[Priced, Decision]
_MOST_ROUNDS = 6
_NAMES: Mapping[str, str] = {
    "ttft_s": "first token",
    "tpot_s": "time per output token",
    "e2e_s": "whole answer",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A plan under the log: the replicas it has and the fewest that keep its targets."""

    replicas: int
    fewest: int
    alone: tuple[str, ...]  # targets that single requests miss by themselves; not counted


def sized_for_log(
    workload: Workload,
    trace: Trace,
    answer: Callable[[Workload], Answered],
    *,
    parts: Sequence[AcceleratorSpec],
    calibration: Calibration,
    software_month: float,
) -> tuple[Workload, Answered]:
    """The answer for a workload whose recommended plan keeps its targets under its log.

    The closed form knows the busiest minute and the burstiness of the gaps; a log can be worse
    within the minute. Where the recommended plan misses a target in the simulation, the spare
    capacity asked of every plan grows by what that plan lacks and the search is run again, up
    to six times. What was found is told among the decision's warnings.

    Source: `fewest_replicas` on the log, played so that its busiest minute is the peak.
    """
    asked, found = workload, answer(workload)
    for left in reversed(range(_MOST_ROUNDS + 1)):
        plan = found[1].recommended
        if plan is None or workload.serving is None:
            return workload, found
        try:
            played = play(
                plan, workload, trace,
                parts=parts, calibration=calibration, software_month=software_month,
            )  # fmt: skip
        except NotSimulated:
            return workload, found
        if played is None:
            return workload, found
        if played.fewest <= played.replicas or not left:
            return workload, _told(found, _words(asked, workload, played))
        workload = _roomier(workload, played.fewest / played.replicas)
        found = answer(workload)
    return workload, found


def play(
    plan: Plan,
    workload: Workload,
    trace: Trace,
    *,
    parts: Sequence[AcceleratorSpec],
    calibration: Calibration,
    software_month: float,
) -> Played | None:
    """A plan under a log of requests; None where no target can be kept. Raises NotSimulated.

    Targets that single requests miss by themselves are left out: no replica helps them.

    Source: `fewest_replicas`.
    """
    demand = workload.serving
    way_s = 0.0 if demand is None else way_in_target_s(plan.figures, demand.slo.percentile)
    served = served_by(
        plan, tightened(workload, way_s),
        parts=parts, calibration=calibration, software_month=software_month,
    )  # fmt: skip
    setup = Setup(served=served, trace=trace, trace_peak=trace.busiest_minute[1])
    alone = missed_alone(setup) or ()
    slo = _without(served.demand.slo, alone)
    setup = replace(setup, served=replace(served, demand=replace(served.demand, slo=slo)))
    missed = missed_targets(outcome_of(setup), slo)
    if missed is None:
        return None
    if not missed:
        return Played(replicas=served.replicas, fewest=served.replicas, alone=alone)
    capacity = when_full(setup).requests_per_s
    # A number that misses by a hair may stand above one that keeps: look beyond it.
    fewest = fewest_replicas(setup, capacity_requests_per_s=capacity, beyond=served.replicas)
    return None if fewest is None else Played(replicas=served.replicas, fewest=fewest, alone=alone)


def _without(slo: Slo, names: Sequence[str]) -> Slo:
    return replace(
        slo,
        ttft_s=None if "ttft_s" in names else slo.ttft_s,
        tpot_s=None if "tpot_s" in names else slo.tpot_s,
        e2e_s=None if "e2e_s" in names else slo.e2e_s,
    )


def _roomier(workload: Workload, factor: float) -> Workload:
    if workload.serving is None:
        return workload
    room = (1.0 + workload.serving.headroom_fraction) * factor - 1.0
    return replace(workload, serving=replace(workload.serving, headroom_fraction=room))


def _told(found: Answered, sentence: str) -> Answered:
    priced, decision = found
    return priced, replace(decision, warnings=(*decision.warnings, sentence))


def _words(asked: Workload, workload: Workload, played: Played) -> str:
    names = [_NAMES[each] for each in played.alone]
    but = (
        f" Its single requests miss the target for the {' and the '.join(names)} by themselves, "
        "which no replica helps: the Latency page shows by how much."
        if names
        else ""
    )
    rest = "every other target" if names else "every target"
    what = f"{workload.name}: your log of requests was played on the recommended plan"
    if played.fewest > played.replicas:
        return f"{what}, which keeps {rest} only with {played.fewest:,} replicas.{but}"
    if asked.serving is None or workload.serving is None or workload == asked:
        return f"{what}, which keeps {rest} under it.{but}"
    before, after = (
        ceil(each.headroom_fraction / PERCENT) for each in (asked.serving, workload.serving)
    )
    return (
        f"{what}. Its bursts are worse than its busiest minute says: {after:,} % of spare capacity "
        f"at the peak instead of the {before:,} % you asked for keep {rest}, and all plans are "
        f"sized with them.{but}"
    )
