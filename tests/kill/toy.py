"""A worker's application with a slow job, whose steps leave traces in the data folder."""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "advisor.settings")
django.setup()

from celery.signals import worker_process_init  # noqa: E402

from advisor.celery import app as app  # noqa: E402
from advisor.celery import warm_up  # noqa: E402
from advisor.models import Kind  # noqa: E402
from advisor.services import jobs, work  # noqa: E402


def traces() -> Path:
    """Where steps are noted, one line each: job, process, what happened."""
    return Path(os.environ["ADVISOR_DATA_DIR"]) / "traces"


def note(job: str, what: str) -> None:
    with traces().open("a") as file:
        file.write(f"{job} {os.getpid()} {what}\n")


def count_slowly(inputs: Mapping[str, Any], progress: work.Progress) -> dict[str, Any]:
    """Take some steps, each with progress and a trace."""
    job = str(inputs["name"])
    note(job, "start")
    for step in range(int(inputs["steps"])):
        try:
            progress(f"step {step}", step / inputs["steps"])
        except (jobs.Fenced, jobs.Cancelled) as end:
            note(job, type(end).__name__.lower())
            raise
        note(job, f"step {step}")
        time.sleep(float(inputs["step_s"]))
    note(job, "end")
    return {"steps": inputs["steps"], "process": os.getpid()}


worker_process_init.disconnect(warm_up)  # a toy needs no catalogue
work.handle(Kind.SIMULATION, count_slowly)
