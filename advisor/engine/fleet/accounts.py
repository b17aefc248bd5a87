"""A fleet's bill: every line from the breakdown that prices whole plans, added up to the cent."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from advisor.engine.cases import Floats, Ints
from advisor.engine.choice.assembly import cost_lines
from advisor.engine.fleet.checking import paid, units
from advisor.engine.fleet.metered import metered_lines, people_lines
from advisor.engine.fleet.owned import keeping_lines
from advisor.engine.fleet.prices import data, hours, load_price, machines, people
from advisor.engine.fleet.problem import Fleet
from advisor.engine.fleet.setting import ANOTHER_FAMILY, Setting
from advisor.engine.fleet.weeks import HOURS_PER_WEEK
from advisor.engine.plan import CostLine
from advisor.engine.search.fits import deployment_kind
from advisor.engine.search.river import Priced
from catalog.specs import Evidence
from costing.engine.tco import LABELS, CostBreakdown

SECOND_FAMILY = "Knowing a second family"
_RANK = ("measured", "calibrated", "list", "reported", "estimated", "assumed")
_MOST_SOURCES = 3
_USED = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """Cost of a fleet over the horizon, in USD: lines add up to the total to the cent."""

    lines: tuple[CostLine, ...]
    of_option: dict[int, float]  # USD of the machines of each option
    of_whole: dict[int, float]
    capex_usd: float
    power_w: float  # of own machines, facility power at full load
    carbon_kg: float  # over the horizon

    @property
    def total_usd(self) -> float:
        """Sum of the lines."""
        return round(sum(line.usd for line in self.lines), 2)

    @property
    def low_usd(self) -> float:
        """Sum of the lines' low ends: all of them low at once."""
        return round(sum(line.low for line in self.lines), 2)

    @property
    def high_usd(self) -> float:
        """Sum of the lines' high ends."""
        return round(sum(line.high for line in self.lines), 2)


def bill_of(setting: Setting, fleet: Fleet) -> Bill:
    """What each machine, each load's data and people, and each whole plan of a fleet costs.

    Source: `costing.engine.tco.cost_breakdown` for every part, with the quantities of the fleet.
    """
    lines: list[CostLine] = []
    of_option: dict[int, float] = {}
    sums = {"capex": 0.0, "power": 0.0, "carbon": 0.0}
    for number, cost in _machines(setting, fleet):
        option = setting.options[number]
        found = _lines(setting, option.load, option.row, cost)
        found += keeping_lines(option.keeping, machines=float(fleet.machines[number]))
        of_option[number] = round(sum(line.usd for line in found), 2)
        lines += found
        sums["capex"] += float(cost.capex_usd[0])
        own = option.held and deployment_kind(option.offer) == "on_prem"
        sums["power"] += float(cost.peak_power_w[0]) if own else 0.0
        sums["carbon"] += float(cost.carbon_kg[0])
    for number, found in _tokens(setting, fleet):
        of_option[number] = round(sum(line.usd for line in found), 2)
        lines += found
    lines += _data_and_people(setting, fleet)
    lines += _second_family(setting, fleet)
    of_whole: dict[int, float] = {}
    for chosen, plan in enumerate(setting.plans):
        if not fleet.whole[chosen]:
            continue
        lines += plan.cost_breakdown
        of_whole[chosen] = plan.value("total_cost_usd") or 0.0
        sums["capex"] += plan.value("capex_usd") or 0.0
        own = plan.provider_kind == "on_prem"
        sums["power"] += (plan.value("power_kw") or 0.0) * 1e3 if own else 0.0
        month_kg = plan.value("carbon_kg_month") or 0.0
        sums["carbon"] += month_kg * setting.question.horizon_months
    return Bill(
        lines=added(lines), of_option=of_option, of_whole=of_whole, capex_usd=sums["capex"],
        power_w=sums["power"], carbon_kg=sums["carbon"],
    )  # fmt: skip


def busy(setting: Setting, fleet: Fleet) -> Floats:
    """Machines of each option that are at work in each kind of hour, as a mean over the hour.

    Source: units served over the rate of a replica, times its machines.
    """
    problem = setting.problem
    found = np.zeros((len(problem.held), len(problem.hours)))
    np.add.at(found, problem.pool_option, _pools_at_work(setting, fleet))
    return found


def _pools_at_work(setting: Setting, fleet: Fleet) -> Floats:
    """Machines of each pool that are at work in each kind of hour; shape (P, H)."""
    problem = setting.problem
    with np.errstate(divide="ignore", invalid="ignore"):
        per = np.where(problem.rate > 0.0, 1.0 / problem.rate, 0.0)
    per = np.where(problem.job_buckets[:, np.newaxis], 1.0, per)
    load = np.einsum("bph,bp->ph", fleet.served, per) * problem.size[:, np.newaxis]
    return np.asarray(load)


def _machines(setting: Setting, fleet: Fleet) -> Iterable[tuple[int, CostBreakdown]]:
    problem = setting.problem
    at_work = _pools_at_work(setting, fleet) @ problem.hours
    mean_used = fleet.used @ problem.hours / HOURS_PER_WEEK
    for number, option in enumerate(setting.options):
        if option.metered:
            continue
        rows = np.array([option.row])
        priced = setting.priced[option.load]
        count = float(fleet.machines[number])
        if option.held and count > 0.5:  # noqa: PLR2004 -- a rounded whole number
            owned = option.owned > 0.0
            share = _mean_load(
                priced, rows, count=round(count), owned=owned,
                usd=_load_usd(setting, at_work, number),
            )  # fmt: skip
            yield (
                number,
                machines(priced, rows, count=round(count), utilisation=share, owned=owned),
            )
        elif not option.held and mean_used[number] > _USED:
            yield number, hours(priced, rows, mean_machines=float(mean_used[number]))


def _tokens(setting: Setting, fleet: Fleet) -> Iterable[tuple[int, tuple[CostLine, ...]]]:
    """What goes to each hosted model, by the token."""
    for number, pool in enumerate(setting.pools):
        option = setting.options[pool.option]
        if option.metered and fleet.served[:, number].max(initial=0.0) > _USED:
            priced = setting.priced[pool.load]
            yield (
                pool.option,
                metered_lines(setting.problem, fleet, number, option.offer, priced),
            )


def _load_usd(setting: Setting, at_work: Floats, number: int) -> float:
    """What the work of all loads on machines of an option adds to their cost, as searched."""
    owned = setting.options[number].owned > 0.0
    total = 0.0
    for place in np.flatnonzero(setting.problem.pool_option == number):
        pool = setting.pools[int(place)]
        if at_work[place] > 0.0:
            usd = load_price(setting.priced[pool.load], np.array([pool.row]), owned=owned)
            total += float(usd[0] * at_work[place])
    return total


def _mean_load(priced: Priced, rows: Ints, *, count: int, owned: bool, usd: float) -> float:
    """Mean load of machines that are held, over the horizon, at which their work costs `usd`.

    Work grows with demand, machines in whole ones ahead of it, so the load of a small fleet
    falls below that of its first week.
    """
    ends = machines(
        priced, np.repeat(rows, 2), count=count, utilisation=[0.0, 1.0], owned=owned
    )  # fmt: skip
    idle, full = (float(end) for end in ends.total_usd)
    return min(usd / (full - idle), 1.0) if full > idle else 0.0


def _data_and_people(setting: Setting, fleet: Fleet) -> list[CostLine]:
    """Each load's storage and transfer by who serves it, and its people once."""
    problem = setting.problem
    volume = units(problem, fleet).sum(axis=0) @ problem.hours
    lines: list[CostLine] = []
    for load, priced in enumerate(setting.priced):
        of_load = volume * (problem.pool_load == load)
        at_work = np.flatnonzero(of_load > _USED * max(of_load.max(initial=0.0), 1e-12)).tolist()
        mine = [number for number in at_work if setting.pools[number].row >= 0]
        rows = np.array([setting.pools[number].row for number in mine], dtype=np.int64)
        cost = data(priced, rows)
        for place, number in enumerate(mine):
            share = float(volume[number] / volume[at_work].sum())
            found = _lines(setting, load, setting.pools[number].row, cost, place)
            lines += [_scaled(line, share) for line in found]
        lines += _people(setting, load, rows, [n for n in at_work if n not in mine])
    return lines


def _people(setting: Setting, load: int, rows: Ints, hosted: Sequence[int]) -> list[CostLine]:
    """A load's people once, those of the dearest kind of place that serves it, and its porting."""
    priced = setting.priced[load]
    tried = [
        people_lines(setting.options[setting.pools[number].option].offer, priced)
        for number in hosted[:1]
    ]
    if len(rows):
        staff = people(priced, rows, porting=False)
        dearest = int(np.argmax(staff.total_usd))
        tried.append(_lines(setting, load, int(rows[dearest]), staff, dearest))
    lines = list(max(tried, key=lambda each: sum(line.usd for line in each), default=()))
    porting = people(priced, rows, porting=True)
    parts = priced.sizing.accelerator[priced.placements.sizing[rows]]
    for part in np.unique(parts):
        place = int(np.flatnonzero(parts == part)[0])
        lines += _lines(setting, load, int(rows[place]), porting, place)
    return lines


def _second_family(setting: Setting, fleet: Fleet) -> list[CostLine]:
    extra = max(len(paid(setting.problem.families, fleet)) - 1, 0)
    if extra == 0:
        return []
    rate = setting.priced[0].rates[ANOTHER_FAMILY]
    usd = setting.problem.another_usd * extra
    return [
        CostLine(
            label=SECOND_FAMILY, usd=round(usd, 2), low=round(usd * rate.low / rate.value, 2),
            high=round(usd * rate.high / rate.value, 2), evidence=Evidence.ASSUMED.value,
            source=f"{rate.value:g} person-weeks: {rate.as_figure().source}",
        )
    ]  # fmt: skip


def _lines(
    setting: Setting, load: int, row: int, cost: CostBreakdown, place: int = 0
) -> tuple[CostLine, ...]:
    """Lines of one priced row, with the sources of its offer."""
    priced = setting.priced[load]
    offer = priced.offers[int(priced.placements.offer[row])]
    return cost_lines(replace(priced, cost=cost), place, offer)


def _scaled(line: CostLine, share: float) -> CostLine:
    return replace(
        line, usd=round(line.usd * share, 2), low=round(line.low * share, 2),
        high=round(line.high * share, 2),
    )  # fmt: skip


def added(lines: Sequence[CostLine]) -> tuple[CostLine, ...]:
    """One line for each label, in the order of a breakdown, with the weakest evidence.

    Source: sums to the cent.
    """
    order = {label: number for number, label in enumerate((*LABELS, SECOND_FAMILY))}
    found = []
    for label in sorted({line.label for line in lines}, key=lambda each: order.get(each, 99)):
        mine = [line for line in lines if line.label == label]
        sources = list(dict.fromkeys(line.source for line in mine))
        more = len(sources) - _MOST_SOURCES
        found.append(
            CostLine(
                label=label,
                usd=round(sum(line.usd for line in mine), 2),
                low=round(sum(line.low for line in mine), 2),
                high=round(sum(line.high for line in mine), 2),
                evidence=max((line.evidence for line in mine), key=_rank),
                source="; ".join(sources[:_MOST_SOURCES]) + (f"; {more} more" if more > 0 else ""),
            )
        )
    return tuple(line for line in found if line.usd != 0.0)


def _rank(evidence: str) -> int:
    return _RANK.index(evidence) if evidence in _RANK else len(_RANK)
