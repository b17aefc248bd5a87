"""What a serving workload must bear: arrivals or a batch, sizes of requests, targets."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from advisor.engine.answers import Origin
from advisor.engine.demand import rates
from advisor.engine.demand.adapters import adapter_bytes
from advisor.engine.demand.model import NATIVE_PASSES, Part, kv_precision_for, precision_for
from advisor.engine.demand.search import Request, document, is_batch, query, vector_bytes
from advisor.engine.demand.shapes import LATENT_FRAMES, PICTURE_PIXELS
from advisor.engine.workload import ServingDemand, Slo
from catalog.specs import ModelSpec
from catalog.units import (
    GIGA,
    HOURS_PER_MONTH,
    KILO,
    MEGA,
    MILLISECOND,
    PERCENT,
    SECONDS_PER_HOUR,
)

PERCENTILES: Mapping[str, float] = {
    "p50": 0.5,
    "p90": 0.9,
    "p95": 0.95,
    "p99": 0.99,
    "p99_9": 0.999,
}
AUDIO_WINDOW_S = 30.0  # what a speech model hears at a time (arXiv:2212.04356, section 2.1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Requests over time."""

    mean_per_s: float
    peak_per_s: float
    hours_per_month: float
    per_month: float
    window_s: float | None = None  # set for a batch
    hours_per_day: float = 24.0
    days_per_week: float = 7.0


def serving_demand(part: Part, model: ModelSpec) -> ServingDemand:
    """The demand of one serving workload.

    Source: arithmetic of `demand_rates` on the answers.
    """
    request, model = _request(part, model)
    load = batch_load(part) if is_batch(part) else live_load(part, request)
    return _demand(part, model, request, load, slo=_slo(part, request))


def batch_load(part: Part) -> Load:
    """A batch as a rate that just meets its window, repeated work included.

    Without a deadline a run may last until the next one starts.

    Source: arithmetic on the answers.
    """
    own = part.own
    if part.kind == "graph":
        items = own.number("graph_nodes_m") * MEGA * own.number("graph_passes")
        window_s = own.number("graph_window_h") * SECONDS_PER_HOUR
        runs, repeated = own.number("graph_runs_per_month"), 0.0
    else:
        items = own.number("batch_items_m") * MEGA
        window_s = own.number("batch_window_h") * SECONDS_PER_HOUR
        runs = own.number("batch_runs_per_month")
        repeated = own.number("batch_retry_pct") * PERCENT
        if own.text("batch_window_hard") == "no_deadline":
            window_s = max(window_s, HOURS_PER_MONTH * SECONDS_PER_HOUR / max(runs, 1.0))
    rate = rates.batch_rate_per_s(items=items, window_s=window_s, repeated_fraction=repeated)
    return Load(
        mean_per_s=rate,
        peak_per_s=rate,
        hours_per_month=min(runs * window_s / SECONDS_PER_HOUR, HOURS_PER_MONTH),
        per_month=items * (1.0 + repeated) * runs,
        window_s=window_s,
    )


def live_load(part: Part, request: Request) -> Load:
    """Arrivals: the mean while there is traffic, and the busiest minute.

    Source: arithmetic on the answers.
    """
    own = part.own
    if part.kind in ("vision", "speech"):
        if part.kind == "vision":
            rate = own.number("vision_streams") * own.number("vision_fps")
        else:
            rate = own.number("speech_streams_peak") / AUDIO_WINDOW_S
        month_s = HOURS_PER_MONTH * SECONDS_PER_HOUR
        return Load(
            mean_per_s=rate,
            peak_per_s=rate,
            hours_per_month=HOURS_PER_MONTH,
            per_month=rate * month_s,
        )
    hours_per_day = own.number("active_hours_day")
    hours = rates.active_hours_per_month(
        hours_per_day=hours_per_day, days_per_week=own.number("active_days_week")
    )
    mean = _mean_per_s(part, request, hours_per_day=hours_per_day, hours=hours)
    return Load(
        mean_per_s=mean,
        peak_per_s=mean * own.number("peak_to_mean"),
        hours_per_month=hours,
        per_month=mean * hours * SECONDS_PER_HOUR,
        hours_per_day=hours_per_day,
        days_per_week=own.number("active_days_week"),
    )


def _mean_per_s(part: Part, request: Request, *, hours_per_day: float, hours: float) -> float:
    own = part.own
    match own.text("traffic_basis"):
        case "users":
            return rates.mean_over_active_hours(
                per_day=rates.requests_per_day(
                    users=own.number("users_total_k") * KILO,
                    daily_fraction=own.number("users_daily_pct") * PERCENT,
                    requests_per_user_day=own.number("requests_per_user_day"),
                ),
                active_hours_per_day=hours_per_day,
            )
        case "requests_per_second" | "trace_upload":
            return own.number("rps_mean")
        case "requests_per_month":
            per_month = own.number("requests_month_m") * MEGA
        case "tokens_per_month" if part.kind == "infer_llm_realtime":
            per_month = own.number("tokens_month_b") * GIGA
            per_month /= request.input_tokens + request.output_tokens
        case _:
            raise part.refuse(
                "traffic_basis", "choose users, requests_per_second or requests_per_month"
            )
    return per_month / (hours * SECONDS_PER_HOUR)


def _request(part: Part, model: ModelSpec) -> tuple[Request, ModelSpec]:
    own = part.own
    match part.kind:
        case "embed_rag":
            request = document(part) if is_batch(part) else query(part, model)
            return request, model
        case "vision":
            return Request(unit="frame"), model
        case "diffusion":
            return picture(part, model)
        case "recsys":
            samples = own.number("candidates_per_request")
            retrieves = own.text("recsys_stage") == "retrieval"
            return Request(unit="query", samples=1.0 if retrieves else samples), model
        case "speech":
            seconds = own.number("speech_item_s") if is_batch(part) else AUDIO_WINDOW_S
            return Request(unit="stream", samples=seconds), model
        case "graph":
            return Request(unit="item"), model
        case _:
            return _text(part), model


def _text(part: Part) -> Request:
    own = part.own
    return Request(
        unit="request",
        input_tokens=own.number("input_tokens_mean"),
        output_tokens=own.number("output_tokens_mean"),
        input_tokens_p95=own.number("input_tokens_p95"),
        output_tokens_p95=own.number("output_tokens_p95"),
        max_context_tokens=own.number("max_context_tokens"),
    )


def picture(part: Part, model: ModelSpec) -> tuple[Request, ModelSpec]:
    """A generated picture or clip: passes of the model, each as large as the output.

    Compute grows with the pixels; attention grows faster, so results much larger than the
    model's own take longer than this.

    Source: arithmetic on the answers; four frames share a latent one (Wan, arXiv:2503.20314,
    section 4.1).
    """
    own = part.own
    pixels, frames = PICTURE_PIXELS, 1.0
    if "gen_width" in own.asked:
        pixels = own.number("gen_width") * own.number("gen_height")
    clip = own.text("gen_modality") == "video"
    if clip:
        frames = own.number("gen_video_seconds") * own.number("gen_video_fps")
        # A catalogued clip model's figure is by the pixel of all frames; a shaped one's is by
        # the latent frame, and one of those holds four.
        frames = frames if model.slug in NATIVE_PASSES else 1.0 + frames / LATENT_FRAMES
    scale = pixels / PICTURE_PIXELS * frames
    passes = (
        own.number("gen_steps")
        * own.number("gen_guidance_passes")
        * own.number("gen_outputs_per_request")
    )
    flops, extra = model.flops_per_sample or 0.0, model.bytes_per_sample
    scaled = replace(
        model,
        flops_per_sample=flops * scale,
        bytes_per_sample=None if extra is None else extra * scale,
    )
    return Request(unit="clip" if clip else "image", samples=passes), scaled


def _slo(part: Part, request: Request) -> Slo:
    own = part.own
    percentile = PERCENTILES.get(own.text("slo_percentile"), 0.95)
    if own.origins["slo_goodput_pct"] is Origin.GIVEN and "slo_goodput_pct" in own.asked:
        percentile = max(percentile, own.number("slo_goodput_pct") * PERCENT)
    if is_batch(part):
        return Slo(percentile=percentile)
    if "slo_latency_ms" in own.asked:
        return Slo(percentile=percentile, e2e_s=own.number("slo_latency_ms") * MILLISECOND)
    whole_s = own.number_or_none("slo_e2e_s") if "slo_e2e_s" in own.asked else None
    if part.kind == "speech":
        within_s = own.number("speech_rtf_target") * request.samples
        whole_s = within_s if whole_s is None else min(whole_s, within_s)
    streams = "slo_ttft_ms" in own.asked
    return Slo(
        percentile=percentile,
        ttft_s=own.number("slo_ttft_ms") * MILLISECOND if streams else None,
        tpot_s=own.number("slo_itl_ms") * MILLISECOND if streams else None,
        e2e_s=whole_s,
    )


def _demand(
    part: Part, model: ModelSpec, request: Request, load: Load, *, slo: Slo
) -> ServingDemand:
    own, batch = part.own, load.window_s is not None

    def asked(question: str, otherwise: float) -> float:
        return own.number(question) if question in own.asked else otherwise

    precision = precision_for(part, model)
    stage = own.text("stage_name") if "stage_name" in own.asked else ""
    urgent = not batch or own.text("batch_window_hard") == "business_impact"
    sleeps = "scale_to_zero_ok" in own.asked and own.flag("scale_to_zero_ok")
    return ServingDemand(
        model=model,
        unit=request.unit,
        requests_per_s_mean=load.mean_per_s,
        requests_per_s_peak=load.peak_per_s,
        input_tokens=request.input_tokens,
        output_tokens=request.output_tokens,
        input_tokens_p95=request.input_tokens_p95,
        output_tokens_p95=request.output_tokens_p95,
        prefix_cached_fraction=asked("prefix_cache_hit_pct", 0.0) * PERCENT,
        max_context_tokens=request.max_context_tokens,
        samples_per_request=request.samples,
        active_hours_per_month=load.hours_per_month,
        requests_per_month=load.per_month,
        burstiness_cv=asked("burstiness_cv", 1.0),
        growth_per_month=asked("growth_month_pct", 0.0) * PERCENT,
        growth_stops_month=int(asked("growth_stops_month", 0.0)),
        slo=slo,
        is_batch=batch,
        batch_window_s=load.window_s,
        scale_to_zero=sleeps,
        cold_start_limit_s=own.number("cold_start_s") if "cold_start_s" in own.asked else None,
        availability=asked("availability_pct", 99.0) * PERCENT,
        redundancy="none" if batch else own.text("redundancy"),
        headroom_fraction=own.number("headroom_pct") * PERCENT if urgent else 0.0,
        precision=precision,
        kv_precision=kv_precision_for(part, precision),
        index_bytes=adapter_bytes(part, model)
        + (vector_bytes(part) if part.kind == "embed_rag" else 0.0),
        stages_s={stage: own.number("stage_s")} if stage else {},
        share_with_stages=own.number("stage_share_pct") * PERCENT if stage else 1.0,
        active_hours_per_day=load.hours_per_day,
        active_days_per_week=load.days_per_week,
    )
