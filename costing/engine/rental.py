"""What rented capacity costs by the way it is bought, per hour and per month."""

import numpy as np
from numpy.typing import ArrayLike

from catalog.specs import Purchase
from catalog.units import HOURS_PER_DAY, HOURS_PER_MONTH
from costing.engine.cases import COMMITMENT_MONTHS, CostCases
from costing.engine.data import Floats

_ALMOST = 1e-9  # keeps an exact multiple from rounding up


def paid_hours_per_month(cases: CostCases) -> Floats:
    """Hours a month that rent is paid for one instance; shape (cases,).

    On demand and spot pay the hours needed where the load may be switched off, otherwise all
    730; commitments pay all of them, idle or not; a capacity block is booked in whole days
    for each run. Runs shorter than the billing minimum pay the minimum, and others whole
    billing steps.

    Source: AWS pricing pages of EC2 on demand, savings plans and capacity blocks for ML.
    """
    runs = cases.runs_per_month
    with np.errstate(divide="ignore", invalid="ignore"):
        run_h = np.where(runs > 0.0, cases.hours_per_month_needed / runs, 0.0)
    billed = runs * billed_hours(
        hours=run_h, minimum_h=cases.minimum_billing_h, increment_h=cases.billing_step_h
    )
    by_the_hour = np.where(runs > 0.0, billed, cases.hours_per_month_needed)
    blocks = runs * np.ceil(run_h / HOURS_PER_DAY - _ALMOST) * HOURS_PER_DAY
    hours = np.where(cases.may_scale_down, by_the_hour, HOURS_PER_MONTH)
    is_block = cases.is_bought_as(Purchase.CAPACITY_BLOCK)
    hours = np.where(is_block, np.where(runs > 0.0, blocks, HOURS_PER_MONTH), hours)
    committed = cases.is_bought_as(*COMMITMENT_MONTHS) | (cases.minimum_months > 0.0)
    return np.where(committed, HOURS_PER_MONTH, hours)


def billed_hours(
    *, hours: ArrayLike, minimum_h: ArrayLike = 0.0, increment_h: ArrayLike = 0.0
) -> Floats:
    """Hours on the bill for one use: at least the minimum, in whole increments (0 is any).

    Source: providers' billing terms, e.g. AWS EC2 "per second, with a minimum of 60 seconds".
    """
    used = np.maximum(np.asarray(hours, dtype=np.float64), np.asarray(minimum_h, dtype=np.float64))
    step = np.asarray(increment_h, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        stepped = np.ceil(used / step - _ALMOST) * step
    return np.where(step > 0.0, stepped, used)


def spot_overhead_fraction(
    *, interrupted_per_month: ArrayLike, lost_work_h: ArrayLike, restart_h: ArrayLike
) -> Floats:
    """Extra hours per useful hour that interruptions cost, as a fraction.

    Each interruption repeats the work since the last checkpoint (half an interval on average)
    and waits for capacity; interruptions come at a steady rate through the month.

    Source: first-order term of J. Daly, "A higher order estimate of the optimum checkpoint
    interval for restart dumps", Future Generation Computer Systems 22(3), 2006.
    """
    per_hour = np.asarray(interrupted_per_month, dtype=np.float64) / HOURS_PER_MONTH
    lost_h = np.asarray(lost_work_h, dtype=np.float64) + np.asarray(restart_h, dtype=np.float64)
    return per_hour * lost_h


def spot_usd_per_useful_h(
    *,
    spot_usd_per_h: ArrayLike,
    fallback_usd_per_h: ArrayLike,
    fallback_fraction: ArrayLike,
    overhead_fraction: ArrayLike,
) -> Floats:
    """USD per useful hour of spot capacity that falls back to on demand; any shape.

    `fallback_fraction` is the share of hours without spot capacity; repeated work
    (`overhead_fraction`) is paid at the blended price.

    Source: expected value; the article's "spot as the fallback" claim is checked with it.
    """
    share = np.asarray(fallback_fraction, dtype=np.float64)
    spot = np.asarray(spot_usd_per_h, dtype=np.float64)
    # An unknown fallback price matters only where there is a fallback.
    fallback = np.where(share > 0.0, np.asarray(fallback_usd_per_h, dtype=np.float64), 0.0)
    blended = (1.0 - share) * spot + share * fallback
    return blended * (1.0 + np.asarray(overhead_fraction, dtype=np.float64))


def spot_latency_factor(
    *, fallback_fraction: ArrayLike, fallback_latency_factor: ArrayLike
) -> Floats:
    """Mean latency relative to undisturbed capacity, when a share runs on the fallback.

    Source: expected value.
    """
    share = np.asarray(fallback_fraction, dtype=np.float64)
    return 1.0 + share * (np.asarray(fallback_latency_factor, dtype=np.float64) - 1.0)
