"""A plan's pods: one replica on the nodes it wants, with the engine's command and its limits."""

from collections.abc import Mapping
from typing import Any

from advisor.exports.deployment import Deployment
from advisor.exports.engines import arguments
from advisor.exports.nodes import placement_of
from advisor.exports.pools import SIDE_CHANNEL, role_words
from advisor.exports.text import slug_of

Manifest = dict[str, Any]
PORT = 8000
SHARED_MEMORY = "16Gi"  # NCCL and tensor-parallel workers exchange through it (assumed)
MOST_NAME = 52  # letters of a name, so that a pod's, with its number, stays a DNS label
IMAGES = {
    ("vllm", "NVIDIA"): "vllm/vllm-openai:latest",
    ("vllm", "AMD"): "rocm/vllm:latest",
    ("vllm", "Google"): "vllm/vllm-tpu:latest",
    ("sglang", "NVIDIA"): "lmsysorg/sglang:latest",
    ("sglang", "AMD"): "lmsysorg/sglang:latest",
}


def labels_of(found: Deployment) -> dict[str, str]:
    """The name of a deployment's objects, and what they belong to."""
    name = slug_of(f"{found.slug}-{found.chosen.plan['id']}", most=MOST_NAME)
    return {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "ai-hardware-plan"}


def meta_of(found: Deployment, **more: Any) -> Manifest:
    """The metadata of one of a deployment's objects."""
    labels = labels_of(found)
    return {"name": labels["app.kubernetes.io/name"], "labels": labels, **more}


def service(meta: Manifest, labels: Mapping[str, str]) -> Manifest:
    """One address before the pods of these labels."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": meta,
        "spec": {
            "selector": dict(labels),
            "ports": [{"name": "http", "port": PORT, "targetPort": "http"}],
        },
    }


def headless(meta: Manifest, labels: Mapping[str, str]) -> Manifest:
    """A name for each pod of these labels, whether it is ready or not."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": meta,
        "spec": {"clusterIP": "None", "selector": dict(labels), "publishNotReadyAddresses": True},
    }


def one_at_a_time(meta: Manifest, labels: Mapping[str, str]) -> Manifest:
    """The budget by which nodes are emptied of no more than one of these pods at once."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": meta,
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": dict(labels)}},
    }


def server_pod(found: Deployment, labels: Mapping[str, str]) -> Manifest:
    """The pod of one replica that serves, spread over zones."""
    demand = found.serving
    words = [word for flag in arguments(found) for word in flag.split(" ", 1)]
    model = found.checkpoint or "/models/weights"
    if found.engine == "vllm":
        command = ["vllm", "serve", model]
    else:
        command = ["python3", "-m", "sglang.launch_server", "--model-path", model]
    health = {"httpGet": {"path": "/health", "port": "http"}}
    container: Manifest = {
        "name": "server",
        "image": IMAGES[found.engine, found.part.vendor],
        "command": command,
        "args": [*words, *role_words(found), "--host", "0.0.0.0", "--port", str(PORT)],  # noqa: S104 -- in the pod
        "ports": [{"name": "http", "containerPort": PORT}],
        "startupProbe": {**health, "periodSeconds": 10, "failureThreshold": 180},
        "readinessProbe": {**health, "periodSeconds": 5},
        "env": [token(), *_reached(found)],
    }
    hard = demand.redundancy == "two_zones"
    spread = {
        "maxSkew": 1,
        "topologyKey": "topology.kubernetes.io/zone",
        "whenUnsatisfiable": "DoNotSchedule" if hard else "ScheduleAnyway",
        "labelSelector": {"matchLabels": dict(labels)},
    }
    return on_nodes(found, container, found.chips) | {"topologySpreadConstraints": [spread]}


def _reached(found: Deployment) -> list[Manifest]:
    """Where the other pool finds this one's cache: vLLM's connector must be told."""
    if not found.role or found.engine != "vllm":
        return []
    own = {"fieldRef": {"fieldPath": "status.podIP"}}
    return [
        {"name": "VLLM_NIXL_SIDE_CHANNEL_HOST", "valueFrom": own},
        {"name": "VLLM_NIXL_SIDE_CHANNEL_PORT", "value": str(SIDE_CHANNEL)},
    ]


def token() -> Manifest:
    """Access to gated weights, where the cluster keeps it."""
    reference = {"name": "hugging-face", "key": "token", "optional": True}
    return {"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": reference}}


def on_nodes(found: Deployment, container: Manifest, chips: int) -> Manifest:
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
