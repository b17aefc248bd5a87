"""What drives a cost: the lines of a breakdown in the groups a buyer can act on."""

from collections.abc import Mapping

from costing.engine import tco

COMPUTE, STORAGE, NETWORK = "Compute", "Storage", "Network traffic"
PEOPLE, ROOM, SOFTWARE = "Engineering", "Power and room", "Support and licences"
FINANCE, OTHER = "Interest", "Other"

DRIVERS: Mapping[str, str] = {
    tco.COMPUTE: COMPUTE,
    tco.TAIL: COMPUTE,
    tco.TOKENS: COMPUTE,
    tco.HARDWARE: COMPUTE,
    tco.FABRIC: COMPUTE,
    tco.INSTALLATION: COMPUTE,
    tco.DECOMMISSION: COMPUTE,
    tco.RESIDUAL: COMPUTE,
    tco.FINANCING: FINANCE,
    tco.LIQUID: ROOM,
    tco.POWER: ROOM,
    tco.COOLING: ROOM,
    tco.SPACE: ROOM,
    tco.SUPPORT: SOFTWARE,
    tco.SOFTWARE: SOFTWARE,
    tco.STORAGE: STORAGE,
    tco.EGRESS: NETWORK,
    tco.INTER_REGION: NETWORK,
    tco.MONITORING: PEOPLE,
    tco.PEOPLE: PEOPLE,
    tco.PORTING: PEOPLE,
}
"""The group of each line; what is not named here, such as taxes, is other."""


def by_driver(lines: Mapping[str, float]) -> dict[str, float]:
    """USD of each group that costs anything, dearest first.

    Source: sums of the lines; groups after "AI Infrastructure 2026" (AI 4U): compute, storage,
    egress, engineering, with those of owning.
    """
    sums: dict[str, float] = {}
    for label, usd in lines.items():
        group = DRIVERS.get(label, OTHER)
        sums[group] = sums.get(group, 0.0) + usd
    return {group: usd for group, usd in sorted(sums.items(), key=lambda item: -item[1]) if usd}
