"""The command line's advice: what it prints, where, and how it refuses."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

pytestmark = pytest.mark.django_db
ARTICLE = "article_finetune_4xh100_72h"


@pytest.fixture(autouse=True)
def _ready(prepared: None) -> None:
    """The shipped catalogue stands in the database."""


def advised(tmp_path: Path, answers: Any, *options: str) -> str:
    path = tmp_path / "answers.json"
    path.write_text(answers if isinstance(answers, str) else json.dumps(answers))
    out = io.StringIO()
    call_command("advise", str(path), *options, stdout=out)
    return out.getvalue()


def refused(tmp_path: Path, answers: Any) -> str:
    path = tmp_path / "answers.json"
    path.write_text(answers if isinstance(answers, str) else json.dumps(answers))
    err = io.StringIO()
    with pytest.raises(SystemExit) as stopped:
        call_command("advise", str(path), stderr=err)
    assert stopped.value.code == 2
    return err.getvalue()


def test_json_goes_to_standard_output_and_is_nothing_but_json(tmp_path: Path) -> None:
    document = json.loads(advised(tmp_path, {"preset": ARTICLE}, "--format", "json"))

    assert document["recommendation"]["total_cost_usd"]["value"] == 6910.0


def test_the_table_marks_the_recommendation_and_names_units(tmp_path: Path) -> None:
    text = advised(tmp_path, {"preset": ARTICLE}, "--format", "table")

    assert "USD/month" in text
    assert any(line.startswith("*") for line in text.splitlines())


def test_markdown_holds_the_cost_lines_and_the_reasons_against(tmp_path: Path) -> None:
    text = advised(tmp_path, {"preset": ARTICLE}, "--format", "md")

    assert "| Compute rental | 5,760.00 |" in text
    assert "## Why not" in text


def test_the_answer_goes_to_a_file_where_one_is_named(tmp_path: Path) -> None:
    target = tmp_path / "out.json"

    printed = advised(tmp_path, {"preset": ARTICLE}, "--format", "json", "--output", str(target))

    assert printed == ""
    assert json.loads(target.read_text())["preset"] == ARTICLE


def test_nothing_that_fits_is_an_answer_too(tmp_path: Path) -> None:
    answers = {"preset": "chatbot_1m", "answers": {"slo_ttft_ms": 5}}

    document = json.loads(advised(tmp_path, answers, "--format", "json"))

    assert document["recommendation"] is None
    assert document["rejected"]


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ("{", "not JSON"),
        ("[]", "must hold an object"),
        ({"preset": "chatbot"}, "chatbot"),
        ({"preset": "chatbot_1m", "answers": {"model_ref": "llama-99"}}, "llama-99"),
        ({"preset": "agentic_long_context", "answers": {"rps_mean": -1}}, "rps_mean"),
        ({"preset": "chatbot_1m", "answers": {"peak_to_mean": "many"}}, "not a number"),
        (
            {"preset": "finetune_70b_4xh100_72h", "answers": {"given_count": 10_000_000}},
            "given_count",
        ),
    ],
)
def test_bad_input_is_refused_with_its_place(tmp_path: Path, answers: Any, said: str) -> None:
    assert said in refused(tmp_path, answers)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    err = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("advise", str(tmp_path / "none.json"), stderr=err)

    assert "none.json" in err.getvalue()


def test_a_name_never_becomes_a_formula_in_csv() -> None:
    from advisor.exports.as_csv import as_csv

    plan = {"id": "p1", "name": '=cmd|"/c calc"', "total_cost_usd": {"value": -1.5}}
    row = next(csv.DictReader(io.StringIO(as_csv({"plans": [plan]}))))

    assert row["name"].startswith("'=")
    assert row["total_cost_usd"] == "-1.5"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[" * 100_000, "nested too deeply"),
        ('{"preset": "chatbot_1m", "answers": {"users_total_k": ' + "9" * 5000 + "}}", "digits"),
    ],
)
def test_json_that_python_cannot_read_is_refused_in_words(
    tmp_path: Path, text: str, told: str
) -> None:
    assert told in refused(tmp_path, text)


def test_a_byte_order_mark_before_the_answers_does_no_harm(tmp_path: Path) -> None:
    text = "\ufeff" + json.dumps({"preset": ARTICLE})

    assert json.loads(advised(tmp_path, text, "--format", "json"))["preset"] == ARTICLE


def test_a_name_cannot_become_a_link_in_markdown(tmp_path: Path) -> None:
    answers = {"preset": ARTICLE, "answers": {"assessment_name": "[go](javascript:x)"}}

    assert "](javascript" not in advised(tmp_path, answers, "--format", "md")
