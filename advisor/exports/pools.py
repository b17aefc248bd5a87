"""What an engine and a router are told where prefill and decode run on machines of their own.

Source: vLLM documentation, "NixlConnector Usage Guide" and "NixlConnector Compatibility Matrix"
(latest, read 2026-11-25); README of vllm-project/router (commit 03e9af5); SGLang documentation,
"PD Disaggregation" and "SGLang Model Gateway" (commits 08edc50 and 046ed66).
"""

import json
import shlex
from collections.abc import Mapping, Sequence

from advisor.exports.deployment import PREFILL, Deployment
from advisor.exports.engines import COMMANDS, LISTEN, NAMES, arguments, ending, model_lines
from advisor.exports.subject import Subject
from advisor.exports.text import comment

SIDE_CHANNEL = 5600  # port of the handshake of vLLM's connector, its default
BOOTSTRAP = 8998  # port where SGLang's decoders find a prefiller, its default
STARTUP_S = 3600  # while weights load; the routers' own default is ten minutes
_KV_ROLES = {"prefill": "kv_producer", "decode": "kv_consumer"}
ROUTERS: Mapping[str, tuple[str, ...]] = {
    "vllm": ("vllm-router", "--vllm-pd-disaggregation"),
    "sglang": ("python3", "-m", "sglang_router.launch_router", "--pd-disaggregation"),
}
"""The command of the router that stands before both pools, by engine."""


def role_words(found: Deployment) -> list[str]:
    """Arguments that make a server prefill or decode only; none where it does both."""
    if not found.role:
        return []
    if found.engine == "vllm":
        connector = {
            "kv_connector": "NixlConnector",
            "kv_role": _KV_ROLES[found.role],
            "kv_load_failure_policy": "fail",
        }
        return ["--kv-transfer-config", json.dumps(connector, separators=(",", ":"))]
    words = ["--disaggregation-mode", found.role, "--disaggregation-transfer-backend", "nixl"]
    if found.role == PREFILL:
        words += ["--disaggregation-bootstrap-port", str(BOOTSTRAP)]
    return words


def router_policy(prefill: Deployment) -> list[str]:
    """How the router chooses a replica: by the cached prefix where prompts share one, else by load.

    The plan's queues assume the least loaded one.
    """
    cached = prefill.serving.prefix_cached_fraction > 0.0
    return [
        "--prefill-policy", "cache_aware" if cached else "power_of_two",
        "--decode-policy", "power_of_two",
        "--worker-startup-timeout-secs", str(STARTUP_S),
    ]  # fmt: skip


def addresses(engine: str, role: str, url: str) -> list[str]:
    """One replica as the router is told of it; SGLang's prefillers with their bootstrap port."""
    if engine == "sglang" and role == PREFILL:
        return [f"--{role}", url, str(BOOTSTRAP)]
    return [f"--{role}", url]


def notes_of(pools: Sequence[Deployment]) -> list[str]:
    """What whoever starts both pools must know."""
    prefill, decode = pools
    lines = [
        f"Prefill: {prefill.replicas} replicas of {prefill.chips} x {prefill.part.name}. Decode: "
        f"{decode.replicas} replicas of {decode.chips} x {decode.part.name}. A router before both.",
        "The cache of a prompt goes from one to the other by NIXL, which the engine's image must "
        "hold: the plan counts on the network cards (RDMA), over TCP it takes longer.",
    ]
    if prefill.engine == "vllm":
        lines.append(
            "vLLM marks this as experimental. Both pools need the same version of vLLM, format of "
            "the cache and attention backend."
        )
        if prefill.part.slug != decode.part.slug:
            lines.append(
                f"{prefill.part.name} and {decode.part.name} may choose different attention "
                "backends: name one that both have with --attention-backend."
            )
    return lines


def script_apart(subject: Subject, pools: Sequence[Deployment]) -> str:
    """A shell script that starts one replica of either pool, or the router before both."""
    prefill = pools[0]
    notes = [
        *prefill.heading(subject, f"{NAMES[prefill.engine]} launch script of two pools"),
        *notes_of(pools),
        "Call it with prefill or decode on each replica, then once with router. Replicas on one "
        "machine need accelerators and ports of their own (CUDA_VISIBLE_DEVICES, PORT"
        + (", VLLM_NIXL_SIDE_CHANNEL_PORT)." if prefill.engine == "vllm" else ")."),
    ]
    branches = [*(_replica(pool) for pool in pools), _router(pools)]
    return (
        "#!/usr/bin/env bash\n"
        + comment(*notes)
        + "set -euo pipefail\n"
        + 'case "${1:-}" in\n'
        + "".join(f"{branch}    ;;\n" for branch in branches)
        + '  *)\n    echo "usage: $0 prefill|decode|router" >&2\n    exit 2\n    ;;\nesac\n'
    )


def _replica(pool: Deployment) -> str:
    words = [COMMANDS[pool.engine], *arguments(pool), shlex.join(role_words(pool)), LISTEN]
    reached = (
        ': "${VLLM_NIXL_SIDE_CHANNEL_HOST:?set it to the address where the other pool reaches this '
        'machine}"\n'
        "export VLLM_NIXL_SIDE_CHANNEL_HOST\n"
        f'export VLLM_NIXL_SIDE_CHANNEL_PORT="${{VLLM_NIXL_SIDE_CHANNEL_PORT:-{SIDE_CHANNEL}}}"\n'
    )
    lines = "shift\n" + model_lines(pool) + (reached if pool.engine == "vllm" else "")
    return f"  {pool.role})\n{_indented(lines)}{ending(words, indent='    ')}"


def _router(pools: Sequence[Deployment]) -> str:
    lines = "shift\n"
    for pool in pools:
        name = pool.role.upper()
        lines += (
            f': "${{{name}:?set {name} to the {pool.replicas} addresses of {pool.role} replicas, '
            'http://host:port, with spaces between}"\n'
        )
    lines += "replicas=()\n"
    for pool in pools:
        words = addresses(pool.engine, pool.role, '"$url"')
        lines += f"for url in ${pool.role.upper()}; do replicas+=({' '.join(words)}); done\n"
    prefill = pools[0]
    words = [
        shlex.join(ROUTERS[prefill.engine]), '"${replicas[@]}"',
        shlex.join(router_policy(prefill)), LISTEN,
    ]  # fmt: skip
    return f"  router)\n{_indented(lines)}{ending(words, indent='    ')}"


def _indented(lines: str) -> str:
    return "".join(f"    {line}\n" for line in lines.splitlines())
