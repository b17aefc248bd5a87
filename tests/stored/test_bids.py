"""Quotes and price books as rows: kept, frozen with a run, compared, never another's."""

from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from django.utils import timezone

from advisor.engine.calibration import shipped_calibration
from advisor.questions import read_answers
from advisor.services import assessments
from advisor.services.accounts import local_user
from advisor.services.advice import Worked, worked
from advisor.services.bids import comparison
from advisor.services.private import frozen, private_of, thawed
from catalog.engine.shipped import shipped_snapshot
from catalog.engine.tables import BadTable
from costing.engine.rates import shipped_rates
from costing.models import Bid, OwnPrice
from costing.queries import bid_values
from costing.services import BID, OWN_PRICE, BadRow, as_csv, keep, take_csv

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate()
RENT = {
    "vendor": "Acme Cloud", "reference": "A-1", "purchase": "on_demand",
    "accelerator": "nvidia-h100-sxm", "accelerators_per_system": "8", "price": "2.1",
    "price_per": "accelerator_hour", "currency": "USD", "minimum_months": "12",
    "valid_until": (TODAY + timedelta(days=30)).isoformat(), "country": "DE", "covers": "egress",
}  # fmt: skip
BUY = {
    "vendor": "Boxes Ltd", "purchase": "buy", "system": "dgx-h100", "price": "280000",
    "price_per": "system", "currency": "EUR", "covers": "support|installation",
    "valid_until": (TODAY + timedelta(days=10)).isoformat(),
}  # fmt: skip


def bid(cells: dict[str, str], organisation: str = "default", **more: str) -> Bid:
    row = keep(BID, {**cells, **more}, organisation=organisation)
    assert isinstance(row, Bid)
    return row


@cache
def answered() -> Worked:
    return worked(
        read_answers({"preset": "chatbot_1m", "answers": {"redundancy": "n_plus_1"}}),
        shipped_snapshot(),
        calibration=shipped_calibration(),
        rates=shipped_rates(),
    )


def compare() -> dict[str, Any]:
    [found] = comparison(answered(), bid_values("default"), today=TODAY)
    return found


def row(found: dict[str, Any], vendor: str) -> dict[str, Any]:
    return next(each for each in found["bids"] if each["name"].startswith(vendor))


def test_a_system_tells_accelerator_and_count() -> None:
    kept = bid(BUY)
    assert (kept.accelerator, kept.accelerators_per_system) == ("nvidia-h100-sxm", 8)


def test_a_quote_in_a_currency_without_a_rate_is_refused() -> None:
    with pytest.raises(BadRow, match="no dated rate of “AUD”"):
        bid(BUY, currency="AUD")


def test_a_quote_for_a_part_nobody_knows_is_refused() -> None:
    with pytest.raises(BadRow, match="the catalogue knows no “h9000”"):
        bid(RENT, accelerator="h9000")


def test_the_same_quote_is_not_kept_twice() -> None:
    bid(RENT)
    with pytest.raises(BadRow, match="already"):
        bid(RENT)


def test_two_organisations_may_have_the_same_quote() -> None:
    bid(RENT)
    bid(RENT, organisation="other")
    assert len(bid_values("default")) == 1


def test_a_file_of_quotes_goes_out_and_in_again_unchanged() -> None:
    bid(RENT)
    bid(BUY)
    before = as_csv(BID, list(Bid.objects.all()))
    report = take_csv(BID, before, organisation="default")
    assert (report.changed, report.refused, as_csv(BID, list(Bid.objects.all()))) == (2, [], before)


def test_a_bad_row_of_a_file_is_named_with_its_line_and_the_others_are_taken() -> None:
    content = as_csv(BID, [bid(RENT)]).replace("2.1,", "cheap,")
    content += as_csv(BID, [bid(BUY)]).split("\r\n")[1] + "\r\n"
    report = take_csv(BID, content, organisation="new")
    assert (report.added, [refusal.line for refusal in report.refused]) == (1, [2])


def test_a_file_that_is_none_of_quotes_is_refused_whole() -> None:
    with pytest.raises(BadTable, match="header lacks"):
        take_csv(BID, "a,b\n1,2\n", organisation="default")


def test_quotes_are_compared_by_the_million_tokens_at_the_targets() -> None:
    bid(RENT)
    bid(BUY)
    found = compare()
    assert found["unit"] == "million output tokens"
    assert all(each["unit_usd"] > 0.0 for each in found["bids"])


def test_the_cheapest_valid_quote_wins_only_below_the_best_listed_plan() -> None:
    bid(RENT, price="0.1")
    assert row(compare(), "Acme")["wins"] is True


def test_a_dear_quote_does_not_win() -> None:
    bid(RENT, price="20")
    assert row(compare(), "Acme")["wins"] is False


def test_a_quote_that_has_ended_can_not_win_however_cheap() -> None:
    bid(RENT, price="0.01", received_on="2026-01-01", valid_until="2026-02-01")
    ended = row(compare(), "Acme")
    assert (ended["status"], ended["wins"]) == ("expired", False)


@pytest.mark.parametrize("cells", [RENT, BUY])
def test_at_the_counter_offer_a_quote_wins_and_just_above_it_does_not(
    cells: dict[str, str],
) -> None:
    kept = bid(cells, price="20" if cells is RENT else "900000")
    offer = row(compare(), kept.name)["counter_offer"]
    step = 0.0002 if cells is RENT else 0.02
    outcomes = []
    for price in (offer["price"], offer["price"] + step):
        kept.price = price
        kept.save()
        kept.refresh_from_db()
        outcomes.append(row(compare(), kept.name)["wins"])
    assert outcomes == [True, False]


def test_leaving_after_a_year_costs_more_than_after_two() -> None:
    bid(RENT, minimum_months="24")
    exits = row(compare(), "Acme")["exit_usd"]
    assert exits["12"] > exits["24"] == 0.0


def test_what_a_purchase_leaves_out_is_priced_at_the_rates() -> None:
    bid(BUY)
    missing = {each["item"]: each["usd"] for each in row(compare(), "Boxes")["missing_items"]}
    assert missing["power"] > 0.0
    assert "support" not in missing


def test_what_a_price_covers_is_no_line_of_the_comparison() -> None:
    bid(BUY)
    labels = {line["label"] for line in row(compare(), "Boxes")["lines"]}
    assert not labels & {"Support contract", "Installation and spares"}


def test_a_quote_of_too_few_systems_says_so() -> None:
    bid(BUY, accelerator="nvidia-h100-sxm", quantity="1")
    assert row(compare(), "Boxes")["status"] == "fails"


def test_a_run_keeps_the_quotes_and_prices_it_was_accepted_with() -> None:
    bid(RENT)
    keep(
        OWN_PRICE,
        {"what": "discount", "amount": "10", "provider": "aws"},
        organisation="default",
    )
    made = assessments.create({"preset": "pretrain_7b", "answers": {}}, local_user())
    job = assessments.start_run(made)
    Bid.objects.all().delete()
    OwnPrice.objects.all().delete()
    own = thawed(job.inputs["private"])
    assert ([each.name for each in own.bids], [each.amount for each in own.prices]) == (
        ["Acme Cloud, A-1"],
        [0.1],
    )


def test_what_is_frozen_thaws_to_the_same() -> None:
    bid(RENT)
    own = private_of("default")
    assert thawed(frozen(own)) == own


def advice(**answers: Any) -> Worked:
    return worked(
        read_answers({"preset": "pretrain_7b", "answers": answers}),
        shipped_snapshot(),
        calibration=shipped_calibration(),
        rates=shipped_rates(),
        private=private_of("default"),
    )


def test_a_quote_is_an_offer_among_the_others_and_may_be_recommended() -> None:
    bid(RENT, price="0.2", minimum_months="")
    best = advice().decisions[0].recommended
    assert best is not None
    assert best.provider == "Acme Cloud"


def test_a_price_of_ones_own_moves_the_plans_of_its_provider_alone() -> None:
    keep(
        OWN_PRICE,
        {"what": "accelerator_hour", "amount": "0.05", "currency": "USD", "provider": "nebius"},
        organisation="default",
    )
    best = advice().decisions[0].recommended
    assert best is not None
    assert (best.provider, best.price["source"]) == ("nebius", "your price book")


def test_a_price_of_ones_own_for_no_offer_is_warned_of() -> None:
    keep(
        OWN_PRICE,
        {"what": "accelerator_hour", "amount": "2", "currency": "USD", "provider": "nobody"},
        organisation="default",
    )
    assert any("like no offer" in note for note in advice().notes)


def test_a_discount_is_typed_in_percent_and_comes_back_so() -> None:
    kept = keep(
        OWN_PRICE, {"what": "discount", "amount": "12.5", "provider": "aws"},
        organisation="default",
    )  # fmt: skip
    assert OWN_PRICE.cells(kept)["amount"] == "12.5"


def test_a_rate_that_the_cost_model_does_not_have_is_refused() -> None:
    with pytest.raises(BadRow, match="no rate “beer/ipa”"):
        keep(OWN_PRICE, {"what": "rate", "rate": "beer/ipa", "amount": "1"}, organisation="default")


def test_a_quote_that_has_ended_is_out_of_a_run_with_that_reason() -> None:
    bid(RENT, price="0.01", received_on="2026-01-01", valid_until="2026-02-01", minimum_months="")
    done = advice()
    assert all(plan.provider != "Acme Cloud" for plan in done.decisions[0].plans)
    assert any("ended on 2026-02-01" in note for note in done.notes)


def test_the_least_quantity_is_paid_for_even_where_fewer_would_do() -> None:
    bid(RENT, minimum_quantity="50")
    assert row(compare(), "Acme")["systems"] == 50


def test_a_price_lock_shorter_than_the_horizon_widens_the_range() -> None:
    bid(RENT, price_lock_months="12")
    found = row(compare(), "Acme")
    assert found["total_low_usd"] < found["total_usd"] < found["total_high_usd"]


def support_usd(found: dict[str, Any]) -> float:
    lines = {line["label"]: float(line["usd"]) for line in found["lines"]}
    return lines["Support contract"]


def test_a_stated_support_rate_stands_in_place_of_that_of_the_answers() -> None:
    kept = bid(BUY, covers="installation")
    assumed = row(compare(), "Boxes")  # 8 % a year, the default of the questionnaire
    keep(
        BID, {**BUY, "covers": "installation", "support_percent_year": "4"},
        organisation="default", row=kept,
    )  # fmt: skip
    stated = row(compare(), "Boxes")
    assert support_usd(stated) == pytest.approx(support_usd(assumed) / 2, abs=0.01)
    assert "support" not in {each["item"] for each in stated["missing_items"]}
