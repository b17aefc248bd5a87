"""What tests share: every test that may use the database finds the shipped catalogue in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.test import override_settings
from hypothesis import settings as hypothesis_settings
from pytest_django.plugin import DjangoDbBlocker

# The same examples on every machine, however busy it is.
hypothesis_settings.register_profile("calm", deadline=None, derandomize=True)
hypothesis_settings.load_profile("calm")


# Folders whose tests take longest, which therefore begin.
FIRST = ("kill", "browser", "exports", "benchmarks", "web", "engine")


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """One worker does a file's tests, which share what they prepare; the longest begin."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.nodeid.split("::")[0]))
    yield
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    folder = item.path.parent.name
    return FIRST.index(folder) if folder in FIRST else len(FIRST)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """The test database, with the shipped catalogue loaded once."""
    from catalog.services import ensure_catalogue

    with django_db_blocker.unblock():
        ensure_catalogue()


@pytest.fixture(scope="session", autouse=True)
def _quick_passwords() -> Iterator[None]:
    """Dozens of people sign in, and the hash that protects a password is slow by design."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture(scope="session", autouse=True)
def _static_folder() -> None:
    """The folder of collected static files, which the server makes before its first page."""
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)


@pytest.fixture
def catalogue(db: None) -> None:
    """The shipped catalogue, also after a test that emptied the whole database."""
    from catalog.services import ensure_catalogue

    ensure_catalogue()


@pytest.fixture
def prepared(catalogue: None) -> None:
    """The database as one command leaves it to the next, which need not prepare it again."""
    from advisor.models import Preparation
    from advisor.services.setup import SHIPPED, shipped_digest

    Preparation.objects.create(name=SHIPPED, digest=shipped_digest())
