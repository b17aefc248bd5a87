"""The columns of every table of the catalogue, in the datasheets' own units."""

from catalog.engine.prices import OFFER_KEY
from catalog.engine.rules import (
    accelerator_problem,
    model_problem,
    offer_problem,
    region_problem,
    training_problem,
)
from catalog.engine.tables import (
    Table,
    amount,
    choice,
    day,
    flag,
    number,
    signed,
    text,
    whole,
    words,
)
from catalog.specs import PRECISIONS, Family, Purchase

LIFECYCLES = ("ga", "eol", "announced")
CONFIDENCES = ("high", "medium", "low")
PRICE_CONFIDENCES = ("official", "reported", "estimate", "low", "none")
PROVIDER_KINDS = ("public_cloud", "neocloud", "managed_api", "vendor")
MODEL_KINDS = (
    "dense_llm",
    "moe_llm",
    "encoder",
    "embedding",
    "vision",
    "diffusion",
    "recsys",
    "speech",
    "graph",
)
ATTENTIONS = ("mha", "gqa", "mqa", "mla")
ACCESSES = ("open", "gated", "closed")
SAMPLE_UNITS = ("token", "image", "frame", "query", "audio_second", "video_second", "sample")
SUPPORT_STATES = ("supported", "partial", "unsupported", "unknown")
COMPLIANCE_STATES = ("authorised", "in_process", "not_offered", "unknown")
DEFINITIONS = ("throughput", "latency")
SCENARIOS = ("offline", "server", "interactive", "concurrency")
TASKS = ("pretrain", "finetune", "lora")

SOURCE = (*text("source_title", required=True), *text("source_url"))
READ = (*day("read_on"), *text("note"))

VENDORS = Table(
    name="vendors",
    key=("slug",),
    columns=(
        *text("slug", "name", required=True),
        *words("aliases"),
        *text("country", "source_title", "source_url"),
        *READ,
    ),
)
ACCELERATORS = Table(
    name="accelerators",
    problem=accelerator_problem,
    key=("slug",),
    columns=(
        *text("slug", "name", required=True),
        *words("aliases"),
        *text("vendor", required=True),
        *choice("family", Family, required=True),
        *whole("year", required=True),
        *number("memory_gib", required=True),
        *number("usable_memory_gib"),
        *text("memory_type"),
        *number("memory_bandwidth_gb_per_s", "sram_mib"),
        *number("streaming_memory_gib", "streaming_gb_per_s"),
        *flag("unified_memory"),
        *number("tflops_fp64", "tflops_fp32", "tflops_tf32", "tflops_bf16", "tflops_fp16"),
        *number("tflops_fp8", "tflops_fp4", "tops_int8"),
        *number("tdp_w"),
        *text("scale_up_link"),
        *number("scale_up_gb_per_s"),
        *whole("scale_up_domain"),
        *text("host_link"),
        *number("host_link_gb_per_s"),
        *text("form_factor"),
        *choice("cooling", ("air", "liquid")),
        *choice("lifecycle", LIFECYCLES, required=True),
        *words("software"),
        *choice("confidence", CONFIDENCES, required=True),
        *SOURCE,
        *text("second_source"),
        *READ,
    ),
)
SYSTEMS = Table(
    name="systems",
    key=("slug",),
    columns=(
        *text("slug", "name", required=True),
        *words("aliases"),
        *text("vendor", "accelerator", required=True),
        *whole("accelerator_count", required=True),
        *text("host_cpu"),
        *number("host_memory_gib", "nic_gbit_per_s", "max_power_kw", "rack_units"),
        *choice("cooling", ("air", "liquid")),
        *SOURCE,
        *READ,
    ),
)
MODELS = Table(
    name="models",
    problem=model_problem,
    key=("slug",),
    columns=(
        *text("slug", "name", required=True),
        *words("aliases"),
        *choice("kind", MODEL_KINDS, required=True),
        *number("total_params_b", "active_params_b"),
        *whole("layers", "hidden", "ffn", "heads", "kv_heads", "head_dim", "vocab"),
        *whole("experts", "experts_per_token"),
        *choice("attention", ATTENTIONS),
        *text("attention_note"),
        *whole("kv_lora_rank", "window_tokens"),
        *amount("full_attention_fraction"),
        *whole("context_max_tokens"),
        *choice("native_precision", PRECISIONS, required=True),
        *text("native_precision_published"),
        *choice("weights_access", ACCESSES, required=True),
        *text("licence"),
        *number("gflops_per_sample", "mb_per_sample"),
        *choice("sample_unit", SAMPLE_UNITS, required=True),
        *SOURCE,
        *READ,
    ),
)
MODEL_PRECISIONS = Table(
    name="model_precisions",
    key=("model", "precision", "benchmark", "source_title"),
    columns=(
        *text("model", required=True),
        *choice("precision", PRECISIONS, required=True),
        *text("benchmark", required=True),
        *amount("score", "score_at_native"),
        *choice("native_precision", PRECISIONS),
        *SOURCE,
        *READ,
    ),
)
PROVIDERS = Table(
    name="providers",
    key=("slug",),
    columns=(
        *text("slug", "name", required=True),
        *words("aliases"),
        *choice("kind", PROVIDER_KINDS, required=True),
        *text("country"),
        *SOURCE,
        *READ,
    ),
)
REGIONS = Table(
    name="regions",
    problem=region_problem,
    key=("slug",),
    columns=(
        *text("slug", "provider", "code", "name", required=True),
        *text("country"),
        *signed("latitude", "longitude"),
        *number("grid_g_per_kwh"),
        *text("grid_source_title", "grid_source_url", "grid_observed"),
        *number("usd_per_kwh"),
        *text("power_source_title", "power_source_url", "power_observed"),
        *SOURCE,
        *READ,
    ),
)
REGION_COMPLIANCE = Table(
    name="region_compliance",
    key=("provider", "region", "programme"),
    columns=(
        *text("provider", required=True),
        *text("region"),
        *text("programme", required=True),
        *choice("status", COMPLIANCE_STATES, required=True),
        *day("recorded_on", required=True),
        *SOURCE,
        *text("note"),
    ),
)
OFFERS = Table(
    name="offers",
    problem=offer_problem,
    key=(*OFFER_KEY, "observed_first", "observed_last", "source_title"),
    columns=(
        *text("provider", required=True),
        *text("region"),
        *text("instance_type", required=True),
        *text("accelerator"),
        *number("accelerator_count"),
        *text("system", "model"),
        *choice("purchase", Purchase, required=True),
        *number("vcpus", "host_memory_gib"),
        *whole("max_quantity"),
        *amount("lead_time_weeks"),
        *day("available_from"),
        *number("usd_per_h", "usd"),
        *number("usd_per_million_input_tokens", "usd_per_million_output_tokens"),
        *number("usd_per_million_cached_input_tokens"),
        *number("low_usd", "high_usd"),
        *text("currency"),
        *day("observed_first", required=True),
        *day("observed_last", required=True),
        *choice("confidence", PRICE_CONFIDENCES, required=True),
        *SOURCE,
        *text("note"),
    ),
)
SUPPORT = Table(
    name="support",
    key=("vendor", "family", "software"),
    columns=(
        *text("vendor", required=True),
        *choice("family", Family, required=True),
        *text("software", required=True),
        *choice("status", SUPPORT_STATES, required=True),
        *amount("porting_weeks"),
        *SOURCE,
        *READ,
    ),
)
BENCHMARK_LIMITS = Table(
    name="benchmark_limits",
    key=("model", "scenario"),
    columns=(
        *text("model", required=True),
        *choice("scenario", SCENARIOS, required=True),
        *number("ttft_p99_limit_s", "tpot_p99_limit_s", "e2e_p99_limit_s"),
        *text("source_title", required=True),
    ),
)
MEASUREMENTS_SERVING = Table(
    name="measurements_serving",
    key=("id",),
    columns=(
        *text("id", required=True),
        *choice("definition", DEFINITIONS, required=True),
        *text("accelerator", required=True),
        *whole("accelerator_count"),
        *text("precision", "engine", "engine_version", "measured_month"),
        *text("model", required=True),
        *text("model_slug"),
        *choice("scenario", SCENARIOS, required=True),
        *number("input_tokens"),
        *flag("input_tokens_assumed"),
        *number("output_tokens", "concurrency"),
        *text("parallelism"),
        *whole("tensor_parallel", "pipeline_parallel"),
        *whole("attention_data_parallel", "expert_parallel"),
        *flag("disaggregated"),
        *text("speculative"),
        *number("output_tokens_per_s", "requests_per_s"),
        *number("ttft_mean_s", "ttft_p50_s", "ttft_p99_s"),
        *number("tpot_mean_s", "tpot_p50_s", "tpot_p99_s"),
        *text("source_title", required=True),
        *text("source_ref", "note"),
    ),
)
MEASUREMENTS_TRAINING = Table(
    name="measurements_training",
    problem=training_problem,
    key=("id",),
    columns=(
        *text("id", required=True),
        *text("system"),
        *text("accelerator", required=True),
        *whole("accelerator_count", required=True),
        *text("precision", "framework"),
        *text("model", required=True),
        *text("model_slug"),
        *number("params_b"),
        *choice("task", TASKS, required=True),
        *number("seq_len", "global_batch"),
        *number("tokens_per_s_per_accelerator", "tflops_per_accelerator", "mfu"),
        *number("time_to_train_min"),
        *text("source_title", required=True),
        *text("source_ref", "note"),
    ),
)
# In the order in which they must be stored: what a row refers to comes before it.
TABLES = (
    VENDORS,
    ACCELERATORS,
    SYSTEMS,
    MODELS,
    MODEL_PRECISIONS,
    PROVIDERS,
    REGIONS,
    REGION_COMPLIANCE,
    OFFERS,
    SUPPORT,
    BENCHMARK_LIMITS,
    MEASUREMENTS_SERVING,
    MEASUREMENTS_TRAINING,
)
