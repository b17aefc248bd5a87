"""A run's page: progress, refusal, answer."""

import json
import re
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from advisor.models import Job, Organisation, State
from advisor.services import jobs
from tests.answered import answered_run
from tests.web import sample_advice
from tests.web.conftest import MakeRun


def page_of(pages: Client, run: Job, query: str = "") -> str:
    answer = pages.get(f"/runs/{run.pk}{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_an_unfinished_run_asks_for_itself_every_second(pages: Client, make_run: MakeRun) -> None:
    page = page_of(pages, make_run())

    assert 'hx-trigger="every 1s"' in page


def test_without_scripts_the_page_reloads_itself(pages: Client, make_run: MakeRun) -> None:
    assert '<noscript><meta http-equiv="refresh"' in page_of(pages, make_run())


def test_the_stage_is_shown(pages: Client, make_run: MakeRun) -> None:
    run = make_run()
    held = jobs.claim(run.pk)
    assert held is not None
    jobs.progress(held, "Sizing and pricing Chat", 0.43)

    part = pages.get(f"/runs/{run.pk}/part").content.decode()
    assert ("Sizing and pricing Chat" in part, 'value="43"' in part) == (True, True)


def test_asking_for_progress_is_cheap(
    pages: Client, make_run: MakeRun, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    run = make_run()

    with django_assert_max_num_queries(4):
        pages.get(f"/runs/{run.pk}/part")


def test_a_finished_part_ends_the_polling(pages: Client, serving_run: Job) -> None:
    part = pages.get(f"/runs/{serving_run.pk}/part")

    assert (part.headers["HX-Refresh"], b"hx-trigger" in part.content) == ("true", False)


def test_a_waiting_run_can_be_cancelled(pages: Client, make_run: MakeRun) -> None:
    run = make_run()
    pages.post(f"/runs/{run.pk}/cancel")

    run.refresh_from_db()
    assert run.state == State.CANCELLED


def test_a_cancelled_run_can_be_run_again(pages: Client, make_run: MakeRun) -> None:
    run = make_run()
    pages.post(f"/runs/{run.pk}/cancel")

    answer = pages.post(f"/assessments/{run.assessment_id}/run")

    assert answer.headers["Location"] != f"/runs/{run.pk}"


def test_a_failed_run_says_why(pages: Client, make_run: MakeRun) -> None:
    run = make_run()
    held = jobs.claim(run.pk)
    assert held is not None
    problem = {"title": "Some answers cannot be used", "errors": [{"detail": "type a number"}]}
    jobs.fail(held, problem)

    page = page_of(pages, run)
    assert ("Some answers cannot be used" in page, "type a number" in page) == (True, True)


def test_a_strangers_run_is_not_found(pages: Client, serving_run: Job) -> None:
    other = Organisation.objects.create(slug="other", name="Other")
    Job.objects.filter(pk=serving_run.pk).update(organisation=other)

    assert pages.get(f"/runs/{serving_run.pk}").status_code == 404


def test_the_answer_opens_with_the_recommendation(pages: Client, serving_run: Job) -> None:
    sentence = sample_advice.serving()["sentence"]

    assert sentence in page_of(pages, serving_run)


def test_the_first_table_has_five_plans_and_eight_figures(pages: Client, serving_run: Job) -> None:
    page = page_of(pages, serving_run)
    table = page[page.index('<table class="trade-offs">') :].split("</table>")[0]

    rows = table.split("<tbody>")[1].count("<tr")
    assert (rows, table.split("</thead>")[0].count("<th ") - 1) == (5, 8)


def test_all_plans_and_figures_are_shown_on_demand(pages: Client, serving_run: Job) -> None:
    page = page_of(pages, serving_run, "?plans=all&columns=all")
    table = page[page.index('<table class="trade-offs">') :].split("</table>")[0]

    rows = table.split("<tbody>")[1].count("<tr")
    assert (rows, table.split("</thead>")[0].count("<th ") - 1) == (6, 18)


def names_in_order(page: str) -> list[str]:
    table = page[page.index('<table class="trade-offs">') :].split("</table>")[0]
    return re.findall(r'<th scope="row">([^<\n]+)', table)


def test_sorting_puts_a_missing_price_last_either_way(pages: Client, serving_run: Job) -> None:
    up = names_in_order(page_of(pages, serving_run, "?plans=all&sort=monthly_cost_usd"))
    down = names_in_order(page_of(pages, serving_run, "?plans=all&sort=-monthly_cost_usd"))

    assert ("Cerebras" in up[-1], "Cerebras" in down[-1], up[:-1]) == (True, True, down[-2::-1])


def test_the_sorted_column_says_so(pages: Client, serving_run: Job) -> None:
    page = page_of(pages, serving_run, "?sort=-users_per_kw")

    said = "Sorted by Users at the targets per kW, descending."
    assert (page.count('aria-sort="descending"'), said in page) == (1, True)


def test_an_unknown_sort_is_ignored(pages: Client, serving_run: Job) -> None:
    assert "aria-sort" not in page_of(pages, serving_run, "?sort=<script>")


@pytest.mark.parametrize("section", ["", "/files", "/why", "/decision", "/bids", "/fleet"])
def test_what_a_page_does_not_know_in_its_address_is_said(
    section: str, pages: Client, make_run: MakeRun
) -> None:
    answer = pages.get(f"/runs/{answered_run(make_run).pk}{section}?nope=1")

    said = "“nope” is no parameter of this page" in answer.content.decode()
    assert (answer.status_code, said) == (422, True)


def test_a_missing_price_is_called_open(pages: Client, serving_run: Job) -> None:
    assert '<span class="open">price open</span>' in page_of(pages, serving_run)


def test_each_figure_has_its_range_and_evidence(pages: Client, serving_run: Job) -> None:
    page = text_of(page_of(pages, serving_run))

    assert "40,179 36,161–44,197 list" in page


def test_the_cost_lines_add_up_to_the_total(pages: Client, make_run: MakeRun) -> None:
    run = make_run(sample_advice.training(), preset="article_finetune_4xh100_72h")
    page = page_of(pages, run)
    table = page[page.index('id="cost"') :].split("</table>")[0]
    amounts = [float(a.replace(",", "")) for a in re.findall(r"\$([\d,]+\.\d\d)<", table)]

    assert (sum(amounts[:-1]), amounts[-1]) == (5_760 + 150 + 200 + 800, 6_910.0)


def test_a_training_answer_shows_hours_and_mfu(pages: Client, make_run: MakeRun) -> None:
    page = text_of(page_of(pages, make_run(sample_advice.training())))

    assert ("Time of one run" in page, "41 %" in page) == (True, True)


def test_a_refusal_says_so_and_lists_why_not(pages: Client, make_run: MakeRun) -> None:
    page = text_of(page_of(pages, make_run(sample_advice.refusal())))

    assert ("Nothing can be recommended as asked" in page, "Bow-2000" in page) == (True, True)


def test_why_not_is_grouped_by_family(pages: Client, serving_run: Job) -> None:
    page = page_of(pages, serving_run)

    assert re.findall(r'<h3><span class="family family-(\w+)">', page) == [
        "gpu",
        "tpu",
        "ipu",
        "waferscale",
    ]


def test_a_fleet_is_listed_line_by_line(pages: Client, make_run: MakeRun) -> None:
    page = text_of(page_of(pages, make_run(sample_advice.fleet())))

    assert "16 x Google TPU v6e 2 Nightly scoring spot gcp, us-east5 $9,240" in page


def test_a_hosted_plan_has_no_machines_and_unverified_targets(
    pages: Client, make_run: MakeRun
) -> None:
    page = text_of(page_of(pages, make_run(sample_advice.hosted())))

    assert ("targets unverified" in page, "0 ×" in page) == (True, False)


def test_a_reason_is_given_once(pages: Client, make_run: MakeRun) -> None:
    document = sample_advice.hosted()

    assert page_of(pages, make_run(document)).count(document["why"][1]) == 1


def test_pinned_plans_stand_side_by_side(pages: Client, serving_run: Job) -> None:
    page = page_of(pages, serving_run, "?compare=p1,p4")
    block = page[page.index('id="compare"') :].split("</table>")[0]

    assert block.count('<th scope="col" class="number">') == 2


def test_a_comparison_shows_plain_facts_too(pages: Client, serving_run: Job) -> None:
    page = page_of(pages, serving_run, "?compare=p1,p3")
    block = text_of(page[page.index('id="compare"') :].split("</table>")[0])

    assert "Family gpu tpu Accelerator NVIDIA H100 SXM Google TPU v6e" in block


def test_differences_only_leaves_equal_lines_out(pages: Client, serving_run: Job) -> None:
    every = page_of(pages, serving_run, "?compare=p1,p4").count("<tr>")
    some = page_of(pages, serving_run, "?compare=p1,p4&differences=1").count("<tr>")

    assert some < every


def test_the_catalogues_date_and_digest_are_shown(pages: Client, serving_run: Job) -> None:
    page = text_of(page_of(pages, serving_run))

    assert "as of 2026-11-23, digest 9f2c9f2c" in page


def test_charts_name_colours_only_by_the_style_sheets_tokens(
    pages: Client, serving_run: Job
) -> None:
    page = page_of(pages, serving_run)
    blocks = re.findall(r'<script id="[a-z0-9-]+" type="application/json">(.*?)</script>', page)
    colours = re.findall(r'"color": "([^"]+)"', " ".join(blocks))

    assert (len(blocks), [c for c in colours if not c.startswith("var(--")]) == (2, [])


def test_every_chart_has_a_name_a_finding_and_a_table(pages: Client, serving_run: Job) -> None:
    page = page_of(pages, serving_run)
    figures = re.findall(r"<figure .*?</figure>", page, re.DOTALL)

    assert [
        ("aria-labelledby=" in f, 'class="finding"' in f, 'role="img"' in f, "<table>" in f)
        for f in figures
    ] == [(True, True, True, True)] * 2


def test_no_page_has_a_script_or_style_of_its_own(pages: Client, serving_run: Job) -> None:
    page = page_of(pages, serving_run)
    scripts = re.findall(r"<script(?![^>]*(?:src=|application/json))[^>]*>", page)

    assert (scripts, "style=" in page, "<style" in page) == ([], False, False)


def test_hostile_texts_are_shown_as_text(pages: Client, make_run: MakeRun) -> None:
    page = page_of(pages, make_run(sample_advice.hostile()))

    assert ("<script>alert" in page, "<img src=x" in page) == (False, False)


@pytest.mark.parametrize("form", ["json", "csv", "md"])
def test_a_run_is_exported(pages: Client, serving_run: Job, form: str) -> None:
    answer = pages.get(f"/runs/{serving_run.pk}/export.{form}")

    assert answer.getvalue()
    assert (answer.status_code, answer.headers["Content-Disposition"].split("; ")[0]) == (
        200,
        "attachment",
    )


def test_the_exported_document_is_the_stored_one(pages: Client, serving_run: Job) -> None:
    answer = pages.get(f"/runs/{serving_run.pk}/export.json")

    assert json.loads(answer.getvalue()) == serving_run.result


@pytest.mark.parametrize("form", ["xml", "exe"])
def test_an_unknown_export_is_not_found(pages: Client, serving_run: Job, form: str) -> None:
    assert pages.get(f"/runs/{serving_run.pk}/export.{form}").status_code == 404


def test_an_unfinished_run_has_no_export(pages: Client, make_run: MakeRun) -> None:
    assert pages.get(f"/runs/{make_run().pk}/export.json").status_code == 404


def test_a_real_run_has_an_answer_page(pages: Client, make_run: MakeRun) -> None:
    from advisor.services.work import run_job

    run = make_run()
    run_job(run.pk)
    run.refresh_from_db()

    result: Any = run.result
    assert result["sentence"] in page_of(pages, run)
