"""The balance by weights on a run's page: each term of it."""

from django.test import Client

from advisor.services.advice import advise
from advisor.templatetags.quantities import amount, bound, number, percent
from tests.web.conftest import MakeRun
from tests.web.test_run import page_of, text_of


def test_each_term_of_the_balance_is_shown(pages: Client, make_run: MakeRun) -> None:
    document = advise({"preset": "chatbot_1m", "answers": {"solve_for": "weighted"}})
    text = text_of(page_of(pages, make_run(document)))

    terms = document["objective"]["choices"][0]["recommended"]["terms"]
    rows = [
        " ".join((
            term["label"], number(term["term"]), percent(term["weight"]), bound(term, "best"),
            amount(term), f"{number(term['cost_per_percent'])} %",
        ))
        for term in terms
    ]  # fmt: skip
    assert (len(rows), [row for row in rows if row not in text]) == (5, [])
