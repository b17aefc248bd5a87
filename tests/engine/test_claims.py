"""What the model computes of claims, at the shipped catalogue."""

import re
from dataclasses import replace

import numpy as np
import pytest

from advisor.engine.calibration import shipped_calibration
from advisor.engine.evidence.claims_market import rent_usd_per_h, spot_market
from advisor.engine.evidence.claims_serving import (
    SHARED_P99_S,
    check_pools,
    check_spot_saving,
    check_storage,
)
from advisor.engine.evidence.claims_training import (
    A100,
    H100,
    JOBS,
    Job,
    check_job_cost,
    check_speed_up,
    check_tpu_price,
    job_speed,
    published_speed_ups,
)
from advisor.engine.evidence.claims_values import Verdict, percent
from catalog.engine.shipped import shipped_snapshot, shipped_training_measurements
from catalog.specs import Purchase
from costing.engine.rates import shipped_rates


def test_an_h100_is_not_six_times_as_fast_as_an_a100() -> None:
    checked = check_speed_up(
        shipped_snapshot(), shipped_calibration(), shipped_training_measurements()
    )

    assert checked.verdict is Verdict.NOT_SUPPORTED


def test_published_pairs_lie_between_one_and_a_half_and_four() -> None:
    # MLPerf Training: BERT 2.9, RNN-T 1.75 on 8 chips; llm-foundry 2.1 to 2.5.
    factors = [factor for _, factor in published_speed_ups(shipped_training_measurements())]

    assert 1.5 < min(factors) < max(factors) < 4.0


@pytest.mark.parametrize("job", JOBS)
def test_an_h100_is_never_slower_than_an_a100(job: Job) -> None:
    parts = {part.slug: part for part in shipped_snapshot().accelerators}

    speed, _ = job_speed(
        job,
        parts=(parts[A100], parts[H100]),
        precisions=("bf16", "bf16"),
        snapshot=shipped_snapshot(),
        calibration=shipped_calibration(),
    )

    assert speed[1] > speed[0]


def test_without_prices_no_saving_is_claimed() -> None:
    snapshot = replace(shipped_snapshot(), offers=())

    assert check_tpu_price(snapshot, shipped_calibration()).verdict is Verdict.UNCHECKED


def test_dearer_tpus_change_the_verdict() -> None:
    snapshot = shipped_snapshot()
    dear = tuple(
        replace(offer, usd_per_h=100.0 * offer.usd_per_h)
        if offer.usd_per_h and offer.accelerator_slug.startswith("google-tpu")
        else offer
        for offer in snapshot.offers
    )

    checked = check_tpu_price(replace(snapshot, offers=dear), shipped_calibration())

    assert checked.verdict is Verdict.NOT_SUPPORTED


def test_20_gigabytes_a_second_feed_seven_h100_on_3d_images() -> None:
    # MLPerf Storage v1.0: 2.75 GB/s each at most.
    assert f"volumes: feeds {20 / 2.75:.0f} to" in check_storage().computed[0].text


def test_more_capacity_alone_shortens_the_tail_of_a_saturated_pool() -> None:
    after = re.findall(r"become ([0-9.]+) s", check_pools().computed[0].text)

    assert all(float(p99_s) < SHARED_P99_S for p99_s in after)


def test_spot_saves_what_prices_and_interruptions_leave() -> None:
    snapshot, rates = shipped_snapshot(), shipped_rates()
    spot = next(o for o in snapshot.offers if o.purchase is Purchase.SPOT and o.accelerator_slug)
    one = replace(spot, accelerator_slug="nvidia-a100-x", usd_per_h=4.0)
    pair = (one, replace(one, purchase=Purchase.ON_DEMAND, usd_per_h=10.0))
    lost = rates["spot/interrupted_per_month"].value * rates["spot/restart"].value / 730.0
    share = rates["spot/fallback"].value
    paid = ((1.0 - share) * 0.4 + share) * (1.0 + lost)

    checked = check_spot_saving(spot_market(replace(snapshot, offers=pair)), rates)

    assert f"saves {percent(1.0 - paid)}" in checked.computed[0].text


def test_a_spot_price_without_its_on_demand_price_says_nothing() -> None:
    snapshot = shipped_snapshot()
    spot = tuple(o for o in snapshot.offers if o.purchase is Purchase.SPOT)

    assert len(spot_market(replace(snapshot, offers=spot)).all_ratios) == 0


def test_rent_is_by_the_accelerator() -> None:
    snapshot = shipped_snapshot()
    offer = next(o for o in snapshot.offers if o.accelerator_slug == H100 and o.usd_per_h)
    node = replace(offer, purchase=Purchase.ON_DEMAND, usd_per_h=80.0, accelerator_count=8.0)

    assert rent_usd_per_h(replace(snapshot, offers=(node,)), H100) == 80.0 / 8.0


def test_a_part_nobody_rents_has_no_rent() -> None:
    assert np.isnan(rent_usd_per_h(shipped_snapshot(), "no-such-part"))


def test_the_article_job_costs_today_what_its_hours_cost() -> None:
    rent = rent_usd_per_h(shipped_snapshot(), H100)
    total = 4 * 72 * rent + 150 + 200 + 800

    assert f"the job ${total:,.0f}" in check_job_cost(shipped_snapshot()).computed[0].text
