"""manage.py serve: the whole installation by one command, background work included."""

import os
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection

from advisor.management.supervisor import Part, Supervisor
from advisor.services import accounts, setup, upkeep

PARTS = ("web", "worker", "sweeper")
PING_EVERY_S = 20.0
MOST_START_S = 60.0


class Command(BaseCommand):
    """Prepare the database, then keep web server, worker and sweeper running until stopped."""

    help = "Serve the site with its background work on http://127.0.0.1:8000."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument(
            "--host", default="127.0.0.1", help="address to listen on; others in production only"
        )
        parser.add_argument(
            "--part",
            action="append",
            choices=PARTS,
            help="run this part only (may be repeated); all parts by default",
        )
        parser.add_argument(
            "--prepare",
            action="store_true",
            help="in production, first bring tables, catalogue and static files up to date",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        host, port = str(options["host"]), int(options["port"])
        chosen = options["part"] or PARTS
        if settings.EMBEDDED and host not in {"127.0.0.1", "localhost", "::1"}:
            message = "to listen on other addresses, set ADVISOR_SECRET_KEY"
            raise CommandError(message)
        if "web" in chosen:
            _refuse_taken_port(host, port)
        self._prepare(wanted=bool(options["prepare"]))
        answering = threading.Event()
        parts = _parts(chosen, host, port, answering)
        supervisor = Supervisor(parts=parts, say=self._say)
        threading.Thread(
            target=self._greet_and_sweep,
            args=(supervisor, answering, chosen, host, port),
            daemon=True,
        ).start()
        try:
            supervisor.watch()
        finally:
            supervisor.stop()
            self._say("Stopped.")

    def _prepare(self, *, wanted: bool) -> None:
        """What must be there before the first page."""
        setup.ensure_ready()
        if settings.EMBEDDED:
            accounts.embedded_key()
        elif wanted:
            setup.prepare()
            call_command("collectstatic", interactive=False, verbosity=0)
        elif setup.has_migrations_to_apply():
            message = "the database is of another version; run this once with --prepare"
            raise CommandError(message)
        connection.close()

    def _greet_and_sweep(
        self,
        supervisor: Supervisor,
        answering: threading.Event,
        chosen: tuple[str, ...],
        host: str,
        port: int,
    ) -> None:
        try:
            if "web" in chosen and _answers(supervisor, host, port):
                self._greet(f"http://{host}:{port}")
        except DatabaseError as error:
            self._say(f"no greeting: {error}")
        finally:
            answering.set()
        if "sweeper" in chosen:
            self._sweep(supervisor)

    def _greet(self, site: str) -> None:
        self.stdout.write(f"Serving on {site}")
        if settings.EMBEDDED:
            link = f"{site}/login/{accounts.create_login_link()}/"
            self.stdout.write(f"Admin, once within 15 minutes: {link}")
            self.stdout.write(f"API key: {accounts.embedded_key()}")
            self.stdout.write(f"Data folder: {settings.DATA_DIR}")
        self.stdout.flush()

    def _sweep(self, supervisor: Supervisor) -> None:
        """Repair lapsed jobs, and note which workers answer, until told to stop."""
        next_ping_s = 0.0
        while not supervisor.stopping.is_set():
            try:
                upkeep.sweep_once()
                if time.monotonic() >= next_ping_s:
                    pause_s = PING_EVERY_S if upkeep.look_for_workers() else 0.0
                    next_ping_s = time.monotonic() + pause_s
            except Exception as error:  # whatever it was, the next sweep is due all the same
                self._say(f"sweeper: {type(error).__name__}: {error}")
                connection.close()
            supervisor.stopping.wait(settings.JOBS["sweep_every_s"])

    def _say(self, line: str) -> None:
        self.stderr.write(line)


def _refuse_taken_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            message = f"port {port} is taken ({error.strerror}); choose another with --port"
            raise CommandError(message) from None


def _parts(chosen: tuple[str, ...], host: str, port: int, answering: threading.Event) -> list[Part]:
    """The processes to keep; the worker waits for the first page, so that it comes soon."""
    environment = {
        **os.environ,
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": os.pathsep.join(
            filter(None, (str(settings.BASE_DIR), os.environ.get("PYTHONPATH")))
        ),
    }
    web = Part(name="web", command=_web(host, port), environment=environment)
    worker = Part(name="worker", command=_worker(), environment=environment, after=answering)
    return [part for part in (web, worker) if part.name in chosen]


def _web(host: str, port: int) -> list[str]:
    return [
        sys.executable, "-m", "granian", "--interface", "wsgi", "advisor.wsgi:application",
        "--host", host, "--port", str(port), "--workers", "2", "--blocking-threads", "4",
        "--respawn-failed-workers", "--workers-kill-timeout", "2", "--no-ws",
        "--log-level", "warning", "--working-dir", str(settings.BASE_DIR),
    ]  # fmt: skip


def _worker() -> list[str]:
    return [
        sys.executable, "-m", "celery", "--app", "advisor.celery", "--workdir",
        str(settings.BASE_DIR), "--quiet", "worker", "--pool", "prefork",
        "--concurrency", os.environ.get("ADVISOR_WORKER_PROCESSES", "1"),
        "--hostname", f"worker-{os.getpid()}@%h", "--without-gossip", "--without-mingle",
        "--without-heartbeat", "--loglevel", "WARNING",
    ]  # fmt: skip


def _answers(supervisor: Supervisor, host: str, port: int) -> bool:
    """Wait for the first answer of the web server."""
    deadline_s = time.monotonic() + MOST_START_S
    while time.monotonic() < deadline_s and not supervisor.stopping.wait(0.1):
        try:
            with urllib.request.urlopen(f"http://{host}:{port}/healthz", timeout=2) as answer:
                return bool(answer.status)
        except urllib.error.HTTPError:
            return True
        except OSError:
            continue
    return False
