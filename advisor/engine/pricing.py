"""Placements as things to price: which offer, how many hours, how much power, whose work."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from advisor.engine.cases import Bools, Floats
from advisor.engine.fits import deployment_kind
from advisor.engine.placement import Placements, sold_by_the_chip
from advisor.engine.sizing import Sizing
from advisor.engine.workload import Question, Workload
from catalog.specs import AcceleratorSpec, OfferSpec, SystemSpec
from catalog.units import HOURS_PER_MONTH
from costing.engine.cases import PURCHASES, CostCases, CostRules, cost_cases
from costing.engine.data import BUNDLED_EGRESS, NO_STORAGE_PRICE, EgressTariff, StorageTariff

ALWAYS_ON_H = HOURS_PER_MONTH - 1.0
OWN = "own"  # key of the user's site in tables by provider


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariffs:
    """Rates of the costs beside the offers, as the river needs them; each sourced where kept."""

    rules: CostRules  # rates that hold for everything; the question's answers go on top
    egress: Mapping[str, EgressTariff]  # by provider
    storage: Mapping[str, StorageTariff]  # by provider and OWN
    pue: Mapping[str, float]  # by provider
    ops_fte: Mapping[str, float]  # people by deployment kind, whatever the size
    ops_fte_per_instance: Mapping[str, float]
    node_power_factor: float  # power of a system over the rated power of its accelerators
    idle_power_fraction: float
    usd_per_kwh: float
    grid_g_per_kwh: float
    porting_weeks: Mapping[str, float]  # for "few" and "many" custom kernels
    price_range: Mapping[int, tuple[float, float]]  # factors by offer id, where age widens


def rules_for(question: Question, workload: Workload, tariffs: Tariffs) -> CostRules:
    """The shipped rates with the user's own answers and price book on top.

    Source: the assessment's answers.
    """
    money, book, serving = question.money, question.price_book, workload.serving
    runs = workload.training.runs_per_month if workload.training is not None else 0.0
    per_tb_run, egress_run = book.get("storage_usd_per_run"), book.get("egress_usd_per_run")
    storage = None
    if per_tb_run is not None and question.storage_bytes > 0.0:
        storage = per_tb_run * runs / question.storage_bytes
    return replace(
        tariffs.rules,
        horizon_months=question.horizon_months,
        growth_per_month=serving.growth_per_month if serving is not None else 0.0,
        growth_stops_month=serving.growth_stops_month if serving is not None else 0,
        discount_rate=money.discount_rate,
        depreciation_years=money.depreciation_years,
        residual_fraction=money.residual_fraction,
        support_fraction_per_year=money.support_fraction_per_year,
        contingency_fraction=0.0 if book else money.contingency_fraction,
        staff_usd_per_year=money.staff_usd_per_year,
        software_usd_per_accelerator_year=money.software_usd_per_accelerator_year,
        carbon_usd_per_tonne=money.carbon_usd_per_tonne,
        demand_usd_per_kw_month=question.site.demand_usd_per_kw_month,
        colocation_usd_per_kw_month=question.site.colocation_usd_per_kw_month,
        usd_per_accelerator_h=book.get("usd_per_accelerator_hour"),
        storage_usd_per_byte_month=storage,
        egress_usd_per_month=None if egress_run is None else egress_run * runs,
        engineering_usd_per_run=book.get("engineering_usd_per_run"),
    )


def priced_cases(
    placements: Placements,
    sizing: Sizing,
    offers: Sequence[OfferSpec],
    *,
    parts: Sequence[AcceleratorSpec],
    systems: Mapping[str, SystemSpec],
    question: Question,
    workload: Workload,
    tariffs: Tariffs,
) -> CostCases:
    """Columns for `costing.engine.tco.cost_breakdown`, one row a placement.

    Rented capacity may be given back outside the hours of need where it runs as a job, where
    the load may scale to zero or where traffic has fixed hours. Power is the system's where
    published, otherwise its accelerators' rating times a stated factor.

    Source: the rules stated here; prices from the offers.
    """
    at = placements.offer
    table = _OfferTable.of(offers, parts, systems, question, tariffs)
    rows = placements.sizing
    hours = sizing.hours_per_month[rows]
    serving, training = workload.serving, workload.training
    is_job = training is not None or (serving is not None and serving.is_batch)
    hourly = serving is not None and (
        serving.scale_to_zero or bool(hours.max(initial=0) < ALWAYS_ON_H)
    )
    providers = sorted({offer.provider for offer in offers})
    by_chip = table.by_chip[at]
    step = placements.instance_step
    idle_hours_ok = np.full(len(placements), is_job or hourly)
    low, high = sizing.capacity_low[rows], sizing.capacity_high[rows]
    return cost_cases(
        len(placements),
        purchase=table.purchase[at],
        instances=placements.instances,
        instance_step=step,
        accelerators_per_instance=placements.accelerators / np.maximum(placements.instances, 1.0),
        spans_instances=placements.spans_instances,
        grows=serving is not None and not serving.is_batch,
        usd_per_h=table.usd_per_h[at],
        capex_usd_per_instance=table.usd[at],
        discount_fraction=table.discount[at],
        price_low_factor=table.low[at],
        price_high_factor=table.high[at],
        usage_low_factor=1.0 / high if training is not None else 1.0,
        usage_high_factor=1.0 / low if training is not None else 1.0,
        hours_per_month_needed=hours,
        runs_per_month=_runs(workload),
        may_scale_down=idle_hours_ok,
        utilisation=sizing.utilisation[rows] * np.minimum(hours / HOURS_PER_MONTH, 1.0)
        if training is None
        else sizing.utilisation[rows],
        colocation=table.colocation[at],
        is_liquid=table.liquid[at],
        power_w_per_instance=np.where(by_chip, table.chip_power_w[at], table.power_w[at]),
        idle_power_fraction=tariffs.idle_power_fraction,
        usd_per_kwh=table.usd_per_kwh[at],
        pue=table.pue[at],
        grid_g_per_kwh=table.grid[at],
        storage_bytes=question.storage_bytes,
        storage_tariffs=tuple(_storage(provider, tariffs) for provider in providers),
        storage_tariff=np.searchsorted(providers, table.provider)[at],
        egress_bytes_per_month=question.egress_bytes_per_month,
        egress_tariffs=tuple(tariffs.egress.get(p, BUNDLED_EGRESS) for p in providers),
        egress_tariff=np.searchsorted(providers, table.provider)[at],
        ops_fte=table.ops_fte[at],
        ops_fte_per_instance=table.ops_fte_each[at],
        porting_weeks=table.porting_weeks[at],
    )


def _runs(workload: Workload) -> float:
    if workload.training is not None:
        return workload.training.runs_per_month * max(workload.training.rerun_factor, 1.0)
    return 0.0


def _storage(provider: str, tariffs: Tariffs) -> StorageTariff:
    return tariffs.storage.get(provider, tariffs.storage.get(OWN, NO_STORAGE_PRICE))


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfferTable:
    """What the pricing of a placement takes from its offer, one entry an offer."""

    purchase: NDArray[np.int64]
    provider: NDArray[np.str_]
    by_chip: Bools
    usd_per_h: Floats
    usd: Floats
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

    @classmethod
    def of(
        cls,
        offers: Sequence[OfferSpec],
        parts: Sequence[AcceleratorSpec],
        systems: Mapping[str, SystemSpec],
        question: Question,
        tariffs: Tariffs,
    ) -> "_OfferTable":
        specs = {part.slug: part for part in parts}
        owned = [deployment_kind(offer) == "on_prem" for offer in offers]
        colocated = question.site.exists in ("none", "colocation")
        kinds = ["colocation" if own and colocated else deployment_kind(offer)
                 for own, offer in zip(owned, offers, strict=True)]  # fmt: skip
        chip_w = [
            (specs[offer.accelerator_slug].tdp_w or np.nan) * tariffs.node_power_factor
            for offer in offers
        ]

        def column(values: Sequence[float]) -> Floats:
            return np.array(values, dtype=np.float64)

        return cls(
            purchase=np.array([PURCHASES.index(o.purchase) for o in offers], dtype=np.int64),
            provider=np.array([offer.provider for offer in offers]),
            by_chip=np.array([sold_by_the_chip(offer) for offer in offers], dtype=bool),
            usd_per_h=column([_or_nan(offer.usd_per_h) for offer in offers]),
            usd=column([_or_nan(offer.usd) for offer in offers]),
            discount=column([question.money.discounts.get(o.provider, 0.0) for o in offers]),
            low=column([_range(offer, tariffs)[0] for offer in offers]),
            high=column([_range(offer, tariffs)[1] for offer in offers]),
            power_w=np.nan_to_num(
                column([_power_w(o, systems, w) for o, w in zip(offers, chip_w, strict=True)])
            ),
            chip_power_w=np.nan_to_num(column(chip_w)),
            liquid=np.array([_is_liquid(offer, specs, systems) for offer in offers], dtype=bool),
            colocation=np.array([own and colocated for own in owned], dtype=bool),
            usd_per_kwh=np.full(len(offers), question.site.usd_per_kwh),
            pue=column([
                question.site.pue if own else tariffs.pue.get(offer.provider, 1.0)
                for own, offer in zip(owned, offers, strict=True)
            ]),
            grid=column([
                _grid(offer, question, tariffs, own=own)
                for own, offer in zip(owned, offers, strict=True)
            ]),
            ops_fte=column([tariffs.ops_fte.get(kind, 0.0) for kind in kinds]),
            ops_fte_each=column([tariffs.ops_fte_per_instance.get(kind, 0.0) for kind in kinds]),
            porting_weeks=column([
                porting_weeks(specs[o.accelerator_slug], question, tariffs) for o in offers
            ]),
        )  # fmt: skip


def porting_weeks(part: AcceleratorSpec, question: Question, tariffs: Tariffs) -> float:
    """Person-weeks to move custom kernels to another vendor's part; zero on NVIDIA.

    Source: the stated default of the rates, class assumed.
    """
    if question.custom_kernels == "none" or part.vendor == "NVIDIA":
        return 0.0
    return tariffs.porting_weeks.get(question.custom_kernels, 0.0)


def _or_nan(value: float | None) -> float:
    return np.nan if value is None else value


def _range(offer: OfferSpec, tariffs: Tariffs) -> tuple[float, float]:
    aged = tariffs.price_range.get(offer.id, (1.0, 1.0))
    price = offer.usd_per_h if offer.usd_per_h is not None else offer.usd
    if price is None or price <= 0.0:
        return aged
    low = (offer.price_low_usd or price) / price
    high = (offer.price_high_usd or price) / price
    return min(aged[0], low), max(aged[1], high)


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


def _grid(offer: OfferSpec, question: Question, tariffs: Tariffs, *, own: bool) -> float:
    if own and question.carbon_g_per_kwh is not None:
        return question.carbon_g_per_kwh
    if offer.region is not None and offer.region.grid_g_per_kwh is not None:
        return offer.region.grid_g_per_kwh
    return tariffs.grid_g_per_kwh
