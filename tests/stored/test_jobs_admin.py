"""Assessments, jobs and keys in the admin."""

import pytest
from django.contrib.admin.utils import quote
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from advisor.models import ApiKey, Assessment, Calibration, Job, LoginLink, Scope, Share, State
from advisor.services import accounts, assessments

pytestmark = pytest.mark.django_db
TABLES: tuple[type[Model], ...] = (Assessment, Job, Calibration, ApiKey, LoginLink, Share)
QUERIES = 12


@pytest.fixture(autouse=True)
def run() -> Job:
    """One row of each table."""
    user = accounts.local_user()
    raw = {"preset": "chatbot_1m", "answers": {}}
    job = assessments.start_run(assessments.create(raw, user))
    accounts.create_key(user, name="ci", scopes=[Scope.RUN])
    accounts.create_login_link()
    accounts.share_job(job, user)
    Calibration.objects.create(version="1", subject="serving", parameters={})
    return job


def address(model: type[Model], kind: str, *args: object) -> str:
    return reverse(f"admin:advisor_{model._meta.model_name}_{kind}", args=args)


@pytest.mark.parametrize("model", TABLES)
def test_every_table_is_listed_in_a_few_queries(
    admin_client: Client,
    model: type[Model],
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_max_num_queries(QUERIES):
        assert admin_client.get(address(model, "changelist"), {"q": "x"}).status_code == 200


@pytest.mark.parametrize("model", TABLES)
def test_a_row_can_be_looked_at_and_not_be_changed(
    admin_client: Client, model: type[Model]
) -> None:
    row = model._default_manager.get()
    page = admin_client.get(address(model, "change", quote(row.pk)))
    assert (page.status_code, b'name="_save"' in page.content) == (200, False)


@pytest.mark.parametrize("model", [ApiKey, LoginLink, Share])
def test_not_even_the_hash_of_a_secret_is_shown(admin_client: Client, model: type[Model]) -> None:
    row = model._default_manager.values("pk", "secret_hash").get()
    page = admin_client.get(address(model, "change", quote(row["pk"])))
    assert row["secret_hash"] not in page.content.decode()


def test_an_administrator_can_cancel_a_job(admin_client: Client, run: Job) -> None:
    chosen = {"action": "cancel", "_selected_action": [str(run.pk)]}
    admin_client.post(address(Job, "changelist"), chosen)
    run.refresh_from_db()
    assert run.state == State.CANCELLED


def test_an_administrator_can_revoke_a_key(admin_client: Client) -> None:
    key = ApiKey.objects.get(name="ci")
    admin_client.post(
        address(ApiKey, "changelist"), {"action": "revoke", "_selected_action": [str(key.pk)]}
    )
    key.refresh_from_db()
    assert key.revoked_at is not None
