"""Adds every part of the cost of a deployment into one breakdown over the horizon."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from catalog.specs import Purchase
from catalog.units import GRAMS_PER_TONNE, KILO, MONTHS_PER_YEAR
from costing.engine.cases import Bools, CostCases, CostRules
from costing.engine.data import Floats
from costing.engine.energy import (
    carbon_kg,
    facility_kwh_per_instance_month,
    it_kwh_per_instance_month,
)
from costing.engine.quantities import (
    Quantities,
    discount_weights,
    instances_at,
    quantities,
)
from costing.engine.rental import paid_hours_per_month, spot_usd_per_useful_h

WEEKS_PER_YEAR = 52.0
_CENTS = 2

COMPUTE = "Compute rental"
TAIL = "Commitment after the horizon"
TOKENS = "Hosted tokens"
HARDWARE = "Hardware"
FABRIC = "Network fabric"
INSTALLATION = "Installation and spares"
LIQUID = "Liquid cooling"
POWER = "Power"
COOLING = "Cooling and facility (PUE)"
SPACE = "Colocation or space"
FINANCING = "Interest of loan or lease"
SUPPORT = "Support contract"
SOFTWARE = "Software licences"
STORAGE = "Storage"
EGRESS = "Network egress"
INTER_REGION = "Traffic between regions"
MONITORING = "Monitoring"
PEOPLE = "Engineering and operations"
PORTING = "Porting"
CARBON = "Carbon price"
DECOMMISSION = "Decommissioning"
RESIDUAL = "Residual value"
TAX = "Tax"
CONTINGENCY = "Contingency"

LABELS = (
    COMPUTE, TAIL, TOKENS, HARDWARE, FABRIC, INSTALLATION, LIQUID, FINANCING, POWER, COOLING,
    SPACE, SUPPORT, SOFTWARE, STORAGE, EGRESS, INTER_REGION, MONITORING, PEOPLE, PORTING, CARBON,
    DECOMMISSION, RESIDUAL, TAX, CONTINGENCY,
)  # fmt: skip
"""Every label a breakdown has, in the order of a table."""
PRICED = (
    COMPUTE, TAIL, TOKENS, HARDWARE, INSTALLATION, FINANCING, SUPPORT, DECOMMISSION, RESIDUAL,
)  # fmt: skip
"""Lines that move with the price of the offer itself."""
CAPITAL = (HARDWARE, FABRIC, INSTALLATION, LIQUID)
"""Lines paid to acquire things."""
_ON_TOP = (TAX, CONTINGENCY)


@dataclass(frozen=True, slots=True, kw_only=True)
class CostBreakdown:
    """Cost of each case over the horizon, in USD: `lines` add up to `total_usd` to the cent.

    Nan where a price is open. Ranges are 80 % intervals.
    """

    lines: Mapping[str, Floats]
    low_lines: Mapping[str, Floats]
    high_lines: Mapping[str, Floats]
    total_usd: Floats
    low_usd: Floats
    high_usd: Floats
    known_usd: Floats  # the lines whose price is known
    present_usd: Floats  # the total discounted to go-live
    monthly_usd: Floats  # total over the months of the horizon
    first_month_usd: Floats
    capex_usd: Floats  # paid to acquire things, over the whole horizon
    energy_kwh: Floats  # facility energy over the horizon
    energy_kwh_month: Floats
    carbon_kg: Floats  # location-based, without manufacturing
    embodied_carbon_kg: Floats
    peak_power_w: Floats  # facility power at full load at go-live
    instances_at_end: Floats
    price_open: Bools


def cost_breakdown(cases: CostCases, rules: CostRules) -> CostBreakdown:
    """What each case costs over the horizon, line by line; columns of len(cases).

    Amounts are nominal (the months' payments added up) and rounded to cents, so that the
    table adds up; `present_usd` discounts the same payments at the start of their months.

    Source: the cost categories of U. Hoelzle, L. A. Barroso, P. Ranganathan, "The Datacenter
    as a Computer", 3rd ed., 2018, chapter 6, with those of renting from the providers' bills.
    """
    months = rules.horizon_months
    weights = np.stack([np.ones(months), discount_weights(rules), np.eye(months)[0]])
    sums = quantities(cases, rules, weights=weights)
    by_weight = cost_lines(cases, rules, sums)
    lines = {label: np.round(line[0], _CENTS) for label, line in by_weight.items()}
    total = _total(lines)
    _, present_usd, first_month_usd = _total(by_weight)
    low_lines, high_lines, low, high = _ranges(cases, rules, lines)
    energy = facility_kwh_per_instance_month(cases, rules) * sums.held[0]
    return CostBreakdown(
        lines=lines,
        low_lines=low_lines,
        high_lines=high_lines,
        total_usd=total,
        low_usd=low,
        high_usd=high,
        known_usd=_total(
            {label: np.where(np.isnan(line), 0.0, line) for label, line in lines.items()}
        ),
        present_usd=present_usd,
        monthly_usd=total / months,
        first_month_usd=first_month_usd,
        capex_usd=_total({name: lines[name] for name in paid_up_front(rules)}),
        energy_kwh=energy,
        energy_kwh_month=energy / months,
        carbon_kg=carbon_kg(kwh=energy, grid_g_per_kwh=cases.grid_g_per_kwh),
        embodied_carbon_kg=cases.embodied_kg_per_instance * sums.bought[0],
        peak_power_w=cases.power_w_per_instance * cases.instances * cases.pue,
        instances_at_end=instances_at(cases, _last_demand(rules)),
        price_open=np.isnan(total),
    )


def total_usd(cases: CostCases, rules: CostRules) -> Floats:
    """The total of `cost_breakdown` alone, for when many variants are compared; shape (cases,).

    Source: as `cost_breakdown`.
    """
    sums = quantities(cases, rules, weights=np.ones((1, rules.horizon_months)))
    lines = cost_lines(cases, rules, sums)
    return _total({label: np.round(line[0], _CENTS) for label, line in lines.items()})


def cost_lines(cases: CostCases, rules: CostRules, sums: Quantities) -> dict[str, Floats]:
    """USD by label, of the quantities' shape: unit prices times what is paid for.

    Source: as `cost_breakdown`.
    """
    lines: dict[str, Floats] = {}
    for part in (_renting, _owning, _running, _data_people):
        lines |= part(cases, rules, sums)
    _leave_out_what_the_price_covers(cases, lines)
    spent = _sum(lines) - lines[RESIDUAL]
    lines[TAX] = rules.tax_fraction * spent
    lines[CONTINGENCY] = rules.contingency_fraction * spent
    return {label: lines[label] for label in LABELS}


def _leave_out_what_the_price_covers(cases: CostCases, lines: dict[str, Floats]) -> None:
    for label in frozenset[str]().union(*cases.inclusions):
        covered = np.array([label in each for each in cases.inclusions])[cases.inclusion]
        lines[label] = np.where(covered, 0.0, lines[label])


def paid_up_front(rules: CostRules) -> tuple[str, ...]:
    """Labels of the lines of capital; what is leased is the lessor's.

    Source: CAPITAL; IFRS 16 is not followed, since this is cash and not the balance sheet.
    """
    leased = rules.financing == "lease"
    return tuple(label for label in CAPITAL if not (leased and label == HARDWARE))


def _renting(cases: CostCases, rules: CostRules, sums: Quantities) -> dict[str, Floats]:
    usd_per_h = np.where(
        cases.is_bought_as(Purchase.SPOT),
        cases.usd_per_h * rules.spot_price_factor,
        cases.usd_per_h,
    )
    if rules.usd_per_accelerator_h is not None:
        usd_per_h = rules.usd_per_accelerator_h * cases.accelerators_per_instance
    usd_per_h = spot_usd_per_useful_h(
        spot_usd_per_h=usd_per_h,
        fallback_usd_per_h=cases.fallback_usd_per_h,
        fallback_fraction=cases.fallback_fraction,
        overhead_fraction=cases.overhead_fraction,
    )
    net = 1.0 - cases.discount_fraction
    rented = ~(cases.on_site | cases.is_bought_as(Purchase.HOSTED_TOKENS))
    per_month = np.where(rented, usd_per_h * paid_hours_per_month(cases) * net, 0.0)
    return {
        COMPUTE: per_month * sums.rented,
        TAIL: np.where(sums.tail > 0.0, per_month * sums.tail, 0.0),
        TOKENS: cases.tokens_usd_per_month * net * sums.volume_paid,
    }


def _owning(cases: CostCases, rules: CostRules, sums: Quantities) -> dict[str, Floats]:
    price = np.where(
        cases.on_site, cases.capex_usd_per_instance * (1.0 - cases.discount_fraction), 0.0
    )
    kw = cases.power_w_per_instance / KILO
    liquid = np.where(cases.on_site & cases.is_liquid, rules.liquid_cooling_usd_per_kw * kw, 0.0)
    joined = cases.on_site & cases.spans_instances
    each = fabric_usd_per_accelerator(
        rules, accelerators=cases.accelerators_per_instance * cases.instances
    )
    fabric = np.where(joined, each * cases.accelerators_per_instance, 0.0)
    extra = rules.installation_fraction + rules.spares_fraction
    own = cases.support_fraction_per_year
    support = np.where(np.isnan(own), rules.support_fraction_per_year, own) / MONTHS_PER_YEAR
    return {
        HARDWARE: price * sums.paid,
        FABRIC: fabric * sums.bought,
        INSTALLATION: extra * price * sums.paid,
        LIQUID: liquid * sums.bought,
        FINANCING: price * sums.financed,
        SUPPORT: support * price * sums.supported,
        DECOMMISSION: rules.decommission_fraction * price * sums.retired,
        RESIDUAL: -price * sums.left,
    }


def _running(cases: CostCases, rules: CostRules, sums: Quantities) -> dict[str, Floats]:
    it_kwh = it_kwh_per_instance_month(cases, rules) * sums.held
    kw_months = cases.power_w_per_instance / KILO * sums.held
    own = cases.on_site.astype(np.float64)
    space = np.where(
        cases.colocation, rules.colocation_usd_per_kw_month, rules.own_space_usd_per_kw_month
    )
    emitted_kg = carbon_kg(kwh=it_kwh * cases.pue, grid_g_per_kwh=cases.grid_g_per_kwh)
    per_kg = rules.carbon_usd_per_tonne / (GRAMS_PER_TONNE / KILO)
    return {
        POWER: own * (it_kwh * cases.usd_per_kwh + kw_months * rules.demand_usd_per_kw_month),
        COOLING: own
        * (cases.pue - 1.0)
        * (it_kwh * cases.usd_per_kwh + kw_months * rules.demand_usd_per_kw_month),
        SPACE: own * kw_months * space,
        CARBON: emitted_kg * per_kg,
    }


def _data_people(cases: CostCases, rules: CostRules, sums: Quantities) -> dict[str, Floats]:
    rates = np.array([tariff.usd_per_byte_month for tariff in cases.storage_tariffs])
    per_byte = rates[cases.storage_tariff]
    if rules.storage_usd_per_byte_month is not None:
        per_byte = np.full(len(cases), rules.storage_usd_per_byte_month)
    licences = rules.software_usd_per_accelerator_year / MONTHS_PER_YEAR
    weeks = np.nan_to_num(cases.porting_weeks)
    return {
        SOFTWARE: np.where(cases.software_applies, licences, 0.0)
        * cases.accelerators_per_instance
        * sums.held,
        STORAGE: cases.storage_bytes * per_byte * sums.months,
        EGRESS: sums.egress_usd,
        INTER_REGION: cases.inter_region_usd_per_month * sums.months,
        MONITORING: rules.monitoring_usd_per_instance_month
        * cases.machines_per_instance
        * sums.held,
        PEOPLE: _people_usd(cases, rules, sums),
        PORTING: weeks * rules.staff_usd_per_year / WEEKS_PER_YEAR * sums.once,
    }


def _people_usd(cases: CostCases, rules: CostRules, sums: Quantities) -> Floats:
    if rules.engineering_usd_per_run is not None:
        return rules.engineering_usd_per_run * cases.runs_per_month * sums.months
    if rules.engineering_usd_per_month is not None:
        return rules.engineering_usd_per_month * sums.months * np.ones(len(cases))
    machines = cases.machines_per_instance * sums.held
    person_months = cases.ops_fte * sums.months + cases.ops_fte_per_instance * machines
    return person_months * rules.staff_usd_per_year / MONTHS_PER_YEAR


def fabric_usd_per_accelerator(rules: CostRules, *, accelerators: Floats) -> Floats:
    """Switches, cables and optics for each of so many joined accelerators, USD; any shape.

    Between the listed cluster sizes the price follows the logarithm of the size; beyond
    them it stays.

    Source: the points in `rules`; interpolation is ours.
    """
    if not rules.fabric_usd_per_accelerator:
        return np.zeros(accelerators.shape)
    sizes, usd = np.array(rules.fabric_usd_per_accelerator).T
    each = np.interp(np.log(np.maximum(accelerators, 1.0)), np.log(sizes), usd)
    return np.asarray(each, dtype=np.float64)


def _ranges(
    cases: CostCases, rules: CostRules, lines: Mapping[str, Floats]
) -> tuple[dict[str, Floats], dict[str, Floats], Floats, Floats]:
    """Low and high of each line and of the total.

    Lines that hang on the offer's price move together; the others are independent, so that
    their deviations add as squares.
    """
    bounds = {label: _line_bounds(cases, rules, label, line) for label, line in lines.items()}
    low_usd, high_usd = (_bound(lines, bounds, rules, side=side) for side in (0, 1))
    low_lines = {label: low for label, (low, _) in bounds.items()}
    high_lines = {label: high for label, (_, high) in bounds.items()}
    return low_lines, high_lines, low_usd, high_usd


def _bound(
    lines: Mapping[str, Floats],
    bounds: Mapping[str, tuple[Floats, Floats]],
    rules: CostRules,
    *,
    side: int,
) -> Floats:
    moved = {label: bounds[label][side] - lines[label] for label in LABELS if label not in _ON_TOP}
    # What is left at the end moves with the price too, and it is income.
    moved[RESIDUAL] = bounds[RESIDUAL][1 - side] - lines[RESIDUAL]
    squares = np.square(sum(moved.pop(label) for label in PRICED))
    for label in moved.keys() & rules.line_ranges.keys():
        squares = squares + np.square(moved[label])
    on_top = 1.0 + rules.tax_fraction + rules.contingency_fraction
    deviation = np.sqrt(squares) * on_top
    total = _total(lines)
    return np.round(total + (deviation if side else -deviation), _CENTS)


def _line_bounds(
    cases: CostCases, rules: CostRules, label: str, line: Floats
) -> tuple[Floats, Floats]:
    low, high = rules.line_ranges.get(label, (1.0, 1.0))
    if label not in PRICED and low == high == 1.0:
        return line, line
    lows, highs = line * low, line * high
    if label in PRICED:
        lows, highs = lows * cases.price_low_factor, highs * cases.price_high_factor
    if label == COMPUTE:
        lows, highs = lows * cases.usage_low_factor, highs * cases.usage_high_factor
    ends = np.minimum(lows, highs), np.maximum(lows, highs)
    return ends[0].round(_CENTS), ends[1].round(_CENTS)


def _sum(lines: Mapping[str, Floats]) -> Floats:
    return np.asarray(sum(lines.values(), start=np.zeros(())), dtype=np.float64)


def _total(lines: Mapping[str, Floats]) -> Floats:
    return np.round(_sum(lines), _CENTS)


def _last_demand(rules: CostRules) -> float:
    months = min(rules.horizon_months - 1, max(rules.growth_stops_month, 0))
    return float((1.0 + rules.growth_per_month) ** months)
