"""Keep a few processes running: start them, restart those that die, stop them all."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

STOP_WITHIN_S = 4.0
LOOK_EVERY_S = 0.25
LONGEST_PAUSE_S = 30.0
STEADY_AFTER_S = 60.0


@dataclass(slots=True, kw_only=True)
class Part:
    """One kept process; it leads its own group, so that its children end with it."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    after: threading.Event | None = None
    """What must have happened before it is started; None: nothing."""
    process: subprocess.Popen[bytes] | None = None
    started_s: float = 0.0
    restart_at_s: float = 0.0
    failures: int = 0

    def start(self) -> None:
        """Start it anew, bound to this process: it ends with it."""
        bound = [sys.executable, "-m", "advisor.management.bound", str(os.getpid())]
        self.process = subprocess.Popen(  # noqa: S603 our own commands
            [*bound, *self.command], env=dict(self.environment), start_new_session=True
        )
        self.started_s = time.monotonic()

    def signal(self, number: signal.Signals) -> None:
        """Signal the whole group, whether or not its leader still lives."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)

    def look(self, say: Callable[[str], None]) -> None:
        """Start it, and again where it has died, after a pause that grows while it keeps dying."""
        now_s = time.monotonic()
        if self.process is None:
            if now_s >= self.restart_at_s and (self.after is None or self.after.is_set()):
                self.start()
            return
        status = self.process.poll()
        if status is None:
            return
        self.signal(signal.SIGKILL)  # what a killed leader left behind
        steady = now_s - self.started_s > STEADY_AFTER_S
        self.failures = 1 if steady else self.failures + 1
        pause_s = min(0.25 * 2**self.failures, LONGEST_PAUSE_S)
        say(f"{self.name} ended with status {status}; starting it again in {pause_s:g} s")
        self.process, self.restart_at_s = None, now_s + pause_s


@dataclass(slots=True, kw_only=True)
class Supervisor:
    """Several parts that live and end together."""

    parts: Sequence[Part]
    say: Callable[[str], None]
    stopping: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        """Start all parts and restart what dies, until SIGTERM, SIGINT or SIGHUP."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: self.stopping.set())
        while not self.stopping.is_set():
            for part in self.parts:
                part.look(self.say)
            self.stopping.wait(LOOK_EVERY_S)

    def stop(self) -> None:
        """End all parts and whatever they started; those that do not listen are killed."""
        self.stopping.set()
        for part in self.parts:
            if part.process is not None:
                part.process.terminate()  # the leader only: it ends its own children in order
        deadline_s = time.monotonic() + STOP_WITHIN_S
        for part in self.parts:
            if part.process is not None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    part.process.wait(max(deadline_s - time.monotonic(), 0.0))
        for part in self.parts:
            part.signal(signal.SIGKILL)
            if part.process is not None:
                part.process.wait()
