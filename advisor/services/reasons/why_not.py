"""Why not the others: the first limit of each, and what removing it would cost or save."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import numpy as np

from advisor.engine.answers import InvalidAnswers
from advisor.engine.choice.decision import Decision
from advisor.engine.choice.eligibility import BARE_CARD
from advisor.engine.plan import Plan
from advisor.engine.reasons.change import Change
from advisor.engine.reasons.limits import (
    Lifting,
    Refused,
    deadline_days,
    liftings,
)
from advisor.engine.reasons.outcome import Outcome, may_be_recommended
from advisor.engine.search.pricing import porting_weeks
from advisor.engine.search.river import Priced
from advisor.engine.workload import Question
from advisor.services.advice import Progress
from advisor.services.whatif import Base, reworked
from catalog.specs import AcceleratorSpec
from catalog.units import MILLISECOND, SECONDS_PER_HOUR

MOST_LIMITS = 3  # lifted one after another until a part appears
CARD = "card"  # priced without a server, which no answer changes
RULE = "rule"  # of what is shown and may not be recommended


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A re-run: what it came to, and the question it answered."""

    outcome: Outcome
    question: Question


@dataclass(kw_only=True)
class Trials:
    """Re-runs for one explanation, each change tried once."""

    base: Base
    _known: dict[str, Trial | None] = field(default_factory=dict)

    def of(self, change: Change) -> Trial | None:
        """What a change comes to; None where the questionnaire refuses it."""
        key = json.dumps(change.as_dict(), sort_keys=True, default=str)
        if key not in self._known:
            try:
                done = reworked(self.base, change)
            except InvalidAnswers:
                self._known[key] = None
            else:
                outcome = Outcome(decisions=done.decisions)
                self._known[key] = Trial(outcome=outcome, question=done.question)
        return self._known[key]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One thing that is not the answer: a part, or offers of a family in places left out."""

    at: int  # of the decision
    family: str
    part: AcceleratorSpec | None
    name: str
    limit: str
    reason: str
    shown: bool  # stands among the plans, yet may not be recommended


def why_not(base: Base, *, progress: Progress) -> list[dict[str, Any]]:
    """For each workload and family what keeps it from being the answer, with liftings re-solved."""
    trials = Trials(base=base)
    found = []
    decisions = base.worked.decisions
    for at, decision in enumerate(decisions):
        cases = list(_cases(base, at, decision))
        lines: dict[tuple[Any, ...], dict[str, Any]] = {}
        for number, case in enumerate(cases):
            done = (at + number / max(len(cases), 1)) / len(decisions)
            progress(f"Lifting what keeps out {case.name}", done)
            line = _line(trials, case)
            key = (case.family, case.limit, case.name if not case.part else "", line["appears"],
                   json.dumps(line["change"], sort_keys=True, default=str))  # fmt: skip
            part = {"name": case.name, "reason": case.reason, "still": line["still"]}
            if key in lines:
                lines[key]["parts"].append(part)
                _keep_cheaper(lines[key], line)
            else:
                lines[key] = line | {"parts": [part]}
        found.append(
            {
                "workload": decision.workload,
                "families": _families(decision, lines.values()),
            }
        )
    return found


def _keep_cheaper(kept: dict[str, Any], line: Mapping[str, Any]) -> None:
    """The cheapest plan that a lifting brings stands for all parts it brings."""
    if line["plan_usd"] is not None and (
        kept["plan_usd"] is None or line["plan_usd"] < kept["plan_usd"]
    ):
        kept.update(
            {name: line[name] for name in ("plan", "plan_usd", "difference_usd", "price_open")}
        )


def _families(decision: Decision, lines: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each family with its best plan against the recommended one, and what is kept out."""
    best = decision.recommended
    mine = best.value("total_cost_usd") if best else None
    kept_out: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        kept_out.setdefault(str(line["family"]), []).append(line)
    open_plans: dict[str, Plan] = {}
    for plan in sorted(
        (each for each in decision.plans if may_be_recommended(each)),
        key=lambda each: each.value("total_cost_usd") or 0.0,
    ):
        open_plans.setdefault(plan.family, plan)
    found = []
    for family in dict.fromkeys([*open_plans, *kept_out]):
        cheapest = open_plans.get(family)
        usd = cheapest.value("total_cost_usd") if cheapest else None
        is_best = best is not None and best.family == family
        found.append(
            {
                "family": family,
                "recommended": is_best,
                "plan": (best.name if best and is_best else cheapest.name if cheapest else None),
                "plan_usd": usd,
                "dearer_usd": usd - mine if usd is not None and mine is not None else None,
                "lines": sorted(
                    kept_out.get(family, []),
                    key=lambda line: (line["saves_usd"] is None, -(line["saves_usd"] or 0.0)),
                ),
            }
        )
    return found


def _cases(base: Base, at: int, decision: Decision) -> Iterable[_Case]:
    parts = {part.name: part for part in base.worked.snapshot.accelerators}
    told: set[str] = set()
    for rejection in decision.rejected:
        name = rejection.accelerator or f"{rejection.count} offers"
        if rejection.accelerator and name in told:
            continue
        told.add(name)
        yield _Case(
            at=at, family=rejection.family, part=parts.get(rejection.accelerator or ""), name=name,
            limit=rejection.limit, reason=rejection.reason, shown=rejection.limit == "support",
        )  # fmt: skip
    allowed = {plan.accelerator for plan in decision.plans if may_be_recommended(plan)}
    for plan in decision.plans:
        blocked = str(plan.extra.get("not_recommended_because", ""))
        known = plan.accelerator in allowed | told or plan.pool_cases
        if known or not blocked or plan.price_open:
            continue
        told.add(plan.accelerator)
        yield _Case(
            at=at, family=plan.family, part=parts.get(plan.accelerator), name=plan.accelerator,
            limit=CARD if blocked == BARE_CARD else RULE,
            reason=f"{blocked[:1].upper()}{blocked[1:].rstrip('.')}.", shown=True,
        )  # fmt: skip


def _line(trials: Trials, case: _Case) -> dict[str, Any]:
    """What lifting the limit, and those behind it, would cost or save."""
    lifted = _lifted(trials, case)
    decision = trials.base.outcome.decisions[case.at]
    mine = decision.recommended.value("total_cost_usd") if decision.recommended else None
    plan = _appeared(lifted.outcome, case)
    usd = plan.value("total_cost_usd") if plan else None
    best = lifted.outcome.decisions[case.at].recommended
    after = best.value("total_cost_usd") if best else None
    return {
        "family": case.family,
        "limit": case.limit,
        "liftings": [step.label for step in lifted.steps],
        "change": lifted.change.as_dict() or None,
        "whose": _whose(lifted.steps),
        "appears": plan is not None and bool(lifted.steps),
        "still": "" if plan is not None else lifted.still,
        "plan": plan.name if plan and lifted.steps else None,
        "plan_usd": usd if lifted.steps else None,
        "price_open": plan is not None and usd is None,
        "difference_usd": usd - mine if usd is not None and mine is not None else None,
        # A looser limit may also let something else win.
        "saves_usd": mine - after if after is not None and mine is not None else None,
        "winner_after": best.name if best else None,
    }


def _whose(steps: Sequence[Lifting]) -> str:
    """Whose it is to lift the limit: yours by an answer, the maker's, or nobody's."""
    if not steps:
        return "nobody"
    return "maker" if any(step.change.supported for step in steps) else "you"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lifted:
    """Limits lifted one after another, what that came to, and what still keeps the part out."""

    steps: tuple[Lifting, ...]
    change: Change
    outcome: Outcome
    still: str = ""


def _lifted(trials: Trials, case: _Case) -> _Lifted:
    """Lift limits one after another until the part appears, or nothing helps any more."""
    base = trials.base
    steps: list[Lifting] = []
    change = Change()
    trial = Trial(outcome=base.outcome, question=base.worked.question)
    limit, reason = case.limit, case.reason
    while len(steps) < MOST_LIMITS:
        further: tuple[Lifting, Trial] | None = None
        for lifting in liftings(_refused(base, case, limit, trial)):
            if _brings_nothing(lifting.change, change):
                continue
            result = trials.of(change.and_also(lifting.change))
            if result is None:
                continue
            if _appeared(result.outcome, case) is not None:
                return _Lifted(
                    steps=(*steps, lifting),
                    change=change.and_also(lifting.change),
                    outcome=result.outcome,
                )
            if further is None and _kept_out_by(result.outcome, case) != (limit, reason):
                further = lifting, result
        if further is None:
            break
        steps.append(further[0])
        change, trial = change.and_also(further[0].change), further[1]
        limit, reason = _kept_out_by(trial.outcome, case)
    return _Lifted(steps=tuple(steps), change=change, outcome=trial.outcome, still=reason)


def _brings_nothing(new: Change, made: Change) -> bool:
    """Whether a change sets only what is set already, or puts a number lower again."""
    if new.supported - made.supported:
        return False
    pairs = [(new.answers, made.answers)]
    pairs += [(each, made.workloads.get(at, {})) for at, each in new.workloads.items()]
    return all(
        key in known and (value == known[key] or (isinstance(value, float) and value <= known[key]))
        for given, known in pairs
        for key, value in given.items()
    )


def _kept_out_by(outcome: Outcome, case: _Case) -> tuple[str, str]:
    """The limit that keeps the part out now, with its words."""
    decision = outcome.decisions[case.at]
    name = case.part.name if case.part else None
    for each in decision.rejected:
        if each.accelerator == name and (name or each.family == case.family):
            return each.limit, each.reason
    for plan in decision.plans:
        blocked = str(plan.extra.get("not_recommended_because", ""))
        if name is not None and plan.accelerator == name and blocked:
            return RULE, blocked
    return RULE, ""


def _appeared(outcome: Outcome, case: _Case) -> Plan | None:
    """The part's cheapest plan, once there is one; for what is shown already, one to recommend."""
    if case.at >= len(outcome.decisions):
        return None
    decision = outcome.decisions[case.at]
    if case.part is None:
        still = {each.reason for each in decision.rejected if each.family == case.family}
        plans = [plan for plan in decision.plans if plan.family == case.family]
        plans = plans if case.reason not in still else []
    else:
        plans = [plan for plan in decision.plans if plan.accelerator_slug == case.part.slug]
    plans = [plan for plan in plans if plan.meets_targets]
    if case.shown:
        plans = [plan for plan in plans if plan.price_open or may_be_recommended(plan)]
    priced = [plan for plan in plans if plan.value("total_cost_usd") is not None]
    return min(priced, key=lambda plan: plan.value("total_cost_usd") or 0.0,
               default=plans[0] if plans else None)  # fmt: skip


def _refused(base: Base, case: _Case, limit: str, trial: Trial) -> Refused:
    done = base.worked
    question = trial.question
    return Refused(
        limit=limit,
        part=case.part,
        question=question,
        workload=question.workloads[case.at],
        number=workload_number(base, question.workloads[case.at].name),
        snapshot=done.snapshot,
        porting_weeks=porting_weeks(case.part, question, done.rates) if case.part else 0.0,
        reaches=_reaches(base, case),
    )


def workload_number(base: Base, name: str) -> int:
    """The number of the answers' workload that a workload of the engine came from."""
    for number, said in enumerate(base.worked.answers.workloads):
        own = said.text("workload_name")
        if name == own or name.startswith(f"{own}: "):
            return number
    return 0


def _reaches(base: Base, case: _Case) -> list[dict[str, float]]:
    """What the part reaches of the targets it misses, by question id and in its unit.

    First the best of each target alone, then what the layout reaches that comes nearest to
    all of them at once.
    """
    priced = base.worked.priced[case.at]
    index = next(
        (at for at, part in enumerate(priced.parts) if case.part and part.slug == case.part.slug),
        None,
    )
    rows = np.flatnonzero((priced.sizing.accelerator == index) & priced.sizing.fits)
    if len(rows) == 0:
        return []
    if priced.workload.training is not None:
        hours = float(priced.sizing.wait_s[rows].min()) / SECONDS_PER_HOUR
        return [{"train_deadline_days": deadline_days(hours)}] if isfinite(hours) else []
    targets = _targets(base, priced)
    if not targets:
        return []
    alone = {
        name: float(np.nanmin(column[rows]))
        for name, (column, meets, _) in targets.items()
        if not meets[rows].any()
    }
    worst = np.max([column[rows] / target for column, _, target in targets.values()], axis=0)
    row = rows[int(np.nanargmin(worst))]
    together = {
        name: float(column[row])
        for name, (column, _, target) in targets.items()
        if column[row] > target
    }
    return [each for each in (alone, together) if each]


def _targets(base: Base, priced: Priced) -> dict[str, tuple[np.ndarray, np.ndarray, float]]:
    """What each layout reaches, whether that is enough, and the target, in the question's unit."""
    sizing = priced.sizing
    said = base.worked.answers.workloads[workload_number(base, priced.workload.name)]
    known: tuple[tuple[str, np.ndarray | None, np.ndarray, float], ...] = (
        ("slo_ttft_ms", _column(priced, "ttft_p95_s"), sizing.meets_ttft, MILLISECOND),
        ("slo_itl_ms", _column(priced, "tpot_p95_s"), sizing.meets_tpot, MILLISECOND),
        ("slo_e2e_s", sizing.wait_s, sizing.meets_e2e, 1.0),
        ("slo_latency_ms", sizing.wait_s, sizing.meets_e2e, MILLISECOND),
    )
    return {
        name: (column / unit, meets, said.number(name))
        for name, column, meets, unit in known
        if column is not None and name in said.asked and said.values.get(name)
    }


def _column(priced: Priced, name: str) -> np.ndarray | None:
    band = priced.sizing.figures.get(name)
    return None if band is None else np.asarray(band.value)
