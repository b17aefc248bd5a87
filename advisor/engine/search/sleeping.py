"""Pools that may sleep: how long a wake-up takes on each layout, and how often it is awake."""

from dataclasses import dataclass

import numpy as np

from advisor.engine.cases import Bools, Floats
from advisor.engine.latency.operations import shipped_operations
from advisor.engine.latency.serverless import ColdStart, awake_fraction, cold_start
from advisor.engine.search.sizing import Sizing
from advisor.engine.workload import ServingDemand, Workload
from catalog.specs import BYTES_PER_WEIGHT, PRECISIONS
from catalog.units import SECONDS_PER_HOUR

OVER_PLACES = frozenset({"two_zones", "two_regions", "active_active"})
"""Redundancy that keeps a second place running."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sleeping:
    """Columns over a sizing: seconds of a wake-up, whether that is short enough, share awake."""

    start_s: Floats
    allowed: Bools
    awake: Floats


def start_of(demand: ServingDemand, precision: str) -> ColdStart:
    """A replica's cold start with the stated figures and the model's weights in a format.

    Source: fixtures/operations.csv; weight bytes as in the memory footprint.
    """
    figures = shipped_operations()
    return cold_start(
        image_bytes=figures["cold/image"].value,
        image_bytes_per_s=figures["cold/image_rate"].value,
        weight_bytes=demand.model.total_params * BYTES_PER_WEIGHT[precision],
        storage_bytes_per_s=figures["cold/storage_rate"].value,
        warm_up_s=figures["cold/warm_up"].value,
        provision_s=figures["cold/provision"].value,
    )


def sleeping_of(sizing: Sizing, workload: Workload) -> Sleeping | None:
    """How a pool that may be switched off when idle sleeps; None where it may not.

    It sleeps only where its wake-up is within the limit, as long as no request has been in hand
    for the idle time.

    Source: `latency.serverless.awake_fraction`.
    """
    serving = workload.serving
    if serving is None or serving.is_batch or not serving.scale_to_zero or len(sizing) == 0:
        return None
    starts = np.array([start_of(serving, name).total_s for name in PRECISIONS])
    start_s = starts[sizing.precision]
    limit_s = serving.cold_start_limit_s
    allowed = start_s <= (np.inf if limit_s is None else limit_s)
    service_s = sizing.figures["e2e_p50_s"].value
    awake = awake_fraction(
        requests_per_s=serving.requests_per_s_mean,
        service_s=np.where(np.isfinite(service_s), service_s, 0.0) + start_s,
        idle_s=shipped_operations()["scale/idle"].value,
    )
    return Sleeping(start_s=start_s, allowed=allowed, awake=np.where(allowed, awake, 1.0))


def sleeping_note(sleeping: Sleeping, row: int, limit_s: float | None) -> str:
    """What sleeping comes to for one layout, in a sentence.

    Source: the columns.
    """
    start = f"{sleeping.start_s[row]:,.0f} s"
    if not sleeping.allowed[row]:
        return f"It is kept awake: a wake-up takes about {start}, and you accept {limit_s:,.0f} s."
    share = float(sleeping.awake[row])
    if share > 0.995:  # noqa: PLR2004 -- shown as a whole percent
        return f"It may sleep, and hardly does: requests come too often. A wake-up takes {start}."
    return f"It sleeps {1.0 - share:.0%} of its hours; a wake-up takes about {start}."


def restore_warnings(workload: Workload, *, within_s: float, capacity_h: float) -> list[str]:
    """A time to restore that starting anew at another place cannot keep.

    `capacity_h` is how long one looks for machines elsewhere; then comes a cold start.

    Source: arithmetic; the figures' own.
    """
    serving = workload.serving
    if serving is None or serving.is_batch or serving.redundancy in OVER_PLACES:
        return []
    anew_s = capacity_h * SECONDS_PER_HOUR + start_of(serving, serving.precision).total_s
    if within_s >= anew_s:
        return []
    return [
        f"{workload.name}: after the loss of its place it starts elsewhere in about "
        f"{anew_s / SECONDS_PER_HOUR:,.1f} h (finding machines, then a cold start), and you ask "
        f"for {within_s / SECONDS_PER_HOUR:,.2g} h. Keep a second place running: two zones or two "
        "regions."
    ]
