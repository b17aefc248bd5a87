"""What a deployment delivers over the horizon: the units its cost is divided by."""

from dataclasses import dataclass

from advisor.engine.choice.wording import plural
from advisor.engine.workload import Workload
from catalog.units import KILO, MEGA
from costing.engine.cases import CostRules
from costing.engine.quantities import growth_path


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """How many of one unit the horizon sees; None where the answers do not say."""

    label: str  # "million output tokens"
    amount: float | None
    why_unknown: str = ""


def units_of(workload: Workload, rules: CostRules, *, users: float | None) -> tuple[Unit, ...]:
    """The units of a workload over the horizon, demand growing as the rules say.

    `users` are those at go-live, growing with demand.
    Source: arithmetic on the demand.
    """
    months = float(growth_path(rules).sum())
    if workload.training is not None:
        training = workload.training
        runs = training.runs_per_month * max(training.rerun_factor, 1.0) * rules.horizon_months
        wanted = training.runs_per_month * rules.horizon_months
        return (
            Unit(label="training run", amount=wanted),
            Unit(label="training run, repeated ones counted", amount=runs),
            Unit(label="million tokens trained", amount=wanted * training.tokens / MEGA),
        )
    serving = workload.serving
    if serving is None:
        return ()
    requests = serving.requests_per_month * months
    found = [Unit(label=f"thousand {plural(serving.unit)}", amount=requests / KILO)]
    if serving.output_tokens > 0.0:
        both = serving.input_tokens + serving.output_tokens
        found += [
            Unit(label="million output tokens", amount=requests * serving.output_tokens / MEGA),
            Unit(label="million tokens in and out", amount=requests * both / MEGA),
        ]
    found.append(
        Unit(
            label="user a month",
            amount=None if users is None else users * months,
            why_unknown="" if users is not None else "the answers name no number of users",
        )
    )
    return tuple(found)
