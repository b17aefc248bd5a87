"""Who may see a page, and what every answer says to the browser."""

from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.core.management import call_command
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import URLPattern, get_resolver
from django.utils import timezone
from pytest_django import Settings

from advisor.middleware import local_user
from advisor.models import Beat
from advisor.services import accounts

pytestmark = pytest.mark.django_db


def plain_paths() -> list[str]:
    """Every path of ours that needs no argument."""
    found = []
    for pattern in get_resolver().url_patterns:
        patterns = [pattern] if isinstance(pattern, URLPattern) else pattern.url_patterns
        prefix = "" if isinstance(pattern, URLPattern) else str(pattern.pattern)
        routes = [prefix + str(each.pattern) for each in patterns if isinstance(each, URLPattern)]
        found += [f"/{route}" for route in routes if not set("<(?^") & set(route)]
    return sorted(set(found))


def signed_in(path: str, **headers: str) -> str:
    """Whom the site takes a request for."""
    request = RequestFactory().get(path)
    request.META.update(headers)
    request.user = AnonymousUser()
    seen: list[str] = []

    def view(asked: HttpRequest) -> HttpResponse:
        seen.append(str(asked.user.username))
        return HttpResponse()

    local_user(view)(request)
    return seen[0]


@pytest.mark.parametrize("path", plain_paths())
def test_every_answer_forbids_scripts_from_elsewhere(client: Client, path: str) -> None:
    policy = client.get(path).headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "default-src 'none'" in policy


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("Referrer-Policy", "same-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
    ],
)
def test_every_answer_tells_the_browser_to_be_careful(
    client: Client, header: str, value: str
) -> None:
    assert client.get("/healthz").headers[header] == value


def test_no_script_and_no_evaluation_is_ever_allowed_inline(client: Client) -> None:
    directives = client.get("/healthz").headers["Content-Security-Policy"].split("; ")
    scripts = next(each for each in directives if each.startswith("script-src"))
    assert scripts == "script-src 'self'"


@pytest.mark.parametrize("path", [path for path in plain_paths() if "/api/" not in path])
def test_no_form_is_taken_without_its_token(path: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(path, {"x": "1"}).status_code in {403, 405}


def test_a_name_of_another_site_is_refused(client: Client) -> None:
    assert client.get("/healthz", headers={"host": "rebound.example"}).status_code == 400


def test_pages_on_this_machine_are_the_local_users() -> None:
    assert signed_in("/", REMOTE_ADDR="127.0.0.1") == "local"


def test_pages_over_ipv6_on_this_machine_are_the_local_users() -> None:
    assert signed_in("/", REMOTE_ADDR="::1") == "local"


@pytest.mark.parametrize("path", ["/admin/", "/api/v1/assessments", "/login/secret/"])
def test_admin_and_api_know_no_local_user(path: str) -> None:
    assert signed_in(path, REMOTE_ADDR="127.0.0.1") == ""


def test_somebody_elsewhere_is_not_the_local_user() -> None:
    assert signed_in("/", REMOTE_ADDR="192.0.2.7") == ""


def test_somebody_behind_a_proxy_is_not_the_local_user() -> None:
    assert signed_in("/", REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_FOR="192.0.2.7") == ""


def test_production_knows_no_local_user(settings: Settings) -> None:
    settings.EMBEDDED = False
    assert signed_in("/", REMOTE_ADDR="127.0.0.1") == ""


def test_whoever_has_signed_in_stays_who_they_are(client: Client) -> None:
    admin = accounts.local_admin()
    client.force_login(admin)
    assert client.get("/admin/").status_code == 200


def test_the_admin_asks_for_a_sign_in(client: Client) -> None:
    assert client.get("/admin/").headers["Location"].startswith("/admin/login/")


def test_a_login_link_opens_the_admin(client: Client) -> None:
    client.get(f"/login/{accounts.create_login_link()}/")
    assert client.get("/admin/").status_code == 200


def test_the_printed_login_link_opens_the_admin(client: Client) -> None:
    printed = StringIO()
    call_command("login_link", stdout=printed)
    client.get(printed.getvalue().strip().removeprefix("http://127.0.0.1:8000"))
    assert client.get("/admin/").status_code == 200


def test_a_used_login_link_opens_nothing(client: Client) -> None:
    secret = accounts.create_login_link()
    Client().get(f"/login/{secret}/")
    assert client.get(f"/login/{secret}/").status_code == 403


def test_looking_at_a_login_link_does_not_use_it_up(client: Client) -> None:
    secret = accounts.create_login_link()
    client.head(f"/login/{secret}/")
    assert client.get(f"/login/{secret}/").status_code == 302


def test_guessing_passwords_is_stopped(client: Client) -> None:
    User.objects.create_user("root", password="right one", is_staff=True)  # noqa: S106
    wrong = {"username": "root", "password": "wrong"}
    statuses = [client.post("/admin/login/", wrong).status_code for _ in range(5)]
    right = {"username": "root", "password": "right one"}
    assert [*statuses, client.post("/admin/login/", right).status_code] == [200] * 4 + [429] * 2


def test_the_site_is_not_ready_without_a_worker(client: Client) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["worker"]) == (503, False)


def test_the_site_is_ready_while_a_worker_answers(client: Client) -> None:
    Beat.objects.create(name="worker", seen_at=timezone.now())
    assert client.get("/readyz").status_code == 200


def test_a_worker_seen_long_ago_is_missed(client: Client) -> None:
    Beat.objects.create(name="worker", seen_at=timezone.now() - timedelta(minutes=5))
    assert client.get("/readyz").status_code == 503
