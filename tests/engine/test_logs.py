"""A log of requests as an answer: how it is sent and kept, what it answers, where it is told."""

import base64
import json
import zlib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from advisor.engine.answers import Answers, InvalidAnswers, answers_from_dict
from advisor.engine.demand.question import question_of
from advisor.engine.latency.kept import DamagedLog, kept_log, trace_of_log
from advisor.engine.latency.published import FOLDER, published_trace
from advisor.engine.latency.traces import LARGEST_BYTES, read_trace
from advisor.engine.latency.traffic import Trace
from advisor.engine.workload import ServingDemand
from advisor.questions import read_answers, with_form
from advisor.questions.logs import packed, read_log, too_large
from tests.engine.serving_samples import model

CODE = Path(FOLDER / "azure2023_code.csv").read_text(encoding="utf-8")
MODELS = {"llama3.1-8b": model("llama3.1-8b")}


def of(**answers: Any) -> Answers:
    log = {"name": "code.csv", "text": CODE}
    raw = {"model_ref": "llama3.1-8b", "traffic_basis": "trace_upload", "trace_file": log}
    return read_answers({"answers": {**raw, **answers}})


@cache
def typed_nothing() -> Answers:
    return of()


def demand(answers: Answers) -> ServingDemand:
    found = question_of(answers, MODELS).workloads[0].serving
    assert found is not None
    return found


def warnings(answers: Answers) -> str:
    return "\n".join(question_of(answers, MODELS).warnings)


@pytest.mark.parametrize("slug", ["azure2023_code", "mooncake_conversation"])
def test_every_request_of_a_log_is_kept(slug: str) -> None:
    text = (FOLDER / f"{slug}.csv").read_text(encoding="utf-8")
    before, after = read_trace(text), trace_of_log(kept_log(text, slug))

    assert np.array_equal(before.prompt_tokens, after.prompt_tokens)
    assert np.array_equal(before.output_tokens, after.output_tokens)
    assert np.abs(before.arrival_s - after.arrival_s).max() <= 1e-5


def test_a_kept_log_is_smaller_than_its_text() -> None:
    assert len(str(kept_log(CODE, "code")["content"])) < len(CODE)


def test_a_kept_log_that_was_changed_is_refused_by_its_hash() -> None:
    kept = dict(kept_log(CODE, "code"))
    plain = zlib.decompress(base64.b64decode(str(kept["content"]))).replace(b"4808", b"4809")
    kept["content"] = base64.b64encode(zlib.compress(plain)).decode()

    with pytest.raises(DamagedLog, match="SHA-256"):
        trace_of_log(kept)


def test_a_kept_log_that_swells_beyond_the_limit_is_refused() -> None:
    kept = dict(kept_log(CODE, "code"))
    kept["content"] = base64.b64encode(zlib.compress(b"0" * (LARGEST_BYTES + 1))).decode()

    with pytest.raises(DamagedLog, match="more than 20 MB"):
        trace_of_log(kept)


@pytest.mark.parametrize("sent", [CODE, {"text": CODE}, dict(kept_log(CODE, "x"))])
def test_a_log_may_be_sent_as_text_or_as_it_is_kept(sent: Any) -> None:
    assert read_log(sent)["sha256"] == kept_log(CODE, "code")["sha256"]


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ("arrival_offset_s,prompt_tokens,output_tokens\n" + "1,2,3\n" * 30 + "x,2,3", "line 32"),
        ({"name": "a.csv"}, "has no content"),
        (7, "send the text of a log"),
        (too_large("a.csv"), "larger than 20 MB"),
        ({**kept_log(CODE, "x"), "content": "?"}, "damaged"),
    ],
)
def test_a_log_that_cannot_be_read_says_why(sent: Any, says: str) -> None:
    with pytest.raises(InvalidAnswers) as refused:
        of(trace_file=sent)

    assert [says in each.message for each in refused.value.problems] == [True]


def test_a_load_known_by_a_log_needs_the_log() -> None:
    with pytest.raises(InvalidAnswers) as refused:
        of(trace_file=None)

    assert [each.pointer for each in refused.value.problems] == ["/answers/trace_file"]


@pytest.mark.parametrize(
    ("figure", "value"),
    [
        ("requests_per_s_mean", 3.065),
        ("requests_per_s_peak", 10.53),
        ("burstiness_cv", 13.67),
        ("input_tokens", 2053.0),
        ("input_tokens_p95", 7289.0),
        ("output_tokens", 27.0),
        ("max_context_tokens", 7841.0),
    ],
)
def test_a_log_answers_what_nobody_typed(figure: str, value: float) -> None:
    assert getattr(demand(typed_nothing()), figure) == pytest.approx(value, rel=1e-3)


def test_what_a_log_answered_is_an_assumption_that_names_it() -> None:
    told = {each.question: each.basis for each in typed_nothing().assumptions}

    assert told["output_tokens_mean"] == "from the log of requests “code.csv”"


def test_a_typed_figure_stands_against_the_log_and_the_difference_is_told() -> None:
    answers = of(rps_mean=50)

    assert demand(answers).requests_per_s_mean == 50.0
    assert "you typed 50 requests/s, the log of requests has 3.07" in warnings(answers)


def test_a_typed_figure_near_the_logs_is_no_contradiction() -> None:
    assert "you typed" not in warnings(of(rps_mean=3.2))


def test_a_typed_mean_length_has_no_tail_from_the_log() -> None:
    assert demand(of(input_tokens_mean=100)).input_tokens_p95 == 300.0


def test_users_that_come_to_another_rate_than_the_log_are_told() -> None:
    answers = of(traffic_basis="users", users_total_k=5000)

    assert "the log of requests to 3.07" in warnings(answers)


def test_a_short_log_beside_users_leaves_the_busiest_minute_of_the_day_open() -> None:
    assert of(traffic_basis="users").workloads[0].number("peak_to_mean") == 3.0


def test_a_log_shorter_than_a_day_is_told() -> None:
    assert "covers 0.45 hours" in warnings(typed_nothing())


def test_answers_with_a_log_survive_json_unchanged() -> None:
    answers = typed_nothing()

    assert answers_from_dict(json.loads(json.dumps(answers.as_dict()))) == answers


def test_answers_are_kept_with_their_log_packed() -> None:
    kept = packed({"workloads": [{"trace_file": CODE}]})

    assert kept == {"workloads": [{"trace_file": dict(kept_log(CODE, "pasted log"))}]}


def test_of_an_unreadable_log_the_reason_is_kept() -> None:
    kept = packed({"trace_file": "a,b\n1,2"})

    assert "no column arrival_offset_s" in str(kept["trace_file"])


BEFORE = {"answers": {"workloads": [{"trace_file": dict(kept_log(CODE, "code"))}]}}


def own(raw: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = raw["answers"]["workloads"][0]
    return found


def test_an_empty_file_field_leaves_the_log_as_it_was() -> None:
    assert own(with_form(BEFORE, {"w0-trace_file": [""]})) == own(BEFORE)


def test_a_log_can_be_taken_away_by_form() -> None:
    changed = with_form(BEFORE, {"w0-trace_file": [""], "w0-trace_file-remove": ["on"]})

    assert "trace_file" not in own(changed)


def test_an_uploaded_file_takes_the_place_of_the_log() -> None:
    changed = with_form(BEFORE, {}, {"w0-trace_file": {"name": "new.csv", "text": CODE}})

    assert own(changed)["trace_file"]["name"] == "new.csv"


def test_a_pasted_log_takes_the_place_of_the_log() -> None:
    assert own(with_form(BEFORE, {"w0-trace_file": [CODE]}))["trace_file"] == CODE


def test_the_busiest_minute_is_counted_from_the_first_arrival() -> None:
    at = np.concatenate([np.arange(60) * 2.0, 120.0 + np.arange(60) * 1.0, [180.0 + 59.0]])
    ones = np.ones(len(at), dtype=np.int64)
    trace = Trace(arrival_s=at, prompt_tokens=ones, output_tokens=ones)

    first, ratio = trace.busiest_minute
    assert (float(first), ratio) == pytest.approx((60.0, 1.0 / trace.requests_per_s))


def test_requests_around_the_busiest_minute_hold_it() -> None:
    trace = published_trace("azure2023_code")
    first = trace.arrival_s[trace.busiest_minute[0]]

    assert first in trace.around_the_busiest(300).arrival_s


def test_at_random_the_same_requests_come_at_the_same_rate() -> None:
    trace = published_trace("azure2023_code")
    even = trace.at_random(seed=1)

    assert (even.requests_per_s, even.gap_cv) == pytest.approx(
        (trace.requests_per_s, 1.0), rel=0.05
    )
