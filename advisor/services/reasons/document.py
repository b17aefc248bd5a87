"""The explanation of a run as one document: what the page, the API and the record carry."""

from dataclasses import asdict
from typing import Any

from advisor.engine.choice.explain import reasons
from advisor.engine.reasons.outcome import may_be_recommended
from advisor.engine.reasons.soft import findings
from advisor.engine.version import ENGINE_VERSION
from advisor.services.advice import Progress
from advisor.services.reasons.constraints import prices_of_constraints
from advisor.services.reasons.fleet import FleetTrials, fleet_reasons, lifted_limits
from advisor.services.reasons.flips import flip_points
from advisor.services.reasons.ranking import calls, doubts, ranking
from advisor.services.reasons.regret import regrets
from advisor.services.reasons.signing import before_signing, doubt_document, waiting
from advisor.services.reasons.targets import target_prices
from advisor.services.reasons.why_not import why_not
from advisor.services.whatif import Base

SCHEMA = "reasons/1"
SHARES = {"why": 0.05, "fleet": 0.15, "flips": 0.4, "why_not": 0.7, "lifted": 0.73,
          "constraints": 0.8, "targets": 0.9, "signing": 1.0}  # fmt: skip
"""How far the work is once a part is done."""


def explain(base: Base, *, progress: Progress) -> dict[str, Any]:
    """All of it, each figure from a run of the river."""
    progress("Comparing plans", 0.01)
    document = quick(base)
    trials = FleetTrials(base=base)
    document["fleet"] = fleet_reasons(trials, progress=_within(progress, "why", "fleet"))
    document["flips"] = flip_points(base, progress=_within(progress, "fleet", "flips"))
    document["why_not"] = why_not(base, progress=_within(progress, "flips", "why_not"))
    if document["fleet"] is not None:
        document["fleet"]["lifted"] = lifted_limits(
            trials, document["why_not"], progress=_within(progress, "why_not", "lifted")
        )
    document["constraints"] = prices_of_constraints(
        base, progress=_within(progress, "lifted", "constraints")
    )
    document["targets"] = target_prices(base, progress=_within(progress, "constraints", "targets"))
    progress("What to find out before you sign", SHARES["targets"])
    document["regret"] = regrets(base)
    for at, each in enumerate(document["workloads"]):
        found = doubts(base, at)
        if found is not None:
            each["before_signing"] = before_signing(base, at, found[0])
        each["waiting"] = waiting(base, at, base.worked.decisions[at])
    return document


def quick(base: Base) -> dict[str, Any]:
    """What needs no re-run: sentences, picks, stability and chances."""
    done = base.worked
    workloads = []
    for at, decision in enumerate(done.decisions):
        found = doubts(base, at)
        workloads.append(
            {
                "workload": decision.workload,
                "why": reasons(decision),
                "refusal": decision.refusal,
                "ranking": ranking(base, at),
                "soft": _soft(base, at),
                "doubt": doubt_document(found[0]) if found else None,
                "calls": calls(*found) if found else [],
                "before_signing": [],
                "waiting": [],
            }
        )
    return {
        "schema": SCHEMA,
        "name": done.question.name,
        "engine_version": ENGINE_VERSION,
        "calibration_version": done.calibration.version,
        "catalog_snapshot": {
            "as_of": done.snapshot.as_of.isoformat(), "digest": done.snapshot.digest,
        },
        "winner": base.outcome.name,
        "usd": base.outcome.usd,
        "workloads": workloads,
    }  # fmt: skip


def _soft(base: Base, at: int) -> list[dict[str, Any]]:
    """Facts on the recommended part, and on the cheapest of every other family."""
    done = base.worked
    parts = {part.slug: part for part in done.snapshot.accelerators}
    best = done.decisions[at].recommended
    plans = [best] if best is not None else []
    plans += sorted(
        (plan for plan in done.decisions[at].plans if may_be_recommended(plan)),
        key=lambda plan: plan.value("total_cost_usd") or 0.0,
    )
    of_family: dict[str, str] = {}
    for plan in plans:
        if plan.accelerator_slug in parts:
            of_family.setdefault(plan.family, plan.accelerator_slug)
    return [
        {
            "name": parts[slug].name,
            "family": family,
            "findings": [
                asdict(each)
                for each in findings(
                    parts[slug], question=done.question, workload=done.question.workloads[at],
                    snapshot=done.snapshot, rates=done.rates,
                )
            ],
        }
        for family, slug in of_family.items()
    ]  # fmt: skip


def _within(progress: Progress, start: str, end: str) -> Progress:
    """Progress of one part as progress of the whole."""
    low, high = SHARES[start], SHARES[end]

    def tell(stage: str, fraction: float) -> None:
        progress(stage, low + (high - low) * min(max(fraction, 0.0), 1.0))

    return tell
