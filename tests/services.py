"""Services that some tests need: left out where they are missing, but never in CI."""

import os
import socket
from urllib.parse import urlsplit

import pytest

POSTGRESQL_URL = os.environ.get(
    "TEST_POSTGRESQL_URL", "postgresql://postgres:postgres@127.0.0.1:5432/postgres"
)
REDIS_URL = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/9")
RABBITMQ_URL = os.environ.get("TEST_RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672//")


def need(what: str, *, present: bool) -> None:
    """Go on where a service is present; else fail in CI, and skip elsewhere."""
    if present:
        return
    message = f"left out for want of {what}"
    if os.environ.get("CI") == "true":
        pytest.fail(f"{message}, which CI must have")
    pytest.skip(message)


def listens(url: str) -> bool:
    """Whether something takes connections at an address."""
    address = urlsplit(url)
    try:
        with socket.create_connection((address.hostname, address.port), timeout=1):
            return True
    except OSError:
        return False


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
