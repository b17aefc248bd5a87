"""Which nodes of a cluster a plan wants: resource, selectors, affinities and tolerations."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from advisor.engine.search.placement import sold_by_the_chip
from advisor.exports.deployment import Deployment, is_gpu
from advisor.exports.refusal import CannotExport
from catalog.specs import Family, OfferSpec, Purchase
from catalog.units import MIB

Terms = tuple[Mapping[str, object], ...]
TPU_LABELS: Mapping[str, str] = {
    "google-tpu-v4": "tpu-v4-podslice",
    "google-tpu-v5e": "tpu-v5-lite-podslice",
    "google-tpu-v5p": "tpu-v5p-slice",
    "google-tpu-v6e": "tpu-v6e-slice",
    "google-tpu-v7": "tpu7x",
}
"""Source: Google Cloud, "Plan TPUs in GKE", values of cloud.google.com/gke-tpu-accelerator."""
_FLAT = {1: "1x1", 4: "2x2", 8: "2x4", 16: "4x4", 32: "4x8", 64: "8x8", 128: "8x16", 256: "16x16"}
_CUBE = {4: "2x2x1", 8: "2x2x2", 16: "2x2x4", 32: "2x4x4", 64: "4x4x4", 128: "4x4x8",
         256: "4x8x8", 512: "8x8x8"}  # fmt: skip
_FLAT_PARTS = frozenset({"google-tpu-v5e", "google-tpu-v6e"})
CHIPS_OF_A_HOST = 4  # of a slice that spans hosts; v5e and v6e have 8 on one host too
_ONE_HOST = {"google-tpu-v5e": 8, "google-tpu-v6e": 8}
_CLOUDS = frozenset({"aws", "gcp", "azure"})
_SPOT: Mapping[str, tuple[str, str]] = {
    "aws": ("eks.amazonaws.com/capacityType", "SPOT"),
    "gcp": ("cloud.google.com/gke-spot", "true"),
    "azure": ("kubernetes.azure.com/scalesetpriority", "spot"),
}
"""Source: the node labels of EKS managed node groups, GKE Spot VMs and AKS spot pools."""
_MEMORY_BAND = (0.9, 1.1)  # what a driver reports is a little off the datasheet


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePlacement:
    """Where a pod of the plan may run."""

    resource: str  # name of the accelerator in a pod's resources
    selector: Mapping[str, str]
    affinity: Terms = ()
    tolerations: Terms = ()
    notes: tuple[str, ...] = ()


def placement_of(found: Deployment) -> NodePlacement:
    """Nodes with the plan's accelerator; CannotExport where no label of them is known.

    Source: NVIDIA GPU Operator and GPU feature discovery, AMD GPU Operator, "Plan TPUs in GKE".
    """
    if is_gpu(found.part, "NVIDIA"):
        return _gpu(found, resource="nvidia.com/gpu", labels="nvidia.com/gpu")
    if is_gpu(found.part, "AMD"):
        return _gpu(found, resource="amd.com/gpu", labels="")
    if found.part.family == Family.TPU:
        return _tpu(found)
    message = (
        f"{found.part.name} is neither a GPU under an operator nor a TPU on GKE: its maker's own "
        "scheduler places the work."
    )
    raise CannotExport(message)


def _gpu(found: Deployment, *, resource: str, labels: str) -> NodePlacement:
    where, spot, notes = _where(found)
    affinity: list[Mapping[str, object]] = []
    if labels:
        mib = found.part.memory_bytes / MIB
        for operator, factor in zip(("Gt", "Lt"), _MEMORY_BAND, strict=True):
            value = [str(ceil(mib * factor))]
            affinity.append({"key": f"{labels}.memory", "operator": operator, "values": value})
        notes.append(
            f"Nodes are chosen by GPU memory, in MiB, as the GPU operator labels it; narrow it "
            f"to {found.part.name} by nvidia.com/gpu.product where a cluster mixes parts."
        )
    operator_taint = {"key": resource, "operator": "Exists", "effect": "NoSchedule"}
    selector = {f"{resource}.present": "true"} if labels else {}
    return NodePlacement(
        resource=resource,
        selector=selector | where,
        affinity=tuple(affinity),
        tolerations=(operator_taint, *spot),
        notes=tuple(notes),
    )


def _tpu(found: Deployment) -> NodePlacement:
    slug = found.part.slug
    chips = (
        found.chosen.plan["accelerator_count"]
        if found.chosen.workload.training is not None
        else found.chips
    )
    topology = (_FLAT if slug in _FLAT_PARTS else _CUBE).get(chips)
    slices = 1 if sold_by_the_chip(found.offer) else found.machines
    if found.chosen.workload.training is not None and slices > 1:
        message = (
            f"The job runs on {slices} slices at once (Multislice), which takes the JobSet add-on: "
            "take the Accelerate configuration."
        )
        raise CannotExport(message)
    if slug not in TPU_LABELS or topology is None:
        message = f"GKE lists no slice of {chips} x {found.part.name}."
        raise CannotExport(message)
    if found.chosen.workload.training is None and chips > _ONE_HOST.get(slug, CHIPS_OF_A_HOST):
        message = (
            f"One replica takes a slice of {chips} chips over several hosts, which only a group "
            "of pods can start (the LeaderWorkerSet add-on): take the launch script."
        )
        raise CannotExport(message)
    where, spot, notes = _where(found)
    where.pop("node.kubernetes.io/instance-type", None)
    selector = {
        "cloud.google.com/gke-tpu-accelerator": TPU_LABELS[slug],
        "cloud.google.com/gke-tpu-topology": topology,
    }
    taint = {"key": "google.com/tpu", "operator": "Exists", "effect": "NoSchedule"}
    return NodePlacement(
        resource="google.com/tpu",
        selector=selector | where,
        tolerations=(taint, *spot),
        notes=tuple(notes),
    )


def _where(found: Deployment) -> tuple[dict[str, str], Terms, list[str]]:
    """Region, machine type and spot as the plan has them, on clouds whose labels are published."""
    plan, offer = found.chosen.plan, found.offer
    selector: dict[str, str] = {}
    notes: list[str] = []
    spot: Terms = ()
    if offer.provider in _CLOUDS:
        if re.fullmatch(r"[a-z0-9-]{1,63}", str(plan["region"])):
            selector["topology.kubernetes.io/region"] = str(plan["region"])
        if _is_machine_type(offer):
            selector["node.kubernetes.io/instance-type"] = offer.instance_type
    if offer.purchase == Purchase.SPOT:
        known = _SPOT.get(offer.provider)
        if known is None:
            notes.append("The plan is on spot: this provider publishes no node label for it.")
        else:
            key, value = known
            selector[key] = value
            spot = ({"key": key, "operator": "Equal", "value": value, "effect": "NoSchedule"},)
    return selector, spot, notes


def _is_machine_type(offer: OfferSpec) -> bool:
    """Whether an offer's name is one that a cloud would put on a node."""
    plain = re.fullmatch(r"[A-Za-z0-9._-]{2,63}", offer.instance_type)
    return plain is not None and not sold_by_the_chip(offer)


def pods_of(found: Deployment) -> tuple[int, int]:
    """Pods of a training job and the accelerators of each: one a machine, one a host of a slice."""
    count = found.chosen.plan["accelerator_count"]
    if found.part.family != Family.TPU:
        return found.machines, ceil(count / found.machines)
    if count <= _ONE_HOST.get(found.part.slug, CHIPS_OF_A_HOST):
        return 1, count
    return ceil(count / CHIPS_OF_A_HOST), CHIPS_OF_A_HOST
