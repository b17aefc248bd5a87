"""Launch scripts of vLLM and SGLang with the plan's parallelism and limits."""

from collections.abc import Callable, Sequence
from typing import IO

from advisor.exports.deployment import MEMORY_UTILISATION, Deployment, serving_of
from advisor.exports.formats import CannotExport, Format, comment, write_text
from advisor.exports.subject import Subject

SHELL = "text/x-shellscript; charset=utf-8"
NAMES = {"vllm": "vLLM", "sglang": "SGLang", "tensorrt-llm": "TensorRT-LLM"}
_EIGHT_BIT_CACHE = frozenset({"fp8", "int8"})
_DTYPES = {"bf16": "bfloat16", "fp16": "float16", "fp32": "float32", "tf32": "float32"}


def engine_check(engine: str) -> Callable[[Subject], None]:
    """The check that a plan runs on one serving engine."""

    def check(subject: Subject) -> None:
        found = serving_of(subject)
        if found.engine == engine:
            return
        if found.engine in ("vllm", "sglang"):
            other = NAMES[found.engine]
            message = f"The plan runs on {other}: take the {other} launch script."
        elif found.serving.output_tokens <= 0.0:
            message = (
                f"{NAMES[engine]} serves language models; {found.model.name} makes no tokens and "
                "runs on the maker's own runtime."
            )
        else:
            message = (
                f"The plan runs on the maker's own runtime for {found.part.name}, which "
                f"{NAMES[engine]} does not support there."
            )
        raise CannotExport(message)

    return check


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
    flags.append(f"--max-num-seqs {max(found.batch_limit // found.attention_data, 1)}")
    flags.append(f"--gpu-memory-utilization {MEMORY_UTILISATION}")
    if found.precision in _DTYPES:
        flags.append(f"--dtype {_DTYPES[found.precision]}")
    if found.is_quantised_at_load and not _is_published(found):
        flags.append("--quantization fp8")
    if found.kv_precision in _EIGHT_BIT_CACHE:
        flags.append("--kv-cache-dtype fp8")
    cached = found.serving.prefix_cached_fraction > 0.0
    flags.append("--enable-prefix-caching" if cached else "--no-enable-prefix-caching")
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
    flags.append(f"--max-running-requests {found.batch_limit}")
    flags.append(f"--mem-fraction-static {MEMORY_UTILISATION}")
    if found.precision in _DTYPES:
        flags.append(f"--dtype {_DTYPES[found.precision]}")
    if found.is_quantised_at_load and not _is_published(found):
        flags.append("--quantization fp8")
    if found.kv_precision in _EIGHT_BIT_CACHE:
        flags.append("--kv-cache-dtype fp8_e4m3")
    if found.serving.prefix_cached_fraction <= 0.0:
        flags.append("--disable-radix-cache")
    return flags


def launch_script(
    subject: Subject, found: Deployment, *, command: str, flags: Sequence[str]
) -> str:
    """A shell script that starts one replica."""
    notes = [
        *found.heading(subject, f"{NAMES[found.engine]} launch script"),
        f"One replica takes {found.chips} x {found.part.name}; the plan runs {found.replicas}.",
    ]
    if found.machines_per_replica > 1:
        notes.append(
            f"A replica spans {found.machines_per_replica} machines: start it on all of them."
        )
    body = " \\\n  ".join([command, *flags, '--host 0.0.0.0 --port "${PORT:-8000}"', '"$@"'])
    return (
        "#!/usr/bin/env bash\n"
        + comment(*notes)
        + "set -euo pipefail\n"
        + model_lines(found)
        + f"exec {body}\n"
    )


def _write_vllm(subject: Subject, stream: IO[bytes]) -> None:
    found = serving_of(subject)
    command = 'vllm serve "$MODEL"'
    flags = vllm_arguments(found)
    write_text(stream, launch_script(subject, found, command=command, flags=flags))


def _write_sglang(subject: Subject, stream: IO[bytes]) -> None:
    found = serving_of(subject)
    command = 'python3 -m sglang.launch_server --model-path "$MODEL"'
    flags = sglang_arguments(found)
    write_text(stream, launch_script(subject, found, command=command, flags=flags))


VLLM = Format(
    id="vllm",
    label="vLLM launch script",
    audience="For engineers",
    purpose="Starts one replica with the plan's parallelism, memory and request limits.",
    suffix=".sh",
    content_type=SHELL,
    write=_write_vllm,
    check=engine_check("vllm"),
)
SGLANG = Format(
    id="sglang",
    label="SGLang launch script",
    audience="For engineers",
    purpose="Starts one replica with the plan's parallelism, memory and request limits.",
    suffix=".sh",
    content_type=SHELL,
    write=_write_sglang,
    check=engine_check("sglang"),
)
