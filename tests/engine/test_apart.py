"""Prefill and decode on machines of their own: when it pays and what holds of it."""

import re
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from advisor.engine.calibration import shipped_calibration
from advisor.engine.choice.apart import Pair, network_bytes_per_s
from advisor.engine.choice.apart_default import unless_clear
from advisor.engine.choice.replicas import served_by
from advisor.engine.explain.apart import explain_apart
from advisor.engine.latency.load import load_row
from advisor.engine.latency.setups import Setup
from advisor.engine.money.futures import same_price
from advisor.engine.plan import Plan
from advisor.engine.search.candidates import Layout
from advisor.engine.search.river import software_month
from advisor.engine.search.size_apart import Pools, size_apart
from advisor.engine.serving.apart import decode_only, prefill_only
from advisor.engine.serving.performance import serving_point
from advisor.questions import read_answers
from advisor.services.advice import Worked, worked
from advisor.services.money import Wishes, money_on
from catalog.engine.shipped import shipped_snapshot
from catalog.specs import PRECISIONS
from costing.engine.chances import chances_cheaper
from costing.engine.rates import shipped_rates
from tests.engine.serving_samples import cases, model, part
from tests.latency.test_traces import DEMAND

PAYS = "chatbot_1m"
H100, LLAMA = part("nvidia-h100-sxm"), model("llama3.1-70b")


@cache
def answered(preset: str = PAYS, *, allowed: bool = True) -> Worked:
    answers: dict[str, Any] = {"disagg_allowed": allowed}
    return worked(
        read_answers({"preset": preset, "answers": answers}),
        shipped_snapshot(),
        calibration=shipped_calibration(),
        rates=shipped_rates(),
    )


def apart(preset: str = PAYS) -> list[Plan]:
    return [plan for each in answered(preset).decisions for plan in each.plans if is_apart(plan)]


def is_apart(plan: Plan) -> bool:
    return bool(plan.extra.get("pools"))


def best(*, allowed: bool = True) -> Plan:
    found = answered(allowed=allowed).decisions[0].recommended
    assert found is not None
    return found


def pair() -> Pair:
    return answered().pairs[best().id]


def sized(network: float, **demand: Any) -> Pools:
    layout = Layout(
        accelerator=0, precision=PRECISIONS.index("fp8"), engine=0, tensor=4, pipeline=1,
        expert=1, attention_data=1,
    )  # fmt: skip
    one = np.zeros(1, dtype=np.int64)
    return size_apart(
        [layout], [layout], (one, one), (H100,), replace(DEMAND, **demand),
        shipped_calibration(), network_bytes_per_s=np.array([network]), software_month=80.0,
    )  # fmt: skip


def test_it_is_recommended_where_it_is_cheapest() -> None:
    assert is_apart(best())


def test_not_allowed_there_is_no_such_plan() -> None:
    plans = answered(allowed=False).decisions[0].plans

    assert [plan for plan in plans if is_apart(plan)] == []


def test_allowing_it_saves_what_the_answer_says() -> None:
    assert (best().value("total_cost_usd") or 0.0) < 0.9 * (
        best(allowed=False).value("total_cost_usd") or 0.0
    )


@pytest.mark.parametrize("preset", ["code_assistant_2k", "moe_frontier_serving", "chatbot_1m"])
def test_the_least_cost_is_recommended_whichever_way_it_serves(preset: str) -> None:
    decision = answered(preset).decisions[0]
    fit = [
        plan.value("total_cost_usd") or 0.0
        for plan in decision.plans
        if plan.meets_targets and not plan.extra.get("not_recommended_because")
    ]

    assert decision.recommended is not None
    assert decision.recommended.value("total_cost_usd") == min(fit)


def test_its_lines_add_up_to_its_total() -> None:
    lines = sum(line.usd for line in best().cost_breakdown)

    assert round(lines, 2) == best().value("total_cost_usd")


def test_people_and_data_are_paid_once() -> None:
    shown: Any = best().extra["pools"]
    labels = [{line["label"] for line in pool["cost_breakdown"]} for pool in shown]

    assert "Storage" not in labels[0]


def test_both_pools_stand_at_one_place() -> None:
    shown: Any = best().extra["pools"]

    assert len({(pool["provider"], pool["region"]) for pool in shown}) == 1


def test_both_pools_run_one_format_and_engine() -> None:
    pools: Any = [pool for plan in apart() for pool in [plan.extra["pools"]]]

    assert all(
        (first["precision"], first["engine"]) == (second["precision"], second["engine"])
        for first, second in pools
    )


def test_a_full_batch_takes_no_more_machine_time_apart_than_together() -> None:
    batch = replace(cases(H100, LLAMA, tensor=4, concurrency=256.0), concurrency=np.array([256.0]))
    calibration = shipped_calibration()
    together = 1.0 / serving_point(batch, calibration).requests_per_s.value[0]
    prompts = 1.0 / prefill_only(batch, calibration).requests_per_s.value[0]
    answers = 1.0 / decode_only(batch, calibration).requests_per_s.value[0]

    # The time of each phase is the same; together a few seconds of start are on top.
    assert prompts + answers == pytest.approx(together, rel=0.03)


def test_answers_wait_for_no_prompt() -> None:
    together = cases(H100, LLAMA, tensor=4, concurrency=64.0, input_tokens=8000.0)
    calibration = shipped_calibration()

    assert (
        decode_only(together, calibration).tpot_p50_s.value[0]
        < serving_point(together, calibration).tpot_p50_s.value[0]
    )


def test_a_link_without_end_takes_no_time() -> None:
    assert sized(np.inf).hand_over_s[0] == 0.0


def test_a_slower_network_is_never_quicker() -> None:
    first = [sized(rate).decode.figures["ttft_p95_s"].value[0] for rate in (1e12, 1e10, 1e9)]

    assert first == sorted(first)


def test_a_network_nobody_published_fits_not() -> None:
    assert not sized(np.nan).decode.fits[0]


def test_more_load_never_takes_fewer_replicas() -> None:
    few, many = (sized(5e10, requests_per_s_peak=rate) for rate in (5.0, 500.0))

    assert many.decode.replicas[0] > few.decode.replicas[0]
    assert many.prefill.replicas[0] >= few.prefill.replicas[0]


def test_the_network_is_the_cards_of_the_parts_usual_machine() -> None:
    snapshot = shipped_snapshot()
    rate = network_bytes_per_s((H100,), snapshot.systems)[0]

    assert rate == pytest.approx(0.7 * 50e9)


def test_simulated_it_keeps_its_targets_as_the_closed_form_says() -> None:
    done, plan = answered(), best()
    served = served_by(
        plan, done.priced[0].workload, parts=done.snapshot.accelerators,
        calibration=done.calibration, software_month=software_month(done.snapshot),
    )  # fmt: skip
    row = load_row(Setup(served=served, most_requests=10_000), capacity=1e9)

    assert row.meets
    assert row.figures["ttft_p95_s"].value < (plan.value("ttft_p95_s") or 0.0)
    assert row.figures["tpot_p50_s"].value == pytest.approx(plan.value("tpot_p50_s"), rel=0.1)


@pytest.mark.parametrize("figure", ["ttft_p95_s", "tpot_p99_s", "e2e_p99_s", "requests_per_s"])
def test_the_root_of_its_tree_is_its_figure(figure: str) -> None:
    done, plan = answered(), best()
    found = explain_apart(
        plan, figure, pair(), systems=done.snapshot.systems, calibration=done.calibration,
        software_month=software_month(done.snapshot),
    )  # fmt: skip

    assert found.term.value == pytest.approx(plan.value(figure), rel=1e-9)


def test_who_did_not_ask_for_it_sees_it_beside_what_is_recommended() -> None:
    decision = worked(
        read_answers({"preset": PAYS, "answers": {}}),
        shipped_snapshot(),
        calibration=shipped_calibration(),
        rates=shipped_rates(),
    ).decisions[0]
    assert decision.recommended is not None
    shown = [plan for plan in decision.plans if is_apart(plan)]
    assert (is_apart(decision.recommended), bool(shown)) == (False, True)
    assert "% of the futures" in str(shown[0].extra["not_recommended_because"])


def unasked(plan: Plan, together: Plan | None) -> str:
    done = answered()
    (found,) = unless_clear([plan], together, done.priced[0].rules, done.rates)
    return str(found.extra["not_recommended_because"])


def at_price(plan: Plan, factor: float) -> Plan:
    cases = [replace(case, usd_per_h=case.usd_per_h * factor) for case in plan.pool_cases]
    return replace(plan, pool_cases=tuple(cases))


def test_unasked_it_is_recommended_where_it_is_clearly_cheaper() -> None:
    together = best(allowed=False)

    assert unasked(at_price(best(), 0.6), together) == ""
    assert "yes" in unasked(best(), together)
    assert " 0 % of the futures" in unasked(at_price(best(), 3.0), together)


def test_unasked_it_is_recommended_where_nothing_else_is() -> None:
    assert unasked(best(), None) == ""


def test_unasked_its_chance_is_that_of_the_money_page() -> None:
    together = best(allowed=False)
    money = money_on(answered(), Wishes(plan=best().id))
    rent = next(at for at, way in enumerate(money.ways) if way.plan.name == together.name)
    chance = chances_cheaper(money.futures)[money.chosen, rent]
    told = re.search(r"in (\d+) % of the futures", unasked(best(), together))

    assert told is not None
    assert float(told[1]) / 100.0 == pytest.approx(chance, abs=0.03)


def test_machines_of_both_pools_may_stand_in_racks_of_their_own() -> None:
    pools = [plan for plan in apart("eu_rag_onprem") if plan.provider_kind == "on_prem"]

    assert pools
    assert not any("your racks take" in str(p.extra["not_recommended_because"]) for p in pools)


def test_one_price_errs_for_both_pools_alike() -> None:
    both = best().offers

    assert (both[0], same_price(both).tolist()) == (both[1], [0, 0])
