"""Checking a set-up and a quote, as pages."""

import pytest
from django.test import Client

from advisor.services.checking import check_quote, check_setup

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


def test_nothing_pasted_is_refused(pages: Client) -> None:
    assert pages.post("/check/quote", {"text": " "}).status_code == 422
