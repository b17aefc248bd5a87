"""A whole installation in a temporary folder, whose processes tests may kill."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from kombu.connection import Connection

from tests import services

BASE = Path(__file__).resolve().parents[2]
Worker = subprocess.Popen[bytes]


@dataclass(kw_only=True)
class Site:
    """Processes that share a data folder, a database and a broker."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    workers: list[Worker] = field(default_factory=list)

    def __post_init__(self) -> None:
        settings = {
            "ADVISOR_DATA_DIR": str(self.folder),
            "ADVISOR_BROKER_QUEUE": f"jobs-{uuid4().hex[:8]}",
            "ADVISOR_JOB_LEASE_S": "2",
            "ADVISOR_JOB_RESEND_S": "2",
            "PYTHONPATH": str(BASE),
        }
        outside = {name: text for name, text in os.environ.items() if "ADVISOR_" not in name}
        self.environment = {**outside, **settings, **self.environment}

    def start_worker(self) -> Worker:
        """A real Celery worker with one pool process, in a group of its own; it ends with us."""
        command = [sys.executable, "-m", "advisor.management.bound", str(os.getpid())]
        command += [sys.executable, "-m", "celery", "--app", "tests.kill.toy", "--quiet", "worker"]
        command += ["--concurrency", "1", "--hostname", f"{uuid4().hex[:8]}@here"]
        command += ["--without-gossip", "--without-mingle", "--loglevel", "ERROR"]
        worker = subprocess.Popen(command, cwd=BASE, env=self.environment, start_new_session=True)
        self.workers.append(worker)
        return worker

    def driver(self, *words: object) -> subprocess.Popen[str]:
        """The process that accepts and sweeps."""
        command = [sys.executable, "-m", "tests.kill.driver", *map(str, words)]
        return subprocess.Popen(
            command, cwd=BASE, env=self.environment, stdout=subprocess.PIPE, text=True
        )

    def ask_driver(self, *words: object) -> dict[str, Any]:
        """What the driver tells in the end."""
        return told(self.driver(*words))

    def traces(self, what: str) -> list[str]:
        """The processes that noted something."""
        with contextlib.suppress(FileNotFoundError):
            lines = (self.folder / "traces").read_text().splitlines()
            return [line.split()[1] for line in lines if line.split(maxsplit=2)[2] == what]
        return []

    def wait_for(self, what: str, times: int = 1, within_s: float = 90.0) -> None:
        """Wait until something was noted."""
        deadline_s = time.monotonic() + within_s
        while len(self.traces(what)) < times:
            assert time.monotonic() < deadline_s, f"no {what!r} within {within_s} s"
            time.sleep(0.05)

    def stop(self) -> None:
        """Kill what is left."""
        for worker in self.workers:
            send(worker, signal.SIGKILL)
            worker.wait()
        if self.environment.get("ADVISOR_BROKER_URL", "").startswith("amqp"):
            _delete_queue(self.environment)


def send(worker: Worker, number: signal.Signals) -> None:
    """Signal a worker with its pool process."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(worker.pid, number)


def _delete_queue(environment: dict[str, str]) -> None:
    with Connection(environment["ADVISOR_BROKER_URL"]) as broker:  # type: ignore[no-untyped-call]
        broker.default_channel.queue_delete(environment["ADVISOR_BROKER_QUEUE"])


def told(driver: subprocess.Popen[str]) -> dict[str, Any]:
    """A driver's answer."""
    output, _ = driver.communicate(timeout=180)
    assert driver.returncode == 0
    answer: dict[str, Any] = json.loads(output or "{}")
    return answer


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a prepared database."""
    site = Site(folder=tmp_path_factory.mktemp("prepared"))
    site.ask_driver("prepare")
    return site.folder


@pytest.fixture
def make_site(prepared: Path, tmp_path: Path) -> Iterator[Callable[..., Site]]:
    """Make an installation of its own; settings by environment."""
    made: list[Site] = []

    def make(**environment: str) -> Site:
        folder = tmp_path / f"site{len(made)}"
        shutil.copytree(prepared, folder)
        made.append(Site(folder=folder, environment=environment))
        return made[-1]

    yield make
    for site in made:
        site.stop()


@pytest.fixture
def postgresql_url() -> Iterator[str]:
    """A database of its own on the PostgreSQL server."""
    services.need("PostgreSQL", present=_answers(services.POSTGRESQL_URL))
    name = f"advisor_kill_{uuid4().hex[:8]}"
    with psycopg.connect(services.POSTGRESQL_URL, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
        yield services.POSTGRESQL_URL.rsplit("/", 1)[0] + f"/{name}"
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.fixture
def redis_url() -> str:
    """A Redis server."""
    services.need("Redis", present=services.listens(services.REDIS_URL))
    return services.REDIS_URL


@pytest.fixture
def rabbitmq_url() -> str:
    """A RabbitMQ server."""
    services.need("RabbitMQ", present=services.listens(services.RABBITMQ_URL))
    return services.RABBITMQ_URL
