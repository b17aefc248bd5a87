"""What a search over documents must bear: queries, chunks, vectors, written answers."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from advisor.engine.demand import rates
from advisor.engine.demand.model import Part, kv_precision_for, named_model
from advisor.engine.workload import ServingDemand, Slo
from catalog.specs import ModelSpec
from catalog.units import (
    BITS_PER_BYTE,
    GIGA,
    HOURS_PER_MONTH,
    KILO,
    MEGA,
    PERCENT,
    SECONDS_PER_HOUR,
)

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
GENERATOR_SLO = Slo(ttft_s=0.5, tpot_s=0.035)
LONG_TAIL = 3.0


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


def is_batch(part: Part) -> bool:
    """Whether the work comes in batches with a time to finish.

    Source: the answers.
    """
    return part.kind in ("infer_llm_batch", "graph") or part.own.flag("batch_mode")


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


def _stride(part: Part) -> float:
    return rates.chunk_stride_tokens(
        chunk_tokens=part.own.number("chunk_tokens"),
        overlap_fraction=part.own.number("chunk_overlap_pct") * PERCENT,
    )
