"""What became of every request, and percentiles with their confidence intervals."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from advisor.engine.cases import Bools, Floats, Ints

_BATCHES = 20
_CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An estimate with the ends of its confidence interval."""

    value: float
    low: float
    high: float

    @property
    def half_width(self) -> float:
        """Half the width of the interval."""
        return 0.5 * (self.high - self.low)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcome:
    """Columns over the requests, in the order of the Requests simulated.

    Requests that no replica can hold are refused: their times are infinite.
    """

    arrival_s: Floats
    first_token_s: Floats
    end_s: Floats
    prompt_tokens: Ints
    output_tokens: Ints
    preemptions: Ints
    replica: Ints

    def __len__(self) -> int:
        return len(self.arrival_s)

    @property
    def refused(self) -> Bools:
        """Requests larger than the memory of a replica."""
        return ~np.isfinite(self.end_s)

    @property
    def ttft_s(self) -> Floats:
        """From arrival to the first output token."""
        return self.first_token_s - self.arrival_s

    @property
    def e2e_s(self) -> Floats:
        """From arrival to the last output token."""
        return self.end_s - self.arrival_s

    @property
    def tpot_s(self) -> Floats:
        """Mean time between output tokens of each request; nan where it has one token only."""
        with np.errstate(invalid="ignore", divide="ignore"):
            gaps = (self.end_s - self.first_token_s) / (self.output_tokens - 1.0)
        return np.asarray(np.where(self.output_tokens > 1, gaps, np.nan))

    def rows(self, chosen: Ints | Bools | slice) -> "Outcome":
        """Some of the requests."""
        return Outcome(**{name: getattr(self, name)[chosen] for name in self.__slots__})

    def settled(self, share: float = 0.1) -> "Outcome":
        """Without the first share of the requests, who met an empty system."""
        return self.rows(slice(int(share * len(self)), None))


def together(outcomes: Sequence[Outcome]) -> Outcome:
    """Several outcomes one after the other, as of independent runs of one load."""
    return Outcome(
        **{
            name: np.concatenate([getattr(each, name) for each in outcomes])
            for name in Outcome.__slots__
        }
    )


def percentile(values: Floats, share: float) -> float:
    """The value that the given share of the values stays below; nan for none."""
    known = values[~np.isnan(values)]
    if not len(known):
        return float("nan")
    # Infinite waits are values like others; interpolating between two of them is not a number.
    return float(np.quantile(known, share, method="inverted_cdf"))


def percentile_interval(
    values: Floats, share: float, *, confidence: float = _CONFIDENCE
) -> Interval:
    """A percentile of values in the order of time, with its interval by batch means.

    Twenty consecutive batches give twenty percentiles, nearly independent where a batch is
    long against the memory of the queue; Student's law gives the interval around the
    percentile of all.

    Source: A. M. Law, "Simulation Modeling and Analysis", 5th ed., McGraw-Hill 2015, section 9.5.
    """
    known = values[~np.isnan(values)]
    value = percentile(known, share)
    if len(known) < 2 * _BATCHES:
        return Interval(value=value, low=float("nan"), high=float("nan"))
    of_batch = np.array([percentile(each, share) for each in np.array_split(known, _BATCHES)])
    if not np.isfinite(of_batch).all():
        return Interval(value=value, low=float(of_batch.min()), high=float("inf"))
    reach = float(stdtrit(_BATCHES - 1, 0.5 + 0.5 * confidence))
    half = reach * float(of_batch.std(ddof=1)) / _BATCHES**0.5
    return Interval(value=value, low=value - half, high=value + half)
