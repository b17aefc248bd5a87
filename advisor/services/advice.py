"""Answers in, advice out: the one service behind page, API and command line."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Any

from advisor.engine.answers import Answers, InvalidAnswers, Problem, Row
from advisor.engine.calibration import Calibration
from advisor.engine.choice.apart import Pair, pairs_of
from advisor.engine.choice.apart_default import unless_clear
from advisor.engine.choice.apart_plan import plans_apart
from advisor.engine.choice.asides import books_of, engineering
from advisor.engine.choice.decision import Decision, decide, renumbered
from advisor.engine.choice.explain import reasons, sentence
from advisor.engine.choice.feeding import feed_of
from advisor.engine.choice.log_sizing import Player, for_places, pairs_for_log, sized_for_log
from advisor.engine.choice.number_formats import number_formats
from advisor.engine.choice.objectives import objective_of, told_of_fleet
from advisor.engine.choice.picks import named_picks
from advisor.engine.choice.regions import Answer, splits_for, with_plans, with_splits
from advisor.engine.choice.same_job import same_job_today
from advisor.engine.choice.split_plan import Split
from advisor.engine.choice.wording import plural
from advisor.engine.demand.question import question_of
from advisor.engine.fleet.answering import quick_fleet
from advisor.engine.fleet.mixing import reasons_to_mix
from advisor.engine.fleet.setting import setting_of
from advisor.engine.fleet.telling import fleet_plan, over_budget
from advisor.engine.latency.kept import trace_of_log
from advisor.engine.plan import Plan
from advisor.engine.search.river import Priced, Sizer, price_workload, software_month
from advisor.engine.version import ENGINE_VERSION
from advisor.engine.workload import Question, ServingDemand, TrainingDemand, Workload
from advisor.models import Job
from advisor.questions import read_answers
from advisor.questions.log_answers import log_of
from advisor.services.calibrations import (
    UnknownCalibration,
    active_calibration,
    calibration_of,
)
from advisor.services.names import names_of
from advisor.services.objectives import objective_document
from advisor.services.private import Private, thawed
from catalog.queries import kept_snapshot
from catalog.queries import snapshot as catalogue_snapshot
from catalog.specs import CatalogueSnapshot
from catalog.units import GIGA, KILO
from costing.engine.age import old_rate
from costing.engine.kept import rates_digest
from costing.engine.rates import CurrencyRate, Rates, shipped_currencies
from costing.queries import currencies, kept_rates
from costing.queries import rates as rates_now

Progress = Callable[[str, float], None]
SCHEMA = "advice/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Worked:
    """Every stage's values for one question: what the answer was made from, and what-ifs start."""

    answers: Answers
    question: Question
    snapshot: CatalogueSnapshot
    calibration: Calibration
    rates: Rates
    currency: CurrencyRate  # in which the answer is shown
    notes: tuple[str, ...]  # on the organisation's own prices
    private: Private  # the asker's own prices and quotes, merged into what is below
    public: CatalogueSnapshot  # the catalogue before them
    public_rates: Rates
    currencies: Mapping[str, CurrencyRate]
    priced: tuple[Priced, ...]  # one a workload, in the question's order
    decisions: tuple[Decision, ...]  # the same
    splits: Mapping[str, Split]  # what stands behind plans of several places, by plan id
    pairs: Mapping[str, Pair]  # the same behind plans with prefill and decode apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A plan at one place with the stages it comes from: of the answer, or of a split's place."""

    plan: Plan
    workload: Workload
    priced: Priced
    decision: Decision


def stage_of(done: Worked, plan_id: str) -> Stage | None:
    """What a plan comes from, by its id; None where there is no such plan."""
    for priced, decision in zip(done.priced, done.decisions, strict=True):
        for plan in decision.plans:
            if plan.id == plan_id:
                return Stage(plan=plan, workload=priced.workload, priced=priced, decision=decision)
    for split in done.splits.values():
        for site in split.sites:
            if site.plan.id == plan_id:
                return Stage(
                    plan=site.plan, workload=site.workload, priced=site.priced,
                    decision=site.decision,
                )  # fmt: skip
    return None


def plan_documents(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The plans of an answer, those of the places of a split behind it, in its order."""
    plans = document.get("plans") or ()
    return [each for plan in plans for each in (plan, *plan.get("places", ()))]


def advise(
    raw: Mapping[str, Any],
    *,
    private: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    as_of: date | None = None,
) -> dict[str, Any]:
    """The result document for raw answers; raises InvalidAnswers with every problem found.

    `private` is what an organisation has of its own, as `private.frozen` keeps it.
    """
    tell = progress or _silent
    done = worked_from(raw, private=private, progress=tell, as_of=as_of)
    return document_of(done, progress=tell)


def reopened(run: Job, *, anew: bool = False) -> Worked:
    """The stages of a finished run once more, on the state of the catalogue it was answered from.

    So with its fitted parameters, or today's where a newer release has replaced them. What-ifs,
    exports and simulations start here; `anew` computes them even where they are at hand. Raises
    Snapshot.DoesNotExist where that state of the catalogue was not kept.
    """
    rates = str((run.result or {}).get("rates_digest", ""))
    try:
        calibration = calibration_of(run.calibration_version)
    except UnknownCalibration:
        calibration = active_calibration()
    work = _reopened.__wrapped__ if anew else _reopened
    return work(json.dumps(run.inputs), run.snapshot_digest, rates, calibration)


@lru_cache(maxsize=4)
def _reopened(raw: str, digest: str, rates: str, calibration: Calibration) -> Worked:
    inputs = json.loads(raw)
    return worked_from(
        inputs["answers"],
        private=inputs.get("private"),
        snapshot=kept_snapshot(digest),
        figures=kept_rates(rates) if rates else None,
        calibration=calibration,
    )


def worked_from(
    raw: Mapping[str, Any],
    *,
    progress: Progress | None = None,
    private: Mapping[str, Any] | None = None,
    as_of: date | None = None,
    snapshot: CatalogueSnapshot | None = None,
    figures: tuple[Rates, Mapping[str, CurrencyRate]] | None = None,
    calibration: Calibration | None = None,
) -> Worked:
    """All stages for raw answers; raises InvalidAnswers with every problem found."""
    progress = progress or _silent
    progress("Loading the catalogue", 0.02)
    state = snapshot or catalogue_snapshot(as_of)
    rates, exchange = figures or (rates_now(), currencies())
    progress("Reading the answers", 0.1)
    own = thawed(private)
    answers = read_answers(raw, today=state.as_of, names=names_of(own))
    return worked(
        answers,
        state,
        calibration=calibration or active_calibration(),
        rates=rates,
        currency_rates=exchange,
        private=own,
        progress=progress,
    )


def worked(
    answers: Answers,
    snapshot: CatalogueSnapshot,
    *,
    calibration: Calibration,
    rates: Rates,
    currency_rates: Mapping[str, CurrencyRate] | None = None,
    private: Private | None = None,
    progress: Progress | None = None,
    size: Sizer | None = None,
    split: bool = True,
    like: Worked | None = None,
) -> Worked:
    """All stages for checked answers on one state of the catalogue, at the asker's own prices.

    With `split` plans at several places are tried besides those at one place. A workload that is
    asked just as in `like`, from the same sources, is taken from there.
    """
    tell = progress or _silent
    exchange = currency_rates or shipped_currencies()
    currency = _currency(answers, exchange)
    question = question_of(
        answers,
        {model.slug: model for model in snapshot.models},
        usd_per_currency_unit=currency.usd_per_unit,
    )
    own = private or Private()
    public, public_rates = snapshot, rates
    notes = own.warnings(snapshot) + old_rate(currency, on=snapshot.as_of)
    snapshot = own.snapshot(snapshot, horizon_months=question.horizon_months)
    rates = own.rates(rates, on=snapshot.as_of)
    several = len(question.workloads) > 1
    answer = answerer(snapshot, calibration=calibration, rates=rates, size=size)
    same = like is not None and _same_sources(like, question, snapshot, rates)
    parts: list[_Part] = []
    for number, asked in enumerate(question.workloads):
        share = number / len(question.workloads)
        tell(f"Sizing and pricing {asked.name}", 0.15 + 0.7 * share)
        prefix, log = f"w{number + 1}-" if several else "", log_of(answers, asked)
        known = None
        if like is not None and same and log is None:
            known = _part_of(like, number, asked, prefix=prefix, split=split)
        parts.append(known or _part(
            asked, question, answer, log, snapshot=snapshot, calibration=calibration, rates=rates,
            prefix=prefix, split=split,
        ))  # fmt: skip
    return Worked(
        answers=answers,
        question=replace(question, workloads=tuple(part.workload for part in parts)),
        snapshot=snapshot,
        calibration=calibration,
        rates=rates,
        currency=currency,
        notes=tuple(notes),
        private=own,
        public=public,
        public_rates=public_rates,
        currencies=exchange,
        priced=tuple(part.priced for part in parts),
        decisions=tuple(part.decision for part in parts),
        splits={plan: split for part in parts for plan, split in part.splits.items()},
        pairs={plan: pair for part in parts for plan, pair in part.pairs.items()},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """One workload's share of an answer; splits and pairs by plan id."""

    workload: Workload
    priced: Priced
    decision: Decision
    splits: Mapping[str, Split]
    pairs: Mapping[str, Pair]


def _part(
    asked: Workload,
    question: Question,
    answer: Answer,
    log: Row | None,
    *,
    snapshot: CatalogueSnapshot,
    calibration: Calibration,
    rates: Rates,
    prefix: str,
    split: bool,
) -> _Part:
    """All stages of one workload, its plans named with a prefix where there are several."""
    player = _player(log, snapshot, calibration)
    sized, (priced, decision), words = sized_for_log(
        asked, player, lambda each: answer(each, question)
    )
    if words:
        decision = replace(decision, warnings=(*decision.warnings, words))
    pairs, plans = pairs_for_log(
        replace(priced, workload=asked),
        player,
        lambda each: pairs_of(each, question, snapshot=snapshot, calibration=calibration),
        lambda each: plans_apart(each, question),
    )
    if not asked.disaggregation_asked:
        least = decision.verdict.least_cost if decision.verdict else None
        plans = unless_clear(plans, least, priced.rules, rates)
    decision = with_plans(decision, plans, question)
    splits = (
        splits_for(decision, asked, question, for_places(answer, player), prefix=prefix)
        if split or decision.recommended is None
        else ()
    )
    decision = with_splits(decision, splits, question, alone=not prefix)
    return _Part(
        workload=sized,
        priced=priced,
        decision=renumbered(decision, prefix) if prefix else decision,
        splits={f"{prefix}{each.plan.id}": each for each in splits},
        pairs={f"{prefix}{plan.id}": pair for plan, pair in zip(plans, pairs, strict=True)},
    )


def _same_sources(
    done: Worked, question: Question, snapshot: CatalogueSnapshot, rates: Rates
) -> bool:
    """Whether only workloads may differ from what was worked: their own stages see nothing else."""

    def seen(each: Question) -> Question:
        return replace(each, workloads=(), assumptions=(), warnings=())

    return (
        len(question.workloads) == len(done.question.workloads)
        and seen(question) == seen(done.question)
        and snapshot == done.snapshot
        and rates == done.rates
    )


def _part_of(
    done: Worked, number: int, asked: Workload, *, prefix: str, split: bool
) -> _Part | None:
    """What was worked for the same workload; None for another, or with splits not tried now."""
    splits = {plan: each for plan, each in done.splits.items() if plan.startswith(prefix)}
    if done.question.workloads[number] != asked or (splits and not split):
        return None
    return _Part(
        workload=asked,
        priced=done.priced[number],
        decision=done.decisions[number],
        splits=splits,
        pairs={plan: each for plan, each in done.pairs.items() if plan.startswith(prefix)},
    )


def _player(
    log: Row | None, snapshot: CatalogueSnapshot, calibration: Calibration
) -> Player | None:
    """What plays a workload's log of requests on plans; None where there is no log."""
    if log is None:
        return None
    return Player(
        trace=trace_of_log(log),
        parts=snapshot.accelerators,
        calibration=calibration,
        software_month=software_month(snapshot),
    )


def answerer(
    snapshot: CatalogueSnapshot,
    *,
    calibration: Calibration,
    rates: Rates,
    size: Sizer | None = None,
) -> Answer:
    """What answers one workload of a question on one state of the catalogue."""

    def answer(workload: Workload, question: Question) -> tuple[Priced, Decision]:
        found = price_workload(
            workload, question=question, snapshot=snapshot, calibration=calibration, rates=rates,
            size=size,
        )  # fmt: skip
        return found, decide(found, question)

    return answer


def advise_on(
    answers: Answers,
    snapshot: CatalogueSnapshot,
    *,
    calibration: Calibration,
    rates: Rates,
    currency_rates: Mapping[str, CurrencyRate] | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """The result document for checked answers on one state of the catalogue."""
    done = worked(
        answers,
        snapshot,
        calibration=calibration,
        rates=rates,
        currency_rates=currency_rates,
        progress=progress,
    )
    return document_of(done, progress=progress)


def _currency(answers: Answers, known: Mapping[str, CurrencyRate]) -> CurrencyRate:
    """The dated rate of the answers' currency; raises InvalidAnswers where none is kept."""
    code = answers.assessment.text("currency").upper()
    rate = known.get(code)
    if rate is None:
        message = (
            f"no dated exchange rate of {code} is kept; there are {', '.join(sorted(known))}. "
            "Choose one of those, or add the currency in the admin"
        )
        raise InvalidAnswers([Problem(pointer="/answers/currency", message=message)])
    return rate


def _silent(stage: str, fraction: float) -> None:
    """No progress wanted."""


def document_of(done: Worked, *, progress: Progress | None = None) -> dict[str, Any]:
    """The result document: plans, reasons and figures as page, API and command line carry them."""
    (progress or _silent)("Choosing", 0.9)
    answers, question, snapshot = done.answers, done.question, done.snapshot
    decisions, calibration = list(done.decisions), done.calibration
    several = len(decisions) > 1
    fleet = _fleet(done) if several else None
    plans = [plan for decision in decisions for plan in decision.plans]
    over = over_budget(fleet, question.money) if fleet is not None else ""
    best = (None if over else fleet) if several else decisions[0].recommended
    if fleet is not None:
        plans = [fleet, *plans]
    refusal = " ".join(
        f"{decision.workload}: {decision.refusal}" if several else decision.refusal
        for decision in decisions
        if decision.refusal
    )
    refusal = over or refusal
    return {
        "schema": SCHEMA,
        "name": question.name,
        "preset": answers.preset,
        "currency": asdict(done.currency),
        "horizon_months": question.horizon_months,
        "shown_first": question.alternatives,
        "notes": question.notes,
        "engine_version": ENGINE_VERSION,
        "calibration_version": calibration.version,
        "rates_digest": rates_digest(done.public_rates, done.currencies),
        "catalog_snapshot": {"as_of": snapshot.as_of.isoformat(), "digest": snapshot.digest},
        "sentence": sentence(best, name=question.name, refusal=refusal),
        "why": _why(decisions, fleet, told_of_fleet(objective_of(question))),
        "objective": objective_document(question, decisions),
        "recommendation": None if best is None else best.as_dict(),
        "plans": [plan.as_dict() for plan in plans],
        "picks": named_picks(plans, question.money),
        "engineering": engineering(question, done.rates, best),
        "books": books_of(done.priced, plans),
        "same_job_today": [
            asdict(each)
            for priced, decision in zip(done.priced, decisions, strict=True)
            for each in same_job_today(priced, question, snapshot, decision.recommended)
        ],
        "rejected": [asdict(rejection) for d in decisions for rejection in d.rejected],
        "considered": sum(decision.considered for decision in decisions),
        "assumptions": [asdict(assumption) for assumption in question.assumptions],
        "warnings": list(
            dict.fromkeys(
                [
                    *answers.warnings,
                    *question.warnings,
                    *done.notes,
                    *(warning for decision in decisions for warning in decision.warnings),
                    *_site_warnings(question, fleet),
                ]
            )
        ),
        "set_aside": list(answers.set_aside),
        "demand": [_demand(workload) for workload in question.workloads],
        "pareto": _pareto(decisions, best),
        "mixing": [] if several or best is None else reasons_to_mix(question, done.priced[0]),
        "number_formats": _number_formats(done),
        "feeds": _feeds(done),
    }


def _undivided(decision: Decision) -> Plan:
    """The first plan of one kind of replica: what formats and storage are told of."""
    return next((p for p in decision.plans if not p.extra.get("pools")), decision.plans[0])


def _number_formats(done: Worked) -> list[dict[str, Any]]:
    """What 16, 8 and 4 bits would make of each workload's best part."""
    tables = [
        number_formats(
            _undivided(decision),
            priced,
            systems=done.snapshot.systems,
            calibration=done.calibration,
            software_month=software_month(done.snapshot),
        )
        for priced, decision in zip(done.priced, done.decisions, strict=True)
        if decision.plans
    ]
    return [table.as_dict() for table in tables if table is not None]


def _feeds(done: Worked) -> list[dict[str, Any]]:
    """What storage and failures make of each workload's best plan."""
    feeds = [
        feed_of(_undivided(decision), priced, storage_bytes_per_s=done.question.storage_bytes_per_s)
        for priced, decision in zip(done.priced, done.decisions, strict=True)
        if decision.plans
    ]
    return [feed.as_dict() for feed in feeds if feed is not None]


def _fleet(done: Worked) -> Plan | None:
    """The least-cost fleet of several workloads, as far as a second allows; None where none is."""
    setting = setting_of(done.question, done.priced, done.decisions)
    answer = None if setting is None else quick_fleet(setting, done.decisions)
    return None if answer is None else fleet_plan(answer, name=done.question.name)


def _site_warnings(question: Question, fleet: Plan | None) -> list[str]:
    """The room's power held against all own machines of a fleet together."""
    limit_w = question.site.power_w
    power_kw = fleet.extra.get("own_power_kw") if fleet is not None else None
    if limit_w is None or not isinstance(power_kw, float) or power_kw * KILO <= limit_w:
        return []
    return [
        f"All own machines together draw {power_kw:,.1f} kW; your room supplies "
        f"{limit_w / KILO:,.1f} kW."
    ]


def _why(decisions: list[Decision], fleet: Plan | None, of_fleet: str) -> list[str]:
    if len(decisions) == 1:
        return reasons(decisions[0])
    alone = " by itself" if of_fleet else ""
    found = [f"{decision.workload}{alone}: {reasons(decision)[0]}" for decision in decisions]
    if fleet is not None:
        return [*([of_fleet] if of_fleet else []), *fleet.notes, *found]
    return found


def _pareto(decisions: list[Decision], best: Plan | None) -> dict[str, Any]:
    training = all(p.kind == "training" for d in decisions for p in d.plans)
    y = "hours" if training else "e2e_p99_s"
    points = []
    for decision in decisions:
        for plan in decision.plans:
            cost, wait = plan.figures.get("monthly_cost_usd"), plan.figures.get(y)
            if cost is None or wait is None or cost.value is None or wait.value is None:
                continue
            points.append(
                {
                    "plan_id": plan.id,
                    "label": plan.name,
                    "family": plan.family,
                    "x": cost.value,
                    "y": wait.value,
                    "x_low": cost.low,
                    "x_high": cost.high,
                    "y_low": wait.low,
                    "y_high": wait.high,
                    "on_front": plan.id in decision.on_front,
                    "recommended": best is not None and plan.id == best.id,
                }
            )
    label = "time to finish (h)" if training else "end-to-end latency p99 (s)"
    return {"x_label": "cost (USD/month)", "y_label": label, "points": points}


def _demand(workload: Workload) -> dict[str, Any]:
    demand = workload.serving or workload.training
    figures = _serving_figures(workload.serving) if workload.serving else []
    figures += _training_figures(workload.training) if workload.training else []
    return {
        "workload": workload.name,
        "kind": workload.kind,
        "model": demand.model.name if demand else "",
        "figures": [
            {"label": label, "value": value, "unit": unit} for label, value, unit in figures
        ],
    }


def _serving_figures(demand: ServingDemand) -> list[tuple[str, float, str]]:
    figures = [
        ("mean rate", demand.requests_per_s_mean, f"{plural(demand.unit)}/s"),
        ("peak rate", demand.requests_per_s_peak, f"{plural(demand.unit)}/s"),
        ("hours needed", demand.active_hours_per_month, "h/month"),
        ("volume", demand.requests_per_month, f"{plural(demand.unit)}/month"),
    ]
    if demand.output_tokens > 0.0:
        fresh = demand.input_tokens * (1.0 - demand.prefix_cached_fraction)
        figures += [
            ("input at the peak", demand.requests_per_s_peak * demand.input_tokens, "tokens/s"),
            ("of it computed", demand.requests_per_s_peak * fresh, "tokens/s"),
            ("output at the peak", demand.requests_per_s_peak * demand.output_tokens, "tokens/s"),
        ]
    if demand.index_bytes > 0.0:
        figures.append(("index or tables", demand.index_bytes / GIGA, "GB"))
    return figures


def _training_figures(demand: TrainingDemand) -> list[tuple[str, float, str]]:
    flops_per_token = 4.0 if demand.task == "lora" else 6.0
    return [
        ("tokens per run", demand.tokens, "tokens"),
        (
            "arithmetic per run",
            flops_per_token * demand.model.active_params * demand.tokens,
            "FLOP",
        ),
        ("runs", demand.runs_per_month * demand.rerun_factor, "runs/month"),
    ]
