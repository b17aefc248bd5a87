"""Requests over time: when each arrives and how many tokens it brings and wants."""

from dataclasses import dataclass, replace

import numpy as np

from advisor.engine.cases import Floats, Ints
from advisor.engine.lognormal import lognormal_spread
from catalog.units import SECONDS_PER_HOUR, SECONDS_PER_MINUTE

Random = np.random.Generator
_DAY_HOURS = 24


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Requests:
    """Requests in the order of their arrival; columns of one length.

    `session` says which requests share a prefix beyond the common one; all zero: one session.
    """

    arrival_s: Floats
    prompt_tokens: Ints
    output_tokens: Ints  # at least 1
    session: Ints

    def __len__(self) -> int:
        return len(self.arrival_s)

    def rows(self, chosen: Ints) -> "Requests":
        """Some of the requests; rows must be in the order of arrival."""
        return Requests(
            arrival_s=self.arrival_s[chosen],
            prompt_tokens=self.prompt_tokens[chosen],
            output_tokens=self.output_tokens[chosen],
            session=self.session[chosen],
        )

    @property
    def requests_per_s(self) -> float:
        """Mean rate from the first arrival to the last."""
        span = float(self.arrival_s[-1] - self.arrival_s[0]) if len(self) > 1 else 0.0
        return (len(self) - 1) / span if span > 0.0 else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """A stream of arrivals at a mean rate, as bursty and as uneven over the day as stated.

    `cv` is the coefficient of variation of the gaps: 1 is Poisson, above it gaps follow a
    Gamma law, which bunches them. `hourly` are 24 relative rates of the hours of a day, None
    for an even day; the mean rate is kept.

    Source: burstiness of LLM traffic as Gamma gaps, Y. Wang et al., "BurstGPT",
    arXiv:2401.17644, section 4; the day by rescaling time with the integral of the rate,
    L. Devroye, "Non-Uniform Random Variate Generation", Springer 1986, chapter VI.1.
    """

    requests_per_s: float
    cv: float = 1.0
    hourly: tuple[float, ...] | None = None

    def draw(self, count: int, random: Random) -> Floats:
        """Times of the first so many arrivals, seconds from zero."""
        if self.cv <= 0.0:
            at = np.arange(1, count + 1, dtype=np.float64)
        else:
            shape = 1.0 / self.cv**2
            at = np.cumsum(random.gamma(shape, 1.0 / shape, count))
        return self._through_the_day(at) if self.hourly else at / self.requests_per_s

    def _through_the_day(self, expected: Floats) -> Floats:
        """Times at which the integral of the rate reaches each expected count."""
        weights = np.asarray(self.hourly, dtype=np.float64)
        of_hour = self.requests_per_s * weights / weights.mean() * SECONDS_PER_HOUR
        reached = np.concatenate([[0.0], np.cumsum(of_hour)])
        days, within = np.divmod(expected, reached[-1])
        hour = np.interp(within, reached, np.arange(_DAY_HOURS + 1, dtype=np.float64))
        return np.asarray((days * _DAY_HOURS + hour) * SECONDS_PER_HOUR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lengths:
    """Token counts: fixed where the 95th percentile is not above the mean, else lognormal.

    Source: `lognormal_spread`.
    """

    mean_tokens: float
    p95_tokens: float = 0.0
    most_tokens: float = float("inf")

    def draw(self, count: int, random: Random) -> Ints:
        """So many lengths, whole tokens, at least one."""
        sigma = lognormal_spread(mean=self.mean_tokens, p95=self.p95_tokens)
        drawn = np.full(count, self.mean_tokens)
        if sigma > 0.0:
            location = np.log(self.mean_tokens) - 0.5 * sigma**2
            drawn = random.lognormal(location, sigma, count)
        whole = np.rint(np.clip(drawn, 1.0, self.most_tokens))
        return np.asarray(np.maximum(whole, 1.0), dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trace:
    """Recorded requests: arrivals from zero on, with their own lengths, in order."""

    arrival_s: Floats
    prompt_tokens: Ints
    output_tokens: Ints

    def __len__(self) -> int:
        return len(self.arrival_s)

    @property
    def duration_s(self) -> float:
        """From the first arrival to the last, and one mean gap on."""
        span = float(self.arrival_s[-1] - self.arrival_s[0])
        return span * len(self) / max(len(self) - 1, 1)

    @property
    def requests_per_s(self) -> float:
        """Mean rate of the recording."""
        return len(self) / self.duration_s if self.duration_s > 0.0 else 0.0

    @property
    def gap_cv(self) -> float:
        """Coefficient of variation of the gaps between arrivals."""
        gaps = np.diff(self.arrival_s)
        mean = float(gaps.mean()) if len(gaps) else 0.0
        return float(gaps.std()) / mean if mean > 0.0 else 0.0

    @property
    def busiest_minute(self) -> tuple[int, float]:
        """First request of the minute with most arrivals, and its rate over the mean one.

        Minutes are counted from the first arrival; of a recording shorter than two the whole
        is taken, as even.

        Source: definition.
        """
        minutes = int(self.duration_s // SECONDS_PER_MINUTE)
        if minutes < 2:  # noqa: PLR2004
            return 0, 1.0
        edges = np.arange(minutes + 1) * SECONDS_PER_MINUTE
        first = np.searchsorted(self.arrival_s - self.arrival_s[0], edges)
        arrived = np.diff(first)
        busiest = int(arrived.argmax())
        rate = float(arrived[busiest]) / SECONDS_PER_MINUTE
        return int(first[busiest]), max(rate / self.requests_per_s, 1.0)

    def around_the_busiest(self, count: int) -> "Trace":
        """So many requests in a row with the busiest minute among them; time stays as it is."""
        if count >= len(self):
            return self
        begin = min(max(self.busiest_minute[0] - count // 2, 0), len(self) - count)
        kept = slice(begin, begin + count)
        return Trace(
            arrival_s=self.arrival_s[kept],
            prompt_tokens=self.prompt_tokens[kept],
            output_tokens=self.output_tokens[kept],
        )

    def at_random(self, *, seed: int) -> "Trace":
        """The same requests in the same order at the same mean rate, with Poisson arrivals.

        Source: gaps of a Poisson stream are exponential; they are scaled to the same duration.
        """
        gaps = np.random.default_rng(seed).exponential(1.0, len(self))
        at = np.cumsum(gaps) - gaps[0]
        span = float(self.arrival_s[-1] - self.arrival_s[0])
        return replace(self, arrival_s=at * span / float(at[-1]))

    def replayed(self, *, requests_per_s: float, count: int | None = None) -> Requests:
        """The recording played at another rate: time is stretched, lengths stay.

        More requests than were recorded come from playing it again from the start.
        """
        wanted = len(self) if count is None else count
        rounds = -(-wanted // len(self))
        start = np.repeat(np.arange(rounds) * self.duration_s, len(self))
        arrival = np.tile(self.arrival_s - self.arrival_s[0], rounds) + start
        return Requests(
            arrival_s=arrival[:wanted] * self.requests_per_s / requests_per_s,
            prompt_tokens=np.tile(self.prompt_tokens, rounds)[:wanted],
            output_tokens=np.tile(self.output_tokens, rounds)[:wanted],
            session=np.zeros(wanted, dtype=np.int64),
        )


def drawn_requests(
    arrivals: Arrivals,
    prompts: Lengths,
    outputs: Lengths,
    *,
    count: int,
    seed: int,
    session_requests: float | None = None,
) -> Requests:
    """So many requests of one stream: arrivals and lengths independent of each other.

    The same seed gives the same lengths and the same gaps in units of the mean one at every
    rate, so that loads are compared on common random numbers. Sessions of the stated mean
    number of requests overlap about fifty at a time.

    Source: lengths and arrivals of the published traces are nearly uncorrelated.
    """
    gaps, sizes, others = (np.random.default_rng([seed, stream]) for stream in range(3))
    session = np.zeros(count, dtype=np.int64)
    if session_requests is not None:
        shifted = np.arange(count) + others.uniform(0.0, 50.0 * session_requests, count)
        session = (shifted / session_requests).astype(np.int64)
    return Requests(
        arrival_s=arrivals.draw(count, gaps),
        prompt_tokens=prompts.draw(count, sizes),
        output_tokens=outputs.draw(count, sizes),
        session=session,
    )


def merged(streams: list[Requests]) -> tuple[Requests, Ints]:
    """Several streams as one in the order of arrival, and which stream each request is of."""
    of = np.concatenate([np.full(len(each), i) for i, each in enumerate(streams)])
    arrival = np.concatenate([each.arrival_s for each in streams])
    order = np.argsort(arrival, kind="stable")
    highest = np.cumsum([0, *(int(each.session.max(initial=0)) + 1 for each in streams)])
    everything = Requests(
        arrival_s=arrival,
        prompt_tokens=np.concatenate([each.prompt_tokens for each in streams]),
        output_tokens=np.concatenate([each.output_tokens for each in streams]),
        session=np.concatenate([each.session + highest[i] for i, each in enumerate(streams)]),
    )
    return everything.rows(order), of[order]


def at_rate(requests: Requests, factor: float) -> Requests:
    """The same requests arriving so many times as fast."""
    return replace(requests, arrival_s=requests.arrival_s / factor)
