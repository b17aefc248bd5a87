"""Whether the site lives and whether it is ready, for whoever watches over it; the login link."""

import shutil
from datetime import timedelta

from django.conf import settings
from django.contrib.auth import login
from django.db import DatabaseError, connection
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from advisor.models import Beat
from advisor.services import accounts, jobs

WORKER_IS_MISSED_AFTER = timedelta(seconds=90)
BACKEND = "django.contrib.auth.backends.ModelBackend"


@never_cache
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """Database, workers and disk: 200 when all are well, 503 when one is not."""
    checks = {"database": _database(), "worker": False, "disk": _disk()}
    if checks["database"]:
        seen = Beat.objects.filter(name="worker", seen_at__gt=Now() - WORKER_IS_MISSED_AFTER)
        checks["worker"] = seen.exists()
    return JsonResponse(checks, status=200 if all(checks.values()) else 503)


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _disk() -> bool:
    return shutil.disk_usage(settings.DATA_DIR).free >= jobs.SPACE_NEEDED_BYTES


@never_cache
@require_safe
def login_by_link(request: HttpRequest, secret: str) -> HttpResponse:
    """Sign in by a one-time link."""
    user = accounts.use_login_link(secret) if request.method == "GET" else None
    if user is None:
        context = {
            "status": 403,
            "heading": "This link does not work any more",
            "message": "It signs in once and for a short time. "
            "`manage.py login_link` prints a new one.",
        }
        return render(request, "error.html", context, status=403)
    login(request, user, backend=BACKEND)
    return redirect("admin:index")
