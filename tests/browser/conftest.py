"""A whole installation in a temporary folder, and a real browser that looks at it."""

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests import services

BASE = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or "/usr/bin/chromium"
START_WITHIN_S = 120.0
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
QUIET = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
)
WATCH_POLICY = """
window.policyViolations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.policyViolations.push(event.violatedDirective + " " + event.blockedURI);
});
"""


@dataclass(kw_only=True)
class Site:
    """The processes of an installation, started as its owner starts them."""

    folder: Path
    address: str
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, *parts: str) -> None:
        port = self.address.rsplit(":", 1)[1]
        chosen = [word for part in parts for word in ("--part", part)]
        command = [sys.executable, "manage.py", "serve", "--port", port, *chosen]
        outside = {k: v for k, v in os.environ.items() if not k.startswith("ADVISOR_")}
        environment = {**outside, "ADVISOR_DATA_DIR": str(self.folder)}
        with (self.folder / f"{'-'.join(parts)}.log").open("wb") as log:
            self.processes.append(
                subprocess.Popen(command, cwd=BASE, env=environment, stdout=log, stderr=log)
            )

    def wait(self) -> None:
        deadline = time.monotonic() + START_WITHIN_S
        while time.monotonic() < deadline and self.processes[-1].poll() is None:
            try:
                with urllib.request.urlopen(f"{self.address}/", timeout=5):  # noqa: S310
                    return
            except (urllib.error.URLError, TimeoutError):
                time.sleep(0.3)
        logs = "\n".join(path.read_text() for path in self.folder.glob("*.log"))
        pytest.fail(f"the site stopped, or did not answer within {START_WITHIN_S:.0f} s\n{logs}")

    def stop(self) -> None:
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    services.need("a Chromium", present=Path(CHROMIUM).exists())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def site(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Web server and sweeper, and nobody yet who does the work."""
    folder = tmp_path_factory.mktemp("site")
    started = Site(folder=folder, address=f"http://127.0.0.1:{services.free_port()}")
    try:
        started.start("web", "sweeper")
        started.wait()
        yield started
    finally:
        started.stop()


@pytest.fixture(scope="package")
def working_site(site: Site) -> Site:
    """The same with a worker."""
    site.start("worker")
    return site


@dataclass(kw_only=True)
class Look:
    """A tab, and all that went wrong in it."""

    page: Page
    address: str
    complaints: list[str]

    def open(self, path: str) -> None:
        self.page.goto(f"{self.address}{path}")

    def violations(self) -> list[Any]:
        found: list[Any] = self.page.evaluate("window.policyViolations")
        return found


def look(browser: Browser, address: str, **options: Any) -> Look:
    """A fresh tab that notes errors in the console, in scripts and against the policy."""
    options.setdefault("viewport", WIDE)
    context = browser.new_context(**options)
    context.add_init_script(WATCH_POLICY)
    page = context.new_page()
    complaints: list[str] = []
    page.on(
        "console",
        lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None,
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return Look(page=page, address=address, complaints=complaints)
