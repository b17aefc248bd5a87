"""Flip points: for the inputs that matter most, the nearest value at which another plan wins."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isinf, log
from typing import Any

from advisor.engine.answers import InvalidAnswers
from advisor.engine.reasons.flips import Flip, ladder, nearest_flip
from advisor.engine.reasons.outcome import Outcome
from advisor.services.advice import Progress
from advisor.services.reasons.inputs import Input, inputs_of
from advisor.services.whatif import Base, picks_after, tried

SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class _Screened:
    """An input and what a step of a quarter up or down does."""

    entry: Input
    distance: float  # ratio, as a logarithm, at which the lead would be used up; inf: never
    usd: tuple[float | None, float | None]  # cost a step down, a step up


def flip_points(base: Base, *, progress: Progress) -> list[dict[str, Any]]:
    """The ten inputs nearest to changing the winner, each with its flip point where it has one.

    Both ends of the bracket were worked through all stages: at `holds_at` the choice is the
    same, at `flips_at` it is another.
    """
    entries = inputs_of(base)
    screened = []
    for number, entry in enumerate(entries):
        progress(f"Trying {entry.label}", 0.4 * number / len(entries))
        screened.append(_screened(base, entry))
    nearest = sorted(screened, key=lambda each: each.distance)[:SHOWN]
    found = []
    for number, each in enumerate(nearest):
        progress(f"Looking where {each.entry.label} turns the choice", 0.4 + 0.06 * number)
        found.append(_document(base, each, flip_of(base, each.entry)))
    return sorted(found, key=lambda each: (each["flips_at"] is None, each["distance"] or inf))


def flip_of(base: Base, entry: Input) -> Flip | None:
    """The nearest value of an input at which another plan wins."""
    before = base.outcome.picks

    def same(value: float) -> bool:
        try:
            return picks_after(base, entry.change(value)) == before
        except InvalidAnswers:
            return True

    return nearest_flip(same, at=entry.at, low=entry.low, high=entry.high, whole=entry.whole)


def _tried(base: Base, entry: Input, value: float) -> Outcome | None:
    """What a value comes to; None where the questionnaire refuses it beside the other answers."""
    try:
        return tried(base, entry.change(value))
    except InvalidAnswers:
        return None


def _screened(base: Base, entry: Input) -> _Screened:
    """How far away the lead is used up, if it shrinks as it does in the first step."""
    lead = base.outcome.lead()
    nearest, usd = inf, {True: base.outcome.usd, False: base.outcome.usd}
    steps = list(ladder(entry.at, low=entry.low, high=entry.high, whole=entry.whole))[:2]
    for value, upwards in steps:
        outcome = _tried(base, entry, value)
        if outcome is None:
            continue
        usd[upwards] = outcome.usd
        step = abs(log(value / entry.at)) if entry.at > 0.0 else 1.0
        if outcome.picks != base.outcome.picks:
            nearest = min(nearest, step)
            continue
        now = outcome.lead()
        if lead is not None and now is not None and now < lead:
            nearest = min(nearest, step * lead / (lead - now))
    return _Screened(entry=entry, distance=nearest, usd=(usd[False], usd[True]))


def _document(base: Base, screened: _Screened, flip: Flip | None) -> dict[str, Any]:
    entry = screened.entry
    found: dict[str, Any] = {
        "input": entry.id,
        "label": entry.label,
        "unit": entry.unit,
        "question": entry.question or None,
        "workload": entry.workload,
        "at": entry.at,
        "usd_a_step_down": screened.usd[0],
        "usd_a_step_up": screened.usd[1],
        "holds_at": None,
        "flips_at": None,
        "winner": None,
        "winner_usd": None,
        "change": None,
        "distance": None if isinf(screened.distance) else screened.distance,
    }
    if flip is None:
        return found
    outcome = tried(base, entry.change(flip.flips_at))
    ratio = abs(log(flip.flips_at / entry.at)) if entry.at > 0.0 and flip.flips_at > 0.0 else 1.0
    return found | {
        "holds_at": flip.holds_at,
        "flips_at": flip.flips_at,
        "winner": winner_name(outcome, base.outcome),
        "winner_usd": outcome.usd,
        "refusal": outcome.refusal,
        "change": entry.change(flip.flips_at).as_dict(),
        "change_before": entry.change(flip.holds_at).as_dict(),
        "distance": ratio,
    }


def winner_name(outcome: Outcome, before: Outcome) -> str:
    """The plans of those workloads whose choice has changed; "no plan" where none is left."""
    pairs: Sequence[tuple[Any, Any, Any]] = list(
        zip(outcome.picks, before.picks, outcome.plans, strict=False)
    )
    named = [plan.name if plan else "no plan" for now, was, plan in pairs if now != was]
    return "; ".join(named) or outcome.name
