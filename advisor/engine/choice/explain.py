"""Why this plan: sentences made from the plan's own numbers."""

from advisor.engine.choice.decision import Decision, Verdict
from advisor.engine.choice.objectives import WORDS, Objective
from advisor.engine.choice.wording import money_text, seconds_text
from advisor.engine.plan import Plan

WORTH_A_SENTENCE = 0.8  # of the recommended plan's latency
_ARTICLE = {"on_demand": "rented on demand", "spot": "rented on spot", "buy": "bought",
            "reserved_1y": "reserved for a year", "reserved_3y": "reserved for three years",
            "capacity_block": "booked as a capacity block", "hosted_tokens": "paid by the token",
            "quote": "to be quoted"}  # fmt: skip


def sentence(plan: Plan | None, *, name: str, refusal: str) -> str:
    """The recommendation, or why there is none, in one sentence."""
    if plan is None:
        return f"No plan for {name} can be recommended: {refusal}"
    cost = money_text(plan.value("monthly_cost_usd"))
    if plan.kind == "fleet":
        return f"Run {name} on {plan.name}, for about {cost} a month in all."
    if plan.purchase == "hosted_tokens":
        return f"Do not deploy {name}: use {plan.name}, for about {cost} a month."
    where = " ".join(part for part in (plan.provider, plan.region) if part)
    how = _ARTICLE.get(plan.purchase, plan.purchase)
    head = (
        f"Run {name} on {plan.accelerator_count} x {plan.accelerator} at {where}, {how}, "
        f"in {plan.precision}"
    )
    hours = plan.value("hours")
    if hours is not None:
        total = money_text(plan.value("total_cost_usd"))
        return f"{head}: one run takes {hours:,.1f} h, and the horizon costs {total} in all."
    return f"{head}, for about {cost} a month."


def reasons(decision: Decision) -> list[str]:
    """Three sentences: what it costs against the next, what it meets, what nearly won.

    Before them, where something else than the least cost decided: what, and what that costs.

    Source: figures of the decision's plans; the words are ours.
    """
    best = decision.recommended
    if best is None:
        return [decision.refusal]
    found = [_against_next(best, decision), _what_it_meets(best)]
    faster = _undominated_faster(best, decision)
    return [text for text in (_objective(decision.verdict), *found, faster) if text]


def _objective(verdict: Verdict | None) -> str:
    plain = verdict is None or verdict.objective == Objective.LEAST_COST
    return "" if plain or verdict is None else verdict.sentence


def _against_next(best: Plan, decision: Decision) -> str:
    plans = decision.plans
    mine = best.value("total_cost_usd")
    others = [
        plan
        for plan in plans
        if plan.id != best.id
        and plan.meets_targets
        and plan.accelerator != best.accelerator
        and plan.value("total_cost_usd") is not None
    ]
    if mine is None or not others:
        if len(plans) > 1:
            return "No plan on other hardware has a price and meets every target."
        return "It is the only plan with a price that meets every limit."
    nearest = min(others, key=lambda plan: plan.value("total_cost_usd") or 0.0)
    theirs = nearest.value("total_cost_usd") or 0.0
    change = theirs / mine - 1.0
    word = "more" if change >= 0.0 else "less"
    tail = "" if change >= 0.0 else _why_not(nearest, decision.verdict)
    return (
        f"Over the horizon it costs {money_text(mine)}; the nearest on other hardware, "
        f"{nearest.name}, costs {_change_text(change, word)}{tail}."
    )


def _change_text(change: float, word: str) -> str:
    return "about the same" if abs(change) < 0.005 else f"{abs(change):.0%} {word}"  # noqa: PLR2004


def _why_not(cheaper: Plan, verdict: Verdict | None) -> str:
    """Why a cheaper plan is not the one: it may not be, or something else than cost decides."""
    blocked = str(cheaper.extra.get("not_recommended_because", "")).rstrip(".")
    if not blocked and verdict is not None and verdict.objective != Objective.LEAST_COST:
        return f", but does not win by {WORDS[verdict.objective]}"
    return f" but cannot be recommended: {blocked or 'it breaks a limit'}"


def _what_it_meets(best: Plan) -> str:
    hours = best.figures.get("hours")
    if hours is not None and hours.value is not None:
        return (
            f"One run takes {hours.value:,.1f} h ({hours.low:,.1f} to {hours.high:,.1f} h in four "
            f"cases of five), at {best.value('tokens_per_s_per_accelerator') or 0.0:,.0f} "
            "tokens/s on each accelerator."
        )
    first, whole = best.figures.get("ttft_p95_s"), best.figures.get("e2e_p99_s")
    if best.extra.get("is_batch"):
        rate = best.value("requests_per_s") or 0.0
        return f"It works through {rate:,.0f} items a second, so each run ends in its window."
    if first is not None and first.value is not None and first.low is not None:
        return (
            f"At the peak 95 of 100 requests see their first token within "
            f"{first.value * 1e3:,.0f} ms (range {first.low * 1e3:,.0f} to "
            f"{(first.high or 0.0) * 1e3:,.0f} ms)."
        )
    if whole is not None and whole.value is not None:
        return f"At the peak 99 of 100 requests are answered within {whole.value * 1e3:,.0f} ms."
    return best.notes[0] if best.notes else ""


def _undominated_faster(best: Plan, decision: Decision) -> str:
    mine = best.value("e2e_p99_s")
    cost = best.value("total_cost_usd")
    if mine is None or cost is None:
        return ""
    for plan in decision.plans:
        theirs, price = plan.value("e2e_p99_s"), plan.value("total_cost_usd")
        if theirs is None or price is None or plan.extra.get("not_recommended_because"):
            continue
        if plan.id in decision.on_front and theirs < WORTH_A_SENTENCE * mine and price > cost:
            return (
                f"Faster is {plan.name}: 99 of 100 answers within {seconds_text(theirs)} instead "
                f"of {seconds_text(mine)}, for {price / cost - 1.0:.0%} more."
            )
    return ""
