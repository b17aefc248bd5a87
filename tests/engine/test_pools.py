"""Products on one pool or on pools of their own, by simulation of their own traffic."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as trying
from hypothesis import strategies as st

from advisor.engine.latency.pool import Pool
from advisor.engine.latency.pools import (
    Product,
    article_set_up,
    best_split,
    dedicated_way,
    fewest_dedicated,
    fewest_shared,
    shared_out,
    shared_way,
    traffic_of,
)
from advisor.engine.latency.step_times import StepTimes
from advisor.engine.latency.traffic import Lengths

POOL = Pool(
    steps=StepTimes(
        fixed_s=np.concatenate([[0.0], 0.012 + 2e-4 * np.arange(1, 33)]),
        per_kv_token_s=np.full(33, 1e-8),
        prefill_s=5e-5,
        kv_capacity_tokens=2e5,
    )
)


def product(name: str, rate: float, cv: float, prompt: float = 500.0) -> Product:
    return Product(
        name=name,
        requests_per_s=rate,
        cv=cv,
        prompts=Lengths(mean_tokens=prompt, p95_tokens=3 * prompt),
        outputs=Lengths(mean_tokens=100.0, p95_tokens=300.0),
    )


CALM_AND_BURSTY = traffic_of(
    [product("calm", 10.0, 1.0), product("bursty", 5.0, 5.0, prompt=2000.0)], count=4000, seed=1
)


def test_splitting_pools_keeps_every_request() -> None:
    alone = [CALM_AND_BURSTY.of_product(number) for number in range(2)]

    assert sum(len(each) for each in alone) == len(CALM_AND_BURSTY.requests)


def test_splitting_pools_keeps_every_token() -> None:
    alone = [CALM_AND_BURSTY.of_product(number) for number in range(2)]
    asked = CALM_AND_BURSTY.requests

    assert sum(int(each.output_tokens.sum()) for each in alone) == asked.output_tokens.sum()


def test_a_shared_pool_of_one_product_is_that_products_pool() -> None:
    traffic = traffic_of([product("only", 10.0, 1.0)], count=2000, seed=1)
    shared = shared_way(traffic, POOL, replicas=3, limit_s=2.0)

    assert shared.lines[0] == dedicated_way(traffic, POOL, replicas=[3], limit_s=2.0).lines[0]


def test_a_bursty_neighbour_slows_the_calm_product_on_a_shared_pool() -> None:
    shared = shared_way(CALM_AND_BURSTY, POOL, replicas=6, limit_s=2.0)
    apart = dedicated_way(CALM_AND_BURSTY, POOL, replicas=[3, 3], limit_s=2.0)

    assert shared.lines[0].p99.value > 2 * apart.lines[0].p99.value


def test_the_fewest_shared_replicas_keep_the_target_and_one_fewer_does_not() -> None:
    way = fewest_shared(CALM_AND_BURSTY, POOL, target_s=1.0, limit_s=2.0)
    assert way is not None
    fewer = shared_way(CALM_AND_BURSTY, POOL, replicas=way.total - 1, limit_s=2.0)

    assert max(line.p99.value for line in way.lines) <= 1.0
    assert max(line.p99.value for line in fewer.lines) > 1.0


def test_pools_of_their_own_need_at_least_as_many_replicas_in_all_here() -> None:
    shared = fewest_shared(CALM_AND_BURSTY, POOL, target_s=1.0, limit_s=2.0)
    apart = fewest_dedicated(CALM_AND_BURSTY, POOL, target_s=1.0, limit_s=2.0)
    assert shared is not None
    assert apart is not None

    assert apart.total >= shared.total - 1


def test_no_pool_is_quick_enough_for_less_than_a_prompt_takes() -> None:
    traffic = traffic_of([product("only", 1.0, 1.0)], count=500, seed=1)

    assert fewest_dedicated(traffic, POOL, target_s=1e-4, limit_s=2.0) is None


def test_the_articles_set_up_is_found_at_the_load_where_its_share_is_slow() -> None:
    found = article_set_up(
        CALM_AND_BURSTY, POOL, replicas=8, over_limit=0.075, limit_s=2.0, dearer=0.15
    )
    assert found is not None

    assert found.shared.together.over_limit == pytest.approx(0.075, abs=0.02)
    assert found.dedicated.total == 9


@given(st.integers(3, 60), st.lists(st.floats(0.1, 100.0), min_size=3, max_size=3))
def test_replicas_shared_out_add_up_and_leave_nobody_without(
    total: int, weights: list[float]
) -> None:
    counts = shared_out(total, np.array(weights))

    assert sum(counts) == total
    assert min(counts) >= 1


@given(st.integers(2, 8))
@trying(max_examples=5)
def test_the_best_split_uses_every_replica(total: int) -> None:
    assert sum(best_split(CALM_AND_BURSTY, POOL, total=total)) == total
