"""From answers to the question the engine answers: demand, limits and wishes in base units."""

from typing import Any

import pytest

from advisor.engine.answers import InvalidAnswers
from advisor.engine.demand.question import question_of
from advisor.engine.workload import Question, ServingDemand, TrainingDemand
from advisor.questions import PRESETS, read_answers
from catalog.engine.shipped import shipped_snapshot

MODELS = {model.slug: model for model in shipped_snapshot().models}
PER_MONTH_S = 730 * 3600


def question(preset: str, *, usd: float = 1.0, **answers: Any) -> Question:
    raw = {"preset": preset, "answers": answers}
    return question_of(read_answers(raw), MODELS, usd_per_currency_unit=usd)


def serving(preset: str, at: int = 0, **answers: Any) -> ServingDemand:
    demand = question(preset, **answers).workloads[at].serving
    assert demand is not None
    return demand


def training(preset: str, at: int = 0, **answers: Any) -> TrainingDemand:
    demand = question(preset, **answers).workloads[at].training
    assert demand is not None
    return demand


def tokens_in(demand: ServingDemand) -> float:
    return demand.requests_per_s_peak * demand.input_tokens


def tokens_out(demand: ServingDemand) -> float:
    return demand.requests_per_s_peak * demand.output_tokens


def kind(workload: str, **answers: Any) -> ServingDemand:
    raw = {"answers": {"workload": workload, **answers}}
    demand = question_of(read_answers(raw), MODELS).workloads[0].serving
    assert demand is not None
    return demand


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_becomes_a_question(preset: str) -> None:
    assert len(question(preset).workloads) >= len(PRESETS[preset].workloads)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_model_a_preset_names_is_in_the_catalogue(preset: str) -> None:
    named = {own["model_ref"] for own in PRESETS[preset].workloads if "model_ref" in own}

    assert named <= set(MODELS)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_stands_without_the_catalogue(preset: str) -> None:
    answers = read_answers({"preset": preset})

    assert question_of(answers, {}).workloads


def test_a_model_the_catalogue_lacks_gives_way_to_its_size_and_says_so() -> None:
    asked = question_of(read_answers({"preset": "chatbot_1m"}), {})
    told = next(each for each in asked.assumptions if "does not hold" in each.basis)

    assert told.value == "a model of 70 billion parameters"


def test_chatbot_peaks_at_four_times_its_mean() -> None:
    demand = serving("chatbot_1m")

    assert demand.requests_per_s_mean == pytest.approx(1.6e6 / 86_400)
    assert demand.requests_per_s_peak == pytest.approx(4 * 1.6e6 / 86_400)
    assert tokens_in(demand) == pytest.approx(37.9e3, rel=0.002)
    assert tokens_out(demand) == pytest.approx(19.0e3, rel=0.002)
    assert demand.requests_per_month == pytest.approx(1.6e6 / 86_400 * PER_MONTH_S)


def test_chatbot_targets_hold_at_the_95th_percentile() -> None:
    slo = serving("chatbot_1m").slo

    assert (slo.percentile, slo.ttft_s, slo.tpot_s, slo.e2e_s) == (0.95, 0.3, 0.03, None)


def test_code_assistant_works_ten_hours_a_day() -> None:
    demand = serving("code_assistant_2k")

    assert demand.requests_per_s_mean == pytest.approx(2000 * 0.7 * 400 / 36_000)
    assert tokens_in(demand) == pytest.approx(124.4e3, rel=0.001)
    assert tokens_out(demand) == pytest.approx(3.98e3, rel=0.001)
    assert demand.active_hours_per_month == pytest.approx(10 * 5 / 7 * 730 / 24)


def test_agents_read_most_from_the_cache() -> None:
    demand = serving("agentic_long_context")

    assert tokens_in(demand) == 8 * 27_000
    assert tokens_in(demand) * (1 - demand.prefix_cached_fraction) == pytest.approx(43.2e3)
    assert tokens_out(demand) == 1_200


def test_frontier_reasoning_writes_49_thousand_tokens_a_second() -> None:
    assert tokens_out(serving("moe_frontier_serving")) == 6 * 8192


def test_nightly_scoring_repeats_five_percent() -> None:
    demand = serving("nightly_batch_scoring")
    rate = 20e6 / (8 * 3600)

    assert demand.requests_per_s_peak == pytest.approx(rate * 1.05)
    assert tokens_in(demand) == pytest.approx(556e3 * 1.05, rel=0.001)
    assert tokens_out(demand) == pytest.approx(34.7e3 * 1.05, rel=0.001)
    assert demand.active_hours_per_month == 30 * 8


def test_fine_tuning_trains_on_153_million_tokens() -> None:
    demand = training("finetune_70b_4xh100_72h")

    assert demand.tokens == 50_000 * 1024 * 3
    assert demand.task == "lora"


def test_the_given_set_up_is_288_gpu_hours() -> None:
    given = question("finetune_70b_4xh100_72h").workloads[0].given

    assert given is not None
    assert given.accelerator_count * (given.hours or 0) == 288


def test_pretraining_runs_once_a_year_for_two_trillion_tokens() -> None:
    demand = training("pretrain_7b")

    assert demand.tokens == 2e12
    assert demand.runs_per_month == pytest.approx(1 / 12)
    assert demand.deadline_s == 30 * 86_400


def test_search_on_premises_brings_its_index() -> None:
    demand = serving("eu_rag_onprem")

    assert demand.requests_per_s_mean == pytest.approx(5000 * 0.4 * 15 / 36_000)
    assert demand.requests_per_s_peak == pytest.approx(2.5)
    assert demand.index_bytes == 5e6 * 4 * 1024 * 4


def test_search_brings_the_model_that_writes_and_the_re_embedding() -> None:
    names = [workload.name for workload in question("eu_rag_onprem").workloads]

    assert names == ["Search", "Search: written answers", "Search: re-embedding"]


def test_written_answers_read_every_chunk_found() -> None:
    assert serving("eu_rag_onprem", at=1).input_tokens == 10 * 512 + 32


def test_re_embedding_keeps_its_window() -> None:
    demand = serving("eu_rag_onprem", at=2)

    assert demand.requests_per_s_peak == pytest.approx(5e6 / (48 * 3600))
    assert demand.requests_per_month == pytest.approx(5e6 * 2 / 12 + 5e3 * 730 / 24)


def test_answers_written_elsewhere_need_no_model_here() -> None:
    asked = question("eu_rag_onprem", rag_generator_here="external_api", reembed_per_year=0)

    assert len(asked.workloads) == 1


def test_re_embedding_a_corpus_is_579_thousand_tokens_a_second_and_then_nothing() -> None:
    demand = serving("embeddings_reindex", batch_retry_pct=0)

    assert tokens_in(demand) * demand.samples_per_request == pytest.approx(1e11 / (48 * 3600))
    assert demand.active_hours_per_month == 48


def test_five_hundred_cameras_are_five_thousand_frames_a_second() -> None:
    assert serving("vision_500_cameras").requests_per_s_peak == 500 * 10


def test_larger_frames_cost_in_proportion_to_their_area() -> None:
    small, large = (
        serving("vision_500_cameras", vision_pixels=pixels).model.flops_per_sample or 0
        for pixels in (640, 1280)
    )

    assert large == pytest.approx(4 * small)


def test_images_are_11_4_a_second_and_46_at_peak() -> None:
    demand = serving("image_generation_saas")

    assert demand.requests_per_s_mean == pytest.approx(30e6 / PER_MONTH_S)
    assert demand.requests_per_s_peak == pytest.approx(45.7, abs=0.1)
    assert demand.samples_per_request == 28


def test_a_whole_image_costs_what_the_catalogue_says() -> None:
    demand = serving("image_generation_saas")
    flops = demand.model.flops_per_sample or 0

    assert flops * demand.samples_per_request == pytest.approx(MODELS["flux1-dev"].flops_per_sample)


def test_ranking_scores_five_million_candidates_a_second() -> None:
    demand = serving("ads_ranking_5k_rps")

    assert demand.requests_per_s_peak * demand.samples_per_request == 10_000 * 500


def test_two_terabytes_of_tables_are_weights_of_the_recommender() -> None:
    assert serving("ads_ranking_5k_rps").model.total_params * 4 == pytest.approx(2e12, rel=0.001)


def test_a_start_up_s_tokens_are_761_a_second_on_average() -> None:
    demand = serving("startup_bursty_api")
    tokens = demand.input_tokens + demand.output_tokens

    assert demand.requests_per_s_mean * tokens == pytest.approx(2e9 / PER_MONTH_S)
    assert demand.requests_per_s_peak * tokens == pytest.approx(11.4e3, rel=0.002)


def test_the_agent_platform_makes_a_billion_inferences_a_day() -> None:
    """Nine tenths in real time; the rest in batches of a day, before repetitions."""
    live, batch = serving("agent_platform_1m"), serving("agent_platform_1m", at=1)

    assert live.requests_per_s_mean == pytest.approx(0.9e9 / 86_400)
    assert live.requests_per_s_peak == pytest.approx(2 * 0.9e9 / 86_400)
    assert batch.requests_per_s_mean / 1.05 == pytest.approx(0.1e9 / 86_400)


def test_signing_takes_half_a_second_of_few_requests() -> None:
    demand = serving("agent_platform_1m")

    assert (dict(demand.stages_s), demand.share_with_stages) == ({"Signing": 0.5}, 0.01)


def test_the_article_s_prices_are_in_the_price_book() -> None:
    book = question("article_finetune_4xh100_72h").price_book

    assert 4 * 72 * book["usd_per_accelerator_hour"] == 5_760
    assert book["storage_usd_per_run"] == 150
    assert book["egress_usd_per_run"] == 200
    assert book["engineering_usd_per_run"] == 800


def test_the_article_s_job_runs_once_in_one_month() -> None:
    asked = question("article_finetune_4xh100_72h")
    demand = training("article_finetune_4xh100_72h")

    assert asked.horizon_months * demand.runs_per_month * demand.rerun_factor == 1


def test_amounts_come_in_us_dollars() -> None:
    money = question("chatbot_1m", usd=1.1, budget_month_max=1000, currency="EUR").money

    assert money.budget_month_usd == pytest.approx(1100)


def test_a_format_nobody_chose_is_the_one_the_model_is_published_in() -> None:
    assert serving("code_assistant_2k").precision == MODELS["qwen3-32b"].native_precision


def test_four_bit_weights_keep_an_eight_bit_cache() -> None:
    demand = serving("agentic_long_context")

    assert (demand.precision, demand.kv_precision) == ("fp4", "fp8")


def test_a_size_alone_makes_a_model_of_that_size() -> None:
    model = serving("chatbot_1m", params_total_b=70).model
    assert model.layers is not None
    assert model.hidden is not None
    weights = 12 * model.layers * model.hidden**2

    assert model.total_params == 70e9
    assert weights == pytest.approx(70e9, rel=0.05)


def test_a_mixture_has_its_share_of_experts() -> None:
    model = serving("chatbot_1m", params_total_b=120, params_active_b=5).model

    assert model.kind == "moe_llm"
    assert model.experts / model.experts_per_token == pytest.approx(120 / 5, rel=0.01)


def test_a_given_shape_is_kept() -> None:
    model = serving("chatbot_1m", params_total_b=70, layers=80, kv_heads=4, head_dim=64).model

    assert (model.layers, model.kv_heads, model.head_dim) == (80, 4, 64)


@pytest.mark.parametrize(
    ("answers", "question_id", "told"),
    [
        ({"model_ref": "llama3.1-71b"}, "model_ref", "did you mean 'llama3.1-70b'?"),
        ({"model_ref": "resnet50"}, "model_ref", "of kind vision"),
        ({"input_tokens_mean": 200_000}, "input_tokens_mean", "do not fit the 131,072 tokens"),
        ({"max_context_tokens": 200_000}, "max_context_tokens", "type that or less"),
    ],
)
def test_what_the_named_model_cannot_do_is_refused(
    answers: dict[str, Any], question_id: str, told: str
) -> None:
    with pytest.raises(InvalidAnswers) as refusal:
        question("chatbot_1m", **answers)

    problem = refusal.value.problems[0]
    assert problem.pointer == f"/answers/{question_id}"
    assert told in problem.message


def test_a_refusal_names_the_workload_it_is_about() -> None:
    raw = {
        "preset": "mixed_company",
        "answers": {"workloads": [{}, {"model_ref": "nothing"}, {}]},
    }
    with pytest.raises(InvalidAnswers) as refusal:
        question_of(read_answers(raw), MODELS)

    assert refusal.value.problems[0].pointer == "/answers/workloads/1/model_ref"


def test_a_closed_model_travels_on_for_hosting() -> None:
    assert serving("chatbot_1m", model_ref="gpt-4.1-mini").model.weights_access == "closed"


@pytest.mark.parametrize("model", [m.slug for m in MODELS.values() if m.kind == "diffusion"])
def test_every_diffusion_model_makes_pictures_and_clips(model: str) -> None:
    clip = kind("diffusion", model_ref=model, gen_modality="video").model.flops_per_sample or 0
    image = kind("diffusion", model_ref=model).model.flops_per_sample or 0

    assert clip > image > 1e11


@pytest.mark.parametrize("model", [m.slug for m in MODELS.values() if m.kind == "speech"])
def test_every_speech_model_hears_half_a_minute_at_a_time(model: str) -> None:
    demand = kind("speech", model_ref=model, speech_streams_peak=60)

    assert demand.requests_per_s_peak * demand.samples_per_request == 60
    assert (demand.model.flops_per_sample or 0) > 1e8


def test_speech_keeps_its_real_time_factor() -> None:
    assert kind("speech", speech_rtf_target=0.1).slo.e2e_s == pytest.approx(0.1 * 30)


@pytest.mark.parametrize("model", [m.slug for m in MODELS.values() if m.kind == "vision"])
def test_every_vision_model_looks_at_frames(model: str) -> None:
    assert (kind("vision", model_ref=model).model.flops_per_sample or 0) > 1e9


def test_a_language_model_that_sees_reads_patches() -> None:
    model = kind("vision", model_ref="qwen3-8b", vision_task="vlm", vision_pixels=560).model

    assert model.flops_per_sample == 2 * model.active_params * (20**2 + 50)


def test_a_graph_is_gone_through_once_a_run() -> None:
    demand = kind("graph", graph_nodes_m=100, graph_window_h=1)

    assert demand.requests_per_s_peak == pytest.approx(100e6 / 3600)


def test_training_on_a_graph_computes_three_times_for_ten_passes() -> None:
    score, train = (kind("graph", graph_task=task) for task in ("inference", "training"))

    assert train.requests_per_month == pytest.approx(10 * score.requests_per_month)
    assert train.model.flops_per_sample == pytest.approx(3 * (score.model.flops_per_sample or 0))


def test_a_graph_model_without_published_compute_takes_it_from_the_answers() -> None:
    named, own = kind("graph", model_ref="r-gat"), kind("graph")

    assert named.model.flops_per_sample == own.model.flops_per_sample


def test_without_a_deadline_a_batch_may_last_until_the_next() -> None:
    demand = serving("nightly_batch_scoring", batch_window_hard="no_deadline")

    assert demand.batch_window_s == pytest.approx(730 / 30 * 3600)


def test_reinforcement_learning_generates_what_it_trains_on() -> None:
    demand = training("pretrain_7b", workload="rl_posttrain", rl_rollout_tokens_b=3)

    assert demand.tokens == demand.rollout_tokens == 3e9
    assert demand.rollout_fleet_fraction == pytest.approx(0.7)


def test_only_a_measured_efficiency_replaces_the_estimate() -> None:
    assert training("pretrain_7b").user_mfu is None
    assert training("pretrain_7b", mfu_expected_pct=41).user_mfu == pytest.approx(0.41)


def test_training_data_is_kept_on_fast_storage() -> None:
    assert question("pretrain_7b", dataset_tb=500).storage_bytes == 500e12


def test_a_very_large_run_under_the_ai_act_is_a_finding() -> None:
    asked = question(
        "pretrain_7b", params_total_b=400, train_tokens_b=15_000, regimes=["eu_ai_act"]
    )

    assert any("Article 51(2)" in warning for warning in asked.warnings)


def test_a_day_to_go_live_shortens_the_wait_for_delivery() -> None:
    answers = read_answers({"preset": "chatbot_1m"})
    day = answers.read_on.replace(year=answers.read_on.year + 1)
    weeks = (day - answers.read_on).days / 7
    asked = question("chatbot_1m", go_live_date=day.isoformat(), lead_time_max_weeks=150)

    assert asked.site.lead_time_max_weeks == pytest.approx(weeks)


def test_weights_become_shares_of_one() -> None:
    shares = question(
        "chatbot_1m",
        solve_for="weighted",
        weight_cost=3,
        weight_latency=1,
        weight_risk=0,
        weight_simplicity=0,
        weight_carbon=0,
    ).priorities

    assert shares["cost"] == 0.75
    assert sum(shares.values()) == pytest.approx(1)
