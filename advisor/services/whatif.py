"""A run worked once more with something changed: the one way every what-if is tried."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import Any

import numpy as np

from advisor.engine.answers import InvalidAnswers, Problem
from advisor.engine.calibration import Calibration
from advisor.engine.cases import InferenceCases, same_cases
from advisor.engine.reasons.change import Change, changed_snapshot
from advisor.engine.reasons.outcome import Outcome, Pick
from advisor.engine.search.market import open_quotes
from advisor.engine.search.river import sized
from advisor.engine.search.sizing import Sizing, joined, nothing_sized, rows_of
from advisor.engine.serving.performance import ServingPoint, serving_point
from advisor.engine.workload import Workload
from advisor.models import Job
from advisor.questions import read_answers
from advisor.services.advice import Worked, reopened, worked
from advisor.services.names import names_of
from catalog.engine.spellings import Spellings
from catalog.specs import AcceleratorSpec, CatalogueSnapshot, OfferSpec

KEPT_SIZINGS = 24
KEPT_POINTS = 4


class _Points:
    """What layouts do at each concurrency: a change of rates or targets leaves that as it is."""

    def __init__(self) -> None:
        self._kept: list[tuple[InferenceCases, Calibration, ServingPoint]] = []

    def __call__(self, cases: InferenceCases, calibration: Calibration) -> ServingPoint:
        for entry in self._kept:
            if entry[1] is calibration and same_cases(entry[0], cases):
                return entry[2]
        point = serving_point(cases, calibration)
        self._kept = [(cases, calibration, point), *self._kept][:KEPT_POINTS]
        return point


class _Sizings:
    """Sizings of single parts: a change of prices, or of what is allowed, leaves them as they are.

    The last few workloads are kept, each with every part that was asked for so far.
    """

    def __init__(self) -> None:
        self._kept: list[tuple[Workload, tuple[Any, ...], frozenset[int], Sizing]] = []
        self._points = _Points()

    def __call__(
        self,
        kept: Mapping[int, AcceleratorSpec],
        workload: Workload,
        *,
        snapshot: CatalogueSnapshot,
        calibration: Calibration,
    ) -> Sizing:
        tables = (snapshot.accelerators, snapshot.systems, snapshot.support)
        asked, known, sizings = _sized_by(workload), frozenset[int](), list[Sizing]()
        for entry in self._kept:
            same = all(one is other for one, other in zip(entry[1], tables, strict=True))
            if same and entry[0] == asked:
                known, sizings = entry[2], [entry[3]]
                self._kept.remove(entry)
                break
        new = {index: part for index, part in kept.items() if index not in known}
        if new or not sizings:
            sizings.append(
                sized(
                    new, workload, snapshot=snapshot, calibration=calibration, points=self._points
                )
            )
        sizing = joined([each for each in sizings if len(each)] or sizings[-1:])
        if len(sizings) > 1:
            sizing = rows_of(sizing, np.argsort(sizing.accelerator, kind="stable"))
        known |= frozenset(new)
        self._kept = [(asked, tables, known, sizing), *self._kept][:KEPT_SIZINGS]
        if not kept:
            return nothing_sized()
        if known == frozenset(kept):
            return sizing
        return rows_of(sizing, np.flatnonzero(np.isin(sizing.accelerator, list(kept))))


def _sized_by(workload: Workload) -> Workload:
    """A workload without what changes no size."""
    return replace(workload, weight=0.0, spot_tolerance="", spot_share_max=0.0, power_limit_w=None)


@dataclass(frozen=True, kw_only=True)
class Base:
    """A finished run and all that it was made from, ready to be changed."""

    raw: Mapping[str, Any]
    worked: Worked
    quotes: Mapping[str, OfferSpec]  # offers without a price, by system
    models: Spellings
    accelerators: Spellings
    sizings: _Sizings = field(default_factory=_Sizings)
    known: dict[str, tuple[Pick | None, ...]] = field(default_factory=dict)
    """What has been picked after each change tried so far."""
    turned: dict[str, Outcome] = field(default_factory=dict)
    """The last outcome with another choice: where a search for that ends, it is told."""

    @property
    def outcome(self) -> Outcome:
        """What the run itself came to."""
        return Outcome(decisions=self.worked.decisions)

    @property
    def workload_count(self) -> int:
        """Workloads that were asked for; a search may bring more of its own."""
        return len(self.worked.answers.workloads)


def base_of(run: Job) -> Base:
    """A finished run to try changes on; raises Snapshot.DoesNotExist as `reopened` does."""
    return based_on(run.inputs["answers"], reopened(run))


def based_on(raw: Mapping[str, Any], done: Worked) -> Base:
    """Worked answers to try changes on."""
    snapshot = done.snapshot
    return Base(
        raw=raw,
        worked=done,
        quotes={offer.system_slug: offer for offer in open_quotes(snapshot)},
        models=Spellings(snapshot.models, models=True),
        accelerators=Spellings(snapshot.accelerators, models=False),
    )


def tried(base: Base, change: Change) -> Outcome:
    """What the run would have come to; raises InvalidAnswers where the change is none."""
    key = _key(change)
    if key in base.turned:
        return base.turned[key]
    outcome = Outcome(decisions=reworked(base, change).decisions)
    base.known[key] = outcome.picks
    if outcome.picks != base.outcome.picks:
        base.turned.clear()
        base.turned[key] = outcome
    return outcome


def picks_after(base: Base, change: Change) -> tuple[Pick | None, ...]:
    """The choices after a change, worked once however often they are asked for."""
    known = base.known.get(_key(change))
    return tried(base, change).picks if known is None else known


def _key(change: Change) -> str:
    return json.dumps(change.as_dict(), sort_keys=True, default=str)


def reworked(base: Base, change: Change) -> Worked:
    """All stages with the change made; the same answers on the same day otherwise.

    Plans at several places are tried where the run recommends one, or where no place is left.
    """
    _refuse_unknown(base, change)
    done = base.worked
    answers = read_answers(
        changed_answers(base, change),
        today=done.answers.read_on,
        names=replace(
            names_of(done.private), model=base.models.find, accelerator=base.accelerators.find
        ),
    )
    horizon = int(answers.assessment.number("horizon_months"))
    own = done.private.snapshot(done.public, horizon_months=horizon)
    return worked(
        answers,
        changed_snapshot(own, change, quotes=base.quotes),
        calibration=done.calibration,
        rates={
            key: replace(rate, value=change.rates[key], low=change.rates[key],
                         high=change.rates[key]) if key in change.rates else rate
            for key, rate in done.rates.items()
        } if change.rates else done.rates,
        currency_rates=done.currencies,
        size=base.sizings,
        split=any(d.recommended.id in done.splits for d in done.decisions if d.recommended),
        like=done,
    )  # fmt: skip


def changed_answers(base: Base, change: Change) -> dict[str, Any]:
    """The raw answers with those of a change on top, as anybody could type them."""
    answers = {**base.raw.get("answers", {}), **change.answers}
    if change.workloads:
        count = base.workload_count
        listed = answers.get("workloads")
        if listed is None and count == 1:
            answers |= change.workloads.get(0, {})
        else:
            entries = list(listed or [{} for _ in range(count)])
            answers["workloads"] = [
                {**dict(entry), **change.workloads.get(at, {})} for at, entry in enumerate(entries)
            ]
    return {**base.raw, "answers": answers}


def _refuse_unknown(base: Base, change: Change) -> None:
    """Name every part, system, rate and workload of a change that the run does not know."""
    done = base.worked
    parts = {part.slug for part in done.snapshot.accelerators}
    known: tuple[tuple[str, Any, Any], ...] = (
        ("speeds", change.speeds, parts),
        ("quotes", change.quotes, base.quotes),
        ("rates", change.rates, done.rates),
        ("workloads", change.workloads, range(base.workload_count)),
    )
    problems = [
        Problem(pointer=f"/{place}/{key}", message=f"there is nothing named {key!r} in this run")
        for place, named, among in known
        for key in named
        if key not in among
    ]
    problems += [
        Problem(pointer=f"/{place}/{key}", message="type a number above zero")
        for place, named in (("speeds", change.speeds), ("quotes", change.quotes))
        for key, value in named.items()
        if not (isfinite(value) and value > 0.0)
    ]
    if problems:
        raise InvalidAnswers(problems)
