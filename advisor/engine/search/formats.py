"""Which weight formats are tried, and which of them may be recommended."""

from collections.abc import Mapping
from dataclasses import dataclass

from advisor.engine.workload import ServingDemand, TrainingDemand, Workload
from catalog.specs import AcceleratorSpec, ModelSpec

_BITS: Mapping[str, int] = {
    "fp32": 32, "tf32": 32, "bf16": 16, "fp16": 16, "fp8": 8, "int8": 8, "fp4": 4, "int4": 4,
}  # fmt: skip
_SERVED_BITS = 16  # 32-bit weights are served in 16 bits as a matter of course


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Whether a format may be recommended, and why."""

    open: bool
    reason: str


def quality_gate(model: ModelSpec, precision: str, *, quality_loss_allowed: str) -> Gate:
    """The rule on precision: the published format, or a lower one with a sourced result.

    A lower format is recommended only where an accuracy result for this model and format is
    on record, or where the user allows a loss; otherwise it is an alternative with a saving.

    Source: rule of this application; results from the catalogue.
    """
    native = model.native_precision
    if _BITS[precision] >= min(_BITS[native], _SERVED_BITS):
        return Gate(open=True, reason=f"{precision} keeps the quality of the published {native}.")
    source = model.published_precisions.get(precision)
    if quality_loss_allowed == "yes":
        return Gate(open=True, reason=f"You allow a loss of quality in {precision}.")
    if quality_loss_allowed == "no":
        return Gate(open=False, reason=f"You allow no format below the published {native}.")
    if source is not None:
        return Gate(open=True, reason=f"Accuracy in {precision} is published: {source}")
    return Gate(
        open=False,
        reason=f"No published accuracy of {model.name} in {precision}: test it before you buy.",
    )


def serving_formats(part: AcceleratorSpec, demand: ServingDemand, workload: Workload) -> list[str]:
    """Formats tried on a part: the asked one, the published one and faster ones it computes in.

    Source: formats of the part's datasheet.
    """
    model = demand.model
    native = "bf16" if _BITS[model.native_precision] > _SERVED_BITS else model.native_precision
    tried = {demand.precision, native}
    if workload.quality_loss_allowed != "no":
        tried |= {
            name
            for name in ("fp8", "int8", "fp4", "int4")
            if name in part.peak_flops_per_s or name in model.published_precisions
        }
    if not part.peak_flops_per_s.get("bf16") and "bf16" in tried:
        tried = (tried - {"bf16"}) | {"fp16"}
    # By name too: the order of a set differs from process to process.
    return sorted(tried, key=lambda name: (-_BITS[name], name))


def training_formats(part: AcceleratorSpec, demand: TrainingDemand) -> list[str]:
    """Formats tried for training: the asked one, or 16 bits of the other kind where it lacks it.

    Source: formats of the part's datasheet.
    """
    other = {"bf16": "fp16", "fp8": "bf16", "fp4": "bf16", "tf32": "bf16"}.get(demand.precision)
    if part.peak_flops_per_s.get(demand.precision) or other is None:
        return [demand.precision]
    return [other] if part.peak_flops_per_s.get(other) else [demand.precision]
