"""Scaling: how long a start takes, what a day costs, and where always-on is cheaper."""

from dataclasses import dataclass, replace

import numpy as np

from advisor.engine.cases import Floats
from advisor.engine.latency.operations import shipped_operations
from advisor.engine.latency.serverless import (
    STEP_S,
    ColdStart,
    Crossing,
    Day,
    Replica,
    Scaling,
    always_on_day,
    autoscaled_day,
    cold_start,
    crossing_of,
    drawn_arrivals,
)
from advisor.engine.plan import Plan
from advisor.services.paths.asked import Field, Values, number
from advisor.services.paths.documents import Document, Row, basis, chart, table
from advisor.services.paths.subject import Subject
from catalog.specs import BYTES_PER_WEIGHT
from catalog.units import DAYS_PER_MONTH, GIGA, HOURS_PER_DAY, PERCENT

SEED = 7
_SHOWN = 144  # points of the chart of the day


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """A plan as scaling sees it."""

    subject: Subject
    replica: Replica
    start: ColdStart
    scaling: Scaling
    arrivals: Floats
    hourly: Floats
    cv: float
    scaled_usd_per_h: float | None
    always_usd_per_h: float | None
    always_words: str
    always_replicas: int


def fields(subject: Subject) -> list[Field]:
    """What may be changed."""
    figures = shipped_operations()

    return [
        number("minimum", "Always running", "replicas, 0: scale to zero",
               0 if subject.demand.scale_to_zero else 1, 0, 10_000, whole=True),
        number("load_pct", "Traffic", "% of what you described", 100.0, 0.001, 10_000.0),
        number("headroom_pct", "Headroom", "% above the load of the last minute",
               subject.demand.headroom_fraction / PERCENT, 0.0, 500.0),
        number("idle_s", "Given back after", "seconds without need",
               figures["scale/idle"].value, 10.0, 86_400.0),
        number("price_factor", "Price when scaled", "times the plan's price by the hour",
               1.0, 0.1, 20.0),
        number("provision_s", "Machine starts in", "seconds",
               figures["cold/provision"].value, 0.0, 86_400.0),
        number("image_gb", "Container", "GB", figures["cold/image"].value / GIGA, 0.0, 1000.0),
        number("image_rate_gb_s", "Container pulled at", "GB/s",
               figures["cold/image_rate"].value / GIGA, 0.001, 1000.0),
        number("storage_gb_s", "Weights read at", "GB/s",
               figures["cold/storage_rate"].value / GIGA, 0.001, 10_000.0),
        number("warm_up_s", "Warm-up", "seconds", figures["cold/warm_up"].value, 0.0, 86_400.0),
    ]  # fmt: skip


def answer(subject: Subject, values: Values) -> Document:
    """The cold start, the day both ways, and the traffic at which they cost the same."""
    case = _case(subject, values)
    scaled = autoscaled_day(case.arrivals, case.replica, case.scaling, cv=case.cv)
    always = always_on_day(case.arrivals, case.replica, replicas=case.always_replicas, cv=case.cv)
    crossing = _crossing(case)
    others = [
        ("Scaled to zero", replace(case.scaling, minimum=0)),
        ("One kept running", replace(case.scaling, minimum=1)),
    ]
    days = [
        (label, autoscaled_day(case.arrivals, case.replica, scaling, cv=case.cv))
        for label, scaling in others
        if scaling.minimum != case.scaling.minimum
    ]
    days.insert(0, (f"As asked, {case.scaling.minimum} kept running", scaled))
    return {
        "findings": [
            _cost_words(case, scaled, always),
            _start_words(case),
            _crossing_words(case, crossing),
        ],
        "cold_start_s": case.start.total_s,
        "crossing_times_traffic": None if crossing is None else crossing.times_traffic,
        "tables": [_parts(case.start), _days(case, days, always)],
        "charts": [_chart(case, scaled)],
        "basis": _basis(values),
    }


def _case(subject: Subject, values: Values) -> _Case:
    start = cold_start(
        image_bytes=values["image_gb"] * GIGA,
        image_bytes_per_s=values["image_rate_gb_s"] * GIGA,
        weight_bytes=subject.demand.model.total_params * BYTES_PER_WEIGHT[subject.plan.precision],
        storage_bytes_per_s=values["storage_gb_s"] * GIGA,
        warm_up_s=values["warm_up_s"],
        provision_s=values["provision_s"],
    )
    hourly = subject.hourly_per_s * values["load_pct"] * PERCENT
    headroom = values["headroom_pct"] * PERCENT
    replica = Replica(
        requests_per_s=subject.requests_per_s_of_replica,
        ttft_s=subject.plan.value("ttft_p50_s") or 0.0,
        e2e_s=subject.plan.value("e2e_p50_s") or 0.0,
    )
    peak = max(int(np.ceil(hourly.max() * (1.0 + headroom) / replica.requests_per_s - 1e-9)), 1)
    scaling = Scaling(
        cold_start_s=start.total_s,
        minimum=int(values["minimum"]),
        most=max(2 * peak, int(values["minimum"]), 1),
        headroom=headroom,
        idle_s=values["idle_s"],
    )
    by_hour = _usd_per_h(subject)
    always, words = _cheapest_always(subject)
    cv = subject.demand.burstiness_cv
    return _Case(
        subject=subject,
        replica=replica,
        start=start,
        scaling=scaling,
        arrivals=drawn_arrivals(hourly, cv=cv, seed=SEED),
        hourly=hourly,
        cv=cv,
        scaled_usd_per_h=None if by_hour is None else by_hour * values["price_factor"],
        always_usd_per_h=always,
        always_words=words,
        always_replicas=peak,
    )


def _usd_per_h(subject: Subject) -> float | None:
    """A replica-hour of the plan; of the cheapest rent by the hour where it is not rented so."""
    mine = [
        each
        for each in subject.decision.plans
        if each.accelerator_slug == subject.plan.accelerator_slug
        and each.purchase == "on_demand"
        and each.price.get("usd_per_h")
        and each.parallelism
    ]
    plan = subject.plan if subject.plan in mine else min(mine, key=_hour, default=None)
    return None if plan is None else _hour(plan)


def _hour(plan: Plan) -> float:
    return float(str(plan.price["usd_per_h"])) * plan.system_count / plan.parallelism["replicas"]


def _cheapest_always(subject: Subject) -> tuple[float | None, str]:
    """The cheapest replica-hour of the same part when it is kept all month, and how it is had."""
    found = []
    for each in subject.decision.plans:
        usd = each.value("monthly_cost_usd")
        if each.accelerator_slug != subject.plan.accelerator_slug or usd is None:
            continue
        if not each.parallelism or each.purchase == "spot":
            continue
        if each.purchase == "on_demand" and each.price.get("usd_per_h"):
            found.append((_hour(each), f"{each.provider} on demand"))
        elif each.purchase != "on_demand":
            hours = DAYS_PER_MONTH * HOURS_PER_DAY * int(each.parallelism["replicas"])
            found.append((usd / hours, f"{each.provider}, {each.purchase.replace('_', ' ')}"))
    return min(found, default=(None, ""))


def _crossing(case: _Case) -> Crossing | None:
    if case.scaled_usd_per_h is None or case.always_usd_per_h is None:
        return None
    return crossing_of(
        case.hourly,
        case.replica,
        case.scaling,
        cv=case.cv,
        scaled_usd_per_h=case.scaled_usd_per_h,
        always_usd_per_h=case.always_usd_per_h,
        seed=SEED,
    )


def _month(day: Day, usd_per_h: float | None) -> float | None:
    """Cost of a month of such days; days without traffic cost what stays running."""
    return None if usd_per_h is None else day.replica_hours * usd_per_h * DAYS_PER_MONTH


def _start_words(case: _Case) -> str:
    limit = case.subject.demand.cold_start_limit_s
    text = (
        f"A new replica serves {case.start.total_s:,.0f} s after it is asked for, "
        f"{case.start.weights_s:,.3g} s of them reading {_weight_gb(case):,.3g} GB of weights."
    )
    if limit is not None and case.scaling.minimum == 0:
        fits = "within" if case.start.total_s <= limit else "longer than"
        text += f" That is {fits} the {limit:,.0f} s you accept."
    return text


def _weight_gb(case: _Case) -> float:
    precision = case.subject.plan.precision
    return case.subject.demand.model.total_params * BYTES_PER_WEIGHT[precision] / GIGA


def _cost_words(case: _Case, scaled: Day, always: Day) -> str:
    one, two = _month(scaled, case.scaled_usd_per_h), _month(always, case.always_usd_per_h)
    if one is None or two is None:
        return "This part is not rented by the hour with a price, so there is nothing to scale."
    less = "less" if one < two else "more"
    return (
        f"Scaled it costs {one:,.0f} USD a month, {abs(one - two):,.0f} USD {less} than "
        f"{case.always_replicas:,} that always run{'s' if case.always_replicas == 1 else ''} "
        f"({case.always_words}); "
        f"99 of 100 requests wait at most {scaled.wait_percentile_s(0.99):,.1f} s instead of "
        f"{always.wait_percentile_s(0.99):,.1f} s before they are served."
    )


def _crossing_words(case: _Case, crossing: Crossing | None) -> str:
    if crossing is None:
        return "Without a price by the hour no crossing can be found."
    if crossing.times_traffic is None:
        cheaper = "Scaling" if crossing.cheaper_below == "scaled" else "Always-on"
        return (
            f"{cheaper} is cheaper at every traffic tried, from a thousandth to a hundred times "
            "this one."
        )
    mean = float(case.hourly.mean()) * crossing.times_traffic
    return (
        f"Scaling is cheaper below {crossing.times_traffic:.3g} times this traffic "
        f"({mean:,.3g} requests/s over the day), always-on above: found by running the day again."
    )


def _parts(start: ColdStart) -> Document:
    rows = [
        Row(label="Machine", cells=[start.provision_s]),
        Row(label="Container image", cells=[start.image_s]),
        Row(label="Weights", cells=[start.weights_s]),
        Row(label="Warm-up", cells=[start.warm_up_s]),
        Row(label="All together", cells=[start.total_s], chosen=True),
    ]
    return table(
        "cold-start", "A cold start", "One part after the other; waiting for free capacity apart.",
        "Part", {"Time": "s"}, rows,
    )  # fmt: skip


def _days(case: _Case, scaled: list[tuple[str, Day]], always: Day) -> Document:
    slo_s = case.subject.demand.slo.ttft_s
    rows = [
        _day_row(case, label, day, case.scaled_usd_per_h, slo_s, chosen=number == 0)
        for number, (label, day) in enumerate(scaled)
    ]
    label = f"{case.always_replicas:,} always on"
    rows.append(_day_row(case, label, always, case.always_usd_per_h, slo_s))
    return table(
        "day",
        "A day both ways",
        f"Waits come before the first token's own time. A month is {DAYS_PER_MONTH:.1f} such days.",
        "Way",
        {
            "Replica-hours a day": "count",
            "Cost a month": "USD",
            "Wait, median": "s",
            "Wait, p95": "s",
            "Wait, p99": "s",
            "Later than the target": "fraction",
        },
        rows,
    )


def _day_row(
    case: _Case, label: str, day: Day, usd: float | None, slo_s: float | None, *,
    chosen: bool = False,
) -> Row:  # fmt: skip
    late = None
    if slo_s is not None:
        late = day.share_waiting_over(max(slo_s - case.replica.ttft_s, 0.0))
    return Row(
        label=label,
        cells=[
            day.replica_hours,
            _month(day, usd),
            day.wait_percentile_s(0.5),
            day.wait_percentile_s(0.95),
            day.wait_percentile_s(0.99),
            late,
        ],
        chosen=chosen,
    )


def _chart(case: _Case, day: Day) -> Document:
    every = len(day.paid) // _SHOWN
    at = np.arange(len(day.paid))[::every]
    hours = (at * STEP_S / 3600.0).round(2).tolist()
    load = np.array([day.arrivals[i : i + every].mean() for i in at]) / STEP_S
    need = (load / case.replica.requests_per_s).tolist()
    return chart(
        "day-chart",
        "Replicas over the day",
        f"Paid {day.replica_hours:,.0f} replica-hours; the peak all day would be "
        f"{case.always_replicas * HOURS_PER_DAY:,.0f}.",
        x="Hour",
        y="Replicas",
        series={
            "Paid": (hours, day.paid[::every].tolist()),
            "Serving": (hours, day.running[::every].tolist()),
            "Load, in replicas": (hours, need),
        },
    )


def _basis(values: Values) -> list[Document]:
    figures = shipped_operations()
    return [
        basis(figures["cold/provision"], used=values["provision_s"]),
        basis(figures["cold/image"], used=values["image_gb"] * GIGA),
        basis(figures["cold/image_rate"], used=values["image_rate_gb_s"] * GIGA),
        basis(figures["cold/storage_rate"], used=values["storage_gb_s"] * GIGA),
        basis(figures["cold/warm_up"], used=values["warm_up_s"]),
        basis(figures["scale/idle"], used=values["idle_s"]),
    ]
