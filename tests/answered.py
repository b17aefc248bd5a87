"""A run that was really answered, its document computed once for all tests of a process."""

import json
from collections.abc import Callable
from functools import cache
from typing import Any

from advisor.models import Job
from advisor.services.advice import advise
from catalog.queries import snapshot
from catalog.services import keep_snapshot
from costing.queries import currencies, rates
from costing.services import keep_rates


@cache
def document(preset: str, answers: str = "{}") -> dict[str, Any]:
    """The answer to a preset with some of its answers changed, as JSON."""
    return advise({"preset": preset, "answers": json.loads(answers)})


def answered_run(
    make_run: Callable[..., Job], preset: str = "startup_bursty_api", **answers: Any
) -> Job:
    """A finished run of a preset, from which simulations and exports can start."""
    found = make_run(document(preset, json.dumps(answers)), preset=preset, answers=answers)
    current = snapshot()
    keep_snapshot(current)
    keep_rates(rates(), currencies())
    Job.objects.filter(pk=found.pk).update(snapshot_digest=current.digest)
    found.refresh_from_db()
    return found
