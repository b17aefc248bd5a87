"""Reading answers: layers of values, what is set aside, every problem with its place."""

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.engine.answers import Answers, InvalidAnswers, Origin, Problem, answers_from_dict
from advisor.questions import BY_ID, PRESETS, Names, asked, draft, read_answers, with_form

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=10,
)


def of(preset: str = "chatbot_1m", **answers: Any) -> Answers:
    return read_answers({"preset": preset, "answers": answers})


def problems(raw: object, **options: Any) -> dict[str, str]:
    with pytest.raises(InvalidAnswers) as refusal:
        read_answers(raw, **options)
    return {problem.pointer: problem.message for problem in refusal.value.problems}


def test_a_preset_alone_is_a_complete_input() -> None:
    assert of().workloads[0].number("users_total_k") == 1000


def test_an_empty_assessment_is_complete_by_defaults() -> None:
    assert read_answers({"answers": {}}).workloads[0].text("workload") == "infer_llm_realtime"


def test_an_answer_goes_over_the_preset() -> None:
    own = of(users_total_k="2 M").workloads[0]

    assert (own.number("users_total_k"), own.origins["users_total_k"]) == (2000, Origin.GIVEN)


def test_a_preset_goes_over_the_default() -> None:
    assert of().workloads[0].origins["peak_to_mean"] is Origin.PRESET


def test_nothing_typed_takes_the_default_and_not_the_preset() -> None:
    own = of(peak_to_mean="").workloads[0]

    assert (own.number("peak_to_mean"), own.origins["peak_to_mean"]) == (3, Origin.DEFAULT)


def test_a_computed_default_follows_other_answers() -> None:
    assert of(input_tokens_mean=1000).workloads[0].number("input_tokens_p95") == 3 * 1000


def test_a_shape_of_traffic_fills_the_tokens() -> None:
    own = of(traffic_shape="rag_4096_512").workloads[0]

    assert (own.number("input_tokens_mean"), own.number("output_tokens_mean")) == (4096, 512)


def test_a_token_count_goes_over_the_shape_of_traffic() -> None:
    own = of(traffic_shape="rag_4096_512", input_tokens_mean=9).workloads[0]

    assert own.number("input_tokens_mean") == 9


def test_a_class_of_service_fills_the_targets() -> None:
    own = of(slo_class="offline").workloads[0]

    assert (own.number("slo_ttft_ms"), own.number("slo_itl_ms")) == (2000, 45)


def test_a_size_replaces_the_model_of_the_preset() -> None:
    answers = of(params_total_b=13)

    assert answers.workloads[0].text("model_ref") == ""
    assert "makes way" in answers.set_aside[0]


def test_another_kind_of_work_leaves_the_preset_s_model_behind() -> None:
    assert of(workload="vision").workloads[0].text("model_ref") == ""


def test_another_kind_of_language_work_keeps_the_preset_s_model() -> None:
    assert of(workload="pretrain").workloads[0].text("model_ref") == "llama3.1-70b"


def test_what_is_no_longer_asked_is_set_aside_with_its_reason() -> None:
    answers = of(rps_mean=5)

    assert answers.set_aside == (
        "Requests a second, mean (rps_mean) is set aside; "
        "it is asked only when traffic_basis in ('requests_per_second', 'trace_upload').",
    )
    assert answers.workloads[0].number("rps_mean") == 10


def test_what_is_not_asked_may_be_nonsense() -> None:
    assert len(of(rps_mean="many").set_aside) == 1


def test_what_no_stage_uses_is_accepted_with_a_note() -> None:
    assert "no step of the advice uses it yet" in of(spec_decode_allowed=True).set_aside[0]


def test_answers_behind_a_branch_come_back_with_it() -> None:
    own = of(traffic_basis="requests_per_second", rps_mean=5).workloads[0]

    assert own.number("rps_mean") == 5


def test_a_hidden_branch_does_not_hide_what_it_would_have_hidden() -> None:
    """Batch mode is not asked of a live language model, so its traffic questions stay."""
    assert of(batch_mode=True).workloads[0].number("users_total_k") == 1000


def test_every_problem_is_named_at_once() -> None:
    assert set(
        problems({"preset": "chatbot_1m", "answers": {"users_total_k": "x", "peak_to_mean": 0}})
    ) == {"/answers/users_total_k", "/answers/peak_to_mean"}


@pytest.mark.parametrize(
    ("raw", "pointer", "told"),
    [
        ([], "", "type an object"),
        ({}, "", 'name a "preset"'),
        ({"preset": "chatbot"}, "/preset", "did you mean 'chatbot_1m'?"),
        ({"preset": "chatbot_1m", "answer": {}}, "/answer", "did you mean 'answers'?"),
        ({"answers": []}, "/answers", "type an object"),
        ({"answers": {"rps": 1}}, "/answers/rps", "there is no question 'rps'"),
        ({"answers": {"rps_meen": 1}}, "/answers/rps_meen", "did you mean 'rps_mean'?"),
        ({"answers": {"a/b~c": 1}}, "/answers/a~1b~0c", "there is no question"),
        ({"answers": {"workloads": []}}, "/answers/workloads", "type a list"),
        ({"answers": {"workloads": [3]}}, "/answers/workloads/0", "type an object"),
        (
            {"answers": {"workloads": [{"horizon_months": 3}]}},
            "/answers/workloads/0/horizon_months",
            'put it beside "workloads"',
        ),
        (
            {"answers": {"workloads": [{"rps_mean": 3}], "rps_mean": 4}},
            "/answers/rps_mean",
            "answered twice",
        ),
        ({"answers": {"solve_for": "best_for_budget"}}, "/answers/budget_total", "needs one"),
        ({"answers": {"solve_for": "check_given_setup"}}, "/answers/given_accel", "name its"),
        ({"answers": {"deployment_allowed": []}}, "/answers/deployment_allowed", "at least one"),
        ({"answers": {"traffic_basis": "trace_upload"}}, "/answers/trace_file", "send"),
        (
            {"answers": {"params_total_b": 7, "params_active_b": 8}},
            "/answers/params_active_b",
            "type at most 7",
        ),
        (
            {"answers": {"input_tokens_mean": 100, "input_tokens_p95": 50}},
            "/answers/input_tokens_p95",
            "type 100 or more",
        ),
        (
            {"answers": {"max_context_tokens": 100}},
            "/answers/max_context_tokens",
            "type at least 768",
        ),
    ],
)
def test_a_problem_says_where_it_is_and_what_to_type(raw: object, pointer: str, told: str) -> None:
    assert told in problems(raw)[pointer]


def test_a_workload_question_beside_several_workloads_has_no_place() -> None:
    told = problems({"preset": "mixed_company", "answers": {"rps_mean": 3}})

    assert "say which one" in told["/answers/rps_mean"]


def test_five_weights_of_zero_are_refused() -> None:
    weights = ("cost", "latency", "risk", "simplicity", "carbon")
    answers: dict[str, object] = {f"weight_{weight}": 0 for weight in weights}
    answers["solve_for"] = "weighted"

    assert "all five weights are zero" in problems({"answers": answers})["/answers/weight_cost"]


def test_a_day_that_has_passed_is_refused() -> None:
    told = problems({"answers": {"go_live_date": "2026-11-22"}}, today=date(2026, 11, 23))

    assert "has passed" in told["/answers/go_live_date"]


def test_two_workloads_of_one_name_are_refused() -> None:
    twins = [{"workload_name": "Chat"}, {"workload_name": "chat"}]

    assert set(problems({"answers": {"workloads": twins}})) == {
        "/answers/workloads/0/workload_name",
        "/answers/workloads/1/workload_name",
    }


def test_workloads_without_names_get_different_ones() -> None:
    answers = read_answers({"answers": {"workloads": [{}, {}]}})

    assert [own.text("workload_name") for own in answers.workloads] == [
        "Language model, live",
        "Language model, live 2",
    ]


def test_a_list_of_workloads_lies_over_the_preset_s_one_by_one() -> None:
    raw = {"preset": "mixed_company", "answers": {"workloads": [{}, {"batch_items_m": 9}]}}
    answers = read_answers(raw)

    assert [own.text("workload_name") for own in answers.workloads] == [
        "Chat by day",
        "Scoring by night",
    ]
    assert answers.workloads[1].number("batch_items_m") == 9


def test_names_are_found_in_the_catalogue_while_reading() -> None:
    answers = read_answers(
        {"preset": "chatbot_1m", "answers": {"model_ref": "Llama 3.1 8B"}},
        names=Names(model={"Llama 3.1 8B": "llama3.1-8b"}.get),
    )

    assert answers.workloads[0].text("model_ref") == "llama3.1-8b"


def test_a_name_that_the_catalogue_lacks_is_refused() -> None:
    told = problems(
        {"preset": "chatbot_1m", "answers": {"model_ref": "llama9"}},
        names=Names(model=lambda text: None),
    )

    assert "the catalogue holds no model 'llama9'" in told["/answers/model_ref"]


MAKERS = Names(
    provider=lambda: {"aws": "aws", "amazon web services": "aws", "azure": "azure"},
    maker=lambda: {"nvidia": "NVIDIA", "amd": "AMD"},
    accelerator={"H100": "nvidia-h100-sxm"}.get,
)


@pytest.mark.parametrize(
    ("question", "rows", "told"),
    [
        (
            "vendor_least_shares",
            [{"vendor": "AMD", "percent": 20}, {"vendor": "NVIDAI", "percent": 20}],
            "row 2: the catalogue holds no maker of accelerators 'NVIDAI'; did you mean NVIDIA?",
        ),
        ("provider_least_shares", "azzure, 20", "row 1: the catalogue holds no provider 'azzure'"),
        ("provider_least_shares", "zzz, 20", "'zzz'; there are aws, azure."),
        ("negotiated_discounts", "amazonn, 9", "row 1: the catalogue holds no provider 'amazonn'"),
        ("owned_inventory", "H1000, 8", "no accelerator 'H1000' (row 1)"),
    ],
)
def test_a_name_in_a_table_that_the_catalogue_lacks_is_refused_with_its_row(
    question: str, rows: object, told: str
) -> None:
    refused = problems({"preset": "mixed_company", "answers": {question: rows}}, names=MAKERS)

    assert told in refused[f"/answers/{question}"]


def test_names_in_a_table_are_kept_as_the_catalogue_has_them() -> None:
    raw = {"provider_least_shares": "Amazon Web Services, 20", "vendor_least_shares": "amd, 20"}
    answers = read_answers({"preset": "mixed_company", "answers": raw}, names=MAKERS)

    assert [
        answers.assessment.rows("provider_least_shares")[0]["provider"],
        answers.assessment.rows("vendor_least_shares")[0]["vendor"],
    ] == ["aws", "AMD"]


def test_an_unknown_option_is_told_in_whole_sentences() -> None:
    told = problems({"preset": "chatbot_1m", "answers": {"solve_for": "nonsense"}})

    assert "'nonsense' is not an option. Type one of:" in told["/answers/solve_for"]


def test_a_whole_answer_stricter_than_its_parts_is_explained() -> None:
    """1 s + 1,535 x 40 ms = 62.4 s is more than 60 s, which leaves (60 - 1) / 1,535 s a token."""
    warning = of("fedramp_summarisation").warnings[0]

    assert "1 s + 1,535 x 40 ms = 62.4 s" in warning
    assert f"{(60 - 1) / 1535 * 1e3:.3g} ms between tokens" in warning


@pytest.mark.parametrize(
    ("preset", "answers", "told"),
    [
        ("chatbot_1m", {"horizon_months": 3}, "unusually low"),
        ("chatbot_1m", {"growth_month_pct": 12}, "times today's"),
        ("chatbot_1m", {"commitment_max_months": 60}, "longer than the 36 months"),
        ("chatbot_1m", {"model_licence_ok": "no"}, "licence is not cleared"),
        ("chatbot_1m", {"data_classes": ["personal"]}, "any country"),
        ("chatbot_1m", {"data_classes": ["payment"]}, "PCI DSS"),
        ("chatbot_1m", {"data_classes": ["health"]}, "Health data"),
        ("chatbot_1m", {"data_classes": ["classified"]}, "air-gapped"),
        ("chatbot_1m", {"facility_exists": "server_room"}, "country of your site"),
        ("chatbot_1m", {"budget_total": 100, "budget_month_max": 1}, "monthly limit decides"),
        ("chatbot_1m", {"slo_goodput_pct": 99.95}, "than the service is up"),
        ("eu_rag_onprem", {"power_available_kw": 600}, "2024/1364"),
        ("eu_rag_onprem", {"availability_pct": 99.9}, "not realistic"),
        ("pretrain_7b", {"train_tokens_b": 20000}, "training tokens for each parameter"),
        ("finetune_70b_4xh100_72h", {"train_seq_len": 512}, "most would be cut"),
    ],
)
def test_what_is_allowed_and_odd_brings_a_warning(
    preset: str, answers: dict[str, Any], told: str
) -> None:
    assert any(told in warning for warning in of(preset, **answers).warnings)


def test_what_was_understood_is_echoed_with_its_unit() -> None:
    assert of(users_total_k="1.5 M").echo == {"/answers/users_total_k": "1,500 thousand users"}


def test_everything_not_given_and_used_is_an_assumption() -> None:
    answers = of(peak_to_mean=5)
    own = answers.workloads[0]

    expected = {
        question
        for question in own.asked
        if BY_ID[question].used
        and own.values[question] not in (None, "", ())
        and question not in ("peak_to_mean", "workload_name")
    }
    assert {each.question for each in answers.assumptions if each.workload == "Chat"} == expected


@pytest.mark.parametrize("preset", PRESETS)
def test_answers_survive_json_unchanged(preset: str) -> None:
    answers = of(preset)

    assert answers_from_dict(json.loads(json.dumps(answers.as_dict()))) == answers


@settings(max_examples=200)
@given(JSON)
def test_any_json_is_read_or_refused_with_problems(raw: object) -> None:
    assert all(isinstance(problem, Problem) for problem in draft(raw).problems)


@settings(max_examples=200)
@given(st.sampled_from(sorted(PRESETS)), st.dictionaries(st.sampled_from(sorted(BY_ID)), JSON))
def test_any_value_for_any_question_is_read_or_refused(
    preset: str, answers: dict[str, object]
) -> None:
    drafted = draft({"preset": preset, "answers": answers})

    assert all(problem.pointer.startswith("/answers/") for problem in drafted.problems)


def _posted(raw: dict[str, Any], **changes: str) -> dict[str, list[str]]:
    shown = {
        field.name: ["", *field.selected] if field.item.is_list else [field.typed]
        for field in asked(draft(raw))
    }
    return {**shown, **{name.replace("__", "-"): [text] for name, text in changes.items()}}


@pytest.mark.parametrize("preset", PRESETS)
def test_a_form_sent_back_as_it_came_gives_no_answers(preset: str) -> None:
    raw: dict[str, Any] = {"preset": preset}
    answers = with_form(raw, _posted(raw))["answers"]

    assert answers == {"workloads": [{} for _ in PRESETS[preset].workloads]}


def test_a_changed_field_is_an_answer() -> None:
    raw: dict[str, Any] = {"preset": "chatbot_1m"}

    assert with_form(raw, _posted(raw, w0__peak_to_mean="6"))["answers"] == {
        "workloads": [{"peak_to_mean": "6"}]
    }


def test_fields_filled_by_a_class_follow_it_when_it_changes() -> None:
    raw: dict[str, Any] = {"preset": "chatbot_1m"}
    changed = with_form(raw, _posted(raw, w0__traffic_shape="rag_4096_512"))

    assert read_answers(changed).workloads[0].number("input_tokens_mean") == 4096


def test_an_emptied_field_goes_back_to_its_default() -> None:
    raw: dict[str, Any] = {"preset": "chatbot_1m", "answers": {"peak_to_mean": 6}}
    changed = with_form(raw, _posted(raw, w0__peak_to_mean=""))

    assert read_answers(changed).workloads[0].number("peak_to_mean") == 3


def test_no_tick_at_all_is_an_answer() -> None:
    raw: dict[str, Any] = {"preset": "eu_rag_onprem"}
    changed = with_form(raw, _posted(raw, regimes=""))

    assert read_answers(changed).assessment.chosen("regimes") == ()


def test_a_refused_field_shows_what_was_typed_beside_the_problem() -> None:
    raw: dict[str, Any] = {"preset": "chatbot_1m"}
    changed = with_form(raw, _posted(raw, w0__peak_to_mean="lots"))
    field = next(each for each in asked(draft(changed)) if each.item.id == "peak_to_mean")

    assert field.typed == "lots"
    assert "is not a number" in field.problems[0]
