"""Presets: complete starting points that a user names, confirms and changes."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from advisor.engine.answers import Value
from advisor.questions.items import BY_ID, FIXTURES
from advisor.questions.parsing import parse

MOST_TO_CONFIRM = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A named set of answers: the assessment's, and those of each workload."""

    id: str
    name: str
    summary: str  # one line
    description: str
    confirm: tuple[str, ...]
    """Question ids of the first page; a workload's question for each workload that asks it."""
    assessment: Mapping[str, Value]
    workloads: tuple[Mapping[str, Value], ...]

    @property
    def answers(self) -> dict[str, object]:
        """The answers in the form that `read_answers` takes."""
        return {**self.assessment, "workloads": [dict(each) for each in self.workloads]}


def _parsed(raw: Mapping[str, object]) -> Mapping[str, Value]:
    return MappingProxyType({key: parse(BY_ID[key], value) for key, value in raw.items()})


def read_presets() -> Mapping[str, Preset]:
    """All presets by id, in the order in which they are offered."""
    document = tomllib.loads((FIXTURES / "presets.toml").read_text(encoding="utf-8"))
    return MappingProxyType(
        {
            key: Preset(
                id=key,
                name=entry["name"],
                summary=entry["summary"],
                description=" ".join(entry["description"].split()),
                confirm=tuple(entry["confirm"]),
                assessment=_parsed(entry.get("assessment", {})),
                workloads=tuple(_parsed(each) for each in entry["workloads"]),
            )
            for key, entry in document.items()
        }
    )


PRESETS: Mapping[str, Preset] = read_presets()
