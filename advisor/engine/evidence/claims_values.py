"""Plain values of checked claims: texts, findings and verdicts."""

from dataclasses import dataclass
from datetime import date
from enum import Enum


class Verdict(Enum):
    """What is left of a claim, with the colour it is shown in."""

    SUPPORTED = ("supported", "good")
    DEPENDS = ("depends on the case", "warn")
    PARTLY = ("partly supported", "warn")
    NOT_SUPPORTED = ("not supported", "bad")
    UNCHECKED = ("cannot be checked", "warn")
    FORECAST = ("a forecast, not a fact", "warn")

    @property
    def word(self) -> str:
        """The verdict in words."""
        return self.value[0]

    @property
    def tone(self) -> str:
        """good, warn or bad."""
        return self.value[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing computed or published, how it is known and where it comes from."""

    text: str
    evidence: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimText:
    """What was claimed, and what others published about it."""

    id: str
    title: str
    claimed: str
    measured: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What the model makes of a claim."""

    computed: tuple[Finding, ...]
    verdict: Verdict
    conclusion: str
    published: tuple[Finding, ...] = ()  # taken from the stored measurements
    not_computed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A claim with its check."""

    id: str
    title: str
    claimed: str
    computed: tuple[Finding, ...]
    measured: tuple[Finding, ...]
    verdict: Verdict
    conclusion: str
    not_computed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """All claims, checked against the catalogue of a day."""

    as_of: date
    claims: tuple[Claim, ...]


def percent(fraction: float) -> str:
    """A fraction in whole percent."""
    whole = round(100.0 * fraction)
    return f"{whole} %".replace("-", "\N{MINUS SIGN}")
