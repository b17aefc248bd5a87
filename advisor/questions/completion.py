"""Unanswered questions are filled: from the preset, from other answers, or by default."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from advisor.engine.answers import AnswerSet, Origin, Value
from advisor.questions import rules
from advisor.questions.items import BY_ID, Item
from advisor.questions.log_answers import filled_from_log
from advisor.questions.parsing import parse

MODEL_SIZE = ("params_total_b", "params_active_b", "layers", "kv_heads", "head_dim")
LANGUAGE_WORKLOADS = frozenset(
    {
        "pretrain",
        "finetune_full",
        "finetune_peft",
        "rl_posttrain",
        "infer_llm_realtime",
        "infer_llm_batch",
    }
)
# Source: llm-d Planner, docs/traffic_and_slos.md; Artificial Analysis AA-AgentPerf; InferenceX.
TRAFFIC_SHAPES: Mapping[str, tuple[int, int]] = {
    "chat_512_256": (512, 256),
    "generate_1024_1024": (1024, 1024),
    "rag_4096_512": (4096, 512),
    "long_10240_1536": (10240, 1536),
    "reasoning_1024_8192": (1024, 8192),
    "agentic_27000_150": (27000, 150),
}
# First token and gap between tokens, in milliseconds. Source: llm-d Planner, as above.
SLO_CLASSES: Mapping[str, tuple[int, int]] = {
    "instant": (150, 25),
    "conversational": (300, 30),
    "interactive": (500, 35),
    "deferred": (1000, 40),
    "offline": (2000, 45),
}
FILLERS: Mapping[str, tuple[Mapping[str, tuple[int, int]], tuple[str, str]]] = {
    "traffic_shape": (TRAFFIC_SHAPES, ("input_tokens_mean", "output_tokens_mean")),
    "slo_class": (SLO_CLASSES, ("slo_ttft_ms", "slo_itl_ms")),
}
_MOST_ROUNDS = 12


def complete(
    items: Sequence[Item],
    *,
    given: Mapping[str, Value],
    preset: Mapping[str, Value],
    context: Mapping[str, Value],
) -> AnswerSet:
    """Values of all items, where each unasked one holds its default.

    What is asked depends on the answers, and only answers to asked questions count, so the two
    are settled in turn until neither changes.
    """
    preset = _without_what_the_user_replaced(given, preset)
    active = frozenset(given) | frozenset(preset)
    for _ in range(_MOST_ROUNDS):
        values, origins = _filled(
            items,
            given={key: value for key, value in given.items() if key in active},
            preset={key: value for key, value in preset.items() if key in active},
            context=context,
        )
        scope = {**context, **values}
        asked = frozenset(item.id for item in items if rules.holds(item.show_when, scope))
        still_active = asked & (frozenset(given) | frozenset(preset))
        if still_active == active:
            break
        active = still_active
    return AnswerSet(
        values=values,
        origins=origins,
        asked=asked,
        fallbacks={key: preset[key] for key in MODEL_SIZE if key in preset and key not in asked},
    )


def _without_what_the_user_replaced(
    given: Mapping[str, Value], preset: Mapping[str, Value]
) -> Mapping[str, Value]:
    """Drop values of the preset that an answer of the user makes void."""
    void: set[str] = set()
    if "model_ref" not in given and any(key in given for key in MODEL_SIZE):
        void.add("model_ref")
    if "workload" in given and "workload" in preset:
        before, now = preset["workload"], given["workload"]
        if before != now and not {str(before), str(now)} <= LANGUAGE_WORKLOADS:
            void.update(("model_ref", *MODEL_SIZE))
    for filler, (_, filled) in FILLERS.items():
        if filler in given:
            void.update(filled)
    return {key: value for key, value in preset.items() if key not in void}


def _filled(
    items: Sequence[Item],
    *,
    given: Mapping[str, Value],
    preset: Mapping[str, Value],
    context: Mapping[str, Value],
) -> tuple[dict[str, Value], dict[str, Origin]]:
    values: dict[str, Value] = {}
    origins: dict[str, Origin] = {}
    for item in items:
        if item.id in given:
            values[item.id], origins[item.id] = given[item.id], Origin.GIVEN
        elif item.id in preset:
            values[item.id], origins[item.id] = preset[item.id], Origin.PRESET
        elif not item.default_rule:
            values[item.id], origins[item.id] = default_value(item), Origin.DEFAULT
    _fill_from_classes(values, origins)
    for question, said in filled_from_log(values, origins).items():
        values[question], origins[question] = _fitted(BY_ID[question], said), Origin.DERIVED
    for item in items:
        if item.id not in values:
            computed = rules.evaluate(item.default_rule, {**context, **values})
            values[item.id] = _fitted(item, computed)
            origins[item.id] = Origin.DERIVED
    return values, origins


def _fill_from_classes(values: dict[str, Value], origins: dict[str, Origin]) -> None:
    """Let the shape of traffic and the class of service fill the numbers nobody set."""
    for filler, (table, filled) in FILLERS.items():
        if str(values.get(filler)) not in table:
            continue
        for question, value in zip(filled, table[str(values[filler])], strict=True):
            if origins[question] is Origin.DEFAULT:
                values[question], origins[question] = value, Origin.DERIVED


def _fitted(item: Item, computed: Value) -> Value:
    """A computed default within the limits of its question."""
    if not item.is_numeric or isinstance(computed, str | tuple) or computed is None:
        return computed
    if item.hard_min is not None:
        computed = max(computed, item.hard_min)
    if item.hard_max is not None:
        computed = min(computed, item.hard_max)
    return round(computed) if item.type == "int" else float(computed)


@lru_cache(maxsize=1024)
def default_value(item: Item) -> Value:
    """The fixed default of a question; nothing, where it has none or computes it."""
    if not item.default or item.default_rule:
        return () if item.is_list or item.type == "table" else None
    return parse(item, item.default)
