"""The user's limits on a fleet as a whole: money, power, racks, carbon, shares."""

from collections.abc import Sequence

import numpy as np

from advisor.engine.cases import Bools, Floats
from advisor.engine.fleet.prices import MANY, hours, machines
from advisor.engine.fleet.problem import FleetProblem, Limit
from advisor.engine.fleet.shares import share_limits
from advisor.engine.fleet.weeks import HOURS_PER_WEEK
from advisor.engine.plan import Plan
from advisor.engine.search.fits import deployment_kind
from advisor.engine.search.river import Priced
from advisor.engine.workload import Question
from catalog.specs import OfferSpec
from catalog.units import GRAMS_PER_TONNE, KILO

RACK_UNITS = 42.0  # of one rack
_KG_PER_TONNE = GRAMS_PER_TONNE / KILO


def limits_of(
    problem: FleetProblem,
    question: Question,
    priced: Sequence[Priced],
    options: Sequence[tuple[OfferSpec, int, int]],
    plans: Sequence[Plan],
    *,
    capex_usd: Floats,
    owned: Bools,
) -> tuple[Limit, ...]:
    """Limits that hold for all machines together, each linear in machines, hours and plans.

    Source: the answers of the assessment.
    """
    zero, none = np.zeros(len(options)), np.zeros(len(plans))
    first_pool = np.array([
        int(np.flatnonzero(problem.pool_option == number)[0]) for number in range(len(options))
    ], dtype=np.int64)  # fmt: skip
    found = []
    money, site = question.money, question.site
    if money.capex_max_usd is not None:
        each = np.where(problem.held & ~owned, capex_usd[first_pool], 0.0) if len(options) else zero
        found.append(
            Limit(name="money at once", per_machine=each, per_hour=zero,
                  per_whole=_of(plans, "capex_usd"), most=money.capex_max_usd)
        )  # fmt: skip
    own = np.array([deployment_kind(offer) == "on_prem" for offer, _, _ in options], dtype=bool)
    if site.power_w is not None and site.exists != "none":
        watts = [priced[load].cases.power_w_per_instance[row] for _, load, row in options]
        mine = np.array([plan.provider_kind == "on_prem" for plan in plans], dtype=bool)
        kilowatts = np.where(mine, _of(plans, "power_kw") * KILO / max(site.pue, 1.0), 0.0)
        found.append(
            Limit(name="power of the room in W", per_machine=np.where(own, watts, 0.0),
                  per_hour=zero, per_whole=kilowatts, most=site.power_w)
        )  # fmt: skip
    if site.racks is not None and site.exists != "none":
        units = [_rack_units(priced[load], offer) for offer, load, _ in options]
        found.append(
            Limit(name="rack units of the room", per_machine=np.where(own, units, 0.0),
                  per_hour=zero, per_whole=none, most=site.racks * RACK_UNITS)
        )  # fmt: skip
    if money.carbon_cap_tonnes is not None:
        found.append(_carbon(problem, question, priced, options, plans))
    return (*found, *share_limits(problem, question, priced, options, plans))


def _of(plans: Sequence[Plan], figure: str) -> Floats:
    return np.array([plan.value(figure) or 0.0 for plan in plans], dtype=np.float64)


def _rack_units(priced: Priced, offer: OfferSpec) -> float:
    system = priced.systems.get(offer.system_slug)
    return float(system.rack_units or 0.0) if system is not None else 0.0


def _carbon(
    problem: FleetProblem,
    question: Question,
    priced: Sequence[Priced],
    options: Sequence[tuple[OfferSpec, int, int]],
    plans: Sequence[Plan],
) -> Limit:
    """Tonnes over the horizon; machines that are held count as if they were busy."""
    machine, hour = np.zeros(len(options)), np.zeros(len(options))
    for number, (_, load, row) in enumerate(options):
        held = bool(problem.held[number])
        (machine if held else hour)[number] = tonnes_of(question, priced[load], row, held=held)
    months = question.horizon_months
    return Limit(
        name="carbon in t CO2e", per_machine=machine, per_hour=hour,
        per_whole=_of(plans, "carbon_kg_month") * months / _KG_PER_TONNE,
        most=question.money.carbon_cap_tonnes or 0.0,
    )  # fmt: skip


def tonnes_of(question: Question, priced: Priced, row: int, *, held: bool) -> float:
    """Tonnes of CO2e over the horizon: of a busy machine held, or of one hour of every week.

    Source: the columns of the cost breakdown; manufacturing where the user counts it.
    """
    rows = np.array([row])
    if held:
        cost = machines(priced, rows, count=MANY, utilisation=1.0)
    else:
        cost = hours(priced, rows, mean_machines=MANY)
    made = float(cost.embodied_carbon_kg[0]) if question.embodied_carbon else 0.0
    tonnes = (float(cost.carbon_kg[0]) + made) / MANY / _KG_PER_TONNE
    return tonnes if held else tonnes / HOURS_PER_WEEK
