"""Numbers for people to read: the only place of the project that rounds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import floor, isfinite, log10
from typing import Any

from django import template
from django.utils import timezone

from advisor.services.shown import shown
from catalog.units import (
    GIB,
    GIGA,
    KILO,
    MEGA,
    MILLISECOND,
    PERCENT,
    SECONDS_PER_DAY,
    SECONDS_PER_HOUR,
    SECONDS_PER_MINUTE,
    TERA,
)

register = template.Library()

OPEN = "price open"
UNKNOWN = "unknown"
DIGITS = 3
EVIDENCE_MEANING: Mapping[str, str] = {
    "measured": "a published measurement of this very configuration",
    "calibrated": "a model fitted on published measurements of its group",
    "estimated": "physics and defaults only",
    "list": "a published price",
    "reported": "second-hand",
    "assumed": "a default that nobody confirmed",
}
_PREFIXES = ((TERA * KILO, "P"), (TERA, "T"), (GIGA, "G"), (MEGA, "M"), (KILO, "k"))
_CENTS_BELOW = 100.0
_MINUTES_FROM_S, _HOURS_FROM_S, _DAYS_FROM_S = 120.0, 7_200.0, 345_600.0
_FRESH, _AGEING, _OLD = timedelta(days=31), timedelta(days=93), timedelta(days=365)


def _float(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if isfinite(number) else None


def decimals_for(value: float, digits: int = DIGITS) -> int:
    """Places after the point that show a number with so many significant digits."""
    if value == 0.0:
        return 0
    return max(0, digits - 1 - floor(log10(abs(value)) + 1e-12))


def _plain(value: float, decimals: int) -> str:
    text = f"{value:,.{decimals}f}"
    return text.replace("-", "\N{MINUS SIGN}")


@register.filter
def number(value: Any, digits: int = DIGITS) -> str:
    """A number with thousands separators and at least so many significant digits."""
    known = _float(value)
    if known is None:
        return UNKNOWN
    if known == int(known) and abs(known) < TERA:
        return _plain(known, 0)
    text = _plain(known, decimals_for(known, digits))
    return text.rstrip("0").rstrip(".") if "." in text else text


@register.filter
def usd(value: Any) -> str:
    """Money: whole units from a hundred on, cents below, three digits below one."""
    known = _float(value)
    if known is None:
        return OPEN
    known = shown().of_usd(known)
    magnitude = abs(known)
    if magnitude >= _CENTS_BELOW or known == 0.0:
        decimals = 0
    elif magnitude >= 1.0:
        decimals = 2
    else:
        decimals = max(2, decimals_for(known))
    sign = "\N{MINUS SIGN}" if known < 0 else ""
    return f"{sign}{shown().sign}{magnitude:,.{decimals}f}"


@register.filter
def usd_cents(value: Any) -> str:
    """Money to the cent, for columns that add up."""
    known = _float(value)
    if known is None:
        return OPEN
    sign = "\N{MINUS SIGN}" if known < 0 else ""
    return f"{sign}{shown().sign}{abs(shown().of_usd(known)):,.2f}"


@register.filter
def in_currency(text: Any) -> str:
    """A sentence or unit in USD, in the currency of the page."""
    return shown().unit(shown().words(str(text)))


@register.filter
def usd_short(value: Any) -> str:
    """Money for narrow places: $1.23M."""
    known = _float(value)
    if known is None:
        return OPEN
    for factor, letter in ((GIGA, "B"), (MEGA, "M")):
        if abs(shown().of_usd(known)) >= factor:
            return f"{shown().sign}{shown().of_usd(known) / factor:,.2f}{letter}"
    return usd(known)


@register.filter
def si(value: Any, unit: str = "") -> str:
    """Three digits with a decimal prefix: 3.35 TB/s."""
    known = _float(value)
    if known is None:
        return UNKNOWN
    for factor, prefix in _PREFIXES:
        if abs(known) >= factor * 0.9995:
            return f"{number(known / factor)} {prefix}{unit}".rstrip()
    return f"{number(known)} {unit}".rstrip()


@register.filter
def gib(value: Any) -> str:
    """Bytes of memory in GiB, as memory is sold."""
    known = _float(value)
    return UNKNOWN if known is None else f"{number(known / GIB)} GiB"


@register.filter
def quantity(value: Any, unit: str = "") -> str:
    """A number with its unit, with a prefix where its digits would be uncountable."""
    known = _float(value)
    if known is not None and abs(known) >= TERA:
        return f"{known:.3g} {unit}".replace("e+", " × 10^")
    return f"{number(value)} {unit}".rstrip()


@register.filter
def seconds(value: Any) -> str:
    """A duration in the unit people say it in."""
    known = _float(value)
    if known is None:
        return UNKNOWN
    if abs(known) < 1.0:
        return f"{number(round(known / MILLISECOND, 1) if known else 0.0)} ms"
    for start, factor, unit in (
        (_DAYS_FROM_S, SECONDS_PER_DAY, "days"),
        (_HOURS_FROM_S, SECONDS_PER_HOUR, "h"),
        (_MINUTES_FROM_S, SECONDS_PER_MINUTE, "min"),
    ):
        if abs(known) >= start:
            return f"{number(known / factor)} {unit}"
    return f"{number(known)} s"


@register.filter
def hours(value: Any) -> str:
    """A duration given in hours."""
    known = _float(value)
    return UNKNOWN if known is None else seconds(known * SECONDS_PER_HOUR)


@register.filter
def percent(value: Any) -> str:
    """A fraction as percent."""
    known = _float(value)
    if known is None:
        return UNKNOWN
    return f"{number(known / PERCENT, 2)} %"


_BY_UNIT: Mapping[str, Any] = {
    "USD": usd,
    "USD/month": usd,
    "s": seconds,
    "h": hours,
    "fraction": percent,
}


@register.filter
def amount(figure: Mapping[str, Any] | None) -> str:
    """A figure's central value with its unit."""
    return bound(figure, "value")


@register.filter
def bound(figure: Mapping[str, Any] | None, name: str) -> str:
    """One of a figure's three values (value, low or high) with its unit."""
    if not figure:
        return UNKNOWN
    unit, value = str(figure.get("unit", "")), figure.get(name)
    if _float(value) is None:
        return OPEN if "USD" in unit else UNKNOWN
    if unit == "concurrent users":
        return number(value)
    if unit in _BY_UNIT:
        return str(_BY_UNIT[unit](value))
    if unit == "users per USD/h":
        return f"{number((_float(value) or 0.0) * shown().usd_per_unit)} users per {shown().code}/h"
    if unit.startswith("USD/"):
        return f"{usd(value)} per {unit.removeprefix('USD/')}"
    return f"{number(value)} {unit}".rstrip()


@register.filter
def span(figure: Mapping[str, Any] | None) -> str:
    """A figure's range, empty where it has none or is a point."""
    if not figure:
        return ""
    low, high = _float(figure.get("low")), _float(figure.get("high"))
    if low is None or high is None or low == high:
        return ""
    return f"{bound(figure, 'low')} to {bound(figure, 'high')}"


@register.filter
def evidence_meaning(evidence: str) -> str:
    """What an evidence class says about a figure."""
    return EVIDENCE_MEANING.get(evidence, "")


@register.filter
def words(value: Any) -> str:
    """An id as words: on_demand becomes on demand."""
    return str(value).replace("_", " ")


PURCHASE_WORDS: Mapping[str, str] = {
    "owned": "yours already",
    "reserved_1y": "reserved for 1 year",
    "reserved_3y": "reserved for 3 years",
    "hosted_tokens": "hosted, by the token",
    "buy": "bought",
    "quote": "by quote",
}


@register.filter
def purchase(value: str) -> str:
    """A way to buy in words."""
    return PURCHASE_WORDS.get(value, words(value))


@register.filter
def age_band(day: date | None) -> str:
    """How old a price is: fresh, ageing, old or stale."""
    if day is None:
        return "undated"
    age = timezone.now().date() - day
    if age <= _FRESH:
        return "fresh"
    if age <= _AGEING:
        return "ageing"
    return "old" if age <= _OLD else "stale"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How one column of a table writes its numbers: one unit, one number of decimals."""

    unit: str
    factor: float
    decimals: int
    prefix: str = ""

    def text(self, value: Any) -> str:
        """A value of the column, without its unit; empty where unknown."""
        known = _float(value)
        if known is None:
            return ""
        return f"{self.prefix}{_plain(known / self.factor, self.decimals)}"


_HEADER_UNITS: Mapping[str, str] = {
    "USD/month": "USD a month",
    "USD/M tokens": "USD per million",
    "users per USD/h": "for 1 USD an hour",
    "users/kW": "for 1 kW",
    "concurrent users": "at once",
    "kWh/month": "kWh a month",
    "kgCO2e/month": "kg CO2e a month",
}


def column_scale(unit: str, values: Sequence[Any]) -> Scale:
    """The scale in which the typical value of a column has about three digits."""
    known = sorted(v for v in (_float(value) for value in values) if v is not None and v != 0.0)
    money = _money_factor(unit)
    typical = known[len(known) // 2] / money if known else 1.0
    if unit == "s":
        return _seconds_scale(typical)
    if unit == "fraction":
        return Scale(unit="%", factor=PERCENT, decimals=1)
    unit = _HEADER_UNITS.get(unit, unit)
    least_decimals = 2 if unit == "USD per million" and typical < _CENTS_BELOW else 0
    unit = shown().unit(unit)
    return Scale(
        unit=unit, factor=money, decimals=min(4, max(least_decimals, decimals_for(typical)))
    )


def _money_factor(unit: str) -> float:
    """What a column's figures are divided by to be in the currency of the page."""
    if unit.startswith("USD"):
        return shown().usd_per_unit
    return 1.0 / shown().usd_per_unit if unit.startswith("users per USD") else 1.0


def _seconds_scale(typical_s: float) -> Scale:
    for start, factor, unit in (
        (_HOURS_FROM_S, SECONDS_PER_HOUR, "h"),
        (1.0, 1.0, "s"),
    ):
        if typical_s >= start:
            return Scale(
                unit=unit, factor=factor, decimals=min(2, decimals_for(typical_s / factor))
            )
    typical_ms = typical_s / MILLISECOND
    return Scale(unit="ms", factor=MILLISECOND, decimals=min(2, decimals_for(typical_ms)))
