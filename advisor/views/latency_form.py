"""The what-if strip: figures of a plan that a user may change, and a log of requests."""

from collections.abc import Mapping
from typing import Any

from django import forms

from advisor.engine.latency.published import PUBLISHED
from advisor.engine.latency.traces import LARGEST_BYTES
from advisor.services.latency import LIMITS, Change
from catalog.units import PERCENT

ROUTER_LABELS = (
    ("least_loaded", "Least loaded"),
    ("round_robin", "Round robin"),
    ("prefix_aware", "Where the prefix is cached"),
)


def _number(name: str, label: str, help_text: str, *, percent: bool = False) -> forms.FloatField:
    low, high = (limit / PERCENT if percent else limit for limit in LIMITS[name])
    field = forms.FloatField(min_value=low, max_value=high, label=label, help_text=help_text)
    field.widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
    return field


def _count(name: str, label: str, help_text: str) -> forms.IntegerField:
    low, high = (int(limit) for limit in LIMITS[name])
    field = forms.IntegerField(min_value=low, max_value=high, label=label, help_text=help_text)
    field.widget = forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"})
    return field


class WhatIf(forms.Form):
    """What to change; every field comes filled with the plan's own figure."""

    load = _number("load", "Load", "% of the peak", percent=True)
    burstiness_cv = _number("burstiness_cv", "Burstiness", "CV of the gaps; 1 is random, 0 even")
    batch_limit = _count("batch_limit", "Batch limit", "requests at once on a replica")
    replicas = _count("replicas", "Replicas", "copies of the model")
    router = forms.ChoiceField(choices=ROUTER_LABELS, label="Router", help_text="who gets the next")
    neighbour_load = _number(
        "neighbour_load", "Others on the pool", "% of your peak; 0: yours alone", percent=True
    )
    neighbour_cv = _number("neighbour_cv", "Their burstiness", "CV of their gaps")
    traffic = forms.ChoiceField(
        choices=[("", "As described"), *((slug, each.name) for slug, each in PUBLISHED.items())],
        required=False,
        label="Traffic",
        help_text="arrivals and lengths",
    )
    log = forms.FileField(
        required=False, label="Log of requests", help_text="times and token counts, replayed"
    )

    def clean_log(self) -> Any:
        log = self.cleaned_data.get("log")
        if log is not None and log.size > LARGEST_BYTES:
            message = f"The file is larger than {LARGEST_BYTES // 1_000_000} MB; cut it shorter."
            raise forms.ValidationError(message)
        return log

    def change(self) -> Change:
        """The change asked for; figures left as the plan has them stay the plan's own."""
        given, planned = self.cleaned_data, self.initial
        same = {name for name in given if given[name] == planned.get(name)}
        return Change(
            load=given["load"] * PERCENT,
            burstiness_cv=None if "burstiness_cv" in same else given["burstiness_cv"],
            batch_limit=None if "batch_limit" in same else given["batch_limit"],
            replicas=None if "replicas" in same else given["replicas"],
            router=given["router"],
            neighbour_load=given["neighbour_load"] * PERCENT,
            neighbour_cv=given["neighbour_cv"] if given["neighbour_load"] else 1.0,
        )


def planned_figures(plan: Mapping[str, Any], burstiness_cv: float) -> dict[str, Any]:
    """The strip as the plan has it."""
    return {
        "load": 100,
        "burstiness_cv": _plain(burstiness_cv),
        "batch_limit": int(plan.get("batch_limit") or 1),
        "replicas": int(plan["parallelism"]["replicas"]),
        "router": "least_loaded",
        "neighbour_load": 0,
        "neighbour_cv": 1,
    }


def changed_figures(change: Mapping[str, Any], planned: Mapping[str, Any]) -> dict[str, Any]:
    """The strip as an earlier what-if had it."""
    shown = {name: planned[name] if change[name] is None else change[name] for name in change}
    for name in ("load", "neighbour_load"):
        shown[name] = shown[name] / PERCENT
    return {name: _plain(value) for name, value in shown.items()}


def _plain(value: Any) -> Any:
    """A whole number without its decimal point."""
    if not isinstance(value, float):
        return value
    rounded = round(value, 6)
    return int(rounded) if rounded == int(rounded) else rounded
