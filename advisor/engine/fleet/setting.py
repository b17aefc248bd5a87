"""From priced workloads to a fleet question: options, pools, hours, costs paid once, limits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from advisor.engine.cases import Floats, Ints
from advisor.engine.choice.decision import Decision
from advisor.engine.choice.objectives import Objective
from advisor.engine.fleet.bounds import limits_of
from advisor.engine.fleet.metered import Meter, meters_of, people_groups, with_meters
from advisor.engine.fleet.owned import NOTHING_MORE, Keeping, keeping_of
from advisor.engine.fleet.prices import load_price, price_tables
from advisor.engine.fleet.problem import FleetProblem, Group, Job, Whole
from advisor.engine.fleet.shares import told_apart
from advisor.engine.fleet.sizes import SizeClass, Speeds, size_classes, size_classes_of_one
from advisor.engine.fleet.spread import spreads_of
from advisor.engine.fleet.ways import Ways, undominated, ways_of
from advisor.engine.fleet.weeks import (
    Work,
    batch_work,
    kinds_of_hours,
    live_week,
    part_of_window,
    run_hours,
    training_work,
)
from advisor.engine.plan import Plan
from advisor.engine.search.river import Priced
from advisor.engine.workload import Question
from catalog.specs import OfferSpec, Purchase
from costing.engine.tco import WEEKS_PER_YEAR

LARGEST_TABLE = 24  # machines up to which growth is rounded up exactly
PARTS_OF_A_WINDOW = 4  # in which the finish of a job is counted
PLANS_OF_EACH = 12  # whole plans of a workload that stand beside the pools
P90_OF_DEMAND = "fleet/demand_p90"
ANOTHER_FAMILY = "family/weeks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """One workload's candidate on one option."""

    load: int
    row: int  # of the workload's placements; -1 for a hosted model
    option: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """Something to hold or to rent, with the candidate that prices it."""

    offer: OfferSpec
    load: int  # whose candidate prices it
    row: int  # -1 for a hosted model
    held: bool
    family: str
    owned: float = 0.0  # machines of it that the user has already; 0 is an offer
    keeping: Keeping = NOTHING_MORE  # what keeping one of those costs beyond running it

    @property
    def metered(self) -> bool:
        """Whether it is a hosted model, paid by the token, with no machines to hold or rent."""
        return self.offer.purchase == Purchase.HOSTED_TOKENS


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A fleet question with what its columns stand for."""

    question: Question
    priced: tuple[Priced, ...]
    problem: FleetProblem
    options: tuple[Option, ...]
    pools: tuple[Pool, ...]
    plans: tuple[Plan, ...]  # behind the problem's whole plans
    kind_of_hour: Ints  # (168,)
    considered: int  # candidates before dominated ones were left out
    robust: bool


def setting_of(
    question: Question,
    priced: Sequence[Priced],
    decisions: Sequence[Decision],
    *,
    robust: bool = False,
    speeds: Speeds | None = None,
    objective: Objective = Objective.LEAST_COST,
) -> Setting | None:
    """The fleet question of an assessment; None where a workload has no way at all.

    Offers rented by the hour are options of one workload each; what is held may be shared by
    all. `robust` sizes for the P90 of demand and the low end of every speed. With `speeds`
    requests are told apart by size; without, the mix is one. Where the `objective` looks at
    latency, ways that answer quicker stay in although others are cheaper; where it is the
    finish of jobs, hours are told apart by the part of the window they are in.

    Source: stages it calls.
    """
    rates = priced[0].rates
    more = rates[P90_OF_DEMAND].value if robust else 1.0
    demand, work = _asked(priced, more)
    parts = PARTS_OF_A_WINDOW if objective == Objective.TIME_TO_FINISH else 1
    quick = objective != Objective.LEAST_COST
    classes = [
        size_classes(each.workload) if speeds is not None else size_classes_of_one()
        for each in priced
    ]
    ways = [
        ways_of(each, question, low=robust, classes=sizes, speeds=speeds, quick=quick)
        for each, sizes in zip(priced, classes, strict=True)
    ]
    considered = sum(len(each) for each in ways)
    kept = [
        _worth(each, found, demand[load], work[load], question=question)
        for load, (each, found) in enumerate(zip(priced, ways, strict=True))
    ]
    meters = meters_of(priced, classes, more=more)
    plans = [plan for decision in decisions for plan in _whole_plans(decision)]
    loads = {decision.workload: number for number, decision in enumerate(decisions)}
    served = {pool for pool, rows in enumerate(kept) if len(rows)}
    served |= {meter.load for meter in meters}
    served |= {loads[plan.workload] for plan in plans}
    if served != set(range(len(priced))):
        return None
    windows = [part_of_window(each, parts) for each in work if each is not None]
    kind, hours, first = kinds_of_hours(demand, np.reshape(windows, (-1, demand.shape[1])))
    waits = {
        plan_id: float(priced[number].wait_s[row])
        for number, decision in enumerate(decisions)
        if work[number] is None or priced[number].workload.training is not None
        for plan_id, row in decision.rows.items()
    }
    options, pools = _options(priced, kept, ways)
    _owned(question, priced, ways, options, pools)
    problem = _problem(
        question, priced, ways, options, pools, plans, loads,
        demand=demand[:, first], work=work, hours=hours, kind=kind, classes=classes, meters=meters,
        waits=waits, parts=parts,
    )  # fmt: skip
    pools += [
        Pool(load=meter.load, row=-1, option=len(options) + number)
        for number, meter in enumerate(meters)
    ]
    options += [
        Option(offer=meter.offer, load=meter.load, row=-1, held=False, family="hosted")
        for meter in meters
    ]
    return Setting(
        question=question, priced=tuple(priced), problem=problem, options=tuple(options),
        pools=tuple(pools), plans=tuple(plans), kind_of_hour=kind,
        considered=considered + len(meters), robust=robust,
    )  # fmt: skip


def _asked(priced: Sequence[Priced], more: float) -> tuple[Floats, list[Work | None]]:
    """Capacity that live loads need by the hour, and the work of jobs, with headroom."""
    demand = np.zeros((len(priced), 168))
    work: list[Work | None] = []
    for load, each in enumerate(priced):
        serving, training = each.workload.serving, each.workload.training
        if serving is not None and not serving.is_batch:
            demand[load] = live_week(serving) * (1.0 + serving.headroom_fraction) * more
            work.append(None)
            continue
        found = training_work(training) if training is not None else None
        if serving is not None:
            found = batch_work(serving)
            more_work = (1.0 + serving.headroom_fraction) * more
            found = replace(found, volume=found.volume * more_work)
        work.append(found)
    return demand, work


def _worth(
    priced: Priced, ways: Ways, demand: Floats, work: Work | None, *, question: Question
) -> Ints:
    """Rows of the ways that are not dominated."""
    families = [
        priced.parts[int(priced.sizing.accelerator[priced.placements.sizing[row]])].family.value
        + told_apart(question, priced, int(row), size=float(size))
        for row, size in zip(ways.rows, ways.size, strict=True)
    ]
    if work is None:
        needed = np.ceil(demand.max() / np.maximum(ways.rate, 1e-12)) + ways.spare
    else:
        window_h = max(float(work.windows.sum()) / work.runs, 1.0)
        needed = np.ceil(work.volume / np.maximum(ways.rate, 1e-12) / window_h)
    return np.flatnonzero(undominated(ways, families, needed=needed))


def _whole_plans(decision: Decision) -> list[Plan]:
    """The recommended plan and the cheapest of each family, contract and kind of place.

    Hosted models are no whole plans: they may take any part of the traffic.
    """
    fit = [
        plan
        for plan in decision.plans
        if plan.meets_targets
        and plan.purchase != Purchase.HOSTED_TOKENS
        and not plan.extra.get("not_recommended_because")
        and plan.value("total_cost_usd") is not None
    ]
    fit.sort(key=lambda plan: plan.value("total_cost_usd") or 0.0)
    seen: dict[tuple[str, str, str], Plan] = {}
    for plan in fit:
        seen.setdefault((plan.family, plan.purchase, plan.provider_kind), plan)
    found = list(seen.values())[:PLANS_OF_EACH]
    best = decision.recommended
    hosted = best is not None and best.purchase == Purchase.HOSTED_TOKENS
    if best is not None and not hosted and best.id not in {plan.id for plan in found}:
        found.append(best)
    return found


def _options(
    priced: Sequence[Priced], kept: Sequence[Ints], ways: Sequence[Ways]
) -> tuple[list[Option], list[Pool]]:
    """An option for each offer that is held, and for each offer by the hour and workload."""
    options: list[Option] = []
    pools: list[Pool] = []
    known: dict[tuple[int, int], int] = {}
    for load, (each, rows, found) in enumerate(zip(priced, kept, ways, strict=True)):
        for place in rows:
            row = int(found.rows[place])
            offer = each.offers[int(each.placements.offer[row])]
            held = bool(found.held[place])
            key = (offer.id, -1 if held else load)
            if key not in known:
                known[key] = len(options)
                part = each.parts[int(each.sizing.accelerator[each.placements.sizing[row]])]
                options.append(
                    Option(offer=offer, load=load, row=row, held=held, family=part.family.value)
                )
            pools.append(Pool(load=load, row=row, option=known[key]))
    return options, pools


def _owned(
    question: Question,
    priced: Sequence[Priced],
    ways: Sequence[Ways],
    options: list[Option],
    pools: list[Pool],
) -> None:
    """Options for what the user owns: machines of the kind in which the part is sold.

    Their running cost is that of the same machine bought, without its price. Parts that no
    allowed offer sells as a machine cannot be priced and are left out.
    """
    for mine in question.owned:
        number = len(options)
        for load, (each, found) in enumerate(zip(priced, ways, strict=True)):
            for row in found.rows[found.held]:
                offer = each.offers[int(each.placements.offer[row])]
                machines = np.floor(
                    mine.count * mine.free_fraction / max(offer.accelerator_count, 1.0) + 1e-9
                )
                if (
                    offer.purchase != Purchase.BUY
                    or offer.accelerator_slug != mine.accelerator_slug
                    or machines < 1.0
                    or (len(options) > number and options[number].offer.id != offer.id)
                ):
                    continue
                if len(options) == number:
                    part = each.parts[int(each.sizing.accelerator[each.placements.sizing[row]])]
                    options.append(
                        Option(
                            offer=offer, load=load, row=int(row), held=True,
                            family=part.family.value, owned=float(machines),
                            keeping=keeping_of(
                                mine, accelerators=offer.accelerator_count,
                                price_usd=offer.usd or 0.0,
                                support_fraction_per_year=each.rules.support_fraction_per_year,
                                money=question.money, horizon_months=question.horizon_months,
                            ),
                        )
                    )  # fmt: skip
                pools.append(Pool(load=load, row=int(row), option=number))


def _problem(
    question: Question,
    priced: Sequence[Priced],
    ways: Sequence[Ways],
    options: Sequence[Option],
    pools: Sequence[Pool],
    plans: Sequence[Plan],
    loads: Mapping[str, int],
    *,
    demand: Floats,
    work: Sequence[Work | None],
    hours: Floats,
    kind: Ints,
    classes: Sequence[Sequence[SizeClass]],
    meters: Sequence[Meter],
    waits: Mapping[str, float],
    parts: int,
) -> FleetProblem:
    place = [{int(row): number for number, row in enumerate(found.rows)} for found in ways]
    at = [place[pool.load][pool.row] for pool in pools]
    of = [ways[pool.load] for pool in pools]

    def column(name: str) -> Floats:
        return np.array([getattr(w, name)[i] for w, i in zip(of, at, strict=True)], dtype=float)

    def price(name: str) -> Floats:
        return np.array(
            [getattr(w.prices, name)[i] for w, i in zip(of, at, strict=True)], dtype=float
        )

    pool_load = np.array([pool.load for pool in pools], dtype=np.int64)
    pool_option = np.array([pool.option for pool in pools], dtype=np.int64)
    size, rate = column("size"), column("rate")
    bucket_load = np.repeat(np.arange(len(priced)), [len(sizes) for sizes in classes])
    bucket_class = np.concatenate([np.arange(len(sizes)) for sizes in classes])
    share = np.array([size.share for sizes in classes for size in sizes])
    own = bucket_load[:, np.newaxis] == pool_load
    speed = np.where(own, _speeds(of, at, bucket_class) * rate, 0.0)
    volume = _weekly_volume(demand, work, hours)
    held = np.array([option.held for option in options], dtype=bool)
    load = price("load")
    for number, pool in enumerate(pools):
        if not options[pool.option].owned:
            continue
        rows = np.array([pool.row])
        load[number] = load_price(priced[pool.load], rows, owned=True)[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        load_usd = np.where(held[pool_option] & (speed > 0.0), load * size / speed, 0.0)
    usd, tables, most = _machine_prices(priced, ways, options, pools, place, rate, size)
    problem = FleetProblem(
        hours=hours,
        held=held,
        usd=usd,
        most=most,
        least=np.zeros(len(options)),
        tables=tables,
        pool_option=pool_option,
        pool_load=pool_load,
        size=size,
        spare=column("spare"),
        rate=speed,
        usd_per_unit=np.where(own, load_usd + price("data") / volume[pool_load], 0.0),
        bucket_load=bucket_load,
        demand=demand[bucket_load] * share[:, np.newaxis],
        jobs=tuple(
            Job(
                load=load,
                volume=each.volume,
                hours=slots.sum(axis=0),
                slots=slots,
                at_once=_at_once(priced[load], each) if parts > 1 else np.inf,
            )
            for load, each in enumerate(work)
            if each is not None
            for slots in run_hours(each, kind, len(hours), parts=parts)
        ),
        wholes=tuple(
            Whole(
                load=loads[plan.workload], usd=plan.value("total_cost_usd") or 0.0, name=plan.id,
                tags=frozenset({f"family:{plan.family}", f"purchase:{plan.purchase}"}),
                wait_s=waits.get(plan.id, np.nan),
            )
            for plan in plans
        ),
    )  # fmt: skip
    done = _completed(
        problem, question, priced, options, plans, people=price("people"), porting=price("porting"),
        capex=price("capex"), pools=pools,
    )  # fmt: skip
    whole = with_meters(done, meters, volume)
    return replace(whole, spreads=spreads_of(whole, priced, [o.offer for o in options], plans))


def _at_once(priced: Priced, work: Work) -> float:
    """Replicas that may share a run: a training run is one replica's, a batch is parted freely."""
    return max(work.volume, 1.0) if priced.workload.training is not None else np.inf


def _speeds(of: Sequence[Ways], at: Sequence[int], bucket_class: Ints) -> Floats:
    """Speed of each bucket's class on each pool over that of the pool's mix."""
    found = np.zeros((len(bucket_class), len(of)))
    for pool, (ways, row) in enumerate(zip(of, at, strict=True)):
        known = ways.by_size[row]
        found[:, pool] = known[np.minimum(bucket_class, len(known) - 1)]
    return found


def _completed(
    problem: FleetProblem,
    question: Question,
    priced: Sequence[Priced],
    options: Sequence[Option],
    plans: Sequence[Plan],
    *,
    people: Floats,
    porting: Floats,
    capex: Floats,
    pools: Sequence[Pool],
) -> FleetProblem:
    groups = (
        *people_groups(problem, people),
        *_porting_groups(problem, priced, pools, porting),
    )
    families, another_usd = _families(problem, priced, options, plans)
    limits = limits_of(
        problem, question, priced, [(each.offer, each.load, each.row) for each in options], plans,
        capex_usd=capex, owned=np.array([each.owned > 0.0 for each in options], dtype=bool),
    )  # fmt: skip
    return replace(
        problem, groups=groups, families=families, another_usd=another_usd, limits=limits
    )


def _weekly_volume(demand: Floats, work: Sequence[Work | None], hours: Floats) -> Floats:
    """Units of each load in a week: unit-a-second hours of live traffic, units of jobs."""
    live = demand @ hours
    jobs = np.array([0.0 if each is None else each.volume * each.runs for each in work])
    return np.asarray(np.maximum(live + jobs, 1e-12))


def _machine_prices(
    priced: Sequence[Priced],
    ways: Sequence[Ways],
    options: Sequence[Option],
    pools: Sequence[Pool],
    place: Sequence[Mapping[int, int]],
    rate: Floats,
    size: Floats,
) -> tuple[Floats, tuple[Floats, ...], Floats]:
    usd, most = np.zeros(len(options)), np.zeros(len(options))
    tables = [np.zeros(0)] * len(options)
    held: dict[int, list[int]] = {}  # by load
    for number, option in enumerate(options):
        found, at = ways[option.load], place[option.load][option.row]
        most[number] = option.owned or min(found.most[at], 10_000.0)
        if option.held:
            usd[number] = found.prices.held_hour[at] * 168.0
            most[number] = np.floor(min(most[number], float(LARGEST_TABLE)))
            held.setdefault(option.load, []).append(number)
        else:
            usd[number] = found.prices.hour[at]
    for load, numbers in held.items():
        found_tables = price_tables(
            priced[load],
            np.array([options[number].row for number in numbers]),
            most=most[numbers].astype(np.int64),
            growth_step=1.0,
            owned=np.array([options[number].owned > 0.0 for number in numbers]),
        )
        for number, table in zip(numbers, found_tables, strict=True):
            tables[number] = table + np.arange(len(table)) * options[number].keeping.usd
    return usd, tuple(tables), most


def _porting_groups(
    problem: FleetProblem, priced: Sequence[Priced], pools: Sequence[Pool], porting: Floats
) -> list[Group]:
    part = [
        int(priced[pool.load].sizing.accelerator[priced[pool.load].placements.sizing[pool.row]])
        for pool in pools
    ]
    keys = {(pool.load, part[i]) for i, pool in enumerate(pools) if porting[i] > 0.0}
    return [
        Group(
            usd=float(porting[mine[0]]), pools=np.array(mine), wholes=np.zeros(0, dtype=np.int64),
            name="porting",
        )
        for load, each in sorted(keys)
        if (mine := [i for i, p in enumerate(pools) if p.load == load and part[i] == each])
    ]  # fmt: skip


def _families(
    problem: FleetProblem,
    priced: Sequence[Priced],
    options: Sequence[Option],
    plans: Sequence[Plan],
) -> tuple[tuple[Group, ...], float]:
    """Every family used but the first costs person-weeks; hosted models count as none."""
    rules = priced[0].rules
    usd = priced[0].rates[ANOTHER_FAMILY].value * rules.staff_usd_per_year / WEEKS_PER_YEAR
    family = np.array([options[option].family for option in problem.pool_option], dtype=np.str_)
    of_plans = np.array([plan.family for plan in plans], dtype=np.str_)
    names = sorted({*family.tolist(), *of_plans.tolist()} - {"hosted"})
    found = tuple(
        Group(
            usd=0.0, pools=np.flatnonzero(family == name),
            wholes=np.flatnonzero(of_plans == name), name=name,
        )
        for name in names
    )  # fmt: skip
    return found, usd * (1.0 + rules.contingency_fraction)


def part_name(setting: Setting, option: Option) -> str:
    """The accelerator of an option, or that it is a hosted model.

    Source: the catalogue.
    """
    if option.metered:
        return "hosted API"
    priced = setting.priced[option.load]
    at = priced.placements.sizing[option.row]
    return priced.parts[int(priced.sizing.accelerator[at])].name
