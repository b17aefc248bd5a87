"""One Kubernetes manifest: the plan's replicas or its job, where, between which bounds."""

from collections.abc import Sequence
from math import ceil
from typing import IO, Any

import yaml

from advisor.exports.accelerate import CONFIG_NAME, config_yaml, train_script
from advisor.exports.accelerate import check as can_train
from advisor.exports.deployment import Deployment, deployments_of, is_gpu
from advisor.exports.formats import Format
from advisor.exports.kubernetes_pools import NOTES, pool_manifests
from advisor.exports.nodes import placement_of, pods_of
from advisor.exports.pods import (
    IMAGES,
    Manifest,
    headless,
    labels_of,
    meta_of,
    on_nodes,
    one_at_a_time,
    server_pod,
    service,
    token,
)
from advisor.exports.pools import notes_of
from advisor.exports.refusal import CannotExport
from advisor.exports.subject import Subject
from advisor.exports.text import comment, one_line, write_text
from catalog.specs import Purchase

TARGET_LOAD = 0.8  # of the requests in flight a replica may have, where one more is started
_COMMITTED = frozenset({Purchase.BUY, Purchase.QUOTE, Purchase.RESERVED_1Y, Purchase.RESERVED_3Y})
_METRICS = {"vllm": "vllm_num_requests_running", "sglang": "sglang_num_running_reqs"}


def check(subject: Subject) -> None:
    """Serving by vLLM or SGLang inside one machine, or training that Accelerate can drive."""
    for found in deployments_of(subject):
        _check(subject, found)


def _check(subject: Subject, found: Deployment) -> None:
    placement_of(found)
    if found.chosen.workload.training is not None:
        can_train(subject)
        return
    if found.engine not in ("vllm", "sglang"):
        message = (
            f"The plan runs {found.model.name} on the maker's own runtime, for which no container "
            "is known; on NVIDIA GPUs the Triton repository has a start script."
        )
        raise CannotExport(message)
    if (found.engine, found.part.vendor) not in IMAGES:
        message = f"No published container of {found.engine} for {found.part.name} is known."
        raise CannotExport(message)
    if found.machines_per_replica > 1:
        message = (
            f"One replica spans {found.machines_per_replica} machines. Plain Kubernetes has no "
            "object that starts and restarts such a group together (the LeaderWorkerSet add-on "
            "does): take the launch script."
        )
        raise CannotExport(message)


def manifests(subject: Subject) -> list[Manifest]:
    """The objects, in the order to apply them."""
    pools = deployments_of(subject)
    if len(pools) > 1:
        return pool_manifests(pools)
    if pools[0].chosen.workload.training is not None:
        return _training(subject, pools[0])
    return _serving(pools[0])


def bounds(found: Deployment) -> tuple[int, int]:
    """Fewest and most replicas: what the mean demand needs, and what the peak was sized for.

    What is bought or committed costs the same idle, so it stays up.
    """
    most = found.replicas
    demand = found.serving
    if found.offer.purchase in _COMMITTED or demand.requests_per_s_peak <= 0.0:
        return most, most
    share = min(demand.requests_per_s_mean / demand.requests_per_s_peak, 1.0)
    spare = 1 if demand.redundancy != "none" else 0
    return min(max(ceil(most * share), 1 + spare), most), most


def _serving(found: Deployment) -> list[Manifest]:
    labels, (fewest, most) = labels_of(found), bounds(found)
    selector = {"matchLabels": labels}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": meta_of(found),
        "spec": {
            "replicas": most,
            "selector": selector,
            "strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}},
            "template": {"metadata": {"labels": labels}, "spec": server_pod(found, labels)},
        },
    }
    scaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": meta_of(found),
        "spec": {
            "scaleTargetRef": {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "name": labels["app.kubernetes.io/name"],
            },
            "minReplicas": fewest,
            "maxReplicas": most,
            "metrics": [
                {
                    "type": "Pods",
                    "pods": {
                        "metric": {"name": _METRICS[found.engine]},
                        "target": {
                            "type": "AverageValue",
                            "averageValue": str(max(round(TARGET_LOAD * found.batch_limit), 1)),
                        },
                    },
                }
            ],
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": 600}},
        },
    }
    meta = meta_of(found)
    return [deployment, service(meta, labels), scaler, one_at_a_time(meta, labels)]


def _training(subject: Subject, found: Deployment) -> list[Manifest]:
    """A job with one pod a machine, found by name; the files of Accelerate in a config map."""
    labels = labels_of(found)
    pods, chips = pods_of(found)
    name = labels["app.kubernetes.io/name"]
    files = {CONFIG_NAME: config_yaml(subject, found), "train.py": train_script(subject, found)}
    config = {
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": meta_of(found), "data": files,
    }  # fmt: skip
    launch = (
        "pip install --quiet accelerate transformers datasets peft && accelerate launch "
        f"--config_file /job/{CONFIG_NAME} --machine_rank $JOB_COMPLETION_INDEX "
        f"--main_process_ip {name}-0.{name} --main_process_port 29500 /job/train.py"
    )
    image = (
        "pytorch/pytorch:latest" if is_gpu(found.part, "NVIDIA")
        else "rocm/pytorch:latest" if is_gpu(found.part, "AMD")
        else "us-docker.pkg.dev/ml-pipelines/pytorch-xla/xla:latest"
    )  # fmt: skip
    container: Manifest = {
        "name": "train",
        "image": image,
        "command": ["sh", "-c", launch],
        "env": [
            token(),
            {"name": "MODEL", "value": found.checkpoint or "/models/weights"},
            {"name": "DATASET", "value": "/data"},
        ],
    }
    pod = on_nodes(found, container, chips)
    pod["restartPolicy"] = "OnFailure"
    pod["subdomain"] = name
    pod["volumes"].append({"name": "job", "configMap": {"name": name}})
    container["volumeMounts"].append({"name": "job", "mountPath": "/job"})
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": meta_of(found),
        "spec": {
            "completions": pods,
            "parallelism": pods,
            "completionMode": "Indexed",
            "backoffLimit": 100 if found.offer.purchase == Purchase.SPOT else 3,
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }
    return [config, headless(meta_of(found), labels), job]


class _Plain(yaml.SafeDumper):
    """Writes what occurs twice twice: readers of manifests expect no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def as_yaml(subject: Subject) -> str:
    """The manifest as one file."""
    pools = deployments_of(subject)
    heading = pools[0].heading(subject, "Kubernetes manifest")
    heading += dict.fromkeys(note for pool in pools for note in placement_of(pool).notes)
    heading.append("Pin each image to the version you tested. Nothing of this was applied by us.")
    if len(pools) > 1:
        heading += [*notes_of(pools), *NOTES]
    elif pools[0].chosen.workload.serving is not None:
        heading.append(
            "The autoscaler reads requests in flight from the engine's metrics, which a Prometheus "
            "adapter must serve under the name used here."
        )
    heading += _of_two_regions(pools)
    if not pools[0].checkpoint:
        heading.append("Mount the weights at /models/weights, or name a repository there.")
    parts = [yaml.dump(each, Dumper=_Plain, sort_keys=False) for each in manifests(subject)]
    return comment(*(one_line(line, most=400) for line in heading)) + "---\n" + "---\n".join(parts)


def _of_two_regions(pools: Sequence[Deployment]) -> list[str]:
    """How to apply one manifest for a plan in two regions."""
    serving = pools[0].chosen.workload.serving
    if serving is None or serving.redundancy not in ("two_regions", "active_active"):
        return []
    count = sum(pool.replicas for pool in pools)
    return [
        f"The plan's {count} replicas stand in two regions: apply it in each with half of them."
    ]


def _write(subject: Subject, stream: IO[bytes]) -> None:
    write_text(stream, as_yaml(subject))


K8S = Format(
    id="k8s",
    label="Kubernetes manifest",
    audience="For engineers",
    purpose="The plan's replicas or job for kubectl apply: node selectors, zones, autoscaling "
    "bounds, spot tolerations.",
    suffix=".yaml",
    content_type="application/yaml; charset=utf-8",
    write=_write,
    check=check,
)
