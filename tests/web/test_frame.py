"""The frame of all pages, errors, methods pages, static files."""

import hashlib
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from advisor import charts as answer_charts
from advisor.views.errors import server_error
from catalog import charts as price_charts

STATIC = Path(settings.BASE_DIR) / "static"
BUNDLE = STATIC / "vendor" / "plotly-cartesian-4.1.1.min.js"
PAGES = (
    "/",
    "/assessments",
    "/start/chatbot_1m",
    "/catalogue",
    "/catalogue/offers",
    "/docs/",
    "/docs/serving",
)


@pytest.mark.parametrize("address", PAGES)
def test_a_page_has_one_heading_a_skip_link_and_a_main_part(pages: Client, address: str) -> None:
    page = pages.get(address).content.decode()

    assert (page.count("<h1"), 'class="skip" href="#content"' in page, page.count("<main")) == (
        1,
        True,
        1,
    )


@pytest.mark.parametrize("address", PAGES)
def test_a_page_loads_nothing_from_elsewhere(pages: Client, address: str) -> None:
    page = pages.get(address).content.decode()

    assert re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="(?:https?:)?//', page) == []


@pytest.mark.parametrize("address", PAGES)
def test_a_page_has_no_inline_code(pages: Client, address: str) -> None:
    page = pages.get(address).content.decode()

    assert re.findall(r" (?:on[a-z]+|style|hx-on[^=]*)=|javascript:|<style", page) == []


@pytest.mark.parametrize("address", PAGES)
def test_ids_are_unique(pages: Client, address: str) -> None:
    ids = re.findall(r' id="([^"]+)"', pages.get(address).content.decode())

    assert sorted(ids) == sorted(set(ids))


def test_the_footer_names_engine_and_age_of_prices(pages: Client) -> None:
    page = pages.get("/").content.decode()

    assert re.search(r"Prices read up to <time[^>]+>\d+ \w+ \d{4}</time>", page)


def test_htmx_neither_evaluates_nor_styles_and_swaps_refusals(pages: Client) -> None:
    page = pages.get("/").content.decode()

    assert all(
        part in page
        for part in (
            '"allowEval":false',
            '"includeIndicatorStyles":false',
            '{"code":"422","swap":true}',
        )
    )


def test_a_missing_page_says_where_to_go(pages: Client) -> None:
    answer = pages.get("/no/such/page")

    assert (answer.status_code, b"Go to the start page" in answer.content) == (404, True)


def test_a_broken_page_gives_a_reference_and_no_details(rf: object) -> None:
    from django.test import RequestFactory

    answer = server_error(RequestFactory().get("/secret"))

    assert (answer.status_code, b"Reference for the log" in answer.content) == (500, True)


def test_an_unknown_methods_page_is_not_found(pages: Client) -> None:
    assert pages.get("/docs/nothing").status_code == 404


def test_a_methods_page_can_be_linked_to_by_its_headings(pages: Client) -> None:
    assert b'<h2 id="given-up">' in pages.get("/docs/problems").content


def test_the_vendored_bundle_is_the_published_one() -> None:
    digest, name = (STATIC / "vendor" / f"{BUNDLE.name}.sha256").read_text().split()

    assert (name, hashlib.sha256(BUNDLE.read_bytes()).hexdigest()) == (BUNDLE.name, digest)


def test_the_bundle_holds_every_trace_type_that_is_drawn() -> None:
    source = BUNDLE.read_text(encoding="utf-8")
    drawn = answer_charts.TRACE_TYPES | price_charts.TRACE_TYPES

    assert [t for t in drawn if not re.search(rf'moduleType:"trace",name:"{t}"', source)] == []


def test_charts_draw_declared_trace_types_only() -> None:
    sources = [Path(module.__file__ or "").read_text() for module in (answer_charts, price_charts)]
    made = {kind.lower() for text in sources for kind in re.findall(r"go\.([A-Z]\w+)\(", text)}

    assert made - {"figure"} == answer_charts.TRACE_TYPES | price_charts.TRACE_TYPES


def test_the_style_sheet_loads_nothing() -> None:
    assert re.findall(r"url\(|@import", (STATIC / "advisor.css").read_text()) == []


def tokens(block: str) -> set[str]:
    return set(re.findall(r"(--[a-z0-9-]+):\s*#", block))


def test_every_colour_has_a_dark_counterpart() -> None:
    text = (STATIC / "advisor.css").read_text()
    light, dark = text.split("@media screen and (prefers-color-scheme: dark)")[:2]

    assert tokens(light) - tokens(dark.split("}")[0]) == set()


def test_every_colour_that_a_chart_names_is_a_token() -> None:
    text = (STATIC / "advisor.css").read_text()
    sources = [Path(module.__file__ or "").read_text() for module in (answer_charts, price_charts)]
    named = {name for source in sources for name in re.findall(r"var\((--[a-z0-9-]+)\)", source)}

    assert named - tokens(text) == set()
