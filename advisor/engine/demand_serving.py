"""What a serving workload must bear: arrivals or a batch, sizes of requests, targets."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from advisor.engine import demand_rates as rates
from advisor.engine.answers import Origin
from advisor.engine.demand_model import (
    NATIVE_PASSES,
    Part,
    kv_precision_for,
    named_model,
    precision_for,
)
from advisor.engine.model_shapes import LATENT_FRAMES, PICTURE_PIXELS
from advisor.engine.workload import ServingDemand, Slo
from catalog.specs import ModelSpec
from catalog.units import (
    BITS_PER_BYTE,
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
BYTES_PER_ELEMENT: Mapping[str, float] = {
    "fp32": 4.0,
    "fp16": 2.0,
    "int8": 1.0,
    "binary": 1.0 / BITS_PER_BYTE,
}
# Weights of usual re-rankers. Sources: model cards of cross-encoder/ms-marco-MiniLM-L6-v2 and
# BAAI/bge-reranker-v2-m3; a small language model.
RERANKER_PARAMS: Mapping[str, float] = {
    "none": 0.0,
    "cross_encoder_small": 22.7 * MEGA,
    "cross_encoder_large": 568.0 * MEGA,
    "llm": 8.0 * GIGA,
}
AUDIO_WINDOW_S = 30.0  # what a speech model hears at a time (arXiv:2212.04356, section 2.1)
GENERATOR_SLO = Slo(ttft_s=0.5, tpot_s=0.035)
LONG_TAIL = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Requests over time."""

    mean_per_s: float
    peak_per_s: float
    hours_per_month: float
    per_month: float
    window_s: float | None = None  # set for a batch


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What one request is."""

    unit: str
    input_tokens: float = 0.0
    output_tokens: float = 0.0
    input_tokens_p95: float = 0.0
    output_tokens_p95: float = 0.0
    samples: float = 1.0
    max_context_tokens: float = 0.0


def serving_demand(part: Part, model: ModelSpec) -> ServingDemand:
    """The demand of one serving workload.

    Source: arithmetic of `demand_rates` on the answers.
    """
    request, model = _request(part, model)
    load = batch_load(part) if is_batch(part) else live_load(part, request)
    return _demand(part, model, request, load, slo=_slo(part, request))


def is_batch(part: Part) -> bool:
    """Whether the work comes in batches with a time to finish.

    Source: the answers.
    """
    return part.kind in ("infer_llm_batch", "graph") or part.own.flag("batch_mode")


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
        case "requests_per_second":
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


def document(part: Part) -> Request:
    """A document to embed: so many chunks of so many tokens, overlap embedded twice.

    Source: arithmetic on the answers.
    """
    own = part.own
    whole, chunk = own.number("doc_tokens_mean"), own.number("chunk_tokens")
    stride = _stride(part)
    chunks = rates.chunks_per_document(
        document_tokens=whole, chunk_tokens=chunk, stride_tokens=stride
    )
    each = (whole + (chunks - 1.0) * (chunk - stride)) / chunks
    return Request(unit="item", input_tokens=each, input_tokens_p95=each, samples=chunks)


def query(part: Part, model: ModelSpec) -> Request:
    """A search: the query is embedded, and a re-ranker reads it with every chunk found.

    The re-ranker's work is counted in passes of the embedding model over a query.

    Source: arithmetic on the answers; sizes of usual re-rankers.
    """
    own = part.own
    tokens = own.number("query_tokens")
    read = own.number("retrieval_top_k") * (own.number("chunk_tokens") + tokens)
    reranker = RERANKER_PARAMS[own.text("reranker")]
    if reranker:
        part.assume(
            "reranker",
            "Size of the re-ranker",
            f"{reranker / MEGA:,.4g} million parameters",
            "size of a widely used open model of this class",
        )
    passes = 1.0 + reranker / max(model.active_params, 1.0) * read / tokens
    return Request(unit="query", input_tokens=tokens, input_tokens_p95=tokens, samples=passes)


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


def generator_demand(
    part: Part, models: Mapping[str, ModelSpec], search: ServingDemand
) -> ServingDemand:
    """The language model that answers from what the search found, once for each query.

    Source: arithmetic on the answers; targets of llm-d Planner's class "interactive".
    """
    own = part.own
    model = named_model(part, "rag_generator_model", models)
    read = own.number("retrieval_top_k") * own.number("chunk_tokens")
    tokens = read + own.number("query_tokens")
    written = own.number("rag_answer_tokens")
    if model.context_max is not None and tokens + written > model.context_max:
        raise part.refuse(
            "retrieval_top_k",
            f"{tokens + written:,.0f} tokens do not fit the {model.context_max:,} of {model.name}; "
            "retrieve fewer or shorter chunks",
        )
    part.assume(
        "rag_generator_here",
        "Targets of the written answer",
        "500 ms to the first token, 35 ms between tokens",
        "llm-d Planner, docs/traffic_and_slos, class interactive",
    )
    precision = model.native_precision
    return replace(
        search,
        model=model,
        unit="request",
        input_tokens=tokens,
        output_tokens=written,
        input_tokens_p95=tokens,
        output_tokens_p95=LONG_TAIL * written,
        max_context_tokens=max(8192.0, tokens + LONG_TAIL * written),
        samples_per_request=1.0,
        index_bytes=0.0,
        slo=replace(GENERATOR_SLO, percentile=search.slo.percentile),
        precision=precision,
        kv_precision=kv_precision_for(part, precision),
    )


def reembedding_demand(part: Part, search: ServingDemand) -> ServingDemand:
    """The whole corpus embedded anew some times a year, and new documents as they come.

    Source: arithmetic on the answers.
    """
    own = part.own
    request = document(part)
    window_s = own.number("reembed_window_h") * SECONDS_PER_HOUR
    corpus = own.number("corpus_docs_m") * MEGA
    rate = rates.batch_rate_per_s(items=corpus, window_s=window_s)
    new_per_month = own.number("docs_new_per_day_k") * KILO * HOURS_PER_MONTH / 24.0
    per_month = corpus * own.number("reembed_per_year") / 12.0 + new_per_month
    return replace(
        search,
        unit=request.unit,
        requests_per_s_mean=rate,
        requests_per_s_peak=rate,
        input_tokens=request.input_tokens,
        input_tokens_p95=request.input_tokens_p95,
        samples_per_request=request.samples,
        active_hours_per_month=min(per_month / rate / SECONDS_PER_HOUR, HOURS_PER_MONTH),
        requests_per_month=per_month,
        index_bytes=0.0,
        slo=Slo(percentile=search.slo.percentile),
        is_batch=True,
        batch_window_s=window_s,
        redundancy="none",
        headroom_fraction=0.0,
    )


def _stride(part: Part) -> float:
    return rates.chunk_stride_tokens(
        chunk_tokens=part.own.number("chunk_tokens"),
        overlap_fraction=part.own.number("chunk_overlap_pct") * PERCENT,
    )


def vector_bytes(part: Part) -> float:
    """Bytes of a corpus's vectors, chunks filled up document by document.

    Source: arithmetic on the answers.
    """
    own = part.own
    documents = "batch_items_m" if is_batch(part) else "corpus_docs_m"
    _, vectors = rates.vectors_in_index(
        documents=own.number(documents) * MEGA,
        document_tokens=own.number("doc_tokens_mean"),
        chunk_tokens=own.number("chunk_tokens"),
        stride_tokens=_stride(part),
    )
    return rates.index_bytes(
        vectors=vectors,
        dimension=own.number("embed_dim"),
        bytes_per_element=BYTES_PER_ELEMENT[own.text("vector_precision")],
    )


def _adapter_bytes(part: Part, model: ModelSpec) -> float:
    count = part.own.number("adapters_count") if "adapters_count" in part.own.asked else 0.0
    if not count:
        return 0.0
    size = adapter_fraction(model, rank=16.0, attention_only=False) * model.total_params * 2.0
    part.assume(
        "adapters_count",
        "Memory of one adapter",
        f"{size / MEGA:,.4g} MB",
        "rank 16 on all linear layers, in bf16",
    )
    return count * size


def adapter_fraction(model: ModelSpec, *, rank: float, attention_only: bool) -> float:
    """Weights of an adapter over the model's; half a percent at rank 16 where its shape is unknown.

    Source: `demand_rates.adapter_params`; E. Hu et al., arXiv:2106.09685.
    """
    shape = (model.hidden, model.ffn, model.heads, model.kv_heads, model.head_dim, model.layers)
    if any(each is None for each in shape):
        return 0.005 * rank / 16.0
    hidden, ffn, heads, kv_heads, head_dim, layers = (float(each or 0) for each in shape)
    params = rates.adapter_params(
        rank=rank,
        hidden=hidden,
        ffn=ffn,
        heads=heads,
        kv_heads=kv_heads,
        head_dim=head_dim,
        layers=layers,
        attention_only=attention_only,
    )
    return min(params / max(model.total_params, params), 1.0)


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
        index_bytes=_adapter_bytes(part, model)
        + (vector_bytes(part) if part.kind == "embed_rag" else 0.0),
        stages_s={stage: own.number("stage_s")} if stage else {},
        share_with_stages=own.number("stage_share_pct") * PERCENT if stage else 1.0,
    )
