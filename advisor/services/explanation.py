"""A figure of a finished run explained: the formula tree of its one case."""

from collections.abc import Mapping
from typing import Any

from advisor.engine.errors import NotExplained
from advisor.engine.explain.apart import explain_apart
from advisor.engine.explain.plans import Explained, explain_figure
from advisor.engine.explain.splits import explain_split
from advisor.engine.plan import Plan
from advisor.engine.search.river import Priced, software_month
from advisor.models import Job
from advisor.services.advice import Worked, plan_documents, reopened, stage_of
from catalog.models import Snapshot

EXPLAINED = (
    "ttft_p50_s", "ttft_p95_s", "ttft_p99_s", "tpot_p50_s", "tpot_p95_s", "tpot_p99_s",
    "e2e_p50_s", "e2e_p95_s", "e2e_p99_s", "output_tokens_per_s", "requests_per_s",
    "samples_per_s", "users_at_slo", "hours", "step_time_s", "tokens_per_s_per_accelerator", "mfu",
)  # fmt: skip
"""Performance figures of a plan that have a formula tree, in the order a reader meets them."""


_SAME = 1e-9


def explained(run: Job, plan_id: str, figure: str) -> tuple[Plan, Explained]:
    """A plan of a run and the tree of one of its figures; raises NotExplained with the reason."""
    plan, priced, done = _found(run, plan_id)
    if plan.value(figure) is not None:
        _as_answered(run, plan, figure)
    return plan, _explained(plan, figure, priced, done)


def explained_all(run: Job, plan_id: str) -> dict[str, Any]:
    """All performance figures of a plan with their trees, as JSON carries them."""
    plan, priced, done = _found(run, plan_id)
    figures = {}
    for name in EXPLAINED:
        if plan.value(name) is not None:
            try:
                _as_answered(run, plan, name)
                figures[name] = as_document(_explained(plan, name, priced, done))
            except NotExplained:
                continue
    if not figures:
        message = f"no figure of plan {plan_id} comes from the performance model"
        raise NotExplained(message)
    return {"plan": plan.id, "name": plan.name, "figures": figures}


def as_document(found: Explained) -> dict[str, Any]:
    """An explanation as JSON carries it."""
    return {
        "figure": found.figure,
        "binding": found.binding,
        "spent_on": found.spent_on,
        "spent_s": dict(found.spent_s),
        "term": found.term.as_dict(),
    }


def _explained(plan: Plan, figure: str, priced: Priced, done: Worked) -> Explained:
    split = done.splits.get(plan.id)
    if split is not None:
        parts = [_explained(site.plan, figure, site.priced, done) for site in split.sites]
        return explain_split(plan, figure, split.sites, parts)
    month = software_month(done.snapshot)
    pair = done.pairs.get(plan.id)
    if pair is not None:
        return explain_apart(
            plan, figure, pair, systems=done.snapshot.systems, calibration=done.calibration,
            software_month=month,
        )  # fmt: skip
    return explain_figure(
        plan,
        figure,
        priced,
        systems=done.snapshot.systems,
        calibration=done.calibration,
        software_month=month,
    )


def _as_answered(run: Job, plan: Plan, figure: str) -> None:
    """Refuse to explain a figure that the run does not show: other parameters, another release."""
    stored: Mapping[str, Any] = next(
        (p for p in plan_documents(run.result or {}) if p["id"] == plan.id), {}
    )
    known = (stored.get(figure) or {}).get("value")
    now = plan.value(figure)
    if known is None or now is None or abs(known - now) > _SAME * abs(known):
        message = (
            "this run was answered by another release or with other fitted parameters; answer the "
            "assessment again to see the terms"
        )
        raise NotExplained(message)


def _found(run: Job, plan_id: str) -> tuple[Plan, Priced, Worked]:
    try:
        done = reopened(run)
    except Snapshot.DoesNotExist as error:
        message = "the state of the catalogue that this run was answered from was not kept"
        raise NotExplained(message) from error
    stage = stage_of(done, plan_id)
    if stage is not None:
        return stage.plan, stage.priced, done
    message = f"the run has no plan “{plan_id}” whose figures the performance model computed"
    raise NotExplained(message)
