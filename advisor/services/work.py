"""Do a job: claim it, compute, store the outcome, whatever the outcome is."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import Error, InterfaceError, OperationalError, connections

from advisor.models import Kind
from advisor.services import jobs
from advisor.services.refusals import Problem, overtime, problem, problem_of, unforeseen

log = logging.getLogger(__name__)
Progress = Callable[[str, float], None]
Result = dict[str, Any]
Handler = Callable[[Mapping[str, Any], Progress], Result]
BEATS_A_LEASE = 3


def _run(inputs: Mapping[str, Any], progress: Progress) -> Result:
    from advisor.services.advice import advise
    from catalog.queries import snapshot
    from catalog.services import keep_snapshot
    from costing.queries import currencies, rates
    from costing.services import keep_rates

    result = advise(inputs["answers"], private=inputs.get("private"), progress=progress)
    current = snapshot()
    if current.digest == result.get("catalog_snapshot", {}).get("digest"):
        keep_snapshot(current)
    keep_rates(rates(), currencies())
    return result


def _simulation(inputs: Mapping[str, Any], progress: Progress) -> Result:
    from advisor.services.latency import simulation_result

    return simulation_result(inputs, progress)


def _reasons(inputs: Mapping[str, Any], progress: Progress) -> Result:
    from advisor.services.reasons.asked import reasons_result

    return reasons_result(inputs, progress)


def _fleet(inputs: Mapping[str, Any], progress: Progress) -> Result:
    from advisor.services.fleets import fleet_result

    return fleet_result(inputs, progress)


def _recalibration(inputs: Mapping[str, Any], progress: Progress) -> Result:
    from advisor.services.recalibrating import recalibrated

    return recalibrated(inputs, progress)


HANDLERS: dict[Kind, Handler] = {
    Kind.RUN: _run,
    Kind.SIMULATION: _simulation,
    Kind.REASONS: _reasons,
    Kind.FLEET: _fleet,
    Kind.RECALIBRATION: _recalibration,
}


def handle(kind: Kind, handler: Handler) -> None:
    """Say what does the jobs of a kind; a handler gets the inputs and a progress callback."""
    HANDLERS[kind] = handler


def warm_up() -> None:
    """Load what a run needs, so that the first one does not wait for it."""
    try:
        import advisor.services.advice  # noqa: F401
        from catalog.queries import snapshot

        snapshot()
    except Exception:  # a worker without a catalogue yet is still a worker
        log.warning("nothing to warm up with yet", exc_info=True)


class _Reporter:
    """Progress of a claimed job: every new stage is written, steps within one at intervals."""

    def __init__(self, held: jobs.Claim) -> None:
        self._held = held
        self._stage = ""
        self._written_s = 0.0

    def __call__(self, stage: str, fraction: float) -> None:
        now_s = time.monotonic()
        if stage == self._stage and now_s - self._written_s < settings.JOBS["report_every_s"]:
            return
        jobs.progress(self._held, stage, fraction)
        self._stage, self._written_s = stage, now_s


def run_job(job_id: UUID, *, too_long: type[Exception] | tuple[()] = ()) -> bool:
    """Claim a job and see it to its end; false where it was not to be had.

    `too_long` is what the worker raises at its time limit. When the database goes away in
    mid-work, or the process dies, the lease lapses and the sweeper starts the job again.
    """
    held = jobs.claim(job_id)
    if held is None:
        return False
    try:
        with _alive(held):
            _see_through(held, too_long)
    except jobs.Fenced:
        log.warning("job %s was taken over by another worker", job_id)
    except (OperationalError, InterfaceError):
        log.exception("job %s lost its database; it will be started again", job_id)
    return True


@contextmanager
def _alive(held: jobs.Claim) -> Iterator[None]:
    """Renew the lease from beside while this process lives, however long a step takes.

    A process that hangs is ended by the worker's time limit.
    """
    over = threading.Event()

    def beat() -> None:
        while not over.wait(settings.JOBS["lease_s"] / BEATS_A_LEASE):
            try:
                jobs.renew(held)
            except Error:
                log.warning("job %s could not renew its lease", held.job_id)
            finally:
                connections.close_all()  # those of this thread

    threading.Thread(target=beat, daemon=True).start()
    try:
        yield
    finally:
        over.set()


def _see_through(held: jobs.Claim, too_long: type[Exception] | tuple[()]) -> None:
    try:
        _compute(held)
    except jobs.Cancelled:
        jobs.stop(held)
    except (jobs.Fenced, OperationalError, InterfaceError):
        raise
    except too_long:
        jobs.fail(held, overtime())
    except Exception as error:
        jobs.fail(held, problem_of(error) or _logged(held))


def _logged(held: jobs.Claim) -> Problem:
    reference = str(held.job_id)[:8]
    log.exception("job %s stopped with an error, reference %s", held.job_id, reference)
    return unforeseen(reference)


def _compute(held: jobs.Claim) -> None:
    handler = HANDLERS.get(held.kind)
    if handler is None:
        unknown = problem("unknown-kind", f"Nothing here does a {held.kind}", status=501)
        jobs.fail(held, unknown)
        return
    result = handler(held.inputs, _Reporter(held))
    jobs.finish(
        held,
        result,
        snapshot_digest=str(result.get("catalog_snapshot", {}).get("digest", "")),
        engine_version=str(result.get("engine_version", "")),
        calibration_version=str(result.get("calibration_version", "")),
    )
