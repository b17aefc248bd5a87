"""No question is asked in vain: each used answer, changed, changes what the engine is asked."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from advisor.engine.answers import InvalidAnswers, Value
from advisor.engine.demand.question import question_of
from advisor.engine.workload import Question
from advisor.questions import PRESETS, QUESTIONS, Item, draft, read_answers
from catalog.engine.shipped import shipped_snapshot

MODELS = {model.slug: model for model in shipped_snapshot().models}
OWN_MODEL = {"model_ref": "", "params_total_b": 70}
SETTINGS: tuple[dict[str, Any], ...] = (
    *({"preset": preset, "answers": {}} for preset in PRESETS if preset != "mixed_company"),
    {"preset": "chatbot_1m", "answers": OWN_MODEL},
    {"preset": "chatbot_1m", "answers": {"scale_to_zero_ok": True, "stage_name": "Signing"}},
    {"preset": "chatbot_1m", "answers": {"facility_exists": "own_datacentre"}},
    {"preset": "chatbot_1m", "answers": {"financing": "loan", "tax_included": True}},
    {"preset": "ads_ranking_5k_rps", "answers": {"recsys_stage": "retrieval"}},
    {"preset": "vision_500_cameras", "answers": {"batch_mode": True}},
    {"answers": {"workload": "finetune_full"}},
    {"answers": {"solve_for": "weighted"}},
    {"answers": {"workload": "rl_posttrain"}},
    {"answers": {"workload": "vision"}},
    {"answers": {"workload": "speech"}},
    {"answers": {"workload": "speech", "batch_mode": True}},
    {"answers": {"workload": "graph"}},
    {"answers": {"workload": "diffusion", "gen_modality": "video"}},
    {"answers": {"workload": "embed_rag", "traffic_basis": "requests_per_second"}},
    {"answers": {"workloads": [{}, {"workload": "graph"}]}},
)
LOG = "arrival_offset_s,prompt_tokens,output_tokens\n" + "\n".join(
    f"{second},900,{second + 1}" for second in range(40)
)
# What answers hang on other answers: the plain change alone would be refused or do nothing.
TOGETHER: dict[str, dict[str, Any]] = {
    "owned_inventory": {"owned_inventory": [{"accel_ref": "nvidia-h100-sxm", "count": 8}]},
    "params_active_b": {"params_active_b": 7},
    "input_tokens_p95": {"input_tokens_p95": 30_000},
    "data_classes": {"data_classes": ["classified", "payment"]},
    "budget_total": {"budget_total": 5_000_000},
    "go_live_date": {"go_live_date": "2099-01-01", "lead_time_max_weeks": 156},
    "solve_for": {"solve_for": "min_time"},
    "runtime_prefs": {"runtime_prefs": ["vllm"]},
    "model_ref": {"model_ref": "qwen3-8b"},
    "rag_generator_model": {"rag_generator_model": "qwen3-8b"},
    "given_accel": {"given_accel": "nvidia-h200-sxm"},
    "provider_least_shares": {"provider_least_shares": [{"provider": "aws", "percent": 20}]},
    "vendor_least_shares": {"vendor_least_shares": [{"vendor": "AMD", "percent": 20}]},
    "trace_file": {"trace_file": LOG},
    "negotiated_discounts": {"negotiated_discounts": [{"provider": "aws", "percent": 9}]},
}


def _bare(asked: Question) -> Question:
    """The question without the list of assumptions, which any given answer shortens."""
    return replace(asked, assumptions=())


def _others(item: Item, value: Value) -> Iterator[object]:
    """Other answers to the same question."""
    if item.type == "bool":
        yield not value
    elif item.is_numeric:
        number = float(value) if isinstance(value, int | float) else 1.0
        for other in (2 * number, number / 2, number + 1, number - 1, item.hard_max):
            yield round(other) if item.type == "int" and other is not None else other
    elif item.type == "enum":
        yield from (option.id for option in item.options if option.id != value)
    elif item.type == "multi_enum":
        yield from ([option.id] for option in item.options)
        yield [option.id for option in item.options]
    else:
        yield from {
            "text": ("Another",),
            "long_text": ("Another",),
            "country_list": ("FR",),
            "currency": ("EUR",),
            "date": ("2026-12-31", "2027-03-31"),
        }.get(item.type, ())


def _with(raw: dict[str, Any], answers: dict[str, Any]) -> dict[str, Any]:
    before = raw["answers"]
    if "workloads" not in before:
        return {**raw, "answers": {**before, **answers}}
    shared = {key: value for key, value in answers.items() if _scope(key) == "assessment"}
    own = {key: value for key, value in answers.items() if _scope(key) == "workload"}
    first, *rest = before["workloads"]
    return {"answers": {**before, **shared, "workloads": [{**first, **own}, *rest]}}


def _scope(question: str) -> str:
    return next(item.scope for item in QUESTIONS if item.id == question)


def _changes_something(item: Item, raw: dict[str, Any]) -> bool:
    answers = draft(raw).answers
    parts = (answers.assessment, answers.workloads[0])
    part = next((part for part in parts if item.id in part.asked and item.id in part.values), None)
    if part is None:
        return False
    before = _bare(question_of(answers, MODELS))
    together = [TOGETHER[item.id]] if item.id in TOGETHER else []
    for change in (*together, *({item.id: other} for other in _others(item, part.values[item.id]))):
        try:
            after = _bare(question_of(read_answers(_with(raw, change)), MODELS))
        except InvalidAnswers:
            continue
        if after != before:
            return True
    return False


USED = [item for item in QUESTIONS if item.used]


@pytest.mark.parametrize("item", USED, ids=lambda item: item.id)
def test_changing_a_used_answer_changes_the_question(item: Item) -> None:
    assert any(_changes_something(item, raw) for raw in SETTINGS)
