"""Who is who: organisations, the local user, API keys, login links and shares."""

import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from advisor.models import (
    ApiKey,
    Job,
    LoginLink,
    Membership,
    Organisation,
    Role,
    Scope,
    Share,
)
from advisor.models.organisations import DEFAULT_ORGANISATION
from advisor.services.clock import from_now

LOCAL_USER = "local"
LOCAL_ADMIN = "admin"
KEY_MARK = "aha"
SECRET_BYTES = 32
LINK_LIFE_S = 15 * 60
LAST_USE_IS_KEPT_TO = timedelta(minutes=1)


def hashed(secret: str) -> str:
    """SHA-256 of a secret of 32 random bytes, for which a slow hash would add nothing."""
    return hashlib.sha256(secret.encode()).hexdigest()


def default_organisation() -> Organisation:
    """The one organisation of the embedded set-up."""
    organisation, _ = Organisation.objects.get_or_create(
        slug=DEFAULT_ORGANISATION, defaults={"name": "Default organisation"}
    )
    return organisation


def organisation_of(user: User) -> Organisation:
    """Where a user's new rows go: the first organisation joined, else the default one."""
    membership = Membership.objects.filter(user=user).select_related("organisation").first()
    if membership is not None:
        return membership.organisation
    organisation = default_organisation()
    Membership.objects.get_or_create(user=user, organisation=organisation)
    return organisation


def local_user() -> User:
    """Who uses the pages of the embedded set-up without signing in; no administrator."""
    user = User.objects.filter(username=LOCAL_USER).first()
    return user or _without_password(LOCAL_USER)


def local_admin() -> User:
    """Who opens the admin of the embedded set-up by a one-time link."""
    user = User.objects.filter(username=LOCAL_ADMIN).first()
    if user is None:
        user = _without_password(LOCAL_ADMIN, is_staff=True, is_superuser=True)
        Membership.objects.filter(user=user).update(role=Role.ADMINISTRATOR)
    return user


def _without_password(name: str, **flags: bool) -> User:
    with transaction.atomic():
        user, made = User.objects.get_or_create(username=name, defaults=flags)
        if made:
            user.set_unusable_password()
            user.save()
            organisation_of(user)
    return user


def create_key(
    user: User,
    *,
    name: str,
    scopes: Iterable[Scope],
    expires_at: datetime | None = None,
    organisation: Organisation | None = None,
) -> tuple[ApiKey, str]:
    """A new key and its text, which is shown this once and kept nowhere."""
    prefix, secret = secrets.token_hex(4), secrets.token_urlsafe(SECRET_BYTES)
    key = ApiKey.objects.create(
        name=name,
        prefix=prefix,
        secret_hash=hashed(secret),
        scopes=[str(scope) for scope in scopes],
        expires_at=expires_at,
        owner=user,
        organisation=organisation or organisation_of(user),
    )
    return key, f"{KEY_MARK}_{prefix}_{secret}"


def key_of(text: str) -> ApiKey | None:
    """The live key with this text; None where it is unknown, expired or revoked."""
    mark, _, rest = text.partition("_")
    prefix, _, secret = rest.partition("_")
    if mark != KEY_MARK or not secret:
        return None
    live = Q(expires_at__isnull=True) | Q(expires_at__gt=Now())
    key = (
        ApiKey.objects.filter(live, prefix=prefix, revoked_at__isnull=True, owner__is_active=True)
        .select_related("owner", "organisation")
        .first()
    )
    stored = key.secret_hash if key else hashed("")
    if not hmac.compare_digest(stored, hashed(secret)) or key is None:
        return None
    now = timezone.now()
    if key.last_used_at is None or now - key.last_used_at > LAST_USE_IS_KEPT_TO:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
    return key


def revoke_key(key: ApiKey) -> None:
    """Let a key open nothing any more."""
    ApiKey.objects.filter(pk=key.pk, revoked_at__isnull=True).update(revoked_at=Now())


def embedded_key() -> str:
    """The text of the embedded set-up's own key, kept in the data folder for its owner only."""
    path = Path(settings.DATA_DIR) / "api_key"
    if path.exists():
        text = path.read_text().strip()
        if key_of(text) is not None:
            return text
    _, text = create_key(local_user(), name="embedded", scopes=[Scope.ADMIN])
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{text}\n")
    return text


def create_login_link(user: User | None = None, *, life_s: float = LINK_LIFE_S) -> str:
    """The secret of a link that signs a user in once, by default the local administrator."""
    secret = secrets.token_urlsafe(SECRET_BYTES)
    LoginLink.objects.create(
        user=user or local_admin(), secret_hash=hashed(secret), expires_at=from_now(life_s)
    )
    return secret


def use_login_link(secret: str) -> User | None:
    """Whom a link signs in; None where it is unknown, expired or was used before."""
    links = LoginLink.objects.filter(secret_hash=hashed(secret))
    used = links.filter(used_at__isnull=True, expires_at__gt=Now(), user__is_active=True).update(
        used_at=Now()
    )
    return links.select_related("user").get().user if used else None


def share_job(job: Job, user: User, *, expires_at: datetime | None = None) -> tuple[Share, str]:
    """Let whoever has the returned secret read a job."""
    secret = secrets.token_urlsafe(SECRET_BYTES)
    share = Share.objects.create(
        job=job,
        secret_hash=hashed(secret),
        expires_at=expires_at,
        owner=user,
        organisation=job.organisation,
    )
    return share, secret


def shared_job(secret: str) -> Job | None:
    """The job that a share's secret opens; None where it is unknown, expired or revoked."""
    live = Q(expires_at__isnull=True) | Q(expires_at__gt=Now())
    share = (
        Share.objects.filter(live, secret_hash=hashed(secret), revoked_at__isnull=True)
        .select_related("job")
        .first()
    )
    return share.job if share else None
