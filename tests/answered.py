"""A run that was really answered, its document computed once for all tests of a process."""

from collections.abc import Callable
from functools import cache
from typing import Any

from advisor.models import Job
from advisor.services.advice import advise
from catalog.queries import snapshot
from catalog.services import keep_snapshot
from costing.queries import currencies, rates
from costing.services import keep_rates

APART = {"disagg_allowed": True}


@cache
def document(preset: str, *, apart: bool = False) -> dict[str, Any]:
    """The answer to a preset, where `apart` with a yes to separate pools."""
    return advise({"preset": preset, "answers": APART if apart else {}})


def answered_run(
    make_run: Callable[..., Job], preset: str = "startup_bursty_api", *, apart: bool = False
) -> Job:
    """A finished run of a preset, from which simulations and exports can start."""
    told = {"answers": APART} if apart else {}
    found = make_run(document(preset, apart=apart), preset=preset, **told)
    current = snapshot()
    keep_snapshot(current)
    keep_rates(rates(), currencies())
    Job.objects.filter(pk=found.pk).update(snapshot_digest=current.digest)
    found.refresh_from_db()
    return found
