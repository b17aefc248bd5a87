"""What is done to every request: headers on the answer, the local user without signing in."""

from collections.abc import Callable
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from advisor.services import accounts
from advisor.services.shown import show_in

Handler = Callable[[HttpRequest], HttpResponse]
SIGNED_IN_OTHERWISE = ("/admin/", "/api/", "/login/")
FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP")


def security_headers(get_response: Handler) -> Handler:
    """Headers that Django has no setting for."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Permissions-Policy", settings.PERMISSIONS_POLICY)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        return response

    return middleware


def money_in_dollars(get_response: Handler) -> Handler:
    """Every request starts in USD; the page of a run then takes the run's currency."""

    def middleware(request: HttpRequest) -> HttpResponse:
        show_in(None)
        return get_response(request)

    return middleware


def local_user(get_response: Handler) -> Handler:
    """Take whoever asks for a page on this machine for the local user, when embedded.

    The allowed hosts are this machine's names, so a page elsewhere cannot ask in its own
    name; forms keep their protection against forged requests. The API takes keys only,
    and the admin its own session.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if settings.EMBEDDED and not request.user.is_authenticated and _is_local_page(request):
            request.user = SimpleLazyObject(accounts.local_user)  # type: ignore[assignment]
        return get_response(request)

    return middleware


def _is_local_page(request: HttpRequest) -> bool:
    if request.path.startswith(SIGNED_IN_OTHERWISE):
        return False
    if any(header in request.META for header in FORWARDED):
        return False  # a proxy on this machine speaks for somebody elsewhere
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
