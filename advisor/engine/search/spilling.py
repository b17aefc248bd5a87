"""What a part that cannot hold a model would make of it from host memory, in words."""

from collections.abc import Sequence

from advisor.engine.serving.spill import Spilled, spilled_decode
from catalog.specs import AcceleratorSpec, ModelSpec, SystemSpec
from catalog.units import GIB, GIGA

_KEPT_SHARE = 0.9  # of the weights, in the accelerators' own memory


def host_bytes_per_chip(part: AcceleratorSpec, systems: Sequence[SystemSpec]) -> float | None:
    """The most host memory a published system of a part has for each accelerator.

    Source: the catalogue's systems.
    """
    known = [
        system.host_memory_bytes / system.accelerator_count
        for system in systems
        if system.accelerator_slug == part.slug and system.host_memory_bytes
    ]
    return max(known, default=None)


def spill_of(
    part: AcceleratorSpec,
    model: ModelSpec,
    systems: Sequence[SystemSpec],
    *,
    needed_bytes: float,
    chips: int,
) -> Spilled | str:
    """The cost of spilling, or why it is not known.

    Source: `serving.spill`; link and host memory from the catalogue.
    """
    if part.unified_memory:
        return "Its memory is its processor's as well, so there is nothing to spill into."
    if part.host_link_bytes_per_s is None:
        return "The speed of its host link is not published, so the cost of spilling is unknown."
    if part.memory_bandwidth_bytes_per_s is None:
        return "Its memory bandwidth is not published, so the cost of spilling is unknown."
    host = host_bytes_per_chip(part, systems)
    return spilled_decode(
        needed_bytes=needed_bytes,
        held_bytes=chips * part.usable_memory_bytes,
        active_share=model.active_params / max(model.total_params, 1.0),
        chips=chips,
        bandwidth_bytes_per_s=part.memory_bandwidth_bytes_per_s,
        host_link_bytes_per_s=part.host_link_bytes_per_s,
        host_bytes=float("inf") if host is None else host * chips,
    )


def spill_words(part: AcceleratorSpec, found: Spilled | str, *, chips: int) -> str:
    """One sentence on what spilling would cost; empty where nothing spills."""
    if isinstance(found, str):
        return found
    if float(found.spilled_bytes) <= 0.0:
        return ""
    link = (part.host_link_bytes_per_s or 0.0) / GIGA
    speed, slower = float(found.tokens_per_s), float(found.times_slower)
    room = "" if found.host_holds else " Even its host's memory would not take that."
    each = "" if chips == 1 else " each"
    return (
        f"With {float(found.spilled_bytes) / GIB:,.0f} GiB in host memory, over {part.host_link} "
        f"at {link:,.3g} GB/s{each}, one request would run at {speed:,.2g} tokens/s at most: "
        f"{slower:,.3g} times slower than in its own memory.{room}"
    )


def tenth_spilled_words(
    part: AcceleratorSpec,
    model: ModelSpec,
    systems: Sequence[SystemSpec],
    *,
    weight_bytes: float,
    output_tokens: float,
) -> str:
    """What a tenth of the weights in host memory would do to one request, in one sentence.

    As many accelerators as hold nine tenths share the links.

    Source: `serving.spill`.
    """
    chips = max(int(-(-_KEPT_SHARE * weight_bytes // part.usable_memory_bytes)), 1)
    found = spill_of(
        part, model, systems,
        needed_bytes=max(weight_bytes, chips * part.usable_memory_bytes / _KEPT_SHARE),
        chips=chips,
    )  # fmt: skip
    if isinstance(found, str):
        return found
    slower = float(found.times_slower)
    near_s = weight_bytes * model.active_params / max(model.total_params, 1.0)
    near_s *= output_tokens / (chips * (part.memory_bandwidth_bytes_per_s or 1.0))
    link = (part.host_link_bytes_per_s or 0.0) / GIGA
    return (
        f"Were a tenth of the weights in host memory, over {part.host_link} at {link:,.3g} GB/s, "
        f"one request would run {slower:,.3g} times slower: an answer of {output_tokens:,.0f} "
        f"tokens would take {near_s * slower:,.2g} s at least instead of {near_s:,.2g} s."
    )
