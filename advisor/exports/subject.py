"""What a file is made from: a run's answer, one of its plans, and the stages behind it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from advisor.engine.search.river import Priced
from advisor.engine.workload import Workload
from advisor.exports.refusal import CannotExport
from advisor.exports.text import one_line
from advisor.models import Job
from advisor.services import mixing
from advisor.services.advice import Worked, plan_documents, reopened, stage_of
from advisor.services.decisions import decisions_of, record_document
from advisor.services.reasons.asked import NOT_KEPT, reasons_of
from catalog.specs import AcceleratorSpec, OfferSpec, SystemSpec
from costing.engine.cases import CostCases

Document = Mapping[str, Any]
ANEW = "Run the assessment again to have it."
CHANGED = f"Engine or rates have changed since this run was answered. {ANEW}"


class NoSuchPlan(LookupError):
    """The run's answer has no plan of that id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A plan of one workload with the stages' own values: what its files are computed from."""

    plan: Document
    case: CostCases  # what its cost was computed from
    worked: Worked
    workload: Workload
    priced: Priced
    row: int | None  # among the candidates; None where the plan is a hosted API

    @property
    def sizing_row(self) -> int:
        """Row of the sizing; a hosted plan has none."""
        if self.row is None:
            raise CannotExport(HOSTED)
        return int(self.priced.placements.sizing[self.row])

    @property
    def offer(self) -> OfferSpec:
        """What is rented, bought or paid by the token."""
        if self.row is not None:
            return self.priced.offers[int(self.priced.placements.offer[self.row])]
        plan = self.plan
        return next(
            offer
            for offer in self.priced.hosted
            if (offer.provider, offer.instance_type) == (plan["provider"], plan["system"])
        )

    @property
    def part(self) -> AcceleratorSpec:
        """The accelerator."""
        return self.priced.parts[int(self.priced.sizing.accelerator[self.sizing_row])]

    @property
    def system(self) -> SystemSpec | None:
        """The machine, where the catalogue knows it."""
        return self.priced.systems.get(self.offer.system_slug)


HOSTED = (
    "The plan is a hosted API: there is nothing of your own to deploy. Take the API client with "
    "its cost guard instead."
)


@dataclass(frozen=True, kw_only=True)
class Subject:
    """An answered run and the plan of it that files are made of: the recommended one or another."""

    run_id: str
    document: Document
    plan: Document | None  # None where nothing is recommended
    answered_at: datetime | None
    reopen: Callable[[], Worked]
    decisions: Callable[[], list[Document]] = list  # what people decided on it, newest first
    reasons: Callable[[], Document | None] = lambda: None  # the explanation, where it was asked
    instead: Callable[[], str] = str  # of the fleet that is recommended over the plans, if any

    @property
    def is_recommended(self) -> bool:
        """Whether the plan is the one the answer recommends."""
        best = self.document["recommendation"]
        return self.plan is not None and best is not None and best["id"] == self.plan["id"]

    @cached_property
    def worked(self) -> Worked:
        """The stages on the catalogue of the answer; CannotExport where it was not kept."""
        try:
            return self.reopen()
        except NOT_KEPT as gone:
            message = f"What the run was answered from is not kept any more. {ANEW}"
            raise CannotExport(message) from gone

    @cached_property
    def chosen(self) -> Chosen:
        """The plan's own values; CannotExport for a fleet, no plan, or a plan since changed."""
        plan = self.plan
        if plan is None:
            reason = f"There is no plan to make a file of: {self.document['sentence']}"
            raise CannotExport(reason)
        if plan["kind"] == "fleet":
            raise CannotExport(self._fleet_reason())
        stage = stage_of(self.worked, plan["id"])
        if stage is not None and stage.plan.name == plan["name"] and stage.plan.case is not None:
            return Chosen(
                plan=plan,
                case=stage.plan.case,
                worked=self.worked,
                workload=stage.workload,
                priced=stage.priced,
                row=stage.decision.rows.get(stage.plan.id),
            )
        raise CannotExport(CHANGED)

    @cached_property
    def pools(self) -> tuple[Chosen, ...]:
        """The prefill and the decode pool of a plan with both apart; none of any other plan."""
        plan = self.plan
        if plan is None or not plan.get("pools"):
            return ()
        stage, pair = stage_of(self.worked, plan["id"]), self.worked.pairs.get(plan["id"])
        if stage is None or pair is None or stage.plan.name != plan["name"]:
            raise CannotExport(CHANGED)
        sides = ((pair.prefill, pair.prefill_row), (pair.decode, pair.decode_row))
        return tuple(
            Chosen(
                plan={**pool, "id": f"{plan['id']}-{pool['role']}"},
                case=case,
                worked=self.worked,
                workload=stage.workload,
                priced=priced,
                row=row,
            )
            for pool, case, (priced, row) in zip(
                plan["pools"], stage.plan.pool_cases, sides, strict=True
            )
        )

    def _fleet_reason(self) -> str:
        if (self.plan or {}).get("pools"):
            return (
                "This plan has one pool that prefills and one that decodes, and this file "
                "describes replicas that do both. Take the launch script or the Kubernetes "
                "manifest."
            )
        places = (self.plan or {}).get("places")
        ids = ", ".join(f"{p['id']} for {p['workload']}" for p in places or self.members)
        if places:
            return f"This plan stands at several places, and this file is of one: {one_line(ids)}."
        return (
            "This plan puts several plans together, and this file describes one. Choose the plan "
            f"of one workload: {one_line(ids)}."
        )

    @cached_property
    def members(self) -> list[Document]:
        """The first plan of each workload, which is the recommended one where there is any."""
        first: dict[str, Document] = {}
        for plan in self.document["plans"]:
            if plan["kind"] != "fleet":
                first.setdefault(plan["workload"], plan)
        return list(first.values())


def subject_of(run: Job, plan_id: str = "") -> Subject:
    """A succeeded run as the subject of files; NoSuchPlan for an unknown plan."""
    document = run.result or {}
    plan = document.get("recommendation")
    if plan_id:
        known = {each["id"]: each for each in plan_documents(document)}
        if plan_id not in known:
            first = ", ".join(list(known)[:10]) or "none"
            message = f"no plan {plan_id!r} in this run; there are {first}"
            raise NoSuchPlan(message + (", …" if len(known) > 10 else ""))  # noqa: PLR2004
        plan = known[plan_id]
    return Subject(
        run_id=str(run.pk),
        document=document,
        plan=plan,
        answered_at=run.finished_at,
        reopen=lambda: reopened(run),
        decisions=lambda: [record_document(each) for each in decisions_of(run)],
        reasons=lambda: _reasons(run),
        instead=lambda: mixing.instead(run),
    )


def _reasons(run: Job) -> Document | None:
    known = reasons_of(run)
    return known.result if known is not None else None
