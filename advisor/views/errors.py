"""Error pages that say what happened and where to go."""

import logging
import secrets

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from advisor.problems import problem_response
from advisor.services.refusals import problem

log = logging.getLogger(__name__)

BAD_REQUEST = (400, "This request could not be read", "Go back, check what you typed, send again.")
FORBIDDEN = (403, "This is not yours to see", "Sign in as somebody who may, or ask the owner.")
NOT_FOUND = (
    404,
    "There is no such page",
    "It may have been deleted, or the address has a typing error.",
)
STALE_FORM = (
    403,
    "This form was open for too long",
    "Its protection against forged requests has run out. Go back, reload the page, send again.",
)


def _page(request: HttpRequest, facts: tuple[int, str, str]) -> HttpResponse:
    status, heading, message = facts
    if request.path.startswith("/api/"):
        return problem_response(request, problem("http", heading, status=status, detail=message))
    context = {"status": status, "heading": heading, "message": message}
    return render(request, "error.html", context, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    too_large = isinstance(exception, RequestDataTooBig)
    return _page(request, _too_large() if too_large else BAD_REQUEST)


def _too_large() -> tuple[int, str, str]:
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1_000_000
    return (
        413,
        "This request is too large",
        f"Text in a request may have {most} MB. Upload a larger log of requests as a file on the "
        "page of the answers, or send it packed: as that page keeps it.",
    )


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, FORBIDDEN)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, NOT_FOUND)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _page(request, STALE_FORM)


def server_error(request: HttpRequest) -> HttpResponse:
    reference = secrets.token_hex(4)
    log.error("error page %s for %s", reference, request.path)
    return HttpResponse(render_to_string("500.html", {"reference": reference}), status=500)
