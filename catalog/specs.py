"""Plain values of the catalogue in base units: what the engines of all packages compute with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class Evidence(StrEnum):
    """Where a figure comes from, best first."""

    MEASURED = "measured"  # a published measurement of this very configuration
    CALIBRATED = "calibrated"  # a model fitted on measurements of its group
    ESTIMATED = "estimated"  # physics and defaults only
    LIST = "list"  # a published price
    REPORTED = "reported"  # second-hand
    ASSUMED = "assumed"  # a default nobody confirmed


class Family(StrEnum):
    """Kinds of accelerator."""

    GPU = "gpu"
    TPU = "tpu"
    IPU = "ipu"
    WAFERSCALE = "waferscale"
    ASIC = "asic"
    APU = "apu"


class Purchase(StrEnum):
    """Ways to get at capacity; one spelling for all providers."""

    ON_DEMAND = "on_demand"
    SPOT = "spot"
    RESERVED_1Y = "reserved_1y"
    RESERVED_3Y = "reserved_3y"
    CAPACITY_BLOCK = "capacity_block"
    HOSTED_TOKENS = "hosted_tokens"
    BUY = "buy"
    QUOTE = "quote"  # sold, but no price is public


PRECISIONS = ("fp32", "tf32", "bf16", "fp16", "fp8", "int8", "fp4", "int4")
BYTES_PER_WEIGHT: Mapping[str, float] = {
    "fp32": 4.0,
    "tf32": 4.0,
    "bf16": 2.0,
    "fp16": 2.0,
    "fp8": 1.0,
    "int8": 1.0,
    # Four bits and one 8-bit scale for each block of 32 (OCP MX v1.0) or 16 (NVFP4) values.
    "fp4": 0.5 + 1.0 / 32.0,
    "int4": 0.5 + 1.0 / 32.0,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number with its 80 % range, its unit and how we know it; None is unknown, never zero."""

    value: float | None
    low: float | None
    high: float | None
    unit: str
    evidence: Evidence
    source: str = ""

    def as_dict(self) -> dict[str, object]:
        """The figure as JSON carries it."""
        return {
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "unit": self.unit,
            "evidence": self.evidence.value,
            "source": self.source,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceleratorSpec:
    """One accelerator as its datasheet rates it: dense peaks, None where unpublished."""

    slug: str
    name: str
    vendor: str
    family: Family
    year: int
    memory_bytes: float
    usable_memory_bytes: float
    memory_type: str
    memory_bandwidth_bytes_per_s: float | None
    sram_bytes: float | None
    peak_flops_per_s: Mapping[str, float]  # by precision; int8 in operations per second
    tdp_w: float | None
    scale_up_link: str
    scale_up_bytes_per_s: float | None  # one direction, all peers together
    scale_up_domain: int  # accelerators joined by the fast fabric; 1 is PCIe only
    host_link_bytes_per_s: float | None  # one direction
    host_link: str
    form_factor: str
    cooling: str  # "air", "liquid" or "" where unpublished
    lifecycle: str  # "ga", "eol", "announced"
    software: frozenset[str]
    confidence: str  # "high", "medium", "low"
    source: str
    streaming_memory_bytes: float = 0.0  # off-package tier that weights may stream from
    streaming_bytes_per_s: float = 0.0
    unified_memory: bool = False
    aliases: tuple[str, ...] = ()  # published spellings
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemSpec:
    """A node, rack, slice or pod built of one accelerator type."""

    slug: str
    name: str
    vendor: str
    accelerator_slug: str
    accelerator_count: int
    host_cpu: str
    host_memory_bytes: float | None
    nic_bytes_per_s: float | None  # all scale-out ports of the system together, one direction
    max_power_w: float | None
    rack_units: float | None
    cooling: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """Shape of a model, enough to count its FLOPs and bytes; None where unpublished."""

    slug: str
    name: str
    kind: str  # dense_llm, moe_llm, encoder, embedding, vision, diffusion, recsys, speech, graph
    total_params: float  # 0 where the owner of a closed model publishes none
    active_params: float
    layers: int | None
    hidden: int | None
    ffn: int | None
    heads: int | None
    kv_heads: int | None
    head_dim: int | None
    vocab: int | None
    experts: int = 0
    experts_per_token: int = 0
    attention: str = "gqa"  # mha, gqa, mqa, mla
    kv_lora_rank: int = 0
    window_tokens: int = 0  # sliding window of the local layers
    full_attention_fraction: float = 1.0  # share of layers that keep the whole context
    context_max: int | None = None
    native_precision: str = "bf16"
    weights_access: str = "open"  # open, gated, closed
    licence: str = ""
    flops_per_sample: float | None = None  # forward pass of one sample, non-LLM models
    bytes_per_sample: float | None = None  # memory traffic beyond the weights, one sample
    sample_unit: str = "token"  # token, image, frame, query, audio_second, video_second, sample
    published_precisions: Mapping[str, str] = field(default_factory=dict)
    """Formats with a published accuracy result, each with its source."""
    source: str = ""
    aliases: tuple[str, ...] = ()  # published spellings
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionSpec:
    """A place that serves: a provider's region, or a country's average site."""

    slug: str  # "aws/us-east-1"
    provider: str
    code: str
    name: str
    country: str  # ISO 3166-1 alpha-2, "" where the source does not say
    latitude: float | None
    longitude: float | None
    grid_g_per_kwh: float | None
    power_usd_per_kwh: float | None
    compliance: frozenset[str]  # regime ids of the questionnaire, with recorded status
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferTerms:
    """What a private quote says beside its price; None is not stated."""

    valid_until: date | None
    covers: frozenset[str]  # labels of cost lines that the price has in it
    minimum_quantity: float  # units that have to be taken; 0 is any
    minimum_months: float  # paid whether used or not
    prepaid_fraction: float
    price_lock_months: float | None
    sla_credit_fraction: float | None
    termination_usd: float | None
    termination_fraction: float | None  # of the payments still to come
    support_fraction_per_year: float | None  # of the purchase price


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferSpec:
    """One way to get accelerators, as known on a day. Prices are for the whole instance."""

    id: int
    provider: str
    provider_kind: str  # public_cloud, neocloud, managed_api, vendor
    region: RegionSpec | None  # None: the source names no region
    instance_type: str
    accelerator_slug: str  # "" for hosted tokens
    accelerator_count: float
    system_slug: str
    purchase: Purchase
    usd_per_h: float | None  # rent, whole instance
    usd: float | None  # price to buy, whole system or card
    usd_per_input_token: float | None
    usd_per_output_token: float | None
    usd_per_cached_input_token: float | None
    model_slug: str  # hosted tokens
    observed_on: date | None
    price_low_usd: float | None  # as published, where the source gives a span
    price_high_usd: float | None
    max_quantity: int | None
    lead_time_weeks: float | None
    confidence: str  # official, reported, estimate, low, none
    source: str
    host_memory_bytes: float | None = None
    vcpus: float | None = None
    observed_last_on: date | None = None  # end of the span where the source's copy is undated
    available_from: date | None = None
    note: str = ""
    terms: OfferTerms | None = None  # of a private quote


@dataclass(frozen=True, slots=True, kw_only=True)
class SupportSpec:
    """What software of one accelerator family or vendor is known to do."""

    vendor: str
    family: Family
    software: str  # framework, engine or task id: "pytorch", "vllm", "embeddings"
    status: str  # "supported", "partial", "unsupported", "unknown"
    porting_weeks: float | None  # person-weeks from a CUDA code base; None where unsourced
    note: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueSnapshot:
    """Everything one run may look at: an immutable state of the catalogue on a day."""

    as_of: date
    digest: str
    accelerators: tuple[AcceleratorSpec, ...]
    systems: tuple[SystemSpec, ...]
    models: tuple[ModelSpec, ...]
    regions: tuple[RegionSpec, ...]
    offers: tuple[OfferSpec, ...]
    support: tuple[SupportSpec, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingMeasurement:
    """One published serving result; configuration words as published, figures in base units."""

    id: str
    definition: str  # "throughput": a run's outcome; "latency": means at fixed concurrency
    accelerator_slug: str
    accelerator_count: int | None
    precision: str
    engine: str
    engine_version: str
    measured_month: str  # "2026-04"
    model: str
    model_slug: str  # "" where the catalogue has no such model
    scenario: str  # offline, server, interactive, concurrency
    input_tokens: float | None
    input_tokens_assumed: bool
    output_tokens: float | None
    concurrency: float | None
    parallelism: str
    tensor_parallel: int | None
    pipeline_parallel: int | None
    attention_data_parallel: int | None
    expert_parallel: int | None
    disaggregated: bool
    speculative: str
    output_tokens_per_s: float | None
    requests_per_s: float | None
    ttft_mean_s: float | None
    ttft_p50_s: float | None
    ttft_p99_s: float | None
    tpot_mean_s: float | None
    tpot_p50_s: float | None
    tpot_p99_s: float | None
    source: str
    source_ref: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingMeasurement:
    """One published training result."""

    id: str
    system: str
    accelerator_slug: str
    accelerator_count: int
    precision: str
    framework: str
    model: str
    model_slug: str
    params: float | None
    task: str  # pretrain, finetune, lora
    seq_len: float | None
    global_batch: float | None  # sequences
    tokens_per_s_per_accelerator: float | None
    flops_per_s_per_accelerator: float | None
    mfu: float | None
    time_to_train_s: float | None
    source: str
    source_ref: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkLimit:
    """Latency limits that a benchmark sets for a model in a scenario."""

    model: str
    model_slug: str
    scenario: str
    ttft_p99_limit_s: float | None
    tpot_p99_limit_s: float | None
    e2e_p99_limit_s: float | None
    source: str
