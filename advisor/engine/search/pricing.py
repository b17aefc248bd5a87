"""Placements as things to price: which offer, how many hours, how much power, whose work."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from advisor.engine.cases import Bools, Floats, Ints
from advisor.engine.kept import kept
from advisor.engine.search.cost_rules import runs
from advisor.engine.search.fits import deployment_kind
from advisor.engine.search.keeping import Kept, share_of
from advisor.engine.search.placement import (
    MOST_IN_ONE_MACHINE,
    Placements,
    sold_by_the_chip,
)
from advisor.engine.search.sizing import Sizing
from advisor.engine.search.sleeping import sleeping_of
from advisor.engine.workload import Question, Workload
from catalog.specs import AcceleratorSpec, OfferSpec, Purchase, SystemSpec
from catalog.units import GIGA, HOURS_PER_MONTH, SECONDS_PER_HOUR
from costing.engine.age import price_range
from costing.engine.cases import PURCHASES, CostCases, cost_cases
from costing.engine.people import DEPLOYMENTS, deployment_of, operations_fte
from costing.engine.rates import Rate, Rates, rate_for, tariffs_of
from costing.engine.rental import spot_overhead_fraction

LIQUID_READY = frozenset({"direct_to_chip", "immersion"})
ALWAYS_ON_H = HOURS_PER_MONTH - 1.0
OWN_ANSWERS = "your answers"
NODE_POWER_FACTOR = 1.6
"""Power of a whole system over the rated power of its accelerators where no system figure is
published: 10.2 kW of a DGX H100 over 8 x 700 W is 1.8, 14.3 kW of a DGX B200 over 8 x 1,000 W
1.8, 6.5 kW of a DGX A100 over 8 x 400 W 2.0, rack systems 1.4 (NVIDIA user guides); assumed."""


def priced_cases(
    placements: Placements,
    sizing: Sizing,
    offers: Sequence[OfferSpec],
    *,
    parts: Sequence[AcceleratorSpec],
    systems: Mapping[str, SystemSpec],
    question: Question,
    workload: Workload,
    rates: Rates,
    as_of: date,
) -> CostCases:
    """Columns for `costing.engine.tco.cost_breakdown`, one row a placement.

    Rented capacity may be given back outside the hours of need where it runs as a job, where
    traffic has fixed hours, and while it sleeps where it may. Power is the system's where
    published, otherwise its accelerators' rating times a stated factor.

    Source: the rules stated here; prices from the offers.
    """
    at = placements.offer
    table = _OfferTable.of(offers, parts, systems, question, workload, rates, as_of)
    rows = placements.sizing
    hours = sizing.hours_per_month[rows]
    serving, training = workload.serving, workload.training
    hourly = serving is not None and bool(hours.max(initial=0) < ALWAYS_ON_H)
    sleeping = sleeping_of(sizing, workload)
    may_sleep = sleeping.allowed[rows] if sleeping is not None else np.zeros(len(rows), dtype=bool)
    awake = sleeping.awake[rows] if sleeping is not None else np.ones(len(rows))
    providers = sorted(set(table.provider.tolist()))
    egress, storage = tariffs_of(rates, providers)
    kept = Kept.of(question, workload, rates, storage)
    by_chip = table.by_chip[at]
    step = placements.instance_step
    # A quote may ask for more units than are needed; all of them are paid.
    instances = np.maximum(placements.instances, table.minimum_quantity[at])
    each = placements.accelerators / np.maximum(placements.instances, 1.0)
    idle_hours_ok = may_sleep | workload.is_job | hourly
    low, high = sizing.capacity_low[rows], sizing.capacity_high[rows]
    return cost_cases(
        len(placements),
        purchase=table.purchase[at],
        instances=instances,
        instance_step=step,
        accelerators_per_instance=each,
        machines_per_instance=np.where(by_chip, 1.0 / MOST_IN_ONE_MACHINE, 1.0),
        spans_instances=placements.spans_instances,
        grows=serving is not None and not serving.is_batch,
        usd_per_h=table.usd_per_h[at],
        capex_usd_per_instance=table.usd[at],
        discount_fraction=table.discount[at],
        fallback_usd_per_h=table.fallback_usd_per_h[at],
        fallback_fraction=table.fallback_fraction[at],
        overhead_fraction=table.spot_overhead[at],
        inclusions=table.inclusions,
        inclusion=table.inclusion[at],
        minimum_months=table.minimum_months[at],
        support_fraction_per_year=table.support[at],
        price_low_factor=table.low[at],
        price_high_factor=table.high[at],
        usage_low_factor=1.0 / high if training is not None else 1.0,
        usage_high_factor=1.0 / low if training is not None else 1.0,
        hours_per_month_needed=hours * awake,
        runs_per_month=runs(workload),
        may_scale_down=idle_hours_ok,
        utilisation=_busy(sizing, rows, each * instances) * np.minimum(hours / HOURS_PER_MONTH, 1.0)
        if training is None
        else sizing.utilisation[rows],
        colocation=table.colocation[at],
        is_liquid=table.liquid[at],
        power_w_per_instance=np.where(by_chip, table.chip_power_w[at], table.power_w[at]),
        idle_power_fraction=rates["idle_power"].value,
        usd_per_kwh=table.usd_per_kwh[at],
        pue=table.pue[at],
        grid_g_per_kwh=table.grid[at],
        embodied_kg_per_instance=rates["embodied"].value * each,
        storage_bytes=np.where(table.owned[at], kept.owned_bytes, kept.rented_bytes),
        storage_tariffs=kept.tariffs,
        storage_tariff=kept.tariff(np.searchsorted(providers, table.provider), table.owned)[at],
        egress_bytes_per_month=question.egress_bytes_per_month * share_of(question),
        egress_tariffs=egress,
        egress_tariff=np.searchsorted(providers, table.provider)[at],
        inter_region_usd_per_month=table.inter_region_usd[at] * share_of(question),
        minimum_billing_h=table.billing_minimum_h[at],
        billing_step_h=table.billing_step_h[at],
        ops_fte=table.ops_fte[at] * share_of(question),
        ops_fte_per_instance=table.ops_fte_each[at],
        porting_weeks=table.porting_weeks[at],
    )


def _busy(sizing: Sizing, rows: Ints, bought: Floats) -> Floats:
    """Mean load of all accelerators that are had, those of a whole machine without work idle."""
    used = sizing.replicas[rows] * sizing.chips_per_replica[rows]
    return np.asarray(sizing.utilisation[rows] * np.minimum(used / np.maximum(bought, 1.0), 1.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfferTable:
    """What the pricing of a placement takes from its offer, one entry an offer."""

    purchase: NDArray[np.int64]
    spot_overhead: Floats
    provider: NDArray[np.str_]
    by_chip: Bools
    usd_per_h: Floats
    usd: Floats
    fallback_usd_per_h: Floats
    fallback_fraction: Floats
    discount: Floats
    low: Floats
    high: Floats
    power_w: Floats
    chip_power_w: Floats
    liquid: Bools
    colocation: Bools
    usd_per_kwh: Floats
    pue: Floats
    grid: Floats
    ops_fte: Floats
    ops_fte_each: Floats
    porting_weeks: Floats
    owned: Bools
    inter_region_usd: Floats
    billing_minimum_h: Floats
    billing_step_h: Floats
    inclusions: tuple[frozenset[str], ...]
    inclusion: NDArray[np.int64]
    minimum_quantity: Floats
    minimum_months: Floats
    support: Floats

    @classmethod
    @kept(2)
    def of(
        cls,
        offers: Sequence[OfferSpec],
        parts: Sequence[AcceleratorSpec],
        systems: Mapping[str, SystemSpec],
        question: Question,
        workload: Workload,
        rates: Rates,
        as_of: date,
    ) -> "_OfferTable":
        def column(values: Sequence[float]) -> Floats:
            return np.array(values, dtype=np.float64)

        specs = {part.slug: part for part in parts}
        owned = [deployment_kind(offer) == "on_prem" for offer in offers]
        colocated = question.site.exists in ("none", "colocation")
        deployed = np.array([
            DEPLOYMENTS.index(
                deployment_of(
                    provider_kind="vendor" if own else offer.provider_kind, colocation=colocated
                )
            )
            for own, offer in zip(owned, offers, strict=True)
        ], dtype=np.int64)  # fmt: skip
        base, each = operations_fte(rates, deployment=deployed)
        chip_w = [(specs[o.accelerator_slug].tdp_w or np.nan) * NODE_POWER_FACTOR for o in offers]
        prices = _price_ranges(offers, as_of)
        fallback = column(_fallback_usd_per_h(offers))
        terms = [offer.terms for offer in offers]
        covered = [each.covers if each else frozenset[str]() for each in terms]
        inclusions = tuple(dict.fromkeys([frozenset[str](), *covered]))
        fallback_share = max(rates["spot/fallback"].value, 1.0 - workload.spot_share_max)

        return cls(
            purchase=np.array([PURCHASES.index(o.purchase) for o in offers], dtype=np.int64),
            spot_overhead=column([
                _spot_overhead(o, workload, rates) if o.purchase == Purchase.SPOT else 0.0
                for o in offers
            ]),
            provider=np.array([
                "on_site" if own else offer.provider
                for own, offer in zip(owned, offers, strict=True)
            ]),
            by_chip=np.array([sold_by_the_chip(offer) for offer in offers], dtype=bool),
            usd_per_h=column([_or_nan(offer.usd_per_h) for offer in offers]),
            usd=column([_or_nan(offer.usd) for offer in offers]),
            fallback_usd_per_h=fallback,
            fallback_fraction=np.where(np.isnan(fallback), 0.0, fallback_share),
            discount=column([question.money.discounts.get(o.provider, 0.0) for o in offers]),
            low=prices[0],
            high=prices[1],
            power_w=np.nan_to_num(
                column([_power_w(o, systems, w) for o, w in zip(offers, chip_w, strict=True)])
            ),
            chip_power_w=np.nan_to_num(column(chip_w)),
            liquid=np.array([
                _is_liquid(offer, specs, systems) and not question.site.cooling & LIQUID_READY
                for offer in offers
            ], dtype=bool),
            colocation=np.array([own and colocated for own in owned], dtype=bool),
            usd_per_kwh=np.full(len(offers), question.site.usd_per_kwh),
            pue=column([
                question.site.pue if own else rate_for(rates, "pue", offer.provider).value
                for own, offer in zip(owned, offers, strict=True)
            ]),
            grid=column([
                _grid(offer, question, own=own)
                for own, offer in zip(owned, offers, strict=True)
            ]),
            ops_fte=base,
            ops_fte_each=each,
            porting_weeks=column([
                porting_weeks(specs[o.accelerator_slug], question, rates) for o in offers
            ]),
            owned=np.array(owned, dtype=bool),
            inter_region_usd=column([
                0.0 if own else
                rate_for(rates, "inter_region", o.provider).value / GIGA
                * question.inter_region_bytes_per_month
                for own, o in zip(owned, offers, strict=True)
            ]),
            billing_minimum_h=column([
                rate_for(rates, "billing_minimum", o.provider).value for o in offers
            ]),
            billing_step_h=column([
                rate_for(rates, "billing_step", o.provider).value for o in offers
            ]),
            inclusions=inclusions,
            inclusion=np.array([inclusions.index(each) for each in covered], dtype=np.int64),
            minimum_quantity=column([each.minimum_quantity if each else 0.0 for each in terms]),
            minimum_months=column([each.minimum_months if each else 0.0 for each in terms]),
            support=column([
                _or_nan(each.support_fraction_per_year if each else None) for each in terms
            ]),
        )  # fmt: skip


def porting_weeks(part: AcceleratorSpec, question: Question, rates: Rates) -> float:
    """Person-weeks to move custom kernels to another vendor's part; none on NVIDIA.

    A few kernels take the middle of the range, many its high end. A rate of the family's own
    (`porting/tpu`), as the user's price book may have one, goes before the common one.

    Source: rates `porting/...`, class assumed.
    """
    if question.custom_kernels == "none" or part.vendor == "NVIDIA":
        return 0.0
    rate = rates.get(f"porting/{part.family.value}") or rates["porting/weeks"]
    return rate.value if question.custom_kernels == "few" else rate.high


def _or_nan(value: float | None) -> float:
    return np.nan if value is None else value


def _fallback_usd_per_h(offers: Sequence[OfferSpec]) -> list[float]:
    """On-demand price of the same instance in the same place, where a spot offer has one."""
    listed = {
        (offer.provider, offer.region.slug if offer.region else "", offer.instance_type): offer
        for offer in offers
        if offer.purchase == Purchase.ON_DEMAND and offer.usd_per_h is not None
    }
    found = []
    for offer in offers:
        place = (offer.provider, offer.region.slug if offer.region else "", offer.instance_type)
        other = listed.get(place) if offer.purchase == Purchase.SPOT else None
        found.append(_or_nan(other.usd_per_h if other is not None else None))
    return found


def interrupted_per_month(offer: OfferSpec, rates: Rates) -> Rate:
    """How often a spot instance of the offer's accelerator is taken away."""
    own = rates.get(f"spot/interrupted_per_month/{offer.accelerator_slug}")
    return own or rates["spot/interrupted_per_month"]


def _spot_overhead(offer: OfferSpec, workload: Workload, rates: Rates) -> float:
    """Extra hours for interruptions: half a checkpoint interval of work each, and a restart."""
    training = workload.training
    interval_s = training.checkpoint_interval_s if training is not None else 0.0
    return float(
        spot_overhead_fraction(
            interrupted_per_month=interrupted_per_month(offer, rates).value,
            lost_work_h=interval_s / SECONDS_PER_HOUR / 2.0,
            restart_h=rates["spot/restart"].value,
        )
    )


def _price_ranges(offers: Sequence[OfferSpec], as_of: date) -> tuple[Floats, Floats]:
    """Low and high factor of each price: its age and confidence, or the span it came with."""
    ages = np.array([
        np.nan if offer.observed_on is None else float((as_of - offer.observed_on).days)
        for offer in offers
    ])  # fmt: skip
    own = np.array(
        [offer.source == OWN_ANSWERS or offer.terms is not None for offer in offers], dtype=bool
    )
    aged = price_range(
        purchases=PURCHASES,
        purchase=np.array([PURCHASES.index(o.purchase) for o in offers], dtype=np.int64),
        age_days=np.where(own, 0.0, ages),
        confidence=[offer.confidence for offer in offers],
    )
    spans = np.array([_span(offer) for offer in offers]).reshape(-1, 2)
    return np.minimum(aged.low_factor, spans[:, 0]), np.maximum(aged.high_factor, spans[:, 1])


def _span(offer: OfferSpec) -> tuple[float, float]:
    price = offer.usd_per_h if offer.usd_per_h is not None else offer.usd
    if price is None or price <= 0.0:
        return 1.0, 1.0
    return (offer.price_low_usd or price) / price, (offer.price_high_usd or price) / price


def _power_w(offer: OfferSpec, systems: Mapping[str, SystemSpec], chip_power_w: float) -> float:
    system = systems.get(offer.system_slug)
    if system is not None and system.max_power_w is not None:
        return system.max_power_w * offer.accelerator_count / system.accelerator_count
    return chip_power_w * offer.accelerator_count


def _is_liquid(
    offer: OfferSpec, specs: Mapping[str, AcceleratorSpec], systems: Mapping[str, SystemSpec]
) -> bool:
    system = systems.get(offer.system_slug)
    cooling = system.cooling if system is not None and system.cooling else ""
    return (cooling or specs[offer.accelerator_slug].cooling) == "liquid"


def _grid(offer: OfferSpec, question: Question, *, own: bool) -> float:
    """Carbon of the grid where the offer stands; 0 is unknown, and the plan shows none then."""
    if own and question.carbon_g_per_kwh is not None:
        return question.carbon_g_per_kwh
    if offer.region is not None and offer.region.grid_g_per_kwh is not None:
        return offer.region.grid_g_per_kwh
    return question.carbon_g_per_kwh or 0.0
