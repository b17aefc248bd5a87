"""Who may call the API, and what every part of it shares."""

from django.http import HttpRequest
from ninja import Schema
from ninja.security import HttpBearer
from pydantic import ConfigDict

from advisor.models import ApiKey, Scope
from advisor.services import accounts

POLL_AFTER_S = 1


class Forbidden(Exception):
    """The key's scopes do not cover what was asked."""


class KeyAuth(HttpBearer):
    """`Authorization: Bearer <key>`; the server prints its key and keeps it in its data folder."""

    def authenticate(self, request: HttpRequest, token: str) -> ApiKey | None:
        return accounts.key_of(token)


class Strict(Schema):
    """Input whose unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


def key_for(request: HttpRequest, scope: Scope) -> ApiKey:
    key = request.auth  # type: ignore[attr-defined]
    if not isinstance(key, ApiKey) or not key.allows(scope):
        message = f"this key may not do that; it needs the scope {scope.value}"
        raise Forbidden(message)
    return key
