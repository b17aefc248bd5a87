"""Check a set-up somebody has in mind, and a quote somebody was sent."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from advisor.engine.answers import InvalidAnswers, Problem
from advisor.engine.reasons.change import Change
from advisor.engine.reasons.outcome import may_be_recommended
from advisor.engine.reasons.quote_lines import read_quote
from advisor.services.advice import Worked, worked, worked_from
from advisor.services.reasons.inputs import loads_of
from advisor.services.whatif import Base, based_on, reworked
from catalog.engine.spellings import Spellings
from catalog.queries import find_accelerator
from catalog.queries import snapshot as catalogue_snapshot
from catalog.specs import AcceleratorSpec, CatalogueSnapshot, Purchase
from costing.engine.rates import CurrencyRate
from costing.queries import currencies

ROUNDS = 8
LEAST_LOAD, MOST_LOAD = 1.0 / 64.0, 64.0
MOST_COUNT = 100_000
LONGEST_QUOTE = 50_000


def check_setup(raw: Mapping[str, Any], *, accelerator: str, count: int) -> dict[str, Any]:
    """Whether so many of a part hold each workload, what they lack, and what beats them.

    The part alone is sized for the workload; the load it carries is found by halving. Raises
    InvalidAnswers where the answers, the part or the count cannot be used.
    """
    slug = find_accelerator(accelerator)
    problems = []
    if slug is None:
        problems.append(
            Problem(pointer="/accelerator", message="name an accelerator of the catalogue")
        )
    if not 1 <= count <= MOST_COUNT:
        problems.append(
            Problem(pointer="/count", message=f"type a whole number from 1 to {MOST_COUNT:,}")
        )
    if problems or slug is None:
        raise InvalidAnswers(problems)
    done = worked_from(raw)
    part = next(each for each in done.snapshot.accelerators if each.slug == slug)
    alone = _alone(raw, done, part)
    return {
        "accelerator": part.name,
        "count": count,
        "name": done.question.name,
        "catalog_snapshot": {
            "as_of": done.snapshot.as_of.isoformat(), "digest": done.snapshot.digest,
        },
        "workloads": [
            _verdict(done, alone, at, part, count) for at in range(len(done.decisions))
        ],
    }  # fmt: skip


def _alone(raw: Mapping[str, Any], done: Worked, part: AcceleratorSpec) -> Base:
    """The same question with nothing but this part in the catalogue."""
    only = replace(done.public, accelerators=(part,))
    found = worked(
        done.answers, only, calibration=done.calibration, rates=done.public_rates,
        currency_rates=done.currencies, private=done.private,
    )  # fmt: skip
    return based_on(raw, found)


def _verdict(
    done: Worked, alone: Base, at: int, part: AcceleratorSpec, count: int
) -> dict[str, Any]:
    decision, own = done.decisions[at], alone.worked.decisions[at]
    needed = accelerators_needed(alone.worked, at)
    rejected = [each for each in own.rejected if each.accelerator == part.name]
    plans = [plan for plan in own.plans if plan.accelerator_slug == part.slug]
    priced = [plan for plan in plans if may_be_recommended(plan)]
    mine = min(priced, key=lambda plan: plan.value("total_cost_usd") or 0.0, default=None)
    best = decision.recommended
    usd = mine.value("total_cost_usd") if mine else None
    least = best.value("total_cost_usd") if best else None
    holds = needed is not None and needed <= count
    return {
        "workload": decision.workload,
        "holds": holds,
        "needed": needed,
        "lacks": max(needed - count, 0) if needed is not None else None,
        "carries": _carries(alone, at, count),
        "reasons": [each.reason for each in rejected],
        "blocked": sorted(
            {str(plan.extra.get("not_recommended_because")) for plan in plans if not priced} - {""}
        ),
        "plan": mine.name if mine else None,
        "plan_usd": usd,
        "best": best.name if best else None,
        "best_usd": least,
        "beaten_by_usd": usd - least if usd is not None and least is not None else None,
        "is_best": best is not None and best.accelerator_slug == part.slug,
    }


def accelerators_needed(done: Worked, at: int) -> int | None:
    """The fewest accelerators of any layout that meets all targets; None where none does."""
    sizing = done.priced[at].sizing
    rows = np.flatnonzero(sizing.meets)
    if len(rows) == 0:
        return None
    return int((sizing.replicas[rows] * sizing.chips_per_replica[rows]).min())


def _carries(alone: Base, at: int, count: int) -> float | None:
    """The multiple of the load that so many accelerators carry, within 2 %; None where none."""
    loads = list(loads_of(alone))
    if len(loads) < alone.workload_count:
        return None

    def enough(factor: float) -> bool:
        change = Change()
        for entry in loads:
            value = min(max(entry.at * factor, entry.low), entry.high)
            change = change.and_also(entry.change(max(round(value), 1) if entry.whole else value))
        try:
            needed = accelerators_needed(reworked(alone, change), at)
        except InvalidAnswers:
            return False
        return needed is not None and needed <= count

    held, failed = (1.0, MOST_LOAD) if enough(1.0) else (LEAST_LOAD, 1.0)
    if held == LEAST_LOAD and not enough(held):
        return 0.0
    for _ in range(ROUNDS):
        middle = (held * failed) ** 0.5
        held, failed = (middle, failed) if enough(middle) else (held, middle)
    return held


def check_quote(text: str, *, currency: str = "") -> dict[str, Any]:
    """A pasted quote against the catalogue: what was read, what is dear, what is missing.

    Its lines stay in its currency: the one it names, else `currency`, else USD; prices are compared
    in USD at a dated rate. Raises InvalidAnswers where there is nothing to read or no rate.
    """
    if not text.strip() or len(text) > LONGEST_QUOTE:
        message = f"paste the lines of a quote, at most {LONGEST_QUOTE:,} characters"
        raise InvalidAnswers([Problem(pointer="/text", message=message)])
    snapshot = catalogue_snapshot()
    quote = read_quote(text, Spellings(snapshot.accelerators, models=False).find)
    rate = _rate_of(quote.currencies, currency.strip().upper(), currencies())
    hardware = [line for line in quote.lines if line.kind == "hardware"]
    off = quote.stated_total is not None and abs(quote.stated_total - quote.sum) > max(
        0.01 * quote.sum, 1.0
    )
    return {
        "currency": {
            "code": rate.code, "name": rate.name, "usd_per_unit": rate.usd_per_unit,
            "observed_on": rate.observed_on, "source": rate.source,
        },
        "lines": [asdict(line) for line in quote.lines],
        "unread": [{"number": number, "text": line} for number, line in quote.unread],
        "sum": quote.sum,
        "sum_usd": quote.sum * rate.usd_per_unit,
        "stated_total": quote.stated_total,
        "total_differs": off,
        "missing": [
            {"item": item, "ask": ask} for item, ask in quote.missing.items()
        ] if hardware else [],
        "prices": [
            _against(snapshot, line.accelerator, line.what, line.each * rate.usd_per_unit)
            for line in hardware
        ],
        "catalog_snapshot": {"as_of": snapshot.as_of.isoformat(), "digest": snapshot.digest},
    }  # fmt: skip


def _rate_of(named: Sequence[str], asked: str, known: Mapping[str, CurrencyRate]) -> CurrencyRate:
    """The dated rate of a quote's one currency; raises InvalidAnswers where it is not clear."""
    codes = [code for code in named if " or " not in code]
    codes += [code for code in (asked,) if code and code not in codes]
    if not codes and named:
        message = f"a sign in the quote may mean {named[0]}: choose which"
        raise InvalidAnswers([Problem(pointer="/currency", message=message)])
    if len(codes) > 1:
        message = (
            f"the quote is in {' and '.join(codes)} at once: paste the lines of one currency, "
            "and choose that one"
        )
        raise InvalidAnswers([Problem(pointer="/currency", message=message)])
    code = codes[0] if codes else "USD"
    if code not in known:
        there = ", ".join(sorted(known))
        message = f"no dated exchange rate of {code} is kept; there are {there}"
        raise InvalidAnswers([Problem(pointer="/currency", message=message)])
    return known[code]


def _against(snapshot: CatalogueSnapshot, slug: str, what: str, usd: float) -> dict[str, Any]:
    """A quoted price beside what the catalogue knows of buying that part, by the accelerator.

    How many accelerators the quoted thing has is the count among the catalogue's systems of
    that part whose known price for one is nearest; both are shown, so that it can be checked.
    """
    part = next(each for each in snapshot.accelerators if each.slug == slug)
    known = [
        offer for offer in snapshot.offers
        if offer.accelerator_slug == slug and offer.purchase == Purchase.BUY and offer.usd
    ]  # fmt: skip
    each = sorted((offer.usd or 0.0) / max(offer.accelerator_count, 1.0) for offer in known)
    sizes = sorted({max(offer.accelerator_count, 1.0) for offer in known} | {1.0} | {
        float(system.accelerator_count) for system in snapshot.systems
        if system.accelerator_slug == slug
    })  # fmt: skip
    middle = each[len(each) // 2] if each else None
    size = None if middle is None else min(sizes, key=lambda n: abs(np.log(usd / n / middle)))
    quoted = usd / size if size else None
    return {
        "accelerator": part.name,
        "what": what,
        "usd": usd,
        "accelerators": size,
        "usd_per_accelerator": quoted,
        "low": each[0] if each else None,
        "high": each[-1] if each else None,
        "ratio": quoted / middle if quoted and middle else None,
        "offers": [
            {
                "name": f"{offer.provider}, {offer.instance_type}",
                "usd": offer.usd,
                "accelerators": offer.accelerator_count,
                "observed_on": offer.observed_on.isoformat() if offer.observed_on else None,
                "confidence": offer.confidence,
                "source": offer.source,
            }
            for offer in known
        ],
    }
