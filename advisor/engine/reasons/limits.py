"""What an answer would have to be for a limit to be gone: the ways to lift what a why-not names."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

from advisor.engine.reasons.change import Change
from advisor.engine.search.fits import (
    FAMILY_OPTION,
    HARD_REGIMES,
    TASK_OF_KIND,
    offer_refusal,
    place_refusal,
    support_of,
)
from advisor.engine.search.market import expired, open_quotes
from advisor.engine.workload import Question, Workload
from catalog.specs import AcceleratorSpec, CatalogueSnapshot, OfferSpec
from catalog.units import HOURS_PER_DAY, KILO, WEEKS_PER_MONTH

ROOM_OF_ANY_SIZE: Mapping[str, Any] = {
    "rack_kw_max": 200,
    "power_available_kw": 100_000,
    "racks_free": 10_000,
    "floor_load_kg_m2": 10_000,
}
LIQUID = ("air", "direct_to_chip")
SLACK = (1.02, 1.3)
"""How far beyond what a part reaches a target is put, nearest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifting:
    """One way to lift a limit: what to do, in words, and the change that does it."""

    label: str
    change: Change


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """What is known of a refusal when its lifting is sought."""

    limit: str
    part: AcceleratorSpec | None
    question: Question
    workload: Workload
    number: int  # of the answers' workload
    snapshot: CatalogueSnapshot
    porting_weeks: float
    reaches: Sequence[Mapping[str, float]]
    """What the part reaches of missed targets, by question id and in its unit; nearest first."""

    def of_workload(self, label: str, **answers: Any) -> Lifting:
        """A lifting by answers of the workload."""
        return Lifting(label=label, change=Change(workloads={self.number: answers}))


def of_assessment(label: str, **answers: Any) -> Lifting:
    """A lifting by answers of the assessment.

    Source: definition.
    """
    return Lifting(label=label, change=Change(answers=answers))


def liftings(refused: Refused) -> list[Lifting]:
    """Ways to lift a limit, the most natural first; none where no answer and no fact would.

    Source: the rules of `search.fits` and `choice.eligibility`, turned round.
    """
    ways = {
        "family": _family,
        "maturity": _maturity,
        "lock-in": _lockin,
        "software": _software,
        "framework": _software,
        "porting": _porting,
        "weights": _weights,
        "memory": _memory,
        "layout": _memory,
        "latency": _targets,
        "deadline": _targets,
        "offer": _offers,
        "compliance": _offers,
        "site": _site,
        "support": _support,
        "rule": _rules,
    }
    way = ways.get(refused.limit)
    return list(way(refused)) if way is not None else []


def _family(refused: Refused) -> Iterator[Lifting]:
    if refused.part is None:
        return
    option = FAMILY_OPTION[refused.part.family]
    allowed = sorted(refused.question.families_allowed | {option})
    yield of_assessment("weigh this family too", accel_families_allowed=allowed)


def _maturity(_: Refused) -> Iterator[Lifting]:
    yield of_assessment("accept announced parts", maturity_min="announced")


def _lockin(_: Refused) -> Iterator[Lifting]:
    yield of_assessment("accept dependence on one cloud", lockin_tolerance="accept")


def _software(refused: Refused) -> Iterator[Lifting]:
    """The software as if it worked: a fact, which no answer changes."""
    part = refused.part
    if part is None:
        return
    names = [TASK_OF_KIND[refused.workload.kind], *sorted(refused.question.frameworks)]
    missing = frozenset(
        (part.vendor, name)
        for name in names
        if (row := support_of(refused.snapshot.support, part, name)) is not None
        and row.status == "unsupported"
    )
    if missing:
        yield Lifting(label="if its maker's software did this", change=Change(supported=missing))


def _porting(refused: Refused) -> Iterator[Lifting]:
    months = ceil(refused.porting_weeks / WEEKS_PER_MONTH * 10.0) / 10.0
    yield of_assessment(f"accept {months:g} person-months of porting", port_effort_ok_pm=months)


def _weights(refused: Refused) -> Iterator[Lifting]:
    allowed = sorted(refused.question.deployment_allowed | {"managed_api"})
    yield of_assessment("allow a hosted API", deployment_allowed=allowed)


def _memory(refused: Refused) -> Iterator[Lifting]:
    if refused.workload.training is not None:
        yield refused.of_workload("keep the optimizer's state in host memory", offload_allowed=True)
        yield refused.of_workload("use an 8-bit optimizer", optimizer="adamw_8bit")
        return
    yield refused.of_workload("allow fewer bits", quality_loss_allowed="yes")
    for name, label in (("fp8", "8-bit weights"), ("int4", "4-bit weights")):
        yield refused.of_workload(f"run it with {label}", weight_precision=name)


def _targets(refused: Refused) -> Iterator[Lifting]:
    """A looser target: just beyond what the part reaches, then further."""
    words = {
        "slo_ttft_ms": "{:,.0f} ms to the first token",
        "slo_itl_ms": "{:,.1f} ms between tokens",
        "slo_e2e_s": "{:,.2f} s for the whole answer",
        "slo_latency_ms": "{:,.0f} ms for an answer",
        "train_deadline_days": "{:,.1f} days",
    }
    for slack in SLACK:
        for reach in refused.reaches:
            reached = {name: _beyond(name, best * slack) for name, best in reach.items()}
            accepted = " and ".join(words[name].format(at) for name, at in reached.items())
            yield refused.of_workload(f"accept {accepted}", **reached)


def _beyond(question: str, value: float) -> float:
    if question in ("slo_ttft_ms", "slo_latency_ms"):
        return float(ceil(value))
    return ceil(value * 100.0) / 100.0


def _offers(refused: Refused) -> Iterator[Lifting]:
    """Answers that let in an offer of the part which is refused now."""
    kept_out = [offer for offer in _of_part(refused) if _refusal(offer, refused, refused.question)]
    for lifting, question, workload in _looser(refused):
        changed = replace(refused, question=question, workload=workload)
        if any(not _refusal(offer, changed, question) for offer in kept_out):
            yield lifting


def _of_part(refused: Refused) -> Sequence[OfferSpec]:
    parts = {part.slug for part in refused.snapshot.accelerators}
    wanted = {refused.part.slug} if refused.part is not None else parts
    offers = (*refused.snapshot.offers, *open_quotes(refused.snapshot))
    return [offer for offer in offers if offer.accelerator_slug in wanted]


def _refusal(offer: OfferSpec, refused: Refused, question: Question) -> str | None:
    return (
        expired(offer, refused.snapshot.as_of)
        or offer_refusal(offer, question=question, workload=refused.workload)
        or place_refusal(offer, question=question)
    )


def _looser(refused: Refused) -> Iterator[tuple[Lifting, Question, Workload]]:
    question, workload = refused.question, refused.workload
    money, site = question.money, question.site
    for kind, label in (
        ("public_cloud", "allow large public clouds"),
        ("neocloud", "allow GPU clouds"),
        ("on_prem", "allow machines of your own"),
    ):
        if kind not in question.deployment_allowed:
            allowed = question.deployment_allowed | {kind}
            yield (
                of_assessment(label, deployment_allowed=sorted(allowed)),
                replace(question, deployment_allowed=allowed),
                workload,
            )
    if workload.spot_tolerance != "freely":
        yield (
            refused.of_workload("accept interruptible machines", spot_tolerance="freely"),
            question,
            replace(workload, spot_tolerance="freely"),
        )
    for months, label in ((12, "sign for a year"), (36, "sign for three years")):
        if money.commitment_max_months < months:
            yield (
                of_assessment(label, commitment_max_months=str(months), exit_notice_months=months),
                replace(question, money=replace(money, commitment_max_months=months)),
                workload,
            )
    if site.lead_time_max_weeks < LONGEST_WAIT_WEEKS:
        yield (
            of_assessment(
                "wait longer for delivery", lead_time_max_weeks=LONGEST_WAIT_WEEKS, go_live_date=""
            ),
            replace(question, site=replace(site, lead_time_max_weeks=float(LONGEST_WAIT_WEEKS))),
            workload,
        )
    if money.capex_opex in ("opex_only", "capex_only"):
        yield (
            of_assessment("buy or rent, whatever is better", capex_opex_pref="neutral"),
            replace(question, money=replace(money, capex_opex="neutral")),
            workload,
        )
    yield from _looser_places(question, workload)


LONGEST_WAIT_WEEKS = 156  # the most the questionnaire takes


def _looser_places(
    question: Question, workload: Workload
) -> Iterator[tuple[Lifting, Question, Workload]]:
    if question.residency_countries:
        yield (
            of_assessment("let the data be anywhere", residency_countries=""),
            replace(question, residency_countries=frozenset()),
            workload,
        )
    hard = question.regimes & HARD_REGIMES
    if hard:
        kept = sorted(question.regimes - HARD_REGIMES)
        yield (
            of_assessment("do without the recorded status", regimes=kept or ""),
            replace(question, regimes=frozenset(kept)),
            workload,
        )
    if question.isolation != "shared":
        yield (
            of_assessment("share machines with others", isolation="shared"),
            replace(question, isolation="shared"),
            workload,
        )


def _site(refused: Refused) -> Iterator[Lifting]:
    """A better room: liquid cooling, stronger racks, more of everything, then all at once."""
    cooling = sorted({*LIQUID, *refused.question.site.cooling})
    yield of_assessment("cool with liquid", cooling=cooling)
    for name, value in ROOM_OF_ANY_SIZE.items():
        labels = {
            "rack_kw_max": f"racks of {value} kW",
            "power_available_kw": "as much power as it takes",
            "racks_free": "as many racks as it takes",
            "floor_load_kg_m2": "a floor that bears it",
        }
        yield of_assessment(f"have {labels[name]}", **{name: value})
    yield of_assessment(
        "have a room with liquid cooling and as much power as it takes",
        cooling=cooling,
        **ROOM_OF_ANY_SIZE,
    )


def _support(_: Refused) -> Iterator[Lifting]:
    yield of_assessment("do without vendor support at the end", support_left_min_months=0)


def _rules(refused: Refused) -> Iterator[Lifting]:
    """Rules that keep a plan which is shown from being recommended."""
    yield refused.of_workload("allow fewer bits", quality_loss_allowed="yes")
    yield from _support(refused)
    yield of_assessment("accept figures from data sheets", evidence_min="estimated")
    yield refused.of_workload("run with one spare in one place", redundancy="n_plus_1")
    yield from _site(refused)
    if refused.question.money.carbon_cap_tonnes is not None:
        yield of_assessment("lift the carbon cap", carbon_cap_t="")
    if refused.workload.power_limit_w is not None:
        more = refused.workload.power_limit_w * KILO
        yield refused.of_workload("have more power at the edge", edge_power_w=more)


def deadline_days(hours: float) -> float:
    """A time in days, as the question about the deadline has it.

    Source: definition.
    """
    return hours / HOURS_PER_DAY
