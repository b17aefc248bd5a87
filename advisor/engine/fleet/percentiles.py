"""Every hour of a fleet played in the latency simulator, mended where a target fails."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from advisor.engine.calibration import Calibration
from advisor.engine.choice.assembly import plan_of
from advisor.engine.choice.replicas import NotSimulated, served_by
from advisor.engine.fleet.checking import broken, priced
from advisor.engine.fleet.metered import known_limit
from advisor.engine.fleet.problem import Fleet
from advisor.engine.fleet.setting import Setting
from advisor.engine.latency.outcome import percentile_interval
from advisor.engine.latency.served import Served
from advisor.engine.latency.simulator import simulate
from advisor.engine.search.hosted import UNVERIFIED

REQUESTS = 4_000  # played for each kind of hour
MOST_REPLICAS = 32  # played at once; a larger pool is played as a slice with its share of the load
MOST_ADDED = 8  # replicas tried for one hour before the target is given up
SEED = 20_261_125
_USED = 1e-6
_CLOSE = 1.001
Told = Callable[[str, float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolCheck:
    """What users of one pool wait for in its worst kind of hour, and what was mended."""

    workload: str
    what: str
    hours: int  # of the week that were played
    percentile: float
    ttft_s: float | None  # in the worst hour, at the percentile, after mending
    ttft_target_s: float | None
    tpot_s: float | None
    tpot_target_s: float | None
    repaired_hours: int  # of the week
    replicas_added: int  # at most, in one hour
    failing_hours: int  # of the week, after mending
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A fleet after the check, and what was found."""

    fleet: Fleet
    pools: tuple[PoolCheck, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Played:
    ttft_s: float
    tpot_s: float
    meets: bool


def checked(
    setting: Setting,
    fleet: Fleet,
    *,
    calibration: Calibration,
    software_month: float,
    tell: Told | None = None,
) -> Checked:
    """The fleet with replicas added in every hour in which the simulator misses a target.

    Each kind of hour is played with the traffic its pool gets there, without the headroom, on
    the replicas it has there. A target fails where the whole 95 % interval of the percentile
    lies above it. Repairs rent or hold more machines; where none is to be had the hour is told.
    Models that make no tokens are not played: their sizing has the exact Erlang C wait.

    Source: `advisor.engine.latency.simulator`.
    """
    say = tell or (lambda stage, fraction: None)
    found: list[PoolCheck] = []
    mended = fleet
    pools = list(_live_pools(setting, fleet))
    for place, number in enumerate(pools):
        name = setting.priced[setting.pools[number].load].workload.name
        say(f"Playing the hours of {name}", place / len(pools))
        mended, check = _pool(setting, mended, number, calibration, software_month)
        found.append(check)
    if mended is not fleet:
        mended = priced(setting.problem, mended)
    return Checked(fleet=mended, pools=tuple(found))


def _live_pools(setting: Setting, fleet: Fleet) -> Iterator[int]:
    for number, pool in enumerate(setting.pools):
        live = pool.load not in setting.problem.job_loads
        if live and fleet.served[:, number].max(initial=0.0) > _USED:
            yield number


def _pool(
    setting: Setting, fleet: Fleet, number: int, calibration: Calibration, software_month: float
) -> tuple[Fleet, PoolCheck]:
    pool = setting.pools[number]
    workload = setting.priced[pool.load].workload
    if setting.options[pool.option].metered:
        return fleet, _hosted(setting, fleet, number)
    plan = plan_of(setting.priced[pool.load], pool.row, plan_id="pool")
    what = f"{plan.accelerator}, {plan.provider}, {plan.system}"
    hours = setting.problem.hours
    rates = fleet.served[:, number].sum(axis=0)
    busy = np.flatnonzero(rates > _USED)
    try:
        served = served_by(
            plan, workload, parts=setting.priced[pool.load].parts, calibration=calibration,
            software_month=software_month,
        )  # fmt: skip
    except NotSimulated as reason:
        return fleet, _unplayed(workload.name, what, int(hours[busy].sum()), str(reason))
    alone = rates / (1.0 + served.demand.headroom_fraction)
    plays: list[_Played] = []
    added = np.zeros(len(hours))
    for hour in busy:
        replicas = _replicas_at(setting, fleet, number, int(hour))
        play = _play(served, float(alone[hour]), replicas)
        more = 0
        while not play.meets and more < MOST_ADDED:
            grown = _with_replica(setting, fleet, number, int(hour), replicas + 1)
            if grown is None:
                break
            fleet, replicas, more = grown, replicas + 1, more + 1
            play = _play(served, float(alone[hour]), replicas)
        added[hour] = more
        plays.append(play)
    slo = served.demand.slo
    return fleet, PoolCheck(
        workload=workload.name,
        what=what,
        hours=int(hours[busy].sum()),
        percentile=slo.percentile,
        ttft_s=max(play.ttft_s for play in plays),
        ttft_target_s=slo.ttft_s,
        tpot_s=max(play.tpot_s for play in plays),
        tpot_target_s=slo.tpot_s,
        repaired_hours=int(hours[added > 0].sum()),
        replicas_added=int(added.max(initial=0.0)),
        failing_hours=int(
            sum(hours[h] for h, play in zip(busy, plays, strict=True) if not play.meets)
        ),
    )


def _hosted(setting: Setting, fleet: Fleet, number: int) -> PoolCheck:
    """What is known of a hosted model's latency, and of how much it lets through."""
    pool = setting.pools[number]
    offer = setting.options[pool.option].offer
    sent = fleet.served[:, number].sum(axis=0)
    hours = int(setting.problem.hours[sent > _USED].sum())
    limit = known_limit(offer, setting.priced[pool.load].rates)
    through = (
        "How many requests it lets through is not known: ask before you rely on it"
        if limit is None
        else f"It lets {limit:,.0f} requests a second through for one account"
    )
    note = f"{UNVERIFIED} {through}; in its busiest hour it gets {sent.max():,.1f} a second."
    workload = setting.priced[pool.load].workload.name
    return _unplayed(workload, f"{offer.instance_type} API, {offer.provider}", hours, note)


def _unplayed(workload: str, what: str, hours: int, note: str) -> PoolCheck:
    return PoolCheck(
        workload=workload, what=what, hours=hours, percentile=0.0, ttft_s=None, ttft_target_s=None,
        tpot_s=None, tpot_target_s=None, repaired_hours=0, replicas_added=0, failing_hours=0,
        note=note,
    )  # fmt: skip


def _replicas_at(setting: Setting, fleet: Fleet, number: int, hour: int) -> int:
    """Whole replicas of a pool in an hour; a pool alone on what is held has all of it."""
    problem, option = setting.problem, setting.pools[number].option
    counted = float(fleet.replicas[number, hour])
    alone = int((problem.pool_option == option).sum()) == 1
    if alone and problem.held[option]:
        counted = max(counted, np.floor(fleet.machines[option] / problem.size[number] + _USED))
    return max(int(np.ceil(counted - _USED)), 1)


def _play(served: Served, requests_per_s: float, replicas: int) -> _Played:
    """One kind of hour: percentiles of first tokens and of gaps, against the targets."""
    part = min(replicas, MOST_REPLICAS)
    load = requests_per_s * part / replicas / served.demand.requests_per_s_peak
    done = simulate(
        served.requests(count=REQUESTS, seed=SEED, load=max(load, 1e-9)),
        served.pool(replicas=part),
    ).settled()
    slo = served.demand.slo
    ttft = percentile_interval(done.ttft_s, slo.percentile)
    tpot = percentile_interval(done.tpot_s, slo.percentile)
    meets = (slo.ttft_s is None or ttft.low <= slo.ttft_s * _CLOSE) and (
        slo.tpot_s is None or tpot.low <= slo.tpot_s * _CLOSE
    )
    return _Played(ttft_s=ttft.value, tpot_s=tpot.value, meets=bool(meets))


def _with_replica(
    setting: Setting, fleet: Fleet, number: int, hour: int, replicas: int
) -> Fleet | None:
    """The fleet with so many replicas of a pool in an hour; None where no machine is to be had."""
    problem, option = setting.problem, setting.pools[number].option
    counted = fleet.replicas.copy()
    counted[number, hour] = replicas
    mine = np.flatnonzero(problem.pool_option == option)
    taken = float(problem.size[mine] @ counted[mine, hour])
    machines, used = fleet.machines.copy(), fleet.used.copy()
    if problem.held[option]:
        machines[option] = max(machines[option], np.ceil(taken - _USED))
    else:
        used[option, hour] = max(used[option, hour], np.ceil(taken - _USED))
    grown = replace(fleet, replicas=counted, machines=machines, used=used)
    worse = set(broken(problem, grown)) - set(broken(problem, fleet))
    return None if worse else grown
