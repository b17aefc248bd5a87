"""Names that answers share with the catalogue: found by their spellings, or refused."""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from advisor.engine.answers import Row, Value
from advisor.questions.items import Item
from advisor.questions.parsing import NotUnderstood

Finder = Callable[[str], str | None]
Spellings = Callable[[], Mapping[str, str]]
_MOST_NEAR = 3
_NEAR = 0.5  # likeness from which a name may have been meant


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """How the catalogue's names are found; a kind that is not given is taken as it is typed."""

    model: Finder | None = None  # a published spelling into a slug, None where unknown
    accelerator: Finder | None = None
    provider: Spellings | None = None  # each spelling in lower case: the name that offers carry
    maker: Spellings | None = None


def looked_up(item: Item, value: Value, names: Names) -> Value:
    """An answer with the names of the catalogue in place of what was typed.

    Raises NotUnderstood where the catalogue holds no such name: in a table with its row.
    """
    if item.type == "table" and isinstance(value, tuple):
        return tuple(
            _row(row, number, names) if isinstance(row, Mapping) else row
            for number, row in enumerate(value, start=1)
        )  # type: ignore[return-value]  # rows stay rows
    if not isinstance(value, str) or value == "":
        return value
    if item.type == "model_ref" and names.model is not None:
        help_out = "or leave this empty and give its parameters"
        return _slug(value, names.model, f"model {value[:80]!r}", f", {help_out}")
    if item.type == "accel_ref" and names.accelerator is not None:
        return _slug(value, names.accelerator, f"accelerator {value[:80]!r}")
    return value


def _slug(text: str, find: Finder, what: str, more: str = "") -> str:
    slug = find(text)
    if slug is None:
        raise NotUnderstood(f"the catalogue holds no {what}; name one of the catalogue{more}")
    return slug


def _row(row: Row, number: int, names: Names) -> Row:
    """A row of a table, its name looked up: tables are of providers, makers or accelerators."""
    changed = dict(row)
    for column, what, spellings in (
        ("provider", "provider", names.provider),
        ("vendor", "maker of accelerators", names.maker),
    ):
        if column in row and spellings is not None:
            changed[column] = _spelled(str(row[column]), spellings(), what, number)
    if "accel_ref" in row and names.accelerator is not None:
        text = str(row["accel_ref"])
        changed["accel_ref"] = _slug(
            text, names.accelerator, f"accelerator {text[:80]!r} (row {number})"
        )
    return changed


def _spelled(text: str, spellings: Mapping[str, str], what: str, number: int) -> str:
    name = spellings.get(text.strip().lower())
    if name is not None:
        return name
    near = difflib.get_close_matches(text.lower(), spellings, n=_MOST_NEAR, cutoff=_NEAR)
    meant = list(dict.fromkeys(spellings[each] for each in near))
    known = sorted(set(spellings.values()), key=str.lower)
    hint = f"did you mean {' or '.join(meant)}?" if meant else f"there are {', '.join(known)}."
    raise NotUnderstood(f"row {number}: the catalogue holds no {what} {text[:80]!r}; {hint}")
