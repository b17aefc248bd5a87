"""Amounts and times as the sentences of an answer write them."""

from catalog.units import KILO, SECONDS_PER_HOUR, SECONDS_PER_MINUTE

_MINUTES_FROM_S = 10.0 * SECONDS_PER_MINUTE


def money_text(usd: float | None) -> str:
    """An amount in words: whole USD with separators, cents below a hundred.

    Source: convention.
    """
    if usd is None:
        return "an open price"
    return f"{usd:,.0f} USD" if abs(usd) >= 100.0 else f"{usd:,.2f} USD"  # noqa: PLR2004


def plural(unit: str) -> str:
    """Several of a unit of work: requests, images, queries.

    Source: English spelling.
    """
    return f"{unit[:-1]}ies" if unit.endswith("y") else f"{unit}s"


def seconds_text(seconds: float) -> str:
    """A time in words: milliseconds below a second, minutes from ten on, then hours.

    Source: convention.
    """
    if seconds >= SECONDS_PER_HOUR:
        return f"{seconds / SECONDS_PER_HOUR:,.1f} h"
    if seconds >= _MINUTES_FROM_S:
        return f"{seconds / SECONDS_PER_MINUTE:,.1f} min"
    return f"{seconds:,.1f} s" if seconds >= 1.0 else f"{seconds * KILO:,.0f} ms"
