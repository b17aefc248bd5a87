"""Which requests go where: by the hour, by their size, and what is sent to hosted models."""

import numpy as np

from advisor.engine.cases import Floats
from advisor.engine.fleet.metered import known_limit
from advisor.engine.fleet.problem import Fleet
from advisor.engine.fleet.setting import Option, Setting
from advisor.engine.fleet.sizes import size_classes
from advisor.engine.fleet.weeks import HOURS_PER_WEEK
from advisor.engine.plan import FleetItem
from advisor.engine.search.hosted import UNVERIFIED

_USED = 1e-6


def hosted_item(setting: Setting, option: Option, usd_per_month: float) -> FleetItem:
    """A hosted model as a line of what to get: no machines of one's own.

    Source: the offer.
    """
    return FleetItem(
        what=f"{option.offer.instance_type} API",
        count=0,
        purchase=option.offer.purchase.value,
        provider=option.offer.provider,
        region=option.offer.region.code if option.offer.region else "",
        workload=setting.priced[option.load].workload.name,
        usd_per_month=round(usd_per_month, 2),
    )


def hosted_row(item: FleetItem, option: Option) -> dict[str, object]:
    """The same as a row of the page's table: nothing is paid by the hour.

    Source: the item.
    """
    return {
        "what": item.what, "count": 0, "instance": option.offer.instance_type,
        "purchase": item.purchase, "provider": item.provider, "region": item.region,
        "workload": item.workload, "usd_per_month": item.usd_per_month, "held": False,
        "machine_hours_per_week": None, "busy": None, "place": "managed_api",
    }  # fmt: skip


def hours_served(setting: Setting, fleet: Fleet, pool: int) -> int:
    """Hours of the week in which a pool gets anything.

    Source: the fleet's columns.
    """
    busy = fleet.served[:, pool].max(axis=0, initial=0.0) > _USED
    return int(setting.problem.hours[busy].sum())


def sizes_served(setting: Setting, fleet: Fleet, pool: int) -> list[dict[str, object]]:
    """The share of each size class of a live load that a pool serves over the week.

    Empty where requests are not told apart by size.

    Source: the fleet's columns; classes as in `sizes`.
    """
    problem, load = setting.problem, setting.pools[pool].load
    buckets = np.flatnonzero(problem.bucket_load == load)
    classes = size_classes(setting.priced[load].workload)
    if len(buckets) != len(classes) or len(buckets) == 1:
        return []
    asked = problem.demand[buckets] @ problem.hours
    got = fleet.served[buckets, pool] @ problem.hours
    return [
        {"name": size.name, "share": round(float(mine / max(all_of_it, 1e-12)), 4)}
        for size, mine, all_of_it in zip(classes, got, asked, strict=True)
        if mine > _USED
    ]


def traffic(setting: Setting, fleet: Fleet) -> list[dict[str, object]]:
    """Requests a second by the hour, one series a seller, of live loads that use a hosted model.

    Without the headroom: what is sent, not what there is room for.

    Source: the fleet's columns.
    """
    found: dict[tuple[str, str, bool], Floats] = {}
    mixed = _with_hosted(setting, fleet)
    for number, pool in enumerate(setting.pools):
        served = fleet.served[:, number].sum(axis=0)
        if pool.load not in mixed or served.max(initial=0.0) <= _USED:
            continue
        workload, option = setting.priced[pool.load].workload, setting.options[pool.option]
        room = 1.0 + (workload.serving.headroom_fraction if workload.serving is not None else 0.0)
        key = (workload.name, _seller(setting, option), option.metered)
        found[key] = found.get(key, np.zeros(HOURS_PER_WEEK)) + served[setting.kind_of_hour] / room
    return [
        {"workload": workload, "name": name, "hosted": hosted,
         "per_s": [round(float(each), 4) for each in week]}
        for (workload, name, hosted), week in found.items()
    ]  # fmt: skip


def _with_hosted(setting: Setting, fleet: Fleet) -> set[int]:
    """Live loads of which a hosted model serves a part."""
    return {
        pool.load
        for number, pool in enumerate(setting.pools)
        if setting.options[pool.option].metered
        and fleet.served[:, number].max(initial=0.0) > _USED
        and pool.load not in setting.problem.job_loads
    }


def _seller(setting: Setting, option: Option) -> str:
    if option.metered:
        return f"{option.offer.provider} API, by the token"
    priced = setting.priced[option.load]
    part = priced.parts[int(priced.sizing.accelerator[priced.placements.sizing[option.row]])]
    whose = "yours already" if option.owned else option.offer.provider
    return f"{part.name}, {whose}"


def overflow_sentences(*, setting: Setting, fleet: Fleet) -> list[str]:
    """What goes to hosted models, in how many hours, and what is not known of them.

    Source: the fleet's columns; limits as in `metered`.
    """
    problem = setting.problem
    week = np.einsum("bph,bp,h->p", fleet.served, problem.units_served, problem.hours)
    found = []
    for number, pool in enumerate(setting.pools):
        option = setting.options[pool.option]
        if not option.metered or week[number] <= _USED:
            continue
        whole = week[problem.pool_load == pool.load].sum()
        name, hours = setting.priced[pool.load].workload.name, hours_served(setting, fleet, number)
        when = "every hour" if hours == HOURS_PER_WEEK else f"{hours} hours of the week"
        limit = known_limit(option.offer, setting.priced[pool.load].rates)
        through = (
            "how many requests it lets through is not known"
            if limit is None
            else f"it lets {limit:,.0f} requests a second through for one account"
        )
        found.append(
            f"{week[number] / whole:.0%} of {name} goes to {option.offer.provider}'s API by the "
            f"token, in {when}; {through}. {UNVERIFIED}"
        )
    return found
