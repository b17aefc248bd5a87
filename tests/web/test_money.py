"""The money page of a run: one address for every what-if, its tables as files."""

import csv
import io
import re
from typing import Any

import pytest
from django.test import Client

from advisor.models import Job
from tests.answered import answered_run
from tests.web.conftest import MakeRun


@pytest.fixture
def run(make_run: MakeRun) -> Job:
    return answered_run(make_run, "chatbot_1m")


def page_of(pages: Client, run: Job, query: str = "", status: int = 200) -> str:
    answer = pages.get(f"/runs/{run.pk}/money{query}")
    assert answer.status_code == status
    return " ".join(answer.content.decode().split())


def rows_of(pages: Client, run: Job, table: str, query: str = "") -> list[dict[str, str]]:
    answer = pages.get(f"/runs/{run.pk}/money/{table}.csv{query}")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.content.decode())))


def test_the_page_tells_the_total_of_the_answer(pages: Client, run: Job) -> None:
    assert run.result is not None
    total = run.result["recommendation"]["total_cost_usd"]["value"]
    assert f"costs ${total:,.0f} over" in page_of(pages, run)


def test_every_chart_has_its_figures_in_a_table(pages: Client, run: Job) -> None:
    html = page_of(pages, run)
    charts = re.findall(r'data-chart="([^"]+)"', html)
    assert (len(charts) >= 6, html.count("<table") >= len(charts)) == (True, True)


def test_every_chart_says_its_point(pages: Client, run: Job) -> None:
    html = page_of(pages, run)
    assert html.count('<span class="finding">') == html.count("data-chart=")
    assert '<span class="finding"></span>' not in html


def test_every_table_can_be_had_as_a_file(pages: Client, run: Job) -> None:
    links = re.findall(r'href="(/runs/[^"]+/money/[^"]+\.csv)"', page_of(pages, run))
    kinds = {pages.get(link).headers["Content-Type"] for link in links}
    assert (len(links) >= 12, kinds) == (True, {"text/csv; charset=utf-8"})


def test_a_file_is_of_the_terms_of_its_page(pages: Client, run: Job) -> None:
    html = page_of(pages, run, "?horizon_months=7")
    assert f"/runs/{run.pk}/money/cash-flow.csv?horizon_months=7" in html
    assert len(rows_of(pages, run, "cash-flow", "?horizon_months=7")) == 7


def test_the_months_of_the_file_add_up_to_its_total(pages: Client, run: Job) -> None:
    months = rows_of(pages, run, "cash-flow", "?scenario=rising&growth_month_pct=7")
    [total] = [
        row["Value, USD"]
        for row in rows_of(pages, run, "summary", "?scenario=rising&growth_month_pct=7")
        if row["Figure"] == "Total over the horizon"
    ]
    cents = sum(round(float(row["Total, USD"]) * 100) for row in months)
    assert cents == round(float(total) * 100)


def test_the_page_is_in_the_currency_of_the_question(pages: Client, run: Job) -> None:
    assert run.result is not None
    euro = {"code": "EUR", "usd_per_unit": 1.25, "observed_on": "2026-11-20", "source": "test"}
    Job.objects.filter(pk=run.pk).update(result=run.result | {"currency": euro})
    html = page_of(pages, run)
    total = run.result["recommendation"]["total_cost_usd"]["value"] / 1.25
    assert (f"costs €{total:,.0f} over" in html, "$" in html.split("<main")[1]) == (True, False)


def test_another_plan_is_chosen_by_its_address(pages: Client, run: Job) -> None:
    assert '<option value="p2" selected>' in page_of(pages, run, "?plan=p2")


def test_another_path_of_prices_is_chosen_by_its_address(pages: Client, run: Job) -> None:
    html = page_of(pages, run, "?scenario=own&price_change_pct=-10")
    assert ('value="own" selected' in html, "Prices change by -10 % a year" in html) == (True, True)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("?horizon_months=999", "Horizon: &#x27;999&#x27; does not do: type a whole number from 1"),
        ("?carbon_price=cheap", "Carbon price: &#x27;cheap&#x27; does not do: type a number"),
        ("?scenario=boom", "There is no scenario"),
        ("?plan=p999", "This run has no plan"),
    ],
)
def test_terms_that_do_not_do_are_named(pages: Client, run: Job, query: str, told: str) -> None:
    assert told in page_of(pages, run, query, status=422)


def test_a_file_of_terms_that_do_not_do_says_so(pages: Client, run: Job) -> None:
    answer = pages.get(f"/runs/{run.pk}/money/summary.csv?horizon_months=0")
    assert (answer.status_code, "from 1 to 120" in answer.content.decode()) == (422, True)


def test_a_table_that_is_not_there_is_not_found(pages: Client, run: Job) -> None:
    assert pages.get(f"/runs/{run.pk}/money/riches.csv").status_code == 404


def test_a_run_whose_catalogue_was_not_kept_says_so(pages: Client, serving_run: Job) -> None:
    assert "was not kept" in page_of(pages, serving_run)


def test_an_unanswered_run_has_no_money(pages: Client, make_run: MakeRun) -> None:
    assert pages.get(f"/runs/{make_run().pk}/money").status_code == 404


@pytest.mark.parametrize("preset", ["article_finetune_4xh100_72h", "startup_bursty_api"])
def test_a_plan_alone_and_an_api_have_their_page(
    pages: Client, make_run: MakeRun, preset: str
) -> None:
    assert "over" in page_of(pages, answered_run(make_run, preset))


def test_text_of_a_file_is_no_formula(pages: Client, run: Job) -> None:
    cells: list[Any] = [
        cell for row in rows_of(pages, run, "drivers") for cell in row.values() if cell
    ]
    assert not [cell for cell in cells if cell[0] in "=+@"]


def test_a_term_that_does_not_exist_is_named(pages: Client, run: Job) -> None:
    assert "There is no such term" in page_of(pages, run, "?colour=red", status=422)
    assert pages.get(f"/runs/{run.pk}/money/summary.csv?colour=red").status_code == 422
