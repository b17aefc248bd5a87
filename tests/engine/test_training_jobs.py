"""A training job beside its steps: failures, checkpoints, storage and rollouts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.engine.training.jobs import (
    best_checkpoint_interval_s,
    checkpoint_write_s,
    fed_fraction,
    goodput,
    job_mtbf_s,
    storage_needed_bytes_per_s,
)


def test_sixteen_thousand_accelerators_fail_every_three_hours() -> None:
    # arXiv:2407.21783: 419 unexpected interruptions in 54 days, one in about three hours.
    assert float(job_mtbf_s(np.array(16_384.0))) / 3600 == pytest.approx(50_000 / 16_384)


def test_a_minute_of_writing_at_that_scale_asks_for_a_checkpoint_every_19_minutes() -> None:
    interval = best_checkpoint_interval_s(np.array(60.0), np.array(3.1 * 3600))

    assert float(interval) / 60 == pytest.approx(19, abs=0.5)


def test_the_best_interval_loses_less_than_others() -> None:
    best = goodput(np.array(16_384.0), write_s=np.array(60.0))
    others = [
        goodput(
            np.array(16_384.0), write_s=np.array(60.0), interval_s=best.interval_s * factor
        ).fraction
        for factor in (0.5, 2.0)
    ]

    assert best.fraction > max(others)


def test_llama_405b_at_16384_gpus_makes_progress_nine_tenths_of_the_time() -> None:
    # arXiv:2407.21783 reports above 90 % effective training time.
    share = goodput(np.array(16_384.0), write_s=np.array(10.0), restart_s=300.0).fraction

    assert float(share) > 0.9


@given(few=st.floats(1, 1e5), factor=st.floats(1, 10))
def test_larger_jobs_never_make_more_progress(few: float, factor: float) -> None:
    write_s = np.array(30.0)

    assert (
        goodput(np.array(few * factor), write_s=write_s).fraction
        <= goodput(np.array(few), write_s=write_s).fraction + 1e-12
    )


def test_a_checkpoint_takes_its_bytes_over_the_rate_of_storage() -> None:
    seconds = checkpoint_write_s(np.array(405e9), storage_bytes_per_s=np.array(2e12))

    assert float(seconds) == 405e9 * 14 / 2e12


def test_twenty_gigabytes_a_second_feed_seven_accelerators_of_3d_volumes() -> None:
    # MLPerf Storage v1.0, 3D-UNet: 36 H100 need 99 GB/s.
    _, needed = storage_needed_bytes_per_s(np.array(1.0), "volumes")

    assert 20e9 // float(needed) == 7


def test_text_never_starves_on_twenty_gigabytes_a_second() -> None:
    _, needed = storage_needed_bytes_per_s(np.array(100.0), "text")

    assert fed_fraction(needed, np.array(20e9)) == 1.0


def test_half_the_storage_needed_keeps_accelerators_busy_half_the_time() -> None:
    assert fed_fraction(np.array(40e9), np.array(20e9)) == 0.5
