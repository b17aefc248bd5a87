"""What an explanation says, read as a board would: units, grammar, nothing told twice."""

import re
from typing import Any

import numpy as np
import pytest

from advisor.engine.choice.eligibility import BARE_CARD
from advisor.engine.choice.wording import plural
from advisor.engine.reasons.measurements import BENCHMARK_H, benchmark_of
from advisor.engine.reasons.outcome import Outcome
from advisor.services.reasons.inputs import inputs_of
from advisor.services.reasons.ranking import doubts
from advisor.services.reasons.signing import before_signing
from advisor.services.reasons.why_not import why_not
from advisor.services.whatif import Base, based_on
from advisor.views.why_page import _constraint, _what_if
from tests.engine.test_apart import answered as with_pools
from tests.engine.test_apart import is_apart
from tests.engine.test_reasons import CHAT, answered, of, silent


@pytest.mark.parametrize(("unit", "several"), [("request", "requests"), ("query", "queries")])
def test_units_of_work_are_spelled_in_the_plural(unit: str, several: str) -> None:
    assert plural(unit) == several


def test_a_choice_that_several_workloads_share_is_told_once() -> None:
    decision = of(CHAT).worked.decisions[0]
    refused = Outcome(decisions=(decision, decision))

    assert decision.recommended is not None
    assert refused.name == f"{decision.recommended.name}, for each of 2 workloads"


def test_a_refusal_that_several_workloads_share_is_told_once() -> None:
    none = answered(CHAT, budget_total=1).worked.decisions[0]

    assert none.refusal
    assert Outcome(decisions=(none, none)).refusal == none.refusal


def test_amounts_of_money_among_the_inputs_have_their_currency() -> None:
    base = answered(CHAT, currency="EUR", fte_cost_year=120_000)
    units = {each.question: each.unit for each in inputs_of(base)}

    assert units["fte_cost_year"] == "EUR"


def test_two_pools_are_measured_together_behind_their_router() -> None:
    done = with_pools()
    plan = next(each for each in done.decisions[0].plans if is_apart(each))
    pools: Any = plan.extra["pools"]
    bench = benchmark_of(plan, done.question.workloads[0], done.snapshot)
    rent = sum(pool["price"]["usd_per_h"] * pool["system_count"] for pool in pools)

    assert any("$ROUTER_URL" in command for command in bench.commands)
    assert not any("vllm serve" in command for command in bench.commands)
    assert bench.usd == pytest.approx(BENCHMARK_H * rent)


def test_a_quote_to_ask_for_says_how_far_its_price_may_move_and_in_what() -> None:
    asked = [each for each in asked_first(of(CHAT)) if each["kind"] == "quote"]

    assert asked
    for each in asked:
        if "four" not in each["passes"]:
            assert re.search(r"\d % (higher|lower), [\d.,]+ USD(/h)? instead of", each["passes"])


def asked_first(base: Base) -> list[dict[str, Any]]:
    found = doubts(base, 0)
    assert found is not None
    return before_signing(base, 0, found[0])


def test_a_card_without_a_server_is_told_to_need_a_quote_and_nothing_else() -> None:
    base = of("eu_rag_onprem")
    lines = [
        line
        for each in why_not(base, progress=silent)[:1]
        for family in each["families"]
        for line in family["lines"]
        if any(part["reason"].lower().startswith(BARE_CARD) for part in line["parts"])
    ]

    assert lines
    assert {_what_if(line) for line in lines} == {
        "No answer of yours lifts this: ask for a quote of a server with it."
    }


@pytest.mark.parametrize(
    ("usd", "same", "told"),
    [
        (-208.0, True, "Next to nothing, $208 less: the same choice wins in another layout."),
        (0.0, True, "Costs nothing: the same plan wins either way."),
        (-208.0, False, "Saves $208 (0.0064 %). Without it: another."),
        (50_000.0, True, "Costs $50,000 (1.5 %). Without it: another."),
    ],
)
def test_a_limit_is_priced_in_words_that_fit_its_size(usd: float, same: bool, told: str) -> None:  # noqa: FBT001
    each = {
        "usd": usd, "usd_with": 3_261_756.0, "same_choice": same, "share": usd / 3_261_964.0,
        "holds_now": True, "winner_other": "another", "impossible": "",
    }  # fmt: skip

    assert _constraint(each)["text"] == told


def test_accelerators_of_a_whole_machine_without_work_are_idle() -> None:
    done = of("eu_rag_onprem").worked
    priced = done.priced[1]
    rows = priced.placements.sizing
    used = priced.sizing.replicas[rows] * priced.sizing.chips_per_replica[rows]
    idle = used < priced.placements.accelerators

    assert idle.any()
    assert np.all(priced.cases.utilisation[idle] < priced.sizing.utilisation[rows][idle])


def test_pools_can_be_explained_from_the_run_that_has_them() -> None:
    base = based_on({"preset": CHAT, "answers": {"disagg_allowed": True}}, with_pools())

    assert any("behind their router" in each["what"] for each in asked_first(base))
