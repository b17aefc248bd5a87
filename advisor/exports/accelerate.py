"""A Hugging Face Accelerate configuration from the plan, with a training and a launch script."""

from math import ceil
from typing import IO

import yaml

from advisor.engine.workload import TrainingDemand
from advisor.exports.deployment import Deployment, is_gpu, training_of
from advisor.exports.engines import model_lines
from advisor.exports.formats import Format
from advisor.exports.nodes import pods_of
from advisor.exports.refusal import CannotExport
from advisor.exports.subject import Subject
from advisor.exports.text import ZIP, comment, counted, script, write_zip
from catalog.specs import Family
from catalog.units import SECONDS_PER_HOUR

CONFIG_NAME = "accelerate.yaml"
MIXED = {"bf16": "bf16", "fp16": "fp16", "fp32": "no", "tf32": "no", "fp8": "fp8"}
_LANGUAGE = frozenset({"dense_llm", "moe_llm"})
_TASKS = frozenset({"pretrain", "finetune", "lora"})


def check(subject: Subject) -> None:
    """Language models on NVIDIA or AMD GPUs, or on TPUs."""
    found = training_of(subject)
    gpu = is_gpu(found.part, "NVIDIA", "AMD")
    if not gpu and found.part.family != Family.TPU:
        message = (
            f"Accelerate drives GPUs and TPUs; {found.part.name} is trained on by its maker's "
            "own software."
        )
        raise CannotExport(message)
    if found.model.kind not in _LANGUAGE or _demand(found).task not in _TASKS:
        message = (
            f"The training script is one for language models, not for {found.model.name} "
            f"({_demand(found).task})."
        )
        raise CannotExport(message)
    if found.precision not in MIXED or (not gpu and found.precision != "bf16"):
        message = f"Accelerate does not train in {found.precision} on {found.part.name}."
        raise CannotExport(message)


def _demand(found: Deployment) -> TrainingDemand:
    demand = found.chosen.workload.training
    if demand is None:
        message = "This plan trains nothing."
        raise CannotExport(message)
    return demand


def config_yaml(subject: Subject, found: Deployment) -> str:
    """The configuration that `accelerate launch` reads.

    Source: Accelerate documentation, "FSDP" and "Training on TPUs"; keys as in
    accelerate.commands.config.config_args.ClusterConfig.
    """
    demand = _demand(found)
    pods, each = pods_of(found)
    count = pods * each
    settings: dict[str, object] = {
        "compute_environment": "LOCAL_MACHINE",
        "distributed_type": "NO" if count == 1 else "FSDP",
        "mixed_precision": MIXED[found.precision],
        "num_machines": pods,
        "num_processes": count,
        "machine_rank": 0,
        "main_training_function": "main",
        "use_cpu": False,
        "debug": False,
    }
    if found.part.family == Family.TPU:
        # One process a host drives its chips: the script shards over the slice by SPMD.
        settings |= {"distributed_type": "XLA", "num_processes": 1, "downcast_bf16": "no"}
    elif count > 1:
        settings |= {"rdzv_backend": "static", "same_network": True, "fsdp_config": _fsdp(demand)}
    if found.precision == "fp8":
        settings["fp8_config"] = {"backend": "TE", "fp8_format": "HYBRID"}
    shape = found.chosen.plan["parallelism"]
    layout = (
        f"The plan's speed holds for tensor {shape['tensor']} x pipeline {shape['pipeline']} x "
        f"data {shape['data']}; sharding over all {count} stands in for it here: measure."
    )
    heading = comment(*found.heading(subject, "Accelerate configuration"), layout)
    return heading + yaml.safe_dump(settings, sort_keys=False)


def _fsdp(demand: TrainingDemand) -> dict[str, object]:
    return {
        "fsdp_version": 2,
        "fsdp_auto_wrap_policy": "TRANSFORMER_BASED_WRAP",
        "fsdp_reshard_after_forward": True,
        "fsdp_offload_params": demand.offload,
        "fsdp_activation_checkpointing": demand.recompute in ("full", "selective"),
        "fsdp_cpu_ram_efficient_loading": True,
        "fsdp_state_dict_type": "SHARDED_STATE_DICT",
    }


def batches(found: Deployment) -> tuple[int, int, int]:
    """Sequences of one optimizer step, of one pass of a process, and passes in a step."""
    demand = _demand(found)
    pods, each = pods_of(found)
    sequences = max(round(demand.global_batch_tokens / max(demand.seq_len, 1.0)), 1)
    # One sequence on an accelerator is what always fits; the rest is accumulated.
    passes = max(ceil(sequences / (pods * each)), 1)
    return sequences, pods * each if found.part.family == Family.TPU else 1, passes


def train_script(subject: Subject, found: Deployment) -> str:
    """The training loop as a Python program."""
    demand = _demand(found)
    _, batch, accumulate = batches(found)
    steps = max(ceil(demand.tokens / max(demand.global_batch_tokens, 1.0)), 1)
    hours = found.chosen.plan["hours"]["value"]
    share = demand.checkpoint_interval_s / (hours * SECONDS_PER_HOUR) if hours else 0.1
    tpu = found.part.family == Family.TPU
    text = script(
        "train_tpu" if tpu else "train_gpu",
        sequence=int(demand.seq_len),
        batch=batch,
        accumulate=accumulate,
        steps=steps,
        lora_rank=demand.lora_rank if demand.task == "lora" else 0,
        save_every=max(round(steps * share), 1),
        from_scratch=demand.task == "pretrain",
        quantised=demand.quantised_base,
    )
    return "#!/usr/bin/env python3\n" + comment(*found.heading(subject, "Training script")) + text


def launch_script(subject: Subject, found: Deployment) -> str:
    """A shell script for each machine of the job."""
    pods, each = pods_of(found)
    rank, flags = "", ""
    if found.part.family == Family.TPU:
        what = f"one slice of {pods * each} chips; run it on every host of the slice at once"
    else:
        what = f"{counted(pods, 'machine')} of {counted(each, 'accelerator')}; run it on each"
        if pods > 1:
            rank = (
                ': "${RANK:?set RANK to 0, 1, … on each machine}"\n'
                ': "${HEAD:?set HEAD to the address of machine 0}"\n'
            )
            flags = ' --machine_rank "$RANK" --main_process_ip "$HEAD" --main_process_port 29500'
    return (
        "#!/usr/bin/env bash\n"
        + comment(*found.heading(subject, "Launch of the training"), f"The job takes {what}.")
        + "set -euo pipefail\n"
        + 'cd "$(dirname "$0")"\n'
        + model_lines(found)
        + "export MODEL\n"
        + ': "${DATASET:?set DATASET to a folder of JSON lines with a field text}"\n'
        + rank
        + f'exec accelerate launch --config_file {CONFIG_NAME}{flags} train.py "$@"\n'
    )


def files(subject: Subject) -> dict[str, str]:
    """Configuration, training script, launch script and what to install."""
    found = training_of(subject)
    tpu = found.part.family == Family.TPU
    return {
        CONFIG_NAME: config_yaml(subject, found),
        "train.py": train_script(subject, found),
        "launch.sh": launch_script(subject, found),
        "requirements.txt": "\n".join(
            ["accelerate", "transformers", "datasets", "peft", "torch"]
            + (["torch_xla[tpu]"] if tpu else [])
            + ["bitsandbytes"] * (_demand(found).quantised_base and not tpu)
        )
        + "\n",
        "README.md": _readme(found),
    }


def _readme(found: Deployment) -> str:
    sequences, batch, accumulate = batches(found)
    hours = found.chosen.plan["hours"]
    low, high = hours["low"] or 0.0, hours["high"] or 0.0
    return (
        "# Training with Hugging Face Accelerate\n\n"
        "A starting point made from the plan's own numbers: test it before you rely on it.\n\n"
        "1. `pip install -r requirements.txt` on every machine.\n"
        "2. `MODEL=… DATASET=… ./launch.sh` on every machine; `accelerate test --config_file "
        f"{CONFIG_NAME}` first.\n"
        f"3. Compare: the plan says {hours['value'] or 0.0:,.1f} h a run ({low:,.1f} to "
        f"{high:,.1f}). `MAX_STEPS=50` measures the speed; train.py writes it to "
        "`throughput.json`.\n\n"
        f"A step takes {sequences} sequences: {batch} at a time on each process, accumulated "
        f"{accumulate} times.\n"
    )


def _write(subject: Subject, stream: IO[bytes]) -> None:
    write_zip(stream, files(subject), folder=f"accelerate-{training_of(subject).slug}")


ACCELERATE = Format(
    id="accelerate",
    label="Accelerate configuration",
    audience="For engineers",
    purpose="Hugging Face Accelerate for GPUs (FSDP) or TPUs, with a training script that reports "
    "its speed and a launch script.",
    suffix=".zip",
    content_type=ZIP,
    write=_write,
    check=check,
)
