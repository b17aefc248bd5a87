"""Stages: a request's whole path simulated, and the share or overlap that keeps a target."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from advisor.engine.cases import Floats
from advisor.engine.latency.outcome import Outcome, percentile, percentile_interval
from advisor.engine.latency.path import (
    WHERE,
    Passed,
    Solved,
    Stage,
    largest_part_in_series,
    largest_share,
    through_path,
)
from advisor.engine.latency.pool import Pool
from advisor.engine.latency.simulator import simulate
from advisor.engine.latency.traffic import Requests
from advisor.services.paths.asked import Field, Values
from advisor.services.paths.documents import Document, Row, chart, percent_text, table
from advisor.services.paths.subject import Subject
from catalog.units import MILLISECOND, PERCENT

STAGES = 3
COUNT = 5000
SEED = 5
SETTLED = 0.1
_PLACES = (("before", "before the model"), ("beside", "beside it"), ("after", "after it"))
_COUNTS = ("no stage", "one stage", "two stages", "three stages")
_MEASURES = (("ttft", "First token"), ("e2e", "Whole answer"))
ARTICLE_STAGE_MS, ARTICLE_TARGET_MS = 500.0, 500.0
"""The AI 4U article: about 500 ms for agents' cryptographic actions on serverless nodes, and
p99 below 500 ms at peaks."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Case:
    """A plan's requests and pool, and the stages asked for."""

    requests: Requests
    pool: Pool
    stages: tuple[Stage, ...]
    measure: str
    share: float
    target_s: float
    alone: Outcome  # the model without stages
    seen: dict[tuple[Stage, ...], Passed]  # what was simulated already

    def serve(self, requests: Requests) -> Outcome:
        """The model's outcome; without stages before it nothing new is simulated."""
        if np.array_equal(requests.arrival_s, self.requests.arrival_s):
            return self.alone
        return simulate(requests, self.pool)

    def passed(self, stages: Sequence[Stage]) -> Passed:
        """The settled requests with stages."""
        key = tuple(stages)
        if key not in self.seen:
            done = through_path(self.requests, stages, self.serve, seed=SEED)
            self.seen[key] = done.rows(slice(int(SETTLED * len(self.requests)), None))
        return self.seen[key]

    def latency(self, stages: Sequence[Stage]) -> Floats:
        """What the user measures."""
        done = self.passed(stages)
        return done.ttft_s if self.measure == "ttft" else done.e2e_s


def fields(subject: Subject) -> list[Field]:
    """What may be changed: what is measured, and up to three stages."""
    found = [
        Field(id="measure", label="Measured", help="by the user", value="ttft", options=_MEASURES),
        Field(id="percentile", label="Percentile", help="of requests, in %", value=99.0,
              low=50.0, high=99.9),
        Field(id="target_ms", label="Target", help="ms", value=ARTICLE_TARGET_MS, low=1.0,
              high=3.6e6),
        Field(id="load_pct", label="Load", help="% of the peak", value=100.0, low=1.0, high=300.0),
    ]  # fmt: skip
    named = list(subject.demand.stages_s.items())
    for number in range(1, STAGES + 1):
        name, seconds, share = "", 0.0, 100.0
        if number == 1:
            name, seconds = named[0] if named else ("Signing", ARTICLE_STAGE_MS * MILLISECOND)
            share = subject.demand.share_with_stages / PERCENT if named else 100.0
        found += _stage_fields(number, name, seconds / MILLISECOND, share)
    return found


def _stage_fields(number: int, name: str, mean_ms: float, share: float) -> list[Field]:
    group = f"Stage {number}"

    def numeric(
        key: str, label: str, help_text: str, value: float, high: float, low: float = 0.0, *,
        whole: bool = False,
    ) -> Field:  # fmt: skip
        return Field(
            id=f"{key}_{number}", label=label, help=help_text, value=value, low=low, high=high,
            group=group, whole=whole,
        )  # fmt: skip

    return [
        Field(id=f"name_{number}", label="Name", help="empty: no stage", value=name, group=group),
        Field(id=f"where_{number}", label="Stands", help="in the path", value="before",
              options=_PLACES, group=group),
        numeric("mean_ms", "Mean time", "ms", mean_ms, 3.6e6),
        numeric("p99_ms", "p99 of it", "ms; 0: always the same", 0.0, 3.6e6),
        numeric("share_pct", "Requests", "% that pass it", share, 100.0),
        numeric("at_once", "At once", "0: no limit", 0, 1e6, whole=True),
        numeric("way_ms", "Way to it", "ms there and back; 0: beside the model", 0.0, 1e5),
        numeric("up_pct", "Available", "% of calls", 100.0, 100.0, 0.1),
    ]  # fmt: skip


def answer(subject: Subject, values: Values) -> Document:
    """Percentiles of the whole path with and without the stages, and what keeps the target."""
    case = _case(subject, values)
    alone, whole = case.passed([]), case.passed(case.stages)
    article = Stage(name="Signing", mean_s=ARTICLE_STAGE_MS * MILLISECOND)
    target_s = ARTICLE_TARGET_MS * MILLISECOND
    held = replace(case, measure="ttft", share=0.99, target_s=target_s)
    share = _share(held, article, [])
    part = _overlap(replace(held, measure="e2e"), article)
    own = case.stages[0] if case.stages else None
    return {
        "findings": [
            _whole_words(case, alone, whole),
            *([] if own is None else [_own_words(case, own, _share(case, own, case.stages[1:]))]),
            _article_words(share, held, part),
        ],
        "article": {
            "claim": "500 ms of signing on collocated serverless nodes, p99 below 500 ms at peaks",
            "in_series_on_every_request_p99_s": percentile(held.latency([article]), 0.99),
            "largest_share": None if share is None else share.amount,
            "model_alone_p99_s": percentile(held.latency([]), 0.99),
        },
        "tables": [_percentiles(alone, whole), *_stages(case, whole)],
        "charts": [_chart(case, own)] if own is not None else [],
        "basis": [],
    }


def _case(subject: Subject, values: Values) -> _Case:
    served, replicas, part = subject.simulated
    load = part * values["load_pct"] * PERCENT
    stages = tuple(
        _stage(values, number)
        for number in range(1, STAGES + 1)
        if str(values[f"name_{number}"]).strip()
    )
    requests, pool = (
        served.requests(count=COUNT, seed=SEED, load=load),
        served.pool(replicas=replicas),
    )
    return _Case(
        requests=requests,
        pool=pool,
        alone=simulate(requests, pool),
        seen={},
        # A slice of the replicas sees its share of the load, so of the stages' places too.
        stages=tuple(
            replace(s, at_once=None if s.at_once is None else max(round(s.at_once * part), 1))
            for s in stages
        ),
        measure=values["measure"],
        share=values["percentile"] * PERCENT,
        target_s=values["target_ms"] * MILLISECOND,
    )


def _stage(values: Values, number: int) -> Stage:
    p99_ms, at_once = values[f"p99_ms_{number}"], int(values[f"at_once_{number}"])
    return Stage(
        name=str(values[f"name_{number}"]).strip(),
        mean_s=values[f"mean_ms_{number}"] * MILLISECOND,
        p99_s=p99_ms * MILLISECOND if p99_ms > 0.0 else None,
        where=values[f"where_{number}"],
        share=values[f"share_pct_{number}"] * PERCENT,
        at_once=at_once or None,
        way_s=values[f"way_ms_{number}"] * MILLISECOND,
        availability=values[f"up_pct_{number}"] * PERCENT,
    )


def _share(case: _Case, stage: Stage, others: Sequence[Stage]) -> Solved | None:
    latency: Callable[[Stage], Floats] = partial(_with_others, case, list(others))
    return largest_share(stage, latency, share=case.share, target_s=case.target_s)


def _with_others(case: _Case, others: list[Stage], stage: Stage) -> Floats:
    return case.latency([stage, *others])


def _overlap(case: _Case, stage: Stage) -> tuple[Solved | None, float]:
    """The part of a stage that may follow the model within half a second more, and that target."""
    target_s = percentile(case.latency([]), case.share) + 0.5 * stage.mean_s
    found = largest_part_in_series(stage, case.latency, share=case.share, target_s=target_s)
    return found, target_s


def _ms(seconds: float) -> str:
    if not np.isfinite(seconds):
        return "no time that is ever reached"
    return f"{seconds:,.2f} s" if seconds >= 1.0 else f"{seconds * 1e3:,.0f} ms"


def _measured(case: _Case) -> str:
    return dict(_MEASURES)[case.measure].lower()


def _whole_words(case: _Case, alone: Passed, whole: Passed) -> str:
    before, after = (
        percentile(each.ttft_s if case.measure == "ttft" else each.e2e_s, case.share)
        for each in (alone, whole)
    )
    kept = "within" if after <= case.target_s else "over"
    return (
        f"With {_COUNTS[len(case.stages)]} the "
        f"{case.share / PERCENT:g}th percentile of the {_measured(case)} is {_ms(after)}, "
        f"{kept} {_ms(case.target_s)}; the model alone takes {_ms(before)}."
    )


def _own_words(case: _Case, stage: Stage, solved: Solved | None) -> str:
    if solved is None:
        return (
            f"Even without {stage.name} the {case.share / PERCENT:g}th percentile is over "
            f"{_ms(case.target_s)}: no share of requests helps."
        )
    if solved.amount >= 1.0:
        return f"Every request may pass {stage.name} and the target holds."
    return (
        f"{stage.name} may be passed by at most {percent_text(solved.amount, 1)} of the requests: "
        f"then the {case.share / PERCENT:g}th percentile is {_ms(solved.reached_s)}."
    )


def _article_words(share: Solved | None, case: _Case, part: tuple[Solved | None, float]) -> str:
    text = (
        "The article's set-up, 500 ms in series on every request with p99 under 500 ms, cannot "
        "be: the stage alone takes the whole of it. "
    )
    if share is None:
        model = percentile(case.latency([]), 0.99)
        text += (
            f"On this plan the first token's p99 is {_ms(model)} without any stage, so no share "
            "of requests brings it under 500 ms."
        )
    else:
        text += (
            "On this plan it holds for the first token if at most "
            f"{percent_text(share.amount, 1)} of the requests pass the stage before the model, "
            "or if it runs beside the model."
        )
    found, target_s = part
    if found is not None:
        text += (
            f" For the whole answer, {percent_text(1.0 - found.amount)} of the work must overlap "
            "with the model to add no more than a quarter of a second to its p99 "
            f"({_ms(target_s)})."
        )
    return text


def _percentiles(alone: Passed, whole: Passed) -> Document:
    rows = []
    for label, pick in (("First token", "ttft_s"), ("Whole answer", "e2e_s")):
        for words, done in (("the model alone", alone), ("with its stages", whole)):
            values = getattr(done, pick)
            tail = percentile_interval(values, 0.99)
            rows.append(
                Row(
                    label=f"{label}, {words}",
                    cells=[
                        percentile(values, 0.5),
                        percentile(values, 0.95),
                        tail.value,
                        tail.low,
                        tail.high,
                        float(done.lost.mean()),
                    ],
                    chosen=done is whole,
                )
            )
    return table(
        "percentiles",
        "The whole path",
        "Percentiles of each request's own total, without the way to the users. The interval "
        "holds the 99th percentile with 95 % confidence; lost requests have no end, so a "
        "percentile among them is unknown.",
        "Latency",
        {"Median": "s", "p95": "s", "p99": "s", "from": "s", "to": "s", "Lost": "fraction"},
        rows,
    )


def _stages(case: _Case, whole: Passed) -> list[Document]:
    if not case.stages:
        return []
    rows = []
    for stage, took in zip(case.stages, whole.stage_s, strict=True):
        passed = took[took > 0.0]
        rows.append(
            Row(
                label=stage.name,
                note=dict(_PLACES)[stage.where],
                cells=[
                    len(passed) / len(took),
                    percentile(passed, 0.5) if len(passed) else None,
                    percentile(passed, 0.99) if len(passed) else None,
                ],
            )
        )
    return [
        table(
            "stages",
            "Stage by stage",
            "Of the requests that pass it: waiting for a place and the way included.",
            "Stage",
            {"Requests": "fraction", "Median": "s", "p99": "s"},
            sorted(rows, key=lambda row: [dict(_PLACES)[w] for w in WHERE].index(row.note)),
        )
    ]


def _chart(case: _Case, stage: Stage) -> Document:
    shares = [0.0, 0.005, 0.01, 0.015, 0.02, 0.04, 0.05, 0.06, 0.1, 0.3, 0.45, 0.5, 0.55, 0.8, 1.0]
    others = [each for each in case.stages if each is not stage]
    series = {}
    for name, level in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
        series[name] = (
            [share / PERCENT for share in shares],
            [
                percentile(case.latency([replace(stage, share=share), *others]), level)
                for share in shares
            ],
        )
    return chart(
        "share",
        f"{dict(_MEASURES)[case.measure]} over the share that passes {stage.name}",
        "A percentile jumps where the requests that pass become more than its tail.",
        x=f"Requests that pass {stage.name}, %",
        y="Seconds",
        series=series,
        rule=("Target", case.target_s),
    )
