"""Candidates as whole plans: names, figures with ranges, cost lines and their sources."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import isfinite

from advisor.engine.cases import ENGINES
from advisor.engine.plan import CostLine, FleetItem, Plan
from advisor.engine.search.fits import deployment_kind
from advisor.engine.search.placement import is_market, sold_by_the_chip
from advisor.engine.search.pricing import interrupted_per_month
from advisor.engine.search.reach import longer_by, way_of
from advisor.engine.search.river import Priced
from advisor.engine.search.sleeping import sleeping_note, sleeping_of
from catalog.specs import (
    PRECISIONS,
    AcceleratorSpec,
    Evidence,
    Figure,
    OfferSpec,
    Purchase,
    SystemSpec,
)
from catalog.units import HOURS_PER_MONTH, KILO, MEGA
from costing.engine.cases import CostCases, take
from costing.engine.evidence import line_evidence
from costing.engine.people import deployment_of
from costing.engine.quantities import growth_path
from costing.engine.rental import paid_hours_per_month, spot_usd_per_useful_h
from costing.engine.tco import COMPUTE, HARDWARE, LABELS, TAIL, TOKENS

_UNITS: Mapping[str, str] = {
    "ttft_p50_s": "s", "ttft_p95_s": "s", "ttft_p99_s": "s",
    "tpot_p50_s": "s", "tpot_p95_s": "s", "tpot_p99_s": "s",
    "e2e_p50_s": "s", "e2e_p95_s": "s", "e2e_p99_s": "s",
    "output_tokens_per_s": "tokens/s", "requests_per_s": "requests/s",
    "samples_per_s": "samples/s", "users_at_slo": "concurrent users",
    "hours": "h", "mfu": "fraction", "tokens_per_s_per_accelerator": "tokens/s",
    "step_time_s": "s",
}  # fmt: skip
_PRICE_EVIDENCE: Mapping[str, Evidence] = {
    "official": Evidence.LIST,
    "reported": Evidence.REPORTED,
    "estimate": Evidence.ASSUMED,
    "low": Evidence.ASSUMED,
    "none": Evidence.ASSUMED,
}
_PURCHASE_WORDS: Mapping[Purchase, str] = {
    Purchase.ON_DEMAND: "on demand",
    Purchase.SPOT: "spot",
    Purchase.RESERVED_1Y: "reserved 1 year",
    Purchase.RESERVED_3Y: "reserved 3 years",
    Purchase.CAPACITY_BLOCK: "capacity block",
    Purchase.HOSTED_TOKENS: "hosted API",
    Purchase.BUY: "bought",
    Purchase.QUOTE: "to be quoted",
}
ARM_HOST_LINK = "NVLink-C2C"  # joins the accelerator to a Grace host
OFFER_LINES = frozenset({COMPUTE, TAIL, TOKENS, HARDWARE})
"""Lines whose price is the offer's own."""
_OF_THE_SPEED = frozenset(
    {"hours", "mfu", "tokens_per_s_per_accelerator", "step_time_s", "output_tokens_per_s",
     "requests_per_s"}
)  # fmt: skip
"""Figures that a measurement of the very configuration settles."""
WORTH_SAYING = 0.05  # of the hours paid for
PERFORMANCE_SOURCE = "performance model and its calibration; see the method pages"


def plan_of(priced: Priced, row: int, *, plan_id: str, blocked: str = "") -> Plan:
    """One candidate as a plan, every figure with range, unit, evidence and source.

    Source: the candidate's own columns; nothing is computed anew but ratios of them.
    """
    sizing_row = int(priced.placements.sizing[row])
    offer = priced.offers[int(priced.placements.offer[row])]
    part = priced.parts[int(priced.sizing.accelerator[sizing_row])]
    gate = priced.gates[int(priced.sizing.precision[sizing_row])]
    case = take(priced.cases, [row])
    count = round(float(priced.placements.accelerators[row]))
    instances = round(float(priced.placements.instances[row]))
    system = priced.systems.get(offer.system_slug)
    figures = _with_way(priced, row, _performance(priced, sizing_row))
    figures |= _money(priced, row, offer)
    figures |= _energy(priced, row)
    figures |= per_unit(priced, figures)
    training = priced.workload.training is not None
    return Plan(
        id=plan_id,
        name=plan_name(count, part, offer),
        workload=priced.workload.name,
        kind="training" if training else "serving",
        family=part.family.value,
        accelerator=part.name,
        accelerator_slug=part.slug,
        accelerator_count=count,
        system=_machine(offer, system),
        system_count=instances,
        provider=offer.provider,
        provider_kind=deployment_kind(offer),
        region=offer.region.code if offer.region else "",
        country=offer.region.country if offer.region else "",
        purchase=offer.purchase.value,
        precision=PRECISIONS[int(priced.sizing.precision[sizing_row])],
        engine=_engine(priced, sizing_row),
        parallelism={
            "tensor": int(priced.sizing.tensor[sizing_row]),
            "pipeline": int(priced.sizing.pipeline[sizing_row]),
            "expert": int(priced.sizing.expert[sizing_row]),
            "attention_data": int(priced.sizing.attention_data[sizing_row]),
            "replicas": int(priced.sizing.replicas[sizing_row]),
            "data": _data_parallel(priced, sizing_row),
        },
        meets_targets=bool(priced.sizing.meets[sizing_row]),
        price_open=bool(priced.cost.price_open[row]),
        price=_price(offer),
        cost_breakdown=cost_lines(priced, row, offer),
        figures=figures,
        fleet=(
            FleetItem(
                what=f"{count} x {part.name}",
                count=instances,
                purchase=offer.purchase.value,
                provider=offer.provider,
                region=offer.region.code if offer.region else "",
                workload=priced.workload.name,
                usd_per_month=_known(priced.cost.monthly_usd[row]),
            ),
        ),
        quality_gate=gate.reason,
        porting_weeks=_known(priced.cases.porting_weeks[row]),
        notes=tuple(_notes(priced, row, part, offer, case)),
        extra={
            **_schedule(priced, row, offer),
            **delivery(offer),
            "not_recommended_because": blocked,
        },
        case=case,
        speed_range=(
            float(priced.sizing.capacity_low[sizing_row]),
            float(priced.sizing.capacity_high[sizing_row]),
        ),
    )


def _schedule(priced: Priced, row: int, offer: OfferSpec) -> dict[str, object]:
    """When the machines are busy, for those who share them."""
    sizing_row = int(priced.placements.sizing[row])
    hours = float(priced.sizing.hours_per_month[sizing_row])
    serving = priced.workload.serving
    job = priced.workload.training is not None or (serving is not None and serving.is_batch)
    committed = offer.purchase not in (Purchase.ON_DEMAND, Purchase.SPOT)
    load = float(priced.sizing.utilisation[sizing_row])
    return {
        "hours_per_month": hours,
        "is_batch": serving is not None and serving.is_batch,
        "batch_limit": float(priced.sizing.concurrency[sizing_row]),
        "mean_utilisation": load * hours / HOURS_PER_MONTH if serving is not None else load,
        "always_on": not job and (committed or hours >= HOURS_PER_MONTH - 1.0),
    }


def delivery(offer: OfferSpec) -> dict[str, object]:
    """How long an offer takes to come, None where unpublished, and what its place is certified for.

    Source: the offer and its region.
    """
    return {
        "lead_time_weeks": offer.lead_time_weeks,
        "compliance": sorted(offer.region.compliance) if offer.region else [],
    }


def plan_name(count: int, part: AcceleratorSpec, offer: OfferSpec) -> str:
    """What it is in one line: count, part, where and bought how."""
    where = f"{offer.provider} {offer.region.code}" if offer.region else offer.provider
    return f"{count} x {part.name}, {where}, {_PURCHASE_WORDS[offer.purchase]}"


def _data_parallel(priced: Priced, row: int) -> int:
    """Copies of the model that a training job keeps; one in a serving replica."""
    sizing = priced.sizing
    ranks = int(sizing.tensor[row]) * int(sizing.pipeline[row])
    return max(int(sizing.chips_per_replica[row]) // max(ranks, 1), 1)


def _machine(offer: OfferSpec, system: SystemSpec | None) -> str:
    if system is not None:
        return system.name
    return "sold by the accelerator" if sold_by_the_chip(offer) else offer.instance_type


def cost_lines(priced: Priced, row: int, offer: OfferSpec) -> tuple[CostLine, ...]:
    """The lines of a breakdown that are not zero; they add up to the total to the cent."""
    price = (_PRICE_EVIDENCE.get(offer.confidence, Evidence.ASSUMED), offer.source)
    basis = line_evidence(
        priced.rates,
        priced.cases,
        row,
        provider=offer.provider,
        deployment=_deployment(priced, row, offer),
        own_prices=priced.own_prices,
    )
    lines = []
    for label in LABELS:
        usd = float(priced.cost.lines[label][row])
        if not isfinite(usd) or usd == 0.0:
            continue
        evidence, source = price if label in OFFER_LINES else basis[label]
        lines.append(
            CostLine(
                label=label,
                usd=round(usd, 2),
                low=round(float(priced.cost.low_lines[label][row]), 2),
                high=round(float(priced.cost.high_lines[label][row]), 2),
                evidence=evidence.value,
                source=source,
            )
        )
    return to_the_cent(lines, round(float(priced.cost.total_usd[row]), 2))


def to_the_cent(lines: Sequence[CostLine], total_usd: float) -> tuple[CostLine, ...]:
    """Lines that add up to their total exactly: the largest takes the cents of rounding.

    Left as they are where more than rounding is between them.
    """
    apart = round(total_usd - sum(line.usd for line in lines), 2)
    if not lines or apart == 0.0 or not abs(apart) <= 0.01 * len(lines):
        return tuple(lines)
    largest = max(range(len(lines)), key=lambda at: abs(lines[at].usd))
    return tuple(
        replace(line, usd=round(line.usd + apart, 2)) if at == largest else line
        for at, line in enumerate(lines)
    )


def _deployment(priced: Priced, row: int, offer: OfferSpec) -> str:
    on_site = bool(priced.cases.on_site[row])
    return deployment_of(
        provider_kind="vendor" if on_site else offer.provider_kind,
        colocation=bool(priced.cases.colocation[row]),
    )


def _engine(priced: Priced, row: int) -> str:
    index = int(priced.sizing.engine[row])
    if index >= 0:
        return ENGINES[index]
    return "training stack of the vendor" if priced.workload.training else "vendor runtime"


def _performance(priced: Priced, row: int) -> dict[str, Figure]:
    evidence = Evidence.ESTIMATED if priced.sizing.extrapolated[row] else Evidence.CALIBRATED
    own = str(priced.sizing.measured[row])
    return {
        name: Figure(
            value=_known(band.value[row]),
            low=_known(band.low[row]),
            high=_known(band.high[row]),
            unit=_UNITS.get(name, ""),
            evidence=Evidence.MEASURED if own and name in _OF_THE_SPEED else evidence,
            source=f"your own measurement {own}"
            if own and name in _OF_THE_SPEED
            else PERFORMANCE_SOURCE,
        )
        for name, band in priced.sizing.figures.items()
    }


def _with_way(priced: Priced, row: int, figures: dict[str, Figure]) -> dict[str, Figure]:
    """Latencies with the way to the users, where they are named; figures alone otherwise."""
    way = way_of(priced.reach, int(priced.placements.offer[row]))
    if not way:
        return figures
    longer = {
        name: longer_by(figure, way[f"network_{name[-5:]}"])
        for name, figure in figures.items()
        if name.startswith(("ttft_p", "e2e_p"))
    }
    return figures | longer | way


def _money(priced: Priced, row: int, offer: OfferSpec) -> dict[str, Figure]:
    cost, months = priced.cost, priced.rules.horizon_months
    evidence = _PRICE_EVIDENCE.get(offer.confidence, Evidence.ASSUMED)
    total = (cost.total_usd[row], cost.low_usd[row], cost.high_usd[row])
    return {
        "total_cost_usd": _figure(*total, unit="USD", evidence=evidence, source=offer.source),
        "monthly_cost_usd": _figure(
            *(amount / months for amount in total),
            unit="USD/month", evidence=evidence, source=offer.source,
        ),
        "capex_usd": _figure(
            *(cost.capex_usd[row],) * 3, unit="USD", evidence=evidence, source=offer.source
        ),
    }  # fmt: skip


def _energy(priced: Priced, row: int) -> dict[str, Figure]:
    cost, months = priced.cost, priced.rules.horizon_months
    source = "system power where published, else rated power times a stated factor; grid mean"
    kw = cost.peak_power_w[row] / KILO
    made_kg = cost.embodied_carbon_kg[row] if priced.counts_embodied else 0.0
    # Without the grid's figure there is no sum, whatever manufacturing took.
    kg = (cost.carbon_kg[row] + made_kg) / months if cost.carbon_kg[row] > 0.0 else 0.0
    rows = {
        "power_kw": (kw, "kW"),
        "energy_kwh_month": (cost.energy_kwh_month[row], "kWh/month"),
        "carbon_kg_month": (kg, "kgCO2e/month"),
    }
    return {
        name: Figure(
            value=_known(value) if value > 0.0 else None,
            low=_known(value * 0.8) if value > 0.0 else None,
            high=_known(value * 1.1) if value > 0.0 else None,
            unit=unit,
            evidence=Evidence.ASSUMED,
            source=source if value > 0.0 else "the maker publishes no power figure",
        )
        for name, (value, unit) in rows.items()
    }


def per_unit(priced: Priced, figures: Mapping[str, Figure]) -> dict[str, Figure]:
    """Cost per million tokens, users per USD and per kW: ratios of figures that stand.

    Source: arithmetic.
    """
    serving = priced.workload.serving
    if serving is None:
        return {}
    total, monthly = figures["total_cost_usd"], figures["monthly_cost_usd"]
    users, power = figures["users_at_slo"], figures["power_kw"]
    found = {}
    if serving.output_tokens > 0.0:
        volume = serving.requests_per_month * float(growth_path(priced.rules).sum())
        millions = volume * serving.output_tokens / MEGA
        found["usd_per_million_output_tokens"] = _ratio(total, millions, unit="USD/M tokens")
    hourly = None if monthly.value is None else monthly.value / HOURS_PER_MONTH
    found["users_per_usd_hour"] = _ratio(users, hourly, unit="users per USD/h")
    found["users_per_kw"] = _ratio(users, power.value, unit="users/kW")
    return found


def _ratio(figure: Figure, divisor: float | None, *, unit: str) -> Figure:
    def over(value: float | None) -> float | None:
        return value / divisor if value is not None and divisor else None

    return Figure(
        value=over(figure.value),
        low=over(figure.low),
        high=over(figure.high),
        unit=unit,
        evidence=figure.evidence,
        source=figure.source if divisor else "not computable: a figure it needs is unknown",
    )


def _price(offer: OfferSpec) -> dict[str, object]:
    return {
        "usd_per_h": offer.usd_per_h,
        "usd": offer.usd,
        "unit": f"{offer.instance_type}, {_accelerators(offer.accelerator_count)}",
        "observed_on": offer.observed_on.isoformat() if offer.observed_on else None,
        "source": offer.source,
        "evidence": _PRICE_EVIDENCE.get(offer.confidence, Evidence.ASSUMED).value,
        "confidence": offer.confidence,
    }


def _accelerators(count: float) -> str:
    return "1 accelerator" if count == 1.0 else f"{count:g} accelerators"


def _notes(
    priced: Priced, row: int, part: AcceleratorSpec, offer: OfferSpec, case: CostCases
) -> list[str]:
    notes = []
    if part.lifecycle == "eol":
        notes.append(
            f"{part.name} is at the end of its life: vendor support may end in the horizon."
        )
    if part.host_link == ARM_HOST_LINK:
        notes.append("Its host is an Arm processor: containers must be built for aarch64.")
    if offer.purchase == Purchase.SPOT:
        notes.append(_spot_note(priced, row, offer))
    notes += _idle_note(case)
    if offer.purchase == Purchase.QUOTE:
        notes.append("No public price: get a quote. Everything else is computed.")
    if offer.confidence in ("low", "estimate", "reported") and offer.purchase == Purchase.BUY:
        notes.append("The purchase price is second-hand: get a quote before you decide.")
    if is_market(offer):
        notes.append("The cheapest price of a market: confirm that machines of this size are free.")
    if not priced.gates[int(priced.sizing.precision[int(priced.placements.sizing[row])])].open:
        notes.append("This format is an alternative only: its accuracy is not on record.")
    sleeping = sleeping_of(priced.sizing, priced.workload)
    serving = priced.workload.serving
    by_the_hour = offer.purchase in (Purchase.ON_DEMAND, Purchase.SPOT)
    if sleeping is not None and serving is not None and by_the_hour:
        sizing_row = int(priced.placements.sizing[row])
        notes.append(sleeping_note(sleeping, sizing_row, serving.cold_start_limit_s))
    if offer.note:
        notes.append(offer.note)
    return notes


def _idle_note(case: CostCases) -> list[str]:
    """The share of one case's rent that is paid for hours in which nothing is needed."""
    paid_h = float(paid_hours_per_month(case)[0])
    idle = 1.0 - float(case.hours_per_month_needed[0]) / paid_h if paid_h > 0.0 else 0.0
    if case.on_site[0] or idle < WORTH_SAYING:
        return []
    return [f"{idle:.0%} of the hours paid for are idle: it is needed {1.0 - idle:.0%} of them."]


def _spot_note(priced: Priced, row: int, offer: OfferSpec) -> str:
    """How often spot capacity goes, after which notice, and what it costs with its fallback."""
    cases, rates = priced.cases, priced.rates
    often = interrupted_per_month(offer, rates)
    notice = rates.get(f"spot/notice/{offer.provider}")
    warned = f" after {notice.value:g} minutes' notice" if notice else ", notice unknown"
    text = f"Taken away about {often.value:.1%} of the months{warned} ({often.source})."
    share = float(cases.fallback_fraction[row])
    if share <= 0.0:
        return f"{text} No on-demand price of the same machine is known to fall back to."
    blended = spot_usd_per_useful_h(
        spot_usd_per_h=cases.usd_per_h[row],
        fallback_usd_per_h=cases.fallback_usd_per_h[row],
        fallback_fraction=share,
        overhead_fraction=cases.overhead_fraction[row],
    )
    saved = 1.0 - float(blended) / float(cases.fallback_usd_per_h[row])
    return (
        f"{text} With {share:.0%} of the hours on demand a useful hour costs {float(blended):,.2f} "
        f"USD, {saved:.0%} less than on demand."
    )


def _figure(
    value: float, low: float, high: float, *, unit: str, evidence: Evidence, source: str
) -> Figure:
    if not isfinite(value):
        return Figure(
            value=None, low=None, high=None, unit=unit, evidence=evidence, source="price open"
        )
    return Figure(
        value=round(float(value), 2),
        low=round(float(low), 2),
        high=round(float(high), 2),
        unit=unit,
        evidence=evidence,
        source=source,
    )


def _known(value: float) -> float | None:
    return float(value) if isfinite(value) else None
