"""Numbers as people read them."""

from collections.abc import Iterator

import pytest

from advisor.services.shown import show_in
from advisor.templatetags.quantities import (
    amount,
    column_scale,
    in_currency,
    number,
    percent,
    quantity,
    seconds,
    si,
    span,
    usd,
    usd_cents,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (6_910, "6,910"),
        (1_234.5678, "1,235"),
        (12.345, "12.3"),
        (0.01234, "0.0123"),
        (-3.5, "−3.5"),
        (None, "unknown"),
        (float("nan"), "unknown"),
        (float("inf"), "unknown"),
        ("text", "unknown"),
    ],
)
def test_a_number_has_three_digits_and_separators(value: object, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(40_179.4, "$40,179"), (12.5, "$12.50"), (0.0321, "$0.0321"), (-5, "−$5.00"), (0, "$0")],
)
def test_money_shows_cents_where_they_matter(value: float, text: str) -> None:
    assert usd(value) == text


def test_a_missing_price_is_open() -> None:
    assert usd(None) == "price open"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0456, "45.6 ms"),
        (1.5, "1.5 s"),
        (180, "3 min"),
        (6 * 3600, "6 h"),
        (10 * 86_400, "10 days"),
    ],
)
def test_a_duration_is_said_in_the_unit_people_use(value: float, text: str) -> None:
    assert seconds(value) == text


def test_a_fraction_is_shown_as_percent() -> None:
    assert percent(0.415) == "42 %"


def test_a_prefix_is_chosen_by_size() -> None:
    assert si(3.35e12, "B/s") == "3.35 TB/s"


def test_an_uncountable_number_is_a_power_of_ten() -> None:
    assert quantity(8.4e22, "FLOP") == "8.4 × 10^22 FLOP"


def test_a_figure_is_shown_with_its_unit() -> None:
    assert amount({"value": 10.2, "unit": "kW"}) == "10.2 kW"


def test_a_point_has_no_range() -> None:
    assert span({"value": 5, "low": 5, "high": 5, "unit": "USD"}) == ""


def test_a_column_of_short_times_is_in_milliseconds() -> None:
    scale = column_scale("s", [0.05, 0.2, None])

    assert (scale.unit, scale.text(0.05)) == ("ms", "50")


def test_all_numbers_of_a_column_have_the_same_decimals() -> None:
    scale = column_scale("kW", [1.0, 10.0, 100.0])

    assert [scale.text(v) for v in (1.0, 10.0, 100.0)] == ["1.0", "10.0", "100.0"]


def test_a_column_leaves_what_it_does_not_know_empty() -> None:
    assert column_scale("s", [None]).text(None) == ""


@pytest.fixture
def euros() -> Iterator[None]:
    show_in({"code": "EUR", "usd_per_unit": 1.25, "observed_on": "2026-08-21", "source": "ECB"})
    yield
    show_in(None)


@pytest.mark.usefixtures("euros")
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("It costs 12,500 USD a month.", "It costs 10,000 EUR a month."),
        ("Cheapest at $1,250 an hour", "Cheapest at €1,000 an hour"),
        ("8 x H100 for 36 months", "8 x H100 for 36 months"),
        ("USD/M tokens", "EUR/M tokens"),
    ],
)
def test_sentences_tell_money_in_the_currency_of_the_page(text: str, shown: str) -> None:
    assert in_currency(text) == shown


@pytest.mark.usefixtures("euros")
def test_money_is_converted_where_it_is_shown() -> None:
    assert (usd(1_250), usd_cents(1.25), amount({"value": 125.0, "unit": "USD/month"})) == (
        "€1,000",
        "€1.00",
        "€100",
    )


@pytest.mark.usefixtures("euros")
def test_a_column_of_money_has_the_currency_in_its_head() -> None:
    scale = column_scale("USD/month", [12_500.0])
    assert (scale.unit, scale.text(12_500.0)) == ("EUR a month", "10,000")
