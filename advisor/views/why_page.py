"""What the page says of an explanation: sentences and rows made from its figures."""

from collections.abc import Mapping, Sequence
from typing import Any

from advisor.charts import FAMILY_LABELS
from advisor.templatetags.quantities import percent, usd
from advisor.views.documents import Document
from advisor.views.why_chart import flip_chart

PICKS = (
    ("cheapest", "Cheapest that meets the targets"),
    ("fastest", "Fastest for the budget"),
    ("robust", "Most robust"),
    ("greenest", "Least carbon"),
    ("simplest", "Simplest to run"),
)
LIMIT_LABELS: Mapping[str, str] = {
    "family": "family you left out",
    "maturity": "not on sale yet",
    "lock-in": "lock-in",
    "software": "software",
    "framework": "framework",
    "porting": "porting effort",
    "weights": "closed weights",
    "memory": "memory",
    "layout": "no known layout",
    "latency": "latency target",
    "distance": "distance to the users",
    "deadline": "deadline",
    "offer": "no usable offer",
    "compliance": "place or rules",
    "site": "your room",
    "support": "end of support",
    "rule": "a rule of yours",
    "card": "no price of a server",
}
FIRST_LINES = 4
ALMOST_NOTHING = 0.5  # USD
LITTLE = 1e-3  # of the cost, below which one choice in two layouts costs the same


def explained(document: Document) -> dict[str, Any]:
    """Everything the page's templates need, from an explanation or its quick part."""
    flips = document.get("flips")
    return {
        "explanation_document": document,
        "workloads": [_workload(each) for each in document["workloads"]],
        "several": len(document["workloads"]) > 1,
        "fleet": document.get("fleet"),
        "flips": None if flips is None else _flips(flips),
        "why_not_groups": [_why_not(each) for each in document.get("why_not", ())],
        "constraints": [_constraint(each) for each in document.get("constraints", ())],
        "targets": document.get("targets"),
        "regrets": [_regret(each) for each in document.get("regret", ())],
    }


def _workload(each: Document) -> dict[str, Any]:
    ranking = each["ranking"]
    best = ranking.get("recommended") or {}
    labels: dict[str, dict[str, Any]] = {}
    for key, label in PICKS:
        plan = ranking["picks"].get(key)
        if plan is not None:
            entry = labels.setdefault(plan["id"], {"plan": plan, "labels": []})
            entry["labels"].append(label)
    return {
        **each,
        "picks": [
            {
                "label": _joined(entry["labels"]),
                "plan": entry["plan"],
                "recommended": entry["plan"]["id"] == best.get("id"),
            }
            for entry in labels.values()
        ],
        "stable": _stable(ranking.get("stability")),
        "calls": [_call(call) for call in each["calls"]],
        "too_close": any(call["too_close"] for call in each["calls"]),
    }


def _joined(labels: Sequence[str]) -> str:
    first, rest = labels[0], [label[:1].lower() + label[1:] for label in labels[1:]]
    return ", ".join([first, *rest])


def _stable(stability: Document | None) -> str:
    """How well the first place stands small changes, in one sentence."""
    if stability is None:
        return ""
    text = (
        f"In {percent(stability['same_choice'])} of {stability['draws']} small changes of prices, "
        "speeds and priorities the same choice comes out first"
    )
    if stability["same_part"] > stability["same_choice"]:
        text += f", in {percent(stability['same_part'])} the same accelerator"
    if stability["runner_up"]:
        text += f"; otherwise mostly {stability['runner_up']}"
    return f"{text}."


def _call(call: Document) -> dict[str, Any]:
    """Who is cheaper and how sure that is, in a sentence."""
    chance = percent(call["chance"])
    if call["too_close"]:
        text = (
            f"Too close to call against {call['against']}: the chance that the recommended plan "
            f"is cheaper than {call['plan']} is {chance}."
        )
        if call["decider"]:
            text += f" What would decide it: {call['decider']}."
    else:
        text = (
            f"Against {call['against']} it is cheaper than {call['plan']} with a chance of "
            f"{chance}."
        )
    return {**call, "text": text}


def _flips(flips: Sequence[Document]) -> dict[str, Any]:
    turning = [each for each in flips if each["flips_at"] is not None]
    if turning:
        nearest = turning[0]
        change = nearest["flips_at"] / nearest["at"] - 1.0 if nearest["at"] else 1.0
        way = "rises" if change > 0.0 else "falls"
        finding = (
            f"The nearest: if {_lower(nearest['label'])} {way} by {percent(abs(change))}, "
            f"{_winner(nearest)} wins."
        )
    else:
        finding = "No single input, moved by up to a factor of four, makes another plan win."
    return {
        "rows": [{**each, "winner_text": _winner(each)} for each in flips],
        "turning": len(turning),
        "finding": finding,
        "figure": flip_chart(flips),
    }


def _winner(flip: Document) -> str:
    if flip["flips_at"] is None:
        return ""
    return str(flip["winner"]) if flip.get("winner_usd") is not None else "no plan at all"


def _lower(label: str) -> str:
    """A label inside a sentence: proper names keep their capitals."""
    words = label.split(" ")
    return " ".join([words[0].lower(), *words[1:]]) if words[0].istitle() else label


def _why_not(each: Document) -> dict[str, Any]:
    return {
        "workload": each["workload"],
        "families": [
            {
                **family,
                "label": FAMILY_LABELS.get(family["family"], family["family"]),
                "standing": _standing(family),
                "first": [_line(line) for line in family["lines"][:FIRST_LINES]],
                "rest": [_line(line) for line in family["lines"][FIRST_LINES:]],
            }
            for family in each["families"]
        ],
    }


def _standing(family: Document) -> str:
    """Where a family stands, in a sentence."""
    if family["recommended"]:
        return f"Recommended: {family['plan']}."
    if family["plan"]:
        more = family["dearer_usd"]
        if more is None:
            return f"Its cheapest plan that may be recommended is {family['plan']}."
        word = "more" if more >= 0.0 else "less"
        return f"Possible: {family['plan']} costs {usd(abs(more))} {word} over the horizon."
    return "Nothing of it may be recommended."


def _line(line: Document) -> dict[str, Any]:
    names = [part["name"] for part in line["parts"]]
    return {
        **line,
        "label": LIMIT_LABELS.get(line["limit"], line["limit"]),
        "names": ", ".join(names),
        "reason": line["parts"][0]["reason"],
        "others": line["parts"][1:],
        "what_if": _what_if(line),
    }


def _what_if(line: Document) -> str:
    """What lifting the limit would bring, in a sentence."""
    still = line["still"]
    if not line["liftings"]:
        if line["limit"] == "card":
            return "No answer of yours lifts this: ask for a quote of a server with it."
        return "No answer of yours lifts this."
    done = ", and ".join(line["liftings"])
    head = f"{done[:1].upper()}{done[1:]}: "
    if not line["appears"]:
        return f"{head}not enough. {still[:1].upper()}{still[1:]}".rstrip()
    if line["plan_usd"] is None:
        text = f"{line['plan']} appears, its price to be asked for"
    else:
        difference = line["difference_usd"]
        if difference is None:
            text = f"{line['plan']} appears, for {usd(line['plan_usd'])}"
        else:
            word = "more" if difference >= 0.0 else "less"
            text = (
                f"{line['plan']} appears, for {usd(abs(difference))} {word} than the "
                "recommended plan"
            )
    saves = line["saves_usd"]
    if saves is not None and saves > ALMOST_NOTHING:
        text += f"; the best plan then is {line['winner_after']}, which saves {usd(saves)}"
    elif saves is not None:
        text += "; the recommended plan stays the best"
    return f"{head}{text}."


def _constraint(each: Document) -> dict[str, Any]:
    cost = each["usd"]
    if each["usd_with"] is None:
        text = f"Not to be had: {each['impossible']}"
    elif cost is None:
        text = "Without it nothing can be recommended."
    elif abs(cost) < ALMOST_NOTHING:
        text = (
            "Costs nothing: the same plan wins either way."
            if each["same_choice"]
            else ("Costs nothing, yet another plan wins.")
        )
    elif each["same_choice"] and abs(each["share"] or 0.0) < LITTLE:
        word = "more" if cost > 0.0 else "less"
        text = f"Next to nothing, {usd(abs(cost))} {word}: the same choice wins in another layout."
    else:
        word = "costs" if cost > 0.0 else "saves"
        share = f" ({percent(abs(each['share']))})" if each["share"] is not None else ""
        other = "Without it" if each["holds_now"] else "With it"
        text = f"{word.capitalize()} {usd(abs(cost))}{share}. {other}: {each['winner_other']}."
    return {**each, "text": text}


def _regret(each: Document) -> dict[str, Any]:
    demand = "half" if each["factor"] < 1.0 else "double"
    if each["usd"] is None:
        text = (
            f"No figure: {each['refusal']}" if each["refusal"]
            else "The recommended choice cannot serve that demand."
        )  # fmt: skip
    elif each["usd"] < ALMOST_NOTHING:
        text = "Nothing is lost: the same choice in another size is still the best."
    else:
        text = (
            f"{usd(each['usd'])} ({percent(each['share'])}) more than {each['best']}, which would "
            "have been the best."
        )
    return {**each, "demand": demand, "text": text}
