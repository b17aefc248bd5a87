"""Settings of production: nothing is assumed, and what is missing is said at once."""

import logging
import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from advisor.celery import transport_options
from advisor.redaction import Redaction, redacted

BASE = Path(__file__).resolve().parents[2]


def manage(tmp_path: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command with these ADVISOR_* settings and no others."""
    outside = {name: text for name, text in os.environ.items() if "ADVISOR_" not in name}
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=BASE,
        env={**outside, "ADVISOR_DATA_DIR": str(tmp_path), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_production_passes_djangos_own_check_for_deployment(tmp_path: Path) -> None:
    checked = manage(
        tmp_path,
        *("check", "--deploy", "--fail-level", "WARNING"),
        ADVISOR_SECRET_KEY=secrets.token_urlsafe(48),
        ADVISOR_ALLOWED_HOSTS="advisor.example",
    )
    assert checked.returncode == 0, checked.stderr


def test_opening_the_site_to_others_needs_a_secret_key(tmp_path: Path) -> None:
    refused = manage(tmp_path, "check", ADVISOR_ALLOWED_HOSTS="advisor.example")
    assert "set ADVISOR_SECRET_KEY too" in refused.stderr


def test_a_database_that_is_not_postgresql_is_refused(tmp_path: Path) -> None:
    refused = manage(tmp_path, "check", ADVISOR_DATABASE_URL="mysql://localhost/advisor")
    assert "must begin with postgresql://" in refused.stderr


def test_the_parts_of_a_database_address_are_read(tmp_path: Path) -> None:
    url = "postgresql://ann:p%40ss@db.example:6432/advisor?sslmode=require"
    code = (
        "from advisor.settings import DATABASES as d; d = d['default'];"
        "print(d['NAME'], d['USER'], d['PASSWORD'], d['HOST'], d['PORT'], d['OPTIONS']['sslmode'])"
    )
    told = subprocess.run(
        [sys.executable, "-c", code],
        cwd=BASE,
        env={**os.environ, "ADVISOR_DATA_DIR": str(tmp_path), "ADVISOR_DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split() == ["advisor", "ann", "p@ss", "db.example", "6432", "require"]


def test_redis_gives_a_message_back_only_after_the_time_limit(tmp_path: Path) -> None:
    options = transport_options("redis://127.0.0.1/0", tmp_path, time_limit_s=1800)
    assert options["visibility_timeout"] > 1800


def test_rabbitmq_confirms_what_it_takes(tmp_path: Path) -> None:
    options = transport_options("amqp://127.0.0.1//", tmp_path, time_limit_s=1800)
    assert options == {"confirm_publish": True}


def test_the_folders_of_the_embedded_broker_are_the_owners_only(tmp_path: Path) -> None:
    transport_options("filesystem://localhost/", tmp_path, time_limit_s=1800)
    assert (tmp_path / "broker" / "messages").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "secret",
    [
        "aha_0123abcd_Zm9vYmFyYmF6cXV4",
        "GET /login/Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4/",
        "redis://user:Zm9vYmFyYmF6cXV4@broker:6379/0",
        "Authorization: Bearer Zm9vYmFyYmF6cXV4",
        "password=Zm9vYmFyYmF6cXV4",
    ],
)
def test_secrets_do_not_reach_the_log(secret: str) -> None:
    assert "Zm9vYmFyYmF6cXV4" not in redacted(f"refused {secret} today")


def test_secrets_in_traces_do_not_reach_the_log() -> None:
    try:
        message = "aha_0123abcd_Zm9vYmFyYmF6cXV4"
        raise ValueError(message)
    except ValueError:
        record = logging.LogRecord("n", logging.ERROR, "f", 1, "m %s", ("x",), sys.exc_info())
    Redaction().filter(record)
    assert "Zm9vYmFyYmF6cXV4" not in logging.Formatter().format(record)
