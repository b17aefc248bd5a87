"""Before you sign: the three measurements or quotes worth most, and what waiting is worth."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from advisor.engine.answers import InvalidAnswers
from advisor.engine.choice.decision import Decision
from advisor.engine.plan import Plan
from advisor.engine.reasons.change import Change, OfferPrice
from advisor.engine.reasons.doubt import UNKNOWNS, Doubt, Unknown
from advisor.engine.reasons.flips import nearest_flip
from advisor.engine.reasons.measurements import benchmark_of
from advisor.engine.reasons.outcome import Pick, pick_of
from advisor.services.reasons.inputs import Input, inputs_of
from advisor.services.whatif import Base, picks_after, tried
from catalog.units import PERCENT

SHOWN = 3
MATTERS = 0.05  # share of the doubt below which an unknown worth nothing is left out
ORDINARY = {
    "load": ("w{number}:load", "Log the requests of two weeks: how many, when, how long."),
    "growth_per_month": (
        "w{number}:growth_month_pct",
        "Ask the product owner for a plan with numbers, month by month.",
    ),
    "power_price": ("electricity_price", "Get a written price of electricity for the term."),
    "failures": (
        "",
        "Ask for the failure rate of this machine in service, and for spares within a day.",
    ),
    "price_trend": (
        "",
        "Ask for a price guarantee, or a clause that follows the market down.",
    ),
}


def before_signing(base: Base, at: int, doubt: Doubt) -> list[dict[str, Any]]:
    """The three things to find out first for one workload, each with how and what would do.

    Ordered by what knowing it saves on average before the choice is made, then by how much of
    the doubt between the two nearest plans it takes away; one of the three is a measurement of
    the recommended plan, which sizes it whatever the choice.
    """
    matter = [each for each in doubt.unknowns if each.worth_usd >= 1.0 or each.narrows >= MATTERS]
    speed = [each for each in doubt.unknowns if each.id == "performance" and each.plan == 0]
    first = matter[:SHOWN]
    if speed and speed[0] not in first:
        first = [*first[: SHOWN - 1], speed[0]]
    return [_document(base, at, doubt, unknown) for unknown in first]


def _document(base: Base, at: int, doubt: Doubt, unknown: Unknown) -> dict[str, Any]:
    plan = doubt.contenders[unknown.plan] if unknown.plan is not None else None
    found: dict[str, Any] = {
        "unknown": UNKNOWNS[unknown.id].format(plan=plan.name if plan else ""),
        "kind": "measurement" if unknown.id in ("performance", "load") else "quote",
        "plan": plan.name if plan else None,
        "worth_usd": unknown.worth_usd,
        "narrows": unknown.narrows,
        "commands": [],
        "usd": None,
        "cost_basis": "",
        "what": "",
        "passes": "",
        "threshold": None,
    }
    if plan is None:
        return found | _shared(base, at, unknown)
    if unknown.id == "price":
        return found | _quote(base, at, plan)
    bench = benchmark_of(plan, base.worked.question.workloads[at], base.worked.snapshot)
    one = f"one replica on {bench.accelerators} x {plan.accelerator}"
    return found | {
        "what": f"Measure {bench.what or one}: {bench.reads}.",
        "commands": list(bench.commands),
        "usd": bench.usd,
        "cost_basis": bench.cost_basis,
        **_speed_threshold(base, at, plan),
    }


def _shared(base: Base, at: int, unknown: Unknown) -> dict[str, Any]:
    name, what = ORDINARY.get(unknown.id, ("", ""))
    entry = next(iter(_inputs(base, at, name)), None) if name else None
    if entry is None:
        return {"what": what}
    flip = _flip(base, at, entry)
    if flip is None:
        return {
            "what": what,
            "passes": f"No value of “{entry.label}” within a factor of four changes the choice.",
        }
    side = "below" if flip > entry.at else "above"
    return {
        "what": what,
        "passes": f"{entry.label} stays {side} {flip:,.4g} {entry.unit}; "
        f"{entry.at:,.4g} was answered.",
        "threshold": flip,
    }


def _inputs(base: Base, at: int, name: str) -> Iterator[Input]:
    """The answered input behind an unknown; the load is the first that was asked."""
    number = next(
        (n for n, said in enumerate(base.worked.answers.workloads)
         if base.worked.decisions[at].workload.startswith(said.text("workload_name"))), 0
    )  # fmt: skip
    wanted = name.format(number=number + 1)
    for entry in inputs_of(base):
        is_load = wanted.endswith(":load") and entry.number == number and entry.question in _LOADS
        if entry.id == wanted or is_load:
            yield entry
            return


_LOADS = frozenset({
    "users_total_k", "rps_mean", "requests_month_m", "tokens_month_b", "batch_items_m",
    "vision_streams", "speech_streams_peak", "train_tokens_b", "ft_examples_k",
})  # fmt: skip


def _flip(base: Base, at: int, entry: Input) -> float | None:
    before = base.outcome.picks[at]
    flip = nearest_flip(
        lambda value: _picks(base, entry.change(value), at) == before,
        at=entry.at, low=entry.low, high=entry.high, whole=entry.whole,
    )  # fmt: skip
    return flip.flips_at if flip is not None else None


def _picks(base: Base, change: Change, at: int) -> Pick | None:
    """The choice for one workload after a change; as it was where the change is refused."""
    try:
        return picks_after(base, change)[at]
    except InvalidAnswers:
        return base.outcome.picks[at]


def _is_best(base: Base, at: int, plan: Plan) -> bool:
    return pick_of(plan) == base.outcome.picks[at]


def _speed_threshold(base: Base, at: int, plan: Plan) -> dict[str, Any]:
    """How fast the recommended part must be to stay it, or a rival to take its place."""
    best = _is_best(base, at, plan)
    slug = plan.accelerator_slug
    before = base.outcome.picks[at]
    flip = nearest_flip(
        lambda factor: _picks(base, Change(speeds={slug: factor}), at) == before,
        at=1.0, low=0.25 if best else 1.0, high=1.0 if best else 4.0, whole=False,
    )  # fmt: skip
    if flip is None:
        way = "even a quarter of the computed speed" if best else "even four times that speed"
        return {"passes": f"The choice stays at {way}; measure to size it, not to choose it."}
    factor = flip.holds_at if best else flip.flips_at
    name, unit = _rate_of(plan)
    value = plan.value(name)
    rate = f", {value * factor:,.0f} {unit}" if value else ""
    verdict = "keeps" if best else "would take"
    return {
        "passes": f"At {factor:.0%} of the computed speed or more{rate}, it {verdict} its place."
        if best
        else f"From {factor:.0%} of the computed speed on{rate}, it {verdict} the first place.",
        "threshold": factor,
    }


def _rate_of(plan: Plan) -> tuple[str, str]:
    if plan.kind == "training":
        return "tokens_per_s_per_accelerator", "tokens/s on each accelerator"
    if plan.value("output_tokens_per_s"):
        return "output_tokens_per_s", "output tokens/s in all"
    return "samples_per_s", "samples/s in all"


def _quote(base: Base, at: int, plan: Plan) -> dict[str, Any]:
    """The price at which the recommended plan loses its place, or a rival takes it."""
    best = _is_best(base, at, plan)
    before = base.outcome.picks[at]
    price = OfferPrice(
        accelerator=plan.accelerator_slug, provider=plan.provider, purchase=plan.purchase,
        factor=1.0,
    )  # fmt: skip

    def same(factor: float) -> bool:
        moved = OfferPrice(
            accelerator=price.accelerator, provider=price.provider, purchase=price.purchase,
            factor=factor,
        )  # fmt: skip
        return _picks(base, Change(prices=(moved,)), at) == before

    flip = nearest_flip(
        same, at=1.0, low=1.0 if best else 0.25, high=4.0 if best else 1.0, whole=False
    )
    what = f"Ask {plan.provider} for a binding quote of {plan.name}, valid until you sign."
    if flip is None:
        return {"what": what, "passes": "No price within a factor of four changes the choice."}
    factor = flip.holds_at if best else flip.flips_at
    usd, unit, each = _price_now(plan)
    amount = (
        f", {_amount(usd * factor, unit)} instead of {_amount(usd, unit)} {each}" if usd else ""
    )
    return {
        "what": what,
        "passes": f"It stays the choice up to a price {_moved(factor)}{amount}."
        if best
        else f"It would be the choice from a price {_moved(factor)}{amount}.",
        "threshold": factor,
    }


_WHOLE_FROM = 100.0  # USD, from which cents are left out


def _price_now(plan: Plan) -> tuple[float | None, str, str]:
    for name, unit in (("usd_per_h", "USD/h"), ("usd", "USD")):
        value = plan.price.get(name)
        if isinstance(value, int | float):
            return float(value), unit, f"for {plan.price.get('unit', 'it')}"
    return None, "", ""


def _amount(usd: float, unit: str) -> str:
    return f"{usd:,.0f} {unit}" if usd >= _WHOLE_FROM else f"{usd:,.2f} {unit}"


def _moved(factor: float) -> str:
    return f"{abs(factor - 1.0) / PERCENT:.1f} % {'higher' if factor >= 1.0 else 'lower'}"


def doubt_document(doubt: Doubt) -> dict[str, Any]:
    """The chances as JSON carries them."""
    return {
        "cheapest_chance": doubt.cheapest_chance,
        "against": [
            {"plan": plan.name, "accelerator": plan.accelerator, "provider": plan.provider,
             "chance": chance, "usd": plan.value("total_cost_usd")}
            for plan, chance in zip(doubt.contenders, doubt.chance, strict=True)
            if chance == chance  # the plan itself has none
        ],
        "unknowns": [
            asdict(unknown)
            | {
                "label": UNKNOWNS[unknown.id].format(
                    plan=doubt.contenders[unknown.plan].name if unknown.plan is not None else ""
                )
            }
            for unknown in doubt.unknowns
        ],
    }  # fmt: skip


def waiting(base: Base, at: int, decision: Decision) -> list[dict[str, Any]]:
    """What waiting for each announced part would be worth, at the price its maker may ask.

    The part is let in; at the recommended part's price for an accelerator the saving over the
    horizon is what waiting could bring, a month of waiting costs a month of today's plan.
    """
    plan = decision.recommended
    if plan is None or base.worked.question.maturity_min == "announced":
        return []
    monthly = plan.value("monthly_cost_usd")
    announced = {
        part.slug: part for part in base.worked.snapshot.accelerators
        if part.lifecycle == "announced"
    }  # fmt: skip
    found = []
    for system, offer in base.quotes.items():
        part = announced.get(offer.accelerator_slug)
        usd = _same_price(plan, offer.accelerator_count)
        if part is None or usd is None or offer.purchase.value != "quote":
            continue
        change = Change(answers={"maturity_min": "announced"}, quotes={system: usd})
        outcome = tried(base, change)
        theirs = [
            each for each in outcome.decisions[at].plans
            if each.accelerator_slug == part.slug and each.value("total_cost_usd") is not None
            and each.meets_targets
        ]  # fmt: skip
        mine = plan.value("total_cost_usd") or 0.0
        least = min((each.value("total_cost_usd") or 0.0 for each in theirs), default=None)
        found.append(
            {
                "part": part.name,
                "system": offer.instance_type,
                "note": part.note,
                "source": part.source,
                "at_usd_per_accelerator": usd / max(offer.accelerator_count, 1.0),
                "usd": least,
                "saves_usd": mine - least if least is not None else None,
                "month_usd": monthly,
                "worth_months": (mine - least) / monthly if least is not None and monthly else None,
                "change": change.as_dict(),
            }
        )
    return found


def _same_price(plan: Plan, accelerators: float) -> float | None:
    """The price of a system at the recommended plan's own purchase price for an accelerator."""
    usd = plan.price.get("usd")
    if not isinstance(usd, int | float) or plan.accelerator_count == 0:
        return None
    each = float(usd) * plan.system_count / plan.accelerator_count
    return each * accelerators
