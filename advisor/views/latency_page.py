"""What the latency page says of a simulation: findings, tables, charts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from advisor.templatetags.quantities import Scale, column_scale, number, percent, seconds
from advisor.views.latency_chart import first_token_over_batch, full_over_batch, over_load
from advisor.views.poisson_shown import arrivals_told, poisson_finding

Document = Mapping[str, Any]
FIGURES: Mapping[str, str] = {
    "ttft": "First token",
    "tpot": "Time per output token",
    "e2e": "Whole answer",
}
SHARES = ("p50", "p95", "p99")
_SHARE_WORDS = {"p50": "median", "p95": "p95", "p99": "p99"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The columns of one figure, which share a unit."""

    label: str
    unit: str
    shares: tuple[str, ...] = tuple(_SHARE_WORDS.values())


def findings(result: Document) -> list[str]:
    """What the simulation says, one sentence each."""
    said = [_at_the_peak(result), _reach(result)]
    lost = result["one_lost"]
    if lost is None:
        said.append("With its only replica lost, nothing answers.")
    elif not lost["settles"]:
        said.append("With one replica lost, more arrives than is served: the queue grows.")
    else:
        what = "still keeps the targets" if lost["meets"] else "misses a target"
        first = seconds(lost["ttft_p99_s"]["value"])
        said.append(
            f"With one replica lost it {what}: 99 of 100 first tokens come within {first}."
            if lost["meets"] is not None
            else f"With one replica lost, 99 of 100 first tokens come within {first}."
        )
    return [sentence for sentence in said if sentence]


def _peak(result: Document) -> Document:
    found: Document = next(row for row in result["rows"] if row["load"] == result["change"]["load"])
    return found


def _at_the_peak(result: Document) -> str:
    row, targets = _peak(result), result["targets"]
    rate = f"At {number(row['requests_per_s'])} requests/s"
    busiest = result.get("trace_peak", 1.0)
    if busiest > 1.0:
        rate += f" ({number(row['requests_per_s'] * busiest)} in the busiest minute)"
    if not row["settles"]:
        most = number(result["capacity_requests_per_s"])
        return f"{rate} more arrives than is served ({most} requests/s): the queue grows."
    name = f"p{round(targets['percentile'] * 100)}"
    shown = name if name in SHARES else "p99"
    share = round(targets["percentile"] * 100) if name in SHARES else 99
    first, gap = (seconds(row[f"{figure}_{shown}_s"]["value"]) for figure in ("ttft", "tpot"))
    asked = [
        f"{seconds(targets[f'{figure}_s'])} for the {label.lower()}"
        for figure, label in FIGURES.items()
        if targets[f"{figure}_s"] is not None
    ]
    target = f" Your targets are {' and '.join(asked)}." if asked else ""
    return (
        f"{rate}, {share} of 100 first tokens come within {first}, and {share} of 100 answers "
        f"take at most {gap} for each further token.{target}"
    )


def _reach(result: Document) -> str:
    rate = result["peak_requests_per_s"]
    said = []
    if result["goodput"] is not None:
        said.append(
            f"The targets hold up to {percent(result['goodput'])} of the peak "
            f"({number(result['goodput'] * rate)} requests/s)"
        )
    elif any(row["meets"] is False for row in result["rows"]):
        said.append("No load tried keeps all targets")
    if result["knee"] is not None:
        said.append(
            f"the knee, from where waiting grows faster than throughput, is at "
            f"{percent(result['knee']['load'])}"
        )
    needed = result["fewest_replicas"]
    if needed is not None and needed != result["setup"]["replicas"]:
        word = "replica keeps" if needed == 1 else "replicas keep"
        said.append(f"{number(needed)} {word} the targets at the peak")
    most = result["capacity_requests_per_s"]
    if most is not None:
        said.append(f"{number(most)} requests/s is all it can serve")
    text = "; ".join(said)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def load_table(result: Document) -> dict[str, Any]:
    """The rows of the table over load, with the loss of a replica last."""
    rows = list(result["rows"])
    labels = [f"{percent(row['load'])} of the peak" for row in rows]
    if result["one_lost"] is not None:
        rows.append(result["one_lost"])
        at = percent(result["one_lost"]["load"])
        labels.append(f"{at} of the peak, one replica lost")
    return _table(rows, labels, chosen=result["change"]["load"])


def poisson_table(result: Document) -> dict[str, Any] | None:
    """The load as it comes above the same with Poisson arrivals; None where it is Poisson."""
    even = result.get("poisson")
    if even is None:
        return None
    labels = [arrivals_told(result), "Poisson arrivals, same rate and lengths"]
    return _table([_peak(result), even], labels, chosen=result["change"]["load"]) | {
        "finding": poisson_finding(result, _peak(result))
    }


def batch_table(result: Document) -> dict[str, Any] | None:
    """The rows of the table over batch limits; None for a quick simulation."""
    rows = result["batches"]
    if not rows:
        return None
    labels = [f"{row['batch_limit']} at once" for row in rows]
    table = _table(rows, labels, chosen=None) | {"full": True}
    for row, shown in zip(rows, table["rows"], strict=True):
        shown["chosen"] = row["batch_limit"] == result["setup"]["batch_limit"]
    return table


def _table(
    rows: Sequence[Document], labels: Sequence[str], *, chosen: float | None
) -> dict[str, Any]:
    scales = {figure: _scale(rows, figure) for figure in FIGURES}
    return {
        "groups": [
            Group(label=label, unit=scales[figure].unit) for figure, label in FIGURES.items()
        ],
        "rows": [
            {
                "label": label,
                "chosen": row["load"] == chosen and row is not rows[-1],
                "row": row,
                "cells": [
                    _cell(row, f"{figure}_{share}_s", scales[figure])
                    for figure in FIGURES
                    for share in SHARES
                ],
                "missed": missed_words(row),
            }
            for row, label in zip(rows, labels, strict=True)
        ],
    }


def _scale(rows: Sequence[Document], figure: str) -> Scale:
    values = [row[f"{figure}_{share}_s"]["value"] for row in rows for share in SHARES]
    return column_scale("s", values)


def _cell(row: Document, name: str, scale: Scale) -> dict[str, str]:
    figure = row[name]
    if not row["settles"]:
        return {"missing": "grows"}
    if figure["value"] is None:
        return {"missing": "unknown"}
    low, high = scale.text(figure["low"]), scale.text(figure["high"])
    return {
        "text": scale.text(figure["value"]),
        "low": low if low != high else "",
        "high": high,
    }


def missed_words(row: Document) -> str:
    """The targets a row misses, in words."""
    names = {f"{figure}_s": label.lower() for figure, label in FIGURES.items()}
    return ", ".join(names[name] for name in row["missed"] or ())


def charts(result: Document) -> list[dict[str, Any]]:
    """Charts over load of the first token and of the time per output token."""
    targets, knee = result["targets"], result["knee"]
    return [
        {
            "id": f"load-{figure}",
            "title": f"{FIGURES[figure]} over load",
            "data": over_load(
                result["curve"],
                figure,
                target_s=targets[f"{figure}_s"],
                knee=None if knee is None else knee["load"],
            ),
            "finding": _rise(result["curve"], figure),
        }
        for figure in ("ttft", "tpot")
    ]


def _rise(rows: Sequence[Document], figure: str) -> str:
    name = f"{figure}_p99_s"
    known = [row for row in rows if row[name]["value"]]
    if len(known) < 2:  # noqa: PLR2004 - one point is no rise
        return "Only one load settles."
    low, high = known[0], known[-1]
    times = high[name]["value"] / low[name]["value"]
    return (
        f"From {percent(low['load'])} to {percent(high['load'])} of the peak the 99th percentile "
        f"goes from {seconds(low[name]['value'])} to {seconds(high[name]['value'])}, "
        f"{number(times, 2)} times as long."
    )


def batch_charts(result: Document) -> list[dict[str, Any]]:
    """Charts over the batch limit."""
    rows, targets, own = result["batches"], result["targets"], result["setup"]["batch_limit"]
    if not rows:
        return []
    return [
        {
            "id": "batch-ttft",
            "title": "First token over the batch limit",
            "data": first_token_over_batch(rows, target_s=targets["ttft_s"], own=own),
            "finding": _outside(rows),
        },
        {
            "id": "batch-tpot",
            "title": "Time per output token over the batch limit (p99)",
            "data": full_over_batch(rows, target_s=targets["tpot_s"], own=own),
            "finding": _inside(rows),
        },
    ]


def _outside(rows: Sequence[Document]) -> str:
    """What a small limit does."""
    enough = [row for row in rows if row["settles"]]
    if not enough:
        return "No limit keeps up with this load."
    if enough[0] is rows[0]:
        return "Every limit shown keeps up with this load."
    return (
        f"Below {enough[0]['batch_limit']} at once this load is not served: requests wait "
        "outside, longer and longer."
    )


def _inside(rows: Sequence[Document]) -> str:
    """What a large limit does once it is full."""
    first, last = rows[0], rows[-1]
    slow, quick = (seconds(row["full_tpot_p99_s"]["value"]) for row in (last, first))
    return (
        f"When all {first['batch_limit']} places are taken a token takes {quick} and the "
        f"pool serves {number(first['full_requests_per_s'])} requests/s; with "
        f"{last['batch_limit']} it takes {slow} for {number(last['full_requests_per_s'])}."
    )


def comparison(planned: Document | None, changed: Document) -> list[dict[str, str]]:
    """A changed set-up beside the plan, figure by figure."""
    both = [result for result in (planned, changed) if result is not None]
    rows = [_peak(result) for result in both]
    lines: list[tuple[str, list[str]]] = [
        ("Requests a second", [number(row["requests_per_s"]) for row in rows]),
        ("Replicas", [number(row["replicas"]) for row in rows]),
        ("Requests at once on a replica", [number(row["batch_limit"]) for row in rows]),
    ]
    for figure, label in FIGURES.items():
        lines += [
            (f"{label}, {_SHARE_WORDS[share]}", [_told(row, f"{figure}_{share}_s") for row in rows])
            for share in SHARES
        ]
    lost = [result["one_lost"] for result in both]
    lines.append(
        (
            "First token, p99, one replica lost",
            ["nothing answers" if each is None else _told(each, "ttft_p99_s") for each in lost],
        )
    )
    lines.append(("Targets", [_kept(row) for row in rows]))
    lines.append(("Most it can serve", [_most(result) for result in both]))
    lines.append(("Targets hold up to", [_goodput(result) for result in both]))
    lines.append(("Fewest replicas that keep them", [_fewest(result) for result in both]))
    lines.append(("First token, p99, if arrivals were Poisson", [_if_poisson(r) for r in both]))
    return [
        {"label": label, "planned": told[0] if planned else "", "changed": told[-1]}
        for label, told in lines
    ]


def _told(row: Document, name: str) -> str:
    if not row["settles"]:
        return "grows as long as the load lasts"
    return seconds(row[name]["value"])


def _kept(row: Document) -> str:
    if row["meets"] is None:
        return "none set"
    if not row["settles"]:
        return "missed: the queue grows"
    return "kept" if row["meets"] else f"missed: {missed_words(row)}"


def _most(result: Document) -> str:
    return f"{number(result['capacity_requests_per_s'])} requests/s"


def _goodput(result: Document) -> str:
    if result["goodput"] is None:
        return "no load tried" if any(r["meets"] is False for r in result["rows"]) else "none set"
    return f"{number(result['goodput'] * result['peak_requests_per_s'])} requests/s"


def _if_poisson(result: Document) -> str:
    even = result.get("poisson")
    return _told(_peak(result) if even is None else even, "ttft_p99_s")


def _fewest(result: Document) -> str:
    found = result["fewest_replicas"]
    if found is not None:
        return number(found)
    return "none set" if result["rows"][0]["meets"] is None else "no number keeps them"
