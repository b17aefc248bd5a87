"""The nearest value of one input at which another plan wins, found by halving what is between."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import floor, isclose, log10, sqrt

STEPS = (1.25, 2.0, 4.0)
"""How far from the answer is looked, as factors up and down, nearest first."""
FROM_NOTHING = (5.0, 20.0, 50.0, 90.0)
"""Where a share of zero percent is looked at instead."""
CLOSE_ENOUGH = 0.005  # of the value: the width of the bracket that is good enough
MOST_ROUNDS = 12
COUNTED_UP_TO = 1000.0  # whole numbers up to here are told exactly
DIGITS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """A bracket around the value at which the winner changes; both ends were tried."""

    holds_at: float  # the plan still wins
    flips_at: float  # another one wins


def nearest_flip(
    same: Callable[[float], bool],
    *,
    at: float,
    low: float,
    high: float,
    whole: bool,
    close_enough: float = CLOSE_ENOUGH,
) -> Flip | None:
    """The nearest value within the limits at which `same` turns false; None where none is near.

    Looks outwards in growing steps on both sides, then halves the first step with a change on
    the scale of ratios until the bracket is `close_enough`, a fraction. A plan that loses and
    wins again within one step goes unseen.

    Source: bisection; distance is the ratio to the value answered.
    """
    last = {True: at, False: at}
    for value, upwards in ladder(at, low=low, high=high, whole=whole):
        if not same(value):
            return _halved(same, last[upwards], value, whole=whole, close_enough=close_enough)
        last[upwards] = value
    return None


def ladder(at: float, *, low: float, high: float, whole: bool) -> Iterator[tuple[float, bool]]:
    """Values to look at, nearest first, each with whether it lies above.

    Source: the steps stated above, kept within the limits.
    """
    if at == 0.0:
        for step in FROM_NOTHING:
            if step <= high:
                yield step, True
        return
    seen = {at}
    for step in STEPS:
        for value, upwards in ((at * step, True), (at / step, False)):
            kept = rounded(min(max(value, low), high), whole=whole)
            if kept not in seen:
                seen.add(kept)
                yield kept, upwards


def _halved(
    same: Callable[[float], bool],
    held: float,
    flipped: float,
    *,
    whole: bool,
    close_enough: float,
) -> Flip:
    for _ in range(MOST_ROUNDS):
        if whole and abs(held - flipped) <= 1.0:
            break
        exact = whole and max(held, flipped) <= COUNTED_UP_TO
        if not exact and isclose(held, flipped, rel_tol=close_enough):
            break
        middle = sqrt(held * flipped) if held * flipped > 0.0 else (held + flipped) / 2.0
        value = rounded(middle, whole=whole)
        if value in (held, flipped):
            break
        if same(value):
            held = value
        else:
            flipped = value
    return Flip(holds_at=held, flips_at=flipped)


def rounded(value: float, *, whole: bool) -> float:
    """A value as somebody could type it: whole, or with four digits that count.

    Source: definition.
    """
    if whole:
        return float(round(value))
    if value == 0.0:
        return 0.0
    return round(value, DIGITS - 1 - floor(log10(abs(value))))
