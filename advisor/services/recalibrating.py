"""Recalibration as a background run: own measurements in, new parameters kept and in use."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from threading import Event, Thread
from typing import Any

from django.contrib.auth.models import User
from django.db import connection

from advisor.engine.calibration import SECTIONS
from advisor.models import Calibration, CalibrationChoice, Job, Kind, Organisation
from advisor.services import jobs
from advisor.services.calibrations import active_calibration, choose
from advisor.services.recalibration import Recalibration, recalibrate
from catalog.queries import own_measurements, serving_measurements, training_measurements

log = logging.getLogger(__name__)
Progress = Callable[[str, float], None]
_HEARTBEAT_S = 5.0
_SHARES = {"serving": 0.8, "training": 0.1, "samples": 0.1}
"""How much of the work each section is, for the progress bar."""


class NothingToFit(Exception):
    """A recalibration of nothing that is known; the message names what there is."""


def start(
    subjects: Sequence[str],
    *,
    owner: User,
    organisation: Organisation | None = None,
    use: bool = True,
    note: str = "",
) -> Job:
    """Accept a recalibration of some sections; raises NothingToFit for one that is not known."""
    wanted = [name for name in SECTIONS if name in subjects]
    unknown = sorted(set(subjects) - set(SECTIONS))
    if unknown or not wanted:
        message = f"no section “{', '.join(unknown)}”; there are {', '.join(SECTIONS)}"
        raise NothingToFit(message)
    inputs = {"subjects": wanted, "use": use, "note": note[:300], "by": owner.pk}
    return jobs.accept(Kind.RECALIBRATION, inputs, owner=owner, organisation=organisation)


def recalibrated(inputs: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Refit section by section, keep the fits with their rows, and use them where asked to."""
    own = own_measurements()
    kept: list[Calibration] = []
    done = 0.0
    for subject in inputs["subjects"]:
        with _alive(progress, f"Fitting {subject}", done):
            made = recalibrate(subjects=(subject,), folds=0, tell=_silent, own=own)
        done += _SHARES[subject] / sum(_SHARES[name] for name in inputs["subjects"])
        kept.append(_keep(made, subject, own=own, note=str(inputs["note"])))
    result: dict[str, Any] = {
        "sections": [
            {
                "subject": row.subject,
                "version": row.version,
                "rows": len(row.measurements),
                "own": [each["id"] for each in row.own],
                "errors": row.errors.get("lines", []),
            }
            for row in kept
        ],
        "in_use": bool(inputs["use"]),
    }
    if inputs["use"]:
        by = User.objects.filter(pk=inputs["by"]).first()
        others = [row for row in _in_use() if row.subject not in inputs["subjects"]]
        choose([*others, *kept], by=by, note=str(inputs["note"]) or "recalibrated")
    result["calibration_version"] = active_calibration().version
    return result


def _in_use() -> list[Calibration]:
    newest = CalibrationChoice.objects.first()
    return list(newest.sections.all()) if newest else []


def _keep(made: Recalibration, subject: str, *, own: frozenset[str], note: str) -> Calibration:
    """The fit as a row: parameters, the rows behind it, the own ones among them in full."""
    rows = training_measurements() if subject == "training" else serving_measurements()
    used = frozenset(made.measurements[subject])
    number = Calibration.objects.filter(subject=subject).count() + 1
    return Calibration.objects.create(
        version=f"{subject}-own-{number}",
        subject=subject,
        parameters=made.documents[subject],
        measurements=sorted(used),
        own=[asdict(row) for row in rows if row.id in own and row.id in used],
        errors={"lines": made.errors.get(subject, [])},
        note=note,
    )


@contextmanager
def _alive(progress: Progress, stage: str, at: float) -> Iterator[None]:
    """Tell every few seconds that long work goes on, so that nobody else takes the job over."""
    over = Event()

    def tell() -> None:
        try:
            while not over.wait(_HEARTBEAT_S):
                progress(stage, at)
        except Exception:  # cancelled or taken over: the next stage of the work finds out
            log.info("recalibration is no longer waited for")
        finally:
            connection.close()  # the thread's own

    progress(stage, at)
    beating = Thread(target=tell, daemon=True)
    beating.start()
    try:
        yield
    finally:
        over.set()
        beating.join()


def _silent(_: str) -> None:
    """The job tells its own progress."""
