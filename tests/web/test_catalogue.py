"""The catalogue's pages."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from catalog.models import Accelerator, ModelArchitecture, Source

LISTS = (
    "accelerators",
    "systems",
    "models",
    "offers",
    "measurements",
    "training",
    "sources",
)


@pytest.mark.parametrize("name", LISTS)
def test_a_list_shows_its_rows(pages: Client, name: str) -> None:
    page = pages.get(f"/catalogue/{name}")

    assert (page.status_code, b"<tbody><tr>" in page.content) == (200, True)


@pytest.mark.parametrize("name", LISTS)
def test_a_list_needs_few_queries(
    pages: Client, name: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(10):
        pages.get(f"/catalogue/{name}")


@pytest.mark.parametrize("name", LISTS)
def test_a_search_without_hits_says_so(pages: Client, name: str) -> None:
    assert b"Show all" in pages.get(f"/catalogue/{name}?q=zzzzzz").content


def test_filters_narrow_a_list(pages: Client) -> None:
    page = pages.get("/catalogue/accelerators?family=tpu").content

    assert (b"family-tpu" in page, b"family-gpu" in page) == (True, False)


def test_a_filter_it_does_not_know_is_ignored(pages: Client) -> None:
    page = pages.get("/catalogue/accelerators?family=banana").content

    assert b"family-gpu" in page


def test_the_next_page_keeps_the_filters(pages: Client) -> None:
    page = pages.get("/catalogue/offers?purchase=on_demand").content.decode()

    assert "?purchase=on_demand&amp;page=2" in page


def test_a_page_beyond_the_last_is_the_last(pages: Client) -> None:
    assert pages.get("/catalogue/offers?page=99999").status_code == 200


@pytest.mark.parametrize("text", ["%00", "'; DROP TABLE catalog_offer;--", "[", "\\", "x" * 5000])
def test_any_text_may_be_searched(pages: Client, text: str) -> None:
    assert pages.get("/catalogue/offers", {"q": text}).status_code == 200


def test_every_accelerator_has_a_page(pages: Client) -> None:
    slugs = Accelerator.objects.values_list("pk", flat=True)

    assert [s for s in slugs if pages.get(f"/catalogue/accelerators/{s}").status_code != 200] == []


def test_every_model_has_a_page(pages: Client) -> None:
    slugs = ModelArchitecture.objects.values_list("pk", flat=True)

    assert [s for s in slugs if pages.get(f"/catalogue/models/{s}").status_code != 200] == []


def test_an_accelerators_page_shows_figures_with_their_source(pages: Client) -> None:
    part = Accelerator.objects.select_related("source").get(pk="nvidia-h100-sxm")
    page = pages.get(f"/catalogue/accelerators/{part.pk}").content.decode()

    assert ("3,350 GB/s" in page, part.source.title in page) == (True, True)


def test_an_accelerators_page_needs_few_queries(
    pages: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(12):
        pages.get("/catalogue/accelerators/nvidia-h100-sxm")


def test_an_unknown_accelerator_is_not_found(pages: Client) -> None:
    assert pages.get("/catalogue/accelerators/none").status_code == 404


def test_a_price_says_how_old_it_is(pages: Client) -> None:
    page = pages.get("/catalogue/offers?purchase=on_demand").content.decode()

    assert any(f">{band}</span>" in page for band in ("fresh", "ageing", "old", "stale"))


def test_a_script_as_address_is_no_link(pages: Client) -> None:
    Source.objects.create(title="AAA bad source", url="javascript:alert(1)")

    assert 'href="javascript' not in pages.get("/catalogue/sources?q=AAA bad").content.decode()


def test_the_front_page_counts_what_it_holds(pages: Client) -> None:
    page = pages.get("/catalogue").content.decode()

    assert f"{Accelerator.objects.count()} rows" in page
