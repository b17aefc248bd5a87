"""The fleet of several workloads explained: every figure the difference of two solved fleets."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, log
from typing import Any

from advisor.engine.answers import InvalidAnswers
from advisor.engine.fleet.setting import Setting, setting_of
from advisor.engine.fleet.telling import FAMILIES
from advisor.engine.money.futures import too_close
from advisor.engine.reasons.change import Change, change_of
from advisor.engine.reasons.doubt import SURE_FROM
from advisor.engine.reasons.fleets import (
    FleetOutcome,
    chance_cheaper,
    fleet_of,
    kept_at,
    of_family,
    parts_of,
    still_wins,
    without_pick,
)
from advisor.engine.reasons.flips import ladder, nearest_flip
from advisor.services.advice import Progress
from advisor.services.reasons.constraints import constraints_of
from advisor.services.reasons.inputs import (
    Input,
    loads_of,
    of_assessment,
    price_input,
    speed_input,
)
from advisor.services.reasons.regret import FACTORS, scaled
from advisor.services.whatif import Base, reworked
from catalog.units import PERCENT

PRICES, SPEEDS, OF_ASSESSMENT = 3, 2, ("horizon_months", "electricity_price")
TURNED = 5  # inputs whose flip points are looked for, nearest first
LIFTED = 10  # limits that are lifted for the fleet
_NOTHING = 5e-4  # a gap that is none
_LEAST_USD = 1.0  # what two searches leave open, from which it is told


@dataclass(kw_only=True)
class FleetTrials:
    """Fleets of changed runs, each change worked and solved once."""

    base: Base
    _settings: dict[str, Setting | None] = field(default_factory=dict)
    _known: dict[str, FleetOutcome | None] = field(default_factory=dict)

    def setting(self, change: Change) -> Setting | None:
        """The fleet question after a change; raises InvalidAnswers where the change is none."""
        key = _key(change)
        if key not in self._settings:
            done = reworked(self.base, change) if change != Change() else self.base.worked
            self._settings[key] = setting_of(done.question, done.priced, done.decisions)
        return self._settings[key]

    def of(self, change: Change) -> FleetOutcome | None:
        """The fleet after a change; None where nothing serves everything."""
        key = _key(change)
        if key not in self._known:
            self._known[key] = fleet_of(self.setting(change))
        return self._known[key]


def _key(change: Change) -> str:
    return json.dumps(change.as_dict(), sort_keys=True, default=str)


def fleet_reasons(trials: FleetTrials, *, progress: Progress) -> dict[str, Any] | None:
    """The fleet's part of an explanation, without what needs the workloads' own; None: no fleet."""
    if len(trials.base.worked.decisions) < 2:  # noqa: PLR2004 -- several workloads
        return None
    own = trials.of(Change())
    if own is None:
        return None
    progress("Solving the fleet without each family", 0.0)
    rival, families = _rival(own), _families(own)
    found = {
        "name": own.name,
        "usd": own.usd,
        "bound_usd": own.bound_usd,
        "why": _why(own, rival, families),
        "calls": _calls(own, rival),
        "families": families,
    }
    constraints = list(_constraints(trials, own, progress))
    flips = _flips(trials, own, progress)
    progress("Half and double the demand", 0.95)
    return found | {
        "constraints": constraints,
        "flips": flips,
        "regret": list(_regrets(trials, own)),
        "before_signing": _before_signing(flips),
    }


def _rival(own: FleetOutcome) -> FleetOutcome | None:
    """The best fleet found without the part that most is spent on; ways it beats stay out."""
    parts = [pick.accelerator for pick in own.sold]
    return without_pick(own.setting, parts[0]) if parts else None


def _why(
    own: FleetOutcome, rival: FleetOutcome | None, families: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Three sentences: what and for how much, what mixing is worth, what the next best costs."""
    names = parts_of(own)
    first, spent = next(iter(own.sold.items()))
    gap = (own.usd - own.bound_usd) / own.usd if own.usd else 0.0
    found = [
        f"All {len(own.setting.priced)} workloads are served by {own.name} for {own.usd:,.0f} USD "
        f"over the horizon; {_proven(own.bound_usd, gap)}."
    ]
    alone = [each for each in families if each["usd"] is not None]
    best = min(alone, key=lambda each: each["usd"], default=None)
    if best is None:
        found.append("No single family serves all of them, so a mix is the only answer.")
    elif best["difference_usd"] <= own.usd - own.bound_usd:
        found.append(f"{best['label']} alone does it as cheaply: mixing families saves nothing.")
    else:
        found.append(
            f"The best fleet of one family, {best['label']}, costs {best['usd']:,.0f} USD, "
            f"{best['difference_usd']:,.0f} USD more."
        )
    share, name = spent / own.usd, names.get(first.accelerator, first.accelerator)
    told = f"The largest part, {share / PERCENT:.0f} %, goes to {name} from {first.provider}"
    if rival is None:
        found.append(f"{told}; without it no fleet was found.")
    else:
        found.append(
            f"{told}; without that part a fleet costs at most {rival.usd - own.usd:,.0f} USD more."
        )
    return found


def _proven(bound_usd: float, gap: float) -> str:
    if gap < _NOTHING:
        return "no fleet within your limits costs less"
    return (
        f"no fleet within your limits costs less than {bound_usd:,.0f} USD "
        f"({gap / PERCENT:.1f} % below)"
    )


def _calls(own: FleetOutcome, rival: FleetOutcome | None) -> list[dict[str, Any]]:
    if rival is None:
        return []
    chance = chance_cheaper(own, rival)
    return [
        {
            "against": "the best fleet found without its leading part",
            "plan": rival.name,
            "usd": rival.usd,
            "chance": chance,
            "sure_from": SURE_FROM,
            "too_close": too_close(chance) or chance < SURE_FROM,
        }
    ]


def _families(own: FleetOutcome) -> list[dict[str, Any]]:
    """Each family on its own, solved: what a fleet of it alone costs more."""
    used = {family for family, _ in own.kinds}
    known = {option.family for option in own.setting.options}
    known |= {plan.family for plan in own.setting.plans}
    found = []
    for family in sorted(known):
        alone = of_family(own.setting, family)
        found.append(
            {
                "family": family,
                "label": FAMILIES.get(family, family),
                "in_fleet": family in used,
                "usd": None if alone is None else alone.usd,
                "difference_usd": None if alone is None else alone.usd - own.usd,
            }
        )
    return found


def _constraints(
    trials: FleetTrials, own: FleetOutcome, progress: Progress
) -> Iterator[dict[str, Any]]:
    """Each constraint in money, with what the two searches leave open as its range."""
    wanted = list(constraints_of(trials.base, list(own.sold)))
    for number, each in enumerate(wanted):
        progress(f"Pricing for the fleet: {each.label}", 0.05 + 0.3 * number / len(wanted))
        try:
            other = trials.of(each.other)
        except InvalidAnswers:
            continue
        kept, free = (own, other) if each.holds else (other, own)
        both = kept is not None and free is not None
        yield {
            "id": each.id,
            "label": each.label,
            "holds_now": each.holds,
            "usd_with": kept.usd if kept else None,
            "usd_without": free.usd if free else None,
            "usd": kept.usd - free.usd if kept and free else None,
            "low_usd": kept.bound_usd - free.usd if kept and free else None,
            "high_usd": kept.usd - free.bound_usd if kept and free else None,
            "is_open": bool(
                kept and free and kept.usd - kept.bound_usd + free.usd - free.bound_usd > _LEAST_USD
            ),
            "same_choice": both and own.kinds == (other.kinds if other else None),
            "winner_with": kept.name if kept else None,
            "winner_without": free.name if free else None,
            "change": each.other.as_dict(),
        }


def _inputs(base: Base, own: FleetOutcome) -> Iterator[Input]:
    """The inputs looked at: prices and speeds of the leading parts, demands, what holds for all."""
    names = parts_of(own)
    picks = list(own.sold)
    for pick in picks[:PRICES]:
        yield price_input(pick, names.get(pick.accelerator, pick.accelerator))
    for slug in list(dict.fromkeys(pick.accelerator for pick in picks if pick.accelerator))[
        :SPEEDS
    ]:
        yield speed_input(slug, names.get(slug, slug))
    yield from loads_of(base)
    yield from (each for each in of_assessment(base) if each.question in OF_ASSESSMENT)


def _flips(trials: FleetTrials, own: FleetOutcome, progress: Progress) -> list[dict[str, Any]]:
    """The inputs that move the fleet's cost most, each with the nearest value that turns it."""
    entries = list(_inputs(trials.base, own))
    screened = []
    for number, entry in enumerate(entries):
        progress(f"Trying for the fleet: {entry.label}", 0.35 + 0.2 * number / len(entries))
        screened.append((entry, _moves(trials, own, entry)))
    screened.sort(key=lambda each: (not each[1][0], -each[1][1], each[0].id))
    found = []
    for number, (entry, _) in enumerate(screened[:TURNED]):
        stage = f"Looking where {entry.label} turns the fleet"
        progress(stage, 0.55 + 0.4 * number / TURNED)
        found.append(_turn(trials, own, entry))
    return sorted(found, key=lambda each: (each["flips_at"] is None, each["distance"] or inf))


def _same(trials: FleetTrials, own: FleetOutcome, entry: Input, value: float) -> bool:
    try:
        return still_wins(trials.of(entry.change(value)), own.kinds)
    except InvalidAnswers:
        return True


def _moves(trials: FleetTrials, own: FleetOutcome, entry: Input) -> tuple[bool, float]:
    """Whether one step turns the fleet, and by how much it moves the cost, as a fraction."""
    steps = ladder(entry.at, low=entry.low, high=entry.high, whole=entry.whole)
    value = next((value for value, _ in steps), entry.at)
    try:
        now = trials.of(entry.change(value))
    except InvalidAnswers:
        return False, 0.0
    moved = inf if now is None else abs(now.usd / own.usd - 1.0)
    return not still_wins(now, own.kinds), moved


def _turn(trials: FleetTrials, own: FleetOutcome, entry: Input) -> dict[str, Any]:
    flip = nearest_flip(
        lambda value: _same(trials, own, entry, value),
        at=entry.at, low=entry.low, high=entry.high, whole=entry.whole, close_enough=0.02,
    )  # fmt: skip
    found: dict[str, Any] = {
        "input": entry.id,
        "label": entry.label,
        "unit": entry.unit,
        "workload": entry.workload,
        "at": entry.at,
        "holds_at": None,
        "flips_at": None,
        "winner": None,
        "winner_usd": None,
        "change": None,
        "distance": None,
    }
    if flip is None:
        return found
    now = trials.of(entry.change(flip.flips_at))
    near = entry.at > 0.0 and flip.flips_at > 0.0
    return found | {
        "holds_at": flip.holds_at,
        "flips_at": flip.flips_at,
        "winner": now.name if now else "no fleet",
        "winner_usd": now.usd if now else None,
        "change": entry.change(flip.flips_at).as_dict(),
        "change_before": entry.change(flip.holds_at).as_dict(),
        "distance": abs(log(flip.flips_at / entry.at)) if near else 1.0,
    }


def _regrets(trials: FleetTrials, own: FleetOutcome) -> Iterator[dict[str, Any]]:
    """For half and double every load: the fleet kept, against the fleet made with that known."""
    for factor in FACTORS:
        change = scaled(trials.base, factor)
        if change is None:
            continue
        try:
            best = trials.of(change)
            kept = kept_at(own, trials.setting(change))
        except InvalidAnswers:
            continue
        usd = max(kept.usd - best.usd, 0.0) if kept and best else None
        yield {
            "factor": factor,
            "best": best.name if best else None,
            "best_usd": best.usd if best else None,
            "kept_usd": kept.usd if kept else None,
            "usd": usd,
            "share": usd / best.usd if usd is not None and best and best.usd else None,
            "same_choice": best is not None and best.kinds == own.kinds,
            "change": change.as_dict(),
        }


def _before_signing(flips: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The three nearest flip points as what to find out, each with its threshold."""
    near = [each for each in flips if each["flips_at"] is not None][:3]
    return [
        {
            "what": _ask(each),
            "threshold": each["holds_at"],
            "unit": each["unit"],
            "passes": f"The fleet stands at {each['holds_at']:,.4g} {each['unit']}; at "
            f"{each['flips_at']:,.4g} it is {each['winner']}.",
        }
        for each in near
    ]


def _ask(flip: Mapping[str, Any]) -> str:
    kind = str(flip["input"]).split(":", 1)[0]
    asks = {"price": "Get a binding quote: {}", "speed": "Measure with your own requests: {}"}
    return asks.get(kind, "Confirm before you sign: {}").format(flip["label"])


def lifted_limits(
    trials: FleetTrials, why_not: Sequence[Mapping[str, Any]], *, progress: Progress
) -> list[dict[str, Any]]:
    """What keeps groups out of the fleet, each limit lifted as its workload's own why-not says.

    One line a family and limit, the first lifting that brings something to the workload; the
    fleet is solved with it, and the difference is the limit's price.
    """
    own = trials.of(Change())
    if own is None:
        return []
    found: dict[str, dict[str, Any]] = {}
    for workload in why_not:
        for family in workload["families"]:
            seen: set[str] = set()
            for line in family["lines"]:
                if not line["change"] or not line["appears"] or line["limit"] in seen:
                    continue
                seen.add(line["limit"])
                key = _key(change_of(line["change"]))
                if key not in found and len(found) < LIFTED:
                    progress(f"Lifting for the fleet: {line['limit']}", len(found) / LIFTED)
                    found[key] = _lifted(trials, own, line, str(workload["workload"]))
    return list(found.values())


def _lifted(
    trials: FleetTrials, own: FleetOutcome, line: Mapping[str, Any], workload: str
) -> dict[str, Any]:
    now = trials.of(change_of(line["change"]))
    family = str(line["family"])
    return {
        "family": family,
        "label": FAMILIES.get(family, family),
        "workload": workload,
        "limit": line["limit"],
        "liftings": line["liftings"],
        "parts": [part["name"] for part in line["parts"]],
        "in_fleet": now is not None and any(family == each for each, _ in now.kinds),
        "usd": now.usd if now else None,
        "saves_usd": own.usd - now.usd if now else None,
        "winner": now.name if now else None,
        "change": line["change"],
    }
