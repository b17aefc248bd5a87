"""Vendors' quotes as private offers: what each says, what it leaves out, what leaving costs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from math import floor

from catalog.specs import OfferSpec, OfferTerms, Purchase, RegionSpec
from catalog.units import HOURS_PER_MONTH, MONTHS_PER_YEAR
from costing.engine import tco
from costing.engine.age import BANDS
from costing.engine.capital import book_value_usd
from costing.engine.cases import COMMITMENT_MONTHS, CostCases, CostRules
from costing.engine.financing import value_left
from costing.engine.tco import COMPUTE, HARDWARE, cost_breakdown

DAYS_PER_WEEK = 7.0
PRICE_PER = ("system", "system_hour", "system_month", "accelerator_hour")
"""What a quoted price may be for; the first is a purchase, the others are rent."""
PURCHASES = (
    Purchase.BUY, Purchase.ON_DEMAND, Purchase.RESERVED_1Y, Purchase.RESERVED_3Y,
    Purchase.CAPACITY_BLOCK, Purchase.SPOT,
)  # fmt: skip
ITEMS: Mapping[str, str] = {
    "network": tco.FABRIC,
    "installation": tco.INSTALLATION,
    "liquid_cooling": tco.LIQUID,
    "power": tco.POWER,
    "cooling": tco.COOLING,
    "space": tco.SPACE,
    "support": tco.SUPPORT,
    "software": tco.SOFTWARE,
    "storage": tco.STORAGE,
    "egress": tco.EGRESS,
    "monitoring": tco.MONITORING,
    "decommissioning": tco.DECOMMISSION,
}
"""Things a price may have in it, by the line of the breakdown they fill."""
_WON_BY = 1e-6
_MOST_TIMES = 2.0**40


@dataclass(frozen=True, slots=True, kw_only=True)
class Bid:
    """One quote of a vendor, as received; fractions of one, None where nothing is stated."""

    id: int
    vendor: str
    reference: str
    purchase: Purchase
    accelerator_slug: str
    system_slug: str  # "" where the catalogue has no such system
    accelerators_per_system: float
    quantity: int | None  # systems offered; None is any number
    price: float  # in the bid's currency
    price_per: str  # one of PRICE_PER
    currency: str
    usd_per_currency_unit: float
    received_on: date
    valid_until: date | None
    delivery_on: date | None
    country: str
    prepaid_fraction: float
    minimum_months: float
    minimum_quantity: int
    price_lock_months: float | None
    sla_credit_fraction: float | None
    termination_fee: float | None  # in the bid's currency
    termination_fraction: float | None
    support_fraction_per_year: float | None
    covers: frozenset[str]  # ids of ITEMS
    note: str = ""

    @property
    def name(self) -> str:
        """The vendor with the reference of the quote."""
        return f"{self.vendor}, {self.reference}" if self.reference else self.vendor

    @property
    def is_purchase(self) -> bool:
        """Whether the machines become the buyer's."""
        return self.purchase == Purchase.BUY

    def is_expired(self, on: date) -> bool:
        """Whether the quote no longer binds on a day."""
        return self.valid_until is not None and self.valid_until < on


def usd_per_system(bid: Bid) -> float:
    """Price of one system in USD: to buy it, or for an hour of it.

    Source: the bid; a month has 730 hours.
    """
    per = {
        "system": 1.0,
        "system_hour": 1.0,
        "system_month": 1.0 / HOURS_PER_MONTH,
        "accelerator_hour": bid.accelerators_per_system,
    }[bid.price_per]
    return bid.price * bid.usd_per_currency_unit * per


def offer_of(bid: Bid, *, as_of: date, horizon_months: int) -> OfferSpec:
    """The bid as an offer beside those of the catalogue.

    Where rent is locked for part of the horizon only, the rest may move as a list price does
    in a year. Ids of bids are below those of open quotes.

    Source: the bid; the width is that of `age.BANDS`.
    """
    usd = usd_per_system(bid)
    low, high = _after_lock(bid, horizon_months)
    weeks = None
    if bid.delivery_on is not None:
        weeks = max((bid.delivery_on - as_of).days, 0) / DAYS_PER_WEEK
    return OfferSpec(
        id=-1_000_000 - bid.id,
        provider=bid.vendor,
        provider_kind="vendor" if bid.is_purchase else "neocloud",
        region=_region(bid),
        instance_type=f"quote {bid.reference}".strip(),
        accelerator_slug=bid.accelerator_slug,
        accelerator_count=bid.accelerators_per_system,
        system_slug=bid.system_slug,
        purchase=bid.purchase,
        usd_per_h=None if bid.is_purchase else usd,
        usd=usd if bid.is_purchase else None,
        usd_per_input_token=None,
        usd_per_output_token=None,
        usd_per_cached_input_token=None,
        model_slug="",
        observed_on=bid.received_on,
        price_low_usd=usd * low,
        price_high_usd=usd * high,
        max_quantity=bid.quantity,
        lead_time_weeks=weeks,
        confidence="official",
        source=f"Quote of {bid.name}, received {bid.received_on.isoformat()}",
        available_from=bid.delivery_on,
        note=bid.note,
        terms=_terms(bid),
    )


def _terms(bid: Bid) -> OfferTerms:
    fee = bid.termination_fee
    return OfferTerms(
        valid_until=bid.valid_until,
        covers=frozenset(ITEMS[item] for item in bid.covers),
        minimum_quantity=float(bid.minimum_quantity),
        minimum_months=0.0 if bid.is_purchase else bid.minimum_months,
        prepaid_fraction=bid.prepaid_fraction,
        price_lock_months=bid.price_lock_months,
        sla_credit_fraction=bid.sla_credit_fraction,
        termination_usd=None if fee is None else fee * bid.usd_per_currency_unit,
        termination_fraction=bid.termination_fraction,
        support_fraction_per_year=bid.support_fraction_per_year,
    )


def _region(bid: Bid) -> RegionSpec | None:
    if not bid.country or bid.is_purchase:
        return None
    return RegionSpec(
        slug=f"quote/{bid.country}", provider=bid.vendor, code=bid.country, name=bid.country,
        country=bid.country, latitude=None, longitude=None, grid_g_per_kwh=None,
        power_usd_per_kwh=None, compliance=frozenset(), source="the quote",
    )  # fmt: skip


def _after_lock(bid: Bid, horizon_months: int) -> tuple[float, float]:
    if bid.is_purchase or bid.price_lock_months is None:
        return 1.0, 1.0
    open_share = max(horizon_months - bid.price_lock_months, 0.0) / horizon_months
    _, low, high = BANDS[Purchase.ON_DEMAND][2]
    return 1.0 - open_share * (1.0 - low), 1.0 + open_share * (high - 1.0)


def exit_cost_usd(
    cases: CostCases, rules: CostRules, terms: OfferTerms | None, *, month: int
) -> float:
    """What it costs to stop after so many months, beside what was used until then; one case.

    Rent: the rest of the least term, or the stated fee where that is less. Machines of one's
    own: what the books still show above what they then fetch, and taking them out; both
    follow straight lines.

    Source: the terms of the quote; IAS 16 for the books.
    """
    one = cost_breakdown(cases, _one_month(rules)).lines
    fee_usd = terms.termination_usd if terms else None
    share = terms.termination_fraction if terms else None
    monthly = float(one[COMPUTE][0])
    least = float(cases.minimum_months[0])
    term = COMMITMENT_MONTHS.get(cases.purchases[int(cases.purchase[0])], 0)
    # A reservation is renewed in whole terms, so that some of one is always to come.
    to_come = (-month % term if term else max(least - month, 0.0)) * monthly
    owed = to_come
    if fee_usd is not None or share is not None:
        fee = (fee_usd or 0.0) + (share or 0.0) * to_come
        bound = to_come > 0.0
        owed = min(fee, to_come) if bound else (fee if least == 0.0 and not term else 0.0)
    price = float(one[HARDWARE][0])
    if price == 0.0 or month >= rules.horizon_months:
        return owed + rules.decommission_fraction * price
    books = book_value_usd(
        cost_usd=price,
        residual_usd=0.0,
        life_years=rules.depreciation_years,
        age_years=month / MONTHS_PER_YEAR,
    )
    fetches = price * value_left(rules, months=month)
    return owed + max(float(books) - fetches, 0.0) + rules.decommission_fraction * price


def _one_month(rules: CostRules) -> CostRules:
    return replace(rules, horizon_months=1, growth_per_month=0.0)


def price_that_wins(
    total_usd: Callable[[float], float], *, price: float, target_usd: float
) -> float | None:
    """The highest price at which a total is below another, None where no price is.

    `total_usd` re-runs the costing at a price, and must not fall as the price rises. Prices
    are tried to a ten-thousandth below 100, else to a cent.

    Source: bisection.
    """
    step = 1e-4 if price < 100.0 else 1e-2  # noqa: PLR2004 - prices by the hour, by the system

    def wins(steps: float) -> bool:
        return total_usd(steps * step) < target_usd - _WON_BY

    if not wins(0.0):
        return None
    below, above = 0.0, max(float(floor(price / step)), 1.0)
    while wins(above):
        below, above = above, above * 2.0
        if above > _MOST_TIMES:
            return None
    while above - below > 1.0:
        middle = float(floor((below + above) / 2.0))
        below, above = (middle, above) if wins(middle) else (below, middle)
    return round(below * step, 4)


def missing_items(bid: Bid) -> tuple[str, ...]:
    """Ids of ITEMS that the price does not cover; rent has power, space and cooling in it.

    Source: the bid.
    """
    in_rent = {"network", "installation", "liquid_cooling", "power", "cooling", "space",
               "decommissioning"}  # fmt: skip
    wanted = [item for item in ITEMS if bid.is_purchase or item not in in_rent]
    stated = {"support"} if bid.support_fraction_per_year is not None else set()
    return tuple(item for item in wanted if item not in bid.covers | stated)


def missing_terms(bid: Bid) -> tuple[str, ...]:
    """Terms that the quote does not state, in words.

    Source: the bid.
    """
    rows: list[tuple[str, object]] = [
        ("until when it is valid", bid.valid_until),
        ("the day of delivery", bid.delivery_on),
        ("credits for missed availability", bid.sla_credit_fraction),
    ]
    if not bid.is_purchase:
        rows += [
            ("for how long the price is fixed", bid.price_lock_months),
            ("what early termination costs", _either(bid)),
            ("the country it runs in", bid.country or None),
        ]
    return tuple(words for words, value in rows if value is None)


def _either(bid: Bid) -> float | None:
    return bid.termination_fee if bid.termination_fee is not None else bid.termination_fraction
