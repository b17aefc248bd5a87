"""Hand-made result documents: a serving answer, a training answer, a refusal, a fleet."""

from typing import Any

SOURCE = "hand-made for tests"


def figure(
    value: float | None,
    unit: str,
    *,
    spread: float = 0.2,
    evidence: str = "calibrated",
) -> dict[str, Any]:
    return {
        "value": value,
        "low": None if value is None else value * (1 - spread),
        "high": None if value is None else value * (1 + spread),
        "unit": unit,
        "evidence": evidence,
        "source": SOURCE,
    }


def line(label: str, usd: float, evidence: str = "list") -> dict[str, Any]:
    return {
        "label": label,
        "usd": usd,
        "low": usd * 0.9,
        "high": usd * 1.15,
        "evidence": evidence,
        "source": SOURCE,
    }


def _plan(plan_id: str, **changes: Any) -> dict[str, Any]:
    plan: dict[str, Any] = {
        "id": plan_id,
        "name": "8 x NVIDIA H100 SXM, aws us-east-1, on demand",
        "workload": "Chat",
        "kind": "serving",
        "family": "gpu",
        "accelerator": "NVIDIA H100 SXM",
        "accelerator_slug": "nvidia-h100-sxm",
        "accelerator_count": 8,
        "system": "p5.48xlarge",
        "system_count": 1,
        "provider": "aws",
        "provider_kind": "public_cloud",
        "region": "us-east-1",
        "country": "US",
        "purchase": "on_demand",
        "precision": "bf16",
        "engine": "vllm",
        "parallelism": {"tensor": 4, "pipeline": 1, "expert": 1, "replicas": 2},
        "meets_targets": True,
        "price_open": False,
        "notes": [],
        "price": {
            "usd_per_h": 55.04,
            "usd": None,
            "unit": "p5.48xlarge, 8 accelerators",
            "observed_on": "2026-11-12",
            "source": SOURCE,
            "evidence": "list",
        },
        "quality_gate": "published format",
        "porting_weeks": None,
        "fleet": [],
    }
    return plan | changes


def serving_plan(
    plan_id: str, *, month_usd: float | None, ttft_s: float | None, users: float, **changes: Any
) -> dict[str, Any]:
    total = None if month_usd is None else month_usd * 36
    breakdown = (
        [
            line("Compute", round(total * 0.8, 2)),
            line("Engineering overhead", round(total * 0.15, 2), "assumed"),
            line(
                "Network egress", round(total - round(total * 0.8, 2) - round(total * 0.15, 2), 2)
            ),
        ]
        if total is not None
        else []
    )
    price_evidence = "assumed" if month_usd is None else "list"
    return _plan(
        plan_id,
        cost_breakdown=breakdown,
        monthly_cost_usd=figure(month_usd, "USD/month", spread=0.1, evidence=price_evidence),
        total_cost_usd=figure(total, "USD", spread=0.1, evidence=price_evidence),
        usd_per_million_output_tokens=figure(
            None if month_usd is None else month_usd / 12_300, "USD/M tokens", evidence="list"
        ),
        ttft_p50_s=figure(None if ttft_s is None else ttft_s * 0.4, "s"),
        ttft_p95_s=figure(None if ttft_s is None else ttft_s * 0.8, "s"),
        ttft_p99_s=figure(ttft_s, "s"),
        tpot_p50_s=figure(0.021, "s"),
        tpot_p99_s=figure(0.034, "s"),
        e2e_p50_s=figure(5.6, "s"),
        e2e_p99_s=figure(None if ttft_s is None else ttft_s + 8.7, "s"),
        output_tokens_per_s=figure(21_400.0, "tokens/s"),
        requests_per_s=figure(83.6, "requests/s"),
        users_at_slo=figure(users, "concurrent users"),
        users_per_usd_hour=figure(
            None if month_usd is None else users / (month_usd / 730), "users per USD/h"
        ),
        users_per_kw=figure(users / 10.2, "users/kW", evidence="assumed"),
        power_kw=figure(10.2, "kW", evidence="assumed"),
        energy_kwh_month=figure(5_956.0, "kWh/month", evidence="assumed"),
        carbon_kg_month=figure(2_263.0, "kgCO2e/month", evidence="assumed"),
        **changes,
    )


def _parts(plans: list[dict[str, Any]], front: tuple[str, ...], best: str) -> dict[str, Any]:
    return {
        "x_label": "Total cost over the horizon, USD",
        "y_label": "Whole answer at the 99th percentile, s",
        "points": [
            {
                "plan_id": plan["id"],
                "label": plan["name"],
                "family": plan["family"],
                "x": plan["total_cost_usd"]["value"],
                "y": y["value"],
                "x_low": plan["total_cost_usd"]["low"],
                "x_high": plan["total_cost_usd"]["high"],
                "y_low": y["low"],
                "y_high": y["high"],
                "on_front": plan["id"] in front,
                "recommended": plan["id"] == best,
            }
            for plan in plans
            for y in [plan.get("e2e_p99_s") or plan["hours"]]
        ],
    }


def _document(**changes: Any) -> dict[str, Any]:
    document: dict[str, Any] = {
        "schema": "advice/1",
        "name": "Chatbot for one million users",
        "preset": "chatbot_1m",
        "horizon_months": 36,
        "engine_version": "0.1.0",
        "calibration_version": "2026-11-23",
        "catalog_snapshot": {"as_of": "2026-11-23", "digest": "9f2c" * 16},
        "sentence": "",
        "why": [],
        "recommendation": None,
        "plans": [],
        "picks": {},
        "rejected": [],
        "assumptions": [],
        "warnings": [],
        "set_aside": [],
        "demand": [],
        "pareto": {"x_label": "", "y_label": "", "points": []},
    }
    return document | changes


REJECTED: list[dict[str, Any]] = [
    {
        "family": "ipu",
        "accelerator": None,
        "reason": "140 GB of weights need 156 GiB; a Bow-2000 holds 3.6 GiB of SRAM.",
        "limit": "memory",
        "count": 3,
    },
    {
        "family": "waferscale",
        "accelerator": "Cerebras CS-3",
        "reason": "No public price: get a quote. It is sized in the table.",
        "limit": "price",
        "count": 1,
    },
    {
        "family": "gpu",
        "accelerator": "NVIDIA T4",
        "reason": "16 GiB hold no layer group of the model with its cache.",
        "limit": "memory",
        "count": 12,
    },
    {
        "family": "gpu",
        "accelerator": "NVIDIA A100 PCIe 40GB",
        "reason": "First token at the 95th percentile takes 812 ms; the target is 300 ms.",
        "limit": "ttft",
        "count": 6,
    },
    {
        "family": "tpu",
        "accelerator": "Google TPU v5e",
        "reason": "Not offered in a region that the answers allow.",
        "limit": "residency",
        "count": 4,
    },
]
ASSUMPTIONS: list[dict[str, Any]] = [
    {
        "workload": "Chat",
        "question": "prefix_cache_hit_pct",
        "label": "Share of input tokens served from a prefix cache",
        "value": "0 %",
        "basis": "convention",
    },
    {
        "workload": "Chat",
        "question": "headroom_pct",
        "label": "Spare capacity at the peak",
        "value": "20 %",
        "basis": "assumption",
    },
    {
        "workload": "",
        "question": "discount_rate_pct",
        "label": "Cost of capital",
        "value": "8 %",
        "basis": "assumption",
    },
]
DEMAND: list[dict[str, Any]] = [
    {
        "workload": "Chat",
        "kind": "infer_llm_realtime",
        "model": "Llama 3.1 70B",
        "figures": [
            {"label": "Requests at the peak", "value": 74.0, "unit": "requests/s"},
            {"label": "Output tokens at the peak", "value": 18_963.0, "unit": "tokens/s"},
            {"label": "Requests a month", "value": 48_700_000.0, "unit": ""},
        ],
    }
]


def serving() -> dict[str, Any]:
    plans = [
        serving_plan("p1", month_usd=40_179.0, ttft_s=0.212, users=410.0),
        serving_plan(
            "p2",
            month_usd=46_300.0,
            ttft_s=0.164,
            users=520.0,
            name="8 x AMD Instinct MI300X, azure eastus, reserved 1 year",
            accelerator="AMD Instinct MI300X",
            accelerator_slug="amd-mi300x",
            provider="azure",
            region="eastus",
            purchase="reserved_1y",
        ),
        serving_plan(
            "p3",
            month_usd=38_950.0,
            ttft_s=0.335,
            users=395.0,
            name="16 x Google TPU v6e, gcp us-east5, on demand",
            family="tpu",
            accelerator="Google TPU v6e",
            accelerator_slug="google-tpu-v6e",
            accelerator_count=16,
            provider="gcp",
            region="us-east5",
            meets_targets=False,
            notes=["First token misses its target by 35 ms at the 95th percentile."],
        ),
        serving_plan(
            "p4",
            month_usd=61_820.0,
            ttft_s=0.091,
            users=880.0,
            name="8 x NVIDIA B200, coreweave, on demand",
            accelerator="NVIDIA B200",
            accelerator_slug="nvidia-b200",
            provider="coreweave",
            region="",
        ),
        serving_plan(
            "p5",
            month_usd=None,
            ttft_s=0.048,
            users=1_400.0,
            name="1 x Cerebras WSE-3, Cerebras, to be quoted",
            family="waferscale",
            accelerator="Cerebras WSE-3",
            accelerator_slug="cerebras-wse3",
            accelerator_count=1,
            provider="cerebras",
            region="",
            purchase="quote",
            price_open=True,
            notes=["No public price: get a quote. Everything else is computed."],
        ),
        serving_plan(
            "p6",
            month_usd=52_400.0,
            ttft_s=0.198,
            users=450.0,
            name="16 x Intel Gaudi 3, bought",
            family="asic",
            accelerator="Intel Gaudi 3",
            accelerator_slug="intel-gaudi3",
            accelerator_count=16,
            provider="own site",
            region="",
            purchase="buy",
        ),
    ]
    return _document(
        sentence="Run Chat on 8 x NVIDIA H100 SXM at aws us-east-1, rented on demand, in bf16, "
        "for about 40,179 USD a month.",
        why=[
            "Over the horizon it costs 1,446,444 USD; the nearest on other hardware, "
            "8 x AMD Instinct MI300X, costs 15% more.",
            "At the peak 95 of 100 requests see their first token within 170 ms.",
        ],
        recommendation=plans[0],
        plans=plans,
        picks={"cheapest": "p1", "fastest": "p4", "greenest": "p2", "simplest": "p1"},
        rejected=REJECTED,
        assumptions=ASSUMPTIONS,
        warnings=["The peak is four times the mean: a burst above it waits longer than shown."],
        set_aside=["Adapter rank (lora_rank) is set aside; it is asked only when you tune."],
        demand=DEMAND,
        pareto=_parts(plans, ("p1", "p2", "p4"), "p1"),
    )


def training_plan(
    plan_id: str, *, total_usd: float, run_h: float, **changes: Any
) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "name": "4 x NVIDIA H100 SXM, article prices, on demand",
        "workload": "Fine-tune",
        "kind": "training",
        "accelerator_count": 4,
        "engine": "training stack of the vendor",
        "parallelism": {"tensor": 4, "pipeline": 1, "expert": 1, "replicas": 1},
        "cost_breakdown": [
            line("Compute", 5_760.0, "reported"),
            line("Storage", 150.0, "reported"),
            line("Network egress", 200.0, "reported"),
            line("Engineering overhead", 800.0, "reported"),
        ],
        "monthly_cost_usd": figure(total_usd, "USD/month", spread=0.0, evidence="reported"),
        "total_cost_usd": figure(total_usd, "USD", spread=0.0, evidence="reported"),
        "hours": figure(run_h, "h"),
        "mfu": figure(0.41, "fraction"),
        "tokens_per_s_per_accelerator": figure(948.0, "tokens/s"),
        "power_kw": figure(4.6, "kW", evidence="assumed"),
        "energy_kwh_month": figure(331.0, "kWh/month", evidence="assumed"),
        "carbon_kg_month": figure(120.0, "kgCO2e/month", evidence="assumed"),
    }
    return _plan(plan_id, **(facts | changes))


def training() -> dict[str, Any]:
    plans = [
        training_plan("p1", total_usd=6_910.0, run_h=45.2),
        training_plan(
            "p2",
            total_usd=7_400.0,
            run_h=61.0,
            name="8 x NVIDIA A100 SXM 80GB, lambda, on demand",
            accelerator="NVIDIA A100 SXM 80GB",
            accelerator_count=8,
            provider="lambda",
        ),
    ]
    return _document(
        name="Fine-tune a 70B model on 4 x H100",
        preset="article_finetune_4xh100_72h",
        horizon_months=1,
        sentence="Run Fine-tune on 4 x NVIDIA H100 SXM: one run takes 45.2 h, "
        "and the horizon costs 6,910 USD in all.",
        why=["One run takes 45.2 h (36.2 to 54.2 h in four cases of five)."],
        recommendation=plans[0],
        plans=plans,
        picks={"cheapest": "p1", "fastest": "p1", "greenest": "p1", "simplest": "p1"},
        rejected=REJECTED[:2],
        assumptions=ASSUMPTIONS[2:],
        pareto=_parts(plans, ("p1",), "p1"),
    )


def refusal() -> dict[str, Any]:
    return _document(
        name="Full tuning of 70B on 4 x H100",
        preset="finetune_70b_4xh100_72h",
        sentence="No plan for Fine-tune can be recommended: full tuning needs 1,043 GiB "
        "and 4 x H100 hold 320 GiB.",
        why=["16 bytes for each of 70e9 parameters are 1,120 GB = 1,043 GiB."],
        rejected=REJECTED,
        assumptions=ASSUMPTIONS,
        demand=DEMAND,
    )


def fleet() -> dict[str, Any]:
    document = serving()
    items = [
        {
            "what": "8 x NVIDIA H100 SXM",
            "count": 1,
            "purchase": "reserved_1y",
            "provider": "aws",
            "region": "us-east-1",
            "workload": "Chat",
            "usd_per_month": 40_179.0,
        },
        {
            "what": "16 x Google TPU v6e",
            "count": 2,
            "purchase": "spot",
            "provider": "gcp",
            "region": "us-east5",
            "workload": "Nightly scoring",
            "usd_per_month": 9_240.5,
        },
    ]
    whole = document["plans"][0] | {
        "id": "fleet",
        "kind": "fleet",
        "name": "a fleet of two",
        "workload": "",
        "fleet": items,
        "mip_gap": 0.004,
        "lower_bound_usd": 1_771_000.0,
        "best_single_family_cost_usd": 1_930_000.0,
    }
    return document | {
        "name": "Mixed company",
        "recommendation": whole,
        "plans": [whole, *document["plans"]],
        "sentence": "Run Mixed company on a fleet of two, for about 49,420 USD a month in all.",
    }


def hostile() -> dict[str, Any]:
    """A serving answer whose every free text tries to break out of the page."""
    attack = "<script>alert(1)</script>\"'</title><img src=x onerror=alert(2)>"
    document = serving()
    plan = document["plans"][0] | {"name": attack, "notes": [attack], "provider": attack}
    document["pareto"]["points"][0]["label"] = attack
    return document | {
        "name": attack,
        "sentence": attack,
        "why": [attack],
        "recommendation": plan,
        "plans": [plan, *document["plans"][1:]],
        "warnings": [attack],
        "set_aside": [attack],
        "rejected": [{**REJECTED[0], "reason": attack, "accelerator": attack}],
        "assumptions": [ASSUMPTIONS[0] | {"label": attack, "value": attack, "basis": attack}],
    }


def hosted() -> dict[str, Any]:
    """An answer that says not to deploy at all."""
    document = serving()
    plan = document["plans"][0] | {
        "name": "nebius API, paid by the token",
        "purchase": "hosted_tokens",
        "system": "nebius/llama-3.1-8b",
        "system_count": 0,
        "accelerator_count": 0,
        "parallelism": {},
        "notes": [document["why"][1]],
    }
    return document | {"recommendation": plan, "plans": [plan, *document["plans"][1:]]}
