"""Answers as plain values: what was said, what was taken instead, and what was wrong with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TypeAlias

from advisor.engine.workload import Assumption

Row: TypeAlias = Mapping[str, str | float]
Value: TypeAlias = bool | int | float | str | tuple[str, ...] | tuple[Row, ...] | None
"""Values are in the unit of their question, not in base units: `None` is "no answer"."""


class Origin(StrEnum):
    """Who set a value."""

    GIVEN = "given"
    PRESET = "preset"
    DEFAULT = "default"
    DERIVED = "derived"  # computed from other answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong with the input: where it stands (RFC 6901) and what to type instead."""

    pointer: str
    message: str

    def as_dict(self) -> dict[str, str]:
        """The problem as an item of a problem document's `errors`."""
        return {"pointer": self.pointer, "message": self.message}


class InvalidAnswers(Exception):
    """Answers that cannot be read; carries every problem, not only the first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{each.pointer}: {each.message}" for each in self.problems))


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerSet:
    """Values of the assessment or of one workload, by question id; unasked ones hold defaults."""

    values: Mapping[str, Value]
    origins: Mapping[str, Origin]
    asked: frozenset[str]
    fallbacks: Mapping[str, Value]
    """Values of the preset that stand by, should its model not be in the catalogue."""

    def given(self, question: str) -> bool:
        """Whether the user or the preset set this value."""
        return self.origins.get(question) in (Origin.GIVEN, Origin.PRESET)

    def number(self, question: str) -> float:
        """The value of a numeric question that always has one."""
        value = self.values[question]
        if isinstance(value, str | tuple) or value is None:
            raise TypeError(f"{question} is not a number: {value!r}")
        return float(value)

    def number_or_none(self, question: str) -> float | None:
        """The value of a numeric question, where there is one."""
        return None if self.values[question] is None else self.number(question)

    def text(self, question: str) -> str:
        """The value of a question answered with a word; empty where there is none."""
        value = self.values[question]
        return "" if value is None else str(value)

    def flag(self, question: str) -> bool:
        """The value of a yes-or-no question."""
        return bool(self.values[question])

    def chosen(self, question: str) -> tuple[str, ...]:
        """The ticked options of a question that allows several."""
        value = self.values[question]
        return tuple(str(each) for each in value) if isinstance(value, tuple) else ()

    def rows(self, question: str) -> tuple[Row, ...]:
        """The rows of a table."""
        value = self.values[question]
        if not isinstance(value, tuple):
            return ()
        return tuple(each for each in value if isinstance(each, Mapping))

    def as_dict(self) -> dict[str, object]:
        """The set as JSON carries it."""
        return {
            "values": {key: _jsonable(value) for key, value in self.values.items()},
            "origins": {key: origin.value for key, origin in self.origins.items()},
            "asked": sorted(self.asked),
            "fallbacks": {key: _jsonable(value) for key, value in self.fallbacks.items()},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Everything a run needs to know from the user, read, checked and completed."""

    preset: str  # id, "" for none
    read_on: date
    assessment: AnswerSet
    workloads: tuple[AnswerSet, ...]
    assumptions: tuple[Assumption, ...]
    set_aside: tuple[str, ...]
    warnings: tuple[str, ...]
    echo: Mapping[str, str]
    """What was understood, as text, by the JSON pointer of the answer."""

    def as_dict(self) -> dict[str, object]:
        """The answers as JSON carries them; `answers_from_dict` reads them back."""
        return {
            "schema": "answers/1",
            "preset": self.preset,
            "read_on": self.read_on.isoformat(),
            "assessment": self.assessment.as_dict(),
            "workloads": [each.as_dict() for each in self.workloads],
            "assumptions": [
                {name: getattr(each, name) for name in Assumption.__dataclass_fields__}
                for each in self.assumptions
            ],
            "set_aside": list(self.set_aside),
            "warnings": list(self.warnings),
            "echo": dict(self.echo),
        }


def answers_from_dict(document: Mapping[str, object]) -> Answers:
    """The answers that `Answers.as_dict` wrote, equal to the ones before."""
    return Answers(
        preset=str(document["preset"]),
        read_on=date.fromisoformat(str(document["read_on"])),
        assessment=_answer_set(_mapping(document["assessment"])),
        workloads=tuple(_answer_set(_mapping(each)) for each in _list(document["workloads"])),
        assumptions=tuple(
            Assumption(**{str(key): str(value) for key, value in _mapping(each).items()})
            for each in _list(document["assumptions"])
        ),
        set_aside=tuple(str(each) for each in _list(document["set_aside"])),
        warnings=tuple(str(each) for each in _list(document["warnings"])),
        echo={key: str(value) for key, value in _mapping(document["echo"]).items()},
    )


def _answer_set(document: Mapping[str, object]) -> AnswerSet:
    return AnswerSet(
        values={key: _value(value) for key, value in _mapping(document["values"]).items()},
        origins={key: Origin(str(value)) for key, value in _mapping(document["origins"]).items()},
        asked=frozenset(str(each) for each in _list(document["asked"])),
        fallbacks={key: _value(value) for key, value in _mapping(document["fallbacks"]).items()},
    )


def _jsonable(value: Value) -> object:
    if isinstance(value, tuple):
        return [dict(each) if isinstance(each, Mapping) else each for each in value]
    return value


def _value(value: object) -> Value:
    if isinstance(value, list):
        if any(isinstance(each, Mapping) for each in value):
            return tuple(_row(each) for each in value)
        return tuple(str(each) for each in value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"not an answer: {value!r}")


def _row(value: object) -> Row:
    return {
        key: float(cell) if isinstance(cell, int | float) else str(cell)
        for key, cell in _mapping(value).items()
    }


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise TypeError(f"not an object: {value!r}")
    return value


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError(f"not a list: {value!r}")
    return value
