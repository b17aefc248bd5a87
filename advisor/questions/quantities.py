"""Numbers as people type them, with separators, multipliers and units, in the question's unit."""

import math
import re
from collections.abc import Mapping

_COUNT_SCALES: Mapping[str, float] = {"thousand": 1e3, "million": 1e6, "billion": 1e9}
_MULTIPLIERS: Mapping[str, float] = {
    "k": 1e3,
    "thousand": 1e3,
    "M": 1e6,
    "mn": 1e6,
    "million": 1e6,
    "G": 1e9,
    "B": 1e9,
    "b": 1e9,
    "bn": 1e9,
    "billion": 1e9,
    "T": 1e12,
    "tn": 1e12,
    "trillion": 1e12,
}
# Suffixes by what they measure, each in one base unit of its kind.
_SUFFIXES: Mapping[str, Mapping[str, float]] = {
    "time": {
        "us": 1e-6,
        "ms": 1e-3,
        "s": 1.0,
        "sec": 1.0,
        "second": 1.0,
        "min": 60.0,
        "m": 60.0,
        "minute": 60.0,
        "h": 3600.0,
        "hr": 3600.0,
        "hour": 3600.0,
        "d": 86_400.0,
        "day": 86_400.0,
        "w": 604_800.0,
        "week": 604_800.0,
        "mo": 365 * 7200.0,
        "month": 365 * 7200.0,
        "y": 365 * 86_400.0,
        "yr": 365 * 86_400.0,
        "year": 365 * 86_400.0,
    },
    "bytes": {
        "kb": 1e3,
        "mb": 1e6,
        "gb": 1e9,
        "tb": 1e12,
        "pb": 1e15,
        "eb": 1e18,
        "mib": 2.0**20,
        "gib": 2.0**30,
        "tib": 2.0**40,
        "pib": 2.0**50,
    },
    "power": {"w": 1.0, "kw": 1e3, "mw": 1e6, "gw": 1e9},
    "flop": {"mflop": 1e6, "gflop": 1e9, "tflop": 1e12, "pflop": 1e15},
}
_OWN_UNITS: Mapping[str, tuple[str, float]] = {
    "ms": ("time", 1e-3),
    "seconds": ("time", 1.0),
    "minutes": ("time", 60.0),
    "hours": ("time", 3600.0),
    "days": ("time", 86_400.0),
    "weeks": ("time", 604_800.0),
    "months": ("time", 365 * 7200.0),
    "years": ("time", 365 * 86_400.0),
    "GB": ("bytes", 1e9),
    "TB": ("bytes", 1e12),
    "TB/month": ("bytes", 1e12),
    "W": ("power", 1.0),
    "kW": ("power", 1e3),
    "GFLOP": ("flop", 1e9),
}
_TYPED = re.compile(
    r"""^\s*(?P<before>[$€£¥]|[A-Z]{3}\s)?\s*
    (?P<number>[+-]?(?:\d[\d\s_'’.,]*|[.,]\d+)(?:[eE][+-]?\d+)?)
    \s*(?P<after>.*?)\s*$""",
    re.VERBOSE,
)
_LONGEST = 60


class NotANumber(ValueError):
    """A text that holds no number, or a unit that does not fit the question."""


def quantity(raw: float | str, unit: str, *, money: bool = False) -> float:
    """The number in the question's unit: `512k`, `1.5 M`, `40 kW`, `3 d`, `0,5` are understood.

    A multiplier counts single things, also where the question counts thousands or millions:
    `2 M` thousand users are 2,000 thousand. Suffixes of time, bytes, power and FLOP convert.
    """
    try:
        value = _typed_quantity(raw, unit, money=money) if isinstance(raw, str) else float(raw)
    except OverflowError:
        value = math.inf
    if not math.isfinite(value):
        raise NotANumber(f"{str(raw)[:_LONGEST]!r} is not a finite number")
    return value


def _typed_quantity(text: str, unit: str, *, money: bool) -> float:
    match = _TYPED.match(text)
    if match is None:
        raise NotANumber(f"{text[:_LONGEST]!r} is not a number")
    if match["before"] and not money:
        raise NotANumber(f"{text[:_LONGEST]!r} has a currency where none belongs")
    return plain_number(match["number"]) * _factor(match["after"], unit, money=money)


def _factor(after: str, unit: str, *, money: bool) -> float:
    if not after or after.casefold() == unit.casefold() or _same_words(after, unit):
        return 1.0
    if unit.startswith("%"):
        if after.startswith("%"):
            return 1.0
        raise NotANumber(f"{after[:_LONGEST]!r} does not fit; type percent")
    kind, own = _OWN_UNITS.get(unit, ("", 1.0))
    suffix = after.lower().removesuffix("/month")
    for spelling in (suffix, suffix.removesuffix("s")):
        if kind and spelling in _SUFFIXES[kind]:
            return _SUFFIXES[kind][spelling] / own
    word, _, rest = after.partition(" ")
    multiplier = _MULTIPLIERS.get(word, _MULTIPLIERS.get(word.lower() if len(word) > 1 else word))
    if word == "K":
        multiplier = 1e3
    if multiplier is not None and not kind and _fits(rest, unit, money=money):
        return multiplier / _COUNT_SCALES.get(unit.partition(" ")[0], 1.0)
    if money and _fits(after, unit, money=True):
        return 1.0
    raise NotANumber(f"{after[:_LONGEST]!r} does not fit the unit")


def _same_words(after: str, unit: str) -> bool:
    things = unit.partition(" ")[2] if unit.partition(" ")[0] in _COUNT_SCALES else unit
    bare = things.casefold().removesuffix("s")
    return unit == things and after.casefold().removesuffix("s") == bare


def _fits(rest: str, unit: str, *, money: bool) -> bool:
    if not rest:
        return True
    if money:
        return re.fullmatch(r"([$€£¥]|[A-Za-z]{3})(\s*(/|per).*)?", rest) is not None
    things = unit.partition(" ")[2] if unit.partition(" ")[0] in _COUNT_SCALES else unit
    return rest.casefold().removesuffix("s") == things.casefold().removesuffix("s")


def plain_number(text: str) -> float:
    """A number with decimal point or comma, and thousands set apart or not.

    One comma before exactly three digits could be either, so it is refused with both readings.
    """
    digits = re.sub(r"[\s_'’]", "", text)
    comma, dot = digits.rfind(","), digits.rfind(".")
    if comma >= 0 and dot >= 0:
        decimal = "," if comma > dot else "."
        thousands = "." if decimal == "," else ","
        digits = _grouped(digits, thousands, decimal, text).replace(decimal, ".")
    elif digits.count(",") > 1 or digits.count(".") > 1:
        digits = _grouped(digits, "," if comma >= 0 else ".", "", text)
    elif comma >= 0:
        whole, _, fraction = digits.partition(",")
        if re.fullmatch(r"[+-]?[1-9]\d{0,2}", whole) and re.fullmatch(r"\d{3}", fraction):
            raise NotANumber(
                f"{text.strip()!r} may mean {whole}{fraction} or {whole}.{fraction}: "
                "type one of these"
            )
        digits = f"{whole or '0'}.{fraction}"
    try:
        return float(digits)
    except ValueError as error:
        raise NotANumber(f"{text.strip()[:_LONGEST]!r} is not a number") from error


def _grouped(digits: str, thousands: str, decimal: str, text: str) -> str:
    whole, point, fraction = digits.partition(decimal) if decimal else (digits, "", "")
    groups = whole.lstrip("+-").split(thousands)
    if not all(len(group) == 3 for group in groups[1:]) or len(groups[0]) > 3:  # noqa: PLR2004
        raise NotANumber(f"{text.strip()[:_LONGEST]!r} has its separators in odd places")
    return whole.replace(thousands, "") + point + fraction


def shown_number(value: float) -> str:
    """A number for people: thousands set apart by commas, at most six significant digits."""
    if value == 0:
        return "0"
    if isinstance(value, int) or (value.is_integer() and abs(value) < 1e15):  # noqa: PLR2004
        return f"{int(value):,}"
    return f"{value:,.6g}"
