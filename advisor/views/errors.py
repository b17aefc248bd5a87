"""Error pages that say what happened and where to go."""

import logging
import secrets

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
    return _page(request, BAD_REQUEST)


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
