"""Quotes as offers, prices of one's own, and the price at which a quote would win."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.engine.shipped import shipped_snapshot
from catalog.engine.tables import read_cells
from catalog.specs import Purchase
from costing.engine.bids import (
    Bid,
    exit_cost_usd,
    missing_items,
    missing_terms,
    offer_of,
    price_that_wins,
    usd_per_system,
)
from costing.engine.cases import PURCHASES, CostRules, cost_cases
from costing.engine.own_prices import OwnPrice, unused, with_own_prices, with_own_rates
from costing.engine.private import BIDS, OWN_PRICES
from costing.engine.rates import shipped_rates

TODAY = date(2026, 11, 25)
BUY = Bid(
    id=1, vendor="Acme", reference="Q-17", purchase=Purchase.BUY,
    accelerator_slug="nvidia-h100-sxm", system_slug="", accelerators_per_system=8.0, quantity=4,
    price=250_000.0, price_per="system", currency="EUR", usd_per_currency_unit=1.2,
    received_on=TODAY, valid_until=date(2026, 12, 31), delivery_on=date(2027, 1, 20), country="",
    prepaid_fraction=0.3, minimum_months=0.0, minimum_quantity=0, price_lock_months=None,
    sla_credit_fraction=None, termination_fee=None, termination_fraction=None,
    support_fraction_per_year=None, covers=frozenset({"support"}),
)  # fmt: skip
RENT = replace(
    BUY, purchase=Purchase.ON_DEMAND, price=2.5, price_per="accelerator_hour", minimum_months=24.0,
    currency="USD", usd_per_currency_unit=1.0, covers=frozenset(), country="DE",
)  # fmt: skip
RULES = CostRules(horizon_months=36, depreciation_years=4.0, residual_fraction=0.1)


def test_a_price_is_converted_at_its_dated_rate() -> None:
    assert usd_per_system(BUY) == 300_000.0


@pytest.mark.parametrize(
    ("per", "price", "usd_per_h"),
    [
        ("system_hour", 20.0, 20.0),
        ("system_month", 14_600.0, 20.0),
        ("accelerator_hour", 2.5, 20.0),
    ],
)
def test_rent_by_month_system_or_accelerator_is_one_price(
    per: str, price: float, usd_per_h: float
) -> None:
    assert usd_per_system(replace(RENT, price_per=per, price=price)) == usd_per_h


def test_delivery_is_a_lead_time_from_the_day_of_the_answer() -> None:
    offer = offer_of(BUY, as_of=TODAY, horizon_months=36)
    assert offer.lead_time_weeks == 8.0


def test_rent_after_its_lock_may_move_as_list_prices_do() -> None:
    offer = offer_of(replace(RENT, price_lock_months=18.0), as_of=TODAY, horizon_months=36)
    assert (offer.price_low_usd, offer.price_high_usd) == (20.0 * 0.875, 20.0 * 1.15)


def test_a_locked_price_has_no_range() -> None:
    offer = offer_of(replace(RENT, price_lock_months=36.0), as_of=TODAY, horizon_months=36)
    assert (offer.price_low_usd, offer.price_high_usd) == (20.0, 20.0)


RENTED = cost_cases(
    1, purchase=PURCHASES.index(Purchase.ON_DEMAND), usd_per_h=20.0, minimum_months=24.0
)
MONTH_USD = 730 * 20.0


@pytest.mark.parametrize(("month", "months_owed"), [(12, 12), (24, 0), (30, 0)])
def test_leaving_early_owes_the_rest_of_the_term(month: int, months_owed: int) -> None:
    terms = offer_of(RENT, as_of=TODAY, horizon_months=36).terms
    assert exit_cost_usd(RENTED, RULES, terms, month=month) == months_owed * MONTH_USD


def test_a_termination_fee_stands_in_for_the_rest_where_it_is_less() -> None:
    terms = offer_of(
        replace(RENT, termination_fraction=0.25, termination_fee=1_000.0),
        as_of=TODAY,
        horizon_months=36,
    ).terms
    assert exit_cost_usd(RENTED, RULES, terms, month=12) == 1_000.0 + 0.25 * 12 * MONTH_USD


def test_machines_of_ones_own_cost_what_the_books_show_above_their_value() -> None:
    owned = cost_cases(1, purchase=PURCHASES.index(Purchase.BUY), capex_usd_per_instance=480_000.0)
    # Books after a year of four: 360,000. Worth then: 1 - 0.9 x 12 / 36 of the price, 336,000
    assert exit_cost_usd(owned, RULES, None, month=12) == pytest.approx(24_000.0)


def test_what_a_purchase_leaves_out_is_named() -> None:
    assert "support" not in missing_items(BUY)
    assert {"network", "power", "space", "installation"} <= set(missing_items(BUY))


def test_rent_has_power_and_space_in_it() -> None:
    assert not {"power", "space", "cooling"} & set(missing_items(RENT))


def test_terms_that_are_not_stated_are_named() -> None:
    assert missing_terms(RENT) == (
        "credits for missed availability",
        "for how long the price is fixed",
        "what early termination costs",
    )


@given(st.floats(0.01, 1e6), st.floats(0.0, 1e6), st.floats(0.1, 1e4), st.floats(1.0, 1e7))
def test_just_below_the_price_that_wins_it_wins_and_just_above_it_does_not(
    price: float, fixed: float, each: float, target: float
) -> None:
    def total(at: float) -> float:
        return fixed + each * at

    found = price_that_wins(total, price=price, target_usd=target)
    step = 1e-4 if price < 100.0 else 1e-2
    if found is None:
        assert total(0.0) >= target - 1e-5
    else:
        assert total(found) < target + 1e-4
        assert total(found + 2 * step) >= target - 1e-4


OFFERS = shipped_snapshot(TODAY).offers


def price(**columns: object) -> OwnPrice:
    return OwnPrice(**({"id": 1, "what": "accelerator_hour", "amount": 2.0} | columns))  # type: ignore[arg-type]


def test_a_price_of_ones_own_stands_in_place_of_the_list_price() -> None:
    book = [price(provider="aws", accelerator="nvidia-h100-sxm", purchase="on_demand")]
    changed = [
        (old, new)
        for old, new in zip(OFFERS, with_own_prices(OFFERS, book, on=TODAY), strict=True)
        if old != new
    ]
    assert changed
    assert all(
        new.usd_per_h == 2.0 * new.accelerator_count and old.provider == "aws"
        for old, new in changed
    )


def test_the_narrower_price_holds() -> None:
    wide, narrow = price(amount=3.0), price(id=2, amount=2.0, provider="aws")
    for book in ([wide, narrow], [narrow, wide]):
        own = with_own_prices(OFFERS, book, on=TODAY)
        per_hour = {
            o.provider: o.usd_per_h / o.accelerator_count
            for o in own
            if o.usd_per_h is not None and o.accelerator_count
        }
        assert (per_hour["aws"], per_hour["gcp"]) == (2.0, 3.0)


@pytest.mark.parametrize(
    "dates", [{"valid_until": date(2026, 11, 24)}, {"valid_from": date(2026, 11, 26)}]
)
def test_a_price_that_does_not_hold_today_changes_nothing(dates: dict[str, date]) -> None:
    assert with_own_prices(OFFERS, [price(**dates)], on=TODAY) == OFFERS


def test_a_discount_is_taken_off_the_price_of_ones_own() -> None:
    book = [price(), price(id=2, what="discount", amount=0.25)]
    rented = [
        o for o in with_own_prices(OFFERS, book, on=TODAY) if o.purchase == Purchase.ON_DEMAND
    ]
    assert {round((o.usd_per_h or 0.0) / o.accelerator_count, 9) for o in rented} == {1.5}


def test_a_price_that_ended_or_fits_nothing_is_said() -> None:
    ended, odd = price(valid_until=date(2026, 1, 1)), price(provider="nobody")
    notes = unused([ended, odd], OFFERS, on=TODAY)
    assert ["ended on 2026-01-01" in notes[0], "like no offer" in notes[1]] == [True, True]


def test_a_rate_of_ones_own_replaces_the_shipped_one() -> None:
    rates = with_own_rates(
        shipped_rates(), [price(what="rate", rate="porting/tpu", amount=3.0)], on=TODAY
    )
    assert (rates["porting/tpu"].value, rates["porting/tpu"].source) == (3.0, "your price book")


GOOD = {
    "vendor": "Acme", "purchase": "buy", "system": "dgx-h100", "price": "300000",
    "price_per": "system", "currency": "USD",
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"price": "-1"}, "price"),
        ({"price_per": "system_hour"}, "price_per"),
        ({"covers": "champagne"}, "covers"),
        ({"system": ""}, "accelerator"),
        ({"prepaid_percent": "120"}, "prepaid_percent"),
        ({"received_on": "2026-11-01", "valid_until": "2026-10-01"}, "valid_until"),
        ({"quantity": "2", "minimum_quantity": "3"}, "minimum_quantity"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_bad_cell_of_a_quote_is_named(change: dict[str, str], column: str) -> None:
    assert column in read_cells({**GOOD, **change}, BIDS)[1]


def test_a_price_without_its_currency_is_refused() -> None:
    cells = {"what": "accelerator_hour", "amount": "2"}
    assert read_cells(cells, OWN_PRICES)[1] == {"currency": "is missing"}


def test_the_counts_of_a_quote_are_whole_systems() -> None:
    assert np.isclose(offer_of(BUY, as_of=TODAY, horizon_months=36).accelerator_count, 8.0)


def test_a_reservation_owes_the_rest_of_its_term() -> None:
    three_years = cost_cases(1, purchase=PURCHASES.index(Purchase.RESERVED_3Y), usd_per_h=20.0)
    owed = [exit_cost_usd(three_years, RULES, None, month=month) for month in (12, 24)]
    assert owed == [24 * MONTH_USD, 12 * MONTH_USD]
