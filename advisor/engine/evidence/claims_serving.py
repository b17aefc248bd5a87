"""Claims about serving: storage, shared pools, spot capacity and latency."""

import numpy as np

from advisor.engine.calibration import Calibration
from advisor.engine.cases import ENGINES, Floats, InferenceCases
from advisor.engine.evidence.claims_market import SpotMarket
from advisor.engine.evidence.claims_values import Checked, Finding, Verdict, percent
from advisor.engine.queueing import waiting_time_quantile_s
from advisor.engine.serving.performance import serving_point
from advisor.engine.training.jobs import READ_BYTES_PER_S
from catalog.specs import PRECISIONS, CatalogueSnapshot, Evidence
from catalog.units import GIGA, MILLISECOND
from costing.engine.rates import Rate, Rates
from costing.engine.rental import (
    spot_latency_factor,
    spot_overhead_fraction,
    spot_usd_per_useful_h,
)

CLAIMED_SPOT_SAVING = 0.55
CLAIMED_MORE_LATENCY = 0.20
STORAGE_BYTES_PER_S = 20.0 * GIGA
STORAGE_JOB = 64  # accelerators of the job whose utilisation is shown
SHARED_P99_S, SPLIT_P99_S, EXTRA_CAPACITY = 2.2, 0.7, 0.15
SERVICE_S = 0.3  # one request of the article's own latency-sensitive apps
POOLS = (8, 32, 128)
HEADLINE_S, BODY_S = 0.2, 0.3
_LATENCY_PARTS = ("nvidia-l4", "nvidia-a100-sxm-80gb", "nvidia-h100-sxm", "nvidia-b200-sxm")
_LATENCY_MODEL = "llama3.1-8b"
_PROMPT_TOKENS = 500.0


def check_storage() -> Checked:
    """How many accelerators 20 GB/s keep busy, and a job's utilisation when there are more.

    Source: bytes read by kind of data, advisor.engine.training.jobs.
    """
    words = []
    for kind, (low, high) in READ_BYTES_PER_S.items():
        fed = [STORAGE_BYTES_PER_S / rate for rate in (high, low)]
        busy = min(1.0, fed[0] / STORAGE_JOB)
        words.append(
            f"{kind}: feeds {_rounded(fed[0])} to {_rounded(fed[1])} accelerators, "
            f"a job of {STORAGE_JOB} is busy {percent(busy)} of the time at worst"
        )
    return Checked(
        computed=(
            Finding(
                text="; ".join(words) + ".",
                evidence=Evidence.ESTIMATED.value,
                source="Bytes each accelerator reads by kind of data, as the methods page names",
            ),
        ),
        verdict=Verdict.DEPENDS,
        conclusion=(
            "20 GB/s is far more than text needs and far too little for a few dozen accelerators "
            "on 3D images. Ask for bytes a second by accelerator and kind of data instead."
        ),
    )


def check_pools() -> Checked:
    """Which p99 the same traffic sees when a saturated pool gets 15 % more capacity.

    Source: M/M/c queue, advisor.engine.queueing.
    """
    servers = np.array(POOLS, dtype=np.float64)
    low, high = np.zeros(len(servers)), servers / SERVICE_S
    for _ in range(60):
        middle = 0.5 * (low + high)
        slow = _p99_s(middle, servers) > SHARED_P99_S
        low, high = np.where(slow, low, middle), np.where(slow, middle, high)
    loads, after = low * SERVICE_S / servers, _p99_s(low, servers * (1.0 + EXTRA_CAPACITY))
    words = [
        f"{int(count)} slots: {SHARED_P99_S:.1f} s at {percent(load)} load become {p99:.2f} s"
        for count, load, p99 in zip(servers, loads, after, strict=True)
    ]
    return Checked(
        computed=(
            Finding(
                text="; ".join(words) + ".",
                evidence=Evidence.ASSUMED.value,
                source=(
                    f"Erlang C queue with requests of {SERVICE_S:.1f} s (assumed), the same "
                    "arrivals, 15 % more servers"
                ),
            ),
        ),
        verdict=Verdict.UNCHECKED,
        conclusion=(
            f"The direction is plausible: near saturation 15 % more capacity alone brings the p99 "
            f"from {SHARED_P99_S:.1f} s to {min(after):.2f} to {max(after):.2f} s, with no "
            "splitting at all; splitting by product loses some of that. The article's own "
            "figures remain the article's: nobody published a measurement."
        ),
    )


def _p99_s(arrivals: Floats, servers: Floats) -> Floats:
    wait = waiting_time_quantile_s(
        quantile=0.99, arrivals_per_s=arrivals, service_s=SERVICE_S, servers=servers
    )
    return np.asarray(wait + SERVICE_S)


def _rounded(value: float) -> str:
    """Two significant digits with separators: what a number this rough is worth."""
    digits = float(f"{value:.2g}")
    return f"{digits:,.0f}"


def check_spot_saving(market: SpotMarket, rates: Rates) -> Checked:
    """What spot with an on-demand fallback saves by itself, at today's prices.

    Source: matched prices of the catalogue; interruption rates of costing; expected value.
    """
    interrupted, restart = rates["spot/interrupted_per_month"], rates["spot/restart"]
    fallback = rates["spot/fallback"]
    findings, savings = [], []
    for label, ratios in (("A100", market.ratios_of("a100")), ("all", market.all_ratios)):
        if not len(ratios):
            continue
        overhead = spot_overhead_fraction(
            interrupted_per_month=interrupted.value, lost_work_h=0.0, restart_h=restart.value
        )
        paid = spot_usd_per_useful_h(
            spot_usd_per_h=ratios,
            fallback_usd_per_h=1.0,
            fallback_fraction=fallback.value,
            overhead_fraction=overhead,
        )
        saved = 1.0 - np.quantile(paid, (0.9, 0.5, 0.1))
        savings.append(float(saved[1]))
        findings.append(
            Finding(
                text=(
                    f"{label if label != 'all' else 'All accelerators'}: spot with "
                    f"{percent(fallback.value)} of hours on demand saves {percent(saved[1])} "
                    f"(eight of ten offers {percent(saved[0])} to {percent(saved[2])}) "
                    f"over {len(ratios)} matched offers."
                ),
                evidence=Evidence.LIST.value,
                source=(
                    "Spot and on-demand price of the same instance in the same region and from "
                    f"the same reading; interruptions after {interrupted.source}; the share on "
                    "demand is an assumption"
                ),
            )
        )
    if not savings:
        return Checked(
            computed=(),
            verdict=Verdict.UNCHECKED,
            conclusion="No spot price is on record today.",
            not_computed="no spot price is on record",
        )
    findings.append(_spot_latency(fallback))
    alone = savings[0]
    rest = 1.0 - (1.0 - CLAIMED_SPOT_SAVING) / (1.0 - alone)
    return Checked(
        computed=tuple(findings),
        verdict=Verdict.PARTLY,
        conclusion=_spot_conclusion(alone, rest),
    )


def _spot_latency(fallback: Rate) -> Finding:
    """How slow the fallback may be for the mean to stay under 20 % more."""
    slowest = 1.0 + CLAIMED_MORE_LATENCY / fallback.value
    twice = spot_latency_factor(fallback_fraction=fallback.value, fallback_latency_factor=2.0)
    return Finding(
        text=(
            f"With {percent(fallback.value)} of the requests on the fallback, a fallback twice as "
            f"slow adds {percent(float(twice) - 1.0)} to the mean latency; under 20 % more holds "
            f"as long as the fallback is less than {slowest:.0f} times as slow."
        ),
        evidence=Evidence.ASSUMED.value,
        source=f"Expected value; {fallback.source}",
    )


def _spot_conclusion(alone: float, rest: float) -> str:
    if rest <= 0.0:
        return (
            f"The 55 % are said of a tuned model, optimised clusters and spot together. On list "
            f"prices spot alone would save {percent(alone)} where capacity is to be had, so "
            "the size is possible, but the other two then add nothing; what a service measured "
            "stays below it."
        )
    return (
        f"The 55 % are said of a tuned model, optimised clusters and spot together. Spot alone "
        f"saves {percent(alone)}; the tuned model and the clusters would have to save another "
        f"{percent(rest)} of what is left. No baseline is given, so the sum cannot be checked."
    )


def check_spot_forecast(market: SpotMarket) -> Checked:
    """What a further 25 % off today's spot prices would mean.

    Source: matched prices of the catalogue.
    """
    ratios = market.all_ratios
    if not len(ratios):
        return Checked(
            computed=(),
            verdict=Verdict.FORECAST,
            conclusion="It speaks of the future: nothing can confirm it today.",
            not_computed="no spot price is on record",
        )
    now = float(np.median(ratios))
    return Checked(
        computed=(
            Finding(
                text=(
                    f"Spot costs {percent(now)} of on demand today (median of {len(ratios)} "
                    f"matched offers); a quarter less would be {percent(0.75 * now)}."
                ),
                evidence=Evidence.LIST.value,
                source="Spot and on-demand prices of the same instance, region and reading",
            ),
        ),
        verdict=Verdict.FORECAST,
        conclusion=(
            "It speaks of the future and no answer here counts on it: spot is offered at today's "
            "prices, with today's interruptions."
        ),
    )


def check_latency(snapshot: CatalogueSnapshot, calibration: Calibration) -> Checked:
    """How many tokens a model of 8 billion parameters writes within 200 and 300 ms, alone.

    Source: advisor.engine.serving.performance, one request in flight; the network is not in it.
    """
    known = {part.slug: part for part in snapshot.accelerators}
    parts = [known[slug] for slug in _LATENCY_PARTS if slug in known]
    rows = len(parts)
    model = next(m for m in snapshot.models if m.slug == _LATENCY_MODEL)
    ones, zeros = np.ones(rows, dtype=np.int64), np.zeros(rows, dtype=np.int64)
    point = serving_point(
        InferenceCases(
            accelerators=tuple(parts),
            models=(model,),
            accelerator=np.arange(rows),
            model=zeros,
            precision=np.full(rows, PRECISIONS.index("bf16")),
            kv_precision=np.full(rows, PRECISIONS.index("bf16")),
            engine=np.full(rows, ENGINES.index("vllm")),
            software_month=np.full(rows, np.nan),
            accelerator_count=ones,
            tensor_parallel=ones,
            pipeline_parallel=ones,
            expert_parallel=ones,
            attention_data_parallel=ones,
            input_tokens=np.full(rows, _PROMPT_TOKENS),
            output_tokens=np.full(rows, 64.0),
            concurrency=np.ones(rows),
            disaggregated=np.zeros(rows, dtype=bool),
            speculative=np.zeros(rows, dtype=bool),
            assumed=zeros,
        ),
        calibration,
    )
    first, each = point.ttft_mean_s.value, point.tpot_mean_s.value
    counts = [np.floor(np.maximum((t - first) / each + 1.0, 0.0)) for t in (HEADLINE_S, BODY_S)]
    words = [
        f"{part.name}: first token after {f / MILLISECOND:.0f} ms, {h:.0f} and {b:.0f} tokens"
        for part, f, h, b in zip(parts, first, *counts, strict=True)
    ]
    return Checked(
        computed=(
            Finding(
                text=(
                    f"Llama 3.1 8B in bf16 on one accelerator, {_PROMPT_TOKENS:.0f} tokens in, "
                    "within 200 and 300 ms. " + "; ".join(words) + "."
                ),
                evidence=Evidence.CALIBRATED.value,
                source="Serving model, one request in flight, network apart",
            ),
        ),
        verdict=Verdict.DEPENDS,
        conclusion=(
            "A target, not a measurement. A headline of some 15 tokens is possible on the parts "
            "whose second number is above that; a body of several sentences in 300 ms is not, "
            "unless its first words count. Every millisecond of network comes off."
        ),
    )
