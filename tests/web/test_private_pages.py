"""Pages of quotes and price book, and the comparison of quotes beside an answer."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from advisor.models import Job
from advisor.services import assessments
from advisor.services.accounts import local_user
from advisor.services.work import run_job
from catalog.queries import snapshot
from catalog.services import keep_snapshot
from costing.models import Bid, OwnPrice
from costing.services import BID, as_csv
from tests.stored.test_bids import BUY, RENT, bid

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]


def answered(client: Client, **answers: object) -> Job:
    made = assessments.create({"preset": "pretrain_7b", "answers": answers}, local_user())
    job = assessments.start_run(made)
    if job.state == "queued":
        run_job(job.pk)
    job.refresh_from_db()
    keep_snapshot(snapshot())
    return job


def test_an_empty_list_says_what_to_do(client: Client) -> None:
    assert "No quotes yet" in client.get("/bids").content.decode()


def test_a_quote_typed_in_is_listed(client: Client) -> None:
    client.post("/bids/new", {**RENT, "covers": ["egress", "support"]})
    page = client.get("/bids").content.decode()
    assert ("Acme Cloud" in page, Bid.objects.get().covers) == (True, ["egress", "support"])


def test_a_bad_quote_comes_back_with_every_field_to_change(client: Client) -> None:
    page = client.post("/bids/new", {**RENT, "price": "cheap", "valid_until": "soon"})
    text = page.content.decode()
    assert (page.status_code, "is not a number" in text, "is not a date" in text) == (
        422,
        True,
        True,
    )


def test_a_quote_is_changed_in_place(client: Client) -> None:
    kept = bid(RENT)
    client.post(f"/bids/{kept.pk}", {**RENT, "price": "1.9"})
    kept.refresh_from_db()
    assert float(kept.price) == 1.9


def test_a_form_shows_what_was_kept(client: Client) -> None:
    kept = bid(BUY)
    page = client.get(f"/bids/{kept.pk}").content.decode()
    assert 'value="280000"' in page


def test_a_dropped_quote_is_gone(client: Client) -> None:
    client.post(f"/bids/{bid(RENT).pk}/drop")
    assert not Bid.objects.exists()


def test_another_organisations_quote_is_not_found(client: Client) -> None:
    other = bid(RENT, organisation="other")
    assert client.get(f"/bids/{other.pk}").status_code == 404


def test_a_file_of_quotes_is_taken(client: Client) -> None:
    content = as_csv(BID, [bid(RENT)]).replace("A-1", "A-2").encode()
    client.post("/bids/import", {"file": SimpleUploadedFile("bids.csv", content)})
    assert Bid.objects.filter(reference="A-2").exists()


@pytest.mark.parametrize("content", [b"a,b\n1,2\n", b"", b"\x00\xff\xfe", b'vendor\n"unclosed'])
def test_a_file_that_is_none_is_refused_with_the_reason(client: Client, content: bytes) -> None:
    page = client.post("/bids/import", {"file": SimpleUploadedFile("bids.csv", content)})
    assert (page.status_code, 'role="alert"' in page.content.decode()) == (422, True)


def test_the_file_goes_out_as_it_came(client: Client) -> None:
    bid(RENT)
    assert client.get("/bids.csv").content.decode() == as_csv(BID, list(Bid.objects.all()))


def test_a_price_of_ones_own_is_listed_with_its_end(client: Client) -> None:
    client.post(
        "/prices/new",
        {"what": "discount", "amount": "12", "provider": "aws", "valid_until": "2026-01-31"},
    )
    page = client.get("/prices").content.decode()
    assert ("12 % off" in page, "ended" in page, OwnPrice.objects.count()) == (True, True, 1)


def test_the_price_book_shows_every_rate_with_its_source(client: Client) -> None:
    page = client.get("/prices").content.decode()
    assert "People to run a deployment in a public cloud" in page
    assert "Porting a code base" in page


def test_an_answer_compares_the_quotes_that_stand_now(client: Client) -> None:
    job = answered(client)
    bid(RENT, price="0.2")
    page = client.get(f"/runs/{job.pk}/bids").content.decode()
    assert ("Acme Cloud, A-1 wins" in page, "Leaving after" in page) == (True, True)


def test_without_quotes_the_page_says_what_to_beat(client: Client) -> None:
    page = client.get(f"/runs/{answered(client).pk}/bids").content.decode()
    assert "what a quote has to beat" in page


def test_an_answer_in_euros_shows_euros(client: Client) -> None:
    job = answered(client, currency="EUR")
    page = client.get(f"/runs/{job.pk}").content.decode()
    assert ("€" in page, "1 EUR = 1.1699 USD" in page) == (True, True)
    assert "$" not in page.partition("<main")[2].partition("</main")[0]


def test_the_next_page_is_in_dollars_again(client: Client) -> None:
    client.get(f"/runs/{answered(client, currency='EUR').pk}")
    page = client.get(f"/runs/{answered(client).pk}").content.decode()
    assert "€" not in page
