"""Google Cloud in price feeds: hosts and accelerators priced apart, TPU slices named by cores."""

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

Row = tuple[int, Mapping[str, str]]
# Machine types that carry accelerators, by the accelerator's name in feeds. Their number is in
# the type's name, or follows from its processors. Source: Google Cloud, "GPU machine types".
NUMBERED = (
    ("A100", re.compile(r"^a2-(?:high|mega)gpu-(\d+)g$")),
    ("A100-80GB", re.compile(r"^a2-ultragpu-(\d+)g$")),
    ("H100", re.compile(r"^a3-(?:high|edge)gpu-(\d+)g(?:-nolssd)?$")),
    ("H100-MEGA", re.compile(r"^a3-megagpu-(\d+)g$")),
    ("H200", re.compile(r"^a3-ultragpu-(\d+)g$")),
    ("B200", re.compile(r"^a4-highgpu-(\d+)g$")),
    ("GB200", re.compile(r"^a4x-highgpu-(\d+)g$")),
)
BY_PROCESSORS = (
    (
        "L4",
        re.compile(r"^g2-standard-(\d+)$"),
        {4: 1, 8: 1, 12: 1, 16: 1, 32: 1, 24: 2, 48: 4, 96: 8},
    ),
    ("RTX-PRO-6000", re.compile(r"^g4-standard-(\d+)$"), {48: 1, 96: 2, 192: 4, 384: 8}),
)
FIXED_HOSTS = frozenset(name for name, *_ in (*NUMBERED, *BY_PROCESSORS))
# Accelerators that are attached to N1 hosts of free choice: processors that suit one.
PROCESSORS_PER_ATTACHED = {"T4": 4, "V100": 8, "P100": 8, "P4": 8}
GIB_PER_PROCESSOR = 4
NAMED_BY_CORES = re.compile(r"^(?:tpu-)?(v2|v3|v4|v5p)-(\d+)$")
NAMED_BY_CHIPS = re.compile(r"^(?:tpu-)?(v5litepod|v5lite|v5e|v6e|v7x)-(\d+)$")
CORES_PER_CHIP = 2


def slice_chips(name: str) -> Decimal | None:
    """Chips of a TPU slice: v2 to v4 and v5p are named by cores, later ones by chips."""
    if match := NAMED_BY_CORES.match(name.lower()):
        return Decimal(match[2]) / CORES_PER_CHIP
    if match := NAMED_BY_CHIPS.match(name.lower()):
        return Decimal(match[2])
    return None


def carried_by(instance: str) -> tuple[str, int] | None:
    """The accelerator that a machine type comes with, and how many."""
    for name, pattern in NUMBERED:
        if match := pattern.match(instance):
            return name, int(match[1])
    for name, pattern, counts in BY_PROCESSORS:
        if (match := pattern.match(instance)) and int(match[1]) in counts:
            return name, counts[int(match[1])]
    return None


def gcp_parts(rows: Iterable[Row]) -> tuple[list[Row], dict[str, list[Row]]]:
    """Rows that price accelerators, and host rows by region that could carry any."""
    accelerators: list[Row] = []
    hosts: dict[str, list[Row]] = {}
    for line, row in rows:
        if row["AcceleratorName"].strip():
            accelerators.append((line, row))
        elif row["InstanceType"].startswith(("a2-", "a3-", "a4", "g2-", "g4-", "n1-")):
            hosts.setdefault(row["Region"].strip(), []).append((line, row))
    return accelerators, hosts


def hosts_for(
    name: str, count: Decimal, row: Mapping[str, str], hosts: Mapping[str, Sequence[Row]]
) -> list[tuple[str, Mapping[str, str]]]:
    """Hosts of the same region that carry this many; raises ValueError where there are none.

    The zone's own host price counts where there is one. A host of another region never does:
    a sum over two regions is nobody's price.
    """
    region, zone = row["Region"].strip(), row.get("AvailabilityZone", "").strip()
    here = hosts.get(region, ())
    if name in FIXED_HOSTS:
        fitting = [r for _, r in here if carried_by(r["InstanceType"]) == (name, int(count))]
    else:
        fitting = _attachable(name, count, here)
    if not fitting:
        message = f"no host for {count.normalize():f} x {name} is priced in region {region}"
        raise ValueError(message)
    chosen: dict[str, Mapping[str, str]] = {}
    for host in fitting:
        kind = host["InstanceType"]
        if kind not in chosen or host.get("AvailabilityZone", "").strip() == zone:
            chosen[kind] = host
    if name in FIXED_HOSTS:
        return list(chosen.items())
    kind, host = min(chosen.items(), key=lambda item: Decimal(item[1]["Price"]))
    return [(f"{kind} + {count.normalize():f} x {name}", host)]


def _attachable(name: str, count: Decimal, here: Sequence[Row]) -> list[Mapping[str, str]]:
    """N1 hosts with processors and memory enough for attached accelerators."""
    processors = PROCESSORS_PER_ATTACHED.get(name, 8) * count
    return [
        row
        for _, row in here
        if row["InstanceType"].startswith("n1-")
        and row["Price"].strip()
        and Decimal(row["vCPUs"] or 0) >= processors
        and Decimal(row["MemoryGiB"] or 0) >= processors * GIB_PER_PROCESSOR
    ]
