"""The page for the board: what it says, and the PDF made of it."""

import io
import logging
import re
from dataclasses import replace
from typing import Any

import pytest

from advisor.exports import one_page as made
from advisor.exports.as_markdown import as_markdown
from advisor.exports.refusal import CannotExport
from advisor.exports.registry import BY_ID, file_of
from advisor.exports.subject import Subject
from advisor.questions import PRESETS
from tests.exports.conftest import ContentOf, SubjectOf
from tests.exports.test_hostile_text import HOSTILE, renamed
from tests.services import need

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("exports")]


def pdf_of(subject: Subject, content_of: ContentOf) -> bytes:
    need("WeasyPrint's system libraries (Pango)", present=not BY_ID["pdf"].refusal(subject))
    return content_of(subject, "pdf")


@pytest.mark.parametrize("preset", PRESETS)
def test_the_page_answers_what_a_board_asks(preset: str, subject_of_preset: SubjectOf) -> None:
    page = made.as_html(subject_of_preset(preset))
    asked = ("Why", "Main risk", "Where the money goes", "What would change it",
             "What to do next")  # fmt: skip

    assert [heading for heading in asked if f"<h2>{heading}</h2>" not in page] == []


def test_the_page_shows_the_total_and_its_range(subject_of_preset: SubjectOf) -> None:
    subject = subject_of_preset("chatbot_1m")
    page = made.as_html(subject)
    total = subject.chosen.plan["total_cost_usd"]

    shown = [f"${total[part]:,.0f}" for part in ("value", "low", "high")]
    assert [text for text in shown if text not in page] == []


def test_a_second_hand_price_is_the_main_risk(subject_of_preset: SubjectOf) -> None:
    subject = subject_of_preset("fedramp_summarisation")
    assert subject.plan is not None

    assert "second-hand" in made.main_risk(subject.document, subject.plan)


def test_flip_points_stand_on_the_page_once_they_are_worked_out(
    subject_of_preset: SubjectOf,
) -> None:
    subject = subject_of_preset("chatbot_1m")
    flip = {"label": "Requests", "at": 10.0, "flips_at": 5.0, "winner": "Another plan"}
    told = Subject(
        run_id=subject.run_id, document=subject.document, plan=subject.plan, answered_at=None,
        reopen=subject.reopen, reasons=lambda: {"flips": [flip]},
    )  # fmt: skip

    assert "Requests: down by 50" in made.as_html(told)


@pytest.mark.parametrize("preset", ["chatbot_1m", "finetune_70b_4xh100_72h", "mixed_company"])
def test_the_pdf_is_one_tagged_page(
    preset: str, subject_of_preset: SubjectOf, content_of: ContentOf
) -> None:
    content = pdf_of(subject_of_preset(preset), content_of)

    assert content.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b", content)) in (0, 1)  # 0: in an object stream


def test_a_name_in_the_pdf_makes_the_server_fetch_nothing(
    subject_of_preset: SubjectOf, content_of: ContentOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr("urllib.request.OpenerDirector.open", lambda *a, **k: asked.append(a))
    hostile = "<img src=http://169.254.169.254/x> url(file:///etc/passwd)"
    content = pdf_of(renamed(subject_of_preset("chatbot_1m"), hostile), content_of)

    assert (asked, content.startswith(b"%PDF-")) == ([], True)


def test_even_markup_of_our_own_is_not_fetched(
    subject_of_preset: SubjectOf, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    subject = subject_of_preset("chatbot_1m")
    need("WeasyPrint's system libraries (Pango)", present=not BY_ID["pdf"].refusal(subject))
    page = "<html lang=en><title>x</title><img alt='' src='http://127.0.0.1:9/x.png'></html>"
    monkeypatch.setattr(made, "as_html", lambda _: page)
    with caplog.at_level(logging.ERROR, logger="weasyprint"):
        made.PDF.write(subject, io.BytesIO())

    assert "nothing is fetched for a PDF" in caplog.text


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_names_are_text_on_the_page(kind: str, subject_of_preset: SubjectOf) -> None:
    page = made.as_html(renamed(subject_of_preset("chatbot_1m"), HOSTILE[kind]))

    assert ("<script" in page, "\u202e" in page, len(page) < 40_000) == (False, False, True)


def test_without_the_system_libraries_the_page_is_offered_instead(
    subject_of_preset: SubjectOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(made, "_pdf_is_possible", lambda: False)

    with pytest.raises(CannotExport, match="print it from the browser"):
        file_of(subject_of_preset("chatbot_1m"), "pdf")


def test_the_record_holds_the_signatures_of_the_newest_decision(
    subject_of_preset: SubjectOf,
) -> None:
    subject = subject_of_preset("chatbot_1m")
    signed = {
        "name": "Ada | L.",
        "label": "Sign-off by the buyer",
        "text": "",
        "said_on": "2026-11-25",
    }
    record = {
        "decided_on": "2026-11-24", "decided_by": "Grace", "chosen": {"name": "The plan"},
        "status": "signed", "digest": "abc", "amendments": [signed],
    }  # fmt: skip
    told = Subject(
        run_id=subject.run_id, document=subject.document, plan=subject.plan, answered_at=None,
        reopen=subject.reopen, decisions=lambda: [record],
    )  # fmt: skip
    text = as_markdown(told.document, told)

    assert "Decided on 2026-11-24 by Grace: The plan; signed." in text
    assert "| Ada \\| L. | Sign-off by the buyer | 2026-11-25 |" in text


def test_without_a_decision_the_record_has_lines_to_sign(subject_of_preset: SubjectOf) -> None:
    subject = subject_of_preset("chatbot_1m")

    assert "| name | role | date |\n|---|---|---|\n| | | |" in as_markdown(
        subject.document, subject
    )


def test_paper_says_that_a_fleet_is_recommended_instead(subject_of_preset: SubjectOf) -> None:
    said = "Fewer machines by night cost less."
    told = replace(subject_of_preset("chatbot_1m"), instead=lambda: said)

    for text in (as_markdown(told.document, told), made.as_html(told)):
        assert "Recommended instead, over the hours of a week" in text
        assert "Fewer machines by night cost less." in text
