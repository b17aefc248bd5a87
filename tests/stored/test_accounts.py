"""Who gets in: keys, links and shares, none of which the database can give away."""

import stat
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import Settings

from advisor.models import ApiKey, Job, Kind, LoginLink, Organisation, Scope, Share
from advisor.services import accounts, jobs

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    return accounts.local_user()


@pytest.fixture
def job(user: User) -> Job:
    return jobs.accept(Kind.ESTIMATE, {}, owner=user)


def test_everybody_belongs_to_the_default_organisation_at_first(user: User) -> None:
    assert accounts.organisation_of(user).slug == "default"


def test_new_rows_go_to_the_organisation_joined_first() -> None:
    member = User.objects.create(username="member")
    acme = Organisation.objects.create(slug="acme", name="Acme")
    member.memberships.create(organisation=acme)
    assert accounts.organisation_of(member) == acme


def test_the_local_user_is_no_administrator(user: User) -> None:
    assert (user.is_staff, user.is_superuser, user.has_usable_password()) == (False, False, False)


def test_a_key_opens_with_its_text(user: User) -> None:
    key, text = accounts.create_key(user, name="ci", scopes=[Scope.RUN])
    assert accounts.key_of(text) == key


def test_the_database_holds_no_part_of_the_secret(user: User) -> None:
    _, text = accounts.create_key(user, name="ci", scopes=[Scope.RUN])
    stored = str(ApiKey.objects.values().get(name="ci"))
    assert text.split("_", 2)[2] not in stored


@pytest.mark.parametrize("wrong", ["", "aha_", "aha__", "no key", "aha_00000000_x"])
def test_what_is_no_key_opens_nothing(wrong: str) -> None:
    assert accounts.key_of(wrong) is None


def test_a_key_with_another_secret_opens_nothing(user: User) -> None:
    key, _ = accounts.create_key(user, name="ci", scopes=[Scope.RUN])
    assert accounts.key_of(f"aha_{key.prefix}_{'x' * 43}") is None


def test_a_revoked_key_opens_nothing(user: User) -> None:
    key, text = accounts.create_key(user, name="ci", scopes=[Scope.RUN])
    accounts.revoke_key(key)
    assert accounts.key_of(text) is None


def test_an_expired_key_opens_nothing(user: User) -> None:
    past = timezone.now() - timedelta(seconds=5)
    _, text = accounts.create_key(user, name="ci", scopes=[Scope.RUN], expires_at=past)
    assert accounts.key_of(text) is None


def test_the_key_of_somebody_who_left_opens_nothing(user: User) -> None:
    _, text = accounts.create_key(user, name="ci", scopes=[Scope.RUN])
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert accounts.key_of(text) is None


def test_the_last_use_of_a_key_is_kept(user: User) -> None:
    key, text = accounts.create_key(user, name="ci", scopes=[Scope.RUN])
    accounts.key_of(text)
    key.refresh_from_db()
    assert key.last_used_at is not None


@pytest.mark.parametrize(
    ("scopes", "allowed"),
    [([Scope.RUN], True), ([Scope.EXPORT], False), ([Scope.ADMIN], True), ([], False)],
)
def test_a_key_allows_what_its_scopes_cover(
    user: User, scopes: list[Scope], allowed: object
) -> None:
    key, _ = accounts.create_key(user, name="ci", scopes=scopes)
    assert key.allows(Scope.RUN) is allowed


def test_the_embedded_key_is_kept_for_its_owner_only(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    accounts.embedded_key()
    assert stat.S_IMODE((tmp_path / "api_key").stat().st_mode) == 0o600


def test_the_embedded_key_stays_the_same(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    assert accounts.embedded_key() == accounts.embedded_key()


def test_a_new_database_gets_a_new_embedded_key(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    first = accounts.embedded_key()
    ApiKey.objects.all().delete()
    assert accounts.key_of(accounts.embedded_key()) is not None
    assert accounts.key_of(first) is None


def test_a_login_link_signs_in_once() -> None:
    secret = accounts.create_login_link()
    first, second = accounts.use_login_link(secret), accounts.use_login_link(secret)
    assert (first and first.username, second) == ("admin", None)


def test_an_expired_login_link_signs_nobody_in() -> None:
    assert accounts.use_login_link(accounts.create_login_link(life_s=-1)) is None


def test_the_secret_of_a_login_link_is_not_stored() -> None:
    secret = accounts.create_login_link()
    assert secret not in str(LoginLink.objects.values().get())


def test_a_share_opens_its_job(user: User, job: Job) -> None:
    _, secret = accounts.share_job(job, user)
    assert accounts.shared_job(secret) == job


def test_a_revoked_share_opens_nothing(user: User, job: Job) -> None:
    share, secret = accounts.share_job(job, user)
    Share.objects.filter(pk=share.pk).update(revoked_at=timezone.now())
    assert accounts.shared_job(secret) is None


def test_an_expired_share_opens_nothing(user: User, job: Job) -> None:
    _, secret = accounts.share_job(job, user, expires_at=timezone.now() - timedelta(seconds=5))
    assert accounts.shared_job(secret) is None
