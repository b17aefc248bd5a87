"""The benchmark that would confirm the plan: commands, thresholds and a verdict."""

import json
from math import ceil
from typing import IO, Any

from advisor.engine.workload import ServingDemand
from advisor.exports import accelerate, triton
from advisor.exports.deployment import Deployment, deployment_of, deployments_of
from advisor.exports.engines import model_lines
from advisor.exports.formats import Format
from advisor.exports.refusal import CannotExport
from advisor.exports.subject import Chosen, Subject
from advisor.exports.text import (
    STARTING_POINT,
    ZIP,
    comment,
    counted,
    one_line,
    script,
    slug_of,
    write_zip,
)
from catalog.units import KILO

TEST_S = 300.0  # of steady load, long enough for a 99th percentile
LEAST_REQUESTS, MOST_REQUESTS = 500, 20_000
KEEPS_UP = 0.95  # of the arrivals must be answered: below, the queue grows
_MS_OF = {"ttft": "ttft", "tpot": "tpot", "e2e": "e2el"}
STEPS = 50


def check(subject: Subject) -> None:
    """Language models by vLLM's benchmark, others by Triton's, training by its own script."""
    chosen = _measured(subject)
    if chosen.workload.training is not None:
        accelerate.check(subject)
        return
    if chosen.row is None:
        return
    found = deployments_of(subject)[-1]
    if found.serving.output_tokens > 0.0:
        return
    try:
        triton.check(subject)
    except CannotExport as reason:
        rate = chosen.plan["samples_per_s"]["value"] or 0.0
        message = (
            f"No common benchmark tool drives this runtime ({reason}) Measure it with your own "
            f"client: the plan says {rate:,.0f} samples/s in all."
        )
        raise CannotExport(message) from reason


def _measured(subject: Subject) -> Chosen:
    """What the figures are of; both pools of a plan with separate ones have those of the pair."""
    return subject.pools[-1] if subject.pools else subject.chosen


def thresholds(subject: Subject, *, of_targets: bool = False) -> list[dict[str, Any]]:
    """What must be measured for the plan to hold: each with key, sign, limit and where it is from.

    A latency may reach the user's target, or the top of the plan's range where it has none; a
    throughput must reach the bottom of the range.
    """
    chosen = _measured(subject)
    serving = chosen.workload.serving
    if serving is None:
        return []
    rows: list[dict[str, Any]] = []
    percentile = round(serving.slo.percentile * 100.0)
    for name, target in (("ttft", serving.slo.ttft_s), ("tpot", serving.slo.tpot_s),
                         ("e2e", serving.slo.e2e_s)):  # fmt: skip
        if target is not None:
            rows.append(_limit(f"p{percentile}_{_MS_OF[name]}_ms", target, "your target"))
    told = {row["key"] for row in rows}
    for name in ("ttft_p50_s", "ttft_p99_s", "tpot_p50_s", "tpot_p99_s", "e2e_p99_s"):
        figure = chosen.plan.get(name) or {}
        kind, share, _ = name.split("_")
        key = f"{share}_{_MS_OF[kind]}_ms"
        if not of_targets and figure.get("high") is not None and key not in told:
            rows.append(_limit(key, figure["high"], "top of the plan's 80 % range"))
    return rows


def _limit(key: str, seconds: float, source: str) -> dict[str, Any]:
    return {"key": key, "at_most": round(seconds * KILO, 3), "from": source}


def requests_of(serving: ServingDemand, rate: float) -> int:
    """Requests of a test: five minutes of load, enough for a percentile, never for ever."""
    return min(max(ceil(rate * TEST_S), LEAST_REQUESTS), MOST_REQUESTS)


def _token_lengths(serving: ServingDemand) -> tuple[int, int, int]:
    """Shared prefix, own input and output of a request, in tokens."""
    prefix = round(serving.input_tokens * serving.prefix_cached_fraction)
    own = max(round(serving.input_tokens) - prefix, 1)
    return prefix, own, max(round(serving.output_tokens), 1)


def _burstiness(serving: ServingDemand) -> float:
    """Shape of the gamma law of gaps between requests; its coefficient of variation is given.

    Source: vLLM documentation, "vllm bench serve": 1 is Poisson, less is burstier.
    """
    return 1.0 / max(serving.burstiness_cv, 1e-3) ** 2


def _language(subject: Subject, found: Deployment) -> dict[str, str]:
    serving, plan = found.serving, found.chosen.plan
    prefix, own, out = _token_lengths(serving)
    rate = serving.requests_per_s_peak
    users = max(found.batch_limit * found.replicas, 1)
    tokens = plan["output_tokens_per_s"]
    least = [{"key": "output_throughput", "at_least": round(tokens["low"], 1),
              "from": "bottom of the plan's 80 % range"}]  # fmt: skip
    pace = {"key": "request_throughput", "at_least": round(KEEPS_UP * rate, 3),
            "from": "the peak rate of your answers"}  # fmt: skip
    runs: dict[str, list[dict[str, Any]]] = {"capacity": least}
    if not serving.is_batch:
        runs = {"peak": [pace, *thresholds(subject)], "capacity": least}
    common = (
        "vllm bench serve --backend openai --endpoint /v1/completions \\\n"
        '  --base-url "${URL:-http://127.0.0.1:8000}" --model "$MODEL" \\\n'
        f"  --dataset-name random --random-prefix-len {prefix} --random-input-len {own} \\\n"
        f"  --random-output-len {out} --ignore-eos --seed 1 \\\n"
        "  --percentile-metrics ttft,tpot,itl,e2el --metric-percentiles 50,95,99 \\\n"
        "  --save-result --result-dir results"
    )
    peak = (
        f"{common} --result-filename peak.json \\\n"
        f"  --request-rate {rate:.6g} --burstiness {_burstiness(serving):.4g} \\\n"
        f"  --num-prompts {requests_of(serving, rate)}\n"
    )
    capacity = (
        f"{common} --result-filename capacity.json \\\n"
        f"  --request-rate inf --max-concurrency {users} "
        f"--num-prompts {min(max(4 * users, LEAST_REQUESTS), MOST_REQUESTS)}\n"
    )
    text = (
        "#!/usr/bin/env bash\n"
        + comment(
            *found.heading(subject, "Benchmark of the plan"),
            "URL is the address of the router before both pools."
            if found.role
            else f"URL is the address of {counted(found.replicas, 'replica')} together.",
        )
        + "set -euo pipefail\n"
        + 'cd "$(dirname "$0")"\n'
        + model_lines(found)
        + "mkdir -p results\n"
        + ("" if serving.is_batch else peak)
        + capacity
        + "exec python3 check.py\n"
    )
    return {"bench.sh": text, **_verdict(runs)}


def _hosted(subject: Subject) -> dict[str, str]:
    """The same load on a provider's API, for the user's targets only: nothing else is promised."""
    chosen, plan = subject.chosen, subject.chosen.plan
    serving = chosen.workload.serving
    if serving is None:
        message = "A hosted API trains nothing."
        raise CannotExport(message)
    prefix, own, out = _token_lengths(serving)
    price = plan["price"]
    usd = (
        (prefix + own) * (price["usd_per_million_input_tokens"] or 0.0)
        + out * (price["usd_per_million_output_tokens"] or 0.0)
    ) / 1e6
    name = api_model(str(plan["system"]), str(plan["provider"]))
    text = (
        "#!/usr/bin/env bash\n"
        + comment(
            f"Benchmark of {one_line(plan['name'])}.",
            f"Run {subject.run_id}, catalogue {subject.document['catalog_snapshot']['as_of']}.",
            STARTING_POINT,
            f"It costs about {usd * LEAST_REQUESTS:,.2f} USD at the listed token prices, and "
            "counts against your rate limit.",
        )
        + "set -euo pipefail\n"
        + 'cd "$(dirname "$0")"\n'
        + ': "${URL:?set URL to the address of the API, without /v1}"\n'
        + ': "${OPENAI_API_KEY:?set OPENAI_API_KEY to your key}"\n'
        + ': "${TOKENIZER:?set TOKENIZER to the folder or repository of the tokenizer}"\n'
        + "mkdir -p results\n"
        + "vllm bench serve --backend openai-chat --endpoint /v1/chat/completions \\\n"
        + f'  --base-url "$URL" --model {name} --tokenizer "$TOKENIZER" \\\n'
        + f"  --dataset-name random --random-prefix-len {prefix} --random-input-len {own} \\\n"
        + f"  --random-output-len {out} --seed 1 --num-prompts {LEAST_REQUESTS} \\\n"
        + f"  --request-rate {serving.requests_per_s_peak:.6g} \\\n"
        + "  --percentile-metrics ttft,tpot,itl,e2el --metric-percentiles 50,95,99 \\\n"
        + "  --save-result --result-dir results --result-filename peak.json\n"
        + "exec python3 check.py\n"
    )
    return {"bench.sh": text, **_verdict({"peak": thresholds(subject, of_targets=True)})}


def api_model(system: str, provider: str) -> str:
    """The model's name at the API as one shell word."""
    name = system.removeprefix(f"{provider}/")
    return "".join(c for c in name if c.isascii() and (c.isalnum() or c in "._-/:")) or "model"


def _tensors(subject: Subject, found: Deployment) -> dict[str, str]:
    """Triton's own load generator for models without tokens."""
    plan, serving = found.chosen.plan, found.serving
    batch = triton.batch_of(found)
    share = found.machines
    least = (plan["samples_per_s"]["low"] or 0.0) / share
    rate = serving.requests_per_s_peak * max(serving.samples_per_request, 1.0) / share
    limit_s = serving.slo.e2e_s or plan["e2e_p99_s"]["high"]
    percentile = round(serving.slo.percentile * 100.0)
    runs = {
        "peak": [
            {"key": "Inferences/Second", "at_least": round(KEEPS_UP * rate, 2),
             "from": "your peak rate on one machine"},
            {"key": f"p{percentile} latency", "at_most": round((limit_s or 0.0) * 1e6),
             "from": "your target" if serving.slo.e2e_s else "top of the plan's 80 % range"},
        ],
        "capacity": [
            {"key": "Inferences/Second", "at_least": round(least, 2),
             "from": "bottom of the plan's 80 % range, one machine"},
        ],
    }  # fmt: skip
    copies = min(found.accelerators_per_machine, found.replicas)
    common = (
        f'perf_analyzer -m {found.slug} -u "${{URL:-127.0.0.1:8001}}" -i grpc '
        f"--percentile={percentile}"
    )
    text = (
        "#!/usr/bin/env bash\n"
        + comment(
            *found.heading(subject, "Benchmark of the plan"),
            f"Run it in Triton's SDK container against one server; the plan has {found.machines}.",
        )
        + "set -euo pipefail\n"
        + 'cd "$(dirname "$0")"\n'
        + "mkdir -p results\n"
        + f"{common} --request-rate-range {rate:.6g} --request-distribution poisson \\\n"
        + "  -f results/peak.csv\n"
        + f"{common} -b {batch} --concurrency-range {2 * copies} -f results/capacity.csv\n"
        + "exec python3 check.py\n"
    )
    return {"bench.sh": text, **_verdict(runs)}


def _training(subject: Subject) -> dict[str, str]:
    plan = subject.chosen.plan
    files = accelerate.files(subject)
    figure = plan["tokens_per_s_per_accelerator"]
    runs = {
        "throughput": [
            {"key": "tokens_per_s_per_accelerator", "at_least": round(figure["low"], 1),
             "from": "bottom of the plan's 80 % range"}
        ]
    }  # fmt: skip
    found = deployment_of(subject)
    text = (
        "#!/usr/bin/env bash\n"
        + comment(*found.heading(subject, "Benchmark of the plan"))
        + "set -euo pipefail\n"
        + 'cd "$(dirname "$0")"\n'
        + f"MAX_STEPS={STEPS} ./launch.sh\n"
        + "mkdir -p results && cp throughput.json results/\n"
        + "exec python3 check.py\n"
    )
    return {**files, "bench.sh": text, **_verdict(runs)}


def _verdict(runs: dict[str, list[dict[str, Any]]]) -> dict[str, str]:
    return {
        "thresholds.json": json.dumps(runs, indent=2) + "\n",
        "check.py": script("benchmark_check"),
    }


def files_of(subject: Subject) -> dict[str, str]:
    """The files by their path."""
    chosen = _measured(subject)
    if chosen.workload.training is not None:
        return _training(subject)
    if chosen.row is None:
        return _hosted(subject)
    found = deployments_of(subject)[-1]
    if found.serving.output_tokens > 0.0:
        return _language(subject, found)
    return _tensors(subject, found)


def _write(subject: Subject, stream: IO[bytes]) -> None:
    write_zip(stream, files_of(subject), folder=f"bench-{slug_of(_measured(subject).plan['id'])}")


BENCH = Format(
    id="bench",
    label="Benchmark with thresholds",
    audience="For engineers",
    purpose="Commands that load the system as the plan assumes, and a check that says pass or fail "
    "for each figure.",
    suffix=".zip",
    content_type=ZIP,
    write=_write,
    check=check,
)
