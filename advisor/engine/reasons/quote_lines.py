"""A vendor's quote as pasted: lines that can be read with certainty, and all that cannot."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

CENT = 0.02  # of the currency, for rounding
MOST_LINES = 500
MOST_WORDS = 16  # of a line, in which a part is looked for
_MONEY = r"(\d{1,3}(?:[,']\d{3})+(?:\.\d{1,2})?|\d+(?:\.\d{1,2})?)"
_UNSURE = re.compile(r"\d\.\d{3}(?!\d)")
"""A point before three digits may part thousands or decimals."""
_CONTINENTAL = re.compile(r"(?<![\d.,])(\d{1,3}(?:\.\d{3})+),(\d{2})(?![\d,])")
"""Points before the comma of two decimals part thousands, whoever wrote them."""
_MOST = 1e9  # more for one thing is two numbers read as one
_LINE = re.compile(
    rf"^\s*(?P<count>\d{{1,6}})\s*(?:x|×|pcs?\.?|units?|ea\.?)?[\s,;|\t]+(?P<what>.*?[A-Za-z].*?)"
    rf"[\s,;|\t@]+(?:at\s+)?{_MONEY}(?:\s*(?:each|ea\.?))?(?:[\s,;|\t=]+{_MONEY})?\s*$",
    re.IGNORECASE,
)
_TOTAL = re.compile(rf"^\s*(?:grand\s+|sub-?)?total\b[^\d$]*{_MONEY}\s*$", re.IGNORECASE)
KINDS: Mapping[str, re.Pattern[str]] = {
    name: re.compile(pattern, re.IGNORECASE)
    for name, pattern in {
        "support": r"\b(support|maintenance|warranty|care ?pack|prosupport|service contract)\b",
        "optics": r"\b(optics?|transceivers?|cables?|dac|aoc|osfp|qsfp\w*)\b",
        "network": r"\b(switch(es)?|infiniband|nic|network)\b",
        "licences": r"\b(licen[cs]es?|subscriptions?|ai enterprise|nvaie|software)\b",
        "freight": r"\b(freight|shipping|delivery|transport|logistics)\b",
        "installation": r"\b(install\w*|rack(ing)? and stack\w*|deployment|commissioning)\b",
        "rack": r"\b(racks?|pdus?|cdu|manifolds?)\b",
        "spares": r"\b(spares?|spare parts)\b",
        "tax": r"\b(tax|vat|duty|duties|customs)\b",
    }.items()
}
NEEDED: Mapping[str, str] = {
    "support": "Support and warranty: for how long, with which response, what it costs a year",
    "optics": "Optics and cables between the machines",
    "licences": "Software licences that the machines need",
    "freight": "Freight and insurance to your site, and who bears the risk on the way",
    "installation": "Installation and burn-in, with the tests it must pass",
    "spares": "Spare parts on site, or their delivery time",
}
"""What a quote for machines has to say, with the words in which to ask for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteLine:
    """One line that was read: how many of what, at which price each."""

    number: int  # of the line in the text, from 1
    count: int
    what: str
    each: float
    total: float
    kind: str  # hardware, one of KINDS, or other
    accelerator: str  # slug, "" where none is meant
    adds_up: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteText:
    """A pasted quote: what was read, what was not, and whether it adds up."""

    lines: tuple[QuoteLine, ...]
    unread: tuple[tuple[int, str], ...]  # number of the line and its text
    stated_total: float | None
    sum: float
    currencies: tuple[str, ...]  # codes named in it; of an ambiguous sign all that it may mean

    @property
    def missing(self) -> dict[str, str]:
        """What the quote does not mention, with what to ask."""
        named = {line.kind for line in self.lines}
        return {kind: ask for kind, ask in NEEDED.items() if kind not in named}


MARKS: Mapping[str, str] = {
    "us$": "USD", "ca$": "CAD", "a$": "AUD", "hk$": "HKD", "s$": "SGD", "nt$": "TWD", "$": "USD",
    "€": "EUR", "£": "GBP", "₹": "INR", "₩": "KRW", "kč": "CZK", "rmb": "CNY",
    "¥": "JPY or CNY", "kr": "SEK, NOK or DKK",
}  # fmt: skip
"""Signs of currencies, with the code that each means, or the codes it may mean."""
CODES = (
    "AED", "AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "IDR",
    "ILS", "INR", "JPY", "KRW", "MXN", "MYR", "NOK", "NZD", "PLN", "RON", "SAR", "SEK", "SGD",
    "THB", "TRY", "TWD", "USD", "ZAR",
)  # fmt: skip
_SIGNS = "|".join(re.escape(mark) for mark in sorted(MARKS, key=len, reverse=True))
_MARK = re.compile(
    rf"(?<![A-Za-z])(?P<before>{_SIGNS}|{'|'.join(CODES)})(?=\s*\d)|"
    rf"(?<=\d)\s*(?P<after>{_SIGNS}|{'|'.join(CODES)})(?![A-Za-z])",
    re.IGNORECASE,
)
_IN = re.compile(
    rf"\b(?:in|currency:?|amounts in|prices in)\s+({'|'.join(CODES)})\b", re.IGNORECASE
)


def read_quote(text: str, find: Callable[[str], str | None]) -> QuoteText:
    """The lines of a pasted quote: a count, words, a price each, perhaps a total, in this order.

    A line in any other shape is listed as unread, never guessed. `find` turns the words of a line
    into an accelerator's slug. Thousands are parted by commas or apostrophes and decimals by a
    point, or thousands by points where a comma and two decimals follow. Amounts stay in the
    quote's currency; `currencies` are those that its signs and codes beside amounts name.

    Source: the shapes stated here.
    """
    lines: list[QuoteLine] = []
    unread: list[tuple[int, str]] = []
    stated: float | None = None
    named: dict[str, None] = {}
    for number, raw in enumerate(text.splitlines()[:MOST_LINES], start=1):
        if not raw.strip():
            continue
        named |= dict.fromkeys(_named(raw))
        line = _MARK.sub(" ", _CONTINENTAL.sub(_pointed, raw))
        sure = _UNSURE.search(line) is None
        total = _TOTAL.match(line) if sure else None
        found = _LINE.match(_plain(line)) if sure else None
        if total is not None:
            stated = _amount(total.group(1))
        elif found is None or _amount(found.group(3)) > _MOST:
            unread.append((number, raw.strip()))
        else:
            lines.append(_line(number, found, find))
    return QuoteText(
        lines=tuple(lines),
        unread=tuple(unread),
        stated_total=stated,
        sum=sum(line.total for line in lines),
        currencies=tuple(named),
    )


def _named(raw: str) -> list[str]:
    """Codes of the currencies that a line names beside its amounts, or says it is in."""
    marks = [found["before"] or found["after"] for found in _MARK.finditer(raw)]
    marks += [found[1] for found in _IN.finditer(raw)]
    return [MARKS.get(mark.lower(), mark.upper()) for mark in marks]


def _pointed(found: re.Match[str]) -> str:
    return f"{found[1].replace('.', '')}.{found[2]}"


def _plain(raw: str) -> str:
    """A line of a table without the quotes around its cells."""
    return raw.replace('"', " ").replace("\t", " | ")


def _line(number: int, found: re.Match[str], find: Callable[[str], str | None]) -> QuoteLine:
    count, what = int(found.group("count")), found.group("what").strip(" ,;|\t-")
    each = _amount(found.group(3))
    stated = found.group(4)
    total = _amount(stated) if stated else count * each
    part = find_in(what, find)
    kind = next((name for name, words in KINDS.items() if words.search(what)), "")
    return QuoteLine(
        number=number,
        count=count,
        what=what,
        each=each,
        total=total,
        kind=kind or ("hardware" if part else "other"),
        accelerator=part if not kind else "",
        adds_up=abs(total - count * each) <= max(CENT, 1e-3 * total),
    )


def find_in(what: str, find: Callable[[str], str | None]) -> str:
    """The accelerator that the words of a line name, tried from the longest run of words down.

    Source: spellings of the catalogue.
    """
    words: Sequence[str] = re.findall(r"[A-Za-z0-9.+-]+", what)[:MOST_WORDS]
    for length in range(len(words), 0, -1):
        for start in range(len(words) - length + 1):
            slug = find(" ".join(words[start : start + length]))
            if slug is not None:
                return slug
    return ""


def _amount(text: str) -> float:
    return float(re.sub(r"[,' ]", "", text))
