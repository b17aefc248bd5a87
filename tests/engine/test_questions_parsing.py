"""Typed values: what people write becomes the number they mean, or they are told what to type."""

import math
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.questions import BY_ID, QUESTIONS, Item
from advisor.questions.parsing import NotUnderstood, is_blank, parse, shown, typed
from advisor.questions.quantities import NotANumber, plain_number, quantity

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("512k", "tokens", 512_000),
        ("1.5 M", "tokens", 1_500_000),
        ("1,5 M", "tokens", 1_500_000),
        ("2 T", "billion tokens", 2_000),
        ("70", "billion", 70),
        ("70B", "billion", 70),
        ("1 M", "thousand users", 1_000),
        ("1 M users", "thousand users", 1_000),
        ("50k", "thousand examples", 50),
        ("20 million", "million items", 20),
        ("20 million items", "million items", 20),
        ("40 kW", "kW", 40),
        ("0.1 MW", "kW", 100),
        ("300 W", "W", 300),
        ("72 h", "hours", 72),
        ("3 d", "hours", 72),
        ("3 d", "days", 3),
        ("72 h", "days", 3),
        ("90 min", "hours", 1.5),
        ("0,3 s", "ms", 300),
        ("2 weeks", "days", 14),
        ("2 TB", "GB", 2_000),
        ("1 TiB", "GB", 2**40 / 1e9),
        ("5 TB/month", "TB/month", 5),
        ("20 %", "%", 20),
        ("8 % per year", "% per year", 8),
        ("1.2 TFLOP", "GFLOP", 1_200),
        ("1_000_000", "tokens", 1_000_000),
        ("1 000 000", "tokens", 1_000_000),
        ("1'000'000", "tokens", 1_000_000),
        ("1,000,000", "tokens", 1_000_000),
        ("1.000.000,5", "tokens", 1_000_000.5),
        ("1,000,000.5", "tokens", 1_000_000.5),
        ("0,125", "x", 0.125),
        ("1e3", "tokens", 1_000),
        (".5", "x", 0.5),
        ("-3", "%", -3),
        ("10 tokens", "tokens", 10),
        ("4 accelerators", "accelerators", 4),
    ],
)
def test_a_quantity_is_read_in_the_unit_of_its_question(text: str, unit: str, value: float) -> None:
    assert quantity(text, unit) == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [("$20", 20), ("20 USD", 20), ("20k", 20_000), ("€ 1.5 M", 1_500_000), ("2 M EUR", 2e6)],
)
def test_money_may_carry_its_currency(text: str, value: float) -> None:
    assert quantity(text, "currency", money=True) == value


@pytest.mark.parametrize("text", ["1,500", "12,000", "-3,141"])
def test_a_comma_that_could_be_either_is_refused_with_both_readings(text: str) -> None:
    joined, decimal = text.replace(",", ""), text.replace(",", ".")

    with pytest.raises(NotANumber, match=f"{joined} or {decimal}"):
        plain_number(text)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("many", "tokens"), ("", "tokens"), ("12 apples", "tokens"), ("3 d", "tokens"),
        ("5 GB", "hours"), ("$5", "tokens"), ("1,2,3", "tokens"), ("1..2", "tokens"),
        ("nan", "tokens"), ("inf", "tokens"), ("1e999", "tokens"), ("5 ms", "%"),
    ],
)  # fmt: skip
def test_what_is_no_number_of_this_kind_is_refused(text: str, unit: str) -> None:
    with pytest.raises(NotANumber):
        quantity(text, unit)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_typed_in_full_is_read_exactly(value: float) -> None:
    assert plain_number(repr(value)) == value


@given(st.integers(min_value=0, max_value=10**15))
def test_separators_between_thousands_change_nothing(value: int) -> None:
    assert plain_number(f"{value:_}") == value


@given(st.integers(min_value=10**6, max_value=10**15))
def test_several_commas_set_thousands_apart(value: int) -> None:
    assert plain_number(f"{value:,}") == value


@given(st.floats(min_value=0.001, max_value=999, allow_nan=False))
def test_a_decimal_comma_reads_like_a_point_or_is_refused(value: float) -> None:
    text = f"{value:.4f}"

    assert plain_number(text.replace(".", ",")) == plain_number(text)


@given(st.text(alphabet=string.printable))
def test_any_text_is_a_finite_number_or_refused(text: str) -> None:
    try:
        assert math.isfinite(quantity(text, "tokens"))
    except NotANumber:
        assert True


def _refusal(item: Item, raw: object) -> str:
    """What to type instead; nothing where the value is understood and can be shown."""
    try:
        shown(item, parse(item, raw))
    except NotUnderstood as refusal:
        return str(refusal)
    return ""


@settings(max_examples=400)
@given(st.sampled_from(QUESTIONS), JSON)
def test_any_value_is_understood_or_refused_with_advice(item: Item, raw: object) -> None:
    refusal = _refusal(item, 0 if is_blank(raw) else raw)

    assert refusal == "" or len(refusal) > 10


@given(
    st.sampled_from([item for item in QUESTIONS if item.is_numeric]),
    st.floats(min_value=0.0, max_value=1.0),
)
def test_what_a_field_shows_is_read_back_unchanged(item: Item, share: float) -> None:
    low = item.hard_min or 0.0
    value = low + ((item.hard_max or 1e6) - low) * share
    number = round(value) if item.type == "int" else value

    assert parse(item, typed(item, number)) == number


def test_an_option_may_be_typed_as_id_or_as_label() -> None:
    item = BY_ID["workload"]

    assert {parse(item, text) for text in ("pretrain", "PRETRAIN", "Pre-training a model")} == {
        "pretrain"
    }


def test_options_come_in_their_own_order_and_once() -> None:
    raw = "tpu|gpu | tpu"

    assert parse(BY_ID["accel_families_allowed"], raw) == ("gpu", "tpu")


def test_an_unknown_option_is_refused_with_a_near_one_and_the_list() -> None:
    with pytest.raises(NotUnderstood, match=r"did you mean 'neocloud'.*public_cloud, neocloud"):
        parse(BY_ID["deployment_allowed"], ["neoclouds"])


def test_none_empties_a_list_without_an_option_of_that_name() -> None:
    assert parse(BY_ID["regimes"], "none") == ()


def test_none_is_an_option_where_it_is_one() -> None:
    assert parse(BY_ID["origin_limits"], "none") == ("none",)


def test_a_number_may_name_an_option() -> None:
    assert parse(BY_ID["commitment_max_months"], 12) == "12"


@pytest.mark.parametrize("raw", ["yes", "TRUE", "on", "1", True, 1])
def test_yes_is_read_in_all_its_spellings(raw: object) -> None:
    assert parse(BY_ID["streaming"], raw) is True


def test_a_group_of_countries_stands_for_its_members() -> None:
    assert len(parse(BY_ID["residency_countries"], "EU") or "") == 27  # type: ignore[arg-type]


def test_a_country_without_a_code_is_refused_by_name() -> None:
    with pytest.raises(NotUnderstood, match="'XX' is no country code"):
        parse(BY_ID["residency_countries"], "DE|XX")


def test_a_table_is_read_row_by_row() -> None:
    rows = parse(BY_ID["negotiated_discounts"], "aws, 12 %, 2027-12-31\ngcp, 5")

    assert rows == (
        {"provider": "aws", "percent": 12.0, "valid_until": "2027-12-31"},
        {"provider": "gcp", "percent": 5.0},
    )


@pytest.mark.parametrize(
    ("question", "raw", "told"),
    [
        ("given_count", 1_000_001, "type 100,000 or less"),
        ("rps_mean", -1, "type 1e-06 or more"),
        ("rps_mean", "fast", "type a number (requests/s) from 1e-06 to 10,000,000"),
        ("layers", 2.5, "type a whole number"),
        ("streaming", "perhaps", "type yes or no"),
        ("go_live_date", "31.3.2027", "type it as 2027-03-31"),
        ("assessment_name", "AI", "type at least 3 characters"),
        ("notes", "x" * 4001, "type at most 4000"),
        ("currency", "EURO", "type three letters"),
        ("vendor_least_shares", "AMD", "the row has no percent; type vendor, percent"),
        ("negotiated_discounts", [{"provider": "aws"}], "the row has no percent"),
    ],
)
def test_a_refusal_says_what_to_type(question: str, raw: object, told: str) -> None:
    with pytest.raises(NotUnderstood) as refusal:
        parse(BY_ID[question], raw)

    assert told in str(refusal.value)
