"""The typical week: what each workload asks for in each of its 168 hours."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from advisor.engine.cases import Bools, Floats, Ints
from advisor.engine.workload import ServingDemand, TrainingDemand
from catalog.units import DAYS_PER_MONTH, SECONDS_PER_HOUR

HOURS_PER_DAY, DAYS_PER_WEEK, HOURS_PER_WEEK = 24, 7, 168
BUSIEST_HOUR = 14.0  # local time of the middle of the busy hours (assumed)
NIGHT_STARTS = 22  # hour in which a batch with a window is released (assumed)
ASSUMED = (
    "The week is assumed from your mean, your busiest minute, hours and days with traffic: one "
    "smooth hump a day around 14:00, working days first; nightly batches start at 22:00.",
)
_WEEKS_PER_MONTH = DAYS_PER_MONTH / DAYS_PER_WEEK
_STEEPEST = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A job in the typical week: so many runs, each with its volume in its window."""

    volume: float  # of one run, in units
    runs: float  # in the week, at most one for each window
    run: Ints  # (168,) which run may work in each hour, -1 for none
    since: Ints  # (168,) hours since that run's window opened, -1 outside

    @property
    def windows(self) -> Bools:
        """Hours in which any run may work; shape (168,)."""
        return np.asarray(self.run >= 0)


def live_week(demand: ServingDemand) -> Floats:
    """Requests a second that capacity must bear in each hour of the week; shape (168,).

    Between the mean and the busiest minute lies a von Mises hump over the hours with traffic,
    so steep that its top over its mean is the peak over the mean that the user stated; the
    busiest hour is sized for the busiest minute.

    Source: the shape is assumed; mean, peak, hours and days are the user's.
    """
    hours = min(max(round(demand.active_hours_per_day), 1), HOURS_PER_DAY)
    days = min(max(round(demand.active_days_per_week), 1), DAYS_PER_WEEK)
    ratio = demand.requests_per_s_peak / max(demand.requests_per_s_mean, 1e-12)
    start = round(BUSIEST_HOUR - hours / 2.0) % HOURS_PER_DAY
    day = np.zeros(HOURS_PER_DAY)
    day[(start + np.arange(hours)) % HOURS_PER_DAY] = hump(hours, ratio)
    peak = demand.requests_per_s_peak
    week = np.zeros((DAYS_PER_WEEK, HOURS_PER_DAY))
    week[:days] = peak * day / max(day.max(), 1e-12)
    return week.ravel()


def hump(hours: int, ratio: float) -> Floats:
    """Load of each active hour over their mean; its top is `ratio`, as far as hours allow.

    Source: density of the von Mises law, K. V. Mardia and P. E. Jupp, "Directional
    Statistics", Wiley 2000, section 3.5.4; steepness solved for.
    """
    angle = 2.0 * np.pi * (np.arange(hours) + 0.5 - hours / 2.0) / max(hours, 1)

    def shape(steep: float) -> Floats:
        load = np.exp(steep * (np.cos(angle) - 1.0))
        return np.asarray(load / load.mean())

    if ratio <= 1.0 + 1e-9 or hours < 3:  # noqa: PLR2004 -- two hours are mirror images
        return np.ones(hours)
    if shape(_STEEPEST).max() <= ratio:
        return shape(_STEEPEST)
    steep = brentq(lambda each: float(shape(each).max()) - ratio, 0.0, _STEEPEST)
    return shape(float(steep))


def batch_work(demand: ServingDemand) -> Work:
    """A batch's runs in the typical week: nightly ones at night, weekly ones at the week's end.

    Source: the user's window and runs a month; when they start is assumed.
    """
    window_h = max((demand.batch_window_s or 0.0) / SECONDS_PER_HOUR, 1.0)
    per_month = demand.active_hours_per_month / window_h
    volume_week = demand.requests_per_month / _WEEKS_PER_MONTH
    return _work(volume_week, per_month / _WEEKS_PER_MONTH, window_h)


def training_work(demand: TrainingDemand) -> Work:
    """A training job's runs in the typical week; one run is one unit.

    Runs that come less than once a week count as a share of one.

    Source: the user's runs a month and deadline.
    """
    per_week = demand.runs_per_month * max(demand.rerun_factor, 1.0) / _WEEKS_PER_MONTH
    limit_h = HOURS_PER_WEEK if demand.deadline_s is None else demand.deadline_s / SECONDS_PER_HOUR
    return _work(per_week, per_week, min(limit_h, HOURS_PER_WEEK))


def _work(volume_week: float, runs: float, window_h: float) -> Work:
    hour = np.arange(HOURS_PER_WEEK)
    window = min(max(int(window_h), 1), HOURS_PER_WEEK)
    if runs >= DAYS_PER_WEEK - 1.0:
        since = (hour - NIGHT_STARTS) % HOURS_PER_WEEK
        at = since % HOURS_PER_DAY
        return Work(
            volume=volume_week / DAYS_PER_WEEK,
            runs=float(DAYS_PER_WEEK),
            run=np.where(at < window, since // HOURS_PER_DAY, -1),
            since=np.where(at < window, at, -1),
        )
    count = max(int(runs), 1)
    apart = HOURS_PER_WEEK // count
    # Counted back from the end of the week, so that one weekly run starts after working days.
    left = HOURS_PER_WEEK - 1 - hour
    long = min(window, apart)
    inside = left % apart < long
    return Work(
        volume=volume_week / count,
        runs=float(count),
        run=np.where(inside, np.minimum(left // apart, count - 1), -1),
        since=np.where(inside, long - 1 - left % apart, -1),
    )


def part_of_window(work: Work, parts: int) -> Ints:
    """Which of the equal parts of its run's window each hour of the week is in, -1 outside.

    Source: definition; a window of fewer hours has a part an hour.
    """
    window = int(work.since.max(initial=-1)) + 1
    parts = max(min(parts, window), 1)
    return np.where(work.since >= 0, work.since * parts // max(window, 1), -1)


def run_hours(work: Work, kind: Ints, kinds: int, *, parts: int = 1) -> Floats:
    """Hours of each kind in each part of each run's window, shape (runs, parts, kinds).

    Runs that are alike are one row.

    Source: counting.
    """
    part = part_of_window(work, parts)
    found = np.unique([
        [
            np.bincount(kind[(work.run == run) & (part == each)], minlength=kinds)
            for each in range(int(part.max()) + 1)
        ]
        for run in np.unique(work.run[work.run >= 0])
    ], axis=0)  # fmt: skip
    return np.asarray(found, dtype=np.float64)


def kinds_of_hours(demand: Floats, windows: Bools) -> tuple[Ints, Floats, Ints]:
    """Hours that are alike in every demand and window, taken together.

    Gives the kind of each of the 168 hours, how many hours each kind has, and one hour of
    each kind. Nothing is lost: what is best in one hour is best in another that is the same.

    Source: plain grouping.
    """
    scale = np.maximum(np.abs(demand).max(axis=1, keepdims=True), 1e-12)
    columns = np.concatenate([np.round(demand / scale, 9), windows]).T
    _, first, kind, count = np.unique(
        columns, axis=0, return_index=True, return_inverse=True, return_counts=True
    )
    return kind.ravel(), count.astype(np.float64), first
