"""The catalogue's admin: every table can be found, read, edited where that is right."""

from decimal import Decimal

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.db import connection
from django.db.models import Model
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from catalog.exports import safe_cell
from catalog.models import Accelerator, Offer, PricePoint, Source
from catalog.queries import snapshot
from catalog.services import keep_snapshot

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]
TABLES = [
    model
    for model in apps.get_app_config("catalog").get_models()
    if not model.__name__.startswith("Historical")
]
MOST_QUERIES = 14  # session, user, count, rows, and one for each filter's choices


def page(model: type[Model], kind: str, *args: object) -> str:
    return reverse(f"admin:catalog_{model._meta.model_name}_{kind}", args=args)


@pytest.mark.parametrize("model", TABLES)
def test_every_table_has_a_page_with_search_and_filters(model: type[Model]) -> None:
    page_ = admin.site._registry[model]
    assert page_.search_fields
    assert page_.list_filter


@pytest.mark.parametrize("model", TABLES)
def test_a_list_takes_few_queries_however_many_rows(
    admin_client: Client, model: type[Model]
) -> None:
    keep_snapshot(snapshot())
    with CaptureQueriesContext(
        connection,
    ) as queries:
        response = admin_client.get(page(model, "changelist"))
    assert response.status_code == 200
    assert len(queries) <= MOST_QUERIES


@pytest.mark.parametrize("model", TABLES)
def test_searching_a_list_finds_no_nonsense(rf: RequestFactory, model: type[Model]) -> None:
    rows, _ = admin.site._registry[model].get_search_results(
        rf.get("/"), model._default_manager.all(), "no such thing 4711"
    )
    assert not rows.exists()


@pytest.mark.parametrize("model", [m for m in TABLES if m._meta.model_name != "snapshot"])
def test_a_row_takes_few_queries(admin_client: Client, model: type[Model]) -> None:
    row = model._default_manager.first()
    if row is None:
        pytest.skip(f"no {model.__name__} is shipped")
    with CaptureQueriesContext(connection) as queries:
        response = admin_client.get(page(model, "change", quote(row.pk)))
    assert response.status_code == 200
    assert len(queries) <= MOST_QUERIES


@pytest.mark.parametrize("age", ["fresh", "older", "old", "expired", "none"])
def test_prices_can_be_filtered_by_age(admin_client: Client, age: str) -> None:
    response = admin_client.get(page(PricePoint, "changelist"), {"age": age})
    assert response.status_code == 200


def test_age_bands_take_every_price_once(admin_client: Client) -> None:
    found = [
        admin_client.get(page(PricePoint, "changelist"), {"age": age}).context["cl"].result_count
        for age in ("fresh", "older", "old", "expired", "none")
    ]
    assert sum(found) == PricePoint.objects.count()


def test_rows_whose_source_has_no_address_can_be_found(admin_client: Client) -> None:
    url = page(Accelerator, "changelist")
    listed = admin_client.get(url, {"source_state": "offline"}).context["cl"].result_count
    assert listed == Accelerator.objects.filter(source__url="").count()


def test_a_source_is_a_link_to_the_original(admin_client: Client) -> None:
    source = Accelerator.objects.select_related("source").get(slug="nvidia-h200-sxm").source
    html = admin_client.get(page(Accelerator, "changelist"), {"q": "h200-sxm"}).content.decode()
    assert f'<a href="{source.url}" rel="noreferrer noopener">' in html


def test_a_source_with_another_scheme_is_no_link(admin_client: Client) -> None:
    Source.objects.create(title="A trap", url="javascript:alert(1)")
    html = admin_client.get(page(Source, "changelist"), {"q": "A trap"}).content.decode()
    assert "javascript:alert" not in html


def test_an_edit_in_the_admin_is_kept_as_history(admin_client: Client) -> None:
    h100 = Accelerator.objects.get(slug="nvidia-h100-sxm")
    form = admin_client.get(page(Accelerator, "change", h100.pk)).context["adminform"].form
    values = {name: form.get_initial_for_field(f, name) for name, f in form.fields.items()}
    values = {name: "" if value is None else value for name, value in values.items()}
    values |= {"tdp_w": "650", "aliases": "[]", "software": "[]"}
    response = admin_client.post(page(Accelerator, "change", h100.pk), values)
    assert response.status_code == 302
    h100.refresh_from_db()
    newest = h100.history.latest()
    assert (h100.tdp_w, newest.tdp_w, newest.history_user.username) == (
        Decimal(650),
        Decimal(650),
        "admin",
    )


def test_a_price_can_be_added_but_not_edited(admin_client: Client) -> None:
    price = PricePoint.objects.first()
    assert price is not None
    assert admin_client.get(page(PricePoint, "add")).status_code == 200
    assert admin_client.post(page(PricePoint, "change", price.pk), {}).status_code == 403
    assert admin_client.post(page(PricePoint, "delete", price.pk), {}).status_code == 403


def test_an_offer_shows_its_prices(admin_client: Client) -> None:
    offer = Offer.objects.filter(prices__usd_per_h__isnull=False).first()
    assert offer is not None
    html = admin_client.get(page(Offer, "change", offer.pk)).content.decode()
    newest = offer.prices.first()
    assert newest is not None
    assert str(newest.observed_first.year) in html


def test_accelerators_can_be_picked_by_typing(admin_client: Client) -> None:
    query = {
        "term": "h100",
        "app_label": "catalog",
        "model_name": "offer",
        "field_name": "accelerator",
    }
    found = admin_client.get(reverse("admin:autocomplete"), query).json()["results"]
    assert "nvidia-h100-sxm" in {row["id"] for row in found}


@pytest.mark.parametrize("form", ["0", "1"])
def test_a_table_can_be_exported(admin_client: Client, form: str) -> None:
    url = page(Accelerator, "export")
    fields = admin_client.get(url).context["form"].fields
    ticked = {name: "on" for name in fields if name not in {"format", "resource", "export_items"}}
    response = admin_client.post(url, {"format": form, "resource": "0", **ticked})
    assert response.status_code == 200
    assert len(response.content) > 1000


@pytest.mark.parametrize("text", ["=1+1", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1"])
def test_an_exported_text_is_no_formula(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("value", [-77.03, "-77.03", Decimal("-1"), "plain", "", None, 5])
def test_an_exported_number_stays_one(value: object) -> None:
    assert safe_cell(value) == value


def test_a_visitor_who_is_not_signed_in_sees_nothing(client: Client) -> None:
    assert client.get(page(Accelerator, "changelist")).status_code == 302
