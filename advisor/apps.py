"""Django's handle on the package."""

from uuid import UUID

from django.apps import AppConfig

PING_TIMEOUT_S = 2.0


def wake_worker(job_id: UUID) -> None:
    """Send the message that wakes a worker; Celery is loaded by those only who send one."""
    from django.conf import settings

    from advisor.services.work import run_job

    if settings.JOBS["inline"]:
        run_job(job_id)
        return
    from advisor.celery import app

    app.send_task("advisor.work", args=[str(job_id)], retry=False)


def ping_workers() -> bool:
    """Whether any worker answers."""
    from advisor.celery import app

    return bool(app.control.ping(timeout=PING_TIMEOUT_S, limit=1))


class AdvisorConfig(AppConfig):
    """The project's own application."""

    name = "advisor"

    def ready(self) -> None:
        """Tell the services how workers are woken and asked."""
        from advisor.services.jobs import wake_with
        from advisor.services.upkeep import ask_workers_with

        wake_with(wake_worker)
        ask_workers_with(ping_workers)
