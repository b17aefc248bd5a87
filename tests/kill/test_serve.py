"""One command runs everything, mends what dies, and leaves nothing behind."""

import contextlib
import os
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import services
from tests.kill.conftest import BASE, Site

WITHIN_S = 90.0


@dataclass(kw_only=True)
class Served:
    """A running `manage.py serve`."""

    process: subprocess.Popen[str]
    url: str
    folder: Path

    def get(self, path: str) -> int:
        """The status of an answer, 0 where there is none."""
        try:
            with urllib.request.urlopen(f"{self.url}{path}", timeout=10) as answer:  # noqa: S310
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def until(self, true: Callable[[], bool]) -> None:
        """Wait for something to become true."""
        deadline_s = time.monotonic() + WITHIN_S
        while not true():
            assert time.monotonic() < deadline_s
            assert self.process.poll() is None
            time.sleep(0.1)

    def family(self) -> dict[int, str]:
        """All processes that came of it, with their commands."""
        listed = subprocess.run(
            ["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True
        )
        found = {self.process.pid: ""}
        for line in sorted(listed.stdout.splitlines(), key=lambda text: int(text.split()[0])):
            pid, parent, command = line.split(maxsplit=2)
            if int(parent) in found:
                found[int(pid)] = command
        return {pid: command for pid, command in found.items() if command}

    def find(self, word: str) -> list[int]:
        """Its processes with a word in their command."""
        return [pid for pid, command in self.family().items() if word in command]


def alive(pid: int) -> bool:
    """Whether a process runs; one that is dead but unburied does not."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    return False


@pytest.fixture
def served(make_site: Callable[..., Site]) -> Iterator[Served]:
    site, port = make_site(), services.free_port()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "serve", "--port", str(port)],
        cwd=BASE,
        env=site.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    running = Served(process=process, url=f"http://127.0.0.1:{port}", folder=site.folder)
    yield running
    for pid in [*running.family(), process.pid]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.communicate()


def test_one_command_serves_mends_and_leaves_nothing(served: Served) -> None:
    served.until(lambda: served.get("/healthz") == 200)
    served.until(lambda: served.get("/readyz") == 200)
    assert served.get("/") == 200

    worker = served.find("celery")[0]
    os.kill(worker, signal.SIGKILL)
    served.until(lambda: bool(served.find("celery")) and worker not in served.find("celery"))

    web = served.find("granian")[1:]
    os.kill(web[0], signal.SIGKILL)
    served.until(lambda: served.get("/healthz") == 200 and web[0] not in served.find("granian"))

    family = served.family()
    served.process.send_signal(signal.SIGTERM)
    output, _ = served.process.communicate(timeout=15)
    assert served.process.returncode == 0
    assert [pid for pid in family if alive(pid)] == []

    key = served.folder / "api_key"
    assert f"API key: {key.read_text().strip()}" in output
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_a_killed_supervisor_takes_its_processes_with_it(served: Served) -> None:
    served.until(lambda: len(served.find("granian")) == 3)
    family = [pid for pid in served.family() if pid != served.process.pid]
    served.process.kill()
    served.process.wait()
    deadline_s = time.monotonic() + WITHIN_S
    while any(alive(pid) for pid in family):
        assert time.monotonic() < deadline_s
        time.sleep(0.1)


def refusal(site: Site, *options: str) -> str:
    """What the command says when it does not start."""
    ended = subprocess.run(
        [sys.executable, "manage.py", "serve", *options],
        cwd=BASE,
        env=site.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode != 0
    return ended.stderr


def test_a_taken_port_is_named(make_site: Callable[..., Site]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert f"port {port} is taken" in refusal(make_site(), "--port", port)


def test_the_embedded_site_listens_on_this_machine_only(make_site: Callable[..., Site]) -> None:
    assert "set ADVISOR_SECRET_KEY" in refusal(make_site(), "--host", "192.0.2.1")
