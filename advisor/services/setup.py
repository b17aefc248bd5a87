"""Prepare the embedded database: its tables, the shipped catalogue and rates, the local user."""

import fcntl
import hashlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from advisor.models import Preparation
from advisor.services import accounts
from catalog.engine.tables import FIXTURES
from catalog.services import import_catalogue
from costing.services import import_rates

SHIPPED = "shipped"
MIGRATIONS = ("advisor", "catalog", "costing")


def shipped_digest() -> str:
    """A hash of all that a prepared database depends on: shipped tables, migrations, pins."""
    base: Path = settings.BASE_DIR
    found = hashlib.sha256()
    for path in (base / "requirements.txt", *sorted(FIXTURES.glob("*.csv"))):
        found.update(path.name.encode())
        found.update(path.read_bytes())
    for package in MIGRATIONS:
        for path in sorted((base / package / "migrations").glob("*.py")):
            found.update(f"{package}/{path.name}".encode())
    return found.hexdigest()


def is_ready(digest: str | None = None) -> bool:
    """Whether the database was prepared from what is shipped now."""
    wanted = digest or shipped_digest()
    try:
        return Preparation.objects.filter(name=SHIPPED, digest=wanted).exists()
    except DatabaseError:  # no such table yet
        return False


def ensure_ready() -> bool:
    """Prepare the embedded database where that is still to be done; true where it was.

    Any number of commands may ask at once; one prepares and the others wait for it. In
    production the tables and the catalogue are steps of the deployment, and nothing is done.
    """
    if not settings.EMBEDDED:
        return False
    digest = shipped_digest()
    if is_ready(digest):
        return False
    with _one_at_a_time():
        if is_ready(digest):
            return False
        prepare(digest)
    return True


def prepare(digest: str | None = None) -> None:
    """Bring tables, catalogue and rates in step with what is shipped; say so on stderr."""
    _say("Preparing the database: tables, catalogue, rates ...")
    if has_migrations_to_apply():
        call_command("migrate", interactive=False, verbosity=0, skip_checks=True)
    refused = [*import_catalogue().refused, *import_rates().refused]
    for refusal in refused:
        _say(f"Not taken: {refusal}")
    if settings.EMBEDDED:
        accounts.local_user()
    Preparation.objects.update_or_create(
        name=SHIPPED, defaults={"digest": digest or shipped_digest()}
    )


def has_migrations_to_apply() -> bool:
    """Whether the database's tables are older than the program."""
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Hold the data folder's lock; the system frees it when its holder dies."""
    with (settings.DATA_DIR / "prepare.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
