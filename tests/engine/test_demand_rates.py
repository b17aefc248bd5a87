"""The demand of every preset as plain arithmetic, written out."""

import pytest

from advisor.engine.demand import rates


def test_a_million_users_send_eighteen_requests_a_second() -> None:
    per_day = rates.requests_per_day(users=1_000_000, daily_fraction=0.2, requests_per_user_day=8)

    assert per_day == 1_600_000
    assert rates.mean_over_active_hours(per_day=per_day, active_hours_per_day=24) == pytest.approx(
        18.5, abs=0.05
    )


def test_a_prefix_cache_saves_its_share_of_the_prompt() -> None:
    assert rates.tokens_per_s(
        requests_per_s=8, tokens=27_000, cached_fraction=0.8
    ) == pytest.approx(43_200)


def test_long_answers_keep_over_a_thousand_streams_in_flight() -> None:
    """2 s + 8,191 x 28 ms = 231 s each, six a second."""
    each_s = rates.answer_time_s(ttft_s=2.0, tpot_s=0.028, output_tokens=8192)

    assert each_s == pytest.approx(231.3, abs=0.1)
    assert rates.streams_in_flight(requests_per_s=6, seconds_each=each_s) == pytest.approx(
        1388, abs=1
    )


def test_a_nightly_batch_must_keep_up_all_night() -> None:
    assert rates.batch_rate_per_s(items=20e6, window_s=8 * 3600) == pytest.approx(694.4, abs=0.1)


def test_repeated_work_raises_the_rate_of_a_batch() -> None:
    once = rates.batch_rate_per_s(items=100, window_s=10)

    assert rates.batch_rate_per_s(items=100, window_s=10, repeated_fraction=0.05) == once * 1.05


def test_chunks_of_512_with_a_tenth_of_overlap_start_every_461_tokens() -> None:
    assert rates.chunk_stride_tokens(chunk_tokens=512, overlap_fraction=0.1) == 461


def test_five_million_documents_make_16_to_20_million_vectors() -> None:
    least, most = rates.vectors_in_index(
        documents=5e6, document_tokens=1500, chunk_tokens=512, stride_tokens=461
    )

    assert least == pytest.approx(5e6 * 1500 / 461)
    assert most == 5e6 * 4


def test_an_index_of_fp32_vectors_takes_67_to_82_gigabytes() -> None:
    sizes = [
        rates.index_bytes(vectors=vectors, dimension=1024, bytes_per_element=4)
        for vectors in (5e6 * 1500 / 461, 20e6)
    ]

    assert sizes == pytest.approx([66.6e9, 81.9e9], rel=0.001)


def test_a_document_shorter_than_a_chunk_is_one_chunk() -> None:
    assert rates.chunks_per_document(document_tokens=500, chunk_tokens=512, stride_tokens=461) == 1


def test_full_training_of_7b_on_two_trillion_tokens() -> None:
    assert rates.training_flops(params=7e9, tokens=2e12) == pytest.approx(8.4e22)


def test_pretraining_takes_65_thousand_gpu_hours_at_40_percent_of_an_h100() -> None:
    hours = rates.accelerator_hours(flops=8.4e22, peak_flops_per_s=989e12, mfu=0.4, goodput=0.9)

    assert hours == pytest.approx(65_500, rel=0.001)
    assert hours / (30 * 24) == pytest.approx(91, abs=0.1)


def test_adapters_on_70b_take_4_3e19_flop() -> None:
    tokens = 50_000 * 1024 * 3

    assert tokens == 153_600_000
    assert rates.adapter_flops(params=70e9, tokens=tokens) == pytest.approx(4.3e19, rel=0.001)


def test_full_tuning_of_70b_needs_1120_gigabytes() -> None:
    assert rates.full_tuning_bytes(params=70e9) == 16 * 70e9 == 1_120e9


def test_a_low_rank_adapter_of_llama_3_70b_has_207_million_weights() -> None:
    """Rank 16 times the sides of q, k, v, o, gate, up and down in each of 80 layers."""
    q, k, v, o = 8192 + 8192, 8192 + 1024, 8192 + 1024, 8192 + 8192
    gate = up = down = 8192 + 28672

    assert rates.adapter_params(
        rank=16, hidden=8192, ffn=28672, heads=64, kv_heads=8, head_dim=128, layers=80,
        attention_only=False,
    ) == 16 * 80 * (q + k + v + o + gate + up + down)  # fmt: skip


def test_a_monthly_total_is_spread_over_730_hours() -> None:
    assert rates.monthly_mean_per_s(per_month=30e6) == pytest.approx(11.4, abs=0.02)


def test_a_billion_a_day_are_11574_a_second() -> None:
    assert rates.daily_mean_per_s(per_day=1e9) == pytest.approx(11_574, abs=0.1)


def test_an_office_week_has_217_active_hours_a_month() -> None:
    """Ten hours on five of seven days in 730 / 24 days."""
    assert rates.active_hours_per_month(hours_per_day=10, days_per_week=5) == pytest.approx(
        10 * 5 / 7 * 730 / 24
    )
