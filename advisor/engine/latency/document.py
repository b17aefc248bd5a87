"""Simulated loads as JSON carries them: figures with unit and interval, unknown left empty."""

from collections.abc import Mapping
from math import isfinite

from advisor.engine.latency.load import BatchRow, LoadRow, LoadTable
from advisor.engine.latency.outcome import Interval
from advisor.engine.latency.poisson import UnderPoisson


def number(value: float | None) -> float | None:
    """A number JSON can hold: what is not finite is left empty."""
    return None if value is None or not isfinite(value) else float(value)


def interval_document(interval: Interval) -> dict[str, float | None]:
    """A percentile with the ends of the 95 % confidence interval of the simulation."""
    return {
        "value": number(interval.value),
        "low": number(max(interval.low, 0.0)),
        "high": number(interval.high),
    }


def row_document(row: LoadRow) -> dict[str, object]:
    """One simulated load. Percentiles of a load that does not settle are left empty."""
    nothing: Mapping[str, float | None] = dict.fromkeys(("value", "low", "high"))
    return {
        "load": row.load,
        "requests_per_s": row.requests_per_s,
        "replicas": row.replicas,
        "batch_limit": row.batch_limit,
        "settles": row.settles,
        "meets": row.meets,
        "missed": None if row.missed is None else list(row.missed),
        "preempted": row.preempted,
        "refused": row.refused,
        "unit": "s",
        **{
            name: interval_document(figure) if row.settles else dict(nothing)
            for name, figure in row.figures.items()
        },
    }


def batch_document(batch: BatchRow) -> dict[str, object]:
    """One batch limit, at the load and full."""
    return row_document(batch.row) | {
        "full_requests_per_s": number(batch.full_requests_per_s),
        "full_tpot_p99_s": interval_document(batch.full_tpot),
    }


def poisson_document(found: UnderPoisson) -> dict[str, object]:
    """A load with Poisson arrivals of the same rate and lengths."""
    return {**row_document(found.row), "fewest_replicas": found.fewest_replicas}


def table_document(table: LoadTable) -> dict[str, object]:
    """A plan over load."""
    knee = table.knee
    return {
        "capacity_requests_per_s": number(table.capacity_requests_per_s),
        "rows": [row_document(row) for row in table.rows],
        "one_lost": None if table.one_lost is None else row_document(table.one_lost),
        "curve": [row_document(row) for row in table.curve],
        "knee": None
        if knee is None
        else {"load": knee.load, "requests_per_s": knee.requests_per_s},
        "goodput": table.goodput,
    }
