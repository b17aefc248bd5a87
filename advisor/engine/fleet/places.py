"""Where a fleet's live loads stand, and what is left of them when a place is lost, in words."""

import numpy as np

from advisor.engine.fleet.answering import FleetAnswer
from advisor.engine.fleet.spread import OWN_ROOM, mix_rate, place_of, zones_at
from advisor.engine.search.sizing import REDUNDANCY_FACTOR
from advisor.engine.search.sleeping import OVER_PLACES

_USED = 1e-6


def spread_sentences(answer: FleetAnswer) -> list[str]:
    """For each live load that asks for a second place: which rule holds, and what a loss leaves.

    Zones that nobody publishes are named: all machines there are taken to fail together.

    Source: the fleet's columns; zones of `latency.operations`.
    """
    found = []
    setting = answer.setting
    for load, priced in enumerate(setting.priced):
        serving = priced.workload.serving
        if serving is None or serving.is_batch or serving.redundancy not in OVER_PLACES:
            continue
        rules = {each.name for each in setting.problem.spreads if each.load == load}
        in_room = any(
            place_of(setting.options[pool.option].offer) == OWN_ROOM
            for pool in setting.pools
            if pool.load == load and not setting.options[pool.option].metered
        )
        found.append(_rule(priced.workload.name, serving.redundancy, rules, in_room=in_room))
        found += _left(answer, load, priced.workload.name)
    return found


def _rule(name: str, redundancy: str, rules: set[str], *, in_room: bool) -> str:
    if redundancy != "two_zones":
        if rules:
            return (
                f"{name}: in every hour the machines outside any one region carry all of it, as "
                "you ask."
            )
        return (
            f"{name}: you ask for two regions, and no second place that may serve it has machines "
            "enough, so this is not kept."
        )
    apart = ", one of them outside your own room, which is one zone" if "two zones" in rules else ""
    alone = (
        " Your own room is one zone and nothing elsewhere may serve it: a second is yours to find."
        if in_room and not apart
        else ""
    )
    return f"{name}: at least two replicas run in every hour with traffic{apart}.{alone}"


def _left(answer: FleetAnswer, load: int, name: str) -> list[str]:
    """What the worst loss of one zone or unzoned place leaves of the busiest hour's traffic."""
    problem, fleet, setting = answer.setting.problem, answer.fleet, answer.setting
    serving = setting.priced[load].workload.serving
    demand = problem.demand[problem.bucket_load == load].sum(axis=0)
    hour = int(np.argmax(demand))
    factor = REDUNDANCY_FACTOR.get(serving.redundancy if serving is not None else "", 1.0)
    rate = factor * mix_rate(problem, load)
    total, unknown = 0.0, list[str]()
    lost: dict[str, float] = {}
    for pool in np.flatnonzero(problem.pool_load == load):
        option = setting.options[setting.pools[pool].option]
        count = float(fleet.replicas[pool, hour])
        if count <= _USED or option.metered:
            continue
        place, zones = place_of(option.offer), zones_at(option.offer)
        if not zones.recorded and place != OWN_ROOM:
            unknown.append(place)
        total += count * rate[pool]
        gone = np.ceil(count / zones.count - _USED) * rate[pool]
        lost[place] = lost.get(place, 0.0) + float(gone)
    if not lost:
        return []
    worst = max(lost, key=lambda place: lost[place])
    carried = min(max(total - lost[worst], 0.0) / demand[hour], 1.0)
    where = worst if worst == OWN_ROOM or worst in unknown else f"a zone of {worst}"
    words = [
        f"{name}: the loss of {where} in the busiest hour leaves machines for {carried:.0%} of "
        "its traffic and headroom."
    ]
    if unknown:
        words.append(
            f"How many zones {' and '.join(dict.fromkeys(unknown))} have is not published: "
            "machines there are taken to fail together. Ask for rooms that do not."
        )
    return words
