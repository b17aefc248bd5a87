"""The questions themselves, as `fixtures/questions.csv` declares them."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

from advisor.questions import rules

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
NUMERIC_TYPES = frozenset({"int", "decimal", "percent", "money"})
LIST_TYPES = frozenset({"multi_enum", "country_list"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One way to answer a question with fixed answers."""

    id: str
    label: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Item:
    """One question: what is asked, in which unit, within which limits, and when."""

    id: str
    section: str
    scope: str  # "assessment", or "workload": asked once for each
    label: str
    help: str
    unit: str
    type: str  # int, decimal, percent, money, bool, enum, multi_enum, text, long_text, date,
    # country_list, currency, model_ref, accel_ref, region_ref, table or file
    options: tuple[Option, ...]
    columns: tuple[str, ...]  # of a table
    default: str  # as one would type it; a leading "=" makes it a rule
    basis: str  # why this default
    hard_min: float | None
    hard_max: float | None
    warn_below: float | None
    warn_above: float | None
    required: str  # required, recommended, optional
    tier: int  # 1 quick, 2 standard, 3 expert
    show_when: str
    used: bool  # whether any stage uses the answer; a question that none uses is not asked
    use: str  # what it is used for

    @property
    def default_rule(self) -> str:
        """The rule that computes the default; empty where the default is a fixed value."""
        return self.default[1:].strip() if self.default.startswith("=") else ""

    @property
    def is_numeric(self) -> bool:
        """Whether the answer is a number."""
        return self.type in NUMERIC_TYPES

    @property
    def is_list(self) -> bool:
        """Whether the answer is a list of words."""
        return self.type in LIST_TYPES

    @cached_property
    def option_labels(self) -> Mapping[str, str]:
        """Label of each option by its id."""
        return MappingProxyType({option.id: option.label for option in self.options})

    def show_when_json(self) -> object:
        """The condition under which it is asked, as nested lists for the browser."""
        return rules.as_json(rules.parsed(self.show_when))

    def as_dict(self) -> dict[str, object]:
        """The question as JSON carries it: for API documentation and hiding in the browser."""
        return {
            "id": self.id,
            "section": self.section,
            "scope": self.scope,
            "label": self.label,
            "help": self.help,
            "unit": self.unit,
            "type": self.type,
            "options": [{"id": each.id, "label": each.label} for each in self.options],
            "columns": list(self.columns),
            "default": self.default,
            "basis": self.basis,
            "hard_min": self.hard_min,
            "hard_max": self.hard_max,
            "warn_below": self.warn_below,
            "warn_above": self.warn_above,
            "required": self.required,
            "tier": self.tier,
            "show_when": self.show_when_json(),
            "used": self.used,
            "use": self.use,
        }


def _rows(name: str) -> list[dict[str, str]]:
    with (FIXTURES / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _limit(text: str) -> float | None:
    return float(text) if text else None


def _item(row: Mapping[str, str], options: tuple[Option, ...]) -> Item:
    return Item(
        id=row["id"],
        section=row["section"],
        scope=row["scope"],
        label=row["label"],
        help=row["help"],
        unit=row["unit"],
        type=row["type"],
        options=options,
        columns=tuple(row["columns"].split("|")) if row["columns"] else (),
        default=row["default"],
        basis=row["basis"],
        hard_min=_limit(row["hard_min"]),
        hard_max=_limit(row["hard_max"]),
        warn_below=_limit(row["warn_below"]),
        warn_above=_limit(row["warn_above"]),
        required=row["required"],
        tier=int(row["tier"]),
        show_when=row["show_when"],
        used=row["used"] == "yes",
        use=row["use"],
    )


def read_items() -> tuple[Item, ...]:
    """All questions in their order."""
    options: dict[str, list[Option]] = {}
    for row in _rows("question_options.csv"):
        options.setdefault(row["question"], []).append(Option(id=row["option"], label=row["label"]))
    return tuple(_item(row, tuple(options.get(row["id"], ()))) for row in _rows("questions.csv"))


QUESTIONS: tuple[Item, ...] = read_items()
BY_ID: Mapping[str, Item] = MappingProxyType({item.id: item for item in QUESTIONS})
SECTIONS: tuple[str, ...] = tuple(dict.fromkeys(item.section for item in QUESTIONS))
