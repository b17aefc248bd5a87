"""What a page asks, field by field, and how a posted form becomes answers again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from advisor.engine.answers import AnswerSet, Origin, Value
from advisor.questions.items import BY_ID, QUESTIONS, Item
from advisor.questions.parsing import NotUnderstood, parse, shown, typed
from advisor.questions.presets import PRESETS
from advisor.questions.reading import Draft, draft

HIGHEST_TIER = 3
NO_FILES: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One field of a form."""

    name: str  # of the field: the question id, "w0-" and so on before it for a workload
    item: Item
    workload: int | None
    workload_name: str
    value: Value
    typed: str  # the value as the field shows it
    shown: str  # the value as text for people
    origin: Origin
    problems: tuple[str, ...]

    @property
    def selected(self) -> tuple[str, ...]:
        """Ids of the chosen options: one, several or none."""
        if isinstance(self.value, tuple):
            return tuple(str(each) for each in self.value)
        return (self.typed,)


def field_name(question: str, workload: int | None) -> str:
    """Name of a question's form field."""
    return question if workload is None else f"w{workload}-{question}"


def asked(drafted: Draft, *, tier: int = HIGHEST_TIER) -> tuple[Asked, ...]:
    """The questions that apply now, up to a tier, in order: the assessment's and each workload's.

    Grouping them is the page's matter: `item.section` and `workload` say where each belongs.
    """
    parts: list[tuple[int | None, AnswerSet]] = [(None, drafted.answers.assessment)]
    parts += list(enumerate(drafted.answers.workloads))
    problems = _problems_by_name(drafted)
    return tuple(
        _field(item, index, answered, problems, drafted.typed)
        for item in QUESTIONS
        for index, answered in parts
        if item.used
        and item.tier <= tier
        and item.id in answered.asked
        and (item.scope == "assessment") == (index is None)
    )


def first_page(drafted: Draft) -> tuple[Asked, ...]:
    """The at most eight fields that a preset wants confirmed; tier 1 without a preset."""
    preset = PRESETS.get(drafted.answers.preset)
    fields = asked(drafted)
    if preset is None:
        return tuple(field for field in fields if field.item.tier == 1)
    wanted = {question: place for place, question in enumerate(preset.confirm)}
    chosen = [field for field in fields if field.item.id in wanted]
    return tuple(sorted(chosen, key=lambda field: wanted[field.item.id]))


def with_form(
    raw: Mapping[str, object],
    posted: Mapping[str, Sequence[str]],
    files: Mapping[str, object] = NO_FILES,
) -> dict[str, object]:
    """The answers in `raw`, with those that a posted form changed.

    `files` are uploads by field name, as `read_log` takes them. A field for one that comes empty
    changes nothing, since a browser never sends a file twice; "NAME-remove" takes it away.

    A field that still shows what it was sent with changes nothing, so defaults stay defaults; an
    emptied one goes back to its default. Lists of ticks post an empty value beside the ticks, so
    that no tick at all is an answer too. Unknown names are left to others (tokens, buttons).
    """
    before = draft(raw)
    assessment, workloads = _given(raw, len(before.answers.workloads))
    parts: list[tuple[int | None, AnswerSet, dict[str, object]]] = [
        (None, before.answers.assessment, assessment)
    ]
    parts += [
        (index, answered, workloads[index])
        for index, answered in enumerate(before.answers.workloads)
    ]
    for index, answered, answers in parts:
        for item in QUESTIONS:
            name = field_name(item.id, index)
            if (item.scope == "assessment") != (index is None):
                continue
            if item.type == "file":
                _take_file(item, name, posted, files, answers)
            elif name in posted:
                _take(item, posted[name], answered, answers)
    changed: dict[str, object] = {"answers": {**assessment, "workloads": workloads}}
    if before.answers.preset:
        changed["preset"] = before.answers.preset
    return changed


def _take(
    item: Item, values: Sequence[str], answered: AnswerSet, answers: dict[str, object]
) -> None:
    raw: object = [each for each in values if each] if item.is_list else values[-1].strip()
    if item.type == "country_list" and isinstance(raw, list):
        raw = "|".join(raw)
    if raw == "":
        if answered.values[item.id] not in (None, "", ()):
            answers[item.id] = ""
        return
    try:
        parsed = parse(item, raw)
    except NotUnderstood:
        answers[item.id] = raw
        return
    if parsed != answered.values[item.id]:
        answers[item.id] = raw


def _take_file(
    item: Item,
    name: str,
    posted: Mapping[str, Sequence[str]],
    files: Mapping[str, object],
    answers: dict[str, object],
) -> None:
    pasted = posted.get(name, ("",))[-1]
    if name in files:
        answers[item.id] = files[name]
    elif pasted.strip():
        answers[item.id] = pasted
    elif f"{name}-remove" in posted:
        answers.pop(item.id, None)


def _given(
    raw: Mapping[str, object], count: int
) -> tuple[dict[str, object], list[dict[str, object]]]:
    answers = raw.get("answers")
    flat = dict(answers) if isinstance(answers, Mapping) else {}
    listed = flat.pop("workloads", None)
    entries = listed if isinstance(listed, list | tuple) else []
    workloads = [dict(each) if isinstance(each, Mapping) else {} for each in entries]
    workloads += [{} for _ in range(count - len(workloads))]
    if count == 1:
        for question in [key for key in flat if key in BY_ID and BY_ID[key].scope == "workload"]:
            workloads[0].setdefault(question, flat.pop(question))
    return flat, workloads


def _problems_by_name(drafted: Draft) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for problem in drafted.problems:
        path = problem.pointer.split("/")
        question = path[-1]
        if question not in BY_ID:
            continue
        index: int | None = None
        if BY_ID[question].scope == "workload":
            index = int(path[-2]) if path[-2].isdigit() else 0
        found.setdefault(field_name(question, index), []).append(problem.message)
    return found


def _field(
    item: Item,
    index: int | None,
    answered: AnswerSet,
    problems: Mapping[str, Sequence[str]],
    refused: Mapping[tuple[int | None, str], str],
) -> Asked:
    name = field_name(item.id, index)
    return Asked(
        name=name,
        item=item,
        workload=index,
        workload_name="" if index is None else answered.text("workload_name"),
        value=answered.values[item.id],
        typed=refused.get((index, item.id)) or typed(item, answered.values[item.id]),
        shown=shown(item, answered.values[item.id]),
        origin=answered.origins[item.id],
        problems=tuple(problems.get(name, ())),
    )
