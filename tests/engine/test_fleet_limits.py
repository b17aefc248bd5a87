"""Shares of sellers and makers in a fleet: kept, and said of single plans."""

from typing import Any

from advisor.engine.calibration import shipped_calibration
from advisor.engine.fleet.checking import broken
from advisor.engine.fleet.mip import Limits
from advisor.engine.fleet.problem import Fleet
from advisor.engine.fleet.setting import Setting, setting_of
from advisor.engine.fleet.shares import maker_of
from advisor.engine.fleet.solving import solve_exactly
from advisor.questions import read_answers
from advisor.services.advice import worked
from catalog.engine.shipped import shipped_snapshot
from costing.engine.rates import shipped_rates

MIXED = "mixed_company"
SEARCH = Limits(gap=5e-3, nodes=5)


def setting(**answers: Any) -> Setting:
    done = worked(
        read_answers({"preset": MIXED, "answers": answers}),
        shipped_snapshot(),
        calibration=shipped_calibration(),
        rates=shipped_rates(),
    )
    found = setting_of(done.question, done.priced, done.decisions)
    assert found is not None
    return found


def share_by(kind: str, asked: Setting, fleet: Fleet) -> dict[str, float]:
    """Part of the accelerator-hours a week by seller or maker, whole plans left out."""
    hours: dict[str, float] = {}
    for number, option in enumerate(asked.options):
        if option.metered:
            continue
        maker = maker_of(asked.priced[option.load], option.row)
        name = option.offer.provider if kind == "provider" else maker
        machines = fleet.machines[number] * 168.0 + float(fleet.used[number] @ asked.problem.hours)
        hours[name] = hours.get(name, 0.0) + machines * option.offer.accelerator_count
    assert not fleet.whole.any()
    total = sum(hours.values())
    return {name: value / total for name, value in hours.items()}


def test_no_maker_has_more_of_the_fleet_than_allowed_and_the_plans_are_said_to() -> None:
    asked = setting(single_vendor_max_pct=60)
    fleet = solve_exactly(asked.problem, SEARCH).fleet
    assert fleet is not None
    assert broken(asked.problem, fleet) == []
    assert max(share_by("vendor", asked, fleet).values()) <= 0.6 + 1e-4
    assert any("at most 60 % with one maker" in each for each in asked.question.warnings)
