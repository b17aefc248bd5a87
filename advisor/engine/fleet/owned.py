"""Machines the user has already: what keeping them to the end costs beyond running them."""

from dataclasses import dataclass

from advisor.engine.plan import CostLine
from advisor.engine.workload import Money, Owned
from catalog.specs import Evidence
from catalog.units import MONTHS_PER_YEAR

EXTENSION, FOREGONE = "Support past its end", "Resale value given up"
_FROM_ANSWERS = "your answers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """One owned machine kept over the whole horizon, against selling it today; USD."""

    sold_usd: float | None = None  # what it fetches today; None where nobody said
    sold_later_usd: float = 0.0  # at the end of the horizon
    ends_on: str = ""  # of its support or lease, ISO; empty where nobody said
    months_past: float = 0.0  # of the horizon after that
    extension_usd: float = 0.0  # support in those months

    @property
    def foregone_usd(self) -> float:
        """What keeping it loses in resale value."""
        return max((self.sold_usd or 0.0) - self.sold_later_usd, 0.0)

    @property
    def usd(self) -> float:
        """All that keeping it costs beyond running it."""
        return self.foregone_usd + self.extension_usd


NOTHING_MORE = Keeping()


def keeping_of(
    mine: Owned,
    *,
    accelerators: float,
    price_usd: float,
    support_fraction_per_year: float,
    money: Money,
    horizon_months: float,
) -> Keeping:
    """What keeping one machine of so many owned accelerators costs beyond running it.

    Support in the months of the horizon after its end costs the yearly share of the machine's
    price today. What it fetches falls with age as the books say: in a straight line from the
    price to the residual value over the years of depreciation, and stays there.

    Source: definition of straight-line depreciation; dates and values from the user's answers.
    """
    past = 0.0 if mine.months_left is None else max(horizon_months - mine.months_left, 0.0)
    sold = None if mine.resale_usd is None else mine.resale_usd * accelerators
    now = _book_share(mine.age_months, money)
    later = _book_share(mine.age_months + horizon_months, money)
    return Keeping(
        sold_usd=sold,
        sold_later_usd=(sold or 0.0) * (later / now if now > 0.0 else 0.0),
        ends_on=mine.ends_on,
        months_past=past,
        extension_usd=price_usd * support_fraction_per_year * past / MONTHS_PER_YEAR,
    )


def _book_share(age_months: float, money: Money) -> float:
    """Value at an age over that of a new machine."""
    life = max(money.depreciation_years * MONTHS_PER_YEAR, 1e-9)
    lost = (1.0 - money.residual_fraction) * age_months / life
    return max(1.0 - lost, money.residual_fraction)


def keeping_lines(keeping: Keeping, *, machines: float) -> tuple[CostLine, ...]:
    """Cost lines of so many kept machines beyond those of running them.

    Source: `keeping_of`.
    """
    rows = (
        (EXTENSION, keeping.extension_usd, f"support ends on {keeping.ends_on}: {_FROM_ANSWERS}"),
        (FOREGONE, keeping.foregone_usd, f"resale today: {_FROM_ANSWERS}; falling by the books"),
    )
    return tuple(
        CostLine(
            label=label,
            usd=round(usd * machines, 2),
            low=round(usd * machines, 2),
            high=round(usd * machines, 2),
            evidence=Evidence.ASSUMED.value,
            source=source,
        )
        for label, usd, source in rows
        if usd > 0.0
    )
