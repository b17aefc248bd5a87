"""What each constraint costs: the difference between two runs, one with it and one without."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from advisor.engine.answers import InvalidAnswers
from advisor.engine.reasons.change import Change
from advisor.engine.reasons.outcome import Outcome, Pick
from advisor.engine.search.market import OWN_PRICE
from advisor.services.advice import Progress
from advisor.services.reasons.flips import winner_name
from advisor.services.whatif import Base, tried
from catalog.units import PERCENT

EU = (
    "AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IE", "IT",
    "LV", "LT", "LU", "MT", "NL", "PL", "PT", "RO", "SK", "SI", "ES", "SE",
)  # fmt: skip
"""Member states of the European Union, ISO 3166-1 alpha-2."""
HALF_PCT = 50.0  # the share that is priced where none is asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint:
    """A rule somebody may set: with it, without it, and which of the two the run has."""

    id: str
    label: str
    holds: bool  # the run has it
    other: Change  # to the other of the two


def prices_of_constraints(base: Base, *, progress: Progress) -> list[dict[str, Any]]:
    """Each constraint in money: cost with it less cost without it, both worked through."""
    found = []
    wanted = list(constraints_of(base))
    for number, each in enumerate(wanted):
        progress(f"Pricing: {each.label}", number / len(wanted))
        try:
            other = tried(base, each.other)
        except InvalidAnswers:
            continue
        found.append(_document(base.outcome, each, other))
    return found


def _document(own: Outcome, each: Constraint, other: Outcome) -> dict[str, Any]:
    kept, free = (own, other) if each.holds else (other, own)
    usd = kept.usd - free.usd if kept.usd is not None and free.usd is not None else None
    return {
        "id": each.id,
        "label": each.label,
        "holds_now": each.holds,
        "usd_with": kept.usd,
        "usd_without": free.usd,
        "usd": usd,
        "share": usd / free.usd if usd is not None and free.usd else None,
        "winner_with": kept.name,
        "winner_without": free.name,
        "same_choice": own.picks == other.picks,
        "winner_other": winner_name(other, own),
        "impossible": "" if kept.usd is not None else kept.refusal,
        "change": each.other.as_dict(),
    }


def constraints_of(base: Base, sold: Collection[Pick] | None = None) -> Iterator[Constraint]:
    """The constraints worth pricing for a run: those it has, and those buyers ask for.

    `sold` is what a fleet consists of; without it, the recommended plans of the workloads.
    """
    picks = sold if sold is not None else [pick for pick in base.outcome.picks if pick]
    yield from _places(base)
    yield from _sellers(base, picks)
    yield from _contracts(base)
    yield from _redundancy(base)
    yield from _others(base)
    if sold is not None:
        yield from _shares(base)


def _shares(base: Base) -> Iterator[Constraint]:
    """Most and least shares of sellers and makers, which only a fleet of several can keep."""
    question = base.worked.question
    for kind, word, most in (
        ("provider", "seller", question.single_provider_max),
        ("vendor", "maker", question.single_vendor_max),
    ):
        limited = most < 1.0
        share = most / PERCENT if limited else HALF_PCT
        yield Constraint(
            id=f"most_{kind}",
            label=f"At most {share:g} % of accelerator-hours with one {word}",
            holds=limited,
            other=Change(answers={f"single_{kind}_max_pct": 100.0 if limited else HALF_PCT}),
        )
        least = [each for each in question.least_shares if each.kind == kind and each.fraction]
        if least:
            named = ", ".join(f"{each.fraction / PERCENT:g} % {each.name}" for each in least)
            yield Constraint(
                id=f"least_{kind}",
                label=f"At least {named} of accelerator-hours",
                holds=True,
                other=Change(answers={f"{kind}_least_shares": ""}),
            )


def _places(base: Base) -> Iterator[Constraint]:
    question = base.worked.question
    countries = question.residency_countries
    if countries:
        yield Constraint(
            id="residency",
            label=f"Data only in {_listed(countries)}",
            holds=True,
            other=Change(answers={"residency_countries": ""}),
        )
    if countries != frozenset(EU):
        yield Constraint(
            id="eu_only",
            label="Data only in the European Union",
            holds=False,
            other=Change(answers={"residency_countries": list(EU)}),
        )
    if question.regimes:
        yield Constraint(
            id="regimes",
            label="The recorded status for the rules you must meet",
            holds=True,
            other=Change(answers={"regimes": ""}),
        )


def _listed(countries: frozenset[str]) -> str:
    """A few names; many are a number."""
    if countries == frozenset(EU):
        return "the European Union"
    few = 4
    return ", ".join(sorted(countries)) if len(countries) <= few else f"{len(countries)} countries"


def _sellers(base: Base, picks: Collection[Pick]) -> Iterator[Constraint]:
    """Doing without whoever makes or sells the recommended machines: the price of a second source.

    All vendors of a fleet at once, so that what is left shares no maker with it.
    """
    vendors = {part.slug: part.vendor for part in base.worked.snapshot.accelerators}
    makers = sorted({vendors[p.accelerator] for p in picks if p.accelerator in vendors})
    if makers:
        yield Constraint(
            id="no_single_vendor",
            label=f"Not from {' or '.join(makers)}: a second maker able to take over",
            holds=False,
            other=Change(without_vendors=frozenset(makers)),
        )
    # At a price of one's own there is no seller to do without.
    providers = sorted({pick.provider for pick in picks} - {OWN_PRICE})
    if providers:
        yield Constraint(
            id="no_single_provider",
            label=f"Not from {' or '.join(providers)}: a second seller able to take over",
            holds=False,
            other=Change(without_providers=frozenset(providers)),
        )
    avoids = base.worked.question.lockin == "avoid"
    yield Constraint(
        id="lock_in",
        label="Nothing that only its maker's cloud rents",
        holds=avoids,
        other=Change(answers={"lockin_tolerance": "accept" if avoids else "avoid"}),
    )


def _contracts(base: Base) -> Iterator[Constraint]:
    said = base.worked.answers
    for number, own in enumerate(said.workloads):
        if "spot_tolerance" not in own.asked:
            continue
        never = own.text("spot_tolerance") == "never"
        name = f" for {own.text('workload_name')}" if len(said.workloads) > 1 else ""
        yield Constraint(
            id=f"no_spot:{number + 1}" if name else "no_spot",
            label=f"No interruptible machines{name}",
            holds=never,
            other=Change(workloads={number: {"spot_tolerance": "freely" if never else "never"}}),
        )
    if int(said.assessment.text("commitment_max_months")) > 0:
        yield Constraint(
            id="no_commitment",
            label="No contract for a term",
            holds=False,
            other=Change(answers={"commitment_max_months": "0"}),
        )
    longest = 36
    if base.worked.question.money.commitment_max_months < longest:
        yield Constraint(
            id="short_contracts",
            label=f"No contract beyond {base.worked.question.money.commitment_max_months} months",
            holds=True,
            other=Change(
                answers={"commitment_max_months": str(longest), "exit_notice_months": longest}
            ),
        )
    owned = {"on_prem", "colocation", "hybrid", "edge"}
    allowed = base.worked.question.deployment_allowed
    if allowed & owned and allowed - owned:
        yield Constraint(
            id="rent_only",
            label="Nothing bought",
            holds=False,
            other=Change(answers={"deployment_allowed": sorted(allowed - owned)}),
        )


def _redundancy(base: Base) -> Iterator[Constraint]:
    """The spare capacity that an availability of three nines takes, against none for two."""
    said = base.worked.answers
    for number, own in enumerate(said.workloads):
        if "redundancy" not in own.asked or "availability_pct" not in own.asked:
            continue
        name = f" for {own.text('workload_name')}" if len(said.workloads) > 1 else ""
        spare = own.text("redundancy")
        with_spare = spare != "none"
        answers = (
            {"availability_pct": 99, "redundancy": "none"}
            if with_spare
            else {"availability_pct": 99.9, "redundancy": "n_plus_1"}
        )
        share = own.number("availability_pct") if with_spare else 99.9
        yield Constraint(
            id=f"availability:{number + 1}" if name else "availability",
            label=f"{share:g} % availability instead of 99 %{name}",
            holds=with_spare,
            other=Change(workloads={number: answers}),
        )


def _others(base: Base) -> Iterator[Constraint]:
    question = base.worked.question
    if question.isolation != "shared":
        yield Constraint(
            id="isolation",
            label="Machines shared with nobody",
            holds=True,
            other=Change(answers={"isolation": "shared"}),
        )
    if question.money.carbon_cap_tonnes is not None:
        yield Constraint(
            id="carbon_cap",
            label=f"At most {question.money.carbon_cap_tonnes:,.0f} t CO2e",
            holds=True,
            other=Change(answers={"carbon_cap_t": ""}),
        )
    guessed = question.evidence_min == "estimated"
    yield Constraint(
        id="measured_only",
        label="Only speeds with a measured relative behind them",
        holds=not guessed,
        other=Change(answers={"evidence_min": "derived" if guessed else "estimated"}),
    )
    supported = question.support_left_min_months > 0
    yield Constraint(
        id="support",
        label="Only parts that their maker still supports",
        holds=supported,
        other=Change(answers={"support_left_min_months": 0 if supported else 12}),
    )
