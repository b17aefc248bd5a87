"""Raw input becomes checked, completed answers, or the list of all that is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from advisor.engine.answers import Answers, AnswerSet, InvalidAnswers, Origin, Problem, Value
from advisor.engine.workload import Assumption
from advisor.questions import rules
from advisor.questions.checks import Findings, check
from advisor.questions.completion import MODEL_SIZE, complete
from advisor.questions.items import BY_ID, QUESTIONS
from advisor.questions.log_answers import filled_from_log, log_in
from advisor.questions.names import Names, looked_up
from advisor.questions.parsing import NotUnderstood, is_blank, parse, shown
from advisor.questions.shape import Shape, shape_of

ASSESSMENT_ITEMS = tuple(item for item in QUESTIONS if item.scope == "assessment")
WORKLOAD_ITEMS = tuple(item for item in QUESTIONS if item.scope == "workload")
NAMES = frozenset({"assessment_name", "workload_name"})
AS_TYPED = Names()


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Answers as far as they can be read, with what is wrong: for forms in the making."""

    answers: Answers
    problems: tuple[Problem, ...]
    typed: Mapping[tuple[int | None, str], str]
    """What was typed and cannot be read, by workload and question."""


@dataclass(slots=True, kw_only=True)
class _Part:
    """The answers of one scope while they are read."""

    index: int | None  # of the workload; None for the assessment
    given: dict[str, Value]
    cleared: set[str]  # answered with nothing: the default takes the preset's place
    refused: dict[str, str]  # question: what to type instead
    typed: dict[str, str]  # question: what was typed instead


def read_answers(
    raw: object,
    *,
    today: date | None = None,
    names: Names = AS_TYPED,
) -> Answers:
    """The answers in `raw`, checked and completed; raises InvalidAnswers with every problem.

    `names` finds the catalogue's names by their spellings; without it they are taken as typed.
    """
    drafted = draft(raw, today=today, names=names)
    if drafted.problems:
        raise InvalidAnswers(drafted.problems)
    return drafted.answers


def draft(
    raw: object,
    *,
    today: date | None = None,
    names: Names = AS_TYPED,
) -> Draft:
    """The answers in `raw` as far as they can be read; never raises."""
    today = today or datetime.now(UTC).date()
    shape = shape_of(raw)
    parts = [_part(None, shape.assessment, names)]
    parts += [_part(index, entry, names) for index, entry in enumerate(shape.workloads)]
    assessment, workloads = _completed(shape, parts)
    findings = Findings()
    for part, answered in zip(parts, (assessment, *workloads), strict=True):
        _note(shape, findings, part, answered, {**assessment.values, **answered.values})
    check(assessment, workloads, findings, today=today, listed=shape.listed)
    problems = [*shape.problems]
    problems += [
        Problem(pointer=shape.pointer(found.question, found.workload), message=found.message)
        for found in findings.problems
    ]
    answers = Answers(
        preset=shape.preset.id if shape.preset else "",
        read_on=today,
        assessment=assessment,
        workloads=workloads,
        assumptions=_assumptions(shape, assessment, workloads),
        set_aside=tuple(dict.fromkeys(findings.set_aside)),
        warnings=tuple(dict.fromkeys(findings.warnings)),
        echo=_echo(shape, parts, assessment, workloads),
    )
    typed = {(part.index, key): text for part in parts for key, text in part.typed.items()}
    return Draft(answers=answers, problems=tuple(problems), typed=typed)


def _part(index: int | None, raw: Mapping[str, object], names: Names) -> _Part:
    part = _Part(index=index, given={}, cleared=set(), refused={}, typed={})
    for question, value in raw.items():
        item = BY_ID[question]
        try:
            if is_blank(value):
                part.cleared.add(question)
                continue
            part.given[question] = looked_up(item, parse(item, value), names)
        except NotUnderstood as error:
            part.refused[question] = str(error)
            part.typed[question] = _as_typed(value)
    return part


def _as_typed(value: object) -> str:
    if isinstance(value, list | tuple):
        return "|".join(str(each) for each in value)
    return str(value)


def _completed(shape: Shape, parts: list[_Part]) -> tuple[AnswerSet, tuple[AnswerSet, ...]]:
    count = len(shape.workloads)
    assessment = complete(
        ASSESSMENT_ITEMS,
        given=parts[0].given,
        preset=_preset_values(shape, parts[0]),
        context={"workload_count": count},
    )
    assessment = _named(
        assessment, "assessment_name", shape.preset.name if shape.preset else "New assessment"
    )
    workloads: list[AnswerSet] = []
    taken: set[str] = set()
    for part in parts[1:]:
        answered = complete(
            WORKLOAD_ITEMS,
            given=part.given,
            preset=_preset_values(shape, part),
            context={**assessment.values, "workload_count": count},
        )
        label = BY_ID["workload"].option_labels[answered.text("workload")]
        name = next(
            each
            for each in (label, *(f"{label} {number}" for number in range(2, count + 2)))
            if each not in taken
        )
        workloads.append(_named(answered, "workload_name", name))
        taken.add(workloads[-1].text("workload_name"))
    return assessment, tuple(workloads)


def _preset_values(shape: Shape, part: _Part) -> dict[str, Value]:
    if shape.preset is None:
        return {}
    if part.index is None:
        values = shape.preset.assessment
    elif part.index < len(shape.preset.workloads):
        values = shape.preset.workloads[part.index]
    else:
        return {}
    return {key: value for key, value in values.items() if key not in part.cleared}


def _named(answered: AnswerSet, question: str, name: str) -> AnswerSet:
    if answered.text(question):
        return answered
    return AnswerSet(
        values={**answered.values, question: name},
        origins={**answered.origins, question: Origin.DERIVED},
        asked=answered.asked,
        fallbacks=answered.fallbacks,
    )


def _note(
    shape: Shape,
    findings: Findings,
    part: _Part,
    answered: AnswerSet,
    scope: Mapping[str, Value],
) -> None:
    """Refuse what is asked and cannot be read; set aside what is not asked."""
    for question, message in part.refused.items():
        if question in answered.asked:
            findings.refuse(part.index, question, message)
        else:
            findings.set_aside.append(_aside(shape, part, question, scope))
    for question in part.given:
        if question not in answered.asked:
            findings.set_aside.append(_aside(shape, part, question, scope))
        elif not BY_ID[question].used:
            findings.set_aside.append(
                f"{_place(part, answered)}{BY_ID[question].label} ({question}) is kept, "
                "but no step of the advice uses it yet."
            )
    if "model_ref" not in part.given and any(key in part.given for key in MODEL_SIZE):
        before = _preset_values(shape, part).get("model_ref")
        if before:
            findings.set_aside.append(
                f"{_place(part, answered)}The preset's model ({before}) makes way for the one "
                "you described by its size."
            )


def _place(part: _Part, answered: AnswerSet) -> str:
    return "" if part.index is None else f"{answered.text('workload_name')}: "


def _aside(shape: Shape, part: _Part, question: str, scope: Mapping[str, Value]) -> str:
    item = BY_ID[question]
    known = {**scope, "workload_count": len(shape.workloads)}
    reasons = " and ".join(rules.unmet(item.show_when, known)) or item.show_when
    return f"{item.label} ({question}) is set aside; it is asked only when {reasons}."


def _assumptions(
    shape: Shape, assessment: AnswerSet, workloads: tuple[AnswerSet, ...]
) -> tuple[Assumption, ...]:
    found: list[Assumption] = []
    for answered in (assessment, *workloads):
        name = "" if answered is assessment else answered.text("workload_name")
        from_log = filled_from_log(answered.values, answered.origins)
        for question, value in answered.values.items():
            item, origin = BY_ID[question], answered.origins[question]
            if origin is Origin.GIVEN or question not in answered.asked or not item.used:
                continue
            if value in (None, "", ()) or question in NAMES:
                continue
            basis = item.basis
            if origin is Origin.PRESET and shape.preset:
                basis = f"preset “{shape.preset.name}”"
            elif origin is Origin.DERIVED and question in from_log:
                basis = f"from the log of requests “{_name(answered)}”"
            elif origin is Origin.DERIVED and not item.default_rule:
                basis = _filled_from(answered, question)
            found.append(
                Assumption(
                    workload=name,
                    question=question,
                    label=item.label,
                    value=shown(item, value),
                    basis=basis,
                )
            )
    return tuple(found)


def _name(answered: AnswerSet) -> str:
    log = log_in(answered.values)
    return "" if log is None else str(log["name"])


def _filled_from(answered: AnswerSet, question: str) -> str:
    filler = "slo_class" if question.startswith("slo_") else "traffic_shape"
    return f"from “{shown(BY_ID[filler], answered.values[filler])}”"


def _echo(
    shape: Shape, parts: list[_Part], assessment: AnswerSet, workloads: tuple[AnswerSet, ...]
) -> dict[str, str]:
    return {
        shape.pointer(question, part.index): shown(BY_ID[question], answered.values[question])
        for part, answered in zip(parts, (assessment, *workloads), strict=True)
        for question in part.given
        if question in answered.asked
    }
