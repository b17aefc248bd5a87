"""A request's whole path: stages before, beside and after the model, on the same requests."""

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from advisor.engine.cases import Bools, Floats
from advisor.engine.latency.outcome import Outcome, percentile
from advisor.engine.latency.traffic import Requests
from advisor.engine.lognormal import Z99, lognormal_spread_at

WHERE = ("before", "beside", "after")
_FINEST = 1e-3  # of a share that is solved for
Serve = Callable[[Requests], Outcome]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One more step that some requests go through.

    Its own time is fixed where `p99_s` is None, else lognormal with that mean and 99th
    percentile. `at_once` requests run in it together, the others wait in line; None: no limit.
    `way_s` is the round trip to it, nothing where it stands beside the model. A call that finds
    it unavailable is lost, and the request with it.
    """

    name: str
    mean_s: float
    p99_s: float | None = None
    where: str = "before"
    share: float = 1.0
    at_once: int | None = None
    way_s: float = 0.0
    availability: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Passed:
    """Every request with its stages: times from the user's point of view."""

    ttft_s: Floats
    e2e_s: Floats
    stage_s: tuple[Floats, ...]  # what each stage took, waiting and way included; 0 if not passed
    lost: Bools

    def rows(self, chosen: slice) -> "Passed":
        """Some of the requests."""
        return Passed(
            ttft_s=self.ttft_s[chosen],
            e2e_s=self.e2e_s[chosen],
            stage_s=tuple(each[chosen] for each in self.stage_s),
            lost=self.lost[chosen],
        )


def own_times_s(stage: Stage, count: int, *, seed: int) -> tuple[Floats, Bools, Bools]:
    """Own time of a stage for each request, who passes it, and whose call is lost.

    The draws hang on the stage's name and the seed alone: a larger share takes the same
    requests and more, and another time stretches the same draws.

    Source: lognormal law of `lognormal_spread_at`.
    """
    name = int.from_bytes(stage.name.encode()[:8], "little")
    luck, times, up = (np.random.default_rng([seed, name, stream]) for stream in range(3))
    passes = luck.random(count) < stage.share
    normal = times.standard_normal(count)
    sigma = lognormal_spread_at(mean=stage.mean_s, value=stage.p99_s or 0.0, z=Z99)
    seconds = stage.mean_s * np.exp(sigma * normal - 0.5 * sigma**2)
    lost = passes & (up.random(count) >= stage.availability)
    return np.asarray(seconds), np.asarray(passes), np.asarray(lost)


def through_stage(start_s: Floats, stage: Stage, *, seed: int) -> tuple[Floats, Bools]:
    """When each request leaves a stage it enters at `start_s`, and whose call was lost.

    First come, first served over `at_once` places; those who do not pass leave at once.

    Source: G/G/c queue, event by event.
    """
    own, passes, lost = own_times_s(stage, len(start_s), seed=seed)
    leave = start_s.copy()
    if stage.at_once is None:
        return np.where(passes, start_s + own + stage.way_s, start_s), lost
    free = [0.0] * max(stage.at_once, 1)
    for i in np.argsort(start_s, kind="stable").tolist():
        if passes[i] and np.isfinite(start_s[i]):
            at = max(start_s[i] + 0.5 * stage.way_s, heapq.heappop(free))
            heapq.heappush(free, at + own[i])
            leave[i] = at + own[i] + 0.5 * stage.way_s
    return leave, lost


def through_path(requests: Requests, stages: Sequence[Stage], serve: Serve, *, seed: int) -> Passed:
    """Every request through its stages and the model, in the order they stand.

    Stages before the model hold the request back, so the model sees other arrivals; stages
    beside it run while the model does and the answer ends with the later of the two; stages
    after it follow the last token. Percentiles are those of the sums of each request, never
    sums of percentiles.

    Source: the queues themselves.
    """
    arrival = requests.arrival_s
    lost = np.zeros(len(requests), dtype=bool)
    took: list[Floats] = []
    at = arrival
    for stage in (each for each in stages if each.where == "before"):
        at, missed = _taken(at, stage, took, seed=seed)
        lost |= missed
    order = np.argsort(at, kind="stable")
    served = serve(replace(requests.rows(order), arrival_s=at[order]))
    first, end = np.empty_like(at), np.empty_like(at)
    first[order], end[order] = served.first_token_s, served.end_s
    for stage in (each for each in stages if each.where == "beside"):
        beside, missed = _taken(at, stage, took, seed=seed)
        end = np.maximum(end, beside)
        lost |= missed
    for stage in (each for each in stages if each.where == "after"):
        end, missed = _taken(end, stage, took, seed=seed)
        lost |= missed
    in_order = sorted(range(len(stages)), key=lambda i: WHERE.index(stages[i].where))
    by_stage = dict(zip(in_order, took, strict=True))
    return Passed(
        ttft_s=np.where(lost, np.inf, first - arrival),
        e2e_s=np.where(lost, np.inf, end - arrival),
        stage_s=tuple(by_stage[i] for i in range(len(stages))),
        lost=lost,
    )


def _taken(at: Floats, stage: Stage, took: list[Floats], *, seed: int) -> tuple[Floats, Bools]:
    leave, lost = through_stage(at, stage, seed=seed)
    with np.errstate(invalid="ignore"):
        took.append(np.where(np.isfinite(at), leave - at, 0.0))
    return leave, lost


@dataclass(frozen=True, slots=True, kw_only=True)
class Solved:
    """The largest amount for which a percentile stays within a target; 0 where none does."""

    amount: float
    reached_s: float  # the percentile at that amount


def largest_share(
    stage: Stage, latency_of: Callable[[Stage], Floats], *, share: float, target_s: float
) -> Solved | None:
    """Largest share of requests that may pass a stage so that a percentile keeps a target.

    None where the path misses the target without the stage. The same requests are run again at
    each step; a larger share takes the same requests and more, so the percentile rises with it.

    Source: bisection to a thousandth.
    """
    return _largest(lambda amount: latency_of(replace(stage, share=amount)), share, target_s)


def largest_part_in_series(
    stage: Stage, latency_of: Callable[[Sequence[Stage]], Floats], *, share: float, target_s: float
) -> Solved | None:
    """Largest part of a stage's work that may follow the model, the rest being done beside it.

    None where it does not help to do all of it beside the model.

    Source: bisection to a thousandth.
    """

    def latency(amount: float) -> Floats:
        p99 = stage.p99_s
        beside = replace(
            stage, where="beside", mean_s=stage.mean_s * (1.0 - amount),
            p99_s=None if p99 is None else p99 * (1.0 - amount),
        )  # fmt: skip
        after = replace(
            stage, where="after", mean_s=stage.mean_s * amount,
            p99_s=None if p99 is None else p99 * amount, way_s=0.0,
        )  # fmt: skip
        return latency_of([beside, after])

    return _largest(latency, share, target_s)


def _largest(latency: Callable[[float], Floats], share: float, target_s: float) -> Solved | None:
    def at(amount: float) -> float:
        return percentile(latency(amount), share)

    reached = at(0.0)
    if reached > target_s:
        return None
    whole = at(1.0)
    if whole <= target_s:
        return Solved(amount=1.0, reached_s=whole)
    low, high = 0.0, 1.0
    while high - low > _FINEST:
        middle = 0.5 * (low + high)
        value = at(middle)
        low, high, reached = (middle, high, value) if value <= target_s else (low, middle, reached)
    return Solved(amount=low, reached_s=reached)
