"""Names made to run, to hide or to break something are harmless in every format."""

import copy
import csv
import io
import json
import re
import subprocess
import zipfile
from dataclasses import replace
from itertools import cycle
from typing import Any
from xml.etree import ElementTree

import pytest

from advisor.exports.registry import BY_ID, menu_of
from advisor.exports.subject import Subject
from advisor.exports.text import files_in
from advisor.services.advice import Worked
from tests.exports.conftest import ContentOf, SubjectOf

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("exports")]

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
FORMULA = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}f"
TURNS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def renamed(subject: Subject, *texts: str) -> Subject:
    """The subject with the texts, by turns, wherever people can write: names, notes, reasons."""
    document = copy.deepcopy(dict(subject.document))
    turn = cycle(texts)
    names = {plan["id"]: next(turn) for plan in document["plans"]}
    workload = next(turn)
    assert subject.plan is not None
    for plan in [*document["plans"], document["recommendation"]]:
        plan |= {"name": names[plan["id"]], "workload": workload, "notes": list(texts)}
        plan["price"]["source"] = next(turn)
        for line in plan["cost_breakdown"]:
            line["source"] = next(turn)
    for key in ("name", "sentence", "notes"):
        document[key] = next(turn)
    document["why"] = document["warnings"] = list(texts)
    for item in [*document["assumptions"], *document["rejected"], *document["demand"]]:
        item |= {key: next(turn) for key in ("workload", "value", "reason", "model") if key in item}
    done = subject.worked

    def reopen() -> Worked:
        decisions = tuple(
            replace(d, plans=tuple(replace(p, name=names.get(p.id, p.name)) for p in d.plans))
            for d in done.decisions
        )  # fmt: skip
        priced = tuple(
            replace(each, workload=replace(each.workload, name=workload)) for each in done.priced
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


@pytest.mark.parametrize("preset", PRESETS)
def test_the_workbook_has_no_formula_but_ours(
    preset: str, subject_of_preset: SubjectOf, content_of: ContentOf
) -> None:
    content = content_of(renamed(subject_of_preset(preset), *HOSTILE.values()), "xlsx")
    ours = re.compile(r"-?[\w.$()*/+^,:!'\"-]+")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        sheets = [ElementTree.fromstring(archive.read(name))  # noqa: S314 -- our own file
                  for name in names if name.startswith("xl/worksheets/sheet")]  # fmt: skip
    formulas = [each.text or "" for sheet in sheets for each in sheet.iter(FORMULA)]

    assert formulas
    assert [name for name in names if "external" in name.lower()] == []
    assert [f for f in formulas if not ours.fullmatch(f) or "cmd" in f] == []


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
