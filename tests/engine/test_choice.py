"""Choosing among plans."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from advisor.engine.choice.ranking import cheapest_of_each, pareto_front, priority_score

figures = st.lists(st.tuples(st.floats(1.0, 1e6), st.floats(1e-3, 1e3)), min_size=1, max_size=40)


@given(figures)
def test_no_plan_on_the_front_is_beaten_on_both_counts(rows: list[tuple[float, float]]) -> None:
    cost, latency = np.array(rows).T
    front = pareto_front(cost, latency)

    assert not any(
        cost[other] < cost[row] and latency[other] < latency[row]
        for row in np.flatnonzero(front)
        for other in range(len(cost))
    )


@given(figures)
def test_every_plan_off_the_front_is_beaten_by_one_on_it(rows: list[tuple[float, float]]) -> None:
    cost, latency = np.array(rows).T
    front = pareto_front(cost, latency)

    assert all(
        any(
            cost[other] <= cost[row] and latency[other] <= latency[row]
            for other in np.flatnonzero(front)
        )
        for row in np.flatnonzero(~front)
    )


def test_a_plan_without_a_price_is_never_on_the_front() -> None:
    assert pareto_front([np.nan, 3.0], [0.1, 0.2]).tolist() == [False, True]


def test_two_equal_plans_stay_on_the_front_together() -> None:
    assert pareto_front([1.0, 1.0, 2.0], [0.5, 0.5, 0.5]).tolist() == [True, True, False]


def test_with_all_weight_on_cost_the_cheapest_plan_scores_best() -> None:
    score = priority_score(
        {"cost": np.array([3.0, 2.0, 5.0]), "latency": np.array([0.1, 9.0, 0.1])},
        {"cost": 1.0, "latency": 0.0},
    )

    assert score.argmin() == 1


def test_the_unit_of_a_criterion_does_not_change_the_order() -> None:
    cost, latency = np.array([1.0, 2.0, 4.0]), np.array([0.8, 0.3, 0.1])
    weights = {"cost": 0.6, "latency": 0.4}

    in_usd = priority_score({"cost": cost, "latency": latency}, weights)
    in_cents = priority_score({"cost": 100.0 * cost, "latency": 1000.0 * latency}, weights)

    assert np.allclose(in_usd, in_cents)


def test_each_part_is_represented_by_its_cheapest_offer() -> None:
    assert cheapest_of_each(["a", "b", "a", "c"], [5.0, 4.0, 3.0, np.nan]) == [2, 1, 3]
