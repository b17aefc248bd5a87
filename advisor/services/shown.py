"""The currency in which the pages of one request show money; amounts stay in USD until then."""

import re
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

_ROUNDED_FROM = 10_000.0
_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
_AMOUNT = re.compile(r"(?P<sign>\$)?(?P<number>\d[\d,]*(?:\.\d+)?)(?P<unit> USD\b)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A currency with the rate at which USD are shown in it."""

    code: str = "USD"
    usd_per_unit: float = 1.0
    observed_on: str = ""
    source: str = ""

    @property
    def sign(self) -> str:
        """What stands before an amount."""
        return _SIGNS.get(self.code, f"{self.code}\N{NO-BREAK SPACE}")

    def of_usd(self, usd: float) -> float:
        """An amount of USD in this currency."""
        return usd / self.usd_per_unit

    def words(self, text: str) -> str:
        """A sentence whose amounts of USD are told in this currency."""
        if self.code == "USD":
            return text
        return _AMOUNT.sub(self._told, text)

    def _told(self, match: re.Match[str]) -> str:
        if not match["sign"] and not match["unit"]:
            return match[0]
        written = match["number"]
        places = len(written.partition(".")[2])
        value = self.of_usd(float(written.replace(",", "")))
        if value >= _ROUNDED_FROM and not places:
            # Converted from a rounded figure, it is good for four digits.
            value = float(f"{value:.4g}")
        amount = f"{value:,.{places}f}"
        return f"{amount} {self.code}" if match["unit"] else f"{self.sign}{amount}"

    def unit(self, text: str) -> str:
        """A unit with USD in it, in this currency."""
        return re.sub(r"\bUSD\b", self.code, text)


DOLLARS = Shown()
_SHOWN: ContextVar[Shown] = ContextVar("shown_currency", default=DOLLARS)


def show_in(currency: Mapping[str, Any] | None) -> None:
    """From here on, pages of this request show money in a currency; USD where none is named."""
    names = ("code", "usd_per_unit", "observed_on", "source")
    _SHOWN.set(Shown(**{name: currency[name] for name in names}) if currency else DOLLARS)


def shown() -> Shown:
    """The currency of this request's page."""
    return _SHOWN.get()
