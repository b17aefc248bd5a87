"""What keeps an installation healthy in the background: sweeps, and a look at the workers."""

import logging
from collections.abc import Callable

from django.db.models.functions import Now

from advisor.models import Beat
from advisor.services import jobs

log = logging.getLogger(__name__)
Ping = Callable[[], bool]


def _nobody() -> bool:
    return False


class _Workers:
    """How workers are asked whether they live; see `advisor.apps`."""

    ping: Ping = staticmethod(_nobody)


def ask_workers_with(ping: Ping) -> None:
    """Say how workers are asked whether they live."""
    _Workers.ping = staticmethod(ping)


def sweep_once() -> jobs.Swept:
    """Sweep, and note that somebody does."""
    swept = jobs.sweep()
    beat("sweeper")
    if swept.freed or swept.given_up:
        log.warning("sweep: %d jobs freed, %d given up", swept.freed, swept.given_up)
    return swept


def look_for_workers() -> bool:
    """Note that a worker lives, where one answers."""
    try:
        alive = _Workers.ping()
    except Exception as error:  # whatever a transport raises
        log.warning("workers could not be asked: %s", type(error).__name__)
        return False
    if alive:
        beat("worker")
    return alive


def beat(name: str) -> None:
    """Note that a part of the installation is alive, by the database's clock."""
    Beat.objects.update_or_create(
        name=name, defaults={"seen_at": Now()}, create_defaults={"seen_at": Now()}
    )
