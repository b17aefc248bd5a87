"""Fields of the questionnaire as a page shows them: kind of input, what is in it, what is wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from advisor.engine.latency.traces import FORMATS, LARGEST_BYTES
from advisor.questions import BY_ID, PRESETS, QUESTIONS, SECTIONS, Asked, Draft, Option, asked
from advisor.questions.rules import names
from catalog.queries import accelerator_names, model_names

RADIO_UP_TO = 3
YES_NO = (Option(id="yes", label="Yes"), Option(id="no", label="No"))
REFERENCES = ("model_ref", "accel_ref")
WIDE_TYPES = ("text", "model_ref", "accel_ref", "country_list", "long_text")
BASIS_BY_ORIGIN: Mapping[str, str] = {
    "preset": "from the preset",
    "default": "our default",
    "derived": "follows from other answers",
}
_DEFAULT_WORDS: Mapping[str, str] = {
    "our assumption": "our assumption",
    "convention": "our default, by convention",
}
ASSESSMENT_FIRST = ("Decision",)
_ORDER = {section: place for place, section in enumerate(SECTIONS)}


def _controlling() -> frozenset[str]:
    """Ids of the questions whose answer decides whether others are asked."""
    return frozenset(name for item in QUESTIONS if item.show_when for name in names(item.show_when))


CONTROLLING = _controlling()


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One question as an input of a page."""

    asked: Asked
    widget: str  # text, textarea, date, radio, select, checks, reference, file
    text: str  # what stands in it: also what could not be read
    options: tuple[Option, ...]
    basis: str
    warning: str
    controls: bool

    @property
    def name(self) -> str:
        """The field's name and the stem of its ids."""
        return self.asked.name

    @property
    def described_by(self) -> str:
        """Ids of the texts that explain it, for assistive technology."""
        parts = [("help", self.asked.item.help), ("error", self.asked.problems)]
        parts += [("basis", self.basis), ("warning", self.warning)]
        return " ".join(f"{self.name}-{part}" for part, present in parts if present)

    @property
    def is_wide(self) -> bool:
        """Whether its text may be long."""
        return self.asked.item.type in WIDE_TYPES

    @property
    def readable(self) -> str:
        """Which files it takes."""
        return f"Readable: {'; '.join(FORMATS)}. At most {LARGEST_BYTES // 1_000_000} MB."

    @property
    def is_numeric(self) -> bool:
        """Whether a number is typed into it."""
        return self.asked.item.is_numeric


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Fields of one section."""

    title: str
    anchor: str
    fields: tuple[Field, ...]

    @property
    def problems(self) -> int:
        """How many fields of it have a problem."""
        return sum(bool(field.asked.problems) for field in self.fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The questions asked once, or those of one workload."""

    title: str
    anchor: str
    workload: int | None
    blocks: tuple[Block, ...]


def field_of(each: Asked, raw: Mapping[str, Any], warnings: Sequence[str] = ()) -> Field:
    """A question as an input; text that could not be read stays as it was typed."""
    item = each.item
    text = each.typed
    if each.problems and item.type != "file":
        refused = _raw_answer(raw, each)
        text = refused if refused is not None else text
    widget, options = _widget(each)
    basis = BASIS_BY_ORIGIN.get(each.origin.value, "") if each.shown != "none" else ""
    if each.origin.value == "default" and item.basis and basis:
        basis = _DEFAULT_WORDS.get(item.basis, f"{basis}: {item.basis}")
    return Field(
        asked=each,
        widget=widget,
        text=text.replace("|", ", ") if item.type == "country_list" else text,
        options=options,
        basis=basis,
        warning=_warning(each),
        controls=item.id in CONTROLLING,
    )


def _widget(each: Asked) -> tuple[str, tuple[Option, ...]]:
    item = each.item
    if item.type == "bool":
        return "radio", YES_NO
    if item.type == "enum":
        return ("radio" if len(item.options) <= RADIO_UP_TO else "select"), item.options
    by_type = {
        "multi_enum": "checks",
        "date": "date",
        "long_text": "textarea",
        "table": "textarea",
        "file": "file",
        "model_ref": "reference",
        "accel_ref": "reference",
    }
    return by_type.get(item.type, "text"), item.options


def _warning(each: Asked) -> str:
    """A comment on a value that is taken but unusual."""
    value, item = each.value, each.item
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    if item.warn_below is not None and value < item.warn_below:
        return f"Unusually low: check that you mean {each.shown}."
    if item.warn_above is not None and value > item.warn_above:
        return f"Unusually high: check that you mean {each.shown}."
    return ""


def _raw_answer(raw: Mapping[str, Any], each: Asked) -> str | None:
    answers = raw.get("answers") or {}
    place: Any = answers
    if each.workload is not None:
        listed = answers.get("workloads") or []
        place = listed[each.workload] if each.workload < len(listed) else {}
    value = place.get(each.item.id) if isinstance(place, Mapping) else None
    if isinstance(value, list | tuple):
        return ", ".join(str(part) for part in value)
    return None if value is None else str(value)


def parts_of(drafted: Draft, raw: Mapping[str, Any], *, tier: int) -> tuple[Part, ...]:
    """The questionnaire in its order: the decision, each workload, then what is asked once.

    Questions above the tier are left out unless something is wrong with their answer.
    """
    fields = [
        field_of(each, raw) for each in asked(drafted) if each.item.tier <= tier or each.problems
    ]
    general = [field for field in fields if field.asked.workload is None]
    first = [f for f in general if f.asked.item.section in ASSESSMENT_FIRST]
    rest = [f for f in general if f.asked.item.section not in ASSESSMENT_FIRST]
    parts = [Part(title="Decision", anchor="decision", workload=None, blocks=_blocks(first, "a"))]
    for index, answered in enumerate(drafted.answers.workloads):
        mine = [field for field in fields if field.asked.workload == index]
        parts.append(
            Part(
                title=answered.text("workload_name"),
                anchor=f"workload-{index + 1}",
                workload=index,
                blocks=_blocks(mine, f"w{index}"),
            )
        )
    parts.append(
        Part(title="For all workloads", anchor="all", workload=None, blocks=_blocks(rest, "all"))
    )
    return tuple(part for part in parts if part.blocks or part.workload is not None)


def _blocks(fields: Sequence[Field], prefix: str) -> tuple[Block, ...]:
    sections: dict[str, list[Field]] = {}
    for field in fields:
        sections.setdefault(field.asked.item.section, []).append(field)
    return tuple(
        Block(title=title, anchor=f"{prefix}-{_ORDER[title]}", fields=tuple(found))
        for title, found in sorted(sections.items(), key=lambda pair: _ORDER[pair[0]])
    )


def unplaced_problems(drafted: Draft, fields: Sequence[Field]) -> list[str]:
    """Messages of problems that belong to no field of the page."""
    shown = {message for field in fields for message in field.asked.problems}
    return [p.message for p in drafted.problems if p.message not in shown]


def all_fields(parts: Sequence[Part]) -> list[Field]:
    """Every field of the questionnaire's parts."""
    return [field for part in parts for block in part.blocks for field in block.fields]


def references(fields: Sequence[Field]) -> dict[str, list[tuple[str, str]]]:
    """Slug and name of what the catalogue offers, for the kinds of reference on a page."""
    kinds = {field.asked.item.type for field in fields}
    found: dict[str, list[tuple[str, str]]] = {}
    if "model_ref" in kinds:
        found["model_ref"] = [(each.slug, each.name) for each in model_names()]
    if "accel_ref" in kinds:
        found["accel_ref"] = [(each.slug, each.name) for each in accelerator_names()]
    return found


def with_workload(raw: Mapping[str, Any], count: int) -> dict[str, Any]:
    """The answers with one more workload after the `count` there are."""
    answers = dict(raw.get("answers") or {})
    listed = [dict(each) for each in answers.get("workloads") or []]
    listed += [{} for _ in range(count + 1 - len(listed))]
    return {**raw, "answers": {**answers, "workloads": listed}}


def without_workload(raw: Mapping[str, Any], index: int, count: int) -> dict[str, Any]:
    """The answers without one workload.

    The preset's values go by the workload's place, so they are written out first and the
    preset is left behind.
    """
    answers = dict(raw.get("answers") or {})
    listed = [dict(each) for each in answers.pop("workloads", None) or []]
    listed += [{} for _ in range(count - len(listed))]
    preset = PRESETS.get(str(raw.get("preset") or ""))
    if preset is not None:
        answers = {**preset.assessment, **answers}
        listed = [
            {**(preset.workloads[place] if place < len(preset.workloads) else {}), **each}
            for place, each in enumerate(listed)
        ]
    if len(listed) > 1:
        del listed[index]
    return {"answers": {**answers, "workloads": listed}}


def kinds_of_preset(preset_id: str) -> list[str]:
    """Labels of what a preset's workloads are."""
    labels = BY_ID["workload"].option_labels
    return [
        labels.get(str(each.get("workload", "")), str(each.get("workload", "")))
        for each in PRESETS[preset_id].workloads
    ]
