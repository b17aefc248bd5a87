"""A Triton model repository from the plan: configuration, engine settings and a Python client."""

import json
from math import floor, log2
from typing import IO

from advisor.exports.deployment import MEMORY_UTILISATION, Deployment, is_gpu, serving_of
from advisor.exports.engines import model_lines
from advisor.exports.formats import Format
from advisor.exports.refusal import CannotExport
from advisor.exports.subject import Subject
from advisor.exports.text import ZIP, comment, counted, one_line, script, write_zip
from catalog.units import MEGA

REPOSITORY = "model_repository"
MOST_BATCH = 128
_PIPELINES = ("diffusion",)
_PARAMETERS = {"bf16": "bfloat16", "fp16": "float16", "fp32": "float32", "tf32": "float32"}


def check(subject: Subject) -> None:
    """Triton serves on NVIDIA GPUs: language models by vLLM, others whole on one GPU."""
    found = serving_of(subject)
    if not is_gpu(found.part, "NVIDIA"):
        message = (
            f"Triton's published containers run on NVIDIA GPUs; the plan is on {found.part.name}."
        )
        raise CannotExport(message)
    if found.serving.output_tokens > 0.0:
        if found.engine != "vllm":
            message = (
                f"Triton has no backend for {found.engine}; its vLLM backend would run other "
                "numbers than the plan's."
            )
            raise CannotExport(message)
        if found.machines_per_replica > 1:
            message = (
                f"One replica spans {found.machines_per_replica} machines; Triton's vLLM backend "
                "runs inside one. Take the launch script."
            )
            raise CannotExport(message)
    elif found.chips > 1:
        message = (
            f"One copy of {found.model.name} is spread over {found.chips} accelerators; Triton's "
            "ONNX Runtime and Python backends keep a copy on one."
        )
        raise CannotExport(message)
    elif found.model.kind in _PIPELINES and found.precision not in _PARAMETERS:
        message = (
            f"The plan's format is {found.precision}, which a diffusion pipeline in Triton's "
            "Python backend does not load; take a plan in 16 bits."
        )
        raise CannotExport(message)


def batch_of(found: Deployment) -> int:
    """Samples that are inside one copy at the plan's speed: rate times time (Little's law)."""
    plan = found.chosen.plan
    samples, seconds = plan["samples_per_s"]["value"], plan["e2e_p50_s"]["value"]
    inside: float = (samples or 0.0) / found.replicas * (seconds or 0.0)
    return int(min(2.0 ** floor(log2(max(inside, 1.0))), MOST_BATCH))


def queue_delay_us(found: Deployment, batch: int) -> int:
    """Microseconds to wait for a fuller batch: until it fills at the peak, within half the slack.

    The slack is what the plan leaves of the user's target; without a target the batch may fill.
    """
    serving, p99_s = found.serving, found.chosen.plan["e2e_p99_s"]["value"]
    rate = serving.requests_per_s_peak * max(serving.samples_per_request, 1.0) / found.replicas
    fills_s = batch / max(rate, 1e-9)
    target_s = serving.slo.e2e_s
    slack_s = fills_s if target_s is None or p99_s is None else max(target_s - p99_s, 0.0) / 2.0
    return round(min(fills_s, slack_s, 1.0) * MEGA)


def config_pbtxt(subject: Subject, found: Deployment) -> str:
    """The model configuration, in protobuf text.

    Source: triton-inference-server/common, protobuf/model_config.proto; user guide, "Model
    Configuration"; vllm_backend, README.
    """
    head = comment(*found.heading(subject, "Triton model configuration"))
    name = f'name: "{found.slug}"\n'
    if found.serving.output_tokens > 0.0:
        return (
            head
            + comment(
                "vLLM batches requests in flight, so Triton's own dynamic batching stays off; "
                "the limit is max_num_seqs in 1/model.json.",
                f"One instance is one replica on {counted(found.chips, 'GPU')}; run "
                f"{counted(found.replicas, 'server')}.",
            )
            + name
            + 'backend: "vllm"\nmax_batch_size: 0\n'
            + "model_transaction_policy {\n  decoupled: true\n}\n"
            + "instance_group [\n  {\n    count: 1\n    kind: KIND_MODEL\n  }\n]\n"
        )
    batch = batch_of(found)
    used = min(found.accelerators_per_machine, found.replicas)
    gpus = ", ".join(str(gpu) for gpu in range(used))
    group = f"    count: 1\n    kind: KIND_GPU\n    gpus: [ {gpus} ]\n"
    delay = queue_delay_us(found, batch)
    return (
        head
        + comment(
            f"One copy on each GPU that the plan uses, {used} in a machine; the plan has "
            f"{counted(found.replicas, 'replica')} on {counted(found.machines, 'machine')}.",
            f"At the plan's speed {batch} samples are inside one copy.",
        )
        + name
        + _backend(found)
        + f"max_batch_size: {batch}\n"
        + f"instance_group [\n  {{\n{group}  }}\n]\n"
        + f"dynamic_batching {{\n  preferred_batch_size: [ {batch} ]\n"
        + f"  max_queue_delay_microseconds: {delay}\n}}\n"
    )


def _backend(found: Deployment) -> str:
    if found.model.kind not in _PIPELINES:
        return 'backend: "onnxruntime"\n'
    return (
        'backend: "python"\n'
        'input [\n  {\n    name: "PROMPT"\n    data_type: TYPE_STRING\n    dims: [ 1 ]\n  }\n]\n'
        'output [\n  {\n    name: "IMAGE"\n    data_type: TYPE_UINT8\n'
        "    dims: [ -1, -1, 3 ]\n  }\n]\n"
    )


def model_json(found: Deployment) -> str:
    """Settings of the vLLM engine, as its backend reads them."""
    settings: dict[str, object] = {
        "model": found.checkpoint or "/models/weights",
        "tensor_parallel_size": found.tensor // found.attention_data,
        "max_model_len": found.context_tokens,
        "max_num_seqs": max(found.batch_limit // found.attention_data, 1),
        "gpu_memory_utilization": MEMORY_UTILISATION,
        "enable_prefix_caching": found.serving.prefix_cached_fraction > 0.0,
    }
    if found.pipeline > 1:
        settings["pipeline_parallel_size"] = found.pipeline
    if found.attention_data > 1:
        settings["data_parallel_size"] = found.attention_data
    if found.expert > 1 or found.attention_data > 1:
        settings["enable_expert_parallel"] = True
    if found.precision in _PARAMETERS:
        settings["dtype"] = _PARAMETERS[found.precision]
    if found.is_quantised_at_load and not found.checkpoint:
        settings["quantization"] = "fp8"
    if found.kv_precision in ("fp8", "int8"):
        settings["kv_cache_dtype"] = "fp8"
    return json.dumps(settings, indent=2) + "\n"


def repository(subject: Subject) -> dict[str, str]:
    """The files by their path."""
    found = serving_of(subject)
    folder = f"{REPOSITORY}/{found.slug}"
    files = {f"{folder}/config.pbtxt": config_pbtxt(subject, found)}
    tokens = found.serving.output_tokens > 0.0
    if tokens:
        files[f"{folder}/1/model.json"] = model_json(found)
        client = script(
            "triton_token_client", name=found.slug, tokens=int(found.serving.output_tokens)
        )
    elif found.model.kind in _PIPELINES:
        files[f"{folder}/1/model.py"] = script(
            "triton_pipeline_model", dtype=_PARAMETERS[found.precision]
        )
        client = script("triton_tensor_client", name=found.slug)
    else:
        files[f"{folder}/1/PUT_MODEL_HERE.md"] = (
            f"Put {one_line(found.model.name)}, exported in {found.precision}, here as "
            "`model.onnx`. Triton reads names and shapes of its inputs and outputs from it.\n"
        )
        client = script("triton_tensor_client", name=found.slug)
    heading = comment(*found.heading(subject, "Client of the Triton server"))
    files["client.py"] = "#!/usr/bin/env python3\n" + heading + client
    files["serve.sh"] = _serve_script(subject, found, tokens=tokens)
    files["README.md"] = _readme(found, tokens=tokens)
    return files


def _serve_script(subject: Subject, found: Deployment, *, tokens: bool) -> str:
    kind = "vllm-python-py3" if tokens else "py3"
    pipeline = found.model.kind in _PIPELINES
    weights = model_lines(found) if pipeline else ""
    variable = ' -e MODEL="$MODEL"' if pipeline else ""
    return (
        "#!/usr/bin/env bash\n"
        + comment(*found.heading(subject, "Triton server"))
        + "set -euo pipefail\n"
        + ': "${TRITON:?set TRITON to the release you tested, such as 26.09}"\n'
        + weights
        + 'cd "$(dirname "$0")"\n'
        + "exec docker run --rm --gpus all --shm-size=2g \\\n"
        + "  -p 8000:8000 -p 8001:8001 -p 8002:8002 \\\n"
        + f'  -v "$PWD/{REPOSITORY}:/models"{variable} -e HF_TOKEN="${{HF_TOKEN:-}}" \\\n'
        + f'  "nvcr.io/nvidia/tritonserver:$TRITON-{kind}" \\\n'
        + '  tritonserver --model-repository=/models "$@"\n'
    )


def _readme(found: Deployment, *, tokens: bool) -> str:
    weights = (
        f"`1/model.json` names the weights in {found.precision}; mount a folder there or name a "
        "repository."
        if tokens
        else "The weights come from outside: see `1/`."
    )
    return (
        "# Triton model repository\n\n"
        "A starting point made from the plan's own numbers: test it before you rely on it.\n\n"
        f"- Start: `TRITON=26.09 ./serve.sh`. {weights}\n"
        "- Ask: `pip install 'tritonclient[all]'`, then `python client.py`.\n"
        f"- The plan runs {counted(found.replicas, 'replica')} on "
        f"{counted(found.machines, 'machine')}; one server uses the GPUs of one machine.\n"
    )


def _write(subject: Subject, stream: IO[bytes]) -> None:
    found = serving_of(subject)
    write_zip(stream, repository(subject), folder=f"triton-{found.slug}")


TRITON = Format(
    id="triton",
    label="Triton model repository",
    audience="For engineers",
    purpose="config.pbtxt with instances and batching from the plan, folder layout, a start script "
    "and a Python client.",
    suffix=".zip",
    content_type=ZIP,
    write=_write,
    check=check,
)
