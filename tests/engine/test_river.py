"""From answers to plans over the shipped catalogue: every stage, no database."""

import json
from functools import cache
from typing import Any

import pytest

from advisor.engine.answers import InvalidAnswers
from advisor.engine.calibration import shipped_calibration
from advisor.questions import PRESETS, read_answers
from advisor.services.advice import advise_on
from catalog.engine.shipped import shipped_snapshot
from costing.engine.rates import shipped_rates

FINETUNE = "finetune_70b_4xh100_72h"
ARTICLE = "article_finetune_4xh100_72h"


def advice(preset: str, **answers: Any) -> dict[str, Any]:
    return advise_on(
        read_answers({"preset": preset, "answers": answers}),
        shipped_snapshot(),
        calibration=shipped_calibration(),
        rates=shipped_rates(),
    )


@cache
def of_preset(preset: str) -> dict[str, Any]:
    return advice(preset)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_weighs_at_least_three_families(preset: str) -> None:
    document = of_preset(preset)
    families = {plan["family"] for plan in document["plans"]}
    families |= {rejection["family"] for rejection in document["rejected"]}

    assert len(families - {"hosted", "hybrid"}) >= 3


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_answers_in_plain_json(preset: str) -> None:
    assert json.loads(json.dumps(of_preset(preset), allow_nan=False))["schema"] == "advice/1"


@pytest.mark.parametrize("preset", PRESETS)
def test_cost_lines_add_up_to_the_total_to_the_cent(preset: str) -> None:
    for plan in of_preset(preset)["plans"]:
        total = plan["total_cost_usd"]["value"]
        if total is not None:
            assert round(sum(line["usd"] for line in plan["cost_breakdown"]), 2) == total


@pytest.mark.parametrize("preset", PRESETS)
def test_every_figure_has_unit_range_and_source(preset: str) -> None:
    for plan in of_preset(preset)["plans"]:
        for figure in (cell for cell in plan.values() if isinstance(cell, dict) and "low" in cell):
            assert figure["unit"]
            assert figure["source"]
            if figure["value"] is not None:
                assert figure["low"] <= figure["value"] <= figure["high"]


@pytest.mark.parametrize("preset", PRESETS)
def test_a_recommendation_meets_its_targets_and_has_a_price(preset: str) -> None:
    best = of_preset(preset)["recommendation"]

    assert best is None or (best["meets_targets"] and not best["price_open"])


@pytest.mark.parametrize("preset", PRESETS)
def test_every_rejection_says_why(preset: str) -> None:
    assert all(item["reason"] and item["limit"] for item in of_preset(preset)["rejected"])


def test_the_articles_job_costs_6910_usd_to_the_cent_in_four_lines() -> None:
    best = of_preset(ARTICLE)["recommendation"]

    assert sorted(line["usd"] for line in best["cost_breakdown"]) == [150, 200, 800, 5760]
    assert best["total_cost_usd"]["value"] == 6910.0


def test_the_given_set_up_is_what_is_recommended() -> None:
    best = of_preset(FINETUNE)["recommendation"]

    assert (best["accelerator_slug"], best["accelerator_count"]) == ("nvidia-h100-sxm", 4)


def test_full_fine_tuning_of_70b_on_four_h100_is_refused_with_the_arithmetic() -> None:
    document = advice(FINETUNE, workload="finetune_full")
    [reason] = [
        item["reason"]
        for item in document["rejected"]
        if item["accelerator"] == "NVIDIA H100 SXM5 80GB"
    ]

    assert document["recommendation"] is None
    assert "1,120 GB = 1,043 GiB" in reason
    assert "320 GiB" in reason


@pytest.mark.parametrize("model", ["gpt3-175b", "gpt-4.1-mini"])
def test_a_closed_model_is_never_self_hosted_and_an_open_one_is_named(model: str) -> None:
    document = advice("chatbot_1m", model_ref=model, max_context_tokens=2048)
    reasons = [item["reason"] for item in document["rejected"] if item["limit"] == "weights"]

    assert all(plan["purchase"] == "hosted_tokens" for plan in document["plans"])
    assert "earest open model" in reasons[0]


def test_data_that_must_stay_in_france_is_served_from_france() -> None:
    document = advice(
        "chatbot_1m", residency_countries=["FR"], deployment_allowed=["public_cloud", "neocloud"]
    )

    assert {plan["country"] for plan in document["plans"]} <= {"FR"}


def test_excluding_a_family_keeps_it_out_and_says_so() -> None:
    document = advice("chatbot_1m", accel_families_allowed=["tpu"])

    assert {plan["family"] for plan in document["plans"]} <= {"tpu", "hosted"}
    assert any(item["limit"] == "family" for item in document["rejected"])


def test_a_batch_that_runs_once_a_month_is_never_bought() -> None:
    best = of_preset("embeddings_reindex")["recommendation"]

    assert best is not None
    assert best["purchase"] not in ("buy", "quote")


def test_a_target_no_hardware_reaches_is_named_with_the_best_there_is() -> None:
    document = advice("chatbot_1m", slo_ttft_ms=5)

    assert document["recommendation"] is None
    assert any("time to first token" in warning for warning in document["warnings"])


def test_the_same_question_gets_the_same_answer() -> None:
    assert json.dumps(advice("chatbot_1m")) == json.dumps(of_preset("chatbot_1m"))


def test_a_negative_rate_is_refused_with_its_place() -> None:
    with pytest.raises(InvalidAnswers) as refused:
        advice("agentic_long_context", rps_mean=-2)

    assert "rps_mean" in refused.value.problems[0].pointer


def test_a_larger_peak_never_costs_less() -> None:
    def cheapest_usd(peak: float) -> float:
        best = advice("chatbot_1m", peak_to_mean=peak)["recommendation"]
        return float(best["total_cost_usd"]["value"])

    assert cheapest_usd(8) >= cheapest_usd(4)


def test_what_several_workloads_share_is_paid_once() -> None:
    [storage] = [
        line["usd"]
        for line in of_preset("mixed_company")["recommendation"]["cost_breakdown"]
        if line["label"] == "Storage"
    ]
    [alone] = [
        line["usd"]
        for line in of_preset("chatbot_1m")["recommendation"]["cost_breakdown"]
        if line["label"] == "Storage"
    ]

    assert storage < 1.1 * alone


def test_own_sites_and_mixes_alone_never_give_a_plan_in_a_cloud() -> None:
    kinds = {plan["provider_kind"] for plan in of_preset("vision_500_cameras")["plans"]}

    assert kinds <= {"on_prem"}


def test_separate_zones_are_promised_only_by_offers_that_name_a_place() -> None:
    best = of_preset("chatbot_1m")["recommendation"]

    assert best["region"] or best["provider_kind"] == "on_prem"


def test_the_picks_may_all_be_recommended() -> None:
    document = of_preset("chatbot_1m")
    plans = {plan["id"]: plan for plan in document["plans"]}

    assert document["picks"]
    assert not any(
        plans[plan_id]["not_recommended_because"] for plan_id in document["picks"].values()
    )


def test_nothing_to_buy_or_rent_is_an_answer_and_no_crash() -> None:
    document = advice("chatbot_1m", deployment_allowed=["on_prem"], capex_opex_pref="opex_only")

    assert document["plans"] == []
    assert "You want running cost only, and this is bought." in {
        item["reason"] for item in document["rejected"]
    }


@pytest.mark.parametrize("preset", ["pretrain_7b", FINETUNE, "vision_500_cameras"])
def test_a_closed_model_is_refused_for_every_kind_of_work(preset: str) -> None:
    document = advice(preset, model_ref="gpt-4.1-mini")

    assert document["recommendation"] is None
    assert "cannot be self-hosted" in document["sentence"]


def test_clouds_without_a_recorded_status_are_named_even_where_other_plans_exist() -> None:
    rejected = of_preset("fedramp_summarisation")["rejected"]

    assert any("No recorded fedramp high status" in item["reason"] for item in rejected)


@pytest.mark.parametrize("preset", PRESETS)
def test_no_part_vanishes_between_plans_and_rejections(preset: str) -> None:
    document = of_preset(preset)
    if document["horizon_months"] == 1:  # the article's own price leaves one offer
        return
    told = {plan["accelerator"] for plan in document["plans"]}
    told |= {item["accelerator"] for item in document["rejected"]}

    assert {part.name for part in shipped_snapshot().accelerators} <= told


def test_a_card_without_a_server_is_not_recommended() -> None:
    for preset in ("eu_rag_onprem", "vision_500_cameras"):
        best = of_preset(preset)["recommendation"]
        assert best is None or "Arc Pro" not in best["accelerator"]


def test_small_virtual_machines_are_not_joined_into_one_training_job() -> None:
    for plan in of_preset("pretrain_7b")["plans"]:
        assert (
            plan["system_count"] == 1
            or plan["accelerator_count"] >= 4 * plan["system_count"]
            or (plan["system"] == "sold by the accelerator")
        )


def test_an_arm_host_is_said_on_every_plan_that_has_one() -> None:
    grace = [p for p in of_preset("chatbot_1m")["plans"] if "GB200" in p["accelerator"]]

    assert grace
    assert all(any("aarch64" in note for note in plan["notes"]) for plan in grace)


def test_what_the_room_cannot_take_is_refused_before_it_is_priced() -> None:
    own_room = {
        "facility_exists": "server_room", "site_country": "DE", "power_available_kw": 1,
        "rack_kw_max": 1, "deployment_allowed": ["on_prem"],
    }  # fmt: skip
    document = advice("chatbot_1m", **own_room)

    assert not [plan for plan in document["plans"] if plan["purchase"] == "buy"]
    assert any(item["limit"] == "site" for item in document["rejected"])


def cheapest(document: dict[str, Any], family: str) -> dict[str, Any]:
    plans = [p for p in document["plans"] if (p["family"] == "hosted") == (family == "hosted")]
    return min(plans, key=lambda plan: plan["total_cost_usd"]["value"] or 1e30)


def test_not_deploying_at_all_wins_where_few_tokens_are_asked_for() -> None:
    document = advice(
        "chatbot_1m",
        deployment_allowed=["public_cloud", "neocloud", "managed_api"],
        users_total_k=1,
        redundancy="none",
    )

    assert document["recommendation"]["purchase"] == "hosted_tokens"


def test_a_batch_takes_the_batch_price_of_the_provider() -> None:
    document = advice("nightly_batch_scoring", deployment_allowed=["managed_api", "neocloud"])
    notes = [n for p in document["plans"] if p["family"] == "hosted" for n in p["notes"]]

    assert any("50% off" in note for note in notes)


def line(plan: dict[str, Any], label: str) -> float:
    return float(sum(each["usd"] for each in plan["cost_breakdown"] if each["label"] == label))


def test_storage_that_must_stream_costs_more() -> None:
    plain, fast = of_preset("pretrain_7b"), advice("pretrain_7b", storage_throughput_gb_s=20)

    assert line(fast["plans"][0], "Storage") > line(plain["plans"][0], "Storage")


def test_traffic_between_regions_is_a_line_of_its_own() -> None:
    document = advice("chatbot_1m", inter_region_tb_month=10)
    aws = next(plan for plan in document["plans"] if plan["provider"] == "aws")

    # 10,000 GB at 0.02 USD for 36 months
    assert line(aws, "Traffic between regions") == 10_000 * 0.02 * 36


def test_a_discount_that_has_ended_is_not_counted() -> None:
    ended = [{"provider": "aws", "percent": 50, "valid_until": "2026-01-31"}]
    document = advice("chatbot_1m", negotiated_discounts=ended)
    before = of_preset("chatbot_1m")

    assert [p["total_cost_usd"] for p in document["plans"]] == [
        p["total_cost_usd"] for p in before["plans"]
    ]
    assert any("ended on 2026-01-31" in warning for warning in document["warnings"])


@pytest.mark.parametrize("preset", PRESETS)
def test_every_cost_line_names_its_source_and_how_it_is_known(preset: str) -> None:
    for plan in of_preset(preset)["plans"]:
        assert all(each["source"] and each["evidence"] for each in plan["cost_breakdown"])


def test_leaving_cuda_costs_person_weeks_that_the_plan_names() -> None:
    document = advice("pretrain_7b", custom_kernels="few", port_effort_ok_pm=12)
    weeks = {plan["family"]: plan["porting_weeks"] for plan in document["plans"]}

    assert weeks["tpu"] == 6.0


def test_defaults_stay_in_dollars_whatever_the_currency() -> None:
    yen, dollars = advice("pretrain_7b", currency="JPY"), of_preset("pretrain_7b")

    assert yen["recommendation"]["total_cost_usd"] == dollars["recommendation"]["total_cost_usd"]


def test_amounts_typed_are_in_the_currency_of_the_answers() -> None:
    euros = advice("pretrain_7b", currency="EUR", fte_cost_year=100_000)
    dollars = advice("pretrain_7b", fte_cost_year=116_990)

    assert euros["recommendation"]["total_cost_usd"] == dollars["recommendation"]["total_cost_usd"]


def test_the_answer_names_its_currency_with_a_dated_rate() -> None:
    currency = advice("pretrain_7b", currency="EUR")["currency"]

    assert (currency["code"], currency["usd_per_unit"], currency["observed_on"]) == (
        "EUR",
        1.1699,
        "2026-08-21",
    )


def test_a_currency_without_a_dated_rate_is_refused_with_those_there_are() -> None:
    with pytest.raises(InvalidAnswers, match=r"no dated exchange rate of AUD is kept"):
        advice("pretrain_7b", currency="AUD")


def test_the_articles_job_stands_beside_todays_cheapest_and_median_price() -> None:
    own, cheapest, median = of_preset(ARTICLE)["same_job_today"]

    assert own["total_usd"] == 6910.0
    for row in (cheapest, median):
        hours = 4 * 72 * row["usd_per_accelerator_h"]
        assert row["total_usd"] == pytest.approx(hours + 150 + 200 + 800, abs=0.01)
    assert cheapest["total_usd"] < median["total_usd"] < own["total_usd"]


def test_a_job_at_list_prices_has_no_such_table() -> None:
    assert of_preset(FINETUNE)["same_job_today"] == []


def test_a_spot_plan_says_how_often_it_goes_and_what_its_fallback_costs() -> None:
    document = of_preset("nightly_batch_scoring")
    notes = [n for p in document["plans"] if p["purchase"] == "spot" for n in p["notes"]]

    assert any("less than on demand" in note and "notice" in note for note in notes)


def test_an_old_exchange_rate_is_warned_of() -> None:
    warnings = advice("pretrain_7b", currency="CHF")["warnings"]

    assert any("exchange rate of CHF is of 2026-07-09" in warning for warning in warnings)


def test_people_are_shown_for_every_way_to_deploy() -> None:
    found = of_preset("chatbot_1m")["engineering"]

    assert [each["deployment"] for each in found["by_deployment"]] == [
        "on_site", "colocation", "public_cloud", "neocloud", "managed_api",
    ]  # fmt: skip
    assert found["porting"][0]["weeks"] == 6.0


def test_a_commitment_says_how_much_of_it_stands_idle() -> None:
    plans = advice("code_assistant_2k", commitment_max_months="12", slo_ttft_ms="300")["plans"]
    notes = [n for p in plans if p["purchase"] == "reserved_1y" for n in p["notes"]]

    assert any("of the hours paid for are idle" in note for note in notes)


def test_buying_shows_its_depreciation_down_to_what_is_left() -> None:
    books = advice("pretrain_7b", financing="loan")["books"]

    assert books["financing"] == "loan"
    assert books["years"][-1]["book_value_usd"] == pytest.approx(0.1 * books["price_usd"])
