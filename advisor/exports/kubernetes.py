"""One Kubernetes manifest: the plan's replicas or its job, where, between which bounds."""

from collections.abc import Mapping
from math import ceil
from typing import IO, Any

import yaml

from advisor.exports.accelerate import CONFIG_NAME, config_yaml, train_script
from advisor.exports.accelerate import check as can_train
from advisor.exports.deployment import Deployment, deployment_of, is_gpu
from advisor.exports.formats import CannotExport, Format, comment, one_line, slug_of, write_text
from advisor.exports.nodes import placement_of, pods_of
from advisor.exports.servers import sglang_arguments, vllm_arguments
from advisor.exports.subject import Subject
from catalog.specs import Purchase

Manifest = dict[str, Any]
PORT = 8000
SHARED_MEMORY = "16Gi"  # NCCL and tensor-parallel workers exchange through it (assumed)
TARGET_LOAD = 0.8  # of the requests in flight a replica may have, where one more is started
_IMAGES = {
    ("vllm", "NVIDIA"): "vllm/vllm-openai:latest",
    ("vllm", "AMD"): "rocm/vllm:latest",
    ("vllm", "Google"): "vllm/vllm-tpu:latest",
    ("sglang", "NVIDIA"): "lmsysorg/sglang:latest",
    ("sglang", "AMD"): "lmsysorg/sglang:latest",
}
_COMMITTED = frozenset({Purchase.BUY, Purchase.QUOTE, Purchase.RESERVED_1Y, Purchase.RESERVED_3Y})
_METRICS = {"vllm": "vllm_num_requests_running", "sglang": "sglang_num_running_reqs"}


def check(subject: Subject) -> None:
    """Serving by vLLM or SGLang inside one machine, or training that Accelerate can drive."""
    found = deployment_of(subject)
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
    if (found.engine, found.part.vendor) not in _IMAGES:
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
    found = deployment_of(subject)
    if found.chosen.workload.training is not None:
        return _training(subject, found)
    return _serving(found)


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


def _labels(found: Deployment) -> dict[str, str]:
    name = slug_of(f"{found.slug}-{found.chosen.plan['id']}")
    return {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "ai-hardware-plan"}


def _meta(found: Deployment, **more: Any) -> Manifest:
    labels = _labels(found)
    return {"name": labels["app.kubernetes.io/name"], "labels": labels, **more}


def _serving(found: Deployment) -> list[Manifest]:
    labels, (fewest, most) = _labels(found), bounds(found)
    selector = {"matchLabels": labels}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _meta(found),
        "spec": {
            "replicas": most,
            "selector": selector,
            "strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}},
            "template": {"metadata": {"labels": labels}, "spec": _pod(found, labels)},
        },
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _meta(found),
        "spec": {
            "selector": labels,
            "ports": [{"name": "http", "port": PORT, "targetPort": "http"}],
        },
    }
    scaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": _meta(found),
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
    budget = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": _meta(found),
        "spec": {"maxUnavailable": 1, "selector": selector},
    }
    return [deployment, service, scaler, budget]


def _pod(found: Deployment, labels: Mapping[str, str]) -> Manifest:
    demand = found.serving
    arguments = vllm_arguments(found) if found.engine == "vllm" else sglang_arguments(found)
    words = [word for flag in arguments for word in flag.split(" ", 1)]
    model = found.checkpoint or "/models/weights"
    if found.engine == "vllm":
        command = ["vllm", "serve", model]
    else:
        command = ["python3", "-m", "sglang.launch_server", "--model-path", model]
    health = {"httpGet": {"path": "/health", "port": "http"}}
    container: Manifest = {
        "name": "server",
        "image": _IMAGES[found.engine, found.part.vendor],
        "command": command,
        "args": [*words, "--host", "0.0.0.0", "--port", str(PORT)],  # noqa: S104 -- in the pod
        "ports": [{"name": "http", "containerPort": PORT}],
        "startupProbe": {**health, "periodSeconds": 10, "failureThreshold": 180},
        "readinessProbe": {**health, "periodSeconds": 5},
        "env": [_token()],
    }
    hard = demand.redundancy == "two_zones"
    spread = {
        "maxSkew": 1,
        "topologyKey": "topology.kubernetes.io/zone",
        "whenUnsatisfiable": "DoNotSchedule" if hard else "ScheduleAnyway",
        "labelSelector": {"matchLabels": dict(labels)},
    }
    return _on_nodes(found, container, found.chips) | {"topologySpreadConstraints": [spread]}


def _token() -> Manifest:
    """Access to gated weights, where the cluster keeps it."""
    reference = {"name": "hugging-face", "key": "token", "optional": True}
    return {"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": reference}}


def _on_nodes(found: Deployment, container: Manifest, chips: int) -> Manifest:
    """The pod on nodes of the plan's kind: selectors, tolerations, resources, shared memory."""
    place = placement_of(found)
    amount = {place.resource: str(chips)}
    container |= {
        "resources": {"requests": amount, "limits": amount},
        "volumeMounts": [{"name": "shared-memory", "mountPath": "/dev/shm"}],  # noqa: S108
    }
    memory = {"medium": "Memory", "sizeLimit": SHARED_MEMORY}
    spec: Manifest = {
        "containers": [container],
        "volumes": [{"name": "shared-memory", "emptyDir": memory}],
        "nodeSelector": dict(place.selector),
        "tolerations": [dict(each) for each in place.tolerations],
    }
    if place.affinity:
        terms = [{"matchExpressions": [dict(each) for each in place.affinity]}]
        required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
        spec["affinity"] = {"nodeAffinity": required}
    return {key: value for key, value in spec.items() if value}


def _training(subject: Subject, found: Deployment) -> list[Manifest]:
    """A job with one pod a machine, found by name; the files of Accelerate in a config map."""
    labels = _labels(found)
    pods, chips = pods_of(found)
    name = labels["app.kubernetes.io/name"]
    files = {CONFIG_NAME: config_yaml(subject, found), "train.py": train_script(subject, found)}
    config = {
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": _meta(found), "data": files,
    }  # fmt: skip
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _meta(found),
        "spec": {"clusterIP": "None", "selector": labels, "publishNotReadyAddresses": True},
    }
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
            _token(),
            {"name": "MODEL", "value": found.checkpoint or "/models/weights"},
            {"name": "DATASET", "value": "/data"},
        ],
    }
    pod = _on_nodes(found, container, chips)
    pod["restartPolicy"] = "OnFailure"
    pod["subdomain"] = name
    pod["volumes"].append({"name": "job", "configMap": {"name": name}})
    container["volumeMounts"].append({"name": "job", "mountPath": "/job"})
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": _meta(found),
        "spec": {
            "completions": pods,
            "parallelism": pods,
            "completionMode": "Indexed",
            "backoffLimit": 100 if found.offer.purchase == Purchase.SPOT else 3,
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }
    return [config, service, job]


class _Plain(yaml.SafeDumper):
    """Writes what occurs twice twice: readers of manifests expect no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def as_yaml(subject: Subject) -> str:
    """The manifest as one file."""
    found = deployment_of(subject)
    heading = found.heading(subject, "Kubernetes manifest")
    heading += list(placement_of(found).notes)
    heading.append("Pin each image to the version you tested. Nothing of this was applied by us.")
    if found.chosen.workload.serving is not None:
        demand = found.serving
        heading.append(
            "The autoscaler reads requests in flight from the engine's metrics, which a Prometheus "
            "adapter must serve under the name used here."
        )
        if demand.redundancy in ("two_regions", "active_active"):
            heading.append(
                f"The plan's {found.replicas} replicas stand in two regions: apply it in each with "
                "half of them."
            )
    if not found.checkpoint:
        heading.append("Mount the weights at /models/weights, or name a repository there.")
    parts = [yaml.dump(each, Dumper=_Plain, sort_keys=False) for each in manifests(subject)]
    return comment(*(one_line(line, most=400) for line in heading)) + "---\n" + "---\n".join(parts)


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
