"""A replica of vLLM or SGLang as its command line: model, parallelism, memory, limits."""

from collections.abc import Sequence

from advisor.exports.deployment import MEMORY_UTILISATION, PREFILL, Deployment
from advisor.exports.text import comment

NAMES = {"vllm": "vLLM", "sglang": "SGLang", "tensorrt-llm": "TensorRT-LLM"}
COMMANDS = {
    "vllm": 'vllm serve "$MODEL"',
    "sglang": 'python3 -m sglang.launch_server --model-path "$MODEL"',
}
LISTEN = '--host 0.0.0.0 --port "${PORT:-8000}"'
_EIGHT_BIT_CACHE = frozenset({"fp8", "int8"})
_DTYPES = {"bf16": "bfloat16", "fp16": "float16", "fp32": "float32", "tf32": "float32"}


def model_lines(found: Deployment) -> str:
    """The checkpoint to serve: one that a source names, or one that the user must name."""
    if found.checkpoint:
        lines = comment(f"The catalogue's source names {found.checkpoint}; name another in MODEL.")
        return f"{lines}MODEL=${{MODEL:-{found.checkpoint}}}\n"
    return comment(f"Weights in {found.precision}: a folder or the name of a repository.") + (
        ': "${MODEL:?set MODEL to a checkpoint in the format of this plan}"\n'
    )


def vllm_arguments(found: Deployment) -> list[str]:
    """Flags of `vllm serve` after the model.

    Source: vLLM documentation, "vllm serve" and "Engine Arguments".
    """
    tensor = found.tensor // found.attention_data
    flags = [f"--tensor-parallel-size {tensor}"]
    if found.pipeline > 1:
        flags.append(f"--pipeline-parallel-size {found.pipeline}")
    if found.attention_data > 1:
        flags.append(f"--data-parallel-size {found.attention_data}")
    if found.expert > 1 or found.attention_data > 1:
        flags.append("--enable-expert-parallel")
    if found.machines_per_replica > 1:
        flags.append("--distributed-executor-backend ray")
    flags.append(f"--max-model-len {found.context_tokens}")
    if found.role != PREFILL:  # prompts are batched by their tokens
        flags.append(f"--max-num-seqs {max(found.batch_limit // found.attention_data, 1)}")
    flags.append(f"--gpu-memory-utilization {MEMORY_UTILISATION}")
    flags += _format_flags(found, cache="fp8")
    cached = found.serving.prefix_cached_fraction > 0.0
    flags.append("--enable-prefix-caching" if cached else "--no-enable-prefix-caching")
    return flags


def _format_flags(found: Deployment, *, cache: str) -> list[str]:
    """Flags of number formats, which both engines call alike save the one of an 8-bit cache."""
    flags = []
    if found.precision in _DTYPES:
        flags.append(f"--dtype {_DTYPES[found.precision]}")
    if found.is_quantised_at_load and not _is_published(found):
        flags.append("--quantization fp8")
    if found.kv_precision in _EIGHT_BIT_CACHE:
        flags.append(f"--kv-cache-dtype {cache}")
    return flags


def _is_published(found: Deployment) -> bool:
    """Whether the named checkpoint is in the plan's format already."""
    published = found.model.published_precisions.get(found.precision, "")
    return bool(found.checkpoint) and found.checkpoint in published


def sglang_arguments(found: Deployment) -> list[str]:
    """Flags of `sglang.launch_server` after the model.

    Source: SGLang documentation, "Server Arguments".
    """
    flags = [f"--tp-size {found.tensor}"]
    if found.pipeline > 1:
        flags.append(f"--pp-size {found.pipeline}")
    if found.attention_data > 1:
        flags += [f"--dp-size {found.attention_data}", "--enable-dp-attention"]
    if found.expert > 1:
        flags.append(f"--ep-size {found.expert}")
    if found.machines_per_replica > 1:
        flags += [
            f"--nnodes {found.machines_per_replica}",
            '--node-rank "${NODE_RANK:?set NODE_RANK to 0, 1, … on each machine}"',
            '--dist-init-addr "${HEAD:?set HEAD to the address of machine 0}:5000"',
        ]
    flags.append(f"--context-length {found.context_tokens}")
    if found.role != PREFILL:
        flags.append(f"--max-running-requests {found.batch_limit}")
    flags.append(f"--mem-fraction-static {MEMORY_UTILISATION}")
    flags += _format_flags(found, cache="fp8_e4m3")
    if found.serving.prefix_cached_fraction <= 0.0:
        flags.append("--disable-radix-cache")
    return flags


def arguments(found: Deployment) -> list[str]:
    """Flags of the plan's engine after the model."""
    return vllm_arguments(found) if found.engine == "vllm" else sglang_arguments(found)


def ending(words: Sequence[str], *, indent: str = "") -> str:
    """The command that a script becomes, with whatever else the script was called with."""
    return f"{indent}exec " + f" \\\n{indent}  ".join([*words, '"$@"']) + "\n"
