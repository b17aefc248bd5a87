"""What a re-run came to for the fleet: cost, proof, and which families and contracts it mixes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from advisor.engine.cases import Floats
from advisor.engine.fleet.accounts import Bill, bill_of
from advisor.engine.fleet.answering import kinds_of
from advisor.engine.fleet.comparing import restricted
from advisor.engine.fleet.problem import Fleet
from advisor.engine.fleet.setting import Option, Setting, part_name
from advisor.engine.fleet.solving import solve_quickly
from advisor.engine.fleet.telling import kinds_text
from advisor.engine.plan import Plan
from advisor.engine.reasons.outcome import Pick

Kind = tuple[str, str]  # family and contract
COMMITTED = frozenset({"buy", "quote", "reserved_1y", "reserved_3y", "capacity_block"})
TIE = 0.005  # of the cost; two quick searches closer than this decide nothing
DRAWS = 4_000
_USED = 1e-6
_NORMAL_P90 = 1.2816  # standard deviations from the middle to an end of an 80 % range


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetOutcome:
    """The least-cost fleet of one run, as far as a quick search proves it; USD over the horizon."""

    setting: Setting
    fleet: Fleet
    bill: Bill
    bound_usd: float

    @property
    def usd(self) -> float:
        """Cost over the horizon."""
        return self.bill.total_usd

    @property
    def kinds(self) -> frozenset[Kind]:
        """Families and contracts in use: what decides whether another fleet has won."""
        return kinds_of(self.setting, self.fleet)

    @property
    def name(self) -> str:
        """The fleet in words."""
        return kinds_text(self.kinds)

    @property
    def sold(self) -> Mapping[Pick, float]:
        """USD of each part, seller and contract in use, dearest first."""
        found: dict[Pick, float] = {}
        for number, usd in self.bill.of_option.items():
            pick = _pick(self.setting.options[number])
            found[pick] = found.get(pick, 0.0) + usd
        for number, usd in self.bill.of_whole.items():
            pick = _pick_of(self.setting.plans[number])
            found[pick] = found.get(pick, 0.0) + usd
        return dict(sorted(found.items(), key=lambda each: (-each[1], repr(each[0]))))


def _pick(option: Option) -> Pick:
    offer = option.offer
    return Pick(
        accelerator=offer.accelerator_slug, provider=offer.provider, purchase=offer.purchase.value
    )


def _pick_of(plan: Plan) -> Pick:
    return Pick(accelerator=plan.accelerator_slug, provider=plan.provider, purchase=plan.purchase)


def fleet_of(setting: Setting | None) -> FleetOutcome | None:
    """The fleet of a question by the quick search; None where nothing serves everything.

    Deterministic: it stops at a gap or a number of nodes, never by the clock.

    Source: `solve_quickly`.
    """
    if setting is None:
        return None
    found = solve_quickly(setting.problem)
    if found.fleet is None:
        return None
    bill = bill_of(setting, found.fleet)
    bound = min(found.bound_usd, bill.total_usd)
    return FleetOutcome(setting=setting, fleet=found.fleet, bill=bill, bound_usd=bound)


def of_kinds(setting: Setting | None, kinds: frozenset[Kind]) -> FleetOutcome | None:
    """The least-cost fleet of some families and contracts alone; None where they do not suffice.

    Source: `restricted`.
    """
    return _kept(
        setting, lambda family, pick: pick is not None and (family, pick.purchase) in kinds
    )


def of_family(setting: Setting | None, family: str) -> FleetOutcome | None:
    """The least-cost fleet of one family in any contracts; None where it does not suffice.

    Source: `restricted`.
    """
    return _kept(setting, lambda name, _: name == family)


def without_pick(setting: Setting | None, accelerator: str) -> FleetOutcome | None:
    """The least-cost fleet without one part, of the ways left; None where they do not suffice.

    Ways that the part beat at every hour are no longer among them, so it costs at most this.

    Source: `restricted`.
    """
    return _kept(setting, lambda _, pick: pick.accelerator != accelerator)


def _kept(setting: Setting | None, keep: Callable[[str, Pick], bool]) -> FleetOutcome | None:
    if setting is None:
        return None
    options = [keep(option.family, _pick(option)) for option in setting.options]
    plans = [keep(plan.family, _pick_of(plan)) for plan in setting.plans]
    return fleet_of(restricted(setting, np.array(options, dtype=bool), plans))


def still_wins(now: FleetOutcome | None, kinds: frozenset[Kind]) -> bool:
    """Whether a mix of families and contracts still costs the least found, within a tie.

    Source: the best fleet against the best of the mix, both by the same search.
    """
    if now is None:
        return False
    if now.kinds <= kinds:
        return True
    mine = of_kinds(now.setting, kinds)
    return mine is not None and mine.usd <= now.usd * (1.0 + TIE)


def kept_at(before: FleetOutcome, setting: Setting | None) -> FleetOutcome | None:
    """The fleet kept at another demand: its families and contracts, what is signed for kept whole.

    Machines bought or reserved stay paid for, in at least the number chosen before; the rest of
    the same families and contracts follows the demand. None where that serves not everything,
    where an offer signed for is no way to serve any more, or where a whole plan is signed for.

    Source: rule stated here.
    """
    if setting is None:
        return None
    signed = {
        (each.offer.id, each.owned > 0.0): float(before.fleet.machines[number])
        for number, each in enumerate(before.setting.options)
        if each.held and before.fleet.machines[number] > _USED
    }
    least = setting.problem.least.copy()
    for number, option in enumerate(setting.options):
        held = signed.pop((option.offer.id, option.owned > 0.0), 0.0) if option.held else 0.0
        least[number] = min(max(least[number], held), setting.problem.most[number])
    if signed:
        return None
    if any(before.setting.plans[number].purchase in COMMITTED for number in before.bill.of_whole):
        return None
    problem = replace(setting.problem, least=least)
    return of_kinds(replace(setting, problem=problem), before.kinds)


def chance_cheaper(one: FleetOutcome, other: FleetOutcome) -> float:
    """How likely one fleet costs less than another, from the ranges of their parts' costs.

    Each part bought in one way moves within the 80 % range of its own bill lines, lognormally;
    the same part in both fleets moves alike, different ones apart. The other lines are the same
    unknowns in both and stay at their middles. Half of all ties count.

    Source: the bills' ranges; 4,000 draws of a fixed seed.
    """
    spread = {**_spread(other), **_spread(one)}
    order = sorted(spread, key=repr)
    normal = np.random.default_rng(0).standard_normal((DRAWS, len(order)))
    factor = {pick: np.exp(spread[pick] * normal[:, column]) for column, pick in enumerate(order)}

    def total(each: FleetOutcome) -> Floats:
        moving = each.sold
        rest = each.usd - sum(moving.values())
        drawn = np.full(DRAWS, rest)
        for pick, usd in moving.items():
            drawn += usd * factor.get(pick, 1.0)
        return drawn

    mine, theirs = total(one), total(other)
    return float(np.mean(mine < theirs) + 0.5 * np.mean(mine == theirs))


def _spread(outcome: FleetOutcome) -> dict[Pick, float]:
    """Standard deviation of the logarithm of each part's cost, from its row's range."""
    found: dict[Pick, float] = {}
    for number in outcome.bill.of_option:
        option = outcome.setting.options[number]
        if option.metered:
            continue  # a list price by the token has no range
        cost, row = outcome.setting.priced[option.load].cost, option.row
        found[_pick(option)] = _deviation(float(cost.low_usd[row]), float(cost.high_usd[row]))
    for number in outcome.bill.of_whole:
        plan = outcome.setting.plans[number]
        total = plan.figures["total_cost_usd"]
        found[_pick_of(plan)] = _deviation(total.low or 0.0, total.high or 0.0)
    return found


def _deviation(low: float, high: float) -> float:
    if not 0.0 < low < high or not np.isfinite(high):
        return 0.0
    return float(np.log(high / low) / (2.0 * _NORMAL_P90))


def parts_of(outcome: FleetOutcome) -> dict[str, str]:
    """Names of the parts in use, by slug; "" is a hosted model.

    Source: the catalogue.
    """
    found = {
        outcome.setting.options[n].offer.accelerator_slug: part_name(
            outcome.setting, outcome.setting.options[n]
        )
        for n in outcome.bill.of_option
    }
    return found | {
        outcome.setting.plans[n].accelerator_slug: outcome.setting.plans[n].accelerator
        for n in outcome.bill.of_whole
    }
