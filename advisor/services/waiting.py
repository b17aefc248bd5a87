"""The closed form's corrections made anew from simulations, and written where it reads them."""

import json
from collections.abc import Callable
from pathlib import Path

from advisor.engine.calibration import shipped_calibration
from advisor.engine.choice.corrections import lessons, taught
from advisor.engine.latency.closed_form import CORRECTIONS
from catalog.queries import snapshot

SETUPS = 450


def correct_waiting(*, tell: Callable[[str], object], count: int = SETUPS) -> Path:
    """Simulate set-ups, sum up what the closed form leaves out, write the fixture."""
    today = snapshot()
    tell(f"simulating {count} set-ups")
    found = lessons(today.accelerators, today.models, shipped_calibration(), count=count)
    CORRECTIONS.write_text(json.dumps(taught(found), indent=1) + "\n", encoding="utf-8")
    return CORRECTIONS
