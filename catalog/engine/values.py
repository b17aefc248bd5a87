"""Records in datasheet units to values in base units: the one place where they are converted."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from catalog.engine.tables import Record
from catalog.specs import (
    PRECISIONS,
    AcceleratorSpec,
    BenchmarkLimit,
    Family,
    ModelSpec,
    OfferSpec,
    Purchase,
    RegionSpec,
    ServingMeasurement,
    SupportSpec,
    SystemSpec,
    TrainingMeasurement,
)
from catalog.units import BITS_PER_BYTE, GIB, GIGA, KILO, MEGA, MIB, SECONDS_PER_MINUTE, TERA

BOTH_DIRECTIONS = 2.0  # datasheets add both directions of a link
DOLLARS = "USD"


def _scaled(value: Decimal | float | None, factor: float = 1.0) -> float | None:
    return None if value is None else float(value) * factor


def _source(record: Mapping[str, Any]) -> str:
    title, url = record["source_title"], record.get("source_url", "")
    return f"{title} <{url}>" if url else str(title)


def accelerator_spec(record: Record) -> AcceleratorSpec:
    """An accelerator's datasheet in base units; links one direction, usable memory if known."""
    memory_bytes = float(record["memory_gib"]) * GIB
    peaks = {p: record.get(f"tflops_{p}") for p in PRECISIONS if not p.startswith("int")}
    peaks["int8"] = record["tops_int8"]
    return AcceleratorSpec(
        slug=record["slug"],
        name=record["name"],
        vendor=record["vendor"],
        family=Family(record["family"]),
        year=record["year"],
        memory_bytes=memory_bytes,
        usable_memory_bytes=_scaled(record["usable_memory_gib"], GIB) or memory_bytes,
        memory_type=record["memory_type"],
        memory_bandwidth_bytes_per_s=_scaled(record["memory_bandwidth_gb_per_s"], GIGA),
        sram_bytes=_scaled(record["sram_mib"], MIB),
        peak_flops_per_s={p: float(v) * TERA for p, v in peaks.items() if v is not None},
        tdp_w=_scaled(record["tdp_w"]),
        scale_up_link=record["scale_up_link"],
        scale_up_bytes_per_s=_scaled(record["scale_up_gb_per_s"], GIGA / BOTH_DIRECTIONS),
        scale_up_domain=record["scale_up_domain"] or 1,
        host_link_bytes_per_s=_scaled(record["host_link_gb_per_s"], GIGA),
        host_link=record["host_link"],
        form_factor=record["form_factor"],
        cooling=record["cooling"],
        lifecycle=record["lifecycle"],
        software=frozenset(record["software"]),
        confidence=record["confidence"],
        source=_source(record),
        streaming_memory_bytes=_scaled(record["streaming_memory_gib"], GIB) or 0.0,
        streaming_bytes_per_s=_scaled(record["streaming_gb_per_s"], GIGA) or 0.0,
        unified_memory=record["unified_memory"],
        aliases=tuple(record["aliases"]),
        note=record["note"],
    )


def system_spec(record: Record) -> SystemSpec:
    """A node, rack, slice or pod in base units."""
    return SystemSpec(
        slug=record["slug"],
        name=record["name"],
        vendor=record["vendor"],
        accelerator_slug=record["accelerator"],
        accelerator_count=record["accelerator_count"],
        host_cpu=record["host_cpu"],
        host_memory_bytes=_scaled(record["host_memory_gib"], GIB),
        nic_bytes_per_s=_scaled(record["nic_gbit_per_s"], GIGA / BITS_PER_BYTE),
        max_power_w=_scaled(record["max_power_kw"], KILO),
        rack_units=_scaled(record["rack_units"]),
        cooling=record["cooling"],
        source=_source(record),
    )


def model_spec(record: Record, precisions: Sequence[Record]) -> ModelSpec | None:
    """A model's shape; None where its size is unpublished, since nothing can be computed then.

    A closed model of unpublished size stays, with size 0: it can only be had behind an API.

    A model that says no active size visits all its weights, or has its arithmetic counted
    per sample instead.
    """
    closed = record["weights_access"] == "closed"
    if record["total_params_b"] is None and not closed:
        return None
    total_params = _scaled(record["total_params_b"], GIGA) or 0.0
    fraction = record["full_attention_fraction"]
    return ModelSpec(
        slug=record["slug"],
        name=record["name"],
        kind=record["kind"],
        total_params=total_params,
        active_params=_scaled(record["active_params_b"], GIGA) or total_params,
        layers=record["layers"],
        hidden=record["hidden"],
        ffn=record["ffn"],
        heads=record["heads"],
        kv_heads=record["kv_heads"],
        head_dim=record["head_dim"],
        vocab=record["vocab"],
        experts=record["experts"] or 0,
        experts_per_token=record["experts_per_token"] or 0,
        attention=record["attention"],
        kv_lora_rank=record["kv_lora_rank"] or 0,
        window_tokens=record["window_tokens"] or 0,
        full_attention_fraction=1.0 if fraction is None else float(fraction),
        context_max=record["context_max_tokens"],
        native_precision=record["native_precision"],
        weights_access=record["weights_access"],
        licence=record["licence"],
        flops_per_sample=_scaled(record["gflops_per_sample"], GIGA),
        bytes_per_sample=_scaled(record["mb_per_sample"], MEGA),
        sample_unit=record["sample_unit"],
        published_precisions={p["precision"]: accuracy_text(p) for p in precisions},
        source=_source(record),
        aliases=tuple(record["aliases"]),
        note=record["note"],
    )


def accuracy_text(record: Record) -> str:
    """A published accuracy result in words, with its source."""
    score, native = record["score"], record["score_at_native"]
    result = "" if score is None else f" {float(score):g}"
    against = "" if native is None else f" (native {float(native):g})"
    return f"{record['benchmark']}{result}{against}; {_source(record)}"


def region_spec(record: Record, compliance: Sequence[Record]) -> RegionSpec:
    """A provider's region; only programmes with a recorded authorisation count."""
    return RegionSpec(
        slug=record["slug"],
        provider=record["provider"],
        code=record["code"],
        name=record["name"],
        country=record["country"],
        latitude=_scaled(record["latitude"]),
        longitude=_scaled(record["longitude"]),
        grid_g_per_kwh=_scaled(record["grid_g_per_kwh"]),
        power_usd_per_kwh=_scaled(record["usd_per_kwh"]),
        compliance=frozenset(c["programme"] for c in compliance if c["status"] == "authorised"),
        source=_source(record),
    )


def newest_known(records: Sequence[Record], as_of: date) -> Record | None:
    """An offer's newest price observation that was known on a day, None before the first one.

    Where a source gives a span, its first day counts, so that a price never looks younger
    than it may be. Of two that say the same day, the later row counts.
    """
    known = [r for r in reversed(records) if r["observed_first"] <= as_of]
    return max(known, key=lambda r: (r["observed_first"], r["observed_last"]), default=None)


def offer_spec(
    record: Record, *, number: int, provider_kind: str, region: RegionSpec | None
) -> OfferSpec:
    """An offer with one price observation; a price in another currency counts as open."""
    in_usd = (record["currency"] or DOLLARS) == DOLLARS
    tokens = 1.0 / MEGA if in_usd else None

    def money(name: str, factor: float | None = 1.0) -> float | None:
        return _scaled(record[name], factor) if in_usd and factor else None

    return OfferSpec(
        id=number,
        provider=record["provider"],
        provider_kind=provider_kind,
        region=region,
        instance_type=record["instance_type"],
        accelerator_slug=record["accelerator"],
        accelerator_count=float(record["accelerator_count"] or 0),
        system_slug=record["system"],
        purchase=Purchase(record["purchase"]),
        usd_per_h=money("usd_per_h"),
        usd=money("usd"),
        usd_per_input_token=money("usd_per_million_input_tokens", tokens),
        usd_per_output_token=money("usd_per_million_output_tokens", tokens),
        usd_per_cached_input_token=money("usd_per_million_cached_input_tokens", tokens),
        model_slug=record["model"],
        observed_on=record["observed_first"],
        price_low_usd=money("low_usd"),
        price_high_usd=money("high_usd"),
        max_quantity=record["max_quantity"],
        lead_time_weeks=_scaled(record["lead_time_weeks"]),
        confidence=record["confidence"],
        source=_source(record),
        host_memory_bytes=_scaled(record["host_memory_gib"], GIB),
        vcpus=_scaled(record["vcpus"]),
        observed_last_on=record["observed_last"],
        available_from=record["available_from"],
        note=record["note"],
    )


def support_spec(record: Record) -> SupportSpec:
    """What software of a vendor's family is known to do."""
    return SupportSpec(
        vendor=record["vendor"],
        family=Family(record["family"]),
        software=record["software"],
        status=record["status"],
        porting_weeks=_scaled(record["porting_weeks"]),
        note=record["note"],
        source=_source(record),
    )


SERVING_FIGURES = (
    "input_tokens",
    "output_tokens",
    "concurrency",
    "output_tokens_per_s",
    "requests_per_s",
    "ttft_mean_s",
    "ttft_p50_s",
    "ttft_p99_s",
    "tpot_mean_s",
    "tpot_p50_s",
    "tpot_p99_s",
)
SERVING_WORDS = (
    "id",
    "definition",
    "accelerator_count",
    "precision",
    "engine",
    "engine_version",
    "measured_month",
    "model",
    "model_slug",
    "scenario",
    "input_tokens_assumed",
    "parallelism",
    "tensor_parallel",
    "pipeline_parallel",
    "attention_data_parallel",
    "expert_parallel",
    "disaggregated",
    "speculative",
    "source_ref",
    "note",
)


def serving_measurement(record: Record) -> ServingMeasurement:
    """A published serving result."""
    figures: dict[str, Any] = {name: _scaled(record[name]) for name in SERVING_FIGURES}
    return ServingMeasurement(
        accelerator_slug=record["accelerator"],
        source=record["source_title"],
        **{name: record[name] for name in SERVING_WORDS},
        **figures,
    )


TRAINING_WORDS = (
    "id",
    "system",
    "accelerator_count",
    "precision",
    "framework",
    "model",
    "model_slug",
    "task",
    "source_ref",
    "note",
)


def training_measurement(record: Record) -> TrainingMeasurement:
    """A published training result."""
    return TrainingMeasurement(
        accelerator_slug=record["accelerator"],
        params=_scaled(record["params_b"], GIGA),
        seq_len=_scaled(record["seq_len"]),
        global_batch=_scaled(record["global_batch"]),
        tokens_per_s_per_accelerator=_scaled(record["tokens_per_s_per_accelerator"]),
        flops_per_s_per_accelerator=_scaled(record["tflops_per_accelerator"], TERA),
        mfu=_scaled(record["mfu"]),
        time_to_train_s=_scaled(record["time_to_train_min"], SECONDS_PER_MINUTE),
        source=record["source_title"],
        **{name: record[name] for name in TRAINING_WORDS},
    )


def benchmark_limit(record: Record, *, model_slug: str) -> BenchmarkLimit:
    """Latency limits of a benchmark."""
    return BenchmarkLimit(
        model=record["model"],
        model_slug=model_slug,
        scenario=record["scenario"],
        ttft_p99_limit_s=_scaled(record["ttft_p99_limit_s"]),
        tpot_p99_limit_s=_scaled(record["tpot_p99_limit_s"]),
        e2e_p99_limit_s=_scaled(record["e2e_p99_limit_s"]),
        source=record["source_title"],
    )
