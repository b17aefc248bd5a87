"""What fits into an accelerator's memory, and how many requests the rest holds."""

import numpy as np
import pytest

from advisor.engine.serving.footprint import serving_footprint
from catalog.units import GIB
from tests.engine.serving_samples import cases, model, part

H100, H200 = part("nvidia-h100-sxm"), part("nvidia-h200-sxm")
LLAMA_70B, DEEPSEEK = model("llama3.1-70b"), model("deepseek-r1")


def test_16_bit_weights_of_70_billion_take_140_gb_over_two_chips() -> None:
    held = serving_footprint(cases(H100, LLAMA_70B, precision="bf16", tensor=2))
    assert 2 * held.weight_bytes[0] == pytest.approx(70.6e9 * 2, rel=0.01)


def test_a_70b_model_in_16_bits_does_not_fit_one_80_gb_part() -> None:
    held = serving_footprint(cases(H100, LLAMA_70B, precision="bf16", tensor=1))
    assert not held.fits[0]


def test_what_does_not_fit_holds_no_requests() -> None:
    held = serving_footprint(cases(H100, LLAMA_70B, precision="bf16", tensor=1))
    assert held.max_concurrency[0] == 0.0


def test_a_token_of_llama_3_1_70b_takes_320_kib_of_cache_in_16_bits() -> None:
    # 80 layers x 8 heads x 128 values x 2 (key and value) x 2 bytes
    held = serving_footprint(cases(H200, LLAMA_70B, precision="fp8", tensor=1))
    assert held.kv_bytes_per_token[0] == pytest.approx(80 * 8 * 128 * 2 * 2)


def test_tensor_parallel_ranks_share_grouped_heads_until_each_has_one() -> None:
    one = serving_footprint(cases(H200, LLAMA_70B, tensor=1)).kv_bytes_per_token[0]
    eight = serving_footprint(cases(H200, LLAMA_70B, tensor=8)).kv_bytes_per_token[0]
    assert one / eight == pytest.approx(8.0)


def test_a_latent_cache_is_not_split_by_tensor_parallelism() -> None:
    one = serving_footprint(cases(H200, DEEPSEEK, tensor=1)).kv_bytes_per_token[0]
    eight = serving_footprint(cases(H200, DEEPSEEK, tensor=8)).kv_bytes_per_token[0]
    assert one == pytest.approx(eight)


def test_a_latent_cache_has_576_values_a_layer() -> None:
    # 512 compressed and 64 rotary values (DeepSeek-V2, arXiv:2405.04434, section 2.1)
    held = serving_footprint(cases(H200, DEEPSEEK))
    assert held.kv_bytes_per_token[0] == pytest.approx(61 * 576 * 2)


def test_data_parallel_attention_holds_more_requests_of_a_latent_cache() -> None:
    plain = serving_footprint(cases(H200, DEEPSEEK)).max_concurrency[0]
    spread = serving_footprint(cases(H200, DEEPSEEK, expert=8, attention_data=8)).max_concurrency[0]
    assert spread > 2 * plain


def test_two_replicas_hold_twice_the_requests() -> None:
    one = serving_footprint(cases(H200, LLAMA_70B, tensor=4, chips=4)).max_concurrency[0]
    two = serving_footprint(cases(H200, LLAMA_70B, tensor=4, chips=8)).max_concurrency[0]
    assert two == pytest.approx(2 * one)


def test_reserve_and_weights_and_room_add_up_to_the_memory() -> None:
    held = serving_footprint(cases(H200, LLAMA_70B, tensor=2))
    total = held.reserve_bytes + held.weight_bytes + held.available_bytes
    assert total[0] == pytest.approx(H200.usable_memory_bytes)


def test_four_bit_mixtures_keep_attention_at_eight_bits() -> None:
    oss = model("gpt-oss-120b")
    held = serving_footprint(cases(H200, oss, precision="fp4", tensor=1))
    # The published checkpoint has 60.8 GiB (openai/gpt-oss-120b, model card).
    assert held.weight_bytes[0] == pytest.approx(60.8 * GIB, rel=0.05)


def test_longer_requests_leave_room_for_fewer() -> None:
    short = serving_footprint(cases(H200, LLAMA_70B, input_tokens=1_000.0)).max_concurrency
    long = serving_footprint(cases(H200, LLAMA_70B, input_tokens=10_000.0)).max_concurrency
    assert np.all(long < short)
