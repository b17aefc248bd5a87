"""The Kubernetes objects of a plan with prefill and decode apart: two pools and a router."""

from collections.abc import Sequence

from advisor.exports.deployment import Deployment
from advisor.exports.pods import (
    PORT,
    Manifest,
    headless,
    labels_of,
    meta_of,
    one_at_a_time,
    server_pod,
    service,
)
from advisor.exports.pools import ROUTERS, addresses, router_policy

ROUTER_IMAGES = {"vllm": "vllm/vllm-router:nightly", "sglang": "lmsysorg/sglang-router:latest"}
"""Source: vLLM documentation, "MoRIIOConnector Usage Guide"; examples of sgl-project/rbg."""
NOTES = (
    "Replicas have names that stay, which the router is given, so the pools stand at the plan's "
    "size and no autoscaler is made.",
    "For RDMA, give both pools the resource and the network that your cluster has for it.",
)


def pool_manifests(pools: Sequence[Deployment]) -> list[Manifest]:
    """Both pools, then the router and its service.

    Source: Kubernetes documentation, "StatefulSets": stable names by a headless service.
    """
    objects = [each for pool in pools for each in _pool(pool)]
    return [*objects, *_router(pools)]


def _pool(pool: Deployment) -> list[Manifest]:
    labels = labels_of(pool)
    name = labels["app.kubernetes.io/name"]
    replicas = {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": meta_of(pool),
        "spec": {
            "serviceName": name,
            "replicas": pool.replicas,
            "podManagementPolicy": "Parallel",
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": server_pod(pool, labels)},
        },
    }
    meta = meta_of(pool)
    return [headless(meta, labels), replicas, one_at_a_time(meta, labels)]


def _router(pools: Sequence[Deployment]) -> list[Manifest]:
    engine = pools[0].engine
    name = labels_of(pools[0])["app.kubernetes.io/name"].removesuffix(f"-{pools[0].role}")
    labels = {**labels_of(pools[0]), "app.kubernetes.io/name": f"{name}-router"}
    meta = {"name": f"{name}-router", "labels": labels}
    replicas = [word for pool in pools for url in _urls(pool)
                for word in addresses(engine, pool.role, url)]  # fmt: skip
    container = {
        "name": "router",
        "image": ROUTER_IMAGES[engine],
        "command": [*ROUTERS[engine]],
        "args": [
            *replicas, *router_policy(pools[0]),
            "--host", "0.0.0.0", "--port", str(PORT),  # noqa: S104 -- in the pod
        ],
        "ports": [{"name": "http", "containerPort": PORT}],
        "readinessProbe": {"httpGet": {"path": "/health", "port": "http"}, "periodSeconds": 5},
    }  # fmt: skip
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": meta,
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }
    return [deployment, service(meta, labels)]


def _urls(pool: Deployment) -> list[str]:
    """The address of each replica: its number, in the pool's own name."""
    name = labels_of(pool)["app.kubernetes.io/name"]
    return [f"http://{name}-{number}.{name}:{PORT}" for number in range(pool.replicas)]
