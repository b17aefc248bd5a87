"""A finished run worked again: identically on what it was made from, and on today's catalogue."""

import json
import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from advisor.engine.answers import InvalidAnswers
from advisor.engine.reasons.moved import moved_offers, moved_parts, moved_rates
from advisor.engine.reasons.outcome import Outcome, pick_of
from advisor.engine.version import ENGINE_VERSION
from advisor.models import Job
from advisor.services.advice import document_of, reopened, worked_from
from advisor.services.calibrations import active_calibration

MOST_DIFFERENCES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A run worked again on the catalogue, rates and prices that it was made from."""

    identical: bool
    differences: tuple[str, ...]  # JSON pointers, the first fifty
    engine_then: str
    engine_now: str
    calibration_then: str
    calibration_now: str
    machine: str

    @property
    def same_versions(self) -> bool:
        """Whether engine and calibration are those of the run."""
        return (self.engine_then, self.calibration_then) == (
            self.engine_now,
            self.calibration_now,
        )


def replayed(run: Job) -> Replay:
    """Work a finished run again and compare every figure of its document.

    Raises Snapshot.DoesNotExist or KeptRates.DoesNotExist where what it was made from is gone.
    """
    stored = run.result or {}
    again = json.loads(json.dumps(document_of(reopened(run, anew=True))))
    found = list(differences(stored, again))
    return Replay(
        identical=not found,
        differences=tuple(found[:MOST_DIFFERENCES]),
        engine_then=run.engine_version,
        engine_now=ENGINE_VERSION,
        calibration_then=run.calibration_version,
        calibration_now=active_calibration().version,
        machine=machine(),
    )


def differences(before: Any, after: Any, at: str = "") -> Iterator[str]:
    """Pointers (RFC 6901) of all in which two JSON values differ."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}):
            if key not in before or key not in after:
                yield f"{at}/{key}"
            else:
                yield from differences(before[key], after[key], f"{at}/{key}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from differences(old, new, f"{at}/{number}")
    elif before != after:
        yield at or "/"


def machine() -> str:
    """What the figures were computed on, as far as it can change their last digits."""
    return f"{platform.machine()}, Python {platform.python_version()}"


def replayed_today(run: Job) -> dict[str, Any]:
    """The run's answers on today's catalogue, rates and calibration: what moved, and what wins.

    The organisation's own prices stay those of the run. Raises as `replayed`.
    """
    before = reopened(run, anew=True)
    was = Outcome(decisions=before.decisions)
    try:
        after = worked_from(run.inputs["answers"], private=run.inputs.get("private"))
    except InvalidAnswers as refused:
        return {"stands": None, "refused": str(refused)}
    now = Outcome(decisions=after.decisions)
    return {
        "refused": "",
        "stands": now.picks == was.picks,
        "as_of": {
            "then": before.snapshot.as_of.isoformat(),
            "now": after.snapshot.as_of.isoformat(),
        },
        "digest": {"then": before.snapshot.digest, "now": after.snapshot.digest},
        "versions": {
            "engine": {"then": run.engine_version, "now": ENGINE_VERSION},
            "calibration": {"then": run.calibration_version, "now": after.calibration.version},
        },
        "workloads": [
            {
                "workload": old.workload,
                "then": _plan(old.recommended),
                "now": _plan(new.recommended),
                "stands": pick_of(old.recommended) == pick_of(new.recommended),
            }
            for old, new in zip(before.decisions, after.decisions, strict=True)
        ],
        "usd": {"then": was.usd, "now": now.usd},
        "moved": {
            "offers": moved_offers(before.snapshot.offers, after.snapshot.offers),
            "parts": moved_parts(before.snapshot.accelerators, after.snapshot.accelerators),
            "rates": moved_rates(before.rates, after.rates),
        },
    }


def _plan(plan: Any) -> Mapping[str, Any] | None:
    if plan is None:
        return None
    return {"name": plan.name, "usd": plan.value("total_cost_usd")}
