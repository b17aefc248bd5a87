"""The site, assembled."""

from django.contrib import admin
from django.urls import include, path

from advisor import health
from advisor.api import api

admin.autodiscover()  # here, so that commands need not load the admin

urlpatterns = [
    path("healthz", health.live, name="healthz"),
    path("readyz", health.ready, name="readyz"),
    path("login/<str:secret>/", health.login_by_link, name="login-link"),
    path("admin/", admin.site.urls),
    path("api/v1/", api.urls),
    path("", include("advisor.page_urls")),
]

handler400 = "advisor.views.errors.bad_request"
handler403 = "advisor.views.errors.forbidden"
handler404 = "advisor.views.errors.not_found"
handler500 = "advisor.views.errors.server_error"
