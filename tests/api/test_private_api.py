"""Quotes and own prices by the API: the same rows, the same refusals."""

import json
from typing import Any

import pytest
from django.test import Client

from advisor.models import Scope
from costing.models import Bid
from tests.api.test_api import ROOT, client_with, post
from tests.stored.test_bids import RENT, bid

pytestmark = pytest.mark.django_db


@pytest.fixture
def program(catalogue: None) -> Client:
    return client_with(Scope.ADMIN)


def test_a_quote_is_kept_changed_and_dropped(program: Client) -> None:
    kept = post(program, "/bids", {**RENT, "price": 2.1, "covers": ["egress"]})
    at = f"{ROOT}/bids/{kept.json()['id']}"
    changed = program.put(at, json.dumps({**RENT, "price": 1.9}), content_type="application/json")
    dropped = program.delete(at)
    assert (
        kept.status_code,
        changed.json()["cells"]["price"],
        dropped.status_code,
        program.get(f"{ROOT}/bids").json(),
    ) == (201, "1.9", 204, {"items": []})


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"price": -1}, "/price"),
        ({"purchase": "stolen"}, "/purchase"),
        ({"accelerator": "h9000"}, "/accelerator"),
        ({"currency": "XXX"}, "/currency"),
    ],
)
def test_a_bad_field_is_named(program: Client, change: dict[str, Any], pointer: str) -> None:
    refused = post(program, "/bids", RENT | change)
    assert (refused.status_code, [e["pointer"] for e in refused.json()["errors"]]) == (
        422,
        [pointer],
    )


def test_an_unknown_field_is_refused(program: Client) -> None:
    assert post(program, "/bids", RENT | {"colour": "red"}).status_code == 422


def test_a_file_goes_out_and_in_again(program: Client) -> None:
    bid(RENT)
    content = program.get(f"{ROOT}/bids.csv").content
    taken = program.post(f"{ROOT}/bids.csv", content, content_type="text/csv")
    assert taken.json() == {"added": 0, "changed": 1, "refused": []}


def test_a_file_that_is_none_is_a_problem(program: Client) -> None:
    refused = program.post(f"{ROOT}/bids.csv", b"a,b\n", content_type="text/csv")
    assert (refused.status_code, refused.headers["Content-Type"]) == (
        422,
        "application/problem+json",
    )


def test_another_organisations_quote_is_not_found(catalogue: None) -> None:
    kept = bid(RENT)
    stranger = client_with(Scope.ADMIN, name="bob")
    assert stranger.delete(f"{ROOT}/bids/{kept.pk}").status_code == 404
    assert Bid.objects.exists()


def test_a_key_without_the_scope_may_not_keep_quotes(catalogue: None) -> None:
    reader = client_with(Scope.READ_CATALOGUE)
    assert post(reader, "/bids", RENT).status_code == 403


def test_a_price_of_ones_own_is_kept(program: Client) -> None:
    kept = post(program, "/own-prices", {"what": "discount", "amount": 12.5, "provider": "aws"})
    assert kept.json()["cells"]["amount"] == "12.5"
