"""Worked answers over the shipped catalogue, for tests of money."""

from functools import cache
from typing import Any

from advisor.engine.calibration import shipped_calibration
from advisor.questions import read_answers
from advisor.services.advice import Worked, worked
from catalog.engine.shipped import shipped_snapshot
from costing.engine.rates import shipped_rates


@cache
def worked_preset(preset: str) -> Worked:
    """All stages of a preset as shipped."""
    return _worked({"preset": preset, "answers": {}})


def worked_chat() -> Worked:
    """A chat service whose demand grows."""
    return worked_preset("chatbot_1m")


def _worked(raw: dict[str, Any]) -> Worked:
    return worked(
        read_answers(raw),
        shipped_snapshot(),
        calibration=shipped_calibration(),
        rates=shipped_rates(),
    )
