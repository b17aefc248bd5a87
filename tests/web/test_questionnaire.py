"""The whole questionnaire: kept at every step, conditional, several workloads."""

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from advisor.engine.latency.kept import kept_log
from advisor.forms import CONTROLLING, without_workload
from advisor.models import Assessment, Job
from advisor.questions import QUESTIONS, draft
from advisor.services import accounts, assessments


@pytest.fixture
def kept(catalogue: None) -> Assessment:
    return assessments.create({"preset": "chatbot_1m", "answers": {}}, accounts.local_user())


def address(kept: Assessment) -> str:
    return f"/assessments/{kept.pk}"


def shown(page: bytes) -> set[str]:
    return set(re.findall(r' name="([a-z0-9_-]+)"', page.decode()))


def send(pages: Client, kept: Assessment, **fields: Any) -> Any:
    kept.refresh_from_db()
    names = {name.replace("__", "-"): value for name, value in fields.items()}
    return pages.post(address(kept), {"revision": kept.revision, "tier": "3", **names})


def test_the_essential_questions_come_first(pages: Client, kept: Assessment) -> None:
    few, all_of_them = pages.get(address(kept)), pages.get(f"{address(kept)}?tier=3")

    assert shown(few.content) < shown(all_of_them.content)


def test_a_question_no_stage_uses_is_not_asked(pages: Client, kept: Assessment) -> None:
    unused = {item.id for item in QUESTIONS if not item.used}
    page = pages.get(f"{address(kept)}?tier=3")

    assert {name.split("-")[-1] for name in shown(page.content)} & unused == set()


def test_a_default_says_that_it_is_one(pages: Client, kept: Assessment) -> None:
    assert "From the preset" in pages.get(address(kept)).content.decode()


def test_a_unit_stands_beside_its_field(pages: Client, kept: Assessment) -> None:
    assert '<span class="unit">tokens</span>' in pages.get(address(kept)).content.decode()


def test_answers_are_saved_as_they_are(pages: Client, kept: Assessment) -> None:
    send(pages, kept, action="save", w0__input_tokens_mean="900")

    kept.refresh_from_db()
    assert kept.answers["workloads"][0] == {"input_tokens_mean": "900"}


def test_another_kind_of_work_asks_other_questions(pages: Client, kept: Assessment) -> None:
    before = shown(pages.get(f"{address(kept)}?tier=3").content)
    send(pages, kept, action="save", w0__workload="vision", w0__model_ref="")
    after = shown(pages.get(f"{address(kept)}?tier=3").content)

    assert ("w0-vision_streams" in before, "w0-vision_streams" in after) == (False, True)


def test_a_controlling_field_asks_the_server_what_to_show(pages: Client, kept: Assessment) -> None:
    page = pages.get(address(kept)).content.decode()
    field = re.search(r'<select id="w0-workload"[^>]*>', page)

    assert field
    assert f'hx-post="{address(kept)}"' in field[0]


def test_every_condition_names_a_controlling_question() -> None:
    assert {"workload", "model_ref", "solve_for"} <= CONTROLLING


def test_a_live_change_answers_with_the_page_itself(pages: Client, kept: Assessment) -> None:
    kept.refresh_from_db()
    answer = pages.post(
        address(kept),
        {"revision": kept.revision, "action": "refresh", "w0-workload": "speech"},
        headers={"HX-Request": "true"},
    )

    assert (answer.status_code, b'id="questionnaire"' in answer.content) == (200, True)


def test_a_workload_can_be_added(pages: Client, kept: Assessment) -> None:
    send(pages, kept, action="add")

    assert b'id="workload-2"' in pages.get(address(kept)).content


def test_a_workload_can_be_removed(pages: Client, kept: Assessment) -> None:
    send(pages, kept, action="add")
    send(pages, kept, action="remove-1")

    assert b'id="workload-2"' not in pages.get(address(kept)).content


def test_removing_the_first_workload_of_a_preset_keeps_the_others_as_they_were() -> None:
    raw = {"preset": "mixed_company", "answers": {}}
    before = draft(raw).answers.workloads

    after = draft(without_workload(raw, 0, len(before))).answers.workloads

    assert [each.text("workload") for each in after] == [
        each.text("workload") for each in before[1:]
    ]


def test_wrong_answers_are_not_run_but_kept(pages: Client, kept: Assessment) -> None:
    answer = send(pages, kept, action="run", w0__input_tokens_mean="many")

    kept.refresh_from_db()
    assert (answer.status_code, Job.objects.count(), kept.answers["workloads"][0]) == (
        422,
        0,
        {"input_tokens_mean": "many"},
    )


def test_a_wrong_answer_is_shown_although_its_tier_is_not(pages: Client, kept: Assessment) -> None:
    kept.refresh_from_db()
    expert = next(q.id for q in QUESTIONS if q.tier == 3 and q.used and q.is_numeric
                  and q.id in draft(kept.raw_answers()).answers.workloads[0].asked)  # fmt: skip
    answer = pages.post(
        address(kept),
        {"revision": kept.revision, "tier": "1", "action": "run", f"w0-{expert}": "x"},
    )

    assert f'id="w0-{expert}-error"' in answer.content.decode()


def test_right_answers_lead_to_a_run(pages: Client, kept: Assessment) -> None:
    answer = send(pages, kept, action="run")

    assert answer.headers["Location"] == f"/runs/{Job.objects.get().pk}"


def test_two_editors_notice_each_other(pages: Client, kept: Assessment) -> None:
    send(pages, kept, action="save", w0__input_tokens_mean="900")
    answer = pages.post(
        address(kept), {"revision": 1, "action": "save", "w0-input_tokens_mean": "100"}
    )

    kept.refresh_from_db()
    assert (answer.status_code, kept.answers["workloads"][0]["input_tokens_mean"]) == (409, "900")


def test_a_strangers_assessment_is_not_found(pages: Client, kept: Assessment) -> None:
    from advisor.models import Organisation

    other = Organisation.objects.create(slug="other", name="Other")
    Assessment.objects.filter(pk=kept.pk).update(organisation=other)

    assert pages.get(address(kept)).status_code == 404


def test_a_hostile_name_is_shown_as_text(pages: Client, kept: Assessment) -> None:
    send(pages, kept, action="save", assessment_name="<script>alert(1)</script>")

    page = pages.get(address(kept)).content.decode()
    assert ("<script>alert" in page, "&lt;script&gt;alert" in page) == (False, True)


LOG = "arrival_offset_s,prompt_tokens,output_tokens\n" + "\n".join(
    f"{second},900,{second + 1}" for second in range(40)
)


def uploaded(text: str) -> SimpleUploadedFile:
    return SimpleUploadedFile("requests.csv", text.encode())


def test_an_uploaded_log_is_kept_whole_with_its_hash(pages: Client, kept: Assessment) -> None:
    send(pages, kept, action="save", w0__trace_file=uploaded(LOG))

    kept.refresh_from_db()
    assert kept.answers["workloads"][0]["trace_file"] == dict(kept_log(LOG, "requests.csv"))


def test_a_log_may_be_pasted(pages: Client, kept: Assessment) -> None:
    send(pages, kept, action="save", w0__trace_file=LOG)

    kept.refresh_from_db()
    assert kept.answers["workloads"][0]["trace_file"]["name"] == "pasted log"


def test_the_kept_log_and_what_it_answers_are_shown(pages: Client, kept: Assessment) -> None:
    send(pages, kept, action="save", w0__trace_file=uploaded(LOG))

    page = pages.get(f"{address(kept)}?tier=3").content.decode()
    assert "requests.csv: 40 requests in 40 seconds" in page


def test_saving_again_keeps_the_log(pages: Client, kept: Assessment) -> None:
    send(pages, kept, action="save", w0__trace_file=uploaded(LOG))
    send(pages, kept, action="save", w0__trace_file="")

    kept.refresh_from_db()
    assert "trace_file" in kept.answers["workloads"][0]


def test_an_unreadable_log_is_refused_by_line(pages: Client, kept: Assessment) -> None:
    send(pages, kept, action="save", w0__trace_file=uploaded(f"{LOG}\nsoon,1,2"))

    page = pages.get(f"{address(kept)}?tier=3").content.decode()
    assert "Line 42: &#x27;soon&#x27; is not a number" in page


def test_a_log_above_the_limit_is_refused(
    pages: Client, kept: Assessment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("advisor.views.questionnaire.LARGEST_BYTES", 100)
    send(pages, kept, action="save", w0__trace_file=uploaded(LOG))

    assert "larger than 20 MB" in pages.get(f"{address(kept)}?tier=3").content.decode()
