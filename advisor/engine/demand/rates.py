"""What a workload asks of hardware, by plain arithmetic on base units; columns work as well."""

from math import ceil

from catalog.units import DAYS_PER_MONTH, HOURS_PER_MONTH, SECONDS_PER_DAY, SECONDS_PER_HOUR

DAYS_PER_WEEK = 7.0
WEIGHT_FLOPS = 2.0  # one multiplication and one addition for each weight and token
TRAINING_FLOPS = 6.0  # and twice that again for the gradients
ADAPTER_FLOPS = 4.0  # frozen weights need no gradients of their own
ADAM_BYTES_PER_PARAM = 16.0


def requests_per_day(*, users: float, daily_fraction: float, requests_per_user_day: float) -> float:
    """Requests of a working day: users, the fraction active that day, requests of each.

    Source: definition.
    """
    return users * daily_fraction * requests_per_user_day


def mean_over_active_hours(*, per_day: float, active_hours_per_day: float) -> float:
    """Mean rate per second while there is traffic.

    Source: definition.
    """
    return per_day / (active_hours_per_day * SECONDS_PER_HOUR)


def active_hours_per_month(*, hours_per_day: float, days_per_week: float) -> float:
    """Hours with traffic in a month of 730 hours.

    Source: definition.
    """
    return hours_per_day * days_per_week / DAYS_PER_WEEK * DAYS_PER_MONTH


def tokens_per_s(*, requests_per_s: float, tokens: float, cached_fraction: float = 0.0) -> float:
    """Tokens to be computed each second; what a prefix cache holds is not computed again.

    Source: definition.
    """
    return requests_per_s * tokens * (1.0 - cached_fraction)


def streams_in_flight(*, requests_per_s: float, seconds_each: float) -> float:
    """Requests that are under way at a time.

    Source: J. D. C. Little, "A proof for the queuing formula L = lambda W",
    Operations Research 9 (1961).
    """
    return requests_per_s * seconds_each


def answer_time_s(*, ttft_s: float, tpot_s: float, output_tokens: float) -> float:
    """Time of a whole answer: the first token, then a gap before each further one.

    Source: definition of the benchmarks (end to end = TTFT + (n - 1) x TPOT).
    """
    return ttft_s + (output_tokens - 1.0) * tpot_s


def batch_rate_per_s(*, items: float, window_s: float, repeated_fraction: float = 0.0) -> float:
    """Items per second that finish a batch within its window, repeated work included.

    Source: definition.
    """
    return items * (1.0 + repeated_fraction) / window_s


def chunk_stride_tokens(*, chunk_tokens: float, overlap_fraction: float) -> float:
    """Tokens from the start of one chunk to the start of the next.

    Source: definition.
    """
    return float(max(ceil(chunk_tokens * (1.0 - overlap_fraction)), 1))


def chunks_per_document(
    *, document_tokens: float, chunk_tokens: float, stride_tokens: float
) -> float:
    """Chunks that cover one document; the last one may be short.

    Source: definition.
    """
    return 1.0 + max(ceil((document_tokens - chunk_tokens) / stride_tokens), 0)


def vectors_in_index(
    *, documents: float, document_tokens: float, chunk_tokens: float, stride_tokens: float
) -> tuple[float, float]:
    """Fewest and most vectors of an index: chunks fill up across, or within, documents.

    Source: definition.
    """
    chunks = chunks_per_document(
        document_tokens=document_tokens, chunk_tokens=chunk_tokens, stride_tokens=stride_tokens
    )
    least = documents * document_tokens / stride_tokens
    return min(least, documents * chunks), documents * chunks


def index_bytes(*, vectors: float, dimension: float, bytes_per_element: float) -> float:
    """Bytes of the vectors alone, without the links of the index.

    Source: definition.
    """
    return vectors * dimension * bytes_per_element


def training_flops(*, params: float, tokens: float) -> float:
    """FLOPs to train all weights: 6 N D.

    Source: J. Kaplan et al., "Scaling Laws for Neural Language Models", 2020,
    section 2.1, arXiv:2001.08361.
    """
    return TRAINING_FLOPS * params * tokens


def adapter_flops(*, params: float, tokens: float) -> float:
    """FLOPs to train adapters on frozen weights: 4 N D, for their own gradients are small.

    Source: E. Hu et al., "LoRA", ICLR 2022, arXiv:2106.09685, with the count of
    forward and backward passes as in arXiv:2001.08361, section 2.1.
    """
    return ADAPTER_FLOPS * params * tokens


def accelerator_hours(
    *, flops: float, peak_flops_per_s: float, mfu: float, goodput: float
) -> float:
    """Accelerator-hours of a training job.

    Source: definition of MFU (A. Chowdhery et al., "PaLM", 2022, arXiv:2204.02311, appendix B).
    """
    return flops / (peak_flops_per_s * mfu * goodput) / SECONDS_PER_HOUR


def full_tuning_bytes(*, params: float) -> float:
    """Bytes of weights, gradients and Adam's state in mixed precision, without activations.

    Source: S. Rajbhandari et al., "ZeRO", SC 2020, section 3.1, arXiv:1910.02054.
    """
    return ADAM_BYTES_PER_PARAM * params


def monthly_mean_per_s(*, per_month: float) -> float:
    """Mean rate per second of a monthly total over all 730 hours.

    Source: definition.
    """
    return per_month / (HOURS_PER_MONTH * SECONDS_PER_HOUR)


def daily_mean_per_s(*, per_day: float) -> float:
    """Mean rate per second of a daily total over all 24 hours.

    Source: definition.
    """
    return per_day / SECONDS_PER_DAY


def adapter_params(
    *,
    rank: float,
    hidden: float,
    ffn: float,
    heads: float,
    kv_heads: float,
    head_dim: float,
    layers: float,
    attention_only: bool,
) -> float:
    """Weights of low-rank adapters: rank times the two sides of each adapted matrix.

    Attention has four matrices (query, key, value, output) and a gated feed-forward block three.

    Source: E. Hu et al., "LoRA", ICLR 2022, section 4.2, arXiv:2106.09685.
    """
    attention = 2.0 * (hidden + heads * head_dim) + 2.0 * (hidden + kv_heads * head_dim)
    feed_forward = 0.0 if attention_only else 3.0 * (hidden + ffn)
    return rank * layers * (attention + feed_forward)
