"""A pair of pools as one plan: what both cost and draw together, and what each of them is."""

from collections.abc import Sequence
from dataclasses import replace

from advisor.engine.choice.apart import Pair
from advisor.engine.choice.assembly import per_unit, plan_of, to_the_cent
from advisor.engine.choice.eligibility import over_limits
from advisor.engine.choice.fleet import merged_lines
from advisor.engine.choice.split_plan import summed
from advisor.engine.plan import Plan
from advisor.engine.search.fits import site_refusal
from advisor.engine.workload import Question
from catalog.specs import Figure
from catalog.units import MEGA

ROLES = ("prefill", "decode")
_SUMMED = (
    "total_cost_usd", "monthly_cost_usd", "capex_usd", "power_kw", "energy_kwh_month",
    "carbon_kg_month",
)  # fmt: skip
_SUM = "sum over both pools"


def plans_apart(pairs: Sequence[Pair], question: Question) -> tuple[Plan, ...]:
    """The pairs as plans, in their order; what breaks a limit in all says so.

    Source: as `plan_apart`.
    """
    return tuple(
        plan_apart(pair, question, plan_id=f"apart{number}")
        for number, pair in enumerate(pairs, start=1)
    )


def plan_apart(pair: Pair, question: Question, *, plan_id: str) -> Plan:
    """Both pools as one plan: costs, power and carbon are sums, latencies those of the pair.

    Source: sums; latencies as in `search.size_apart`.
    """
    first = plan_of(pair.prefill, pair.prefill_row, plan_id=f"{plan_id}-prefill")
    second = plan_of(pair.decode, pair.decode_row, plan_id=f"{plan_id}-decode")
    pools = (first, second)
    figures = {**second.figures, **_sums(pools)}
    figures |= per_unit(pair.decode, figures)
    families = list(dict.fromkeys(pool.family for pool in pools))
    plan = replace(
        second,
        id=plan_id,
        name=_name(pools),
        kind="fleet",
        family=families[0] if len(families) == 1 else "hybrid",
        accelerator=_both(pools, "accelerator"),
        accelerator_slug=",".join(dict.fromkeys(pool.accelerator_slug for pool in pools)),
        accelerator_count=sum(pool.accelerator_count for pool in pools),
        system=_both(pools, "system"),
        system_count=sum(pool.system_count for pool in pools),
        purchase=_both(pools, "purchase"),
        parallelism={"replicas": sum(pool.parallelism["replicas"] for pool in pools)},
        price={},
        cost_breakdown=to_the_cent(merged_lines(pools), figures["total_cost_usd"].value or 0.0),
        figures=figures,
        fleet=tuple(
            replace(item, what=f"{role}: {item.what}")
            for role, pool in zip(ROLES, pools, strict=True)
            for item in pool.fleet
        ),
        notes=(_words(pair, pools), *dict.fromkeys((*first.notes, *second.notes))),
        extra=_extra(pair, pools),
        case=None,
        pool_cases=tuple(pool.case for pool in pools if pool.case is not None),
    )
    blocked = over_limits(plan, question) or _no_room(pools, question)
    return replace(plan, extra={**plan.extra, "not_recommended_because": blocked})


def _sums(pools: Sequence[Plan]) -> dict[str, Figure]:
    """Figures that add up over the pools, where both have them."""
    return {
        name: _to_cents(summed([pool.figures[name] for pool in pools], source=_SUM))
        for name in _SUMMED
        if all(pool.value(name) is not None for pool in pools)
    }


def _to_cents(figure: Figure) -> Figure:
    """A sum rounded as its parts are."""
    ends = {end: getattr(figure, end) for end in ("value", "low", "high")}
    return replace(figure, **{end: round(value, 2) for end, value in ends.items() if value})


def _both(pools: Sequence[Plan], name: str) -> str:
    return ", ".join(dict.fromkeys(str(getattr(pool, name)) for pool in pools))


def _name(pools: Sequence[Plan]) -> str:
    machines = " + ".join(
        f"{pool.accelerator_count} x {pool.accelerator} to {role}"
        for role, pool in zip(ROLES, pools, strict=True)
    )
    where = " ".join(each for each in (pools[0].provider, pools[0].region) if each)
    return f"{machines}, {where}, {_both(pools, 'purchase').replace('_', ' ')}"


def _words(pair: Pair, pools: Sequence[Plan]) -> str:
    first, second = (pool.parallelism["replicas"] for pool in pools)
    one, two = (pool.accelerator for pool in pools)
    return (
        f"Prefill and decode run apart: {first} replicas compute prompts on {one}, {second} write "
        f"answers on {two}, and the cache of a prompt, {pair.handed_bytes / MEGA:,.0f} MB, goes "
        f"over the network in {pair.hand_over_s * 1e3:,.1f} ms. No prompt then holds up an answer."
    )


def _extra(pair: Pair, pools: Sequence[Plan]) -> dict[str, object]:
    """What the page and the simulator need of each pool, and of the way between them."""
    leads = [pool.extra["lead_time_weeks"] for pool in pools]
    known = [float(str(lead)) for lead in leads if lead is not None]
    return {
        **pools[1].extra,
        "lead_time_weeks": max(known) if len(known) == len(leads) else None,
        # Jobs are not moved into the idle hours of pools that hand work to each other.
        "always_on": False,
        "hand_over": {"bytes": pair.handed_bytes, "s": pair.hand_over_s},
        "pools": [
            {**pool.as_dict(), "role": role, "replicas": pool.parallelism["replicas"]}
            for role, pool in zip(ROLES, pools, strict=True)
        ],
    }


def _no_room(pools: Sequence[Plan], question: Question) -> str:
    """Why the user's own room cannot take both pools; empty where it can, or need not."""
    if pools[0].provider_kind != "on_prem":
        return ""
    cases = [case for pool in pools for case in pool.costed]
    reason = site_refusal(
        _both(pools, "system"),
        systems=float(sum(pool.system_count for pool in pools)),
        power_w=sum(float(case.instances[0] * case.power_w_per_instance[0]) for case in cases),
        rack_units=None,
        site=question.site,
        liquid_only=False,
    )
    return reason or ""
