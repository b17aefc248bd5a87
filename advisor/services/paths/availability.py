"""Failures: what the plan reaches, the spares and zones that keep the promise, who takes over."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from advisor.engine.latency.availability import (
    Cause,
    Failures,
    Found,
    Layout,
    availability,
    best_within,
    by_cause,
    shares_of_time,
    smallest_layout,
    unit_failures,
)
from advisor.engine.latency.operations import Zones, notice_s, shipped_operations, zones_of
from advisor.engine.latency.outages import monthly_down_h, share_of_months
from advisor.engine.plan import Plan
from advisor.engine.search.sleeping import start_of
from advisor.services.paths.asked import Field, Values, number
from advisor.services.paths.documents import (
    Cell,
    Document,
    Row,
    basis,
    chart,
    nines_text,
    percent_text,
    table,
)
from advisor.services.paths.failover import failover_table, other_plan
from advisor.services.paths.subject import Subject
from catalog.units import HOURS_PER_MONTH, HOURS_PER_YEAR, PERCENT

MONTHS = 1200
SEED = 11
SPARES_SHOWN = 5
LEAST_MINUTES = 1e-3
_MINUTES_PER_MONTH = HOURS_PER_MONTH * 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """A plan as its failures see it."""

    subject: Subject
    failures: Failures
    replicas_of_unit: int
    needed: list[int]  # units by hour
    degraded_needed: list[int]
    zones: Zones
    target: float


def fields(subject: Subject) -> list[Field]:
    """What may be changed."""
    figures, own = shipped_operations(), subject.plan.provider_kind == "on_prem"
    repair = figures["repair/own" if own else "repair/rented"]
    zones = _zones(subject.plan)
    spread = min(zones.count, 2) if subject.demand.redundancy == "two_zones" else 1

    return [
        number("target_pct", "Promise", "% of the time within the targets",
               subject.demand.availability / PERCENT, 50.0, 99.9999),
        number("zones", "Zones used", f"of {zones.count} on record", spread, 1, 6, whole=True),
        number("repair_h", "Back after a failure", "hours", repair.value, 0.01, 1000.0),
        number("mtbf_h", "Life of one accelerator", "hours between failures",
               figures["accelerator_mtbf"].value, 10.0, 1e7),
        number("zone_down_pct", "A zone is out", "% of the time",
               figures["zone/down"].value / PERCENT, 0.0, 50.0),
        number("outage_h", "An outage lasts", "hours", figures["zone/outage"].value, 0.05, 500.0),
        number("common_pct", "Failures that spread", "% of a machine's failures take its zone",
               figures["common/share"].value / PERCENT, 0.0, 100.0),
        number("push_per_year", "Bad pushes", "a year: software or settings that all share",
               figures["push/per_year"].value, 0.0, 365.0),
        number("push_outage_h", "A bad push lasts", "hours until it is rolled back",
               figures["push/outage"].value, 0.01, 100.0),
        number("degraded_pct", "Enough when degraded",
               "% of the load: a smaller model, longer queues", 50.0, 1.0, 100.0),
    ]  # fmt: skip


def answer(subject: Subject, values: Values) -> Document:
    """What the plan reaches, what would reach the promise, and who can take over."""
    case = _case(subject, values)
    units = -(-subject.replicas // case.replicas_of_unit)
    planned = Layout(units=units, zones=min(int(values["zones"]), units))
    reached = availability(planned, case.failures, case.needed)
    down_h = monthly_down_h(
        planned, case.failures, needed=np.array(case.needed), months=MONTHS, seed=SEED
    )
    found = smallest_layout(
        case.failures, needed=case.needed, target=case.target, most_zones=case.zones.count
    )
    ceiling = best_within(case.failures, needed=case.needed, most_zones=case.zones.count)
    other = other_plan(subject)
    causes = by_cause(planned, case.failures, case.needed)
    tables = [_states(case, planned), _causes(causes), _grid(case, found)]
    if other is not None:
        tables.append(
            failover_table(
                subject, case.failures, planned, other,
                needed=case.needed, degraded_needed=case.degraded_needed,
            )
        )  # fmt: skip
    return {
        "findings": [
            _reached(case, planned, reached, share_of_months(down_h, target=case.target)),
            _together(causes),
            _found(case, found, ceiling),
            _zones_words(subject, case.zones),
            *_spot_words(subject),
        ],
        "availability": reached,
        "availability_if_independent": causes[0].availability,
        "months_kept": share_of_months(down_h, target=case.target),
        "found": None
        if found is None
        else {
            "replicas": found.layout.units * case.replicas_of_unit,
            "zones": found.layout.zones,
            "spare_units": found.spares,
            "availability": found.availability,
        },
        "tables": tables,
        "charts": [_chart(case)],
        "basis": _basis(subject, values),
    }


def _case(subject: Subject, values: Values) -> _Case:
    figures = shipped_operations()
    plan = subject.plan
    of_machine = max(plan.accelerator_count // max(plan.system_count, 1), 1)
    of_replica = subject.accelerators_of_replica
    each = max(of_machine // of_replica, 1)
    interrupted, restart_h = 0.0, 0.0
    if plan.purchase == "spot":
        interrupted = subject.worked.rates["spot/interrupted_per_month"].value / HOURS_PER_MONTH
        start_s = start_of(subject.demand, plan.precision).total_s
        warned = notice_s(plan.provider).value >= start_s
        restart_h = 0.0 if warned else subject.worked.rates["spot/restart"].value
    failures = unit_failures(
        accelerators=max(of_machine, of_replica),
        accelerator_mtbf_h=values["mtbf_h"],
        repair_h=values["repair_h"],
        zone_down=values["zone_down_pct"] * PERCENT,
        zone_outage_h=values["outage_h"],
        region_down=figures["region/down"].value,
        region_outage_h=figures["region/outage"].value,
        interrupted_per_h=interrupted,
        restart_h=restart_h,
        common_share=values["common_pct"] * PERCENT,
        push_down=_down(values["push_per_year"], values["push_outage_h"]),
        push_outage_h=values["push_outage_h"],
    )
    return _Case(
        subject=subject,
        failures=failures,
        replicas_of_unit=each,
        needed=_units(subject, each, 1.0),
        degraded_needed=_units(subject, each, values["degraded_pct"] * PERCENT),
        zones=_zones(plan),
        target=values["target_pct"] * PERCENT,
    )


def _down(per_year: float, outage_h: float) -> float:
    """Share of the time that outages of a frequency and a mean length take."""
    out_h = per_year * outage_h
    return out_h / (HOURS_PER_YEAR + out_h)


def _units(subject: Subject, each: int, times: float) -> list[int]:
    return [int(units) for units in np.ceil(subject.needed_by_hour(times) / each)]


def _zones(plan: Plan) -> Zones:
    return zones_of(
        provider=plan.provider,
        region=plan.region,
        accelerator=plan.accelerator_slug,
        purchase=plan.purchase,
    )


def _minutes(share: float) -> float:
    return (1.0 - share) * _MINUTES_PER_MONTH


def _machines(case: _Case, units: int) -> str:
    replicas = units * case.replicas_of_unit
    return f"{replicas:,} replica{'s' if replicas > 1 else ''}"


def _places(count: int) -> str:
    return "one zone" if count == 1 else f"{count} zones"


def _reached(case: _Case, planned: Layout, reached: float, months: float) -> str:
    kept = "keeps" if reached >= case.target else "misses"
    are = "is" if planned.units * case.replicas_of_unit == 1 else "are"
    return (
        f"As planned, {_machines(case, planned.units)} in {_places(planned.zones)} {are} enough "
        f"{nines_text(reached)} of the time, {_minutes(reached):,.0f} minutes a month short: that "
        f"{kept} {nines_text(case.target)}. Of the months played through {percent_text(months)} "
        "keep it."
    )


def _found(case: _Case, found: Found | None, ceiling: Found) -> str:
    if found is None:
        return (
            f"No number of replicas in this place keeps {nines_text(case.target)}: its "
            f"{_places(ceiling.layout.zones)} and {ceiling.spares} spare machines reach "
            f"{nines_text(ceiling.availability)}. What is left is a second place, family or "
            "provider that takes over."
        )
    spares = f"{found.spares} spare" if found.spares else "no spare"
    return (
        f"The fewest that keep {nines_text(case.target)}: {_machines(case, found.layout.units)} "
        f"({spares}) in {_places(found.layout.zones)}: {nines_text(found.availability)}."
    )


def _zones_words(subject: Subject, zones: Zones) -> str:
    names = f" ({', '.join(zones.names)})" if zones.names else ""
    where = f"{subject.plan.provider} {subject.plan.region}".strip()
    note = f" {zones.note}" if zones.note else ""
    return (
        f"{subject.plan.accelerator} at {where or 'your own room'}: {_places(zones.count)}{names}. "
        f"Source: {zones.source}.{note}"
    )


def _spot_words(subject: Subject) -> list[str]:
    if subject.plan.purchase != "spot":
        return []
    notice = notice_s(subject.plan.provider)
    start_s = start_of(subject.demand, subject.plan.precision).total_s
    enough = "enough" if notice.value >= start_s else "less than"
    return [
        f"Spot capacity is taken back with {notice.value:,.0f} s of notice, {enough} the "
        f"{start_s:,.0f} s that another machine takes to start and load."
    ]


def _states(case: _Case, planned: Layout) -> Document:
    alone = shares_of_time(
        planned, case.failures, needed=case.needed, degraded_needed=case.degraded_needed
    )
    rows = [
        Row(
            label="Within the targets",
            cells=[alone.full, _minutes(1.0 - alone.full)],
        ),
        Row(
            label="Served, but slower or by a smaller model",
            cells=_short(alone.degraded),
        ),
        Row(label="Not enough to serve even that", cells=_short(alone.down)),
    ]
    return table(
        "states",
        "A month of the plan as it is",
        "Averaged over the hours of the day and their load.",
        "State",
        {"Share of the time": "availability", "Minutes a month": "count"},
        rows,
    )


CAUSES = {
    "alone": "Machines failing one by one",
    "common": "Failures that spread to the machines beside",
    "zone": "Outages of a zone",
    "region": "Outages of the region or the provider there",
    "push": "Pushes of software or settings that all share",
}


def _together(causes: Sequence[Cause]) -> str:
    alone, last = causes[0], causes[-1]
    worst = max(causes, key=lambda each: each.short)
    return (
        f"If machines failed only one by one it would be {nines_text(alone.availability)}; what "
        f"they share takes it to {nines_text(last.availability)}. Most of it: "
        f"{CAUSES[worst.name].lower()}, {_minutes(1.0 - worst.short):,.0f} minutes a month."
    )


def _causes(causes: Sequence[Cause]) -> Document:
    return table(
        "causes",
        "What takes the time",
        "Each cause counted on top of those above it: first machines that fail independently, "
        "then what fails together.",
        "Cause",
        {"Minutes a month it adds": "count", "With all so far": "availability"},
        [
            Row(label=CAUSES[each.name], cells=[_minutes(1.0 - each.short), each.availability])
            for each in causes
        ],
    )


def _short(share: float) -> list[Cell]:
    """A small share of the time, and its minutes; what is below a second a year is none."""
    minutes = _minutes(1.0 - share)
    return [share, minutes] if minutes > LEAST_MINUTES else [0.0, 0.0]


def _grid(case: _Case, found: Found | None) -> Document:
    peak = max(case.needed)
    usd = case.subject.usd_per_replica_month
    rows = []
    for spares in range(SPARES_SHOWN):
        cells: list[float | str | None] = []
        units = peak + spares
        for zones in range(1, case.zones.count + 1):
            layout = Layout(units=units, zones=min(zones, units))
            cells.append(availability(layout, case.failures, case.needed))
        month = None if usd is None else usd * units * case.replicas_of_unit
        chosen = found is not None and found.spares == spares
        rows.append(
            Row(
                label=_machines(case, units),
                note="none to spare" if not spares else f"N+{spares}",
                cells=[*cells, month],
                chosen=chosen,
            )
        )
    columns = {f"In {_places(zones)}": "availability" for zones in range(1, case.zones.count + 1)}
    return table(
        "grid",
        "Spares and zones",
        "Share of the time in which enough replicas are up. The marked row is the first that "
        "keeps the promise."
        if found
        else "Share of the time in which enough replicas are up.",
        "Replicas",
        {**columns, "Cost a month": "USD"},
        rows,
    )


def _chart(case: _Case) -> Document:
    peak = max(case.needed)
    spares = list(range(9))
    series = {}
    for zones in range(1, case.zones.count + 1):
        short = [
            max(
                _minutes(
                    availability(
                        Layout(units=peak + extra, zones=min(zones, peak + extra)),
                        case.failures,
                        case.needed,
                    )
                ),
                1e-3,
            )
            for extra in spares
        ]
        series[f"In {_places(zones)}"] = (spares, short)
    return chart(
        "spares",
        "Minutes a month short of replicas",
        "Spares help until the zone itself is what is out; more zones need spares to be worth it.",
        x="Spare machines",
        y="Minutes a month",
        series=series,
        log=True,
        rule=("Promise", max(_minutes(case.target), 1e-3)),
    )


def _basis(subject: Subject, values: Values) -> list[Document]:
    figures = shipped_operations()
    own = subject.plan.provider_kind == "on_prem"
    return [
        basis(figures["accelerator_mtbf"], used=values["mtbf_h"]),
        basis(figures["repair/own" if own else "repair/rented"], used=values["repair_h"]),
        basis(figures["zone/down"], used=values["zone_down_pct"] * PERCENT),
        basis(figures["zone/outage"], used=values["outage_h"]),
        basis(figures["region/down"]),
        basis(figures["region/outage"]),
        basis(figures["common/share"], used=values["common_pct"] * PERCENT),
        basis(figures["push/per_year"], used=values["push_per_year"]),
        basis(figures["push/outage"], used=values["push_outage_h"]),
    ]
