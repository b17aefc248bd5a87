"""Problem details as HTTP answers (RFC 9457): one shape for everything that goes wrong."""

import json
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse

CONTENT_TYPE = "application/problem+json"


def problem_response(
    request: HttpRequest, details: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """The answer to a request that went wrong, with the path it was about."""
    body = {**details, "instance": request.path}
    return HttpResponse(
        json.dumps(body),
        status=int(details["status"]),
        content_type=CONTENT_TYPE,
        headers=dict(headers or {}),
    )


def pointer_of(location: tuple[Any, ...]) -> str:
    """JSON Pointer (RFC 6901) of the place a schema names as ("body", "payload", field, ...)."""
    path = [part for part in location[1:] if part not in ("payload", "page")]
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
