"""Names made to run, to hide or to break something are harmless in every format."""

import copy
import csv
import io
import json
import re
import subprocess
import zipfile
from dataclasses import replace
from typing import Any

import pytest
from openpyxl import load_workbook

from advisor.exports.registry import BY_ID, menu_of
from advisor.exports.subject import Subject
from advisor.exports.text import files_in
from advisor.services.advice import Worked
from tests.exports.conftest import ContentOf, SubjectOf

pytestmark = pytest.mark.django_db

HOSTILE = {
    "formula": "=cmd|' /C calc'!A0",
    "full width": '＝HYPERLINK("http://evil.example")',
    "markup": "<script>alert(1)</script>",
    "link": "[go](javascript:alert(1))",
    "shell": 'x\'; rm -rf "$HOME"; $(touch /tmp/owned) `id`',
    "new line": "first\nimport injected\n- item: injected\r\n=1+1",
    "long": "A" * 10_000,
    "turned": "invoice\u202egnp.exe \u2066hidden\u2069\u200f",
}
PRESETS = ("chatbot_1m", "finetune_70b_4xh100_72h", "vision_500_cameras", "startup_bursty_api")
TURNS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def renamed(subject: Subject, text: str) -> Subject:
    """The subject with the text wherever people can write: names, providers, notes, reasons."""
    document = copy.deepcopy(dict(subject.document))
    plan_ids = {plan["id"] for plan in document["plans"]}
    assert subject.plan is not None
    for plan in [*document["plans"], document["recommendation"]]:
        plan["name"] = plan["workload"] = text
        plan["notes"] = [text]
        plan["price"]["source"] = text
        for line in plan["cost_breakdown"]:
            line["source"] = text
    document["name"] = document["sentence"] = document["notes"] = text
    document["why"] = document["warnings"] = [text]
    for item in [*document["assumptions"], *document["rejected"], *document["demand"]]:
        item |= {key: text for key in item if key in ("workload", "value", "reason", "model")}
    done = subject.worked

    def reopen() -> Worked:
        decisions = tuple(
            replace(d, plans=tuple(replace(p, name=text) if p.id in plan_ids else p
                                   for p in d.plans))
            for d in done.decisions
        )  # fmt: skip
        priced = tuple(
            replace(each, workload=replace(each.workload, name=text)) for each in done.priced
        )
        return replace(done, decisions=decisions, priced=priced)

    return Subject(
        run_id=subject.run_id, document=document, plan=document["recommendation"],
        answered_at=None, reopen=reopen,
    )  # fmt: skip


@pytest.fixture(params=[(p, kind) for p in PRESETS for kind in HOSTILE], ids="-".join)
def hostile(request: pytest.FixtureRequest, subject_of_preset: SubjectOf) -> Subject:
    preset, kind = request.param
    return renamed(subject_of_preset(preset), HOSTILE[kind])


def texts_of(subject: Subject, content_of: ContentOf) -> dict[str, str]:
    """Every text file of every format that is offered, but JSON, which carries the very text."""
    found: dict[str, str] = {}
    for each, reason in menu_of(subject):
        if reason or each.id in ("xlsx", "json", "pdf"):
            continue
        content = content_of(subject, each.id)
        if each.suffix == ".zip":
            found |= {f"{each.id}/{name}": text for name, text in files_in(content).items()}
        else:
            found[f"{each.id}{each.suffix}"] = content.decode("utf-8")
    return found


def test_no_text_file_is_taken_over(hostile: Subject, content_of: ContentOf) -> None:
    """Nothing turns the reading direction, scripts keep their syntax, comments their line."""
    files = texts_of(hostile, content_of)
    assert files
    for name, text in files.items():
        assert TURNS.search(text) is None, name
        if not name.endswith(".csv"):  # there a quoted cell may hold several lines
            assert not re.search(r"(?m)^(import injected|- item: injected)", text), name
        if name.endswith(".sh"):
            code = "\n".join(x for x in text.splitlines() if not x.startswith("#"))
            assert "rm -rf" not in code, name
            subprocess.run(["bash", "-n"], input=text, text=True, check=True)
        elif name.endswith(".py"):
            compile(text, name, "exec")
        elif name.endswith(".md"):
            assert "<script" not in text, name
            assert "](javascript" not in text, name
        elif name.endswith(".csv"):
            cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
            assert not [c for c in cells if c.startswith(("=", "@", "\t", "\r", "＝"))], name


def test_the_workbook_has_no_formula_but_ours(hostile: Subject, content_of: ContentOf) -> None:
    content = content_of(hostile, "xlsx")
    book = load_workbook(io.BytesIO(content))
    formulas = [str(c.value) for sheet in book for row in sheet.iter_rows() for c in row
                if c.data_type == "f"]  # fmt: skip
    ours = re.compile(r"=(-?[\w.$()*/+^,:!'\"-]+)")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = [name for name in archive.namelist() if "external" in name.lower()]

    assert (parts, [f for f in formulas if not ours.fullmatch(f) or "cmd" in f]) == ([], [])


def test_json_carries_the_text_as_it_is(
    subject_of_preset: SubjectOf, content_of: ContentOf
) -> None:
    subject = renamed(subject_of_preset("chatbot_1m"), HOSTILE["turned"])
    document: dict[str, Any] = json.loads(content_of(subject, "json"))

    assert document["name"] == HOSTILE["turned"]


def test_a_file_is_named_by_the_application(subject_of_preset: SubjectOf) -> None:
    from advisor.exports.registry import file_of

    subject = renamed(subject_of_preset("chatbot_1m"), HOSTILE["shell"])
    names = []
    for each, reason in menu_of(subject):
        if not reason:
            file = file_of(subject, each.id)
            names.append(file.name)
            file.stream.close()

    assert [
        name for name in names if not re.fullmatch(r"advice-[0-9a-f]{8}[a-z0-9.-]*", name)
    ] == []


def test_a_reason_is_one_short_line(subject_of_preset: SubjectOf) -> None:
    subject = renamed(subject_of_preset("mixed_company"), HOSTILE["new line"] * 500)
    reasons = [BY_ID[each.id].refusal(subject) for each, _ in menu_of(subject)]

    assert max(len(reason) for reason in reasons) <= 600
    assert not [reason for reason in reasons if "\n" in reason]
