"""The benchmark that would tell how fast a plan really is: its command, its length, its price."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from advisor.engine.choice.wording import plural
from advisor.engine.plan import Plan
from advisor.engine.workload import ServingDemand, TrainingDemand, Workload
from catalog.specs import CatalogueSnapshot, OfferSpec, Purchase

BENCHMARK_H = 2.0
"""Hours of machines for one benchmark: loading, warming up and three runs (assumed)."""
BENCHMARK_S = 600.0  # of traffic in one run
FEWEST_REQUESTS = 200
STEPS = 200  # of a training job: enough to get past compilation and caches
_QUANTIZED = frozenset({"fp8", "int8", "int4", "fp4"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """How to measure: the commands, what to read off, and what the machines cost meanwhile."""

    commands: tuple[str, ...]
    reads: str
    accelerators: int
    usd: float | None
    cost_basis: str
    what: str = ""  # is measured; one replica where nothing is said


def benchmark_of(plan: Plan, workload: Workload, snapshot: CatalogueSnapshot) -> Bench:
    """The benchmark of one replica of a plan under the share of the load it would carry.

    Commands are those of the engine's own tool: vLLM `vllm bench serve`, SGLang
    `sglang.bench_serving`; where the engine has none, what has to be timed is said in words.

    Source: vLLM documentation, "Benchmark CLI"; SGLang documentation, "Bench Serving Guide".
    """
    pools = plan.extra.get("pools")
    if isinstance(pools, list) and workload.serving is not None:
        return _of_pools(plan, pools, workload.serving)
    chips = max(
        plan.parallelism.get("tensor", 1) * plan.parallelism.get("pipeline", 1)
        * (plan.parallelism.get("data", 1) if plan.kind == "training" else 1), 1
    )  # fmt: skip
    serving, training = workload.serving, workload.training
    if serving is not None:
        commands, reads = _serving(plan, serving)
    else:
        commands, reads = _training(plan, training)
    usd, basis = _usd(plan, chips, snapshot)
    return Bench(commands=commands, reads=reads, accelerators=chips, usd=usd, cost_basis=basis)


def _of_pools(plan: Plan, pools: Sequence[Mapping[str, Any]], serving: ServingDemand) -> Bench:
    """Both pools as planned behind their router; the load is that of all of them."""
    (_, measure, *notes), reads = _serving(replace(plan, parallelism={}, engine="vllm"), serving)
    prices = [pool["price"].get("usd_per_h") for pool in pools]
    known = [usd * pool["system_count"] for usd, pool in zip(prices, pools, strict=True) if usd]
    return Bench(
        commands=(f'{measure} --base-url "$ROUTER_URL"', *notes),
        reads=reads,
        accelerators=plan.accelerator_count,
        usd=sum(known) * BENCHMARK_H if len(known) == len(pools) else None,
        cost_basis=f"{BENCHMARK_H:g} h of both pools as planned"
        if len(known) == len(pools)
        else "both pools cannot be rented by the hour as planned: ask the seller for a trial",
        what="both pools behind their router, started with the launch script of the Files page",
    )


def _serving(plan: Plan, serving: ServingDemand) -> tuple[tuple[str, ...], str]:
    replicas = max(plan.parallelism.get("replicas", 1), 1)
    rate = serving.requests_per_s_peak / replicas
    if serving.output_tokens <= 0.0:
        return (
            f"Run one replica at {rate:,.3g} {plural(serving.unit)}/s for {BENCHMARK_S / 60.0:.0f} "
            "minutes with inputs of your own",
        ), f"{plural(serving.unit)}/s and the 99th percentile of the time of each"
    prompts = max(round(rate * BENCHMARK_S), FEWEST_REQUESTS)
    given, made = round(max(serving.input_tokens, 1.0)), round(serving.output_tokens)
    reads = "output tokens/s, and p50, p95 and p99 of time to first token and per output token"
    if plan.engine == "sglang":
        return (
            f'python -m sglang.launch_server --model-path "$MODEL" '
            f"--tp {plan.parallelism.get('tensor', 1)}",
            f"python -m sglang.bench_serving --backend sglang --dataset-name random "
            f"--random-input-len {given} --random-output-len {made} "
            f"--request-rate {rate:.3g} --num-prompts {prompts}",
        ), reads
    start = f'vllm serve "$MODEL" --tensor-parallel-size {plan.parallelism.get("tensor", 1)}'
    if plan.parallelism.get("pipeline", 1) > 1:
        start += f" --pipeline-parallel-size {plan.parallelism['pipeline']}"
    if plan.parallelism.get("expert", 1) > 1:
        start += " --enable-expert-parallel"
    measure = (
        f'vllm bench serve --model "$MODEL" --dataset-name random --random-input-len {given} '
        f"--random-output-len {made} --request-rate {rate:.3g} --num-prompts {prompts} "
        "--percentile-metrics ttft,tpot,itl,e2el --metric-percentiles 50,95,99"
    )
    if plan.purchase == Purchase.HOSTED_TOKENS.value:
        return (f'{measure} --base-url "$PROVIDER_URL"',), reads
    note = f"$MODEL: the {plan.precision} weights" if plan.precision in _QUANTIZED else ""
    return (start, measure, *((f"# {note}",) if note else ())), reads


def _training(plan: Plan, training: TrainingDemand | None) -> tuple[tuple[str, ...], str]:
    layout = ", ".join(f"{name} {count}" for name, count in plan.parallelism.items() if count > 1)
    length = f" at sequence length {training.seq_len:,.0f}" if training is not None else ""
    batch = (
        f" and {training.global_batch_tokens:,.0f} tokens a step" if training is not None else ""
    )
    return (
        f"Your own training script, {STEPS} steps{length}{batch}, in {plan.precision}"
        + (f", parallel: {layout}" if layout else ""),
    ), "tokens/s on each accelerator, without the first 50 steps"


def _usd(plan: Plan, chips: int, snapshot: CatalogueSnapshot) -> tuple[float | None, str]:
    """The cheapest hours on demand of enough accelerators of the part, rented by the machine."""
    offers = [
        (offer.usd_per_h * _machines(offer, chips), offer)
        for offer in snapshot.offers
        if offer.accelerator_slug == plan.accelerator_slug
        and offer.purchase == Purchase.ON_DEMAND
        and offer.usd_per_h is not None
        and offer.accelerator_count >= 1.0
    ]
    if not plan.accelerator_slug:
        return None, "a few USD of tokens at the provider's price"
    if not offers:
        return None, "nobody rents it by the hour in the catalogue: ask the seller for a trial"
    usd_per_h, offer = min(offers, key=lambda each: each[0])
    where = f"{offer.provider} {offer.region.code}" if offer.region else offer.provider
    many = "accelerator" if chips == 1 else "accelerators"
    return usd_per_h * BENCHMARK_H, f"{BENCHMARK_H:g} h of {chips} {many} at {where}, on demand"


def _machines(offer: OfferSpec, chips: int) -> float:
    return float(-(-chips // max(int(offer.accelerator_count), 1)))
