"""The Celery application: how workers are woken, and how they behave."""

import os
import warnings
from pathlib import Path
from typing import Any

from celery import Celery
from celery.platforms import SecurityWarning
from celery.signals import worker_process_init
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "advisor.settings")

CONNECT_TIMEOUT_S = 4
MARGIN_S = 60


def transport_options(broker_url: str, data_dir: Path, *, time_limit_s: float) -> dict[str, Any]:
    """What each kind of broker must be told."""
    if broker_url.startswith("filesystem"):
        folders = {
            "data_folder_in": data_dir / "broker" / "messages",
            "data_folder_out": data_dir / "broker" / "messages",
            "control_folder": data_dir / "broker" / "control",
        }
        for folder in folders.values():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        options: dict[str, Any] = {name: str(folder) for name, folder in folders.items()}
        return {**options, "store_processed": False}
    if broker_url.startswith("redis"):
        # a message comes back when its worker has been silent for longer than any job may take
        return {
            "visibility_timeout": 1.5 * time_limit_s,
            "socket_connect_timeout": CONNECT_TIMEOUT_S,
            "socket_timeout": 30,
        }
    return {"confirm_publish": True}


def configure(application: Celery) -> None:
    """Settings that suit jobs whose truth is a row: late, one at a time, no results kept."""
    limit_s = settings.JOBS["time_limit_s"]
    application.conf.update(
        broker_url=settings.BROKER_URL,
        broker_transport_options=transport_options(
            settings.BROKER_URL, settings.DATA_DIR, time_limit_s=limit_s
        ),
        broker_connection_timeout=CONNECT_TIMEOUT_S,
        broker_connection_retry_on_startup=True,
        task_default_queue=settings.BROKER_QUEUE,
        task_default_queue_type="quorum" if settings.BROKER_URL.startswith("amqp") else "classic",
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_soft_time_limit=limit_s,
        task_time_limit=limit_s + MARGIN_S,
        worker_prefetch_multiplier=1,
        worker_max_tasks_per_child=100,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
    )


def warm_up(**_: Any) -> None:
    """Load in a new worker process what the first job would wait for."""
    from advisor.services.work import warm_up as load

    load()


# root is warned of pickled messages, and none but JSON are taken here
warnings.filterwarnings("ignore", category=SecurityWarning)
app = Celery("advisor")
configure(app)
app.autodiscover_tasks(["advisor"])
worker_process_init.connect(warm_up)
