"""Plans sized by playing the user's log of requests, whose bursts the closed form cannot see."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil

from advisor.engine.calibration import Calibration
from advisor.engine.choice.apart import Pair
from advisor.engine.choice.decision import Decision
from advisor.engine.choice.regions import Answer
from advisor.engine.choice.replicas import NotSimulated, served_by
from advisor.engine.latency.fewest import fewest_replicas, shares_alone
from advisor.engine.latency.load import missed_targets
from advisor.engine.latency.setups import Setup, outcome_of, when_full
from advisor.engine.latency.traces import MOST_ROWS
from advisor.engine.latency.traffic import Trace
from advisor.engine.plan import Plan
from advisor.engine.search.reach import tightened, way_in_target_s
from advisor.engine.search.river import Priced
from advisor.engine.workload import Question, Slo, Workload
from catalog.specs import AcceleratorSpec
from catalog.units import PERCENT

Answered = tuple[Priced, Decision]
_MOST_ROUNDS, _ROUNDS_APART, _GROWTH = 16, 4, 1.1
_ROUNDING = 1e-9
_NAMES: Mapping[str, str] = {
    "ttft_s": "first token",
    "tpot_s": "time per output token",
    "e2e_s": "whole answer",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A plan under the log: the replicas it has and the fewest that keep its targets."""

    replicas: int
    fewest: int | None  # None: no number of replicas keeps them
    alone: Mapping[str, float] = field(default_factory=dict)
    """Targets that single requests miss by themselves, not counted, with the share that does."""

    @property
    def lacks(self) -> float:
        """Replicas needed over those there are; 1 where none are lacking, or would help."""
        return 1.0 if self.fewest is None else max(self.fewest / self.replicas, 1.0)

    @property
    def kept(self) -> bool:
        """Whether the plan keeps its targets."""
        return self.fewest is not None and self.fewest <= self.replicas


@dataclass(frozen=True, slots=True, kw_only=True)
class Player:
    """A log of requests, and what it takes to play it on plans."""

    trace: Trace
    parts: Sequence[AcceleratorSpec]
    calibration: Calibration
    software_month: float

    def play(self, plan: Plan, workload: Workload) -> Played | None:
        """A plan under the log; None where it is nothing to simulate, or has no target to keep.

        The log is played so that its busiest minute is the plan's peak. Targets that single
        requests miss by themselves are left out: no replica helps them.

        Source: `fewest_replicas`.
        """
        try:
            setup = self._setup(plan, workload)
        except NotSimulated:
            return None
        alone = shares_alone(setup)
        slo = _without(setup.served.demand.slo, list(alone))
        demand = replace(setup.served.demand, slo=slo)
        setup = replace(setup, served=replace(setup.served, demand=demand))
        replicas = setup.served.replicas
        missed = missed_targets(outcome_of(setup), slo)
        if missed is None:
            return None
        if not missed and (replicas == 1 or not _kept(setup, replicas - 1)):
            return Played(replicas=replicas, fewest=replicas, alone=alone)
        capacity = when_full(setup).requests_per_s
        # A number that misses by a hair may stand above one that keeps: look beyond it.
        beyond = replicas if missed else 0
        fewest = fewest_replicas(setup, capacity_requests_per_s=capacity, beyond=beyond)
        return Played(replicas=replicas, fewest=fewest, alone=alone)

    def _setup(self, plan: Plan, workload: Workload) -> Setup:
        demand = workload.serving
        way_s = 0.0 if demand is None else way_in_target_s(plan.figures, demand.slo.percentile)
        served = served_by(
            plan, tightened(workload, way_s),
            parts=self.parts, calibration=self.calibration, software_month=self.software_month,
        )  # fmt: skip
        return Setup(
            served=served,
            trace=self.trace,
            trace_peak=self.trace.busiest_minute[1],
            most_requests=MOST_ROWS,
        )


def _kept(setup: Setup, replicas: int) -> bool:
    fewer = replace(setup, replicas=replicas)
    return missed_targets(outcome_of(fewer), setup.served.demand.slo) == ()


def _without(slo: Slo, names: Sequence[str]) -> Slo:
    return replace(
        slo,
        ttft_s=None if "ttft_s" in names else slo.ttft_s,
        tpot_s=None if "tpot_s" in names else slo.tpot_s,
        e2e_s=None if "e2e_s" in names else slo.e2e_s,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Round:
    """An answer, and its recommended plan under the log."""

    workload: Workload
    found: Answered
    played: Played | None

    @property
    def plan(self) -> Plan:
        """The plan that was played."""
        if self.found[1].recommended is None:
            message = f"{self.workload.name} has no plan to play a log on"
            raise ValueError(message)
        return self.found[1].recommended


def sized_for_log(
    asked: Workload, player: Player | None, answer: Callable[[Workload], Answered]
) -> tuple[Workload, Answered, str]:
    """The answer for a workload whose recommended plan keeps its targets under its log.

    The closed form knows the busiest minute and the burstiness of the gaps; a log can be worse
    within the minute. The recommended plan is played: its layout then has the fewest replicas
    that keep the targets, and no fewer than the spare capacity asked for, and where it lacked
    some, the spare capacity asked of all other layouts grows by as much. The search is run
    again until it recommends a layout that was played. The sentence says what was found; it is
    empty where nothing was played, as without a log.

    Source: `Player.play`; layouts are tried in the order of their optimistic cost.
    """
    if player is None:
        return asked, answer(asked), ""
    rounds: list[_Round] = []
    known: dict[tuple[object, ...], int] = {}
    room = 1.0
    for _ in range(_MOST_ROUNDS):
        tried = _round(_roomier(asked, room, known) if known else asked, player, answer)
        played = tried.played
        if played is None or played.fewest is None:
            rounds = rounds or [tried]
            break
        rounds.append(tried)
        key, needs = _layout(tried.plan), max(played.fewest, _asked_for(tried.plan, asked))
        if needs == played.replicas or key in known:
            break
        known[key] = needs
        if not played.kept:
            # Growing each time, so that layouts that were played win in the end.
            least = room * (_GROWTH if room > 1.0 else 1.0)
            room = max(least, played.fewest / played.replicas)
    kept = [each for each in rounds if each.played is not None and each.played.kept]
    best = (kept or rounds)[-1]
    return best.workload, best.found, _words(asked, best)


def _round(workload: Workload, player: Player, answer: Callable[[Workload], Answered]) -> _Round:
    found = answer(workload)
    plan = found[1].recommended
    return _Round(
        workload=workload,
        found=found,
        played=None if plan is None else player.play(plan, workload),
    )


def _layout(plan: Plan) -> tuple[object, ...]:
    """The plan's layout as `ServingDemand.simulated_replicas` has it."""
    degrees = (plan.parallelism[n] for n in ("tensor", "pipeline", "expert", "attention_data"))
    return (plan.accelerator_slug, plan.precision, plan.engine, *degrees)


def _asked_for(plan: Plan, asked: Workload) -> int:
    """Replicas of the plan's kind for the peak with the spare capacity the user asked for."""
    demand, capacity = asked.serving, plan.value("requests_per_s")
    if demand is None or not capacity:
        return 1
    needed = demand.requests_per_s_peak * (1.0 + demand.headroom_fraction)
    return ceil(needed * plan.parallelism["replicas"] / capacity - _ROUNDING)


def _roomier(workload: Workload, room: float, known: Mapping[tuple[object, ...], int]) -> Workload:
    if workload.serving is None:
        return workload
    more = (1.0 + workload.serving.headroom_fraction) * room - 1.0
    serving = replace(workload.serving, headroom_fraction=more, simulated_replicas=dict(known))
    return replace(workload, serving=serving)


def _words(asked: Workload, best: _Round) -> str:
    played, after = best.played, best.workload.serving
    if played is None or asked.serving is None or after is None:
        return ""
    what = f"{asked.name}: your log of requests was played on the recommended plan"
    kept = words_of(
        played, why=": the rest is for the busiest minute and the spare capacity asked for"
    )
    more, less = (ceil(each.headroom_fraction / PERCENT) for each in (after, asked.serving))
    if not played.kept or more == less:
        return f"{what}, which {kept}"
    return (
        f"{what}. Its bursts are worse than its busiest minute says: all plans are weighed with "
        f"{more:,} % of spare capacity at the peak instead of the {less:,} % you asked for, and "
        f"those it was played on with the replicas they need. The plan {kept}"
    )


def words_of(played: Played, *, why: str = "") -> str:
    """What a log does to a plan, as the end of a sentence about it; `why` it has some to spare."""
    names = [
        f"the {_NAMES[each]} ({share / PERCENT:.1f} % of them)"
        for each, share in played.alone.items()
    ]
    but = (
        f" Single requests miss the target for {' and '.join(names)} by themselves, which no "
        "replica helps: the Latency page shows by how much."
        if names
        else ""
    )
    rest = "every other target" if names else "every target"
    if played.fewest is None:
        return f"keeps {rest} with no number of replicas.{but}"
    if not played.kept:
        return f"keeps {rest} only with {played.fewest:,} replicas, not {played.replicas:,}.{but}"
    if played.fewest < played.replicas:
        return f"keeps {rest} under it, as {played.fewest:,} replicas would{why}.{but}"
    return f"keeps {rest} under it.{but}"


def for_places(answer: Answer, player: Player | None) -> Answer:
    """What answers each place of a split: sized by the log, played at the place's own peak.

    The recommended plan of a place says among its notes what was found.

    Source: `sized_for_log`; a place's users are taken to come in the same bursts as all.
    """
    if player is None:
        return answer

    def sized(workload: Workload, question: Question) -> Answered:
        _, (priced, decision), words = sized_for_log(
            workload, player, lambda each: answer(each, question)
        )
        best = decision.recommended
        if best is None or not words:
            return priced, decision
        return priced, replace(decision, recommended=replace(best, notes=(words, *best.notes)))

    return sized


def pairs_for_log(
    priced: Priced,
    player: Player | None,
    pairs: Callable[[Priced], tuple[Pair, ...]],
    plans: Callable[[tuple[Pair, ...]], tuple[Plan, ...]],
) -> tuple[tuple[Pair, ...], tuple[Plan, ...]]:
    """Pairs of pools and their plans, with as much room as all of them need under the log.

    Each plan says among its notes what the log does to it.

    Source: `Player.play`; both pools of a pair grow by what the worst of the plans lacks.
    """
    two = pairs(priced)
    shown = plans(two)
    if player is None:
        return two, shown
    room = 1.0
    for left in reversed(range(_ROUNDS_APART)):
        played = [player.play(plan, priced.workload) for plan in shown]
        room *= max([1.0, *(each.lacks for each in played if each is not None)])
        if not left or all(each is None or each.kept for each in played):
            break
        two = pairs(replace(priced, workload=_roomier(priced.workload, room, {})))
        shown = plans(two)
    return two, tuple(
        plan if each is None else replace(plan, notes=(_note(each), *plan.notes))
        for plan, each in zip(shown, played, strict=True)
    )


def _note(played: Played) -> str:
    return f"Your log of requests was played on it: it {words_of(played)}"
