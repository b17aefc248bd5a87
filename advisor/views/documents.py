"""Reading a result document: its figures, its plans, its workloads."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

Document = Mapping[str, Any]


def figure_of(plan: Document, key: str) -> Document:
    """One of a plan's figures; empty where it has none."""
    found = plan.get(key)
    return found if isinstance(found, Mapping) else {}


def known(figure: Document, name: str = "value") -> float | None:
    """A figure's value, low or high; None where unknown."""
    value = figure.get(name)
    if value is None or isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if isfinite(value) else None


def by_workload(plans: Sequence[Document]) -> dict[str, list[Document]]:
    """Plans of single workloads, grouped, at one place or several; fleets are left out."""
    groups: dict[str, list[Document]] = {}
    for plan in plans:
        if plan.get("kind") != "fleet" or plan.get("places") or plan.get("pools"):
            groups.setdefault(str(plan.get("workload", "")), []).append(plan)
    return groups


def plan_by_id(document: Document, plan_id: str) -> Document | None:
    """A plan of the answer."""
    return next((plan for plan in document["plans"] if plan["id"] == plan_id), None)
