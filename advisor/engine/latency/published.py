"""Published logs of real requests that the product ships, to stand for one's own traffic."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from advisor.engine.latency.traces import read_trace
from advisor.engine.latency.traffic import Trace

FOLDER = Path(__file__).resolve().parents[3] / "fixtures" / "traces"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedTrace:
    """One published log: what it is of, and where it was read."""

    name: str
    source: str


_AZURE = "Azure/AzurePublicDataset at b469a113, data/AzureLLMInferenceTrace_{}.csv, CC BY 4.0"
_MOONCAKE = "kvcache-ai/Mooncake at 3b5a5941, FAST25-release/traces/{}_trace.jsonl"
PUBLISHED: Mapping[str, PublishedTrace] = {
    "azure2023_conv": PublishedTrace(
        name="Azure 2023, conversation", source=_AZURE.format("conv") + ", first 5,000 requests"
    ),
    "azure2023_code": PublishedTrace(
        name="Azure 2023, code completion", source=_AZURE.format("code") + ", first 5,000 requests"
    ),
    "mooncake_conversation": PublishedTrace(
        name="Mooncake, long conversations",
        source=_MOONCAKE.format("conversation") + ", first 5,000 requests",
    ),
    "mooncake_synthetic": PublishedTrace(
        name="Mooncake, synthetic", source=_MOONCAKE.format("synthetic")
    ),
}


@cache
def published_trace(slug: str) -> Trace:
    """A shipped trace by its id in PUBLISHED."""
    return read_trace((FOLDER / f"{slug}.csv").read_text(encoding="utf-8"))
