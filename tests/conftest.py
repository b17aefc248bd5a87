"""What tests share: every test that may use the database finds the shipped catalogue in it."""

from pathlib import Path

import pytest
from django.conf import settings
from hypothesis import settings as hypothesis_settings
from pytest_django.plugin import DjangoDbBlocker

# The same examples on every machine, however busy it is.
hypothesis_settings.register_profile("calm", deadline=None, derandomize=True)
hypothesis_settings.load_profile("calm")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """The test database, with the shipped catalogue loaded once."""
    from catalog.services import ensure_catalogue

    with django_db_blocker.unblock():
        ensure_catalogue()


@pytest.fixture(scope="session", autouse=True)
def _static_folder() -> None:
    """The folder of collected static files, which the server makes before its first page."""
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)


@pytest.fixture
def catalogue(db: None) -> None:
    """The shipped catalogue, also after a test that emptied the whole database."""
    from catalog.services import ensure_catalogue

    ensure_catalogue()
