"""Figures of a what-if: declared once, read from a page's form and from the API alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from advisor.engine.answers import InvalidAnswers, Problem

Values = Mapping[str, Any]
MOST_CHARACTERS = 200


class Problems(InvalidAnswers):
    """Figures that cannot be used, each with what would be right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One figure: a number between two ends, one of some options, or a short text."""

    id: str
    label: str
    help: str
    value: float | str
    low: float = 0.0
    high: float = 0.0
    options: tuple[tuple[str, str], ...] = ()
    group: str = ""
    whole: bool = False

    @property
    def is_number(self) -> bool:
        """Whether it is a number."""
        return isinstance(self.value, float | int)

    def read(self, given: object) -> float | str:
        """What was typed as a value; raises ValueError with what to type instead."""
        text = str(given).strip()
        if self.options:
            known = [option for option, _ in self.options]
            if text not in known:
                message = f"“{text[:40]}” is none of {', '.join(known)}"
                raise ValueError(message)
            return text
        if not self.is_number:
            if len(text) > MOST_CHARACTERS:
                message = f"type at most {MOST_CHARACTERS} characters"
                raise ValueError(message)
            return text
        return self._number(text)

    def _number(self, text: str) -> float:
        kind = "a whole number" if self.whole else "a number"
        wanted = f"type {kind} from {self.low:g} to {self.high:g}"
        try:
            value = float(text.replace(",", "."))
        except ValueError:
            raise ValueError(wanted) from None
        if not self.low <= value <= self.high or (self.whole and value != int(value)):
            raise ValueError(wanted)
        return value


def number(
    name: str, label: str, help_text: str, value: float, low: float, high: float, *,
    whole: bool = False, group: str = "",
) -> Field:  # fmt: skip
    """A figure between two ends."""
    return Field(
        id=name, label=label, help=help_text, value=value, low=low, high=high, whole=whole,
        group=group,
    )  # fmt: skip


def read_values(fields: Sequence[Field], given: Mapping[str, object]) -> dict[str, Any]:
    """All values of a what-if: what was given, else the plan's own; raises Problems.

    An empty number is the plan's own; names that no field has are refused.
    """
    found: dict[str, Any] = {}
    problems = []
    for field in fields:
        typed = given.get(field.id)
        if typed is None or (field.is_number and not str(typed).strip()):
            found[field.id] = field.value
            continue
        try:
            found[field.id] = field.read(typed)
        except ValueError as error:
            problems.append(Problem(pointer=f"/{field.id}", message=f"{field.label}: {error}"))
    known = {field.id for field in fields}
    problems += [
        Problem(pointer=f"/{name}", message=f"there is no figure {name!r} here")
        for name in given
        if name not in known
    ]
    if problems:
        raise Problems(problems)
    return found
