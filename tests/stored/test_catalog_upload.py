"""Price feeds uploaded in the admin."""

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from catalog.admin import upload
from catalog.models import PricePoint

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]
FEED = (
    b"InstanceType,AcceleratorName,AcceleratorCount,Region,Price\n"
    b"p5.48xlarge,H100,8,sa-east-1,55.04\n"
    b"p2.xlarge,K80,1,us-east-1,0.9\n"
)


def send(client: Client, button: str, content: bytes = FEED, name: str = "aws.csv") -> str:
    file = SimpleUploadedFile(name, content)
    response = client.post(
        reverse("admin:catalog_pricepoint_upload"),
        {"form": "skypilot", "file": file, button: ""},
        follow=True,
    )
    return response.content.decode()


def test_a_preview_says_what_would_happen(admin_client: Client) -> None:
    html = send(admin_client, "look")
    assert "Preview: nothing was changed" in html
    assert "aws.csv, line 3: accelerator “K80” is not in the catalogue" in html


def test_a_preview_changes_nothing(admin_client: Client) -> None:
    before = PricePoint.objects.count()
    send(admin_client, "look")
    assert PricePoint.objects.count() == before


def test_an_import_says_what_was_done(admin_client: Client) -> None:
    before = PricePoint.objects.count()
    html = send(admin_client, "take")
    assert "1 prices added, 0 changed, 0 unchanged, 1 rows refused." in html
    assert PricePoint.objects.count() == before + 1


def test_a_file_of_another_format_is_refused_in_the_form(admin_client: Client) -> None:
    html = send(admin_client, "take", b"a,b\n1,2\n")
    assert "the header lacks InstanceType" in html


def test_a_file_that_is_no_text_is_refused_in_the_form(admin_client: Client) -> None:
    assert "not UTF-8 text" in send(admin_client, "take", b"\xff\xfe")


def test_a_file_that_is_too_large_says_what_helps(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload, "LARGEST_UPLOAD_BYTES", 10)
    assert "manage.py import_prices" in send(admin_client, "take")


def test_markup_in_a_feed_is_shown_as_text(admin_client: Client) -> None:
    html = send(admin_client, "look", FEED.replace(b"K80", b"<script>alert(1)</script>"))
    assert "<script>alert(1)" not in html


def test_staff_without_the_right_to_add_prices_cannot_upload(client: Client) -> None:
    client.force_login(User.objects.create_user("looker", is_staff=True))
    assert client.get(reverse("admin:catalog_pricepoint_upload")).status_code == 403


def test_the_list_of_prices_leads_to_the_upload(admin_client: Client) -> None:
    html = admin_client.get(reverse("admin:catalog_pricepoint_changelist")).content.decode()
    assert reverse("admin:catalog_pricepoint_upload") in html
