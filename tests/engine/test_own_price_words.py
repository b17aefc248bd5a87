"""A set-up at a price of one's own, explained: no seller, no market, no contradiction."""

from advisor.services.reasons.constraints import constraints_of
from advisor.services.reasons.regret import regrets
from tests.engine.test_reasons import of

ARTICLE = "article_finetune_4xh100_72h"


def test_at_a_price_of_ones_own_there_is_no_seller_to_do_without() -> None:
    assert "no_single_provider" not in {each.id for each in constraints_of(of(ARTICLE))}


def test_the_choice_at_a_price_of_ones_own_is_kept_at_another_demand() -> None:
    found = regrets(of(ARTICLE))

    assert found
    assert all(each["kept_usd"] is not None for each in found if each["best_usd"] is not None)


def test_a_part_that_is_not_in_the_set_up_asked_about_is_told_so() -> None:
    rejected = of(ARTICLE).worked.decisions[0].rejected
    reasons = {each.reason for each in rejected if each.accelerator == "NVIDIA H200 SXM 141GB"}

    assert not any("comes in a size" in reason for reason in reasons)
    assert any("is not in it" in each.reason for each in rejected)


def test_one_plan_alone_is_the_only_plan() -> None:
    from advisor.services.advice import document_of

    assert "It is the only plan with a price that meets every limit." in " ".join(
        document_of(of(ARTICLE).worked)["why"]
    )
