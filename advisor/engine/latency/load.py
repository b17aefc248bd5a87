"""Percentiles over load: the table, the knee, the highest load within the targets."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from advisor.engine.latency.outcome import Interval, Outcome, percentile, percentile_interval
from advisor.engine.latency.setups import (
    Setup,
    at_load,
    outcome_of,
    when_full,
    without_one,
)
from advisor.engine.workload import Slo

LOADS = (0.25, 0.5, 0.75, 0.9, 1.0, 1.2)
"""Multiples of the peak at which percentiles are given."""
OF_CAPACITY = (0.6, 0.75, 0.85, 0.92, 0.97)
"""Shares of the capacity at which the knee is looked for besides."""
APART = 0.03  # of a load; nearer ones are not simulated besides
SHARES: Mapping[str, float] = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
FIGURES = ("ttft", "tpot", "e2e")
SATURATED = 0.985  # share of the capacity from which waiting does not settle within a run
_BISECTIONS = 6
_SLACK = 1.001  # of a target, as the search grants it
Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LoadRow:
    """Percentiles of one simulated load; `figures` by name such as "ttft_p99_s"."""

    load: float  # multiple of the peak rate
    requests_per_s: float
    replicas: int
    batch_limit: int
    figures: Mapping[str, Interval]
    mean_e2e_s: float
    settles: bool  # false: more arrives than can be served, waits grow as long as it lasts
    missed: tuple[str, ...] | None  # targets not kept at their percentile; None: none was set
    preempted: float  # share of requests pre-empted at least once
    refused: float  # share of requests larger than a replica's memory

    @property
    def meets(self) -> bool | None:
        """Whether every target is kept; None without any."""
        return None if self.missed is None else self.settles and not self.missed


def load_row(setup: Setup, *, capacity: float) -> LoadRow:
    """Simulate a set-up once and take its percentiles."""
    return row_of(setup, outcome_of(setup), capacity=capacity)


def row_of(setup: Setup, done: Outcome, *, capacity: float) -> LoadRow:
    """Percentiles of what became of a set-up's requests.

    Source: `percentile_interval`.
    """
    figures = {
        f"{figure}_{name}_s": percentile_interval(getattr(done, f"{figure}_s"), share)
        for figure in FIGURES
        for name, share in SHARES.items()
    }
    pool = setup.pool
    settles = setup.requests_per_s + setup.neighbour_requests_per_s < SATURATED * capacity
    return LoadRow(
        load=setup.load,
        requests_per_s=setup.requests_per_s,
        replicas=pool.replicas,
        batch_limit=pool.steps.max_batch,
        figures=figures,
        mean_e2e_s=float(done.e2e_s.mean()),
        settles=settles,
        missed=missed_targets(done, setup.served.demand.slo),
        preempted=float((done.preemptions > 0).mean()),
        refused=float(done.refused.mean()),
    )


def missed_targets(done: Outcome, slo: Slo) -> tuple[str, ...] | None:
    """Targets that an outcome does not keep at their percentile; None where none is set."""
    targets = {"ttft_s": slo.ttft_s, "tpot_s": slo.tpot_s, "e2e_s": slo.e2e_s}
    asked = {name: limit for name, limit in targets.items() if limit is not None}
    if not asked:
        return None
    return tuple(
        name
        for name, limit in asked.items()
        if percentile(getattr(done, name), slo.percentile) > limit * _SLACK
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LoadTable:
    """A plan over load."""

    capacity_requests_per_s: float
    rows: tuple[LoadRow, ...]  # LOADS in order
    one_lost: LoadRow | None  # the peak with a replica less; None where it was the only one
    more: tuple[LoadRow, ...]  # further loads simulated on the way, for the chart
    knee: LoadRow | None
    goodput: float | None  # highest load within the targets; None without targets or below all

    @property
    def curve(self) -> list[LoadRow]:
        """All loads simulated with every replica, lightest first."""
        return sorted([*self.rows, *self.more], key=lambda row: row.load)


def load_table(
    setup: Setup, *, progress: Progress | None = None, with_knee: bool = True
) -> LoadTable:
    """Percentiles at the loads of LOADS and with one replica lost, the knee and the goodput.

    All loads are multiples of the set-up's own, on common random numbers.

    Source: knee as the load with the greatest ratio of throughput to mean response, L. Kleinrock,
    "Power and Deterministic Rules of Thumb for Probabilistic Problems in Computer
    Communications", ICC 1979; goodput as in Y. Zhong et al., "DistServe", OSDI 2024.
    """
    tell = progress or _silent
    tell("Finding the capacity", 0.02)
    capacity = when_full(setup).requests_per_s
    alone = max(capacity - setup.neighbour_requests_per_s, 0.0)
    full = alone / max(at_load(setup, 1.0).requests_per_s, 1e-12)
    rows = []
    for number, load in enumerate(LOADS):
        tell(f"Simulating {load:.0%} of the peak", 0.05 + 0.4 * number / len(LOADS))
        rows.append(load_row(at_load(setup, load * setup.load), capacity=capacity))
    lost = None
    if setup.pool.replicas > 1:
        tell("Simulating the loss of a replica", 0.5)
        fewer = without_one(setup)
        lost = load_row(fewer, capacity=capacity * fewer.pool.replicas / setup.pool.replicas)
    more: list[LoadRow] = []
    if with_knee:
        tell("Looking for the knee", 0.55)
        near = [load * setup.load for load in LOADS]
        at = [
            share * full
            for share in OF_CAPACITY
            if share * full > near[0] and min(abs(share * full / x - 1.0) for x in near) > APART
        ]
        more += [load_row(at_load(setup, load), capacity=capacity) for load in at]
    tell("Looking for the highest load within the targets", 0.75)
    found, tried = _goodput(setup, [*rows, *more], full, capacity)
    table = LoadTable(
        capacity_requests_per_s=capacity,
        rows=tuple(rows),
        one_lost=lost,
        more=(*more, *tried),
        knee=None,
        goodput=found,
    )
    return replace(table, knee=_knee(table.curve) if with_knee else None)


def _silent(stage: str, fraction: float) -> None:
    """No progress wanted."""


def _knee(rows: Sequence[LoadRow]) -> LoadRow | None:
    """The load at which throughput over mean response time is greatest."""
    settled = [row for row in rows if row.settles and row.mean_e2e_s > 0.0]
    return max(settled, key=lambda row: row.requests_per_s / row.mean_e2e_s, default=None)


def _goodput(
    setup: Setup, known: Sequence[LoadRow], full: float, capacity: float
) -> tuple[float | None, list[LoadRow]]:
    """Bisection between the highest load known to keep the targets and the lowest that does not."""
    if all(row.meets is None for row in known):
        return None, []
    kept = [row.load for row in known if row.meets]
    low = max(kept, default=0.0)
    broken = [row.load for row in known if not row.meets and row.load > low]
    high = min([*broken, max(full, low)])
    tried = []
    for _ in range(_BISECTIONS):
        if high - low <= 0.01 * max(high, 1e-12):
            break
        row = load_row(at_load(setup, 0.5 * (low + high)), capacity=capacity)
        tried.append(row)
        if row.meets:
            low = row.load
        else:
            high = row.load
    return (low if low > 0.0 else None), tried


def batch_limits(setup: Setup) -> list[int]:
    """Limits on requests at once worth comparing: halves and doubles of the plan's own."""
    own, most = setup.pool.steps.max_batch, setup.served.steps.max_batch
    around = own * 2.0 ** np.arange(-3, 4)
    return sorted({int(min(max(round(x), 1), most)) for x in around})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BatchRow:
    """A batch limit: the set-up at its own load, and with every place taken."""

    row: LoadRow
    full_requests_per_s: float
    full_tpot: Interval  # p99 when full


def batch_table(setup: Setup, *, progress: Progress | None = None) -> list[BatchRow]:
    """The set-up at several batch limits: batch size against latency and throughput."""
    tell = progress or _silent
    limits = batch_limits(setup)
    rows = []
    for number, limit in enumerate(limits):
        tell(f"Simulating batches of {limit}", number / len(limits))
        tried = replace(setup, batch_limit=limit)
        full = when_full(tried)
        rows.append(
            BatchRow(
                row=load_row(tried, capacity=full.requests_per_s),
                full_requests_per_s=full.requests_per_s,
                full_tpot=percentile_interval(full.outcome.tpot_s, SHARES["p99"]),
            )
        )
    return rows
