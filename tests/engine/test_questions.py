"""The questionnaire as declared: every id, rule, default and preset holds together."""

import ast
from collections.abc import Callable
from typing import Any

import pytest

from advisor.engine.answers import Value
from advisor.questions import BY_ID, PRESETS, QUESTIONS, Item, asked, draft, first_page, rules
from advisor.questions.completion import FILLERS, default_value
from advisor.questions.parsing import parse, typed

KNOWN_NAMES = frozenset(BY_ID) | {"workload_count"}
PUBLISHED_IDS = 204
"""Questions of the published questionnaire; ours come on top."""


def test_there_are_the_published_questions_and_some_of_our_own() -> None:
    assert len(QUESTIONS) > PUBLISHED_IDS


def test_ids_are_unique() -> None:
    assert len(BY_ID) == len(QUESTIONS)


def _unlike(holds: Callable[[Item], object]) -> list[str]:
    """Ids of the questions that a law does not hold for."""
    return [item.id for item in QUESTIONS if not holds(item)]


def test_every_condition_parses_and_names_questions() -> None:
    assert _unlike(lambda item: rules.names(item.show_when) <= KNOWN_NAMES) == []


def test_every_computed_default_parses_and_names_questions() -> None:
    assert _unlike(lambda item: rules.names(item.default_rule or "0") <= KNOWN_NAMES) == []


def test_every_default_is_an_answer_that_can_be_typed() -> None:
    def reads_back(item: Item) -> bool:
        value = default_value(item)
        return value in (None, ()) or parse(item, typed(item, value)) == value

    assert _unlike(reads_back) == []


def test_every_choice_has_labelled_options() -> None:
    assert (
        _unlike(
            lambda item: (
                "enum" not in item.type
                or (len(item.options) > 1 and all(option.label for option in item.options))
            )
        )
        == []
    )


def test_every_default_says_why() -> None:
    assert _unlike(lambda item: item.basis or item.default == "") == []


def test_every_question_explains_itself() -> None:
    assert _unlike(lambda item: item.label and item.help.endswith((".", "?"))) == []


@pytest.mark.parametrize("table_and_fields", FILLERS.values(), ids=FILLERS)
def test_fillers_fill_questions_that_exist(
    table_and_fields: tuple[Any, tuple[str, str]],
) -> None:
    assert set(table_and_fields[1]) <= set(BY_ID)


def test_conditions_of_the_assessment_name_no_question_of_a_workload() -> None:
    named = set().union(
        *(rules.names(item.show_when) for item in QUESTIONS if item.scope == "assessment")
    )

    assert {BY_ID[name].scope for name in named} == {"assessment"}


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_reads_without_a_problem(preset: str) -> None:
    assert draft({"preset": preset}).problems == ()


@pytest.mark.parametrize("preset", PRESETS)
def test_every_value_of_a_preset_is_asked_or_stands_by(preset: str) -> None:
    answers = draft({"preset": preset}).answers
    parts = [(PRESETS[preset].assessment, answers.assessment)]
    parts += list(zip(PRESETS[preset].workloads, answers.workloads, strict=True))

    assert [
        question
        for values, answered in parts
        for question in values
        if question not in answered.asked and question not in answered.fallbacks
    ] == []


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_asks_to_confirm_one_to_eight_fields(preset: str) -> None:
    assert 1 <= len(first_page(draft({"preset": preset}))) <= 8


@pytest.mark.parametrize("preset", PRESETS)
def test_all_that_a_preset_wants_confirmed_is_asked(preset: str) -> None:
    shown = {field.item.id for field in first_page(draft({"preset": preset}))}

    assert shown == set(PRESETS[preset].confirm)


@pytest.mark.parametrize("preset", PRESETS)
def test_no_page_asks_what_no_stage_uses(preset: str) -> None:
    assert all(field.item.used for field in asked(draft({"preset": preset})))


@pytest.mark.parametrize(
    "rule",
    [
        "__import__('os')",
        "model_ref.upper()",
        "[1][0]",
        "lambda: 1",
        "(x for x in workload)",
        "f'{workload}'",
        "1 ** 9",
        "1 < 2 < 3",
        "max(workload, key=1)",
        "workload if",
    ],
)
def test_rules_know_only_the_white_list(rule: str) -> None:
    with pytest.raises(rules.BadRule):
        rules.parsed(rule)


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        ("3 * tokens", 36.0),
        ("max(8, tokens + 1)", 13),
        ("None if kind == 'a' else 10", None),
        ("10 if tokens > 20 else -tokens / 2", -6.0),
        ("kind in ('a', 'b') and not flag", True),
        ("'x' in many or missing == ''", True),
        ("3 * missing", None),
        ("missing > 1", False),
    ],
)
def test_rules_compute(rule: str, value: Value) -> None:
    known: dict[str, Value] = {
        "tokens": 12, "kind": "a", "flag": False, "many": ("y",), "missing": None,
    }  # fmt: skip

    assert rules.evaluate(rule, known) == value


def _compared(sign: str, left: Any, right: Any) -> bool:
    match sign:
        case "==":
            return bool(left == right)
        case "!=":
            return bool(left != right)
        case "in":
            return left in right
        case "not in":
            return left not in right
        case ">":
            return left != "" and bool(left > right)
    raise AssertionError(sign)


def _browser(tree: Any, values: dict[str, Value]) -> Any:
    """What the browser does with an exported condition, written again."""
    match tree:
        case ["value", value]:
            return value
        case ["name", name]:
            return "" if values[name] is None else values[name]
        case ["list", *parts]:
            return [_browser(part, values) for part in parts]
        case ["not", part]:
            return not _browser(part, values)
        case ["and", *parts]:
            return all(_browser(part, values) for part in parts)
        case ["or", *parts]:
            return any(_browser(part, values) for part in parts)
        case [sign, left, right]:
            return _compared(sign, _browser(left, values), _browser(right, values))
    raise AssertionError(tree)


@pytest.mark.parametrize("preset", PRESETS)
def test_the_browser_hides_what_the_server_does_not_ask(preset: str) -> None:
    answers = draft({"preset": preset}).answers
    values: dict[str, Value] = {**answers.assessment.values, "workload_count": 1}
    values["workload_count"] = len(answers.workloads)
    own = answers.workloads[0]

    shown = {
        item.id
        for item in QUESTIONS
        if item.scope == "workload" and _browser(item.show_when_json(), {**values, **own.values})
    }

    assert shown == own.asked


def test_no_rule_is_evaluated_as_python() -> None:
    source = rules.__file__
    with open(source, encoding="utf-8") as file:  # noqa: PTH123
        tree = ast.parse(file.read())
    calls = {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }

    assert not calls & {"eval", "exec", "compile", "getattr"}
