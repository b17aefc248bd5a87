"""Django's handle on the package."""

from uuid import UUID

from django.apps import AppConfig


def wake_worker(job_id: UUID) -> None:
    """Send the message that wakes a worker; Celery is loaded by those only who send one."""
    from django.conf import settings

    from advisor.services.work import run_job

    if settings.JOBS["inline"]:
        run_job(job_id)
        return
    from advisor.celery import app

    app.send_task("advisor.work", args=[str(job_id)], retry=False)


class AdvisorConfig(AppConfig):
    """The project's own application."""

    name = "advisor"

    def ready(self) -> None:
        """Tell the jobs how a worker is woken."""
        from advisor.services.jobs import wake_with

        wake_with(wake_worker)
