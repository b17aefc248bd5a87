"""A pasted quote is read with certainty or not at all."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.engine.reasons.quote_lines import NEEDED, read_quote
from catalog.engine.shipped import shipped_snapshot
from catalog.engine.spellings import Spellings

FIND = Spellings(shipped_snapshot().accelerators, models=False).find


@pytest.mark.parametrize(
    "line",
    [
        "2 x DGX system with 8x NVIDIA H100 SXM 325,000 650,000",
        "2,DGX system with NVIDIA H100 SXM,325000,650000",
        "2\tDGX system with NVIDIA H100 SXM\t$325,000.00\t$650,000.00",
        "2; DGX system with NVIDIA H100 SXM; 325000 USD",
        "2 x DGX system with NVIDIA H100 SXM 325.000,00 650.000,00",
        "2 x DGX system with NVIDIA H100 SXM EUR 325,000 EUR 650,000",
        "2 x DGX system with NVIDIA H100 SXM 325.000,00 € 650.000,00 €",
    ],
)
def test_a_line_of_machines_is_read_in_any_usual_shape(line: str) -> None:
    quote = read_quote(line, FIND)

    assert not quote.unread
    assert (quote.lines[0].count, quote.lines[0].each, quote.lines[0].total) == (2, 3.25e5, 6.5e5)
    assert (quote.lines[0].kind, quote.lines[0].adds_up) == ("hardware", True)


@pytest.mark.parametrize(
    "line",
    [
        "Dear customer,",
        "2 x DGX H100 325.000",
        "DGX H100: please call",
        "2,H100,325,000,650,000",
    ],
)
def test_a_line_that_may_mean_something_else_is_listed_not_guessed(line: str) -> None:
    quote = read_quote(line, FIND)

    assert (quote.lines, quote.unread) == ((), ((1, line),))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("2 x H100 SXM server 300,000", ()),
        ("2 x H100 SXM server $300,000", ("USD",)),
        ("2 x H100 SXM server 300.000,00 €\nTotal EUR 600,000", ("EUR",)),
        ("All amounts in CHF\n2 x H100 SXM server 300,000", ("CHF",)),
        ("2 x H100 SXM server ¥300,000", ("JPY or CNY",)),
        ("2 x H100 SXM server INR 300,000", ("INR",)),
        ("2 x H100 SXM server 300,000 USD\n1 x support 3 years £20,000", ("USD", "GBP")),
    ],
)
def test_the_currencies_of_a_quote_are_those_its_amounts_name(
    text: str, named: tuple[str, ...]
) -> None:
    assert read_quote(text, FIND).currencies == named


def test_a_quote_of_machines_alone_lacks_everything_else() -> None:
    assert set(read_quote("1 x H100 SXM server 300,000", FIND).missing) == set(NEEDED)


def test_a_quote_with_support_does_not_lack_it() -> None:
    text = "1 x H100 SXM server 300,000\n3 years of support 24,000\n3 x year of support 8,000"

    assert "support" not in read_quote(text, FIND).missing


def test_a_total_that_differs_is_noticed() -> None:
    quote = read_quote("2 x H100 SXM server 300,000\nTotal 700,000", FIND)

    assert (quote.sum, quote.stated_total) == (600_000.0, 700_000.0)


def test_a_line_that_does_not_multiply_says_so() -> None:
    assert not read_quote("2 x H100 SXM server 300,000 650,000", FIND).lines[0].adds_up


@settings(max_examples=30)
@given(st.text(max_size=120))
def test_every_line_is_read_listed_or_a_total(text: str) -> None:
    quote = read_quote(text, FIND)
    said = [line for line in text.splitlines() if line.strip()]

    totals = 0 if quote.stated_total is None else 1
    assert len(quote.lines) + len(quote.unread) <= len(said)
    assert len(quote.lines) + len(quote.unread) + totals >= min(len(said), 1)
