"""The embedded database prepares itself, once, and knows when that is to be done again."""

import time

import pytest
from pytest_django import Settings

from advisor.models import Preparation
from advisor.services import setup
from catalog.models import Accelerator

pytestmark = pytest.mark.django_db


def test_a_prepared_database_is_ready() -> None:
    setup.ensure_ready()
    assert setup.is_ready()


def test_preparing_twice_does_it_once() -> None:
    setup.ensure_ready()
    assert setup.ensure_ready() is False


def test_the_catalogue_is_there_once_it_is_ready() -> None:
    setup.ensure_ready()
    assert Accelerator.objects.exists()


def test_other_shipped_files_make_it_prepare_again(monkeypatch: pytest.MonkeyPatch) -> None:
    setup.ensure_ready()
    monkeypatch.setattr(setup, "shipped_digest", lambda: "another")
    assert setup.ensure_ready()
    assert Preparation.objects.get(name="shipped").digest == "another"


def test_asking_a_ready_database_takes_no_time() -> None:
    setup.ensure_ready()
    took_s = []
    for _ in range(5):
        start_s = time.perf_counter()
        setup.ensure_ready()
        took_s.append(time.perf_counter() - start_s)
    assert min(took_s) < 0.05


def test_production_is_never_prepared_behind_the_operators_back(settings: Settings) -> None:
    settings.EMBEDDED = False
    Preparation.objects.all().delete()
    assert setup.ensure_ready() is False
