"""The files of a run: the menu, each file's link, and the page for the board."""

import csv
import io
import json
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client
from openpyxl import load_workbook

from advisor.models import Job
from tests.answered import answered_run
from tests.web.conftest import MakeRun


@pytest.fixture
def run(prepared: None, make_run: MakeRun) -> Job:
    """A real answer."""
    return answered_run(make_run, "chatbot_1m")


def test_the_menu_says_what_each_file_is_for_and_why_not(pages: Client, run: Job) -> None:
    page = pages.get(f"/runs/{run.pk}/files").content.decode()

    assert ("Excel workbook" in page, "Not for this plan." in page) == (True, True)
    assert "This plan serves a model and trains none." in page


def test_the_answer_leads_to_the_files(pages: Client, run: Job) -> None:
    page = pages.get(f"/runs/{run.pk}").content.decode()

    assert f'href="/runs/{run.pk}/files"' in page


def test_another_plan_has_files_of_its_own(pages: Client, run: Job) -> None:
    assert run.result is not None
    other = run.result["plans"][3]
    answer = pages.get(f"/runs/{run.pk}/export.xlsx?plan={other['id']}")
    book = load_workbook(io.BytesIO(answer.getvalue()))

    assert other["name"] in [row[1] for row in book["Summary"].iter_rows(values_only=True)]
    assert f"-{other['id']}" in answer.headers["Content-Disposition"]


def test_a_refused_file_is_answered_by_the_menu_with_the_reason(pages: Client, run: Job) -> None:
    answer = pages.get(f"/runs/{run.pk}/export.accelerate")

    assert answer.status_code == 422
    assert 'role="alert">This plan serves a model' in answer.content.decode()


@pytest.mark.parametrize("address", ["files?plan=nope", "export.csv?plan=nope", "export.docx"])
def test_what_is_not_there_is_not_found(address: str, pages: Client, run: Job) -> None:
    assert pages.get(f"/runs/{run.pk}/{address}").status_code == 404


def test_the_page_for_the_board_is_a_page(pages: Client, run: Job) -> None:
    page = pages.get(f"/runs/{run.pk}/one-page").content.decode()

    assert ("<svg" in page, "style=" in page, "Main risk" in page) == (True, False, True)


def test_page_json_csv_and_workbook_have_one_total(pages: Client, run: Job) -> None:
    def file(form: str) -> bytes:
        content: bytes = pages.get(f"/runs/{run.pk}/export.{form}").getvalue()
        return content

    best = json.loads(file("json"))["recommendation"]
    rows = {row["id"]: row for row in csv.DictReader(io.StringIO(file("csv").decode()))}
    book = load_workbook(io.BytesIO(file("xlsx")), data_only=True)
    sheet = [row for row in book["Summary"].iter_rows(values_only=True) if row[0] == "Total"]
    total = best["total_cost_usd"]["value"]
    page = pages.get(f"/runs/{run.pk}").content.decode()

    assert (float(rows[best["id"]]["total_cost_usd"]), sheet[0][1]) == (total, total)
    assert f"${total:,.2f}" in page


def test_the_command_writes_the_same_file(pages: Client, run: Job, tmp_path: Path) -> None:
    path = tmp_path / "plans.csv"
    call_command("export", str(run.pk), "--format", "csv", "--output", str(path))

    assert path.read_bytes() == pages.get(f"/runs/{run.pk}/export.csv").getvalue()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nonsense", "--list"], "no id of a run"),
        (["00000000-0000-4000-8000-000000000000", "--list"], "no run"),
        (["RUN", "--format", "accelerate"], "trains none"),
        (["RUN", "--format", "csv", "--plan", "nope"], "no plan 'nope'"),
        (["RUN", "--format", "csv", "--output", "/nowhere/x.csv"], "cannot write"),
    ],
)
def test_the_command_refuses_in_words(arguments: list[str], told: str, run: Job) -> None:
    err = io.StringIO()
    with pytest.raises(SystemExit) as left:
        call_command("export", *(str(run.pk) if a == "RUN" else a for a in arguments), stderr=err)

    assert (left.value.code, told in err.getvalue()) == (2, True)


def test_the_command_lists_what_there_is(run: Job) -> None:
    out = io.StringIO()
    call_command("export", str(run.pk), "--list", stdout=out)

    lines = out.getvalue().splitlines()
    assert any(line.startswith("accelerate") and "no: " in line for line in lines)
