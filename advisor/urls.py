"""The site, assembled."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.contrib import admin
from django.urls import include, path

from advisor import health

admin.autodiscover()

urlpatterns: list[Any] = [
    path("healthz", health.live, name="healthz"),
    path("readyz", health.ready, name="readyz"),
    path("login/<str:secret>/", health.login_by_link, name="login-link"),
    path("admin/", admin.site.urls),
]
if find_spec("advisor.api"):
    urlpatterns.append(path("api/v1/", import_module("advisor.api").api.urls))
if find_spec("advisor.page_urls"):
    urlpatterns.append(path("", include("advisor.page_urls")))

handler400 = "advisor.views.errors.bad_request"
handler403 = "advisor.views.errors.forbidden"
handler404 = "advisor.views.errors.not_found"
handler500 = "advisor.views.errors.server_error"
