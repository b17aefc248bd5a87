"""Typed text and JSON values become answers in the unit of their question."""

import difflib
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date

from advisor.engine.answers import Row, Value
from advisor.questions.codes import COUNTRIES, COUNTRY_GROUPS, CURRENCIES
from advisor.questions.items import Item
from advisor.questions.logs import LogNotRead, read_log
from advisor.questions.quantities import NotANumber, quantity, shown_number

_YES = frozenset({"yes", "y", "true", "on", "1"})
_NO = frozenset({"no", "n", "false", "off", "0"})
_LONGEST_TEXT = {"text": 120, "long_text": 4000}
_LONGEST_REF = 200
_SHORTEST_NAME = 3
_MOST_ROWS = 200
_NUMBERS = frozenset(
    {"percent", "amount", "count", "age_months", "free_share_pct", "resale_each"}
)  # columns of a table that hold numbers
_NEEDED = frozenset({"percent"})  # columns of a table without which a row says nothing
_PERCENT_MAX = 100.0


class NotUnderstood(ValueError):
    """A value that its question cannot take; the message says what to type."""


def parse(item: Item, raw: object) -> Value:
    """The answer that `raw` means for this question; raises NotUnderstood with what to type."""
    return _PARSERS[item.type](item, raw)


def is_blank(raw: object) -> bool:
    """Whether nothing was answered: the default stands."""
    return raw is None or (isinstance(raw, str) and not raw.strip())


def shown(item: Item, value: Value) -> str:
    """An answer as text for people: with separators, labels and unit."""
    if value is None or value in ("", ()):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return f"{shown_number(value)} {item.unit}".strip()
    if isinstance(value, tuple):
        if item.type == "file":
            return "; ".join(_log(each) for each in value if isinstance(each, Mapping))
        return "; ".join(
            ", ".join(str(cell) for cell in each.values())
            if isinstance(each, Mapping)
            else item.option_labels.get(each, each)
            for each in value
        )
    return item.option_labels.get(value, value)


def _log(kept: Row) -> str:
    """A log in a few words."""
    return (
        f"{kept['name']}: {shown_number(float(kept['requests']))} requests in "
        f"{shown_number(round(float(kept['duration_s'])))} seconds"
    )


def typed(item: Item, value: Value) -> str:
    """An answer as one would type it into a field: `parse` reads it back."""
    if value is None or item.type == "file":
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)  # noqa: PLR2004
    if isinstance(value, tuple):
        return (
            "\n".join(
                ", ".join(str(cell) for cell in each.values())
                if isinstance(each, Mapping)
                else each
                for each in value
            )
            if item.type == "table"
            else "|".join(str(each) for each in value)
        )
    return str(value)


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean ...?` where a known word is close, else nothing."""
    close = difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


def _number(item: Item, raw: object) -> Value:
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        raise NotUnderstood(f"this takes a number{_of_unit(item)}, not {_kind(raw)}")
    try:
        value = quantity(raw, item.unit, money=item.type == "money")
    except NotANumber as error:
        raise NotUnderstood(f"{error}; type a number{_of_unit(item)}{_range(item)}") from error
    if item.type == "int":
        if not math.isclose(value, round(value), rel_tol=1e-9):
            raise NotUnderstood(f"{shown_number(value)} is not a whole number; type a whole number")
        value = round(value)
    if item.hard_min is not None and value < item.hard_min:
        raise NotUnderstood(
            f"{shown_number(value)} is too small; type {shown_number(item.hard_min)} "
            f"or more{_of_unit(item)}"
        )
    if item.hard_max is not None and value > item.hard_max:
        raise NotUnderstood(
            f"{shown_number(value)} is too large; type {shown_number(item.hard_max)} "
            f"or less{_of_unit(item)}"
        )
    return value


def _of_unit(item: Item) -> str:
    return f" ({item.unit})" if item.unit else ""


def _range(item: Item) -> str:
    if item.hard_min is None or item.hard_max is None:
        return ""
    return f" from {shown_number(item.hard_min)} to {shown_number(item.hard_max)}"


def _kind(raw: object) -> str:
    if isinstance(raw, bool):
        return "yes or no"
    if isinstance(raw, Mapping):
        return "an object"
    if isinstance(raw, list | tuple):
        return "a list"
    return f"{str(raw)[:60]!r}"


def _yes_or_no(item: Item, raw: object) -> Value:
    if isinstance(raw, bool):
        return raw
    word = str(raw).strip().lower()
    if isinstance(raw, str | int) and word in _YES | _NO:
        return word in _YES
    raise NotUnderstood(f"type yes or no, not {_kind(raw)}")


def _word(raw: object) -> str:
    return re.sub(r"[\s-]+", "_", str(raw).strip().lower())


def _option(item: Item, raw: object) -> str:
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        raise NotUnderstood(f"type one of: {_listed(item)}; not {_kind(raw)}")
    if isinstance(raw, float) and raw.is_integer():
        raw = int(raw)
    for option in item.options:
        if _word(raw) in (option.id.lower(), _word(option.label)):
            return option.id
    raise NotUnderstood(
        f"{str(raw)[:60]!r} is not an option"
        f"{nearest(_word(raw), item.option_labels) or '.'} Type one of: {_listed(item)}"
    )


def _listed(item: Item) -> str:
    return ", ".join(item.option_labels)


def _words(raw: object, *, what: str) -> list[object]:
    if isinstance(raw, str):
        return [part for part in re.split(r"[|,;\n]", raw) if part.strip()]
    if isinstance(raw, list | tuple | set | frozenset):
        return [part for part in raw if not is_blank(part)]
    raise NotUnderstood(f"type a list of {what}, or one text with | between them")


def _options(item: Item, raw: object) -> Value:
    bare = raw.strip().lower() if isinstance(raw, str) else ""
    if bare == "none" and "none" not in item.option_labels:
        return ()  # "none" alone empties the list, unless it is an option of its own
    found = [_option(item, each) for each in _words(raw, what="options")]
    wanted = set(found)
    return tuple(option.id for option in item.options if option.id in wanted)


def _text(item: Item, raw: object) -> Value:
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        raise NotUnderstood(f"type a text, not {_kind(raw)}")
    text = str(raw).strip().replace("\r\n", "\n")
    allowed = "\n\t" if item.type == "long_text" else ""
    if any(not character.isprintable() and character not in allowed for character in text):
        raise NotUnderstood("type plain text without control characters")
    longest = _LONGEST_TEXT.get(item.type, _LONGEST_REF)
    if len(text) > longest:
        raise NotUnderstood(f"{len(text)} characters are too many; type at most {longest}")
    if item.id == "assessment_name" and len(text) < _SHORTEST_NAME:
        raise NotUnderstood(f"type at least {_SHORTEST_NAME} characters")
    return text


def _day(item: Item, raw: object) -> Value:
    try:
        return date.fromisoformat(str(raw).strip()).isoformat()
    except ValueError as error:
        raise NotUnderstood(f"{str(raw)[:60]!r} is no date; type it as 2027-03-31") from error


def _countries(item: Item, raw: object) -> Value:
    if isinstance(raw, str) and raw.strip().lower() in ("none", "any", "anywhere"):
        return ()
    found: list[str] = []
    for each in _words(raw, what="countries"):
        code = str(each).strip().upper()
        if code in COUNTRY_GROUPS:
            found.extend(COUNTRY_GROUPS[code])
        elif code in COUNTRIES:
            found.append(code)
        else:
            raise NotUnderstood(
                f"{str(each)[:40]!r} is no country code; type two letters for each country "
                "(ISO 3166-1: DE, FR, US), or EU"
            )
    return tuple(dict.fromkeys(found))


def _currency(item: Item, raw: object) -> Value:
    code = str(raw).strip().upper()
    if code not in CURRENCIES:
        raise NotUnderstood(
            f"{str(raw)[:40]!r} is no currency code; type three letters (ISO 4217: USD, EUR, GBP)"
        )
    return code


def _table(item: Item, raw: object) -> Value:
    rows = [line for line in raw.splitlines() if line.strip()] if isinstance(raw, str) else raw
    if not isinstance(rows, Sequence):
        raise NotUnderstood(f"type one row a line: {', '.join(item.columns)}")
    if len(rows) > _MOST_ROWS:
        raise NotUnderstood(f"{len(rows)} rows are too many; type at most {_MOST_ROWS}")
    return tuple(_row(item, each) for each in rows)


def _row(item: Item, raw: object) -> Row:
    if isinstance(raw, Mapping):
        cells = {str(key): value for key, value in raw.items()}
        unknown = set(cells) - set(item.columns)
        if unknown:
            raise NotUnderstood(
                f"no column {sorted(unknown)[0]!r}; columns are {', '.join(item.columns)}"
            )
    else:
        parts = re.split(r"\s*[,;\t]\s*", raw.strip()) if isinstance(raw, str) else raw
        if not isinstance(parts, Sequence) or len(parts) > len(item.columns):
            raise NotUnderstood(f"type each row as: {', '.join(item.columns)}")
        cells = dict(zip(item.columns, parts, strict=False))
    for column in (item.columns[0], *(_NEEDED & set(item.columns))):
        if is_blank(cells.get(column)):
            raise NotUnderstood(f"the row has no {column}; type {', '.join(item.columns)}")
    return {column: _cell(column, cells[column]) for column in item.columns if column in cells}


def _cell(column: str, raw: object) -> str | float:
    if column == "ends_on":
        return _last_day(raw)
    if column not in _NUMBERS:
        return str(raw).strip()[:_LONGEST_REF]
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        raise NotUnderstood(f"{column} takes a number, not {_kind(raw)}")
    try:
        value = quantity(raw, "%" if column in ("percent", "free_share_pct") else "", money=False)
    except NotANumber as error:
        raise NotUnderstood(f"{column}: {error}") from error
    if value < 0 or (column in ("percent", "free_share_pct") and value > _PERCENT_MAX):
        raise NotUnderstood(f"{column} must be from 0 to 100")
    return value


def _last_day(raw: object) -> str:
    """A day in a table; empty where there is none."""
    text = str(raw).strip()
    if not text:
        return ""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise NotUnderstood(
            f"ends_on: {text[:40]!r} is no day; type it as 2028-03-31, or leave it empty"
        ) from error


def _file(item: Item, raw: object) -> Value:
    try:
        return (read_log(raw),)
    except LogNotRead as error:
        raise NotUnderstood(str(error)) from error


_PARSERS: Mapping[str, Callable[[Item, object], Value]] = {
    "int": _number,
    "decimal": _number,
    "percent": _number,
    "money": _number,
    "bool": _yes_or_no,
    "enum": _option,
    "multi_enum": _options,
    "text": _text,
    "long_text": _text,
    "date": _day,
    "country_list": _countries,
    "currency": _currency,
    "model_ref": _text,
    "accel_ref": _text,
    "region_ref": _text,
    "table": _table,
    "file": _file,
}
