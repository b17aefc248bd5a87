"""Weights in host memory, number formats side by side, storage and failures."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.engine.calibration import shipped_calibration
from advisor.engine.search.spilling import spill_of, spill_words
from advisor.engine.serving.spill import Spilled, spilled_decode
from advisor.engine.training.jobs import job_goodput
from advisor.questions import read_answers
from advisor.services.advice import advise_on
from catalog.engine.shipped import shipped_snapshot
from costing.engine.rates import shipped_rates

PARTS = {part.slug: part for part in shipped_snapshot().accelerators}
MODELS = {model.slug: model for model in shipped_snapshot().models}
SYSTEMS = shipped_snapshot().systems


@cache
def answer(preset: str) -> dict[str, Any]:
    return advise_on(
        read_answers({"preset": preset, "answers": {}}),
        shipped_snapshot(),
        calibration=shipped_calibration(),
        rates=shipped_rates(),
    )


def test_half_the_weights_over_a_link_a_hundred_times_slower() -> None:
    found = spilled_decode(
        needed_bytes=200e9, held_bytes=100e9, active_share=1.0, chips=1,
        bandwidth_bytes_per_s=4e12, host_link_bytes_per_s=4e10, host_bytes=1e12,
    )  # fmt: skip
    # 100 GB at 4 TB/s and 100 GB at 40 GB/s: 0.025 s + 2.5 s, against 0.05 s.
    assert (float(found.tokens_per_s), float(found.times_slower)) == pytest.approx(
        (1.0 / 2.525, 50.5)
    )


@given(
    held=st.floats(0.05, 1.0),
    more=st.floats(0.0, 0.9),
    link=st.floats(1e9, 4e11),
    faster=st.floats(1.0, 10.0),
)
def test_more_memory_or_a_faster_link_never_slows_a_spilled_model(
    held: float, more: float, link: float, faster: float
) -> None:
    def speed(share: float, rate: float) -> float:
        return float(
            spilled_decode(
                needed_bytes=1e11, held_bytes=share * 1e11, active_share=0.3, chips=2,
                bandwidth_bytes_per_s=2e12, host_link_bytes_per_s=rate, host_bytes=1e12,
            ).tokens_per_s
        )  # fmt: skip

    grown = held + more * (1.0 - held)
    assert speed(grown, link) >= speed(held, link) * (1.0 - 1e-12)
    assert speed(held, link * faster) >= speed(held, link) * (1.0 - 1e-12)


def test_the_faster_host_link_of_a_superchip_makes_spilling_cheaper() -> None:
    def slower(slug: str) -> float:
        part = PARTS[slug]
        found = spill_of(
            part, MODELS["llama3.1-405b"], SYSTEMS,
            needed_bytes=2.0 * part.usable_memory_bytes, chips=1,
        )  # fmt: skip
        assert isinstance(found, Spilled)
        return float(found.times_slower)

    assert slower("nvidia-gh200-144gb") < slower("nvidia-h200-sxm") / 4.0


def test_memory_shared_with_the_processor_has_nowhere_to_spill() -> None:
    said = spill_of(
        PARTS["amd-mi300a"], MODELS["llama3.1-405b"], SYSTEMS, needed_bytes=1e12, chips=1
    )

    assert said == "Its memory is its processor's as well, so there is nothing to spill into."


@pytest.mark.parametrize("slug", ["amd-mi300a", "apple-m3-ultra"])
def test_parts_with_their_processor_on_one_die_use_all_of_their_memory(slug: str) -> None:
    assert (PARTS[slug].unified_memory, PARTS[slug].usable_memory_bytes) == (
        True,
        PARTS[slug].memory_bytes,
    )


def test_an_unknown_link_is_said_to_be_unknown() -> None:
    part = replace(PARTS["nvidia-h100-sxm"], host_link_bytes_per_s=None)
    found = spill_of(part, MODELS["llama3.1-70b"], SYSTEMS, needed_bytes=2e11, chips=1)

    assert "not published" in spill_words(part, found, chips=1)


def test_what_spills_is_said_with_speed_and_factor() -> None:
    part = PARTS["nvidia-h100-sxm"]
    found = spill_of(part, MODELS["llama3.1-70b"], SYSTEMS, needed_bytes=1.4e11, chips=1)

    assert "times slower than in its own memory" in spill_words(part, found, chips=1)


def test_fewer_bits_take_less_memory_and_fewer_accelerators() -> None:
    (table,) = answer("chatbot_1m")["number_formats"]
    memory = [line["memory_bytes"] for line in table["lines"]]
    count = [line["accelerators"] for line in table["lines"]]

    assert (len(memory), memory == sorted(memory, reverse=True)) == (3, True)
    assert count == sorted(count, reverse=True)


def test_the_format_in_the_plan_needs_as_many_accelerators_as_the_plan() -> None:
    document = answer("chatbot_1m")
    (table,) = document["number_formats"]
    used = next(line for line in table["lines"] if line["used"])

    assert used["accelerators"] == document["recommendation"]["accelerator_count"]


def test_twenty_gigabytes_a_second_feed_text_and_starve_volumes() -> None:
    (feed,) = answer("pretrain_7b")["feeds"]
    busy = {line["data"]: line["busy_low"] for line in feed["lines"]}

    assert (busy["text"], busy["3D images"] < 0.3) == (1.0, True)


def test_volumes_need_what_the_benchmark_measured() -> None:
    (feed,) = answer("pretrain_7b")["feeds"]
    volumes = next(line for line in feed["lines"] if line["data"] == "3D images")

    # 36 H100 need 99 GB/s (MLPerf Storage v1.0, 3D-UNet).
    each = volumes["needed_high_bytes_per_s"] / feed["accelerators"]
    assert each == pytest.approx(99e9 / 36)


def test_a_large_job_loses_more_than_a_small_one() -> None:
    small, large = job_goodput(
        np.array([8.0, 16384.0]), params=405e9, interval_s=3600.0
    ).fraction.tolist()
    # 16,384 parts of 50,000 h fail every three hours; half an hour is repeated each time.
    assert (small > 0.9, large) == (True, pytest.approx(0.78, abs=0.01))


def test_serving_has_no_feed() -> None:
    assert answer("chatbot_1m")["feeds"] == []
