"""The outer shape of the input: which preset, which answers, which of them for which workload."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from advisor.engine.answers import Problem
from advisor.questions.items import BY_ID
from advisor.questions.parsing import nearest
from advisor.questions.presets import PRESETS, Preset

MOST_WORKLOADS = 50


@dataclass(slots=True, kw_only=True)
class Shape:
    """Raw answers sorted to where they belong, with what could not be sorted."""

    preset: Preset | None = None
    assessment: dict[str, object] = field(default_factory=dict)
    workloads: list[dict[str, object]] = field(default_factory=list)
    listed: bool = False  # whether the input had a list of workloads
    problems: list[Problem] = field(default_factory=list)

    def pointer(self, question: str, workload: int | None) -> str:
        """Where the answer to a question stands, or would stand, in the input."""
        if workload is None or not self.listed:
            return f"/answers/{escaped(question)}"
        return f"/answers/workloads/{workload}/{escaped(question)}"

    def refuse(self, pointer: str, message: str) -> None:
        """Note a problem."""
        self.problems.append(Problem(pointer=pointer, message=message))


def escaped(key: str) -> str:
    """A key as a token of a JSON pointer (RFC 6901, section 3)."""
    return key.replace("~", "~0").replace("/", "~1")


def shape_of(raw: object) -> Shape:
    """Sort `{"preset": id, "answers": {...}}`, with a problem for all that has no place."""
    shape = Shape()
    if not isinstance(raw, Mapping):
        shape.refuse("", 'type an object such as {"preset": "chatbot_1m", "answers": {}}')
        return shape
    for key in raw:
        if key not in ("preset", "answers"):
            known = ("preset", "answers")
            near = nearest(str(key), known) or "."
            hint = ' Put questions inside "answers".' if str(key) in BY_ID else ""
            shape.refuse(
                f"/{escaped(str(key))}",
                f"{str(key)[:60]!r} is not known here{near}{hint}",
            )
    _take_preset(shape, raw.get("preset"))
    answers = raw.get("answers", {})
    if answers is None:
        answers = {}
    if not isinstance(answers, Mapping):
        shape.refuse("/answers", "type an object of question ids and values")
        answers = {}
    if "answers" not in raw and shape.preset is None and not shape.problems:
        shape.refuse("", 'name a "preset", or give "answers"')
    _take_workloads(shape, answers)
    _take_flat(shape, answers)
    return shape


def _take_preset(shape: Shape, named: object) -> None:
    if named in (None, ""):
        return
    if isinstance(named, str) and named in PRESETS:
        shape.preset = PRESETS[named]
        return
    shape.refuse(
        "/preset",
        f"there is no preset {str(named)[:60]!r}{nearest(str(named), PRESETS) or '.'} "
        f"Presets are: {', '.join(PRESETS)}",
    )


def _take_workloads(shape: Shape, answers: Mapping[str, object]) -> None:
    listed = answers.get("workloads")
    if listed is None:
        count = len(shape.preset.workloads) if shape.preset else 1
        shape.workloads = [{} for _ in range(count)]
        shape.listed = count > 1
        return
    shape.listed = True
    if not isinstance(listed, list | tuple) or not listed:
        shape.refuse("/answers/workloads", "type a list with one object for each workload")
        listed = [{}]
    if len(listed) > MOST_WORKLOADS:
        shape.refuse("/answers/workloads", f"at most {MOST_WORKLOADS} workloads can be answered")
        listed = listed[:MOST_WORKLOADS]
    for index, listed_entry in enumerate(listed):
        entry = listed_entry
        pointer = f"/answers/workloads/{index}"
        if not isinstance(entry, Mapping):
            shape.refuse(pointer, "type an object of question ids and values")
            entry = {}
        shape.workloads.append(
            {key: value for key, value in entry.items() if _known(shape, key, pointer, "workload")}
        )


def _take_flat(shape: Shape, answers: Mapping[str, object]) -> None:
    for key, value in answers.items():
        if key == "workloads" or not _known(shape, key, "/answers", ""):
            continue
        if BY_ID[key].scope == "assessment":
            shape.assessment[key] = value
        elif len(shape.workloads) == 1 and key not in shape.workloads[0]:
            shape.workloads[0][key] = value
        elif len(shape.workloads) == 1:
            shape.refuse(
                f"/answers/{escaped(key)}", "answered twice; leave one of the two answers out"
            )
        else:
            shape.refuse(
                f"/answers/{escaped(key)}",
                f"there are {len(shape.workloads)} workloads; say which one by putting this "
                f'into its object: "workloads": [{{"{key}": ...}}, {{}}]',
            )


def _known(shape: Shape, key: object, pointer: str, scope: str) -> bool:
    place = f"{pointer}/{escaped(str(key))}"
    if not isinstance(key, str) or key not in BY_ID:
        shape.refuse(place, f"there is no question {str(key)[:60]!r}{nearest(str(key), BY_ID)}")
        return False
    if scope and BY_ID[key].scope != scope:
        shape.refuse(place, 'this is asked once for all: put it beside "workloads"')
        return False
    return True
