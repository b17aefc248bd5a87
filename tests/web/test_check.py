"""Checking a set-up and a quote, as pages."""

import pytest
from django.test import Client

from advisor.services.checking import check_quote, check_setup
from costing.queries import currencies
from tests.web.test_run import text_of

pytestmark = pytest.mark.django_db
CHAT = {"preset": "chatbot_1m", "answers": {}}


def test_too_few_machines_lack_some_and_carry_a_part_of_the_load(catalogue: None) -> None:
    part = "nvidia-h100-sxm"
    needed = check_setup(CHAT, accelerator=part, count=1)["workloads"][0]["needed"]
    found = check_setup(CHAT, accelerator=part, count=needed - 1)["workloads"][0]

    assert (found["holds"], found["lacks"]) == (False, 1)
    assert 0.0 < found["carries"] < 1.0


def test_enough_machines_hold_it_and_twice_as_many_carry_more(catalogue: None) -> None:
    one = check_setup(CHAT, accelerator="nvidia-b200-sxm", count=8)["workloads"][0]
    two = check_setup(CHAT, accelerator="nvidia-b200-sxm", count=16)["workloads"][0]

    assert (one["holds"], two["holds"]) == (True, True)
    assert 1.0 <= one["carries"] < two["carries"]


def test_the_page_says_what_beats_it(pages: Client) -> None:
    answer = pages.post(
        "/check/setup",
        {"question": "chatbot_1m", "accelerator": "nvidia-h100-sxm", "count": "1"},
    ).content.decode()

    assert "do not hold it" in answer
    assert "What beats it" in answer


@pytest.mark.parametrize("count", ["0", "-3", "many", "9" * 30, "²"])
def test_a_count_that_is_none_is_refused(pages: Client, count: str) -> None:
    answer = pages.post(
        "/check/setup",
        {"question": "chatbot_1m", "accelerator": "nvidia-h100-sxm", "count": count},
    )

    assert answer.status_code == 422
    assert "whole number" in answer.content.decode()


def test_an_unknown_workload_is_refused(pages: Client) -> None:
    answer = pages.post(
        "/check/setup", {"question": "nothing", "accelerator": "nvidia-h100-sxm", "count": "8"}
    )

    assert answer.status_code == 422


def test_a_quote_stands_beside_dated_prices_of_the_catalogue(catalogue: None) -> None:
    found = check_quote("2 x HGX H100 SXM server 400,000")["prices"][0]

    assert found["accelerators"] == 8.0
    assert found["ratio"] > 1.0
    assert all(offer["source"] for offer in found["offers"])


def test_a_quote_without_support_is_told_so_on_the_page(pages: Client) -> None:
    answer = pages.post("/check/quote", {"text": "2 x HGX H100 SXM server 300,000\nhello"})

    assert "Support and warranty" in answer.content.decode()
    assert "Line 2: hello" in answer.content.decode()


def test_a_quote_in_euros_is_compared_at_the_dated_rate(catalogue: None) -> None:
    rate = currencies()["EUR"]
    euros = check_quote("2 x HGX H100 SXM server 400.000,00 €\nTotal 800.000,00 €")
    dollars = check_quote(f"2 x HGX H100 SXM server {400_000 * rate.usd_per_unit:.2f}")

    assert euros["currency"]["observed_on"] == rate.observed_on
    assert (euros["sum"], euros["total_differs"]) == (800_000.0, False)
    assert euros["sum_usd"] == pytest.approx(dollars["sum"])
    assert euros["prices"][0]["ratio"] == pytest.approx(dollars["prices"][0]["ratio"])


def test_a_currency_chosen_holds_where_the_lines_name_none(pages: Client) -> None:
    told = {"text": "2 x HGX H100 SXM server 300,000", "currency": "GBP"}
    answer = pages.post("/check/quote", told).content.decode()

    assert f"{currencies()['GBP'].usd_per_unit} USD of {currencies()['GBP'].observed_on}" in answer
    assert "Each, GBP" in answer


@pytest.mark.parametrize(
    ("line", "currency", "told"),
    [
        ("2 x H100 SXM server INR 300,000", "", "no dated exchange rate of inr is kept; there are"),
        ("2 x H100 SXM server 300,000", "XYZ", "no dated exchange rate of xyz"),
        ("2 x H100 SXM server €300,000", "GBP", "eur and gbp at once"),
        ("2 x H100 SXM server ¥300,000", "", "may mean jpy or cny"),
    ],
)
def test_a_currency_that_is_not_known_or_not_clear_is_refused(
    pages: Client, line: str, currency: str, told: str
) -> None:
    answer = pages.post("/check/quote", {"text": line, "currency": currency})

    assert (answer.status_code, told in text_of(answer.content.decode()).lower()) == (422, True)


def test_nothing_pasted_is_refused(pages: Client) -> None:
    assert pages.post("/check/quote", {"text": " "}).status_code == 422
