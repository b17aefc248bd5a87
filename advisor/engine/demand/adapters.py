"""How much adapters weigh, trained or served."""

from advisor.engine.demand import rates
from advisor.engine.demand.model import Part
from catalog.specs import ModelSpec
from catalog.units import MEGA


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


def adapter_bytes(part: Part, model: ModelSpec) -> float:
    """Bytes of the adapters served beside one model.

    Source: the answers; E. Hu et al., arXiv:2106.09685.
    """
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
