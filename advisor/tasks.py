"""Celery's face of the jobs: a message carries an id, and says no more than "look"."""

from uuid import UUID

from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded

from advisor.services import jobs
from advisor.services.work import run_job


@shared_task(name="advisor.work")  # type: ignore[untyped-decorator]
def work(job_id: str) -> None:
    """Do one job, if it is still to be done."""
    run_job(UUID(job_id), too_long=SoftTimeLimitExceeded)


@shared_task(name="advisor.sweep")  # type: ignore[untyped-decorator]
def sweep() -> None:
    """Repair what dead workers left behind."""
    jobs.sweep()
